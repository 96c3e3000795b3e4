import { setNonce } from 'get-nonce';

/** The nonce of this page: only style elements that carry it apply. */
export const styleNonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

// Dialogs lock scrolling through a style element of their own, which asks this module for the nonce.
setNonce(styleNonce);
