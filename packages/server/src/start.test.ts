import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VARIABLES } from './config/index.ts';

const START = path.join(import.meta.dirname, 'start.mjs');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** No server comes of it, whatever the command: the port is none. It ends once everything has been loaded for that. */
function start(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stderr } = spawnSync(process.execPath, [START, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], KEYREEVE_PORT: 'none', ...env },
    encoding: 'utf8',
  });
  return { status, stderr };
}

function makeCache(dataDir: string): string {
  const cache = path.join(folder, dataDir, 'compile-cache');
  mkdirSync(cache, { recursive: true });
  return cache;
}

function makeLink(to: string, place: string): void {
  rmSync(place, { recursive: true });
  symlinkSync(to, place);
}

const countKept = (cache: string): number => readdirSync(cache, { recursive: true }).length;

describe('what an earlier start has compiled', () => {
  it('is used from the first module on, in the data folder that the server will use', () => {
    expect(VARIABLES.find(({ name }) => name === 'KEYREEVE_DATA_DIR')?.default).toBe('./data');
    const [byDefault, named, inFile] = ['data', 'named', 'in-file'].map(makeCache) as [
      string,
      string,
      string,
    ];

    expect(start([])).toMatchObject({ status: 1, stderr: expect.stringContaining('KEYREEVE_PORT') });
    start(['--demo'], { KEYREEVE_DATA_DIR: ' named ' });
    writeFileSync(path.join(folder, '.env'), 'KEYREEVE_DATA_DIR=in-file\n');
    start(['serve']);

    // The folder of Node's release, and in it `main.ts`, the commands, the configuration and more.
    for (const cache of [byDefault, named, inFile]) expect(countKept(cache)).toBeGreaterThan(20);
  });

  it('is not made before the server knows its place and has the lock of it', () => {
    mkdirSync(path.join(folder, 'data'));
    start([]);
    expect(readdirSync(path.join(folder, 'data'))).toEqual([]);
  });

  it('is left to the server by other commands, which root may run', () => {
    const cache = makeCache('data');
    for (const words of [['doctor'], ['backup', 'there'], ['nothing']]) start(words);
    expect(countKept(cache)).toBe(0);
  });

  it.each<readonly [string, (cache: string) => void]>([
    // Only root gives folders away.
    ...(isRoot
      ? [['that belongs to another user', (cache: string) => chownSync(cache, NOBODY, NOBODY)] as const]
      : []),
    ['to which everybody can add', (cache) => chmodSync(cache, 0o777)],
    ['that is elsewhere', (cache) => makeLink(makeCache('elsewhere'), cache)],
  ])('is not run from a folder %s', (_which, spoil) => {
    const cache = makeCache('data');
    spoil(cache);
    expect(start([])).toMatchObject({ status: 1, stderr: expect.stringContaining('KEYREEVE_PORT') });
    expect(countKept(cache)).toBe(0);
  });

  it('ends no start where its place is no folder, and hides no fault of the settings', () => {
    mkdirSync(path.join(folder, 'data'));
    writeFileSync(path.join(folder, 'data', 'compile-cache'), 'a file');
    expect(start([])).toMatchObject({ status: 1, stderr: expect.stringContaining('KEYREEVE_PORT') });
    mkdirSync(path.join(folder, '.env'));
    expect(start([])).toMatchObject({ status: 1, stderr: expect.stringContaining('Keyreeve cannot start.') });
  });
});
