import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { seedKeys } from '../seed-keys.ts';
import { type SeededKey, type SeedPlan, seededKeyAt } from '../seed-rows.ts';

/** A data folder with many keys in it. */
export interface Seeded {
  readonly environment: Readonly<Record<string, string>>;
  readonly plan: SeedPlan;
  readonly bytesOnDisk: number;
  readonly seconds: number;
}

const FILE = 'seeded.json';
/** Prime, so that it meets every key before it meets one again, far from the one before. */
const STEP = 611_953;
/** Seeded keys expire as all others: an older folder has fewer and fewer that are taken. */
const AGE_DAYS_MAX = 7;
const DAY_MS = 86_400_000;

/**
 * Makes `count` keys in a new folder, or takes those that an earlier run left in the folder `cache`.
 *
 * @param cache Where folders are kept for the next run; undefined: the folder is removed at the end
 */
export async function openSeeded(
  count: number,
  cache: string | undefined,
): Promise<Seeded & { readonly close: () => void }> {
  const onProgress = (line: string) => process.stderr.write(`  ${line}\n`);
  if (cache === undefined) {
    const seeded = await seedKeys({ count, onProgress });
    return { ...seeded, close: seeded.remove };
  }
  const dataDir = path.join(path.resolve(cache), `keys-${count}`);
  const file = path.join(dataDir, FILE);
  if (existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Seeded;
    if (Date.now() - kept.plan.now < AGE_DAYS_MAX * DAY_MS) return { ...kept, close: () => undefined };
  }
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true });
  const { environment, plan, bytesOnDisk, seconds } = await seedKeys({ count, dataDir, onProgress });
  const kept: Seeded = { environment, plan, bytesOnDisk, seconds };
  // It holds the master key of data that nobody needs.
  writeFileSync(file, JSON.stringify(kept), { mode: 0o600 });
  return { ...kept, close: () => undefined };
}

/**
 * Keys that are taken, in an order in which none is near the one before, from the position `from` on; and the
 * position after the last, for the next ones.
 */
export function takeWorking(
  plan: SeedPlan,
  count: number,
  from: number,
): { readonly keys: readonly SeededKey[]; readonly next: number } {
  const keys: SeededKey[] = [];
  // In a folder of yesterday keys have expired since, and some would while they are measured.
  const until = Date.now() + DAY_MS;
  let at = from;
  while (at - from < plan.keys && keys.length < count) {
    const key = seededKeyAt(plan, (at * STEP) % plan.keys, until);
    if (key.works && key.fullKey.startsWith(key.id)) keys.push(key);
    at += 1;
  }
  return { keys, next: at };
}

/** All keys there are, whatever their state, in the same order. */
export function* everyKey(plan: SeedPlan): Generator<string> {
  for (let turn = 0; turn < plan.keys; turn += 1) yield seededKeyAt(plan, (turn * STEP) % plan.keys).fullKey;
}
