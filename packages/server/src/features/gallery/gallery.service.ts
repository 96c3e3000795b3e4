import { type AppError, requestErrors } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import { asciiLower } from '../../lib/ascii.ts';
import { type Clock, DAY_MS } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import type { Random } from '../../lib/random.ts';
import type { BlobStore, StoredBlob } from '../../storage/blobs/blob-store.ts';
import { BlobStoreFault, blobMissing } from '../../storage/blobs/index.ts';
import {
  type Executor,
  inTransaction,
  isUniqueViolation,
  type Storage,
  type Tx,
} from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { KeyAuthenticator, PresentedKey, UsageRecorder } from '../keys/index.ts';
import type { LimitsService } from '../limits/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { type Actor, findPushRefusal } from './denials.ts';
import { type DeprecationWish, setDeprecation } from './deprecations/deprecations.ts';
import type { DownloadCounter } from './downloads/download-counter.ts';
import { insertFeedEntry } from './feed-entries.repo.ts';
import { packageErrors } from './gallery.errors.ts';
import { toStoredMetadata } from './gallery.metadata.ts';
import { asRefusal, explainOutcome } from './gallery.refusals.ts';
import { type StagedPackage, stageUpload, type UploadBody } from './gallery.upload.ts';
import { type CountKeyUse, createCountKeyUse, type TakeUse } from './key-use.ts';
import { isValidPackageId } from './nupkg/package-id.ts';
import { insertVersions, lockBlob } from './package-versions.repo.ts';
import type { Package } from './packages.repo.ts';
import * as repo from './packages.repo.ts';
import { createGalleryRights, existsFault, type GalleryRights, type KeyCaller } from './push-rights.ts';
import { countVersion } from './quotas/gallery-usage.repo.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { GalleryReading } from './reading/gallery-reading.ts';
import { createUploadPlaces, type UploadPlaces } from './upload/upload-places.ts';
import { parseNuGetVersion, versionKey } from './version/nuget-version.ts';
import { type FoundVersion, findVersionByText, setVersionListed, versionTarget } from './version-listing.ts';

/** 250 MB, as nuget.org. */
export const PACKAGE_BYTES_MAX = 250 * 1024 * 1024;

export interface DownloadableVersion {
  /** In the casing of the first push. */
  readonly packageId: string;
  readonly version: string;
  readonly sha512: string;
  readonly blob: StoredBlob;
  /** To be called when it is sent. */
  readonly countDownload: () => void;
}

/** What a push would do. */
export interface PushPlan {
  /** In the casing of the first push, or of this one when the package is new. */
  readonly id: string;
  readonly version: string;
  readonly isNew: boolean;
  readonly ownerId: string;
  readonly sizeBytes: number;
  readonly sha512: string;
}

export interface GalleryService {
  /**
   * Publishes a package, in the order of checks of nuget.org: what the key may do at all, the package itself,
   * the rights on this package, whether the version exists. Exactly one of several pushes of a version wins.
   *
   * @throws package.not_permitted, not_owner, owner_unusable, unreadable, too_large, id_reserved, exists,
   * quota_reached, key_refused; limit.*
   */
  push(by: KeyCaller, body: UploadBody): Promise<void>;
  /** Checks all that a push checks, and stores nothing. @throws as `push` */
  checkPush(by: KeyCaller, body: UploadBody): Promise<PushPlan>;
  /**
   * Hides a version from search, or shows it again; doing so twice is no fault.
   *
   * @throws package.not_found first, for anybody; then package.not_permitted, not_owner, owner_unusable
   */
  setListed(by: KeyCaller, id: string, version: string, isListed: boolean): Promise<void>;
  /**
   * Deprecates versions of a package, or takes that back.
   *
   * @throws package.not_found first, for anybody; then package.not_permitted, not_owner, owner_unusable, request.invalid
   */
  deprecate(by: KeyCaller, id: string, wish: DeprecationWish): Promise<void>;
  /** A package file by exact version, unlisted ones too. @throws package.not_found also when it may not be read */
  openVersion(caller: Caller, id: string, version: string): Promise<DownloadableVersion>;
  /** The warning for a key that expires within the notice days of the workspace, or null. */
  findExpiryWarning(by: KeyCaller): Promise<string | null>;
  /** Why a presented key does not work: precise for the holder of the secret, the same text for all others. */
  explainRefusal(caller: Caller, credential: PresentedKey): Promise<AppError>;
}

export interface GalleryDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly blobs: BlobStore;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  readonly accounts: AccountsService;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly quotas: Quotas;
  readonly galleryReading: GalleryReading;
  readonly downloads: DownloadCounter;
  /** 250 MB unless told. */
  readonly packageBytesMax?: number;
  readonly uploadsMax?: number;
}

/** The key as it is now, and the package that it may push to; null for a new one. */
interface Decision {
  readonly actor: Actor;
  readonly found: Package | null;
}

const COMMIT_TRIES_MAX = 3;

class Gallery implements GalleryService {
  readonly #deps: GalleryDeps;
  readonly #rights: GalleryRights;
  readonly #places: UploadPlaces;
  readonly #countUse: CountKeyUse;

  constructor(deps: GalleryDeps) {
    this.#deps = deps;
    this.#rights = createGalleryRights(deps);
    this.#places = createUploadPlaces(deps.uploadsMax);
    this.#countUse = createCountKeyUse(deps);
  }

  async push(by: KeyCaller, body: UploadBody): Promise<void> {
    await this.#countUse(by, { action: 'package:push', route: 'package.push' }, (takeUse) =>
      this.#receive(by, body, takeUse, async (upload) => {
        // Blob before row: a crash in between leaves a blob without a row, never a row without its blob.
        await upload.staged.promote();
        await this.#publish(by, upload);
      }),
    );
  }

  async checkPush(by: KeyCaller, body: UploadBody): Promise<PushPlan> {
    return await this.#countUse(by, { action: 'package:push', route: 'package.push_check' }, (takeUse) =>
      this.#receive(by, body, takeUse, ({ staged, contents }, { actor, found }) => ({
        id: found?.displayId ?? contents.id,
        version: contents.version.normalized,
        isNew: found === null,
        ownerId: actor.key.ownerId,
        sizeBytes: staged.sizeBytes,
        sha512: staged.sha512Hex,
      })),
    );
  }

  async setListed(by: KeyCaller, id: string, version: string, isListed: boolean): Promise<void> {
    const { storage, audit } = this.#deps;
    const { caller } = by;
    const route = isListed ? 'package.relist' : 'package.unlist';
    const permit = async (exec: Executor) => {
      const found = await this.#findVersion(exec, caller, id, version);
      const actor = await this.#rights.authenticate(exec, by);
      await this.#requireUnlisting(exec, caller, actor, found.package, notFound(id, version));
      return { found, actor };
    };
    await this.#countUse(by, { action: 'package:unlist', route }, async (takeUse) => {
      await takeUse(() => permit(storage.read));
      await inTransaction(storage, async (tx) => {
        const { found, actor } = await permit(tx);
        const { ownerId, id: keyId } = actor.key;
        await setVersionListed(tx, audit, caller, { found, isListed, ownerId, keyId });
      });
    });
  }

  async deprecate(by: KeyCaller, id: string, wish: DeprecationWish): Promise<void> {
    const { storage } = this.#deps;
    const { caller } = by;
    const permit = async (exec: Executor) => {
      const found = await repo.findPackage(exec, caller.workspace.id, id);
      if (found === null) throw unknownId();
      const { account, key } = await this.#rights.authenticate(exec, by);
      await this.#requireUnlisting(exec, caller, { account, key }, found, unknownId());
      return { found, actor: { ownerId: key.ownerId, accountId: account.id, keyId: key.id } };
    };
    await this.#countUse(by, { action: 'package:unlist', route: 'package.deprecate' }, async (takeUse) => {
      await takeUse(() => permit(storage.read));
      await inTransaction(storage, async (tx) => {
        const { found, actor } = await permit(tx);
        await setDeprecation(this.#deps, tx, caller, { ...actor, found, wish });
      });
    });
  }

  async openVersion(caller: Caller, id: string, version: string): Promise<DownloadableVersion> {
    const { storage, blobs, galleryReading, downloads } = this.#deps;
    const { id: workspace } = caller.workspace;
    const found = await findVersionByText(storage.read, workspace, id, version);
    // Asked of what is not there as well, so that both answers take the same time.
    const target = found?.package ?? { id: '', workspaceId: workspace, displayId: id };
    const mayRead = await galleryReading.mayRead(storage.read, caller, target);
    if (found === null || !mayRead) throw notFound(id, version);
    const { sha512 } = found.version;
    const blob = await blobs.open(sha512);
    if (blob === null) throw blobMissing(sha512);
    const { id: versionId, workspaceId, version: name } = found.version;
    const counted = { workspaceId, packageId: found.package.id, versionId };
    const countDownload = () => downloads.count(counted);
    return { packageId: found.package.displayId, version: name, sha512, blob, countDownload };
  }

  async findExpiryWarning({ caller, actor }: KeyCaller): Promise<string | null> {
    const { settings, clock } = this.#deps;
    const { expiresAt } = actor.key;
    if (expiresAt === null) return null;
    const { expiryNoticeDays } = await settings.get(caller.workspace.id);
    const leftMs = expiresAt - clock.now();
    if (leftMs > Math.max(0, ...expiryNoticeDays) * DAY_MS) return null;
    return `Your API key expires in ${Math.max(0, Math.round(leftMs / DAY_MS))} day(s). Regenerate it at ${caller.workspace.url}`;
  }

  async explainRefusal(caller: Caller, credential: PresentedKey): Promise<AppError> {
    const { keyAuthenticator } = this.#deps;
    return explainOutcome(await keyAuthenticator.authenticate(caller.workspace.id, credential, caller.ip));
  }

  /**
   * Receives a package and checks it, before anything is done with it: so a push that cannot succeed puts nothing in
   * place. What counts is asked again in its transaction.
   */
  async #receive<Result>(
    by: KeyCaller,
    body: UploadBody,
    takeUse: TakeUse,
    use: (upload: StagedPackage, decision: Decision) => Promise<Result> | Result,
  ): Promise<Result> {
    const { storage, packageBytesMax = PACKAGE_BYTES_MAX } = this.#deps;
    const refusal = findPushRefusal(by.actor);
    if (refusal !== null) throw refusal;
    return await this.#places.hold(by.actor.account.id, async () => {
      const upload = await stageUpload({ ...this.#deps, packageBytesMax }, body);
      try {
        const decision = await this.#authorizePush(storage.read, by, upload);
        await takeUse();
        return await use(upload, decision);
      } finally {
        await upload.staged.discard();
      }
    });
  }

  /** The transaction of a push. A push that lost the race against another finds the winner's row on its next try. */
  async #publish(by: KeyCaller, upload: StagedPackage): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await inTransaction(this.#deps.storage, (tx) => this.#publishInside(tx, by, upload));
        return;
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        if (tries < COMMIT_TRIES_MAX) continue;
        const { id, version } = upload.contents;
        throw existsFault(id, version, error);
      }
    }
  }

  async #publishInside(tx: Tx, by: KeyCaller, upload: StagedPackage): Promise<void> {
    const { storage, blobs, clock, random, audit } = this.#deps;
    const { staged, contents } = upload;
    const { caller } = by;
    // Against the sweep of blobs without a row, which removes under the same lock: either it is done, and the
    // blob is gone, or it waits, and then sees the row of this transaction.
    await lockBlob(tx, storage.engine, staged.sha512Hex);
    const blob = await blobs.open(staged.sha512Hex);
    if (blob === null) throw requestErrors.unavailable({ headers: { 'retry-after': '1' } });
    if (blob.sizeBytes !== staged.sizeBytes)
      throw new BlobStoreFault(
        'failed',
        'The store of the package files keeps another length than it was sent.',
      );
    const { actor, found } = await this.#authorizePush(tx, by, upload);
    const now = clock.now();
    const { description, tags } = contents;
    const target = found ?? newPackage(caller, newId(random, 'package'), contents.id, now);
    const newest = { ...target, lastPushedAt: now, description, tags };
    if (found === null) {
      await repo.insertPackage(tx, newest);
      await repo.insertOwner(tx, target.workspaceId, target.id, actor.key.ownerId);
    } else if (now >= found.lastPushedAt) {
      await repo.saveNewest(tx, newest);
    }
    const metadata = toStoredMetadata(contents);
    const row = {
      id: newId(random, 'version'),
      workspace_id: target.workspaceId,
      package_id: target.id,
      version_lower: versionKey(contents.version),
      version: contents.version.normalized,
      version_full: contents.version.full,
      is_prerelease: contents.version.isPrerelease ? 1 : 0,
      is_semver2: contents.isSemVer2 ? 1 : 0,
      listed: 1,
      size_bytes: staged.sizeBytes,
      sha512: staged.sha512Hex,
      metadata: JSON.stringify(metadata),
      pushed_at: now,
      pushed_by: actor.account.id,
      pushed_key_id: actor.key.id,
    };
    await insertVersions(tx, [row]);
    await countVersion(tx, {
      workspaceId: target.workspaceId,
      packageId: target.id,
      bytes: staged.sizeBytes,
    });
    await insertFeedEntry(tx, target, row, metadata);
    await audit.record(tx, caller, {
      action: 'package.pushed',
      target: versionTarget(target, contents.version.normalized),
      accountId: actor.key.ownerId,
      keyId: actor.key.id,
      detail: { isNew: found === null, sizeBytes: staged.sizeBytes, sha512: staged.sha512Hex },
    });
  }

  async #authorizePush(
    exec: Executor,
    by: KeyCaller,
    { contents, staged }: StagedPackage,
  ): Promise<Decision> {
    const { id, version } = contents;
    const actor = await this.#rights.authenticate(exec, by);
    const wish = { id, version, sizeBytes: staged.sizeBytes };
    return { actor, found: await this.#rights.checkPush(exec, by.caller.workspace.id, actor, wish) };
  }

  /** Whoever may not even read the package is told what he would hear if it were not there. */
  async #requireUnlisting(
    exec: Executor,
    caller: Caller,
    actor: Actor,
    target: Package,
    hidden: AppError,
  ): Promise<void> {
    try {
      await this.#rights.requireRight(exec, actor, 'package:unlist', target);
    } catch (error) {
      if (asRefusal(error) === null || (await this.#deps.galleryReading.mayRead(exec, caller, target)))
        throw error;
      throw hidden;
    }
  }

  async #findVersion(exec: Executor, caller: Caller, id: string, version: string): Promise<FoundVersion> {
    const found = await findVersionByText(exec, caller.workspace.id, id, version);
    if (found !== null) return found;
    throw notFound(id, version);
  }
}

function unknownId(): AppError {
  return packageErrors.not_found({ detail: 'There is no package with this ID.' });
}

function notFound(id: string, version: string): AppError {
  const parsed = parseNuGetVersion(version);
  // Texts of the request are told back only when they have the form of an id and a version.
  if (parsed === null || !isValidPackageId(id)) return packageErrors.not_found();
  return packageErrors.not_found({
    detail: `A package with ID '${id}' and version '${parsed.normalized}' does not exist.`,
  });
}

function newPackage(caller: Caller, id: string, displayId: string, now: number): Package {
  return {
    id,
    workspaceId: caller.workspace.id,
    idLower: asciiLower(displayId),
    displayId,
    createdAt: now,
    lastPushedAt: now,
    description: null,
    tags: null,
  };
}

/** @see GalleryService */
export function createGalleryService(deps: GalleryDeps): GalleryService {
  return new Gallery(deps);
}
