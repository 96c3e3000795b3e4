import type { AppError } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import type { Executor } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import type { KeyAuthenticator, PresentedKey } from '../keys/index.ts';
import { type Actor, findScopeRefusal, type GalleryAction, refusalOfOwner } from './denials.ts';
import { packageErrors } from './gallery.errors.ts';
import { explainOutcome } from './gallery.refusals.ts';
import { isOwnerUsable } from './owner-rights.ts';
import { findVersion } from './package-versions.repo.ts';
import type { Package } from './packages.repo.ts';
import * as repo from './packages.repo.ts';
import { checkPrefix } from './prefixes/prefixes.service.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { GalleryReading } from './reading/gallery-reading.ts';
import { type NuGetVersion, versionKey } from './version/nuget-version.ts';

/** A caller with the key that he presented: it is looked up again in the transaction that acts on it. */
export interface KeyCaller {
  readonly caller: Caller;
  readonly actor: Actor;
  readonly credential: PresentedKey;
}

/** What is to be published. */
export interface PushWish {
  readonly id: string;
  readonly version: NuGetVersion;
  readonly sizeBytes: number;
}

export interface GalleryRights {
  /** The key and its account as they are now: an upload takes minutes, in which either may have lost its rights. */
  authenticate(exec: Executor, by: KeyCaller): Promise<Actor>;
  /**
   * May the key publish this? Answers the package, or null when it will be a new one. An id that exists is never
   * asked about reservations. Only who may read a package, or push one of its name, is told that it exists.
   *
   * @throws package.not_permitted, owner_unusable, not_owner, id_reserved, exists, quota_reached, in this order
   */
  checkPush(exec: Executor, workspaceId: string, actor: Actor, wish: PushWish): Promise<Package | null>;
  /** @throws package.not_permitted, owner_unusable, not_owner */
  requireRight(exec: Executor, actor: Actor, action: GalleryAction, target: Package): Promise<void>;
}

interface Deps {
  readonly accounts: AccountsService;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly quotas: Quotas;
  readonly galleryReading: GalleryReading;
}

/** @see GalleryRights */
export function createGalleryRights(deps: Deps): GalleryRights {
  const { accounts, keyAuthenticator, quotas, galleryReading } = deps;
  const requireOwner = async (exec: Executor, actor: Actor): Promise<void> => {
    if (!(await isOwnerUsable(exec, accounts, actor))) throw packageErrors.owner_unusable();
  };
  const requireScopeToUpdate = async (exec: Executor, actor: Actor, target: Package, id: string) => {
    const refusal = findScopeRefusal(actor, 'package:pushversion', target.displayId);
    if (refusal === null) return;
    const asNew = findScopeRefusal(actor, 'package:pushnew', id);
    const isHidden = asNew !== null && !(await galleryReading.mayRead(exec, toCaller(actor), target));
    throw isHidden ? asNew : refusal;
  };
  const requireRight: GalleryRights['requireRight'] = async (exec, actor, action, target) => {
    requireScope(actor, action, target.displayId);
    await requireOwner(exec, actor);
    const { ownerId } = actor.key;
    const owners = await repo.listOwnerIds(exec, target.workspaceId, target.id);
    if (owners.includes(ownerId)) return;
    const owner = await accounts.findIdentity(exec, target.workspaceId, ownerId);
    throw refusalOfOwner(actor, owner, target.displayId);
  };
  return {
    authenticate: async (exec, { caller, credential }) => {
      const { workspace, ip } = caller;
      const outcome = await keyAuthenticator.authenticate(workspace.id, credential, ip, exec);
      if (outcome.code !== 'valid') throw explainOutcome(outcome);
      return { account: outcome.account, key: outcome.key };
    },
    checkPush: async (exec, workspaceId, actor, { id, version, sizeBytes }) => {
      const { ownerId } = actor.key;
      const found = await repo.findPackage(exec, workspaceId, id);
      if (found === null) {
        requireScope(actor, 'package:pushnew', id);
        await requireOwner(exec, actor);
        await checkPrefix(exec, { workspaceId, packageId: id, ownerId });
      } else {
        await requireScopeToUpdate(exec, actor, found, id);
        await requireRight(exec, actor, 'package:pushversion', found);
        const existing = await findVersion(exec, workspaceId, found.id, versionKey(version));
        if (existing !== null) throw existsFault(id, version);
      }
      await quotas.checkPush(exec, { workspaceId, ownerId, found, sizeBytes });
      return found;
    },
    requireRight,
  };
}

function toCaller(actor: Actor) {
  return { principal: { kind: 'key', ...actor } } as const;
}

function requireScope(actor: Actor, action: GalleryAction, packageId: string): void {
  const refusal = findScopeRefusal(actor, action, packageId);
  if (refusal !== null) throw refusal;
}

export function existsFault(id: string, version: NuGetVersion, cause?: unknown): AppError {
  return packageErrors.exists({
    detail: `A package with ID '${id}' and version '${version.normalized}' already exists and cannot be modified.`,
    cause,
  });
}
