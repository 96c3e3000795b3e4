import { useMutation } from '@tanstack/react-query';
import { formatInstant } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { notifyDone } from '../../ui/notify.tsx';
import { Fault } from './dialog-fault.tsx';
import { endKeyOverlap, refreshKeys } from './key-calls.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';
import type { KeyDialogProps } from './key-request.ts';
import { LastUse } from './last-use.tsx';

/** Ends the life of the old secret of a regenerated key before its time. */
export function EndOverlapDialog({ value, isOpen, onClose }: KeyDialogProps) {
  const { t, language } = useWords(keyDialogsWords);
  const end = useMutation({
    mutationFn: () => endKeyOverlap(value.id),
    onSuccess: async () => {
      notifyDone(t('overlapEnded'));
      onClose();
      await refreshKeys();
    },
  });
  const instant = value.overlapEndsAt === null ? '' : formatInstant(value.overlapEndsAt, language);
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t('endOverlapTitle', { name: value.comment })}
      verb={t('endOverlap')}
      isBusy={end.isPending}
      onConfirm={() => end.mutate()}
    >
      <Fault error={end.error} />
      <p className={classes.text}>{t('endOverlapText', { instant })}</p>
      <p className={classes.hint}>
        <LastUse value={value} />
      </p>
    </ConfirmDialog>
  );
}
