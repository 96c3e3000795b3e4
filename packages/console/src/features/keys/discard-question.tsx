import { Button } from '@mantine/core';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { unsavedWords } from '../../ui/unsaved.words.ts';

/** Asked when a form with changes is about to be closed in passing. */
export function DiscardQuestion(props: {
  readonly isOpen: boolean;
  readonly changeCount: number;
  readonly onBack: () => void;
  readonly onDiscard: () => void;
}) {
  const { t } = useWords(unsavedWords);
  const ui = useWords(uiWords);
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={props.onBack}
      title={t('leaveTitle')}
      aside={
        <Button variant="subtle" color="red.7" onClick={props.onDiscard}>
          {t('leaveAnyway')}
        </Button>
      }
      actions={
        <Button data-autofocus onClick={props.onBack}>
          {ui.t('back')}
        </Button>
      }
    >
      <p>{t('leaveText', { count: props.changeCount })}</p>
    </Dialog>
  );
}
