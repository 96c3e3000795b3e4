import type { Clock } from '../../lib/clock.ts';
import { inUsageTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { putBack, type QuotaPlace, takeUses } from './quota.repo.ts';
import { type QuotaState, quotaStateOf } from './quota-periods.ts';

export interface QuotaTake {
  readonly isGranted: boolean;
  /** What is left after this use, in the order of the places that were asked. */
  readonly states: readonly QuotaState[];
}

export interface QuotaTaker {
  /**
   * One use of all these quotas of a key, or of none of them. Durable before it is told; a crash in between loses the
   * use, and never grants one too many.
   */
  take(places: readonly [QuotaPlace, ...QuotaPlace[]]): Promise<QuotaTake>;
}

interface Waiting {
  readonly places: readonly QuotaPlace[];
  readonly resolve: (take: QuotaTake) => void;
  readonly reject: (error: unknown) => void;
}

/** Distinct keys in one transaction: its rows stay locked until it commits. */
const KEYS_PER_TRANSACTION = 100;

/**
 * One write for all who wait: while a transaction is stored, the next uses gather, so that the rate of uses does not
 * depend on the speed of the disk, and 500 callers of one key are one statement.
 */
export function createQuotaTaker(deps: { readonly storage: Storage; readonly clock: Clock }): QuotaTaker {
  const { storage, clock } = deps;
  /** By key and quotas: callers that know different limits of a key are not answered by one sum. */
  const gathered = new Map<string, Waiting[]>();
  let isWriting = false;

  const storeGroups = async (groups: readonly Waiting[][]): Promise<void> => {
    try {
      const now = clock.now();
      const answers = await inUsageTransaction(storage, async (tx) => {
        const takes: QuotaTake[][] = [];
        for (const group of groups) takes.push(await takeForGroup(tx, group, now));
        return takes;
      });
      for (const [index, group] of groups.entries())
        for (const [place, one] of group.entries()) {
          const take = answers[index]?.[place];
          if (take !== undefined) one.resolve(take);
        }
    } catch (error) {
      for (const one of groups.flat()) one.reject(error);
    }
  };

  const write = async (): Promise<void> => {
    while (gathered.size > 0) {
      // Those that came first: by name, some keys would never have their turn under a steady load of others.
      const first = [...gathered.keys()].slice(0, KEYS_PER_TRANSACTION);
      // One order everywhere: two processes that lock the same rows would otherwise wait for each other for ever.
      const names = first.toSorted();
      const groups = names.flatMap((name) => {
        const group = gathered.get(name) ?? [];
        gathered.delete(name);
        return [group];
      });
      await storeGroups(groups);
    }
    isWriting = false;
  };

  return {
    take: (places) =>
      new Promise((resolve, reject) => {
        const [{ keyId }] = places;
        const name = `${keyId} ${JSON.stringify(places.map(({ source, quota }) => [source, quota]))}`;
        const group = gathered.get(name) ?? [];
        gathered.set(name, group);
        group.push({ places, resolve, reject });
        if (isWriting) return;
        isWriting = true;
        // All requests of this turn go into the first transaction.
        setImmediate(() => void write());
      }),
  };
}

/** As many as all quotas have left are granted, in the order in which they came. */
async function takeForGroup(tx: Tx, group: readonly Waiting[], now: number): Promise<QuotaTake[]> {
  const places = group[0]?.places ?? [];
  let granted = group.length;
  const taken: { readonly place: QuotaPlace; readonly given: number; left: QuotaState }[] = [];
  for (const place of places) {
    const { given, count } = await takeUses(tx, place, granted, now);
    taken.push({ place, given, left: quotaStateOf(place.quota, count, now) });
    granted = given;
    if (granted === 0) break;
  }
  for (const one of taken) {
    if (one.given === granted) continue;
    await putBack(tx, one.place, one.given - granted);
    one.left = { ...one.left, remaining: one.left.remaining + one.given - granted };
  }
  return group.map((_one, index) => ({
    isGranted: index < granted,
    // What the later ones of this group take is not taken yet.
    states: taken.map(({ left }) => ({
      ...left,
      remaining: left.remaining + Math.max(0, granted - 1 - index),
    })),
  }));
}
