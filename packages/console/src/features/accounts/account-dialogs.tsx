import { KeyreeveError } from '@keyreeve/sdk';
import { Button, TextInput } from '@mantine/core';
import { IconCircleMinus } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { kindOf, setAccountState } from './account-actions.ts';
import { accountsWords } from './accounts.words.ts';
import { type Account, deleteAccount } from './accounts-queries.ts';

const NAMED_PACKAGES_MAX = 5;

/** Names of packages that only the account owns, from a refusal to delete it. */
function readSolePackages(error: unknown): readonly string[] {
  const packages: unknown = error instanceof KeyreeveError ? error.problem?.['packages'] : undefined;
  return Array.isArray(packages) ? packages.filter((name) => typeof name === 'string') : [];
}

function DeletionRefusal(props: { readonly error: unknown }) {
  const { t, language } = useWords(accountsWords);
  const { rest } = readFaults(props.error, language, []);
  const packages = readSolePackages(props.error);
  if (rest === null) return null;
  return (
    <Refusal mt="md">
      {rest}
      {packages.length > 0 && (
        <>
          <p>{t('solePackages')}</p>
          <ul>
            {packages.slice(0, NAMED_PACKAGES_MAX).map((name) => (
              <li key={name} className="kr-mono">
                {name}
              </li>
            ))}
            {packages.length > NAMED_PACKAGES_MAX && (
              <li>{t('andMore', { count: packages.length - NAMED_PACKAGES_MAX })}</li>
            )}
          </ul>
        </>
      )}
    </Refusal>
  );
}

/** Deletes an account once its name has been typed. `account` null: closed. */
export function DeleteAccountDialog(props: {
  readonly account: Account | null;
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
  /** Offered instead while the account is active. */
  readonly onDisable: (account: Account) => void;
}) {
  const { account } = props;
  useReturnFocus(account !== null);
  if (account === null) return null;
  return <OpenDeleteDialog key={account.id} {...props} account={account} />;
}

function OpenDeleteDialog(props: {
  readonly account: Account;
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
  readonly onDisable: (account: Account) => void;
}) {
  const { account, onClose, onDeleted, onDisable } = props;
  const { t, language } = useWords(accountsWords);
  const kind = kindOf(account);
  const name = account.displayName;
  const remove = useMutation({
    mutationFn: () => deleteAccount(kind, account.id),
    onSuccess: () => {
      notifyDone(t('deleted', { name }));
      onClose();
      onDeleted?.();
    },
  });
  const count = account.keys?.total ?? 0;
  const text = kind === 'user' ? 'deleteUserText' : 'deleteServiceText';
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={t('deleteTitle', { name })}
      verb={kind === 'user' ? t('deleteUser') : t('deleteService')}
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate()}
      typedName={name}
      softer={
        account.state === 'active' && (
          <Button
            variant="subtle"
            color="gray"
            leftSection={<IconCircleMinus size={16} stroke={1.75} aria-hidden />}
            onClick={() => {
              onClose();
              onDisable(account);
            }}
          >
            {t('disableInstead')}
          </Button>
        )
      }
    >
      <p>{t(text, { count, n: formatNumber(count, language) })}</p>
      <p className="kr-dimmed kr-small">{t('auditStays')}</p>
      <DeletionRefusal error={remove.error} />
    </ConfirmDialog>
  );
}

/** Disables an account, with a reason if there is one. `account` null: closed. */
export function DisableAccountDialog(props: {
  readonly account: Account | null;
  readonly onClose: () => void;
  readonly onDisabled?: (account: Account) => void;
}) {
  const { account } = props;
  useReturnFocus(account !== null);
  if (account === null) return null;
  return <OpenDisableDialog key={account.id} {...props} account={account} />;
}

function OpenDisableDialog(props: {
  readonly account: Account;
  readonly onClose: () => void;
  readonly onDisabled?: (account: Account) => void;
}) {
  const { account, onClose, onDisabled } = props;
  const { t, language } = useWords(accountsWords);
  const { t: tUi } = useWords(uiWords);
  const formId = useId();
  const [reason, setReason] = useState('');
  const disable = useMutation({
    mutationFn: () => setAccountState(account, 'disabled', reason.trim() === '' ? null : reason.trim()),
    onSuccess: (saved) => {
      onClose();
      onDisabled?.(saved);
    },
  });
  const faults = readFaults(disable.error, language, ['disabledReason']);
  const count = account.keys?.total ?? 0;
  const text = kindOf(account) === 'user' ? 'disableUserText' : 'disableServiceText';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    disable.mutate();
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t('disableTitle', { name: account.displayName })}
      actions={
        <>
          <Button variant="default" onClick={onClose}>
            {tUi('cancel')}
          </Button>
          <ActionButton type="submit" form={formId} loading={disable.isPending}>
            {t('disable')}
          </ActionButton>
        </>
      }
    >
      <form id={formId} onSubmit={submit}>
        <p>{t(text, { count, n: formatNumber(count, language) })}</p>
        <TextInput
          mt="md"
          data-autofocus
          label={t('reason')}
          description={t('reasonHint')}
          maxLength={256}
          value={reason}
          error={asFieldError(faults.of('disabledReason'))}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Refusal mt="md">{faults.rest}</Refusal>
      </form>
    </Dialog>
  );
}
