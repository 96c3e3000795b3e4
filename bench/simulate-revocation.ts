/**
 * How long after its 2xx a revocation is still unknown to other nodes, by simulation: `node bench/simulate-revocation.ts`
 * prints a table for growing numbers of nodes; with the name of a file of measured figures (`NODES_RESULTS` of the suite
 * `nodes`) it compares its prediction for three nodes with them, and ends with 1 when one is off by more than a factor of
 * 1.5. The model is described in docs/operations/scale.md.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

export interface RevocationModel {
  readonly nodes: number;
  readonly revocations: number;
  /** Between two questions of a node for the epoch. */
  readonly pollMs: number;
  /** How long after a question its answer is believed. */
  readonly leaseMs: number;
  /** A hint never causes a question sooner than this after the last one. */
  readonly hintPauseMs: number;
  /** From the commit until a hint has come to a node. */
  readonly hintMs: number;
  /** The share of hints that never come; 1 without NOTIFY. */
  readonly hintLoss: number;
  /** Of one question at an idle database, there and back: the median. */
  readonly questionMs: number;
  /** How much it varies: the standard deviation of its logarithm. */
  readonly questionSpread: number;
  /** From the commit until the caller has the 2xx. */
  readonly answerMs: number;
  /** Questions that the database answers in a second. */
  readonly questionsPerSecond: number;
  /** The share of nodes that stand still for a while when a revocation comes, and for how long at most. */
  readonly pausedShare: number;
  readonly pauseMsMax: number;
}

export interface RevocationDelays {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** The median of the last node of each revocation. */
  readonly lastNodeMs: number;
  /** Questions a second of all nodes without any revocation. */
  readonly questionsPerSecond: number;
}

/** A small generator (mulberry32) with a fixed beginning: the same table at each run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function drawNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** When a node asks for the first time after the commit, and until when it believes what it knew. */
interface Question {
  readonly sentAtMs: number;
  readonly believedUntilMs: number;
}

/** All times count from the commit. */
function drawQuestion(model: RevocationModel, random: () => number): Question {
  const { pollMs, leaseMs, hintPauseMs, hintMs, hintLoss, pausedShare, pauseMsMax } = model;
  const lastAskedAtMs = -random() * pollMs;
  const hintedAtMs =
    random() < hintLoss ? Number.POSITIVE_INFINITY : Math.max(hintMs, lastAskedAtMs + hintPauseMs);
  // A node that stands still asks when it goes on; until its answer it believes what its lease still covers.
  const resumesAtMs = random() < pausedShare ? random() * pauseMsMax : 0;
  const sentAtMs = Math.max(resumesAtMs, Math.min(lastAskedAtMs + pollMs, hintedAtMs));
  return { sentAtMs, believedUntilMs: lastAskedAtMs + leaseMs };
}

/** Simulates the nodes that did not answer the revocation themselves. */
export function simulateRevocations(model: RevocationModel, seed = 1): RevocationDelays {
  const random = createRandom(seed);
  const { nodes, revocations, questionMs, questionSpread, answerMs, questionsPerSecond } = model;
  const delays: number[] = [];
  const last: number[] = [];
  const serviceMs = 1_000 / questionsPerSecond;
  for (let revocation = 0; revocation < revocations; revocation += 1) {
    const questions = Array.from({ length: Math.max(1, nodes - 1) }, () => drawQuestion(model, random));
    // One after the other at the database: a hint that comes to all makes all of them ask at the same time.
    let freeAtMs = 0;
    let worst = 0;
    for (const { sentAtMs, believedUntilMs } of questions.toSorted((a, b) => a.sentAtMs - b.sentAtMs)) {
      freeAtMs = Math.max(freeAtMs, sentAtMs) + serviceMs;
      const roundTripMs = questionMs * Math.exp(questionSpread * drawNormal(random));
      const knownAtMs = Math.min(freeAtMs + roundTripMs, believedUntilMs);
      const delayMs = Math.max(0, knownAtMs - answerMs);
      delays.push(delayMs);
      worst = Math.max(worst, delayMs);
    }
    last.push(worst);
  }
  return {
    p50Ms: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
    worstMs: quantile(delays, 1),
    lastNodeMs: quantile(last, 0.5),
    questionsPerSecond: (nodes * 1_000) / model.pollMs,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The constants of the server (`storage/postgres/epoch-lease.ts`), and a database in the same room. */
export const SAME_ROOM: RevocationModel = {
  nodes: 3,
  revocations: 2_000,
  pollMs: 250,
  leaseMs: 2_000,
  hintPauseMs: 20,
  hintMs: 2,
  hintLoss: 0,
  questionMs: 1,
  questionSpread: 0.5,
  answerMs: 2,
  questionsPerSecond: 40_000,
  pausedShare: 0,
  pauseMsMax: 0,
};

/** What the suite measures beside the delays, and what the model is given of it. */
interface MeasuredFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
}
export interface Measured {
  readonly questionMs: number;
  readonly questionSpread: number;
  readonly 'kept keys without NOTIFY': MeasuredFigures;
}

const FACTOR_MAX = 1.5;

export interface Comparison {
  readonly figure: string;
  readonly measuredMs: number;
  readonly predictedMs: number;
  readonly factor: number;
}

/**
 * Of the figures without NOTIFY: with it both are a few milliseconds, less than the suite can tell apart, since a caller
 * begins its next request when it has the answer to the last one.
 */
export function compareWithMeasured(measured: Measured): Comparison[] {
  const { questionMs, questionSpread } = measured;
  // The commit is told and the answer sent in about the time of one more question.
  const model = { ...SAME_ROOM, hintLoss: 1, questionMs, questionSpread, answerMs: questionMs };
  const predicted = simulateRevocations(model);
  return (['p50Ms', 'p99Ms'] as const).map((figure) => {
    const [measuredMs, predictedMs] = [measured['kept keys without NOTIFY'][figure], predicted[figure]];
    return {
      figure,
      measuredMs,
      predictedMs,
      factor: Math.max(measuredMs / predictedMs, predictedMs / measuredMs),
    };
  });
}

/** The rows of the table in docs/operations/scale.md. */
export function printScaleTable(): string {
  const situations: readonly (readonly [string, Partial<RevocationModel>])[] = [
    ['NOTIFY comes to all', {}],
    ['1 hint in 100 is lost', { hintLoss: 0.01 }],
    ['no NOTIFY', { hintLoss: 1 }],
    ['no NOTIFY, database 20 ms away', { hintLoss: 1, questionMs: 20, answerMs: 20 }],
    ['1 node in 100 stands still, up to 3 s', { pausedShare: 0.01, pauseMsMax: 3_000 }],
  ];
  const lines = [
    '| situation | nodes | p50 | p99 | worst | the last node, median |',
    '|---|---|---|---|---|---|',
  ];
  for (const [name, change] of situations) {
    for (const nodes of [3, 100, 5_000]) {
      const revocations = nodes > 1_000 ? 50 : 1_000;
      const { p50Ms, p99Ms, worstMs, lastNodeMs } = simulateRevocations({
        ...SAME_ROOM,
        nodes,
        revocations,
        ...change,
      });
      const cells = [p50Ms, p99Ms, worstMs, lastNodeMs].map((value) => `${Math.round(value)} ms`);
      lines.push(`| ${name} | ${nodes.toLocaleString('en')} | ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

/** The measured and the predicted figures of three nodes, as docs/operations/scale.md shows them. */
export function printComparison(measured: Measured): string {
  const rows = compareWithMeasured(measured).map(
    ({ figure, measuredMs, predictedMs, factor }) =>
      `| ${figure.replace('Ms', '')} | ${Math.round(measuredMs)} ms | ${Math.round(predictedMs)} ms | ${factor.toFixed(2)} |`,
  );
  return ['| three nodes, no NOTIFY | measured | simulated | factor |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

function main(file: string | undefined): number {
  if (file === undefined) {
    console.log(printScaleTable());
    return 0;
  }
  const measured = JSON.parse(readFileSync(file, 'utf8')) as Measured;
  console.log(printComparison(measured));
  const comparisons = compareWithMeasured(measured);
  return comparisons.every(({ factor }) => factor <= FACTOR_MAX) ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv[2]);
