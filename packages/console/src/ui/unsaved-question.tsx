import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useWords } from '../i18n/words.tsx';
import { Dialog } from './dialog.tsx';
import { uiWords } from './ui.words.ts';
import { unsavedWords } from './unsaved.words.ts';

/** Asked before something that was typed is given up. */
export function UnsavedQuestion(props: {
  readonly isOpen: boolean;
  /** How much is not saved, as a sentence of its own or as the number of changes. */
  readonly lost: number | string;
  readonly onBack: () => void;
  readonly onLeave: () => void;
  /** The way out that loses nothing, where there is one. */
  readonly saving?: ReactNode;
}) {
  const { lost, saving } = props;
  const { t } = useWords(unsavedWords);
  const ui = useWords(uiWords);
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={props.onBack}
      title={t('leaveTitle')}
      aside={
        <Button variant="subtle" color="red" onClick={props.onLeave}>
          {t('leaveAnyway')}
        </Button>
      }
      actions={
        <>
          <Button variant={saving === undefined ? 'filled' : 'default'} data-autofocus onClick={props.onBack}>
            {ui.t('back')}
          </Button>
          {saving}
        </>
      }
    >
      <p>{typeof lost === 'string' ? lost : t('leaveText', { count: lost })}</p>
    </Dialog>
  );
}
