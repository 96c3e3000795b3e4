import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { judgeItems, type ProofRecord, toLine } from './board.ts';
import { listCommands } from './commands.ts';
import type { ProofItem } from './item.ts';
import { loadItems } from './load-items.ts';
import { readDefects, toProofPage } from './page.ts';

const root = resolve(import.meta.dirname, '../..');

const ITEM: ProofItem = {
  number: 1,
  title: 'acknowledged writes',
  figures: ['lost'],
  controls: ['no fsync'],
  longFigures: ['lost in 200 kills'],
  suites: [{ name: 'power cut', files: ['e2e/powercut/powercut.test.ts'] }],
};
const LOST: ProofRecord = { kind: 'figure', item: 1, name: 'lost', reached: 0, wanted: '0', isHeld: true };
const CONTROL: ProofRecord = {
  kind: 'control',
  item: 1,
  name: 'no fsync',
  shown: 'lost 12',
  hasFailed: true,
};
const LONG: ProofRecord = { ...LOST, name: 'lost in 200 kills' };

const faultsOf = (records: readonly ProofRecord[], form: 'short' | 'long' = 'short') =>
  judgeItems([ITEM], records, form)[0]?.faults;

it('holds an item of which every figure is enough and every control has failed', () => {
  expect(faultsOf([LOST, CONTROL])).toEqual([]);
  expect(faultsOf([LOST, CONTROL, LONG], 'long')).toEqual([]);
});

it('does not hold an item that lacks a figure or a control, also where another engine has brought it', () => {
  expect(faultsOf([])).toEqual(['no figure came for "lost"', 'no control came for "no fsync"']);
  expect(faultsOf([LOST, CONTROL], 'long')).toEqual(['no figure came for "lost in 200 kills"']);
  expect(
    faultsOf([{ ...LOST, on: 'sqlite' }, { ...LOST, on: 'postgres', reached: 3, isHeld: false }, CONTROL]),
  ).toEqual(['lost on postgres: 3, wanted 0']);
});

it('does not hold an item that brings a figure on one engine only, where its tests run on two', () => {
  const suites = [{ name: 'vitest', files: ['a.http.test.ts'], projects: ['sqlite', 'postgres'] }] as const;
  const item = { ...ITEM, figures: ['lost', 'seen'], suites };
  const seen: ProofRecord = { ...LOST, name: 'seen' };
  const of = (...records: ProofRecord[]) =>
    judgeItems([item], [seen, CONTROL, ...records], 'short')[0]?.faults;
  expect(of({ ...LOST, on: 'sqlite' })).toEqual(['no figure came for "lost" on postgres']);
  expect(of({ ...LOST, on: 'sqlite' }, { ...LOST, on: 'postgres' })).toEqual([]);
});

it('does not hold an item whose control passes, or one without a control', () => {
  expect(faultsOf([LOST, { ...CONTROL, shown: 'lost 0', hasFailed: false }])).toEqual([
    'the control "no fsync" did not fail: lost 0',
  ]);
  expect(judgeItems([{ ...ITEM, controls: [] }], [LOST], 'short')[0]?.faults).toEqual(['it has no control']);
});

it('says nothing of an item that is measured in the long form only', () => {
  const item = { ...ITEM, figures: [], controls: [], longControls: ['no fsync'] };
  expect(judgeItems([item], [], 'short')).toEqual([]);
  expect(judgeItems([item], [LONG, CONTROL], 'long')[0]?.faults).toEqual([]);
});

it('judges what cannot be measured everywhere only where it was measured', () => {
  const item = { ...ITEM, figuresWherePossible: ['known vulnerabilities'] };
  const found: ProofRecord = { ...LOST, name: 'known vulnerabilities', reached: 2, isHeld: false };
  expect(judgeItems([item], [LOST, CONTROL], 'short')[0]?.faults).toEqual([]);
  expect(judgeItems([item], [LOST, CONTROL, found], 'short')[0]?.faults).toEqual([
    'known vulnerabilities: 2, wanted 0',
  ]);
});

it('lets no figure fall off the board by a changed name or number', () => {
  expect(faultsOf([LOST, CONTROL, { ...LOST, name: 'losses' }])).toEqual(['"losses" is not on the board']);
  expect(() => judgeItems([ITEM], [{ ...LOST, item: 99 }], 'short')).toThrow('99');
});

it('shows a line and a row for what was reached, and for what did not come', () => {
  const [held] = judgeItems([ITEM], [{ ...LOST, seed: 7 }, CONTROL], 'short');
  const [missing] = judgeItems([ITEM], [CONTROL], 'short');
  if (held === undefined || missing === undefined) throw new Error('no item was judged');
  expect(toLine(held)).toBe(
    'held      1 acknowledged writes: lost 0 [seed 7] (0); 1 control failed as it must',
  );
  expect(toLine(missing)).toBe('NOT HELD  1 acknowledged writes: no figure came for "lost"');
  const page = toProofPage([missing], [], {
    at: '2026-11-27T00:00:00Z',
    commit: 'abcdef0',
    isChanged: true,
    machine: '2 cores',
    sittings: 2,
    endedBadly: 3,
    seconds: 60,
  });
  expect(page).toContain(
    '0 of 1 items held on 2026-11-27, at commit abcdef0 with changes that are in no commit, in 2 sittings of 1 minutes in all (3 runs ended badly and were run again) on',
  );
  expect(page).toContain('| 1 | acknowledged writes | no figure came for "lost" |  |  | **no** |');
  expect(page).toContain('| 1 | no fsync | lost 12 | yes |');
});

it('has a row for each fault, and tables without a gap', () => {
  const items = [ITEM, { ...ITEM, number: 2 }];
  const renamed = { ...LOST, name: 'losses' };
  const judged = judgeItems(items, [{ ...LOST, seed: 7 }, renamed, { ...CONTROL, item: 2 }], 'short');
  const page = toProofPage(judged, [], {
    at: '2026-11-27',
    commit: 'abcdef0',
    isChanged: false,
    machine: '',
    sittings: 1,
    endedBadly: 0,
    seconds: 3_600,
  });
  expect(page).toContain('at commit abcdef0, in one run of 60 minutes on');
  expect(page).toContain('| 1 | acknowledged writes | lost | 0 [seed 7] | 0 | yes |');
  expect(page).toContain('|  |  | "losses" is not on the board |  |  | **no** |');
  expect(page).toContain('|---|---|---|---|\n| 2 | no fsync |');
});

it('lists the commits that say what has found the fault which they mend', () => {
  const log = [
    'aaa\0Keep the lock\0Found by item 9 of the board: two\nprocesses could hold it.\n',
    'bbb\0Add a page\0Nothing was found.\n',
    'ccc\0Answer 400\0It was 500. Found by items 35 and 36 of the board.\n',
  ].join('\u0001\n');
  expect(readDefects(log)).toEqual([
    { items: [35, 36], commit: 'ccc', subject: 'Answer 400' },
    { items: [9], commit: 'aaa', subject: 'Keep the lock' },
  ]);
});

it('runs each file once, the longest first, and alone when one of its items measures time in it', () => {
  const source = { name: 'nodes', files: ['e2e/nodes/deployment.test.ts'] } as const;
  const other = { ...ITEM, number: 2, suites: [{ ...source, isTimed: true as const }] };
  const timed = {
    ...ITEM,
    number: 3,
    suites: [{ name: 'proof timed' as const, files: ['e2e/proof/zip.test.ts'] }],
  };
  const commands = listCommands([{ ...ITEM, suites: [source] }, other, timed, ITEM], 'long');
  expect(commands.map(({ args, isAlone }) => [args.at(-1), isAlone])).toEqual([
    ['e2e/powercut/powercut.test.ts', false],
    ['e2e/nodes/deployment.test.ts', true],
    ['e2e/proof/zip.test.ts', true],
  ]);
});

it('knows where the evidence of each item comes from, and that there is a control', async () => {
  const items = await loadItems();
  for (const { number, figures, longFigures = [], controls, longControls = [], suites } of items) {
    expect([number, figures.length + longFigures.length > 0]).toEqual([number, true]);
    expect([number, controls.length + longControls.length > 0]).toEqual([number, true]);
    expect([number, suites.length > 0]).toEqual([number, true]);
  }
  const missing = listCommands(items, 'long').flatMap(({ args }) =>
    args.filter((arg) => arg.endsWith('.ts') && !arg.endsWith('config.ts') && !existsSync(join(root, arg))),
  );
  expect(missing).toEqual([]);
});
