import { Button, Switch } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useId } from 'react';
import { plainApi } from '../../api/client.ts';
import { useConnection } from '../../api/connection.ts';
import { consoleQuery } from '../../app/console-info.ts';
import { formatDate, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Panel } from '../../ui/panel.tsx';
import { kindOf } from './account-actions.ts';
import classes from './account-page.module.css';
import { accountPageWords } from './account-page.words.ts';
import { type Account, isUser } from './accounts-queries.ts';

function Entry(props: {
  readonly title: ReactNode;
  readonly hint: ReactNode;
  readonly hintId?: string;
  readonly children: ReactNode;
}) {
  return (
    <div className={classes.entry}>
      <div className={classes.entryText}>
        <div className={classes.entryTitle}>{props.title}</div>
        <div className={classes.entryHint} id={props.hintId}>
          {props.hint}
        </div>
      </div>
      {props.children}
    </div>
  );
}

/** Asks the server to mail a link with which the user sets a new password. */
export function useSendReset() {
  const { t } = useWords(accountPageWords);
  const { data: info } = useQuery(consoleQuery);
  return useMutation({
    mutationFn: (email: string) => plainApi.POST('/v1/password/request', { body: { email } }),
    onSuccess: (_answer, email) =>
      notifyDone(info?.hasSmtp === false ? t('resetKept', { email }) : t('resetSent', { email })),
    onError: notifyFailure,
  });
}

function ActiveEntry(props: { readonly account: Account; readonly onSwitch: (isActive: boolean) => void }) {
  const { account, onSwitch } = props;
  const { t, language } = useWords(accountPageWords);
  const { isOffline } = useConnection();
  const ids = { title: useId(), hint: useId() };
  const isOfUser = kindOf(account) === 'user';
  const isActive = account.state === 'active';
  const count = account.keys?.total ?? 0;
  const activeText = t(isOfUser ? 'activeUserText' : 'activeServiceText', {
    count,
    n: formatNumber(count, language),
  });
  return (
    <Entry
      title={<span id={ids.title}>{isOfUser ? t('userActive') : t('serviceActive')}</span>}
      hintId={ids.hint}
      hint={
        isActive ? (
          activeText
        ) : (
          <>
            {account.disabledReason !== null && (
              <div>
                <bdi>{t('disabledReason', { reason: account.disabledReason })}</bdi>
              </div>
            )}
            {isOfUser ? t('disabledUserText') : t('disabledServiceText')}
          </>
        )
      }
    >
      <Switch
        size="md"
        withThumbIndicator={false}
        aria-labelledby={ids.title}
        aria-describedby={ids.hint}
        checked={isActive}
        disabled={isOffline}
        onChange={(event) => onSwitch(event.currentTarget.checked)}
      />
    </Entry>
  );
}

/** What can be done with an account as a whole. Only for those who may. */
export function StatusPanel(props: {
  readonly account: Account;
  readonly onSwitch: (isActive: boolean) => void;
  readonly onDelete: () => void;
}) {
  const { account } = props;
  const { t, language } = useWords(accountPageWords);
  const reset = useSendReset();
  return (
    <Panel title={t('status')}>
      <ActiveEntry account={account} onSwitch={props.onSwitch} />
      {isUser(account) && (
        <Entry
          title={t('password')}
          hint={
            account.passwordChangedAt === null
              ? t('noPassword')
              : t('passwordChanged', { date: formatDate(account.passwordChangedAt, language) })
          }
        >
          <ActionButton
            variant="default"
            size="xs"
            loading={reset.isPending}
            onClick={() => reset.mutate(account.email)}
          >
            {t('sendReset')}
          </ActionButton>
        </Entry>
      )}
      <Entry
        title={isUser(account) ? t('deleteUser') : t('deleteService')}
        hint={isUser(account) ? t('deleteUserText') : t('deleteServiceText')}
      >
        <Button variant="subtle" color="red" size="xs" onClick={props.onDelete}>
          {t('deleteVerb')}
        </Button>
      </Entry>
    </Panel>
  );
}
