import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useIsAdmin } from '../../api/session.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import type { ListSearch } from '../../ui/list-search.ts';
import { Page } from '../../ui/page.tsx';
import { SearchBox } from '../../ui/search-box.tsx';
import { AccountList } from './account-list.tsx';
import { accountsWords } from './accounts.words.ts';
import { accountSummaryQuery } from './accounts-queries.ts';
import { CsvButton } from './csv-button.tsx';
import { ListFilters } from './list-filters.tsx';
import { changeSearch, readListState } from './list-state.ts';
import { NewServiceAccountDialog } from './new-service-account-dialog.tsx';

/** Administrators see all of them, others those that they manage; the server sees to that. */
export function ServiceAccountsPage() {
  const { t, language } = useWords(accountsWords);
  const isAdmin = useIsAdmin();
  const search = useSearch({ from: '/shell/service-accounts' });
  const navigate = useNavigate();
  const [isNewOpen, newAccount] = useDisclosure(false);
  const state = readListState(search);
  const { data: summary } = useQuery(accountSummaryQuery('service', state.q));
  const change = (next: Partial<ListSearch>) =>
    void navigate({
      to: '/service-accounts',
      search: changeSearch(search, next),
      replace: next.q !== undefined,
    });
  const create = isAdmin && (
    <ActionButton leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />} onClick={newAccount.open}>
      {t('newService')}
    </ActionButton>
  );
  const isCounted = state.q === '' && summary !== undefined;
  const isEmpty = isCounted && summary.all === 0;
  return (
    <Page
      title={t('serviceAccounts')}
      meta={isCounted ? formatNumber(summary.all, language) : undefined}
      actions={
        <>
          <SearchBox label={t('searchServices')} value={state.q} onSearch={(q) => change({ q })} />
          {!isEmpty && create}
        </>
      }
    >
      {!isEmpty && (
        <ListFilters kind="service" state={state} onChange={change}>
          <CsvButton kind="service" state={state} />
        </ListFilters>
      )}
      <AccountList kind="service" state={state} onChange={change} create={create} />
      <NewServiceAccountDialog isOpen={isNewOpen} onClose={newAccount.close} />
    </Page>
  );
}
