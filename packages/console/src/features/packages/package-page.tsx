import type { GalleryVersion, PackageDetail } from '@keyreeve/sdk';
import { KeyreeveError } from '@keyreeve/sdk';
import { Badge, Button } from '@mantine/core';
import { IconDownload, IconPackageOff } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { isSessionLost } from '../../api/client.ts';
import { useSignedIn } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { ContentsPanel, DependenciesPanel } from '../gallery/contents-panel.tsx';
import { FactsPanel, OwnerNames } from '../gallery/facts-panel.tsx';
import classes from '../gallery/gallery.module.css';
import { galleryWords } from '../gallery/gallery.words.ts';
import { galleryVersionQuery } from '../gallery/gallery-queries.ts';
import { InstallPanel } from '../gallery/install-panel.tsx';
import { ListedVersionsPanel } from '../gallery/listed-versions-panel.tsx';
import { VersionNotes } from '../gallery/notes.tsx';
import { PackageTile } from '../gallery/package-tile.tsx';
import { ReadmePanel } from '../gallery/readme-panel.tsx';
import { SignInNeeded } from '../gallery/sign-in-needed.tsx';
import { TextPanel } from '../gallery/text-panel.tsx';
import { IncomingRequests } from './owner-requests.tsx';
import { OwnersPanel } from './owners-panel.tsx';
import { packageQuery } from './packages-queries.ts';
import { PushKeysPanel } from './push-keys-panel.tsx';
import { VersionsPanel } from './versions-panel.tsx';

/** How much of a description stands beside the title; a longer one has a panel of its own. */
const SHORT_CHARACTERS = 80;

function isGone(error: unknown): boolean {
  return error instanceof KeyreeveError && error.status === 404;
}

/** The package as its managers see it, or null for everybody else. */
function useManaged(id: string) {
  const signedIn = useSignedIn();
  const query = useInfiniteQuery({ ...packageQuery(id), enabled: signedIn !== null });
  const detail = query.data?.pages[0] ?? null;
  const isManager =
    signedIn !== null &&
    detail !== null &&
    (signedIn.account.role === 'admin' ||
      detail.owners.some((owner) => owner === signedIn.account.id || signedIn.managedIds.includes(owner)));
  return {
    managed: isManager ? detail : null,
    isSettled: signedIn === null || detail !== null || query.isError,
  };
}

/**
 * A package, at its latest version or at the one of the address: what everybody may know of it and, for those who
 * manage it, what they do with it. An owner need not be allowed to read; he sees the second part alone.
 */
export function PackagePage() {
  const { t } = useWords(galleryWords);
  const { id = '', version } = useParams({ strict: false });
  const query = useQuery(galleryVersionQuery(id, version));
  const { managed, isSettled } = useManaged(id);
  const shown = query.data ?? null;
  if (isSettled && (shown !== null || (managed !== null && isGone(query.error) && version === undefined)))
    return <PackageParts shown={shown} managed={managed} />;
  return (
    <Page title={id} crumb={{ label: t('title'), to: '/packages' }}>
      {query.isError && isSettled ? (
        <NotShown id={id} version={version} error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <SkeletonRows />
      )}
    </Page>
  );
}

function NotShown(props: {
  readonly id: string;
  readonly version: string | undefined;
  readonly error: unknown;
  readonly onRetry: () => void;
}) {
  const { id, version, error, onRetry } = props;
  const { t } = useWords(galleryWords);
  if (isSessionLost(error)) return <SignInNeeded />;
  if (!isGone(error)) return <LoadFailed error={error} onRetry={onRetry} />;
  return (
    <EmptyState
      icon={<IconPackageOff size={20} stroke={1.75} aria-hidden />}
      title={version === undefined ? t('gone') : t('goneVersion', { version })}
      action={
        version !== undefined && (
          <Button
            variant="default"
            renderRoot={(root) => <Link to="/packages/$id" params={{ id }} {...root} />}
          >
            {t('toPackage')}
          </Button>
        )
      }
    />
  );
}

interface Parts {
  readonly shown: GalleryVersion | null;
  readonly managed: PackageDetail | null;
}

function PackageParts({ shown, managed }: Parts) {
  const { t } = useWords(galleryWords);
  const isSignedIn = useSignedIn() !== null;
  const id = managed?.id ?? shown?.id.toLowerCase() ?? '';
  const version = shown?.version ?? managed?.latestVersion ?? null;
  const description = shown?.description ?? managed?.description ?? '';
  const isShort = description.length <= SHORT_CHARACTERS && !description.includes('\n');
  return (
    <Page
      title={shown?.id ?? managed?.displayId ?? id}
      crumb={{ label: t('title'), to: '/packages' }}
      mark={<PackageMark shown={shown} managed={managed} />}
      meta={
        <>
          {version !== null && <Badge>{version}</Badge>} {isShort && <bdi>{description}</bdi>}
        </>
      }
      actions={version !== null && <DownloadButton id={id} version={version} />}
    >
      {isSignedIn && <IncomingRequests packageId={id} />}
      <div className={classes.columns}>
        <div className={classes.main}>
          {shown !== null && <Reading value={shown} isShort={isShort} />}
          {managed === null ? (
            <ListedVersionsPanel id={id} latestVersion={shown?.latestVersion ?? null} />
          ) : (
            <VersionsPanel value={managed} />
          )}
          {shown?.releaseNotes != null && <TextPanel title={t('releaseNotes')} text={shown.releaseNotes} />}
        </div>
        <div className={classes.side}>
          {managed !== null && <PushKeysPanel id={managed.id} />}
          {managed !== null && <OwnersPanel value={managed} />}
          {shown !== null && <FactsPanel value={shown} />}
          {managed === null && shown !== null && <OwnerNames value={shown} />}
        </div>
      </div>
    </Page>
  );
}

function PackageMark({ shown, managed }: Parts) {
  if (shown !== null)
    return <PackageTile id={shown.id} iconVersion={shown.hasIcon ? shown.version : null} kind={shown.kind} />;
  if (managed === null) return null;
  const { id, hasIcon, latestVersion, kind } = managed;
  return <PackageTile id={id} iconVersion={hasIcon ? latestVersion : null} kind={kind} />;
}

function Reading({ value, isShort }: { readonly value: GalleryVersion; readonly isShort: boolean }) {
  const { t } = useWords(galleryWords);
  return (
    <>
      <VersionNotes value={value} />
      <InstallPanel value={value} />
      {!isShort && <TextPanel title={t('about')} text={value.description} />}
      {value.hasReadme && <ReadmePanel id={value.id.toLowerCase()} version={value.version} />}
      <ContentsPanel value={value} />
      <DependenciesPanel value={value} />
    </>
  );
}

function DownloadButton(props: { readonly id: string; readonly version: string }) {
  const { t } = useWords(galleryWords);
  const { id, version } = props;
  return (
    <Button
      component="a"
      variant="default"
      href={`/api/v2/package/${encodeURIComponent(id)}/${encodeURIComponent(version)}`}
      aria-label={t('downloadOf', { version })}
      leftSection={<IconDownload size={16} stroke={1.75} />}
    >
      {t('download')}
    </Button>
  );
}
