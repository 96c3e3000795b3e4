import { Button } from '@mantine/core';
import { IconDownload, IconHistory } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api } from '../../api/client.ts';
import { useIsAdmin } from '../../api/session.ts';
import { NotFoundPage } from '../../app/fault-pages.tsx';
import { sayFault } from '../../errors/describe-error.ts';
import { formatNumber, formatZone } from '../../format/dates.ts';
import { currentLanguage } from '../../i18n/i18n.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import type { ListSearch } from '../../ui/list-search.ts';
import { notifyProblem } from '../../ui/notify.tsx';
import { Page } from '../../ui/page.tsx';
import { SearchBox } from '../../ui/search-box.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import classes from './audit.module.css';
import { auditWords } from './audit.words.ts';
import { type ChangeFilters, Filters } from './audit-filters.tsx';
import {
  type AuditFilters,
  auditQuery,
  exportAddress,
  readAuditFilters,
  recentAccountsQuery,
} from './audit-queries.ts';
import { AuditTable } from './audit-table.tsx';
import type { KnownAccounts } from './entry-words.ts';

const MINUTE_MS = 60_000;
const NO_FILTERS: Readonly<Record<keyof AuditFilters, string>> = {
  q: '',
  action: '',
  actor: '',
  account: '',
  key: '',
  period: '',
  outcome: '',
};

export function AuditPage() {
  return useIsAdmin() ? <AuditLog /> : <NotFoundPage />;
}

function AuditLog() {
  const { t } = useWords(auditWords);
  const search = useSearch({ from: '/shell/audit' });
  const navigate = useNavigate();
  const filters = readAuditFilters(search);
  // Periods are counted back from when the page was opened, so that its pages fit together.
  const [openedAt] = useState(() => Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS);
  const { data: accounts } = useQuery(recentAccountsQuery);
  const known: KnownAccounts = useMemo(
    () => new Map((accounts ?? []).map((account) => [account.id, account])),
    [accounts],
  );
  const change: ChangeFilters = (next) => {
    const given = Object.entries({ ...search, ...next }).filter(([, value]) => value !== '');
    void navigate({ to: '/audit', search: Object.fromEntries(given) as ListSearch, replace: true });
  };
  return (
    <Page
      title={t('title')}
      actions={
        <>
          <SearchBox label={t('search')} value={filters.q} onSearch={(q) => change({ q })} />
          <ExportButton address={exportAddress(filters, openedAt)} />
        </>
      }
    >
      <Log filters={filters} openedAt={openedAt} known={known} onChange={change} />
    </Page>
  );
}

/**
 * The file is fetched by the browser, which would save a refusal as the file. So the session is asked for before:
 * one that has ended is asked for again, and another person's is refused.
 */
function ExportButton({ address }: { readonly address: string }) {
  const { t } = useWords(auditWords);
  const fetchFile = useMutation({
    mutationFn: async () => {
      await api.GET('/v1/session');
      const link = document.createElement('a');
      link.href = address;
      link.download = '';
      link.click();
    },
    onError: (error) => notifyProblem(sayFault(error, currentLanguage())),
  });
  return (
    <ActionButton
      variant="default"
      leftSection={<IconDownload size={16} stroke={1.75} />}
      loading={fetchFile.isPending}
      onClick={() => fetchFile.mutate()}
    >
      {t('exportCsv')}
    </ActionButton>
  );
}

function Log(props: {
  readonly filters: AuditFilters;
  readonly openedAt: number;
  readonly known: KnownAccounts;
  readonly onChange: ChangeFilters;
}) {
  const { filters, openedAt, known, onChange } = props;
  const { t, language } = useWords(auditWords);
  const log = useInfiniteQuery({ ...auditQuery(filters, openedAt), placeholderData: keepPreviousData });
  const entries = useMemo(() => log.data?.pages.flatMap(({ items }) => items) ?? [], [log.data]);
  const count = entries.length;
  const values = { count, number: formatNumber(count, language), zone: formatZone(openedAt, language) };
  return (
    <>
      <div className={classes.above}>
        <Filters filters={filters} onChange={onChange} known={known} />
        <p className={classes.count} role="status">
          {log.data !== undefined && count > 0 && t(log.hasNextPage ? 'eventsOpen' : 'events', values)}
        </p>
      </div>
      {log.isPending && (
        <div className={classes.frame}>
          <SkeletonRows height={58} rows={10} />
        </div>
      )}
      {log.isError && count === 0 && <LoadFailed error={log.error} onRetry={() => void log.refetch()} />}
      {count > 0 && (
        <div className={classes.frame} aria-busy={log.isPlaceholderData}>
          <AuditTable entries={entries} known={known} />
        </div>
      )}
      {log.data !== undefined && count === 0 && (
        <Nothing isOpen={log.hasNextPage} onClear={() => onChange(NO_FILTERS)} />
      )}
      {log.hasNextPage && (
        <div className={classes.older}>
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            {t(count === 0 ? 'searchOn' : 'older')}
          </Button>
        </div>
      )}
      {log.isFetchNextPageError && <LoadFailed error={log.error} onRetry={() => void log.fetchNextPage()} />}
    </>
  );
}

/** No event; a search through a long log may have stopped before it was through. */
function Nothing(props: { readonly isOpen: boolean; readonly onClear: () => void }) {
  const { t } = useWords(auditWords);
  return (
    <div className={classes.frame}>
      <EmptyState
        icon={<IconHistory size={20} stroke={1.75} aria-hidden />}
        title={t(props.isOpen ? 'nothingYet' : 'nothing')}
        text={t(props.isOpen ? 'nothingYetText' : 'nothingText')}
        action={
          <Button variant="default" onClick={props.onClear}>
            {t('clearFilters')}
          </Button>
        }
      />
    </div>
  );
}
