import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import { auditStripeOf, inAuditStripes, lockAuditStripes } from './audit-stripes.ts';
import type { Storage } from './database.ts';
import { isRetryable } from './faults.ts';
import { listRaisedWorkspaces } from './revocation-epochs.ts';
import type { Database } from './schema.ts';

export type Tx = Transaction<Database>;

const GIVE_UP_AFTER_MS = 5_000;
const WAIT_MS_MAX = 100;
// A process that does not answer has lost its lease of two seconds by then.
const LISTENERS_WAIT_MS_MAX = 2_500;

/**
 * Runs `work` in one write transaction: `BEGIN IMMEDIATE` on SQLite, `SERIALIZABLE` on PostgreSQL, so that
 * what it reads stays true until it commits. When another writer is in the way it is rolled back and run
 * again (for about five seconds, however long each try waits), so `work` must do nothing but use its `tx`: no mail, no file, no second
 * transaction, and never `storage` itself, which on SQLite would wait for this very transaction.
 *
 * @throws whatever `work` throws; the transaction is then rolled back whole.
 */
export async function inTransaction<Result>(
  storage: Storage,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return await inAuditedTransaction(storage, [], work);
}

/**
 * The same for work that writes to the audit log of a workspace, or of several. Those of one workspace run one after
 * the other (see `audit-stripes.ts`). Whoever names a workspace too few loses time and nothing else: the work is
 * rolled back where it comes to that log, and run again.
 */
export async function inAuditedTransaction<Result>(
  storage: Storage,
  workspaceIds: string | readonly string[],
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const ids = typeof workspaceIds === 'string' ? [workspaceIds] : workspaceIds;
  let raised: ReadonlySet<string> = new Set();
  try {
    return await runInStripes(storage, new Set(ids.map(auditStripeOf)), async (tx) => {
      raised = new Set();
      const made = await work(tx);
      raised = listRaisedWorkspaces(tx);
      return made;
    });
  } finally {
    // Only here: what is stored must not be run again, whatever a listener does. Also when the commit
    // fails: a connection that breaks then leaves open whether it was stored.
    if (raised.size > 0) await tellRaised(storage, raised);
  }
}

/** What an open transaction of `inTransaction` holds, and what it does before its commit. */
interface Opened {
  /** Null where nobody else can write at the same time. */
  readonly stripes: ReadonlySet<number> | null;
  readonly missing: Set<number>;
  readonly lastSteps: (() => Promise<void>)[];
}

const opened = new WeakMap<Tx, Opened>();

class StripeMissing extends Error {}

function requireOpened(tx: Tx): Opened {
  const found = opened.get(tx);
  if (found === undefined) throw new Error('This needs a transaction of inTransaction.');
  return found;
}

/**
 * To be called before the audit log of a workspace is written. Where others could write it at the same time, the whole
 * transaction is run again with the right to do so.
 */
export function requireAuditStripe(tx: Tx, workspaceId: string): void {
  const { stripes, missing } = requireOpened(tx);
  const stripe = auditStripeOf(workspaceId);
  if (stripes === null || stripes.has(stripe)) return;
  missing.add(stripe);
  throw new StripeMissing('The stripe of this workspace is not held.');
}

/** Has `step` run as the last thing of the transaction, once its work is done and nothing of it has failed. */
export function beforeCommit(tx: Tx, step: () => Promise<void>): void {
  requireOpened(tx).lastSteps.push(step);
}

async function runInStripes<Result>(
  storage: Storage,
  wanted: ReadonlySet<number>,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const hasOneWriter = storage.engine === 'sqlite';
  let stripes = hasOneWriter ? [] : [...wanted].toSorted((a, b) => a - b);
  for (;;) {
    const missing = new Set<number>();
    const runWhole = async (tx: Tx): Promise<Result> => {
      if (stripes.length > 0) await lockAuditStripes(tx, stripes);
      const state: Opened = { stripes: hasOneWriter ? null : new Set(stripes), missing, lastSteps: [] };
      opened.set(tx, state);
      const made = await work(tx);
      // Also when the work has caught what it was told.
      if (missing.size > 0) throw new StripeMissing('A stripe is not held.');
      for (const step of state.lastSteps) await step();
      return made;
    };
    try {
      return await runUntilStored(storage, storage.write, runWhole, (run) =>
        inAuditStripes(storage, stripes, run),
      );
    } catch (error) {
      if (missing.size === 0) throw error;
      stripes = [...new Set([...stripes, ...missing])].toSorted((a, b) => a - b);
    }
  }
}

async function tellRaised(storage: Storage, workspaceIds: ReadonlySet<string>): Promise<void> {
  storage.epochGuard.announce(workspaceIds);
  if (storage.raiseListeners.size === 0) return;
  const done = new AbortController();
  const listeners = [...storage.raiseListeners].map(async (tell) => await tell(workspaceIds));
  const told = Promise.allSettled(listeners).then(() => done.abort());
  const late = delay(LISTENERS_WAIT_MS_MAX, undefined, { ref: false, signal: done.signal }).catch(() => {});
  await Promise.race([told, late]);
}

/**
 * The same in the usage store, where whoever writes counts, and reads nothing that must stay true: on PostgreSQL a
 * statement that meets another one on its row waits for it, and goes on with what that one left.
 */
export async function inUsageTransaction<Result>(
  storage: Storage,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return await runUntilStored(storage, storage.usage, work, (run) => run(), 'read committed');
}

/** @param inTurn runs one try when its turn has come; between two tries it is the turn of others */
async function runUntilStored<Result>(
  storage: Storage,
  store: Kysely<Database>,
  work: (tx: Tx) => Promise<Result>,
  inTurn: (run: () => Promise<Result>) => Promise<Result>,
  isolation: 'serializable' | 'read committed' = 'serializable',
): Promise<Result> {
  const startedAt = performance.now();
  for (let tries = 1; ; tries += 1) {
    try {
      const builder = store.transaction();
      const begun = storage.engine === 'postgres' ? builder.setIsolationLevel(isolation) : builder;
      return await inTurn(() => begun.execute(work));
    } catch (error) {
      if (!isRetryable(error) || performance.now() - startedAt >= GIVE_UP_AFTER_MS) throw error;
      // Growing pauses with jitter, so that two writers that met do not meet again.
      await delay(Math.min(WAIT_MS_MAX, tries * 5) * jitter());
    }
  }
}

let seed = 1;

/** 0.5 to 1.5. Not for secrets, so a small generator does. */
function jitter(): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return 0.5 + seed / 2_147_483_647;
}
