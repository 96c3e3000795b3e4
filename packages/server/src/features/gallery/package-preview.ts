import type { AppError } from '../../errors/index.ts';
import { type Caller, requireAuthenticated } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { BlobStore } from '../../storage/blobs/index.ts';
import type { GalleryAction } from './denials.ts';
import { findKeyPattern } from './gallery.policy.ts';
import { PACKAGE_BYTES_MAX } from './gallery.service.ts';
import { stageUpload, type UploadBody } from './gallery.upload.ts';
import type { NupkgContents } from './nupkg/read-nupkg.ts';
import { findPackage } from './packages.repo.ts';
import { asAnswer, createFindPusher, type PreviewDeps } from './push-preview.ts';
import { createGalleryRights } from './push-rights.ts';
import { createUploadPlaces } from './upload/upload-places.ts';

/** A package that was received and read, and of which nothing is kept. */
export interface ReadPackage {
  readonly contents: NupkgContents;
  /** Of the file, as lower-case hex. */
  readonly sha512: string;
}

export interface PackageAnswer {
  /** The account that the key acts for. */
  readonly ownerId: string;
  /** Null: the key may push nothing at all, or the file is no package. */
  readonly package: ReadPackage | null;
  /** The id is not there yet. This, what the key must hold for it and by which pattern it does: null when it does not. */
  readonly isNew: boolean | null;
  readonly action: GalleryAction | null;
  readonly pattern: string | null;
  /** What the push would be refused with. */
  readonly refusal: AppError | null;
}

/**
 * Would a push of this very package with this key succeed? For whoever may see the key: all that a push is asked, but
 * for the address that it comes from. Stores nothing, and is no use of the key. Of a refused body the rest is unread.
 *
 * @throws request.not_found
 */
export type PreviewPackage = (caller: Caller, keyId: string, body: UploadBody) => Promise<PackageAnswer>;

interface Deps extends PreviewDeps {
  readonly clock: Clock;
  readonly blobs: BlobStore;
  readonly uploadsMax?: number;
}

async function receive(deps: Deps, body: UploadBody): Promise<ReadPackage> {
  const { staged, contents } = await stageUpload({ ...deps, packageBytesMax: PACKAGE_BYTES_MAX }, body);
  const sha512 = staged.sha512Hex;
  await staged.discard();
  return { contents, sha512 };
}

/** @see PreviewPackage */
export function createPreviewPackage(deps: Deps): PreviewPackage {
  const { storage, keys } = deps;
  const findPusher = createFindPusher(deps);
  const rights = createGalleryRights(deps);
  const places = createUploadPlaces(deps.uploadsMax);
  return async (caller, keyId, body) => {
    const { principal, workspace } = requireAuthenticated(caller);
    const { current, ownerId } = await keys.get(caller, keyId);
    const answer = { ownerId, package: null, isNew: null, action: null, pattern: null };
    let read: ReadPackage;
    try {
      await findPusher(workspace.id, keyId, current.number);
      read = await places.hold(principal.account.id, () => receive(deps, body));
    } catch (error) {
      return { ...answer, refusal: asAnswer(error) };
    }
    const { id, version, sizeBytes } = read.contents;
    const isNew = (await findPackage(storage.read, workspace.id, id)) === null;
    const action = isNew ? 'package:pushnew' : 'package:pushversion';
    let pattern = answer.pattern as string | null;
    try {
      // Once more: an upload takes minutes, in which the key may have lost its rights.
      const actor = await findPusher(workspace.id, keyId, current.number);
      pattern = findKeyPattern(actor, action, id);
      await rights.checkPush(storage.read, workspace.id, actor, { id, version, sizeBytes });
      return { ownerId, package: read, isNew, action, pattern, refusal: null };
    } catch (error) {
      const refusal = asAnswer(error);
      // Whoever may not push it is not told whether it is there.
      if (pattern === null) return { ...answer, package: read, refusal };
      return { ownerId, package: read, isNew, action, pattern, refusal };
    }
  };
}
