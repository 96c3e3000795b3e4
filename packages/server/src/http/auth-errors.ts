import { defineErrors } from '../errors/index.ts';

export const authErrors = defineErrors('auth', {
  required: {
    status: 401,
    title: 'Authentication required',
    remedy:
      'Sign in to the console, or send a key: `Authorization: Bearer <full key or token>`, Basic with the API key as user and the secret key as password, or `X-API-Key: <full key>`.',
  },
  invalid_credential: {
    status: 401,
    title: 'The credential is not valid',
    remedy:
      'Check that the whole key was copied, and that it was not deleted, disabled, regenerated or expired.',
  },
  key_expired: {
    status: 401,
    title: 'The key has expired',
    remedy: 'Regenerate the key; its id, comment and scopes stay the same.',
  },
  key_disabled: {
    status: 401,
    title: 'The key is disabled',
    remedy: 'Ask the person who disabled it, or an administrator, to enable it again.',
  },
  account_disabled: {
    status: 401,
    title: 'The account of this key is disabled',
    remedy: 'Ask an administrator to enable the account.',
  },
  ip_not_allowed: {
    status: 401,
    title: 'The key may not be used from this address',
    remedy: 'Use the key from one of the addresses in its IP allow list, or have the list changed.',
  },
  session_ended: {
    status: 401,
    title: 'The session has ended',
    remedy: 'Sign in again.',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'Two different credentials were sent',
    remedy: 'Send one credential in one header.',
  },
  kind_not_accepted: {
    status: 403,
    title: 'This kind of credential is not accepted here',
    remedy: 'Use one of the kinds named in `accepted`.',
  },
  insufficient_scope: {
    status: 403,
    title: 'The credential does not permit this',
    remedy: 'Use a key whose scopes, and an account whose grants, contain the action named in the message.',
  },
  forbidden: {
    status: 403,
    title: 'Not permitted',
    remedy: 'Ask an administrator of the workspace.',
  },
  cross_site: {
    status: 403,
    title: 'Cross-site request refused',
    remedy: 'Requests that change something with a session cookie must come from the console itself.',
  },
  other_account: {
    status: 409,
    title: 'Another account is signed in now',
    remedy:
      'Nothing was done. The session belongs to another account than the one named in `Keyreeve-Expected-Account`: load the page again, or sign in as that account.',
  },
});
