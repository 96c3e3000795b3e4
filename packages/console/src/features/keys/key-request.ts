import type { Key } from '@keyreeve/sdk';
import type { SecretBox } from './secret-box.ts';

export interface KeyRequest {
  readonly kind: 'usage' | 'regenerate' | 'delete' | 'disable' | 'enable' | 'edit' | 'endOverlap';
  readonly key: Key;
}

/** Takes over a fresh secret; without one the dialogs open the one-time window themselves. */
export type OnMinted = (key: Key, box: SecretBox) => void;

export interface KeyDialogProps {
  readonly value: Key;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onMinted?: OnMinted | undefined;
}
