import type { Key } from '@keyreeve/sdk';
import { Link } from '@tanstack/react-router';
import { useWords } from '../../i18n/words.tsx';
import { AccountName } from '../../ui/account-mark.tsx';
import { KeyState } from '../../ui/key-state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { AccessCell, ExpiresCell, IdCell, LastUsedCell } from '../keys/api-access-cells.tsx';
import type { KeyRequest } from '../keys/key-dialogs.tsx';
import { KeyRowActions } from '../keys/key-row-actions.tsx';
import classes from './all-keys.module.css';
import { allKeysWords } from './all-keys.words.ts';
import type { KeySort } from './all-keys-query.ts';

export function KeysTable(props: {
  readonly items: readonly Key[];
  readonly sort: KeySort;
  readonly onSort: (sort: KeySort) => void;
  readonly onRequest: (request: KeyRequest) => void;
}) {
  const { items, sort, onSort, onRequest } = props;
  const { t } = useWords(allKeysWords);
  return (
    <Table
      label={t('title')}
      columns={useKeyColumns()}
      rows={items}
      keyOf={(value) => value.id}
      sorting={{ sort, order: sort === 'expiresAt' ? 'asc' : 'desc' }}
      // The server lists by expiry in one direction only; a second click leads back to the newest.
      onSort={() => onSort(sort === 'expiresAt' ? 'createdAt' : 'expiresAt')}
      isDimmed={(value) => value.status === 'disabled'}
      actions={(value) => <KeyRowActions value={value} onRequest={onRequest} />}
      actionsHeader={t('actions')}
      actionsWidth="152px"
    />
  );
}

function useKeyColumns(): readonly Column<Key>[] {
  const { t } = useWords(allKeysWords);
  return [
    {
      id: 'key',
      header: t('key'),
      width: '220px',
      narrow: 'aside',
      cell: (value) => <IdCell value={value} />,
    },
    {
      id: 'comment',
      header: t('comment'),
      narrow: 'title',
      cell: (value) => <Truncate text={value.comment} className={classes.comment ?? ''} />,
    },
    {
      id: 'account',
      header: t('account'),
      width: '16%',
      cell: (value) => <AccountLink value={value} />,
    },
    { id: 'access', header: t('access'), width: '16%', cell: (value) => <AccessCell value={value} /> },
    {
      id: 'expires',
      header: t('expires'),
      sort: 'expiresAt',
      width: '10%',
      cell: (value) => <ExpiresCell value={value} />,
    },
    {
      id: 'lastUsed',
      header: t('lastUsed'),
      width: '11%',
      cell: (value) => <LastUsedCell value={value} />,
    },
    {
      id: 'state',
      header: t('state'),
      width: '11%',
      narrow: 'aside',
      // How often an expired key was called stands beside its last use.
      cell: (value) => <KeyState value={value} second={value.status === 'expired' ? 'none' : 'below'} />,
    },
  ];
}

function AccountLink({ value }: { readonly value: Key }) {
  const { id, kind, displayName } = value.account;
  return (
    <Link
      className={classes.account}
      to={kind === 'user' ? '/users/$id' : '/service-accounts/$id'}
      params={{ id }}
    >
      <AccountName name={displayName} kind={kind} />
    </Link>
  );
}
