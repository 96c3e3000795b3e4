import type { Buffer } from 'node:buffer';
import type { Caller } from '../../../http/index.ts';
import type { BlobStore, StoredBlob } from '../../../storage/blobs/blob-store.ts';
import { blobMissing } from '../../../storage/blobs/index.ts';
import type { FeedService } from '../feed.service.ts';
import type { FeedVersion } from '../feed-page.repo.ts';
import { packageErrors } from '../gallery.errors.ts';
import { MAX_NUSPEC_BYTES } from '../nupkg/limits.ts';
import { readEntry, type WantedEntry } from '../nupkg/read-entry.ts';
import type { PackageSource } from '../nupkg/zip-end.ts';
import { parseNuGetVersion, versionKey } from '../version/nuget-version.ts';
import { isPackage, isVersion } from './v3.repo.ts';

export type FileKind = 'nuspec' | 'readme' | 'icon' | 'license';

export interface PackageFile {
  readonly bytes: Buffer;
  readonly type: string;
  /** When the version was pushed. */
  readonly modifiedAt: number;
}

/** A file out of a package. @throws package.not_found also when the package has no such file */
export type ReadPackageFile = (
  caller: Caller,
  wanted: { readonly idLower: string; readonly version: string; readonly kind: FileKind },
) => Promise<PackageFile>;

const MIB = 1024 * 1024;
const BYTES_MAX: Readonly<Record<FileKind, number>> = {
  nuspec: MAX_NUSPEC_BYTES,
  readme: MIB,
  icon: MIB,
  license: MIB,
};
const TEXT = 'text/plain; charset=utf-8';
// By the first bytes, never by the name: what a browser would run is sent as nothing that it runs.
const IMAGES: readonly { readonly type: string; readonly starts: readonly number[] }[] = [
  { type: 'image/png', starts: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { type: 'image/jpeg', starts: [0xff, 0xd8, 0xff] },
];

/** Of packages and of the files out of them. */
export const FILE_TYPES = [
  'application/octet-stream',
  'application/xml',
  'text/markdown',
  'text/plain',
  ...IMAGES.map(({ type }) => type),
];

/** @see ReadPackageFile */
export function createReadPackageFile(deps: {
  readonly feed: FeedService;
  readonly blobs: BlobStore;
}): ReadPackageFile {
  return async (caller, { idLower, version, kind }) => {
    const found = await findVersion(deps.feed, caller, idLower, version);
    const wanted = entryOf(found, kind);
    if (wanted === null) throw packageErrors.not_found({ detail: 'The package has no such file.' });
    const blob = await deps.blobs.open(found.sha512);
    if (blob === null) throw blobMissing(found.sha512);
    const bytes = await readEntry(toSource(blob), wanted, BYTES_MAX[kind]);
    if (bytes === null) throw packageErrors.not_found({ detail: 'The package has no such file.' });
    return { bytes, type: typeOf(kind, found, bytes), modifiedAt: found.pushedAt };
  };
}

async function findVersion(
  feed: FeedService,
  caller: Caller,
  idLower: string,
  version: string,
): Promise<FeedVersion> {
  const parsed = parseNuGetVersion(version);
  if (parsed === null) throw packageErrors.not_found();
  const [found] = await feed.list(caller, {
    level: 'semver2',
    where: [isPackage(idLower), isVersion(versionKey(parsed))],
    orderBy: [],
    offset: 0,
    limit: 1,
  });
  if (found === undefined) throw packageErrors.not_found();
  return found;
}

function entryOf({ metadata }: FeedVersion, kind: FileKind): WantedEntry | null {
  if (kind === 'nuspec') return 'nuspec';
  const name = kind === 'license' ? licenseFileOf(metadata.license) : metadata[kind];
  return name === null ? null : { name };
}

function licenseFileOf(license: FeedVersion['metadata']['license']): string | null {
  return license?.kind === 'file' ? license.value : null;
}

function typeOf(kind: FileKind, { metadata }: FeedVersion, bytes: Buffer): string {
  if (kind === 'nuspec') return 'application/xml';
  if (kind === 'readme') return 'text/markdown; charset=utf-8';
  if (kind === 'license')
    return /\.md$/i.test(licenseFileOf(metadata.license) ?? '') ? 'text/markdown; charset=utf-8' : TEXT;
  const image = IMAGES.find(({ starts }) => starts.every((byte, index) => bytes[index] === byte));
  return image?.type ?? 'application/octet-stream';
}

/** A stored package as the reader of packages takes it; it reads little, and forward. */
function toSource(blob: StoredBlob): PackageSource {
  return {
    stat: async () => ({ size: blob.sizeBytes }),
    read: async (buffer, offset, length, position) => {
      let bytesRead = 0;
      const end = Math.min(position + length, blob.sizeBytes);
      if (position >= end) return { bytesRead };
      for await (const chunk of await blob.stream(position, end)) {
        bytesRead += (chunk as Buffer).copy(buffer, offset + bytesRead);
      }
      return { bytesRead };
    },
  };
}
