import { IconPencil, IconTrash } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { memo, useMemo } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { type RowAction, RowActions } from '../../ui/row-actions.tsx';
import { type Sorting, Table } from '../../ui/table.tsx';
import { useGrowingRows } from '../../ui/use-growing-rows.ts';
import { useAccountColumns } from './account-columns.tsx';
import { accountsWords } from './accounts.words.ts';
import type { Account, AccountKind, AccountPage } from './accounts-queries.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

interface AccountsTableProps {
  readonly kind: AccountKind;
  readonly page: AccountPage;
  readonly onSort: (sorting: Sorting) => void;
  /** Null for people who may not delete. */
  readonly onDelete: ((account: Account) => void) | null;
}

function useOpenAccount(kind: AccountKind): (id: string) => void {
  const navigate = useNavigate();
  return useMemo(() => {
    const to = kind === 'user' ? '/users/$id' : '/service-accounts/$id';
    return (id: string) => void navigate({ to, params: { id } });
  }, [navigate, kind]);
}

/** The table of one page. Drawn anew only for another page: typing a search must not touch hundreds of rows. */
export const AccountsTable = memo(function AccountsTable(props: AccountsTableProps) {
  const { kind, page, onSort, onDelete } = props;
  const { t, language } = useWords(accountsWords);
  const open = useOpenAccount(kind);
  const columns = useAccountColumns(kind, page.query.q ?? '', open);
  const rows = useGrowingRows(JSON.stringify(page.query), page.items);
  const actions = useMemo(
    () => (account: Account) => {
      const name = account.displayName;
      const icons: RowAction[] = [
        {
          id: 'edit',
          label: t('editOf', { name }),
          short: t('edit'),
          icon: <IconPencil {...ICON} />,
          onClick: () => open(account.id),
        },
      ];
      if (onDelete !== null)
        icons.push({
          id: 'delete',
          label: t('deleteOf', { name }),
          short: t('delete'),
          icon: <IconTrash {...ICON} />,
          isDanger: true,
          onClick: () => onDelete(account),
        });
      return <RowActions actions={icons} label={name} />;
    },
    [open, onDelete, language],
  );
  return (
    <Table
      label={kind === 'user' ? t('users') : t('serviceAccounts')}
      columns={columns}
      rows={rows}
      keyOf={(account) => account.id}
      isDimmed={(account) => account.state === 'disabled'}
      sorting={{ sort: page.query.sort, order: page.query.order }}
      onSort={onSort}
      actions={actions}
      actionsHeader={t('actions')}
      actionsWidth="84px"
    />
  );
});
