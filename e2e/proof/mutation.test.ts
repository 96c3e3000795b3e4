import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { recordControl, recordFigure } from '@keyreeve/testkit';
import { describe, expect, it } from 'vitest';
// @ts-expect-error tools are plain JavaScript
import * as untypedParts from '../../tools/mutation/parts.mjs';
// @ts-expect-error tools are plain JavaScript
import * as untypedSummary from '../../tools/mutation/summary.mjs';

/** Judges what `npm run test:mutation` has measured; see docs/decisions/0039. */
const ITEM = 34;
const isFull = process.env['PROOF_FULL'] === '1';
const ROOT = path.resolve(import.meta.dirname, '../..');
const SOURCES = path.join(ROOT, 'packages/server/src');
const MODULES = ['scopes', 'verification', 'tokens', 'keys', 'auth hook'];
const SCORE_MIN = 90;
const CHANGED_MAX = 5;
const CONTROL = 'rights with a weak set of tests';
const NOT_YET = 'not yet';

interface Result {
  readonly module: string | null;
  readonly killed: number;
  readonly timeout: number;
  readonly survived: number;
  readonly noCoverage: number;
  readonly denying: number;
  readonly denyingUnnoticed: readonly string[];
  /** By their paths, the hashes of what was mutated. */
  readonly files: Readonly<Record<string, string>>;
}

const { PARTS, LEFT_OUT } = untypedParts as {
  PARTS: Readonly<Record<string, { readonly module: string | null; readonly mutate: readonly string[] }>>;
  LEFT_OUT: readonly { readonly reason: string; readonly files: readonly string[] }[];
};
const { hashOf } = untypedSummary as { hashOf: (text: string) => string };
const results = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'results/mutation.json'), 'utf8'),
) as Readonly<Record<string, Result>>;

const list = (patterns: readonly string[]) => globSync([...patterns], { cwd: SOURCES });
const nameOf = (file: string) => path.relative('packages/server/src', file);
const measured = Object.values(results).filter(({ module }) => module !== null);
const measuredFiles = measured.flatMap(({ files }) => Object.entries(files));

function scoreOf(some: readonly Result[]): number {
  const sum = (count: (one: Result) => number) => some.reduce((total, one) => total + count(one), 0);
  const noticed = sum(({ killed, timeout }) => killed + timeout);
  const all = noticed + sum(({ survived, noCoverage }) => survived + noCoverage);
  return all === 0 ? 0 : (100 * noticed) / all;
}

const toPercent = (score: number) => `${score.toFixed(1)} %`;

describe('tests of what decides', () => {
  it('notice nine of ten changes in each module', () => {
    const scores = MODULES.map((module) => ({
      module,
      score: scoreOf(measured.filter((one) => one.module === module)),
    }));
    recordFigure(ITEM, {
      name: 'score of each module',
      reached: scores.map(({ module, score }) => `${module} ${toPercent(score)}`).join(', '),
      wanted: `at least ${SCORE_MIN} %`,
      isHeld: scores.every(({ score }) => score >= SCORE_MIN),
    });
    expect(scores.filter(({ score }) => score < SCORE_MIN)).toEqual([]);
  });

  it('notice each change of a condition that denies', () => {
    const survivors = measured.flatMap(({ denyingUnnoticed }) => denyingUnnoticed);
    const conditions = measured.reduce((total, { denying }) => total + denying, 0);
    recordFigure(ITEM, {
      name: 'survivors on conditions that deny',
      reached: `${survivors.length} of ${conditions}`,
      wanted: '0',
      isHeld: survivors.length === 0 && conditions > 0,
    });
    expect(survivors).toEqual([]);
  });

  it('were measured over files that are still the same', () => {
    const changed = measuredFiles
      .filter(([file, hash]) => hash !== hashOf(readFileSync(path.join(ROOT, file), 'utf8')))
      .map(([file]) => nameOf(file));
    recordFigure(ITEM, {
      name: 'mutated files that have changed since they were measured',
      reached: changed.length === 0 ? 0 : `${changed.length} (${changed.join(', ')})`,
      wanted: `at most ${CHANGED_MAX}`,
      isHeld: changed.length <= CHANGED_MAX,
    });
    expect(changed.length, changed.join(', ')).toBeLessThanOrEqual(CHANGED_MAX);
  });

  it('leave no file of the modules out without a reason, or for later', () => {
    const own = list(['features/{keys,scopes,tokens,verification}/**/*.ts']).filter(
      (file) => !file.endsWith('.test.ts'),
    );
    const mutated = Object.values(PARTS).flatMap(({ mutate }) => list(mutate));
    const leftOut = LEFT_OUT.flatMap(({ files }) => list(files));
    expect(own.filter((file) => mutated.includes(file) === leftOut.includes(file))).toEqual([]);

    const done = new Set(measuredFiles.map(([file]) => nameOf(file)));
    const later = LEFT_OUT.filter(({ reason }) => reason === NOT_YET).flatMap(({ files }) => list(files));
    const missing = [...new Set([...mutated, ...later])].filter((file) => !done.has(file)).toSorted();
    recordFigure(ITEM, {
      name: 'files of the modules that are not measured',
      reached: missing.length === 0 ? 0 : `${missing.length} (${missing.join(', ')})`,
      wanted: '0',
      isHeld: missing.length === 0,
    });
    if (isFull) expect(missing).toEqual([]);
  });
});

describe('the same measurement with tests of something else', () => {
  it('fails', () => {
    const control = results[CONTROL];
    const score = scoreOf(control === undefined ? [] : [control]);
    const survivors = control?.denyingUnnoticed.length ?? 0;
    const hasFailed = control !== undefined && score < SCORE_MIN && survivors > 0;
    recordControl(ITEM, {
      name: 'rights, with tests of something else',
      shown: `${toPercent(score)}, and ${survivors} survivors on conditions that deny`,
      hasFailed,
    });
    expect(hasFailed).toBe(true);
  });
});
