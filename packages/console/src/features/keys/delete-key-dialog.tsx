import { Alert, Button } from '@mantine/core';
import { IconActivityHeartbeat, IconAlertTriangle, IconCircleMinus } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useConnection } from '../../api/connection.ts';
import { useWords } from '../../i18n/words.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { notifyDone } from '../../ui/notify.tsx';
import { Fault } from './dialog-fault.tsx';
import { deleteKey, disableKey, refreshKeys } from './key-calls.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';
import { isWorking } from './key-facts.ts';
import { KeyInUse } from './key-in-use.tsx';
import type { KeyDialogProps } from './key-request.ts';
import { OfflineTokens } from './offline-tokens.tsx';

/** Names the key and who would notice; the reversible way stands far left. */
export function DeleteKeyDialog({ value, isOpen, onClose }: KeyDialogProps) {
  const { t } = useWords(keyDialogsWords);
  const { isOffline } = useConnection();
  const done = async () => {
    onClose();
    await refreshKeys();
  };
  const remove = useMutation({
    mutationFn: () => deleteKey(value.id),
    onSuccess: async () => {
      notifyDone(t('deleted'));
      await done();
    },
  });
  const disable = useMutation({ mutationFn: () => disableKey(value.id, ''), onSuccess: done });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t('deleteTitle', { name: value.comment })}
      verb={t('deleteKey')}
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate()}
      softer={
        value.status !== 'disabled' && (
          <Button
            variant="subtle"
            color="gray"
            leftSection={<IconCircleMinus size={16} stroke={1.75} aria-hidden />}
            disabled={isOffline}
            loading={disable.isPending}
            onClick={() => disable.mutate()}
          >
            {t('disableInstead')}
          </Button>
        )
      }
    >
      <Fault error={remove.error ?? disable.error} />
      <KeyInUse value={value} icon={<IconActivityHeartbeat size={18} stroke={1.75} aria-hidden />} />
      {value.access === 'full' && (
        <Alert color="amber" mb="sm" icon={<IconAlertTriangle size={18} stroke={1.75} aria-hidden />}>
          {t('deleteLegacy')}
        </Alert>
      )}
      <p className={classes.text}>{isWorking(value) ? t('deleteText') : t('deleteStopped')}</p>
      {isWorking(value) && <OfflineTokens />}
    </ConfirmDialog>
  );
}
