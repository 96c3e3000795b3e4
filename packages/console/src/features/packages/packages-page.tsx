import { Button, SegmentedControl } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconFilterOff, IconPackage, IconPackageImport, IconTerminal2 } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useSignedIn } from '../../api/session.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { Page } from '../../ui/page.tsx';
import { Pager, readRows } from '../../ui/pager.tsx';
import { SearchBox } from '../../ui/search-box.tsx';
import { EmptyState, LoadFailed, NothingFound, SkeletonRows } from '../../ui/states.tsx';
import { useShownPage } from '../../ui/use-shown-page.ts';
import { GalleryPage } from '../gallery/gallery-page.tsx';
import { pushCheckWords } from '../push-check/push-check.words.ts';
import { PushCheckDialog } from '../push-check/push-check-dialog.tsx';
import { HowToPush } from './how-to-push.tsx';
import { IncomingRequests } from './owner-requests.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';
import { type PackageListQuery, packagesQuery, packagesSummaryQuery } from './packages-queries.ts';
import { PackagesTable } from './packages-table.tsx';
import { PackagesTabs } from './packages-tabs.tsx';

const LISTINGS = ['listed', 'unlisted', 'any'] as const;
type Listing = (typeof LISTINGS)[number];

function readListing(filter: string | undefined): Listing {
  return LISTINGS.find((listing) => listing === filter) ?? 'any';
}

/** Visitors search the gallery; people with an account see here what they manage as well. */
export function PackagesPage() {
  return useSignedIn() === null ? <GalleryPage /> : <ManagedPackages />;
}

function ManagedPackages() {
  const { t, language } = useWords(packagesWords);
  const search = useSearch({ from: '/shell/packages' });
  const navigate = useNavigate();
  const { t: tCheck } = useWords(pushCheckWords);
  const [isHelpOpen, help] = useDisclosure(false);
  const [isChecking, checking] = useDisclosure(false);
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
            leftSection={<IconPackageImport size={16} stroke={1.75} />}
            onClick={checking.open}
          >
            {tCheck('open')}
          </Button>
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
      <PackagesTabs />
      <IncomingRequests />
      <div className={classes.filters}>
        <SegmentedControl
          aria-label={t('whose')}
          value={search.account === 'all' ? 'all' : 'mine'}
          onChange={(value) => change({ account: value === 'all' ? 'all' : '' })}
          data={(['mine', 'all'] as const).map((whose) => ({
            value: whose,
            label: `${t(whose)} ${summary === undefined ? '' : formatNumber(summary[whose], language)}`,
          }))}
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
      <PushCheckDialog isOpen={isChecking} onClose={checking.close} />
    </Page>
  );
}

interface PackageListProps {
  readonly search: ListSearch;
  readonly onChange: (next: Partial<ListSearch>) => void;
  readonly onHelp: () => void;
}

function PackageList(props: PackageListProps) {
  const { search, onChange } = props;
  const rows = readRows(search.rows);
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
  const { page, index, from, turn } = useShownPage(query, pages, rows);
  if (page === undefined)
    return query.isError ? (
      <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <SkeletonRows height={58} />
    );
  const { items, nextCursor } = page;
  if (items.length === 0 && index === 0)
    return <NoPackages {...props} query={page.query} hasOthers={(summary?.all ?? 0) > 0} />;
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
        from={from}
        count={items.length}
        total={total}
        rows={rows}
        onRows={(next) => onChange({ rows: next })}
        onPrevious={index === 0 ? null : turn(pages.back)}
        onNext={nextCursor === null ? null : turn(() => pages.forward(nextCursor))}
      />
    </>
  );
}

/** Says of which question there is no answer: that of the page, which may be older than what is chosen by now. */
function NoPackages(
  props: PackageListProps & {
    readonly query: PackageListQuery;
    /** There are packages of somebody else. */
    readonly hasOthers: boolean;
  },
) {
  const { query, onChange } = props;
  const { t } = useWords(packagesWords);
  const { q = '', listed } = query;
  if (q !== '')
    return (
      <NothingFound
        q={q}
        title={t('nothing', { q })}
        text={t('nothingText')}
        onClear={() => onChange({ q: '' })}
      />
    );
  if (listed !== 'any')
    return (
      <EmptyState
        icon={<IconFilterOff size={20} stroke={1.75} aria-hidden />}
        title={t(listed === 'listed' ? 'noneListed' : 'noneUnlisted')}
        action={
          <Button variant="default" onClick={() => onChange({ filter: '' })}>
            {t('showBoth')}
          </Button>
        }
      />
    );
  const ownsNone = query.mine === true && props.hasOthers;
  return (
    <EmptyState
      icon={<IconPackage size={20} stroke={1.75} aria-hidden />}
      title={t(ownsNone ? 'noneOwned' : 'emptyTitle')}
      text={t('emptyText')}
      action={<Button onClick={props.onHelp}>{t('howToPush')}</Button>}
    />
  );
}
