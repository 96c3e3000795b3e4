import { Button } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { useWords } from '../i18n/words.tsx';
import { ActionButton } from './action-button.tsx';
import { Dialog } from './dialog.tsx';
import { uiWords } from './ui.words.ts';
import { unsavedWords } from './unsaved.words.ts';

/** Asks before unsaved changes of a page are left behind, by a link, the browser's Back or closing the tab. */
export function LeaveGuard(props: {
  readonly changeCount: number;
  readonly isSaving: boolean;
  /** Resolves to whether everything is saved. */
  readonly onSave: () => Promise<boolean>;
}) {
  const { changeCount } = props;
  const { t } = useWords(unsavedWords);
  const { t: tUi } = useWords(uiWords);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => changeCount > 0 && current.pathname !== next.pathname,
    enableBeforeUnload: () => changeCount > 0,
    withResolver: true,
  });
  const stay = () => blocker.reset?.();
  const saveAndLeave = async () => {
    if (await props.onSave()) blocker.proceed?.();
    else stay();
  };
  return (
    <Dialog
      isOpen={blocker.status === 'blocked'}
      onClose={stay}
      title={t('leaveTitle')}
      aside={
        <Button variant="subtle" color="red" onClick={() => blocker.proceed?.()}>
          {t('leaveAnyway')}
        </Button>
      }
      actions={
        <>
          <Button variant="default" data-autofocus onClick={stay}>
            {tUi('back')}
          </Button>
          <ActionButton loading={props.isSaving} onClick={() => void saveAndLeave()}>
            {t('saveAndLeave')}
          </ActionButton>
        </>
      }
    >
      <p>{t('leaveText', { count: changeCount })}</p>
    </Dialog>
  );
}
