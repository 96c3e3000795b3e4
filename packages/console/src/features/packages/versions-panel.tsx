import type { PackageDetail, PackageVersion } from '@keyreeve/sdk';
import { Badge, Button } from '@mantine/core';
import { IconAlertTriangle, IconEye, IconEyeOff } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { sayFault } from '../../errors/describe-error.ts';
import { formatBytes, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Panel } from '../../ui/panel.tsx';
import { RowActions } from '../../ui/row-actions.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Recent } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { DeprecateDialog } from './deprecate-dialog.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';
import { packageQuery } from './packages-queries.ts';
import { ListedState } from './packages-table.tsx';

interface Change {
  readonly version: string;
  readonly isListed: boolean;
}

/** Unlist and relist undo each other, so neither asks; the message offers the way back. */
function useListing(id: string) {
  const { t } = useWords(packagesWords);
  const change = useMutation({
    mutationFn: async ({ version, isListed }: Change) => {
      const params = { path: { id, version } };
      if (isListed) await api.POST('/v1/packages/{id}/versions/{version}/relist', { params });
      else await api.POST('/v1/packages/{id}/versions/{version}/unlist', { params });
    },
    onSuccess: async (_data, { version, isListed }) => {
      await queryClient.invalidateQueries({ queryKey: ['packages'] });
      notifyDone(t(isListed ? 'relistDone' : 'unlistDone', { version }), () =>
        change.mutate({ version, isListed: !isListed }),
      );
    },
    onError: notifyFailure,
  });
  return change;
}

function useColumns(value: PackageDetail): readonly Column<PackageVersion>[] {
  const { t, language } = useWords(packagesWords);
  return [
    {
      id: 'version',
      header: t('version'),
      width: '24%',
      narrow: 'title',
      cell: (row) => (
        <span className={classes.version}>
          <Link
            to="/packages/$id/$version"
            params={{ id: value.id, version: row.version }}
            className={`${classes.versionLink} kr-mono`}
          >
            {row.version}
          </Link>
          {row.version === value.latestVersion && <Badge>{t('latestMark')}</Badge>}
          {row.isPrerelease && <Badge color="gray">{t('prerelease')}</Badge>}
        </span>
      ),
    },
    {
      id: 'published',
      header: t('published'),
      width: '15%',
      cell: (row) => (
        <>
          <Recent at={row.pushedAt} />
          <div className="kr-dimmed kr-small">{formatBytes(row.sizeBytes, language)}</div>
        </>
      ),
    },
    { id: 'by', header: t('by'), width: '15%', cell: (row) => <Truncate text={row.pushedByName ?? '–'} /> },
    {
      id: 'downloads',
      header: t('downloads'),
      width: '15%',
      isNumeric: true,
      cell: (row) => formatNumber(row.downloads, language),
    },
    {
      id: 'state',
      header: t('state'),
      width: '15%',
      cell: (row) => (
        <>
          <ListedState isListed={row.listed} />
          {row.deprecation !== null && <Badge color="amber">{t('deprecated')}</Badge>}
        </>
      ),
    },
  ];
}

/** All versions for those who manage the package, last pushed first. */
export function VersionsPanel({ value }: { readonly value: PackageDetail }) {
  const { t, language } = useWords(packagesWords);
  const listing = useListing(value.id);
  const query = useInfiniteQuery(packageQuery(value.id));
  const columns = useColumns(value);
  const [deprecating, setDeprecating] = useState<PackageVersion | null>(null);
  const listingOf = ({ version, listed }: PackageVersion) => ({
    id: 'listing',
    label: t(listed ? 'unlistOf' : 'relistOf', { version }),
    short: t(listed ? 'unlist' : 'relist'),
    icon: listed ? <IconEyeOff size={16} stroke={1.75} /> : <IconEye size={16} stroke={1.75} />,
    onClick: () => listing.mutate({ version, isListed: !listed }),
  });
  const deprecationOf = (row: PackageVersion) => ({
    id: 'deprecation',
    label: t('deprecateOf', { version: row.version }),
    short: t('deprecate'),
    icon: <IconAlertTriangle size={16} stroke={1.75} />,
    onClick: () => setDeprecating(row),
  });
  return (
    <Panel
      title={t('versions')}
      description={t('versionsText', { total: value.versionCount, listed: value.listedVersionCount })}
      isFlush
    >
      <Table
        label={t('versions')}
        columns={columns}
        rows={query.data?.pages.flatMap(({ versions }) => versions) ?? []}
        keyOf={(row) => row.version}
        isDimmed={(row) => !row.listed}
        actions={(row) => <RowActions label={row.version} actions={[listingOf(row), deprecationOf(row)]} />}
        actionsHeader={`${t('unlist')} / ${t('relist')} / ${t('deprecate')}`}
      />
      <DeprecateDialog value={value} version={deprecating} onClose={() => setDeprecating(null)} />
      {query.hasNextPage && (
        <div className={classes.more}>
          <div role="alert">{query.isFetchNextPageError && sayFault(query.error, language)}</div>
          <Button
            variant="subtle"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {t('showMore')}
          </Button>
        </div>
      )}
    </Panel>
  );
}
