import { Dialog } from '../../ui/dialog.tsx';
import type { SealedKey } from './secret-box.ts';

export interface KeyResultProps {
  /** The fresh key; null while there is none. Keep the component mounted: the focus returns to the opener. */
  readonly minted: SealedKey | null;
  /** "API key created", or what else has made the secret. */
  readonly title: string;
  /** One more sentence for the warning, for instance until when the old secret works. */
  readonly note?: string;
  /** The window is closed and the secret forgotten. */
  readonly onClose: () => void;
}

/** The one-time window. */
export function KeyResult(props: KeyResultProps) {
  const { minted, title, onClose } = props;
  return (
    <Dialog isOpen={minted !== null} onClose={onClose} title={title} size="medium">
      {null}
    </Dialog>
  );
}
