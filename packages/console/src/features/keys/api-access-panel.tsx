import type { Key } from '@keyreeve/sdk';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountKeysQuery } from '../../api/account-keys-query.ts';
import { daysLeft, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { KeyState } from '../../ui/key-state.tsx';
import { Panel } from '../../ui/panel.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { type Column, type Sorting, Table } from '../../ui/table.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { useNow } from '../../ui/use-now.ts';
import { apiAccessWords } from './api-access.words.ts';
import { AccessCell, ExpiresCell, IdCell, LastUsedCell } from './api-access-cells.tsx';
import classes from './api-access-panel.module.css';
import { CreateKeyDialog } from './create-key-dialog.tsx';
import { KeyDialogs } from './key-dialogs.tsx';
import type { KeyRequest } from './key-request.ts';
import { KeyRowActions } from './key-row-actions.tsx';

export interface ApiAccessPanelProps {
  /** Whose keys: a user or a service account. */
  readonly account: {
    readonly id: string;
    readonly kind: 'user' | 'service';
    readonly displayName: string;
    readonly email: string | null;
  };
}

/** The keys of one account: what they are, may, and need; and everything that can be done with them. */
export function ApiAccessPanel({ account }: ApiAccessPanelProps) {
  const { t } = useWords(apiAccessWords);
  const query = useQuery(accountKeysQuery(account.id));
  const [isCreateOpen, setCreateOpen] = useState(false);
  const [request, setRequest] = useState<KeyRequest | null>(null);
  const keys = query.data;
  const add = (
    <ActionButton
      className={classes.add}
      leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />}
      onClick={() => setCreateOpen(true)}
    >
      {t('addAccess')}
    </ActionButton>
  );
  const hasKeys = keys !== undefined && keys.length > 0;
  return (
    <Panel
      title={t('title')}
      isFlush
      {...(hasKeys ? { description: <Summary keys={keys} />, actions: add } : {})}
    >
      {query.isError && keys === undefined ? (
        <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
      ) : keys === undefined ? (
        <SkeletonRows rows={3} height={58} />
      ) : keys.length === 0 ? (
        <EmptyState
          icon={<IconKey size={20} stroke={1.75} aria-hidden />}
          title={t('emptyTitle')}
          text={t('emptyText')}
          action={add}
        />
      ) : (
        <KeysTable keys={keys} onRequest={setRequest} />
      )}
      <CreateKeyDialog
        account={account}
        isOpen={isCreateOpen}
        onClose={() => setCreateOpen(false)}
        // The dialog has told the lists; the new key comes with them.
        onCreated={() => void query.refetch()}
      />
      <KeyDialogs request={request} onClose={() => setRequest(null)} />
    </Panel>
  );
}

/** "6 keys · 1 expires in 6 days · 1 expired and still called" */
function Summary(props: { readonly keys: readonly Key[] }) {
  const { t, language } = useWords(apiAccessWords);
  const now = useNow();
  const number = (value: number) => formatNumber(value, language);
  const { keys } = props;
  const expiring = keys.filter((key) => key.status === 'expiring');
  const soonest = Math.min(...expiring.map((key) => Math.max(1, daysLeft(key.expiresAt ?? '', now))));
  const expired = keys.filter((key) => key.status === 'expired');
  const called = expired.filter((key) => key.refusedSinceExpiry > 0).length;
  const quiet = expired.length - called;
  return (
    <span className={classes.summary}>
      <span>{t('keyCount', { count: keys.length, n: number(keys.length) })}</span>
      {expiring.length > 0 && (
        <span className="kr-amber">
          {t(expiring.length === 1 ? 'expiresIn' : 'firstExpiresIn', {
            count: soonest,
            n: number(expiring.length),
          })}
        </span>
      )}
      {called > 0 && <span className="kr-red">{t('stillCalled', { n: number(called) })}</span>}
      {quiet > 0 && <span className="kr-red">{t('expired', { n: number(quiet) })}</span>}
    </span>
  );
}

const VALUES = {
  comment: (key: Key) => key.comment.toLocaleLowerCase(),
  // What never expires, and what was never used, stands last when ascending.
  expiresAt: (key: Key) => key.expiresAt ?? '~',
  lastUsedAt: (key: Key) => key.lastUsedAt ?? '~',
} as const;

function sortKeys(keys: readonly Key[], { sort, order }: Sorting): readonly Key[] {
  const valueOf = VALUES[sort as keyof typeof VALUES];
  const sorted = keys.toSorted((one, other) => {
    const [a, b] = [valueOf(one), valueOf(other)];
    return a < b ? -1 : a > b ? 1 : 0;
  });
  return order === 'asc' ? sorted : sorted.toReversed();
}

function useKeyColumns(): readonly Column<Key>[] {
  const { t } = useWords(apiAccessWords);
  return [
    {
      id: 'key',
      header: t('key'),
      width: '210px',
      narrow: 'aside',
      cell: (key) => <IdCell value={key} />,
    },
    {
      id: 'comment',
      header: t('comment'),
      sort: 'comment',
      narrow: 'title',
      cell: (key) => <Truncate text={key.comment} className={classes.comment ?? ''} />,
    },
    {
      id: 'access',
      header: t('access'),
      width: '17%',
      narrow: 'last',
      cell: (key) => <AccessCell value={key} />,
    },
    {
      id: 'expires',
      header: t('expires'),
      sort: 'expiresAt',
      width: '10%',
      cell: (key) => <ExpiresCell value={key} />,
    },
    {
      id: 'lastUsed',
      header: t('lastUsed'),
      sort: 'lastUsedAt',
      width: '11%',
      cell: (key) => <LastUsedCell value={key} />,
    },
    {
      id: 'state',
      header: t('state'),
      width: '10%',
      narrow: 'aside',
      // How often an expired key was called stands beside its last use.
      cell: (key) => <KeyState value={key} second={key.status === 'expired' ? 'none' : 'below'} />,
    },
  ];
}

function KeysTable(props: {
  readonly keys: readonly Key[];
  readonly onRequest: (request: KeyRequest) => void;
}) {
  const { t } = useWords(apiAccessWords);
  const [sorting, setSorting] = useState<Sorting>({ sort: 'expiresAt', order: 'asc' });
  return (
    <Table
      label={t('title')}
      columns={useKeyColumns()}
      rows={sortKeys(props.keys, sorting)}
      keyOf={(key) => key.id}
      isDimmed={(key) => key.status === 'disabled'}
      sorting={sorting}
      onSort={setSorting}
      actions={(key) => <KeyRowActions value={key} onRequest={props.onRequest} />}
      actionsHeader={t('actions')}
      actionsWidth="182px"
    />
  );
}
