import type { Caller } from '../../../http/index.ts';
import type { NoticeKind, NoticePayloads } from '../../../jobs/index.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Tx } from '../../../storage/index.ts';
import {
  type Account,
  type AccountNotices,
  type AccountsService,
  toNoticeActor,
} from '../../accounts/index.ts';
import type { Package } from '../packages.repo.ts';
import type { OwnerRequest } from './owner-requests.repo.ts';

export type OwnerChange = NoticePayloads['package.owners_changed']['change'];

/** Tells people by mail who owns their packages, and who is asked to. */
export interface OwnerNotices {
  tellRequest(tx: Tx, caller: Caller, found: Package, request: OwnerRequest): Promise<void>;
  /** To these accounts, but not to whoever did it. */
  tellChange(
    tx: Tx,
    caller: Caller,
    news: {
      readonly found: Package;
      readonly change: OwnerChange;
      /** Who has become an owner, is one no more, or has declined; nobody is told of an account that is gone. */
      readonly account: Account | null;
      readonly from?: Account | null;
      readonly to: readonly string[];
    },
  ): Promise<void>;
}

interface Deps {
  readonly clock: Clock;
  readonly accounts: AccountsService;
  readonly accountNotices: AccountNotices;
}

/** Packages with more owners than this share a service account. */
const TOLD_MAX = 20;

/** @see OwnerNotices */
export function createOwnerNotices({ clock, accounts, accountNotices }: Deps): OwnerNotices {
  /** A service account reads no mail: its managers do, and without any those whom `tell` finds for it. */
  const readersOf = async (tx: Tx, account: Account): Promise<readonly Account[]> => {
    if (account.kind === 'user') return [account];
    const ids = await accounts.listManagerIds(tx, account.workspaceId, account.id);
    const managers = await accounts.findMany(tx, account.workspaceId, ids.slice(0, TOLD_MAX));
    const reachable = managers.filter((manager) => manager.isActive && manager.email !== null);
    return reachable.length === 0 ? [account] : reachable;
  };

  const tellAll = async <Kind extends NoticeKind>(
    tx: Tx,
    caller: Caller,
    told: readonly Account[],
    kind: Kind,
    payload: NoticePayloads[Kind],
  ): Promise<void> => {
    const { principal } = caller;
    const actorId = 'account' in principal ? principal.account.id : null;
    const readers = new Map<string, Account>();
    for (const account of told.slice(0, TOLD_MAX))
      for (const reader of await readersOf(tx, account)) readers.set(reader.id, reader);
    for (const reader of readers.values())
      if (reader.id !== actorId) await accountNotices.tell(tx, reader, kind, payload);
  };

  const common = (caller: Caller, found: Package) => ({
    packageId: found.displayId,
    at: clock.now(),
    actor: toNoticeActor(caller),
    pageUrl: `${caller.workspace.url}/packages/${found.idLower}`,
  });

  return {
    tellRequest: async (tx, caller, found, request) => {
      const ids = [request.accountId, ...(request.fromId === null ? [] : [request.fromId])];
      const people = await accounts.findMany(tx, request.workspaceId, ids);
      const account = people.find(({ id }) => id === request.accountId);
      const from = people.find(({ id }) => id === request.fromId);
      if (account === undefined) return;
      await tellAll(tx, caller, [account], 'package.owner_requested', {
        ...common(caller, found),
        accountName: account.displayName,
        fromName: from?.displayName ?? null,
        expiresAt: request.expiresAt,
      });
    },
    tellChange: async (tx, caller, { found, change, account, from, to }) => {
      if (account === null) return;
      const told = await accounts.findMany(tx, found.workspaceId, [...new Set(to)]);
      await tellAll(tx, caller, told, 'package.owners_changed', {
        ...common(caller, found),
        change,
        accountName: account.displayName,
        fromName: from?.displayName ?? null,
      });
    },
  };
}
