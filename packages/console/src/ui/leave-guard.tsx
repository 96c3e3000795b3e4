import { useWords } from '../i18n/words.tsx';
import { ActionButton } from './action-button.tsx';
import { unsavedWords } from './unsaved.words.ts';
import { UnsavedQuestion } from './unsaved-question.tsx';
import { useLeaveBlocker } from './use-leave-blocker.ts';

/** Asks before unsaved changes of a page are left behind. */
export function LeaveGuard(props: {
  readonly changeCount: number;
  readonly isSaving: boolean;
  /** Resolves to whether everything is saved. */
  readonly onSave: () => Promise<boolean>;
}) {
  const { changeCount } = props;
  const { t } = useWords(unsavedWords);
  const leaving = useLeaveBlocker(changeCount > 0);
  const saveAndLeave = async () => {
    if (await props.onSave()) leaving?.leave();
    else leaving?.stay();
  };
  return (
    <UnsavedQuestion
      isOpen={leaving !== null}
      lost={changeCount}
      onBack={() => leaving?.stay()}
      onLeave={() => leaving?.leave()}
      saving={
        <ActionButton loading={props.isSaving} onClick={() => void saveAndLeave()}>
          {t('saveAndLeave')}
        </ActionButton>
      }
    />
  );
}
