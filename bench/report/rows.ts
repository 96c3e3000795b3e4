import type { Outcome, Round } from '../harness/contest.ts';
import { median, type Spread, spreadOf } from '../harness/statistics.ts';
import { BARE } from '../sections/contests.ts';
import type { Cost, ScaleAt } from '../sections/scale.ts';
import { busyShareOf, formatKeys, formatShare, formatSpread } from './format.ts';
import type { Results } from './results.ts';

/** One promise of the design, and what came of it. */
export interface Row {
  readonly what: string;
  readonly target: string;
  /** Null: not measured in this run. */
  readonly measured: string | null;
  readonly isHeld: boolean | null;
  readonly conditions: string;
}

const RATIO_AUTHORIZE_MIN = 0.7;
const RATIO_VERIFY_MIN = 0.5;
const RATIO_BETTER_AUTH_MIN = 25;
const RATIO_TOKEN_MIN = 1.5;
const SLOWDOWN_MAX = 1.3;
const READY_MS_MAX = 2_000;
const RESIDENT_MIB_MAX = 300;
const SCRIPT_BYTES_MAX = 250_000;
const BUSY_MIN = 0.9;
const FEW_KEYS = 1_000;
const MANY_KEYS = 1_000_000;

const LOADED = 'server on one core, wrk with 32 connections on the other';

export interface Comparison {
  /** Our requests a second divided by theirs, round by round: what happens to the machine meets both of a round. */
  readonly rate: Spread;
  /** Their processor time for a request divided by ours: the same ratio, whatever the client can do. */
  readonly cpu: Spread;
  /** Share of its core that each server took. A server that had time left could have answered more. */
  readonly busy: { readonly ours: number; readonly other: number };
}

export function compare(
  outcomes: readonly Outcome[] | undefined,
  ours: string,
  other: string,
): Comparison | null {
  const find = (name: string) => outcomes?.find((one) => one.name === name);
  const [mine, theirs] = [find(ours), find(other)];
  if (mine === undefined || theirs === undefined) return null;
  const divide = (read: (round: Round) => number, over: Outcome, under: Outcome) =>
    spreadOf(
      over.rounds.map((round, index) => {
        const against = under.rounds[index];
        return against === undefined ? Number.NaN : read(round) / read(against);
      }),
    );
  return {
    rate: divide((round) => round.requestsPerSecond, mine, theirs),
    cpu: divide((round) => round.cpuSecondsPer100k, theirs, mine),
    busy: { ours: busyShareOf(mine), other: busyShareOf(theirs) },
  };
}

function ratioRow(
  what: string,
  comparison: Comparison | null,
  min: number,
  digits: number,
  conditions: string,
): Row {
  const target = `at least ${min.toFixed(digits)} times`;
  if (comparison === null) return { what, target, measured: null, isHeld: null, conditions };
  const { rate, cpu, busy } = comparison;
  const format = (value: number) => value.toFixed(digits);
  // A server that had time left was not at its limit, so that its rate is none to be measured against.
  const isLimit = busy.other >= BUSY_MIN;
  const counted = isLimit ? rate.median : Math.min(rate.median, cpu.median);
  const remark = isLimit ? '' : '; theirs had time left, so the lower ratio counts';
  return {
    what,
    target,
    measured: `${formatSpread(rate, format)}; by processor time ${format(cpu.median)}`,
    isHeld: counted >= min,
    conditions: `${conditions}; cores busy: ours ${formatShare(busy.ours)}, theirs ${formatShare(busy.other)}${remark}`,
  };
}

function slowdownRow(results: Results, kind: 'hot' | 'random', what: string): Row {
  const costAt = (keys: number): Cost | undefined => results.scale?.find((one) => one.keys === keys)?.[kind];
  const [few, many] = [costAt(FEW_KEYS), costAt(MANY_KEYS)];
  const ratio =
    few === undefined || many === undefined
      ? null
      : spreadOf(many.p50Ms.map((p50Ms, round) => p50Ms / (few.p50Ms[round] ?? Number.NaN)));
  const times =
    few === undefined || many === undefined
      ? ''
      : `; ${median(few.p50Ms).toFixed(3)} and ${median(many.p50Ms).toFixed(3)} ms`;
  return {
    what,
    target: `at most ${SLOWDOWN_MAX} times`,
    measured:
      ratio === null
        ? null
        : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})${times}`,
    isHeld: ratio === null ? null : ratio.median <= SLOWDOWN_MAX,
    conditions:
      'one connection, so that it is the time of an answer and not that of a queue; SQLite, synchronous=FULL',
  };
}

function readyRow(many: ScaleAt | undefined): Row {
  const ready = many === undefined ? null : spreadOf(many.readyMs);
  return {
    what: `Ready after start with ${formatKeys(MANY_KEYS)} keys`,
    target: 'under 2 s',
    measured:
      ready === null
        ? null
        : `${(ready.median / 1_000).toFixed(2)} s (${(ready.min / 1_000).toFixed(2)} to ${(ready.max / 1_000).toFixed(2)})`,
    isHeld: ready === null ? null : ready.median < READY_MS_MAX,
    conditions:
      'from the start of the process to the first 200 of /readyz; one core; files in the page cache',
  };
}

function memoryRow(many: ScaleAt | undefined): Row {
  const memory = many?.memory;
  return {
    what: `Resident memory with ${formatKeys(MANY_KEYS)} keys, after ${formatKeys(MANY_KEYS)} verifications over all of them`,
    target: 'under 300 MiB',
    measured:
      memory === undefined
        ? null
        : `${memory.afterMib.toFixed(0)} MiB (at most ${memory.peakMib.toFixed(0)}, ${memory.idleMib.toFixed(0)} before)`,
    isHeld: memory === undefined ? null : memory.afterMib < RESIDENT_MIB_MAX,
    conditions: `VmRSS of the one process; ${LOADED}`,
  };
}

function consoleRow({ console: pages }: Results): Row {
  const largest = pages === null ? null : Math.max(...pages.map(({ bytes }) => bytes));
  return {
    what: 'Initial JavaScript of the console',
    target: 'under 250 kB compressed',
    measured:
      pages?.map(({ path, bytes }) => `${(bytes / 1_000).toFixed(0)} kB (${path})`).join(', ') ?? null,
    isHeld: largest === null ? null : largest < SCRIPT_BYTES_MAX,
    conditions: 'as they travelled to Chromium, until the page was at rest',
  };
}

/** The promises of the design in their order. */
export function judge(results: Results): Row[] {
  const { authorize, verify, tokens } = results.contests;
  const many = results.scale?.find(({ keys }) => keys === MANY_KEYS);
  const peer = `${LOADED}; ours SQLite WAL, synchronous=FULL;`;
  return [
    ratioRow(
      'GET /v1/authorize against a bare node:http server',
      compare(authorize, 'Keyreeve authorize', BARE.GET),
      RATIO_AUTHORIZE_MIN,
      2,
      `${peer} the other keeps nothing`,
    ),
    ratioRow(
      'POST /v1/keys/verify, its caller authenticated too, against the same',
      compare(verify, 'Keyreeve verify', BARE.POST),
      RATIO_VERIFY_MIN,
      2,
      `${peer} the other keeps nothing`,
    ),
    ratioRow(
      'The same against better-auth, verifyApiKey behind node:http',
      compare(verify, 'Keyreeve verify', 'better-auth NORMAL'),
      RATIO_BETTER_AUTH_MIN,
      1,
      `${peer} theirs SQLite WAL, synchronous=NORMAL, which favours it`,
    ),
    ratioRow(
      'Key to ES256 token over /oauth2/token against oidc-provider, client_credentials to ES256',
      compare(tokens, 'Keyreeve token ES256', 'oidc-provider token ES256'),
      RATIO_TOKEN_MIN,
      2,
      `${peer} theirs in memory, which favours it`,
    ),
    slowdownRow(
      results,
      'hot',
      'p50 of a verification with 1,000,000 stored keys against 1,000; 1,000 keys in use',
    ),
    slowdownRow(results, 'random', 'The same with keys drawn from all of them'),
    readyRow(many),
    memoryRow(many),
    consoleRow(results),
  ];
}
