import { Button, TextInput } from '@mantine/core';
import { IconActivityHeartbeat } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { uiWords } from '../../ui/ui.words.ts';
import { Fault } from './dialog-fault.tsx';
import { disableKey, refreshKeys } from './key-calls.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';
import { KeyInUse } from './key-in-use.tsx';
import { REASON_CHARACTERS_MAX } from './key-limits.ts';
import type { KeyDialogProps } from './key-request.ts';

/** Switches a key off; the message that follows offers the way back. */
export function DisableKeyDialog({ value, isOpen, onClose }: KeyDialogProps) {
  const { t, language } = useWords(keyDialogsWords);
  const ui = useWords(uiWords);
  const formId = useId();
  const [reason, setReason] = useState('');
  const disable = useMutation({
    mutationFn: () => disableKey(value.id, reason.trim()),
    onSuccess: async () => {
      onClose();
      await refreshKeys();
    },
  });
  const faults = readFaults(disable.error, language, ['reason']);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!disable.isPending) disable.mutate();
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={t('disableTitle', { name: value.comment })}
      actions={
        <>
          <Button variant="default" onClick={onClose}>
            {ui.t('cancel')}
          </Button>
          <ActionButton type="submit" form={formId} loading={disable.isPending}>
            {t('disable')}
          </ActionButton>
        </>
      }
    >
      <form id={formId} onSubmit={submit}>
        <Fault error={faults.rest === null ? null : disable.error} />
        <KeyInUse value={value} icon={<IconActivityHeartbeat size={18} stroke={1.75} aria-hidden />} />
        <p className={classes.text}>{t('disableText')}</p>
        <TextInput
          mt="md"
          data-autofocus
          autoComplete="off"
          maxLength={REASON_CHARACTERS_MAX}
          label={
            <>
              {t('reason')} <span className="kr-dimmed">{t('optional')}</span>
            </>
          }
          description={t('reasonHint')}
          error={faults.of('reason')}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      </form>
    </Dialog>
  );
}
