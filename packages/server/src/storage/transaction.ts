import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
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
  let raised: ReadonlySet<string> = new Set();
  try {
    return await runUntilStored(storage, storage.write, async (tx) => {
      raised = new Set();
      const steps: (() => Promise<void>)[] = [];
      lastSteps.set(tx, steps);
      const made = await work(tx);
      for (const step of steps) await step();
      raised = listRaisedWorkspaces(tx);
      return made;
    });
  } finally {
    // Only here: what is stored must not be run again, whatever a listener does. Also when the commit
    // fails: a connection that breaks then leaves open whether it was stored.
    if (raised.size > 0) await tellRaised(storage, raised);
  }
}

/**
 * The same for work that takes a lock of the database as the first thing: at READ COMMITTED each of its statements sees
 * what was committed until then, so also what the holder before it has done. Rules that read much and write little do
 * not belong here.
 */
export async function inLockedTransaction<Result>(
  storage: Storage,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return await runUntilStored(storage, storage.write, work, 'read committed');
}

const lastSteps = new WeakMap<Tx, (() => Promise<void>)[]>();

/**
 * Has `step` run as the last thing of a transaction of `inTransaction`, once its work is done and nothing of it has
 * failed: what keeps others waiting is kept short so.
 */
export function beforeCommit(tx: Tx, step: () => Promise<void>): void {
  const steps = lastSteps.get(tx);
  if (steps === undefined) throw new Error('This needs a transaction of inTransaction.');
  steps.push(step);
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
  return await runUntilStored(storage, storage.usage, work, 'read committed');
}

async function runUntilStored<Result>(
  storage: Storage,
  store: Kysely<Database>,
  work: (tx: Tx) => Promise<Result>,
  isolation: 'serializable' | 'read committed' = 'serializable',
): Promise<Result> {
  const startedAt = performance.now();
  for (let tries = 1; ; tries += 1) {
    try {
      const builder = store.transaction();
      return await (storage.engine === 'postgres' ? builder.setIsolationLevel(isolation) : builder).execute(
        work,
      );
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
