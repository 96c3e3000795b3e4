import { Button, SegmentedControl } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPackage, IconTerminal2 } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { SearchBox } from '../../ui/search-box.tsx';
import { EmptyState, LoadFailed, NothingFound, SkeletonRows } from '../../ui/states.tsx';
import { HowToPush } from './how-to-push.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';
import { packagesQuery, packagesSummaryQuery } from './packages-queries.ts';
import { PackagesTable } from './packages-table.tsx';

const ROWS_DEFAULT = 50;
const LISTINGS = ['listed', 'unlisted', 'any'] as const;
type Listing = (typeof LISTINGS)[number];

function readListing(filter: string | undefined): Listing {
  return LISTINGS.find((listing) => listing === filter) ?? 'any';
}

export function PackagesPage() {
  const { t, language } = useWords(packagesWords);
  const search = useSearch({ from: '/shell/packages' });
  const navigate = useNavigate();
  const [isHelpOpen, help] = useDisclosure(false);
  const change = (next: Partial<ListSearch>) =>
    void navigate({ to: '/packages', search: { ...search, ...next }, replace: true });
  const { data: summary } = useQuery(packagesSummaryQuery(search.q));
  return (
    <Page
      title={t('title')}
      meta={summary === undefined ? undefined : t('owned', { count: summary.mine })}
      actions={
        <>
          <SearchBox label={t('search')} value={search.q ?? ''} onSearch={(q) => change({ q })} />
          <Button
            variant="default"
            leftSection={<IconTerminal2 size={16} stroke={1.75} />}
            onClick={help.open}
          >
            {t('howToPush')}
          </Button>
        </>
      }
    >
      <div className={classes.filters}>
        <SegmentedControl
          aria-label={t('whose')}
          value={search.account === 'all' ? 'all' : 'mine'}
          onChange={(value) => change({ account: value === 'all' ? 'all' : '' })}
          data={[
            { value: 'mine', label: `${t('mine')} ${formatNumber(summary?.mine ?? 0, language)}` },
            { value: 'all', label: `${t('all')} ${formatNumber(summary?.all ?? 0, language)}` },
          ]}
        />
        <SegmentedControl
          aria-label={t('listing')}
          value={readListing(search.filter)}
          onChange={(filter) => change({ filter })}
          data={[
            { value: 'listed', label: t('listed') },
            { value: 'unlisted', label: t('unlisted') },
            { value: 'any', label: t('both') },
          ]}
        />
      </div>
      <PackageList search={search} onChange={change} onHelp={help.open} />
      <HowToPush isOpen={isHelpOpen} onClose={help.close} />
    </Page>
  );
}

function PackageList(props: {
  readonly search: ListSearch;
  readonly onChange: (next: Partial<ListSearch>) => void;
  readonly onHelp: () => void;
}) {
  const { search, onChange } = props;
  const { t } = useWords(packagesWords);
  const rows = search.rows ?? ROWS_DEFAULT;
  const isAll = search.account === 'all';
  const listed = readListing(search.filter);
  const sort = search.sort === 'pushedAt' ? 'pushedAt' : 'name';
  const pages = useCursorPages(JSON.stringify([search.q, isAll, listed, sort, rows]));
  const mine = isAll ? undefined : (true as const);
  const query = useQuery({
    ...packagesQuery({ q: search.q, mine, listed, sort, limit: rows, cursor: pages.cursor }),
    placeholderData: keepPreviousData,
  });
  const { data: summary } = useQuery(packagesSummaryQuery(search.q));
  if (query.isError) return <LoadFailed error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <SkeletonRows height={58} />;
  const { items, nextCursor } = query.data;
  if (items.length === 0 && pages.index === 0) {
    if (search.q !== undefined && search.q !== '')
      return (
        <NothingFound
          q={search.q}
          title={t('nothing', { q: search.q })}
          text={t('nothingText')}
          onClear={() => onChange({ q: '' })}
        />
      );
    return (
      <EmptyState
        icon={<IconPackage size={20} stroke={1.75} aria-hidden />}
        title={t('emptyTitle')}
        text={t('emptyText')}
        action={<Button onClick={props.onHelp}>{t('howToPush')}</Button>}
      />
    );
  }
  const total = listed === 'any' ? ((isAll ? summary?.all : summary?.mine) ?? null) : null;
  return (
    <>
      <div className={classes.frame}>
        <PackagesTable
          items={items}
          q={search.q ?? ''}
          sort={sort}
          onSort={(next) => onChange({ sort: next })}
        />
      </div>
      <Pager
        from={pages.index * rows + 1}
        count={items.length}
        total={total}
        rows={rows}
        onRows={(next) => onChange({ rows: next })}
        onPrevious={pages.index === 0 ? null : pages.back}
        onNext={nextCursor === null ? null : () => pages.forward(nextCursor)}
      />
    </>
  );
}
