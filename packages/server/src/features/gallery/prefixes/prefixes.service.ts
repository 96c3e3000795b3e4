import { requestErrors } from '../../../errors/index.ts';
import { type Caller, readCursor, requireAuthenticated } from '../../../http/index.ts';
import { asciiLower } from '../../../lib/ascii.ts';
import type { Clock } from '../../../lib/clock.ts';
import { newId } from '../../../lib/ids.ts';
import { type Page, toPage } from '../../../lib/page.ts';
import type { Random } from '../../../lib/random.ts';
import { type Executor, inTransaction, isUniqueViolation, type Storage } from '../../../storage/index.ts';
import type { AccountsService } from '../../accounts/index.ts';
import type { AuditService } from '../../audit/index.ts';
import { packageErrors } from '../gallery.errors.ts';
import * as repo from './prefixes.repo.ts';

/** A reservation with the names of its accounts. */
export interface PrefixView {
  readonly prefix: repo.PackagePrefix;
  readonly accounts: Awaited<ReturnType<AccountsService['findMany']>>;
}

/**
 * Ids reserved for accounts. A reservation is asked for when a new id is pushed; packages that are there already
 * stay as they are. The route lets administrators in alone.
 */
export interface PrefixesService {
  list(caller: Caller, page: { limit: number; cursor?: string | undefined }): Promise<Page<PrefixView>>;
  /** @throws request.not_found */
  get(caller: Caller, id: string): Promise<PrefixView>;
  /** @throws request.invalid, package.prefix_taken */
  create(
    caller: Caller,
    input: { readonly pattern: string; readonly accountIds: readonly string[] },
  ): Promise<PrefixView>;
  /** Reserves it for these accounts instead. @throws request.not_found, request.invalid, request.precondition_failed */
  update(
    caller: Caller,
    id: string,
    accountIds: readonly string[],
    ifMatch: number | null,
  ): Promise<PrefixView>;
  /** @throws request.not_found */
  remove(caller: Caller, id: string): Promise<void>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
}

// The beginning of an id need not be one: `AzureRM.` ends in a dot.
const PATTERN = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\*?$/;

/**
 * Refuses a new id that is reserved for others, in the words of nuget.org. The caller has a right to push new
 * packages already, so it learns nothing that it could not find out by pushing.
 *
 * @throws package.id_reserved
 */
export async function checkPrefix(
  exec: Executor,
  { workspaceId, packageId, ownerId }: { workspaceId: string; packageId: string; ownerId: string },
): Promise<void> {
  const prefix = await repo.findPrefixOf(exec, workspaceId, packageId);
  if (prefix === null || prefix.accountIds.includes(ownerId)) return;
  throw packageErrors.id_reserved({
    detail:
      prefix.accountIds.length === 0
        ? `This package ID has been reserved (${prefix.pattern}). Ask an administrator for it, or push under a different ID.`
        : `This package ID has been reserved (${prefix.pattern}). Ask the owner of the reserved prefix or an administrator for access to it, or push under a different ID.`,
  });
}

class Prefixes implements PrefixesService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(
    caller: Caller,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<PrefixView>> {
    const { read } = this.#deps.storage;
    const after = readCursor(page.cursor, ['']) ?? [''];
    const rows = await repo.listPrefixes(read, caller.workspace.id, after, page.limit + 1);
    const { items, nextCursor } = toPage(rows, page.limit, (row) => [asciiLower(row.pattern)]);
    return { items: await this.#views(read, caller, items), nextCursor };
  }

  async get(caller: Caller, id: string): Promise<PrefixView> {
    const { read } = this.#deps.storage;
    return await this.#view(read, caller, await this.#find(read, caller, id));
  }

  async create(
    caller: Caller,
    input: { readonly pattern: string; readonly accountIds: readonly string[] },
  ): Promise<PrefixView> {
    const { storage, clock, random, audit } = this.#deps;
    const { principal, workspace } = requireAuthenticated(caller);
    if (!PATTERN.test(input.pattern)) {
      const message =
        'must be a package id, or the beginning of ids with one * at its end, like AzureRM.*; A-Z, a-z, 0-9, _, . and - alone';
      throw requestErrors.invalid({ fields: [{ field: 'pattern', message }], detail: `pattern ${message}` });
    }
    try {
      return await inTransaction(storage, async (tx) => {
        const prefix = {
          id: newId(random, 'prefix'),
          workspaceId: workspace.id,
          pattern: input.pattern,
          accountIds: await this.#checkAccounts(tx, workspace.id, input.accountIds),
          createdAt: clock.now(),
          createdBy: principal.account.id,
          version: 1,
        };
        await repo.insertPrefix(tx, prefix);
        await audit.record(tx, caller, {
          action: 'package_prefix.created',
          target: targetOf(prefix),
          detail: { accounts: prefix.accountIds },
        });
        return await this.#view(tx, caller, prefix);
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw packageErrors.prefix_taken({ cause: error });
    }
  }

  async update(
    caller: Caller,
    id: string,
    accountIds: readonly string[],
    ifMatch: number | null,
  ): Promise<PrefixView> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#find(tx, caller, id, ifMatch);
      const to = await this.#checkAccounts(tx, before.workspaceId, accountIds);
      if (to.join() === before.accountIds.join()) return await this.#view(tx, caller, before);
      const after = { ...before, accountIds: to, version: before.version + 1 };
      await repo.savePrefixAccounts(tx, after);
      await this.#deps.audit.record(tx, caller, {
        action: 'package_prefix.changed',
        target: targetOf(before),
        detail: { accounts: { from: before.accountIds, to } },
      });
      return await this.#view(tx, caller, after);
    });
  }

  async remove(caller: Caller, id: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const prefix = await this.#find(tx, caller, id);
      await repo.deletePrefix(tx, prefix);
      await this.#deps.audit.record(tx, caller, {
        action: 'package_prefix.deleted',
        target: targetOf(prefix),
        detail: { accounts: prefix.accountIds },
      });
    });
  }

  async #find(
    exec: Executor,
    caller: Caller,
    id: string,
    ifMatch: number | null = null,
  ): Promise<repo.PackagePrefix> {
    const prefix = await repo.findPrefix(exec, caller.workspace.id, id);
    if (prefix === null) throw requestErrors.not_found({ detail: 'There is no such reserved prefix.' });
    if (ifMatch !== null && ifMatch !== prefix.version)
      throw requestErrors.precondition_failed({ extra: { version: prefix.version } });
    return prefix;
  }

  /** The ids once each and in order. @throws request.invalid naming one that is not an account of the workspace */
  async #checkAccounts(exec: Executor, workspaceId: string, ids: readonly string[]): Promise<string[]> {
    const wanted = [...new Set(ids)].toSorted();
    const known = await this.#deps.accounts.findMany(exec, workspaceId, wanted);
    const unknown = wanted.find((id) => !known.some((account) => account.id === id));
    if (unknown === undefined) return wanted;
    const message = `${unknown.slice(0, 64)} is not an account of this workspace`;
    throw requestErrors.invalid({
      fields: [{ field: 'accountIds', message }],
      detail: `accountIds: ${message}`,
    });
  }

  async #view(exec: Executor, caller: Caller, prefix: repo.PackagePrefix): Promise<PrefixView> {
    const [view] = await this.#views(exec, caller, [prefix]);
    if (view === undefined) throw new Error('A reserved prefix has exactly one view.');
    return view;
  }

  async #views(
    exec: Executor,
    caller: Caller,
    prefixes: readonly repo.PackagePrefix[],
  ): Promise<PrefixView[]> {
    const ids = [...new Set(prefixes.flatMap((prefix) => prefix.accountIds))];
    const found: Account[] = [];
    for (let start = 0; start < ids.length; start += 200) {
      const stretch = ids.slice(start, start + 200);
      found.push(...(await this.#deps.accounts.findMany(exec, caller.workspace.id, stretch)));
    }
    const byId = new Map(found.map((account) => [account.id, account]));
    return prefixes.map((prefix) => ({
      prefix,
      accounts: prefix.accountIds.flatMap((id) => byId.get(id) ?? []),
    }));
  }
}

type Account = PrefixView['accounts'][number];

function targetOf({ id, pattern }: repo.PackagePrefix) {
  return { kind: 'package_prefix', id, name: pattern };
}

/** @see PrefixesService */
export function createPrefixesService(deps: Deps): PrefixesService {
  return new Prefixes(deps);
}
