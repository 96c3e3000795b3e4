import { AppError, requestErrors } from '../../errors/index.ts';
import { type Caller, requireAuthenticated } from '../../http/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import type { KeyAuthenticator, KeysService } from '../keys/index.ts';
import { type Actor, findPushRefusal } from './denials.ts';
import { explainOutcome } from './gallery.refusals.ts';
import { isValidPackageId } from './nupkg/package-id.ts';
import { createGalleryRights } from './push-rights.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { GalleryReading } from './reading/gallery-reading.ts';
import { parseNuGetVersion } from './version/nuget-version.ts';

export interface PushQuestion {
  readonly keyId: string;
  readonly id: string;
  readonly version: string;
  /** Of the file; 0 when it is not known yet. */
  readonly sizeBytes?: number | undefined;
}

export interface PushAnswer {
  readonly id: string;
  readonly version: string;
  readonly ownerId: string;
  /** The id is not there yet; null when the push would be refused before that is asked. */
  readonly isNew: boolean | null;
  /** What the push would be refused with. */
  readonly refusal: AppError | null;
}

/**
 * Would a push with this key succeed, as far as that can be told without the package and the address that it comes
 * from? For whoever may see the key. Stores nothing, and is no use of the key.
 *
 * @throws request.not_found, request.invalid
 */
export type PreviewPush = (caller: Caller, question: PushQuestion) => Promise<PushAnswer>;

export interface PreviewDeps {
  readonly storage: Storage;
  readonly accounts: AccountsService;
  readonly keys: KeysService;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly quotas: Quotas;
  readonly galleryReading: GalleryReading;
}

/** The key as it is now and its account. @throws package.key_refused, package.not_permitted */
export type FindPusher = (workspaceId: string, keyId: string, generation: number) => Promise<Actor>;

export function createFindPusher({ keyAuthenticator }: PreviewDeps): FindPusher {
  return async (workspaceId, keyId, generation) => {
    const outcome = await keyAuthenticator.reassess(workspaceId, keyId, generation, null);
    // The package will come from another address than the question.
    if (outcome.code !== 'valid' && outcome.code !== 'ip_not_allowed') throw explainOutcome(outcome);
    const actor = { account: outcome.account, key: outcome.key };
    const refusal = findPushRefusal(actor);
    if (refusal !== null) throw refusal;
    return actor;
  };
}

/** What a push would be refused with. That nobody could ask, for the server is busy or at fault, is no answer. */
export function asAnswer(error: unknown): AppError {
  if (error instanceof AppError && error.status < 500 && error.code.startsWith('package.')) return error;
  throw error;
}

/** @see PreviewPush */
export function createPreviewPush(deps: PreviewDeps): PreviewPush {
  const { storage, keys } = deps;
  const findPusher = createFindPusher(deps);
  const rights = createGalleryRights(deps);
  return async (caller, { keyId, id, version: text, sizeBytes = 0 }) => {
    const { workspace } = requireAuthenticated(caller);
    const { current, ownerId } = await keys.get(caller, keyId);
    const version = parseNuGetVersion(text);
    if (version === null || !isValidPackageId(id)) {
      const field = version === null ? 'version' : 'id';
      throw requestErrors.invalid({
        fields: [{ field, message: version === null ? 'is not a version' : 'is not a package id' }],
      });
    }
    const answer = { id, version: version.normalized, ownerId };
    try {
      const actor = await findPusher(workspace.id, keyId, current.number);
      const wish = { id, version, sizeBytes };
      const found = await rights.checkPush(storage.read, workspace.id, actor, wish);
      return { ...answer, id: found?.displayId ?? id, isNew: found === null, refusal: null };
    } catch (error) {
      return { ...answer, isNew: null, refusal: asAnswer(error) };
    }
  };
}
