import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeOn, recordControl, recordFigure, testEngine } from './index.ts';
import type { Rule } from './key-life/model.ts';
import { findDifference } from './key-life/search.ts';
import { type LifeCounts, type LifeWorld, openLifeWorld } from './key-life/world.ts';

const ITEM = 47;
const IS_LONG = process.env['PROOF_FULL'] === '1';
const LIVES = { sqlite: IS_LONG ? 100_000 : 250, postgres: IS_LONG ? 1_000 : 20 }[testEngine()];
const CONTROL_LIVES = 3_000;
const SEED = Number(process.env['PROOF_SEED'] ?? 47_2026);
const MINUTES_MS = 60_000;

let world: LifeWorld;
beforeAll(async () => {
  world = await openLifeWorld();
});
afterAll(() => world.close());

interface Led {
  readonly difference: string | null;
  readonly counts: LifeCounts;
}

/** Half of many lives are led by another process. Databases of PostgreSQL are given to this one only. */
async function leadAll(): Promise<readonly Led[]> {
  const isShared = IS_LONG && testEngine() === 'sqlite';
  const lives = isShared ? LIVES / 2 : LIVES;
  const [own, other] = await Promise.all([
    findDifference(world, { lives, seed: SEED, broken: null }),
    isShared ? leadElsewhere(lives, SEED + 1) : null,
  ]);
  const mine = { difference: own, counts: { ...world.counts } };
  return other === null ? [mine] : [mine, other];
}

async function leadElsewhere(lives: number, seed: number): Promise<Led> {
  const script = join(import.meta.dirname, 'key-life/lead.ts');
  const child = fork(script, [String(lives), String(seed)], { execArgv: [] });
  const ended = once(child, 'exit').then(() => {
    throw new Error('The other process has ended without a word.');
  });
  const [led] = (await Promise.race([once(child, 'message'), ended])) as [Led];
  ended.catch(() => {
    // It ends after its word.
  });
  return led;
}

describe('the lives of keys', () => {
  it(
    `are what the model says, in ${LIVES.toLocaleString('en')} of them`,
    async () => {
      const led = await leadAll();
      const sum = (field: keyof LifeCounts) => led.reduce((total, { counts }) => total + counts[field], 0);
      const differences = led.flatMap(({ difference }) => (difference === null ? [] : [difference]));
      const told = (count: number) => count.toLocaleString('en');
      recordFigure(ITEM, {
        name: 'lives of keys that differ from the model',
        reached: `${differences.length} of ${told(sum('lives'))} lives, ${told(sum('steps'))} steps, ${told(sum('answers'))} answers`,
        wanted: `0 of ${told(LIVES)}`,
        isHeld: differences.length === 0 && sum('lives') >= LIVES,
        seed: SEED,
      });
      expect(differences).toEqual([]);
      expect(sum('lives')).toBeGreaterThanOrEqual(LIVES);
    },
    60 * MINUTES_MS,
  );
});

const RULES: readonly Rule[] = [
  'the old secret dies at once',
  'the overlap ends',
  'a new secret does not enable',
  'enabling brings no token back',
  'narrowing ends tokens',
  'the end itself is too late',
  'grants narrow keys at once',
  'an account that is back brings its keys back',
];

// The model knows no engine: once is enough.
describeOn('sqlite', 'a model with another rule', () => {
  it.each(RULES)(
    'is told from the product: not "%s"',
    async (broken) => {
      const before = world.counts.lives;
      const difference = await findDifference(world, { lives: CONTROL_LIVES, seed: SEED, broken });
      recordControl(ITEM, {
        name: 'a model with another rule',
        shown: `without "${broken}": ${difference === null ? 'no difference' : `a difference in life ${world.counts.lives - before}`}`,
        hasFailed: difference !== null,
      });
      expect(difference).not.toBeNull();
    },
    5 * MINUTES_MS,
  );
});
