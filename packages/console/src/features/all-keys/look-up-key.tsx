import { type Key, KeyreeveError } from '@keyreeve/sdk';
import { Alert, Group } from '@mantine/core';
import { IconCircleMinus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { describeAgent } from '../../format/agent.ts';
import { useWords } from '../../i18n/words.tsx';
import { AccountName } from '../../ui/account-mark.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { CopyIcon } from '../../ui/copy-button.tsx';
import { FullAccessMark, KeyState } from '../../ui/key-state.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { Ago, Day } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { KeyAccess } from '../keys/key-access.tsx';
import { keyQuery } from '../keys/key-calls.ts';
import { KeyDialogs } from '../keys/key-dialogs.tsx';
import type { KeyRequest } from '../keys/key-request.ts';
import classes from './all-keys.module.css';
import { lookUpWords } from './look-up.words.ts';

/** The key that was found: whose it is, its state and last use; and how to stop it right here. */
export function LookUpKey(props: { readonly apiKey: string }) {
  const { t } = useWords(lookUpWords);
  const query = useQuery(keyQuery(props.apiKey));
  const [request, setRequest] = useState<KeyRequest | null>(null);
  const dialogs = <KeyDialogs request={request} onClose={() => setRequest(null)} />;
  if (query.error instanceof KeyreeveError && query.error.status === 404)
    return (
      <>
        <Alert color="gray" mt="sm">
          {t('gone')}
        </Alert>
        {dialogs}
      </>
    );
  // What is known of the key stays when asking again has failed: it may have to be stopped right now.
  if (query.data === undefined)
    return query.isError ? (
      <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <SkeletonRows rows={3} />
    );
  const value = query.data;
  return (
    <>
      <KeyFacts value={value} />
      <Group gap="xs" mt="md" justify="flex-end" role="group" aria-label={t('revoke')}>
        <span className={classes.revoke} aria-hidden>
          {t('revoke')}
        </span>
        {value.status !== 'disabled' && (
          <ActionButton
            variant="default"
            aria-label={t('disableOf', { name: value.comment })}
            leftSection={<IconCircleMinus size={16} stroke={1.75} aria-hidden />}
            onClick={() => setRequest({ kind: 'disable', key: value })}
          >
            {t('disable')}
          </ActionButton>
        )}
        <ActionButton
          color="red.7"
          aria-label={t('deleteOf', { name: value.comment })}
          leftSection={<IconTrash size={16} stroke={1.75} aria-hidden />}
          onClick={() => setRequest({ kind: 'delete', key: value })}
        >
          {t('delete')}
        </ActionButton>
      </Group>
      {dialogs}
    </>
  );
}

function KeyFacts({ value }: { readonly value: Key }) {
  const { t } = useWords(lookUpWords);
  const { comment, account, id, expiresAt, access } = value;
  return (
    <dl className={classes.facts}>
      <dt>{t('comment')}</dt>
      <dd>
        <bdi className={classes.strong}>{comment}</bdi>
      </dd>
      <dt>{t('account')}</dt>
      <dd>
        <AccountName name={account.displayName} kind={account.kind} />
      </dd>
      <dt>{t('key')}</dt>
      <dd className={classes.copyable}>
        <span className="kr-mono">{id}</span>
        <CopyIcon text={id} label={t('copyKey')} />
      </dd>
      <dt>{t('access')}</dt>
      <dd>
        <KeyAccess value={value} />
      </dd>
      <dt>{t('state')}</dt>
      <dd>
        <KeyState value={value} second="beside" /> {access === 'full' && <FullAccessMark />}
      </dd>
      <dt>{t('expires')}</dt>
      <dd>{expiresAt === null ? t('noExpiry') : <Day at={expiresAt} />}</dd>
      <dt>{t('lastUsed')}</dt>
      <dd>
        <LastUsed value={value} />
      </dd>
    </dl>
  );
}

function LastUsed({ value }: { readonly value: Key }) {
  const { t } = useWords(lookUpWords);
  const { lastUsedAt, lastUsedIp, lastUsedAgent } = value;
  if (lastUsedAt === null) return <span className="kr-dimmed">{t('never')}</span>;
  const agent = describeAgent(lastUsedAgent ?? '');
  return (
    <>
      <Ago at={lastUsedAt} />
      {lastUsedIp !== null && <div className="kr-small kr-dimmed">{t('usedFrom', { ip: lastUsedIp })}</div>}
      {agent !== '' && <Truncate text={agent} className="kr-small kr-dimmed" />}
    </>
  );
}
