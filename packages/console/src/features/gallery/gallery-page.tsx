import type { GalleryPackage } from '@keyreeve/sdk';
import { Badge, Button, SegmentedControl } from '@mantine/core';
import { IconFilterOff, IconPackage } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { isSessionLost } from '../../api/client.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { Page } from '../../ui/page.tsx';
import { Pager, readRows } from '../../ui/pager.tsx';
import { SearchBox } from '../../ui/search-box.tsx';
import { EmptyState, LoadFailed, NothingFound, SkeletonRows } from '../../ui/states.tsx';
import { Recent } from '../../ui/time.tsx';
import { useShownPage } from '../../ui/use-shown-page.ts';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';
import { type GalleryListQuery, galleryListQuery } from './gallery-queries.ts';
import { PackageTile } from './package-tile.tsx';
import { SignInNeeded } from './sign-in-needed.tsx';

const KINDS = ['module', 'script'] as const;

/** The packages of the gallery for people without an account. */
export function GalleryPage() {
  const { t } = useWords(galleryWords);
  const search = useSearch({ from: '/shell/packages' });
  const navigate = useNavigate();
  const change = (next: Partial<ListSearch>) =>
    void navigate({ to: '/packages', search: { ...search, ...next }, replace: true });
  return (
    <Page
      title={t('title')}
      actions={<SearchBox label={t('search')} value={search.q ?? ''} onSearch={(q) => change({ q })} />}
    >
      <div className={classes.filters}>
        <SegmentedControl
          aria-label={t('kinds')}
          value={readKind(search.filter) ?? ''}
          onChange={(filter) => change({ filter })}
          data={[
            { value: '', label: t('allKinds') },
            { value: 'module', label: t('modules') },
            { value: 'script', label: t('scripts') },
          ]}
        />
      </div>
      <FoundPackages search={search} onChange={change} />
    </Page>
  );
}

function readKind(filter: string | undefined): GalleryListQuery['kind'] {
  return KINDS.find((kind) => kind === filter);
}

interface FoundPackagesProps {
  readonly search: ListSearch;
  readonly onChange: (next: Partial<ListSearch>) => void;
}

function FoundPackages(props: FoundPackagesProps) {
  const { search, onChange } = props;
  const { t } = useWords(galleryWords);
  const rows = readRows(search.rows);
  const q = search.q ?? '';
  const kind = readKind(search.filter);
  const pages = useCursorPages(JSON.stringify([q, kind, rows]));
  const query = useQuery({
    ...galleryListQuery({ q, kind, limit: rows, cursor: pages.cursor }),
    placeholderData: keepPreviousData,
  });
  const { page, index, from, turn } = useShownPage(query, pages, rows);
  if (query.isError && isSessionLost(query.error)) return <SignInNeeded />;
  if (page === undefined)
    return query.isError ? (
      <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <SkeletonRows height={84} />
    );
  const { items, nextCursor } = page;
  if (items.length === 0 && index === 0) return <NoPackages query={page.query} onChange={onChange} />;
  return (
    <>
      <ul className={classes.found} aria-label={t('title')}>
        {items.map((item) => (
          <FoundPackage key={item.id.toLowerCase()} value={item} />
        ))}
      </ul>
      <Pager
        from={from}
        count={items.length}
        total={null}
        rows={rows}
        onRows={(next) => onChange({ rows: next })}
        onPrevious={index === 0 ? null : turn(pages.back)}
        onNext={nextCursor === null ? null : turn(() => pages.forward(nextCursor))}
      />
    </>
  );
}

function FoundPackage({ value }: { readonly value: GalleryPackage }) {
  const { t, language } = useWords(galleryWords);
  const downloads = { count: value.totalDownloads, number: formatNumber(value.totalDownloads, language) };
  return (
    <li className={classes.foundItem}>
      <PackageTile id={value.id} iconVersion={value.hasIcon ? value.version : null} kind={value.kind} />
      <div>
        <div className={classes.foundHead}>
          <Link
            to="/packages/$id"
            params={{ id: value.id.toLowerCase() }}
            className={classes.foundLink ?? ''}
          >
            {value.id}
          </Link>
          <Badge color="gray">{value.version}</Badge>
        </div>
        <div className={classes.foundText} title={value.description} data-truncate dir="auto">
          {value.description}
        </div>
        <div className={`${classes.foundFacts} kr-dimmed kr-small`}>
          <bdi>{t('by', { authors: value.authors })}</bdi>
          <span>{t('downloads', downloads)}</span>
          <Recent at={value.publishedAt} />
        </div>
      </div>
    </li>
  );
}

function NoPackages(props: {
  readonly query: GalleryListQuery;
  readonly onChange: FoundPackagesProps['onChange'];
}) {
  const { query, onChange } = props;
  const { t } = useWords(galleryWords);
  const { q, kind } = query;
  if (q !== '')
    return (
      <NothingFound
        q={q}
        title={t('nothing', { q })}
        text={t('nothingText')}
        onClear={() => onChange({ q: '' })}
      />
    );
  if (kind !== undefined)
    return (
      <EmptyState
        icon={<IconFilterOff size={20} stroke={1.75} aria-hidden />}
        title={t('noneOfKind')}
        action={
          <Button variant="default" onClick={() => onChange({ filter: '' })}>
            {t('showAll')}
          </Button>
        }
      />
    );
  return (
    <EmptyState
      icon={<IconPackage size={20} stroke={1.75} aria-hidden />}
      title={t('emptyTitle')}
      text={t('emptyText')}
    />
  );
}
