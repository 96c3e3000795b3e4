import { systemCaller } from '../../http/index.ts';
import { type Clock, DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { createTurns } from '../../lib/turns.ts';
import { inTransaction, type Keyring, type Storage } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import type { WorkspacesService } from '../workspaces/index.ts';
import { isExpired } from './api-key.ts';
import { rememberRefusalTold } from './key-notices.repo.ts';
import { type KeyNotices, toToldKey } from './key-notices.ts';
import { findIntactKey } from './keys.repo.ts';
import type { UsageRecorder } from './usage.ts';

export interface RefusalNotices {
  /**
   * Tells of live keys that were refused more than 20 times in one hour, the present or the last, although their
   * secret was right, at most once a day and key. Looks only at keys that this process has refused since it was last
   * called, or the time before. Returns how many keys it told of.
   *
   * @throws Error at the end, when something kept it from telling of some keys; the others are told of
   */
  run(): Promise<number>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly accounts: AccountsService;
  readonly workspaces: WorkspacesService;
  readonly keyNotices: KeyNotices;
  readonly usage: UsageRecorder;
}

const REFUSALS_MAX = 20;
const QUIET_MS = DAY_MS;

export function createRefusalNotices(deps: Deps): RefusalNotices {
  const { storage, clock, keyring, accounts, workspaces, keyNotices, usage } = deps;

  const tell = async (workspaceId: string, keyId: string): Promise<boolean> => {
    const now = clock.now();
    const count = await usage.countRefusals(workspaceId, keyId, now - HOUR_MS);
    const workspace = count > REFUSALS_MAX ? await workspaces.findById(workspaceId) : null;
    if (workspace === null) return false;
    const lastRefusal = (await usage.findLastRefusals(workspaceId, [keyId])).get(keyId) ?? null;
    return await inTransaction(storage, async (tx) => {
      const key = await findIntactKey(tx, keyring, workspaceId, keyId);
      const isLive = key?.isEnabled === true && !isExpired(key.current.expiresAt, now);
      const account = key === null || !isLive ? null : await accounts.find(tx, workspaceId, key.accountId);
      if (key === null || account === null || !account.isActive) return false;
      const told = { keyId, workspaceId, toldAt: now, notSince: now - QUIET_MS };
      if (!(await rememberRefusalTold(tx, told))) return false;
      await keyNotices.tellRefusals(tx, systemCaller(workspace, 'refusals'), toToldKey(key), account, {
        count,
        reason: lastRefusal?.reason ?? 'unknown',
        lastRefusal,
      });
      return true;
    });
  };

  let unseen: ReadonlyMap<string, string> = new Map();
  // Another write of counters may be on its way while one looks: each key is looked at twice.
  let seenOnce: ReadonlyMap<string, string> = new Map();

  return {
    run: async () => {
      const fresh = usage.takeRefused().map(({ keyId, workspaceId }) => [keyId, workspaceId] as const);
      unseen = new Map([...unseen, ...fresh]);
      // What is still in memory counts too.
      await usage.flush();
      const looked = new Map([...seenOnce, ...unseen]);
      seenOnce = unseen;
      unseen = new Map();
      const faults: unknown[] = [];
      const turns = createTurns();
      let count = 0;
      for (const [keyId, workspaceId] of looked) {
        await turns.step();
        try {
          if (await tell(workspaceId, keyId)) count += 1;
        } catch (error) {
          faults.push(error);
        }
      }
      if (faults.length > 0) throw faults[0];
      return count;
    },
  };
}
