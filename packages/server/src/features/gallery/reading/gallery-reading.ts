import type { RawBuilder } from 'kysely';
import type { Caller, RouteAuth } from '../../../http/index.ts';
import type { Executor, Storage } from '../../../storage/index.ts';
import type { AccountsService } from '../../accounts/index.ts';
import type { SettingsService } from '../../settings/index.ts';
import { ownIdsOf } from '../gallery.policy.ts';
import { isOwnerUsable } from '../owner-rights.ts';
import { listOwnerIds, type Package } from '../packages.repo.ts';
import { isReadable } from './read-condition.repo.ts';
import { allowsReading, type ReadRights, toReadRights } from './read-rights.ts';

/**
 * Of every route that reads from the gallery. What the caller may read of it depends on the package, so the services
 * decide that.
 */
export const GALLERY_DOOR: RouteAuth = { kinds: ['session', 'key', 'token'], action: null, door: 'gallery' };

/** Who reads what of the gallery, decided anew for each request. */
export interface GalleryReading {
  /** Does the workspace let everybody read everything? */
  isOpen(workspaceId: string): Promise<boolean>;
  /** The conditions on `feed_entries` that the caller may read the package; none where everybody may. */
  conditionsFor(caller: Caller): Promise<readonly RawBuilder<boolean>[]>;
  mayRead(
    exec: Executor,
    caller: Pick<Caller, 'principal'>,
    target: Pick<Package, 'id' | 'workspaceId' | 'displayId'>,
  ): Promise<boolean>;
}

export interface ReadingDeps {
  readonly storage: Storage;
  readonly settings: SettingsService;
  readonly accounts: AccountsService;
}

/** @see GalleryReading */
export function createGalleryReading({ storage, settings, accounts }: ReadingDeps): GalleryReading {
  const isOpen = async (workspaceId: string, exec: Executor = storage.read): Promise<boolean> =>
    (await settings.get(workspaceId, exec)).galleryRead === 'anonymous';

  const rightsOf = async ({ principal }: Pick<Caller, 'principal'>, exec: Executor): Promise<ReadRights> => {
    if (principal.kind === 'anonymous' || principal.kind === 'system') return toReadRights(principal, []);
    const { account } = principal;
    const actsForOwner =
      principal.kind === 'session' || (await isOwnerUsable(exec, accounts, { account, key: principal.key }));
    return toReadRights(principal, actsForOwner ? ownIdsOf(principal) : [account.id]);
  };

  const decide = async (caller: Caller): Promise<readonly RawBuilder<boolean>[]> => {
    const { id } = caller.workspace;
    if (await isOpen(id)) return [];
    const rights = await rightsOf(caller, storage.read);
    return rights.scopes === 'all' && rights.grants === 'all' ? [] : [isReadable(storage.engine, id, rights)];
  };
  // The parts of an answer ask for themselves; one request is answered under one decision.
  const decided = new WeakMap<Caller, Promise<readonly RawBuilder<boolean>[]>>();

  return {
    isOpen: (workspaceId) => isOpen(workspaceId),
    conditionsFor: async (caller) => {
      if (caller.requestId === null) return await decide(caller);
      const conditions = decided.get(caller) ?? decide(caller);
      decided.set(caller, conditions);
      return await conditions;
    },
    mayRead: async (exec, caller, target) => {
      if (await isOpen(target.workspaceId, exec)) return true;
      const owners = await listOwnerIds(exec, target.workspaceId, target.id);
      return allowsReading(await rightsOf(caller, exec), target.displayId, owners);
    },
  };
}
