import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconLock, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useIsAdmin } from '../../api/session.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import type { ListSearch } from '../../ui/list-search.ts';
import { Page } from '../../ui/page.tsx';
import { SearchBox } from '../../ui/search-box.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { AccountList } from './account-list.tsx';
import { accountsWords } from './accounts.words.ts';
import { accountSummaryQuery } from './accounts-queries.ts';
import { CsvButton } from './csv-button.tsx';
import { ListFilters } from './list-filters.tsx';
import { changeSearch, readListState } from './list-state.ts';
import { NewUserDialog } from './new-user-dialog.tsx';

export function UsersPage() {
  return useIsAdmin() ? <Users /> : <AdminsOnly />;
}

function Users() {
  const { t, language } = useWords(accountsWords);
  const search = useSearch({ from: '/shell/users' });
  const navigate = useNavigate();
  const [isNewOpen, newUser] = useDisclosure(false);
  const state = readListState(search);
  const { data: summary } = useQuery(accountSummaryQuery('user', state.q));
  const change = (next: Partial<ListSearch>) =>
    // Each key of a search would be a step back of its own.
    void navigate({ to: '/users', search: changeSearch(search, next), replace: next.q !== undefined });
  const isCounted = state.q === '' && summary !== undefined;
  return (
    <Page
      title={t('users')}
      meta={isCounted ? formatNumber(summary.all, language) : undefined}
      actions={
        <>
          <SearchBox label={t('searchUsers')} value={state.q} onSearch={(q) => change({ q })} />
          <ActionButton leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />} onClick={newUser.open}>
            {t('newUser')}
          </ActionButton>
        </>
      }
    >
      <ListFilters kind="user" state={state} onChange={change}>
        <CsvButton kind="user" state={state} />
      </ListFilters>
      <AccountList kind="user" state={state} onChange={change} create={null} />
      <NewUserDialog isOpen={isNewOpen} onClose={newUser.close} />
    </Page>
  );
}

/** A direct visit of somebody who is no administrator; the navigation does not lead here. */
export function AdminsOnly() {
  const { t } = useWords(accountsWords);
  const navigate = useNavigate();
  return (
    <Page title={t('users')}>
      <EmptyState
        icon={<IconLock size={20} stroke={1.75} aria-hidden />}
        title={t('adminsOnly')}
        text={t('adminsOnlyText')}
        action={
          <Button variant="default" onClick={() => void navigate({ to: '/my-keys' })}>
            {t('toMyKeys')}
          </Button>
        }
      />
    </Page>
  );
}
