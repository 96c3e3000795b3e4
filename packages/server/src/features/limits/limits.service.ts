import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { KeyLimits, Quota, RateLimit } from '../../lib/key-limits.ts';
import type { Storage } from '../../storage/index.ts';
import { everyOf, listQuotas, type QuotaPlace, type QuotaSource } from './quota.repo.ts';
import { type QuotaState, quotaStateOf } from './quota-periods.ts';
import { createQuotaTaker, type QuotaTaker } from './quota-taker.ts';
import type { RateCount, RateCounter } from './rate-counter.ts';

/** A key as it is used: its limits, and those of its account. */
export interface LimitedKey {
  readonly key: Pick<KeyIdentity, 'id' | 'limits'>;
  readonly account: Pick<AccountIdentity, 'workspaceId' | 'keyLimits'>;
}

/** One of the limits that hold a key, as it stands after a request. */
export interface LimitState {
  readonly name: `${QuotaSource}-${'rate' | 'quota'}`;
  readonly limit: number;
  /** Null for quotas by month, whose length differs, and for those without refill. */
  readonly windowSeconds: number | null;
  readonly remaining: number;
  /** Until the window ends, or uses come back; null when they never do. */
  readonly resetSeconds: number | null;
}

export interface LimitAnswer {
  readonly code: 'within' | 'rate_limited' | 'quota_exceeded';
  readonly states: readonly LimitState[];
  /** The limit that refused. */
  readonly spent: LimitState | null;
  /** When to try again, after a refusal; null when waiting does not help. */
  readonly retryAfterSeconds: number | null;
}

export interface QuotaView extends QuotaState {
  readonly source: QuotaSource;
  readonly quota: Quota;
}

/** All limits that hold a key, and what its quotas have left. */
export interface KeyAllowance {
  readonly rates: readonly { readonly source: QuotaSource; readonly rate: RateLimit }[];
  readonly quotas: readonly QuotaView[];
}

export interface LimitsService {
  /**
   * Counts a request with a key that was found good. Its rates count every request, also one that is refused for
   * another reason (`isAccepted: false`); its quotas only those that are accepted. To be awaited before the answer:
   * a use is durable then.
   */
  count(used: LimitedKey, isAccepted: boolean): Promise<LimitAnswer>;
  /** As `count`, without waiting; null, and nothing is counted, for a key with quotas or where rates are shared. */
  countNow(used: LimitedKey): LimitAnswer | null;
  /** Only the quotas, for whoever counts the rates before he knows whether a request is accepted. */
  take(used: LimitedKey): Promise<LimitAnswer>;
  /** The same question, without counting: of rates it says nothing. */
  look(used: LimitedKey): Promise<LimitAnswer>;
  /** What holds these keys of one workspace, by key id; keys without any limit are left out. */
  listAllowances(
    workspaceId: string,
    keys: readonly {
      readonly id: string;
      readonly own: KeyLimits | null;
      readonly ofAccount: KeyLimits | null;
    }[],
  ): Promise<ReadonlyMap<string, KeyAllowance>>;
}

const SECOND_MS = 1_000;
const WINDOW_SECONDS = { hour: 3_600, day: 86_400, month: null } as const;
const WITHIN: LimitAnswer = { code: 'within', states: [], spent: null, retryAfterSeconds: null };

/** True for keys that no answer from memory may be given about: each of their uses is counted. */
export function isLimited({ key, account }: LimitedKey): boolean {
  return key.limits !== null || account.keyLimits !== null;
}

function sourcesOf(own: KeyLimits | null, ofAccount: KeyLimits | null) {
  return [
    { source: 'key', limits: own },
    { source: 'account', limits: ofAccount },
  ] as const;
}

function quotasOf(own: KeyLimits | null, ofAccount: KeyLimits | null) {
  return sourcesOf(own, ofAccount).flatMap(({ source, limits }) =>
    limits?.quota == null ? [] : [{ source, quota: limits.quota }],
  );
}

function ratesOf(own: KeyLimits | null, ofAccount: KeyLimits | null) {
  return sourcesOf(own, ofAccount).flatMap(({ source, limits }) =>
    limits?.rate == null ? [] : [{ source, rate: limits.rate }],
  );
}

function secondsUntil(instant: number | null, now: number): number | null {
  return instant === null ? null : Math.max(1, Math.ceil((instant - now) / SECOND_MS));
}

/** The longest wait of those that refused: before it, one of them would refuse again. */
function refusedBy(
  code: 'rate_limited' | 'quota_exceeded',
  states: readonly LimitState[],
  refusing: readonly LimitState[],
): LimitAnswer {
  const isForEver = refusing.some(({ resetSeconds }) => resetSeconds === null);
  return {
    code,
    states,
    spent: refusing[0] ?? null,
    retryAfterSeconds: isForEver ? null : Math.max(...refusing.map(({ resetSeconds }) => resetSeconds ?? 0)),
  };
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly rateCounter: RateCounter;
}

function placesOf({ key, account }: LimitedKey): QuotaPlace[] {
  return quotasOf(key.limits, account.keyLimits).map(({ source, quota }) => ({
    workspaceId: account.workspaceId,
    keyId: key.id,
    source,
    quota,
  }));
}

/** Under which name, and for how long, each of the rates of a key is counted. */
function windowsOf({ key, account }: LimitedKey) {
  return ratesOf(key.limits, account.keyLimits).map(({ source, rate: { windowSeconds } }) => ({
    name: `${account.workspaceId}:${key.id}:${source}:${windowSeconds}`,
    windowMs: windowSeconds * SECOND_MS,
  }));
}

function toRateAnswer({ key, account }: LimitedKey, counts: readonly RateCount[]): LimitAnswer {
  const rates = ratesOf(key.limits, account.keyLimits).flatMap(({ source, rate }, index) => {
    const counted = counts[index];
    if (counted === undefined) return [];
    const state: LimitState = {
      name: `${source}-rate`,
      limit: rate.requests,
      windowSeconds: rate.windowSeconds,
      remaining: Math.max(0, rate.requests - counted.count),
      resetSeconds: Math.max(1, Math.ceil(counted.resetMs / SECOND_MS)),
    };
    return [{ state, isOver: counted.count > rate.requests }];
  });
  const states = rates.map(({ state }) => state);
  const over = rates.filter(({ isOver }) => isOver).map(({ state }) => state);
  return over.length > 0 ? refusedBy('rate_limited', states, over) : { ...WITHIN, states };
}

class Limits implements LimitsService {
  readonly #deps: Deps;
  readonly #taker: QuotaTaker;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#taker = createQuotaTaker(deps);
  }

  async count(used: LimitedKey, isAccepted: boolean): Promise<LimitAnswer> {
    if (!isLimited(used)) return WITHIN;
    const { rateCounter } = this.#deps;
    const counts = await Promise.all(
      windowsOf(used).map(({ name, windowMs }) => rateCounter.count(name, windowMs)),
    );
    const rated = toRateAnswer(used, counts);
    return rated.code === 'within' && isAccepted ? await this.#take(used, rated.states) : rated;
  }

  countNow(used: LimitedKey): LimitAnswer | null {
    const { rateCounter } = this.#deps;
    if (rateCounter.countNow === undefined || placesOf(used).length > 0) return null;
    const counts: RateCount[] = [];
    for (const { name, windowMs } of windowsOf(used)) counts.push(rateCounter.countNow(name, windowMs));
    return toRateAnswer(used, counts);
  }

  async take(used: LimitedKey): Promise<LimitAnswer> {
    return await this.#take(used, []);
  }

  async look(used: LimitedKey): Promise<LimitAnswer> {
    const places = placesOf(used);
    if (places.length === 0) return WITHIN;
    const states = this.#toLimitStates(places, await this.#readStates(used.account.workspaceId, places));
    const spent = states.filter(({ remaining }) => remaining === 0);
    return spent.length === 0 ? { ...WITHIN, states } : refusedBy('quota_exceeded', states, spent);
  }

  async listAllowances(
    workspaceId: string,
    keys: Parameters<LimitsService['listAllowances']>[1],
  ): Promise<ReadonlyMap<string, KeyAllowance>> {
    const limited = keys.filter(({ own, ofAccount }) => own !== null || ofAccount !== null);
    const places = limited.flatMap(({ id, own, ofAccount }) =>
      quotasOf(own, ofAccount).map((quota) => ({ keyId: id, ...quota })),
    );
    const states = places.length === 0 ? [] : await this.#readStates(workspaceId, places);
    const quotasOfKey = (id: string): QuotaView[] =>
      places.flatMap(({ keyId, source, quota }, index) => {
        const state = states[index];
        return keyId !== id || state === undefined ? [] : [{ source, quota, ...state }];
      });
    return new Map(
      limited.map(({ id, own, ofAccount }) => [
        id,
        { rates: ratesOf(own, ofAccount), quotas: quotasOfKey(id) },
      ]),
    );
  }

  async #take(used: LimitedKey, rates: readonly LimitState[]): Promise<LimitAnswer> {
    const places = placesOf(used);
    const [first, ...others] = places;
    if (first === undefined) return { ...WITHIN, states: rates };
    const taken = await this.#taker.take([first, ...others]);
    const quotas = this.#toLimitStates(places, taken.states);
    const states = [...rates, ...quotas];
    if (taken.isGranted) return { ...WITHIN, states };
    return refusedBy(
      'quota_exceeded',
      states,
      quotas.filter(({ remaining }) => remaining === 0),
    );
  }

  #toLimitStates(places: readonly QuotaPlace[], states: readonly QuotaState[]): LimitState[] {
    const now = this.#deps.clock.now();
    return states.flatMap(({ remaining, refillsAt }, index) => {
      const place = places[index];
      if (place === undefined) return [];
      const { source, quota } = place;
      return [
        {
          name: `${source}-quota` as const,
          limit: quota.uses,
          windowSeconds: quota.refill === null ? null : WINDOW_SECONDS[quota.refill.every],
          remaining,
          resetSeconds: secondsUntil(refillsAt, now),
        },
      ];
    });
  }

  async #readStates(
    workspaceId: string,
    places: readonly Omit<QuotaPlace, 'workspaceId'>[],
  ): Promise<QuotaState[]> {
    const { storage, clock } = this.#deps;
    const keyIds = [...new Set(places.map(({ keyId }) => keyId))];
    const rows = await listQuotas(storage.usage, workspaceId, keyIds);
    const stored = new Map(rows.map((row) => [`${row.keyId} ${row.source} ${row.every}`, row]));
    const now = clock.now();
    return places.map(({ keyId, source, quota }) =>
      quotaStateOf(quota, stored.get(`${keyId} ${source} ${everyOf(quota)}`) ?? null, now),
    );
  }
}

/** @see LimitsService */
export function createLimitsService(deps: Deps): LimitsService {
  return new Limits(deps);
}
