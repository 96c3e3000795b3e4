import { Alert, Button } from '@mantine/core';
import { IconCircleX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { formatInstant, formatRelative } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { notifyDone } from '../../ui/notify.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useNow } from '../../ui/use-now.ts';
import { Fault } from './dialog-fault.tsx';
import { enableKey, refreshKeys } from './key-calls.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';
import type { KeyDialogProps } from './key-request.ts';

/** Switches a key on again, after a look at why it was switched off. */
export function EnableKeyDialog({ value, isOpen, onClose }: KeyDialogProps) {
  const { t, language } = useWords(keyDialogsWords);
  const ui = useWords(uiWords);
  const now = useNow();
  const enable = useMutation({
    mutationFn: () => enableKey(value.id),
    onSuccess: async () => {
      notifyDone(t('enabled'));
      onClose();
      await refreshKeys();
    },
  });
  const { expiresAt, disabledAt, disabledReason } = value;
  const isExpired = expiresAt !== null && Date.parse(expiresAt) <= now;
  const ago = formatRelative(disabledAt ?? value.updatedAt, now, language);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={t('enableTitle', { name: value.comment })}
      actions={
        <>
          <Button variant="default" onClick={onClose}>
            {ui.t('cancel')}
          </Button>
          <ActionButton data-autofocus loading={enable.isPending} onClick={() => enable.mutate()}>
            {t('enable')}
          </ActionButton>
        </>
      }
    >
      <Fault error={enable.error} />
      {isExpired && (
        <Alert color="amber" mb="sm" icon={<IconCircleX size={18} stroke={1.75} aria-hidden />}>
          {t('enableExpired', { instant: formatInstant(expiresAt, language) })}
        </Alert>
      )}
      {!isExpired && (
        <p className={classes.text}>
          {expiresAt === null
            ? t('enableForever')
            : t('enableText', { instant: formatInstant(expiresAt, language) })}
        </p>
      )}
      <p className={classes.hint}>
        {disabledReason === null
          ? t('disabledSince', { ago })
          : t('disabledBecause', { ago, reason: disabledReason })}
      </p>
    </Dialog>
  );
}
