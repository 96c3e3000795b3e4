import { setTimeout as delay } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import type { Storage } from './database.ts';
import { isRetryable } from './faults.ts';
import { hasRaisedEpoch } from './revocation-epochs.ts';
import type { Database } from './schema.ts';

export type Tx = Transaction<Database>;

const GIVE_UP_AFTER_MS = 5_000;
const WAIT_MS_MAX = 100;

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
  let hasRaised = false;
  const result = await runUntilStored(storage, async (tx) => {
    const made = await work(tx);
    hasRaised = hasRaisedEpoch(tx);
    return made;
  });
  // Only here: what is stored must not be run again, whatever a listener does.
  if (hasRaised) for (const tell of storage.raiseListeners) tell();
  return result;
}

async function runUntilStored<Result>(storage: Storage, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  for (let tries = 1; ; tries += 1) {
    try {
      const builder = storage.write.transaction();
      return await (storage.engine === 'postgres'
        ? builder.setIsolationLevel('serializable')
        : builder
      ).execute(work);
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
