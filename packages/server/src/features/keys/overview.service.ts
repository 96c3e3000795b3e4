import { type Caller, requireAuthenticated } from '../../http/index.ts';
import { type Clock, DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import type { CursorValues } from '../../lib/page.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import { listRefusalHours } from '../audit/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { isExpired, noticeMsOf } from './api-key.ts';
import type { KeyLister, KeyView } from './key-list.ts';
import { visibleAccountIds } from './keys.policy.ts';
import * as repo from './overview.repo.ts';
import type { UsageRecorder } from './usage.ts';

/** Working means enabled and not expired. */
export interface Overview {
  readonly hours: number;
  readonly generatedAt: number;
  readonly noticeDays: number;
  readonly keys: StateNumbers & UseNumbers & { readonly expiredStillCalled: number };
  /** Days since 1970, only those with keys. */
  readonly expiringByDay: readonly { day: number; count: number }[];
  readonly nextToStop: readonly { view: KeyView; expiresAt: number }[];
  readonly verifications: readonly { hour: number; accepted: number; refused: number }[];
  readonly refusals: readonly { reason: string; count: number }[];
}

interface StateNumbers {
  readonly total: number;
  readonly working: number;
  readonly expiring: number;
  readonly expired: number;
  readonly disabled: number;
}

interface UseNumbers {
  readonly neverUsed: number;
  readonly unusedFor90Days: number;
  readonly isPartial: boolean;
}

export interface OverviewService {
  /** The keys that the caller may see in numbers, and what became of their verifications in the last hours. */
  read(caller: Caller, hours: number): Promise<Overview>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly settings: SettingsService;
  readonly usage: UsageRecorder;
  readonly keyLister: KeyLister;
}

const HORIZON_DAYS = 60;
const NEXT_KEYS = 5;
const UNUSED_DAYS = 90;
// How much one question to the database may be about, so that none holds the event loop for long.
const STRETCH_KEYS = 2_000;
const STRETCH_ACCOUNTS = 50;
const STRETCH_ACCOUNT_KEYS = 10_000;
const LOOKUP_KEYS = 500;
const COUNTER_KEYS = 20;
// How much is looked at in all. Counting by state reads one index and takes a second for so many.
const COUNT_KEYS_MAX = 1_000_000;
const USE_KEYS_MAX = 20_000;
const CALLED_KEYS_MAX = 5_000;
const COUNTED_KEYS_MAX = 1_000;

/** What the auth hook calls a credential that is nobody's, and what a verification calls it. */
const UNKNOWN_CREDENTIAL = 'auth.invalid_credential';
const UNKNOWN_OUTCOME = 'not_found';

export function createOverviewService(deps: Deps): OverviewService {
  return {
    read: async (caller, hours) => {
      const { principal, workspace } = requireAuthenticated(caller);
      const { expiryNoticeDays } = await deps.settings.get(workspace.id);
      const circle = { workspaceId: workspace.id, accountIds: visibleAccountIds(principal) };
      const now = deps.clock.now();
      const sinceHour = Math.floor(now / HOUR_MS) - hours + 1;
      const { numbers, expiringByDay, isPartial } = await countByState(deps, circle, {
        now,
        noticeEnd: now + noticeMsOf(expiryNoticeDays),
        horizon: (Math.floor(now / DAY_MS) + HORIZON_DAYS) * DAY_MS,
      });
      const uses = await countUnused(deps, circle, now);
      const called = await countStillCalled(deps, circle, now, now - hours * HOUR_MS);
      const outcomes = await sumOutcomes(deps, circle, sinceHour);
      return {
        hours,
        generatedAt: now,
        noticeDays: Math.max(0, ...expiryNoticeDays),
        keys: {
          ...numbers,
          ...uses,
          expiredStillCalled: called.count,
          isPartial: isPartial || uses.isPartial || called.isPartial || outcomes.isPartial,
        },
        expiringByDay,
        nextToStop: await findNextToStop(deps, caller),
        verifications: toVerifications(outcomes.hours),
        refusals: toRefusals(outcomes.hours),
      };
    },
  };
}

async function countByState(
  { storage }: Deps,
  { workspaceId, accountIds }: repo.KeyCircle,
  moments: repo.StateMoments,
): Promise<{ numbers: StateNumbers; expiringByDay: Overview['expiringByDay']; isPartial: boolean }> {
  const numbers = { total: 0, working: 0, expiring: 0, expired: 0, disabled: 0 };
  const days = new Map<number, number>();
  let isPartial = false;
  const add = ({ group, count, expiring }: repo.KeyGroup): void => {
    numbers.total += count;
    numbers.expiring += expiring;
    if (group === 'disabled' || group === 'expired') numbers[group] += count;
    else numbers.working += count;
    if (typeof group === 'number') days.set(group, (days.get(group) ?? 0) + count);
  };
  const turns = createTurns();
  if (accountIds === null) {
    for (let after: string | null = ''; after !== null; await turns.step()) {
      const stretch = await repo.countStretch(storage.read, workspaceId, moments, after, STRETCH_KEYS);
      stretch.groups.forEach(add);
      after = stretch.lastId;
      isPartial = after !== null && numbers.total >= COUNT_KEYS_MAX;
      if (isPartial) break;
    }
  }
  for (let from = 0; from < (accountIds?.length ?? 0); from += STRETCH_ACCOUNTS) {
    const some = accountIds?.slice(from, from + STRETCH_ACCOUNTS) ?? [];
    const before = numbers.total;
    (await repo.countStates(storage.read, workspaceId, some, moments, STRETCH_ACCOUNT_KEYS)).forEach(add);
    isPartial ||= numbers.total - before === STRETCH_ACCOUNT_KEYS;
    await turns.step();
  }
  const expiringByDay = [...days].map(([day, count]) => ({ day, count })).toSorted((a, b) => a.day - b.day);
  return { numbers, expiringByDay, isPartial };
}

/** Last uses are in another store than the keys, so they are looked up for the newest keys, up to a bound. */
async function countUnused(
  { storage, usage }: Deps,
  circle: repo.KeyCircle,
  now: number,
): Promise<UseNumbers> {
  const before = now - UNUSED_DAYS * DAY_MS;
  const turns = createTurns();
  let [neverUsed, unusedFor90Days, scanned] = [0, 0, 0];
  for await (const keys of walkKeyAges(storage, circle)) {
    const working = keys.filter((key) => key.isEnabled && !isExpired(key.expiresAt, now));
    const lastUses = await usage.findLastUses(
      circle.workspaceId,
      working.map((key) => key.id),
    );
    for (const { id, createdAt } of working) {
      const lastUse = lastUses.get(id);
      if (lastUse === undefined) neverUsed += 1;
      if ((lastUse?.at ?? createdAt) < before) unusedFor90Days += 1;
    }
    scanned += keys.length;
    if (scanned >= USE_KEYS_MAX) return { neverUsed, unusedFor90Days, isPartial: true };
    await turns.step();
  }
  return { neverUsed, unusedFor90Days, isPartial: false };
}

/** The keys of a circle, the newest first, some at a time. */
async function* walkKeyAges(
  { read }: Pick<Storage, 'read'>,
  circle: repo.KeyCircle,
): AsyncGenerator<readonly repo.KeyAge[]> {
  if (circle.accountIds?.length === 0) return;
  let after: CursorValues | null = null;
  do {
    const { ages, end }: Awaited<ReturnType<typeof repo.listKeyAges>> = await repo.listKeyAges(read, circle, {
      after,
      limit: LOOKUP_KEYS,
    });
    yield ages;
    after = end;
  } while (after !== null);
}

/** Expired keys that somebody still presents: found by their last refusal. */
async function countStillCalled(
  { storage }: Deps,
  circle: repo.KeyCircle,
  now: number,
  since: number,
): Promise<{ count: number; isPartial: boolean }> {
  if (circle.accountIds?.length === 0) return { count: 0, isPartial: false };
  const { workspaceId } = circle;
  const ids = await repo.listRefusedKeyIds(storage.usage, workspaceId, 'expired', since, CALLED_KEYS_MAX);
  const turns = createTurns();
  let count = 0;
  for (let from = 0; from < ids.length; from += LOOKUP_KEYS) {
    count += await repo.countExpired(storage.read, circle, ids.slice(from, from + LOOKUP_KEYS), now);
    await turns.step();
  }
  return { count, isPartial: ids.length === CALLED_KEYS_MAX };
}

/** Whoever sees the whole workspace is told its totals; others the sum over their own keys. */
async function sumOutcomes(
  { storage }: Deps,
  circle: repo.KeyCircle,
  sinceHour: number,
): Promise<{ hours: readonly repo.OutcomeHour[]; isPartial: boolean }> {
  const { workspaceId, accountIds } = circle;
  if (accountIds === null) {
    const known = await repo.listWorkspaceHours(storage.usage, workspaceId, sinceHour);
    const unknown = await listRefusalHours(storage.usage, workspaceId, UNKNOWN_CREDENTIAL, sinceHour);
    const hours = [...known, ...unknown.map((row) => ({ ...row, outcome: UNKNOWN_OUTCOME }))];
    return { hours, isPartial: false };
  }
  if (accountIds.length === 0) return { hours: [], isPartial: false };
  const ids: string[] = [];
  for await (const keys of walkKeyAges(storage, circle)) {
    ids.push(...keys.map((key) => key.id));
    if (ids.length >= COUNTED_KEYS_MAX) break;
  }
  const isPartial = ids.length >= COUNTED_KEYS_MAX;
  const turns = createTurns();
  const hours: repo.OutcomeHour[] = [];
  for (let from = 0; from < Math.min(ids.length, COUNTED_KEYS_MAX); from += COUNTER_KEYS) {
    const some = ids.slice(from, from + COUNTER_KEYS);
    hours.push(...(await repo.sumKeyHours(storage.usage, workspaceId, some, sinceHour)));
    await turns.step();
  }
  return { hours, isPartial };
}

async function findNextToStop({ keyLister }: Deps, caller: Caller): Promise<Overview['nextToStop']> {
  const { items } = await keyLister.list(
    caller,
    { status: 'working', sort: 'expiresAt' },
    { limit: NEXT_KEYS },
  );
  return items.flatMap((view) => {
    const { expiresAt } = view.key.current;
    return expiresAt === null ? [] : [{ view, expiresAt }];
  });
}

function toVerifications(outcomes: readonly repo.OutcomeHour[]): Overview['verifications'] {
  const hours = new Map<number, { hour: number; accepted: number; refused: number }>();
  for (const { hour, outcome, count } of outcomes) {
    const sum = hours.get(hour) ?? { hour, accepted: 0, refused: 0 };
    sum[outcome === 'valid' ? 'accepted' : 'refused'] += count;
    hours.set(hour, sum);
  }
  return [...hours.values()].toSorted((a, b) => a.hour - b.hour);
}

function toRefusals(outcomes: readonly repo.OutcomeHour[]): Overview['refusals'] {
  const counts = new Map<string, number>();
  for (const { outcome, count } of outcomes)
    if (outcome !== 'valid') counts.set(outcome, (counts.get(outcome) ?? 0) + count);
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}
