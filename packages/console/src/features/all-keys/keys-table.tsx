import type { Key } from '@keyreeve/sdk';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useWords } from '../../i18n/words.tsx';
import { AccountName } from '../../ui/account-mark.tsx';
import { FullAccessMark, KeyState } from '../../ui/key-state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { ExpiresCell, IdCell, LastUsedCell } from '../keys/api-access-cells.tsx';
import { KeyAccess } from '../keys/key-access.tsx';
import type { KeyRequest } from '../keys/key-request.ts';
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
  const isWide = useMediaQuery(WIDE, undefined, { getInitialValueInEffect: false });
  return (
    <Table
      label={t('title')}
      columns={useKeyColumns(isWide)}
      rows={items}
      keyOf={(value) => value.id}
      sorting={{ sort, order: sort === 'expiresAt' ? 'asc' : 'desc' }}
      // The server lists by expiry in one direction only; a second click leads back to the newest.
      onSort={() => onSort(sort === 'expiresAt' ? 'createdAt' : 'expiresAt')}
      isDimmed={(value) => value.status === 'disabled'}
      actions={(value) => <KeyRowActions value={value} onRequest={onRequest} isMenu={!isWide} />}
      actionsHeader={t('actions')}
      actionsWidth={isWide ? '180px' : '58px'}
    />
  );
}

/** Narrower than that, what a key may do stands below its account, and its actions are in a menu. */
const WIDE = '(min-width: 84em)';

function useKeyColumns(isWide: boolean): readonly Column<Key>[] {
  const { t } = useWords(allKeysWords);
  const access: Column<Key> = {
    id: 'access',
    header: t('access'),
    width: '200px',
    cell: (value) => <KeyAccess value={value} />,
  };
  return [
    {
      id: 'key',
      header: t('key'),
      narrow: 'title',
      cell: (value) => (
        <>
          <Truncate text={value.comment} className={classes.comment ?? ''} />
          <IdCell value={value} />
        </>
      ),
    },
    {
      id: 'account',
      header: isWide ? t('account') : t('accountAndAccess'),
      width: isWide ? '176px' : '24%',
      cell: (value) => (
        <>
          <AccountLink value={value} />
          {!isWide && (
            <div className={`${classes.access} kr-small kr-secondary`}>
              <KeyAccess value={value} />
            </div>
          )}
        </>
      ),
    },
    ...(isWide ? [access] : []),
    {
      id: 'expires',
      header: t('expires'),
      sort: 'expiresAt',
      width: '116px',
      cell: (value) => (
        <div className="kr-nowrap">
          <ExpiresCell value={value} />
        </div>
      ),
    },
    {
      id: 'lastUsed',
      header: t('lastUsed'),
      width: '120px',
      cell: (value) => <LastUsedCell value={value} />,
    },
    {
      id: 'state',
      header: t('state'),
      width: '128px',
      narrow: 'aside',
      cell: (value) => <StateCell value={value} />,
    },
  ];
}

/** How often an expired key was called stands beside its last use; a long reason keeps the row as high as others. */
function StateCell({ value }: { readonly value: Key }) {
  return (
    <>
      <KeyState value={value} second={value.overlapEndsAt === null ? 'none' : 'below'} />
      {value.access === 'full' && <FullAccessMark />}
      {value.status === 'disabled' && value.disabledReason !== null && (
        <Truncate text={value.disabledReason} className="kr-small kr-dimmed" />
      )}
    </>
  );
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
