import type { PackagePrefix } from '@keyreeve/sdk';
import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { isStale } from '../../api/is-stale.ts';
import type { Language } from '../../i18n/i18n.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import forms from '../accounts/forms.module.css';
import { AccountsField, type ChosenAccount } from './accounts-field.tsx';
import { prefixesWords } from './prefixes.words.ts';
import { changePrefix, reservePrefix } from './prefixes-queries.ts';

const FIELDS = ['pattern', 'accountIds'];
/** One prefix has one reservation, so the fault is that of the field. */
const FIELD_BY_CODE = { 'package.prefix_taken': 'pattern' };
const PATTERN_CHARACTERS_MAX = 101;

export interface PrefixDialogProps {
  /** `new`: ids are reserved; a reservation: its accounts are changed; null: the dialog is closed. */
  readonly subject: PackagePrefix | 'new' | null;
  readonly onClose: () => void;
}

/** Reserves ids, or says for whom they are reserved. */
export function PrefixDialog({ subject, onClose }: PrefixDialogProps) {
  useReturnFocus(subject !== null);
  if (subject === null) return null;
  return <PrefixForm prefix={subject === 'new' ? null : subject} onClose={onClose} />;
}

function namesOf(accounts: readonly ChosenAccount[], language: Language): string {
  return new Intl.ListFormat(language).format(accounts.map(({ displayName }) => displayName));
}

/** After a save of somebody else, what was chosen stays, and the next try goes on over what is stored by then. */
function PrefixForm(props: { readonly prefix: PackagePrefix | null; readonly onClose: () => void }) {
  const { prefix, onClose } = props;
  const { t, language } = useWords(prefixesWords);
  const { t: ui } = useWords(uiWords);
  const formId = useId();
  const [pattern, setPattern] = useState(prefix?.pattern ?? '');
  const [accounts, setAccounts] = useState<readonly ChosenAccount[]>(prefix?.accounts ?? []);
  const save = useMutation({
    mutationFn: async () => {
      const ids = accounts.map(({ id }) => id);
      if (prefix === null) await reservePrefix(pattern.trim(), ids);
      else await changePrefix(prefix, ids);
    },
    onSuccess: () => {
      notifyDone(t(prefix === null ? 'reserved' : 'changed', { pattern: pattern.trim() }));
      onClose();
    },
  });
  const { error } = save;
  const form = useFocusOnFault<HTMLFormElement>(error);
  const faults = readCodedFaults(error, language, FIELDS, FIELD_BY_CODE);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending && pattern.trim() !== '') save.mutate();
  };
  return (
    <Dialog
      isOpen
      onClose={save.isPending ? null : onClose}
      title={prefix === null ? t('reserve') : t('changeTitle', { pattern: prefix.pattern })}
      actions={
        <>
          <Button variant="default" disabled={save.isPending} onClick={onClose}>
            {ui('cancel')}
          </Button>
          <ActionButton type="submit" form={formId} loading={save.isPending} disabled={pattern.trim() === ''}>
            {prefix === null ? t('reserve') : ui('save')}
          </ActionButton>
        </>
      }
    >
      <form id={formId} ref={form} onSubmit={submit} noValidate className={forms.form}>
        <Refusal>
          {isStale(error)
            ? t('stale', { names: namesOf(prefix?.accounts ?? [], language) || t('nobody') })
            : faults.rest}
        </Refusal>
        {prefix === null && (
          <TextInput
            data-autofocus
            label={t('pattern')}
            description={t('patternHint')}
            placeholder="AzureRM.*"
            classNames={{ input: 'kr-mono' }}
            maxLength={PATTERN_CHARACTERS_MAX}
            autoComplete="off"
            spellCheck={false}
            value={pattern}
            error={asFieldError(faults.of('pattern'))}
            onChange={(event) => setPattern(event.currentTarget.value)}
          />
        )}
        <AccountsField value={accounts} error={faults.of('accountIds')} onChange={setAccounts} />
      </form>
    </Dialog>
  );
}
