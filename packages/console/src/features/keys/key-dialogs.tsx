import { useState } from 'react';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { DeleteKeyDialog } from './delete-key-dialog.tsx';
import { DisableKeyDialog } from './disable-key-dialog.tsx';
import { EditKeyDialog } from './edit-key-dialog.tsx';
import { EnableKeyDialog } from './enable-key-dialog.tsx';
import { EndOverlapDialog } from './end-overlap-dialog.tsx';
import type { KeyRequest, OnMinted } from './key-request.ts';
import { KeyUsageDialog } from './key-usage-dialog.tsx';
import { RegenerateKeyDialog } from './regenerate-key-dialog.tsx';

const DIALOGS = {
  usage: KeyUsageDialog,
  regenerate: RegenerateKeyDialog,
  delete: DeleteKeyDialog,
  disable: DisableKeyDialog,
  enable: EnableKeyDialog,
  edit: EditKeyDialog,
  endOverlap: EndOverlapDialog,
} as const;

/**
 * The last request, also while its dialog fades out, and its number: a new request begins with empty fields.
 */
function useLingering(request: KeyRequest | null) {
  const [state, setState] = useState({ shown: request, isOpen: request !== null, turn: 0 });
  const isOther =
    request !== null &&
    (!state.isOpen || request.kind !== state.shown?.kind || request.key.id !== state.shown.key.id);
  if (isOther) setState({ shown: request, isOpen: true, turn: state.turn + 1 });
  else if (request === null && state.isOpen) setState({ ...state, isOpen: false });
  return state;
}

/** Everything that can be done with a key that exists. Keep it mounted: the focus returns to the opener. */
export function KeyDialogs(props: {
  readonly request: KeyRequest | null;
  readonly onClose: () => void;
  readonly onMinted?: OnMinted;
}) {
  const { request, onClose, onMinted } = props;
  const { shown, turn } = useLingering(request);
  useReturnFocus(request !== null);
  if (shown === null) return null;
  const Dialog = DIALOGS[shown.kind];
  return (
    <Dialog key={turn} value={shown.key} isOpen={request !== null} onClose={onClose} onMinted={onMinted} />
  );
}
