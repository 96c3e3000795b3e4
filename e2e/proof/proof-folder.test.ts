import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
// @ts-expect-error tools are plain JavaScript
import * as untyped from '../../tools/proof-folder.mjs';

interface ProofFolder {
  recordsFile(title: string): string;
  hasEnded(title: string): boolean;
  keep(title: string, code: number | string, output: string): void;
  readRecords(title: string): string;
  countSittings(titles: readonly string[]): { readonly sittings: number; readonly seconds: number };
}
const { openProofFolder } = untyped as { openProofFolder: (folder: string, subject: string) => ProofFolder };

const place = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
afterEach(() => rmSync(place, { recursive: true, force: true }));
const AT = 'long form of abcdef0';

it('has a board that was broken off go on with what has not ended well', () => {
  const first = openProofFolder(place, AT);
  for (const [title, code] of [
    ['kill', 0],
    ['fuzz', 1],
  ] as const) {
    writeFileSync(first.recordsFile(title), `${title} once\n`);
    first.keep(title, code, 'what it printed');
  }
  // The third one was ended with the board, in the middle of what it told.
  writeFileSync(first.recordsFile('clock'), 'clock once, in p');

  const second = openProofFolder(place, AT);
  expect(['kill', 'fuzz', 'clock'].filter((title) => second.hasEnded(title))).toEqual(['kill']);
  for (const title of ['fuzz', 'clock']) {
    writeFileSync(second.recordsFile(title), `${title} again\n`, { flag: 'a' });
    second.keep(title, 0, '');
  }
  expect(['kill', 'fuzz', 'clock'].map((title) => second.readRecords(title)).join('')).toBe(
    'kill once\nfuzz again\nclock again\n',
  );
});

it('believes nothing that was measured at another commit', () => {
  openProofFolder(place, AT).keep('kill', 0, '');
  expect(openProofFolder(place, AT).hasEnded('kill')).toBe(true);
  expect(openProofFolder(place, 'long form of 0123456').hasEnded('kill')).toBe(false);
  expect(openProofFolder(place, 'long form of 0123456').countSittings(['kill']).sittings).toBe(0);
});
