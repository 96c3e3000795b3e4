import type { GalleryVersionLine } from '@keyreeve/sdk';
import { Badge, Button } from '@mantine/core';
import { IconAlertTriangle, IconEye } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sayFault } from '../../errors/describe-error.ts';
import { formatBytes, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import { SkeletonRows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Recent } from '../../ui/time.tsx';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';
import { galleryVersionsQuery } from './gallery-queries.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

function useColumns(id: string, latestVersion: string | null): readonly Column<GalleryVersionLine>[] {
  const { t, language } = useWords(galleryWords);
  return [
    {
      id: 'version',
      header: t('version'),
      width: '34%',
      narrow: 'title',
      cell: (row) => (
        <span className={classes.version}>
          <Link
            to="/packages/$id/$version"
            params={{ id, version: row.version }}
            className={`${classes.versionLink} kr-mono`}
          >
            {row.version}
          </Link>
          {row.version === latestVersion && <Badge>{t('latestMark')}</Badge>}
          {row.isPrerelease && <Badge color="gray">{t('prerelease')}</Badge>}
        </span>
      ),
    },
    { id: 'published', header: t('published'), cell: (row) => <Recent at={row.publishedAt} /> },
    { id: 'size', header: t('size'), isNumeric: true, cell: (row) => formatBytes(row.sizeBytes, language) },
    {
      id: 'downloads',
      header: t('downloadsHead'),
      isNumeric: true,
      cell: (row) => formatNumber(row.downloads, language),
    },
    {
      id: 'state',
      header: t('state'),
      cell: (row) => (
        <span className={classes.state}>
          {row.deprecation === null ? (
            <IconEye {...ICON} className="kr-green" />
          ) : (
            <IconAlertTriangle {...ICON} className="kr-amber" />
          )}
          {t(row.deprecation === null ? 'listed' : 'deprecated')}
        </span>
      ),
    },
  ];
}

/** The versions that visitors find. */
export function ListedVersionsPanel(props: { readonly id: string; readonly latestVersion: string | null }) {
  const { t, language } = useWords(galleryWords);
  const query = useInfiniteQuery(galleryVersionsQuery(props.id));
  const columns = useColumns(props.id, props.latestVersion);
  const rows = query.data?.pages.flatMap(({ items }) => items) ?? [];
  const hasMore = query.hasNextPage || query.isError;
  return (
    <Panel title={t('versions')} isFlush>
      {query.isPending ? (
        <SkeletonRows rows={3} />
      ) : (
        <Table label={t('versions')} columns={columns} rows={rows} keyOf={({ version }) => version} />
      )}
      {!query.isPending && rows.length === 0 && !query.isError && (
        <p className={`${classes.more} kr-dimmed`}>{t('noneListed')}</p>
      )}
      {hasMore && (
        <div className={classes.more}>
          <div role="alert">{query.isError && sayFault(query.error, language)}</div>
          <Button
            variant="subtle"
            loading={query.isFetchingNextPage}
            onClick={() => void (query.data === undefined ? query.refetch() : query.fetchNextPage())}
          >
            {t('showMore')}
          </Button>
        </div>
      )}
    </Panel>
  );
}
