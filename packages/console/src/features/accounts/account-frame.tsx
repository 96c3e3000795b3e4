import { KeyreeveError } from '@keyreeve/sdk';
import { Button } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { useSession } from '../../api/session.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { AccountState } from '../../ui/account-state.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { LeaveGuard } from '../../ui/leave-guard.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Page } from '../../ui/page.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { Ago } from '../../ui/time.tsx';
import { ApiAccessPanel } from '../keys/api-access-panel.tsx';
import { GalleryUsagePanel } from '../packages/gallery-usage-panel.tsx';
import { kindOf, setAccountState } from './account-actions.ts';
import { DeleteAccountDialog, DisableAccountDialog } from './account-dialogs.tsx';
import { AccountPageMenu } from './account-menu.tsx';
import classes from './account-page.module.css';
import { accountPageWords } from './account-page.words.ts';
import { type Account, type AccountKind, isUser, lastConnectedOf } from './accounts-queries.ts';
import { AccountConflict } from './conflict.tsx';
import { StatusPanel } from './status-panel.tsx';
import type { AccountEditor, AccountKit } from './use-account-editor.ts';

/** While the account is not there: being read, gone, or not readable. */
export function AccountMissing(props: {
  readonly kind: AccountKind;
  readonly error: unknown;
  readonly onRetry: () => void;
}) {
  const { kind, error } = props;
  const { t } = useWords(accountPageWords);
  const navigate = useNavigate();
  const list =
    kind === 'user'
      ? ({ label: t('users'), to: '/users', gone: t('goneUser'), back: t('toUsers') } as const)
      : ({
          label: t('serviceAccounts'),
          to: '/service-accounts',
          gone: t('goneService'),
          back: t('toServices'),
        } as const);
  const isGone = error instanceof KeyreeveError && error.status === 404;
  return (
    <Page title={isGone ? list.gone : list.label} crumb={{ label: list.label, to: list.to }}>
      {isGone ? (
        <EmptyState
          icon={<IconMapQuestion size={20} stroke={1.75} aria-hidden />}
          title={list.gone}
          text={t('goneText')}
          action={
            <Button variant="default" onClick={() => void navigate({ to: list.to })}>
              {list.back}
            </Button>
          }
        />
      ) : error === null ? (
        <SkeletonRows height={58} />
      ) : (
        <LoadFailed error={error} onRetry={props.onRetry} />
      )}
    </Page>
  );
}

/** Disabling asks for a reason, enabling needs no question; both are no part of the form. */
function useAccountState<A extends Account>(account: A, adopt: (before: A, after: A) => void) {
  const [isAsking, setAsking] = useState(false);
  const enable = useMutation({
    mutationFn: () => setAccountState(account, 'active', null),
    onSuccess: (saved) => adopt(account, saved as A),
    onError: notifyFailure,
  });
  return {
    onSwitch: (isActive: boolean) => (isActive ? enable.mutate() : setAsking(true)),
    dialog: (
      <DisableAccountDialog
        account={isAsking ? account : null}
        onClose={() => setAsking(false)}
        onDisabled={(saved) => adopt(account, saved as A)}
      />
    ),
    ask: () => setAsking(true),
  };
}

/** When the person came last; of a program, when one of its keys was used. */
function LastSign({ account }: { readonly account: Account }) {
  const { t } = useWords(accountPageWords);
  const at = lastConnectedOf(account);
  if (at === null && !isUser(account)) return null;
  return (
    <span className={classes.secondaryMeta}>
      {at === null ? (
        t('neverConnected')
      ) : (
        <Rich
          words={accountPageWords}
          k={isUser(account) ? 'connected' : 'lastCall'}
          parts={{ ago: <Ago at={at} /> }}
        />
      )}
    </span>
  );
}

function Meta(props: { readonly account: Account; readonly login: ReactNode; readonly role: string | null }) {
  const { account, login, role } = props;
  return (
    <span className={classes.meta}>
      <span>{login}</span>
      {role !== null && <span className={classes.secondaryMeta}>{role}</span>}
      <LastSign account={account} />
      {account.state === 'disabled' && (
        <span>
          <AccountState state="disabled" />
        </span>
      )}
    </span>
  );
}

interface AccountFrameProps<A extends Account, Values extends object> {
  readonly account: A;
  readonly editor: AccountEditor<A, Values>;
  readonly kit: AccountKit<A, Values>;
  readonly login: ReactNode;
  readonly role: string | null;
  /** May disable and delete it. */
  readonly isManaged: boolean;
  readonly information: ReactNode;
  readonly rights: ReactNode;
}

/** The page of an account of either kind: header with Save, API Access, then form and state, then rights. */
export function AccountFrame<A extends Account, Values extends object>(props: AccountFrameProps<A, Values>) {
  const { account, editor, kit } = props;
  const { t } = useWords(accountPageWords);
  const formId = useId();
  const [isDeleting, setDeleting] = useState(false);
  const state = useAccountState(account, editor.adopt);
  const leave = useLeave(account);
  const save = async (): Promise<boolean> => {
    const isSaved = await editor.save();
    if (isSaved) notifyDone(t('saved'));
    return isSaved;
  };
  const kind = kindOf(account);
  const crumb =
    kind === 'user'
      ? { label: t('users'), to: '/users' }
      : { label: t('serviceAccounts'), to: '/service-accounts' };
  const acts = { onSwitch: state.onSwitch, onDelete: () => setDeleting(true) };
  return (
    <Page
      title={account.displayName}
      crumb={crumb}
      meta={<Meta account={account} login={props.login} role={props.role} />}
      actions={
        <>
          <AccountPageMenu account={account} {...acts} />
          <ActionButton
            type="submit"
            form={formId}
            disabled={editor.changed.length === 0}
            loading={editor.isSaving}
          >
            {t('save')}
          </ActionButton>
        </>
      }
    >
      <div className={classes.stack}>
        <ApiAccessPanel account={{ ...account, kind, email: account.email }} />
        <AccountForm {...props} id={formId} onSave={() => void save()} {...acts} />
        <GalleryUsagePanel accountId={account.id} />
      </div>
      <DeleteAccountDialog
        account={isDeleting ? account : null}
        onClose={() => setDeleting(false)}
        onDeleted={leave}
        onDisable={state.ask}
      />
      {state.dialog}
      <AccountConflict editor={editor} kit={kit} />
      <LeaveGuard changeCount={editor.changed.length} isSaving={editor.isSaving} onSave={save} />
    </Page>
  );
}

function AccountForm<A extends Account, Values extends object>(
  props: AccountFrameProps<A, Values> & {
    readonly id: string;
    readonly onSave: () => void;
    readonly onSwitch: (isActive: boolean) => void;
    readonly onDelete: () => void;
  },
) {
  const { account, editor, isManaged } = props;
  const form = useFocusOnFault<HTMLFormElement>(editor.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (editor.changed.length > 0) props.onSave();
  };
  return (
    <form id={props.id} ref={form} onSubmit={submit} noValidate className={classes.stack}>
      <Refusal>{editor.faults.rest}</Refusal>
      <div className={isManaged ? classes.columns : classes.stack}>
        {props.information}
        {isManaged && <StatusPanel account={account} onSwitch={props.onSwitch} onDelete={props.onDelete} />}
      </div>
      {props.rights}
    </form>
  );
}

/** After the deletion: to the list, whatever was typed; of oneself: out. */
function useLeave(account: Account): () => void {
  const navigate = useNavigate();
  const { account: self } = useSession();
  const to = kindOf(account) === 'user' ? '/users' : '/service-accounts';
  return () => {
    if (account.id === self.id) globalThis.location.replace('/sign-in');
    else void navigate({ to, ignoreBlocker: true });
  };
}
