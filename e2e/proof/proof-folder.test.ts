import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
// @ts-expect-error tools are plain JavaScript
import * as untyped from '../../tools/proof-folder.mjs';

interface ProofFolder {
  recordsFile(title: string): string;
  hasEnded(title: string): boolean;
  keep(title: string, code: number | string, output: string): void;
  readRecords(title: string): string;
  tellEffort(): { readonly sittings: number; readonly seconds: number; readonly endedBadly: number };
}
const { openProofFolder } = untyped as {
  openProofFolder: (folder: string, subject: string, now: () => number) => ProofFolder;
};

const [LONG, SHORT] = ['long form of abcdef0', 'short form of abcdef0'];
const TITLES = ['kill', 'fuzz', 'clock'];
let place: string;
let clock: number;
beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
  clock = 1_000;
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

function open(subject: string): ProofFolder {
  clock += 500;
  return openProofFolder(place, subject, () => clock);
}

/** What a run does that takes a minute; `null` for one in the middle of which the board is broken off. */
function run(folder: ProofFolder, title: string, code: number | string | null, text: string): void {
  writeFileSync(folder.recordsFile(title), text, { flag: 'a' });
  clock += 60_000;
  if (code !== null) folder.keep(title, code, 'what it printed');
}

it('has a board that was broken off go on with what has not ended well', () => {
  const first = open(LONG);
  run(first, 'kill', 0, 'kill once\n');
  run(first, 'fuzz', 1, 'fuzz once\n');
  run(first, 'clock', null, 'clock once, in p');

  const second = open(LONG);
  expect(TITLES.filter((title) => second.hasEnded(title))).toEqual(['kill']);
  run(second, 'fuzz', 0, 'fuzz again\n');
  run(second, 'clock', 0, 'clock again\n');
  expect(TITLES.map((title) => second.readRecords(title)).join('')).toBe(
    'kill once\nfuzz again\nclock again\n',
  );
  expect(second.tellEffort()).toEqual({ sittings: 2, seconds: 240, endedBadly: 1 });
});

it('judges a run that ended badly by what it told, until it is run again', () => {
  const folder = open(LONG);
  run(folder, 'kill', 'SIGKILL', 'kill once\n');
  expect(folder.hasEnded('kill')).toBe(false);
  expect(folder.readRecords('kill')).toBe('kill once\n');
});

it('believes nothing that was measured in another form or at another commit', () => {
  run(open(LONG), 'kill', 0, 'whole\n');
  run(open(SHORT), 'kill', null, 'short, in p');
  expect(open(SHORT).hasEnded('kill')).toBe(false);
  expect(open(SHORT).readRecords('kill')).toBe('');
  expect(open('long form of 0123456').hasEnded('kill')).toBe(false);
  const again = open(LONG);
  expect(again.hasEnded('kill')).toBe(true);
  expect(again.readRecords('kill')).toBe('whole\n');
  expect(again.tellEffort()).toEqual({ sittings: 2, seconds: 60, endedBadly: 0 });
});

it('does not take what processes of a broken-off board still tell', () => {
  const first = open(LONG);
  run(first, 'kill', null, '');
  const second = open(LONG);
  run(second, 'kill', 0, 'kill again\n');
  run(first, 'kill', null, 'kill once, late\n');
  expect(second.readRecords('kill')).toBe('kill again\n');
});
