import { KeyreeveError } from '@keyreeve/sdk';
import { Badge, Button } from '@mantine/core';
import { IconDownload, IconPackageOff } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useWords } from '../../i18n/words.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { OwnersPanel } from './owners-panel.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';
import { packageQuery } from './packages-queries.ts';
import { PushKeysPanel } from './push-keys-panel.tsx';
import { VersionsPanel } from './versions-panel.tsx';

export function PackagePage() {
  const { t } = useWords(packagesWords);
  const { id } = useParams({ from: '/shell/packages/$id' });
  const query = useInfiniteQuery(packageQuery(id));
  const data = query.data?.pages[0];
  const crumb = { label: t('title'), to: '/packages' };
  if (data === undefined && query.isError) {
    const isGone = query.error instanceof KeyreeveError && query.error.status === 404;
    return (
      <Page title={id} crumb={crumb}>
        {isGone ? (
          <EmptyState icon={<IconPackageOff size={20} stroke={1.75} aria-hidden />} title={t('gone')} />
        ) : (
          <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
        )}
      </Page>
    );
  }
  if (data === undefined)
    return (
      <Page title={id} crumb={crumb}>
        <SkeletonRows />
      </Page>
    );
  return (
    <Page
      title={data.displayId}
      crumb={crumb}
      meta={
        <>
          {data.latestVersion !== null && <Badge>{data.latestVersion}</Badge>} {data.description}
        </>
      }
      actions={
        data.latestVersion !== null && (
          <Button
            component="a"
            variant="default"
            href={downloadUrl(data.id, data.latestVersion)}
            aria-label={t('downloadOf', { version: data.latestVersion })}
            leftSection={<IconDownload size={16} stroke={1.75} />}
          >
            {t('download')}
          </Button>
        )
      }
    >
      <div className={classes.columns}>
        <VersionsPanel
          value={data}
          versions={query.data?.pages.flatMap((page) => page.versions) ?? []}
          onMore={query.hasNextPage ? () => void query.fetchNextPage() : null}
          isReadingMore={query.isFetchingNextPage}
          moreError={query.isFetchNextPageError ? query.error : null}
        />
        <div className={classes.side}>
          <PushKeysPanel id={data.id} />
          <OwnersPanel value={data} />
        </div>
      </div>
    </Page>
  );
}

function downloadUrl(id: string, version: string): string {
  return `/api/v2/package/${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
}
