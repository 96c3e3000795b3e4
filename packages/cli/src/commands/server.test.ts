import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const PACKAGE = path.resolve(import.meta.dirname, '../..');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function run(main: string, words: readonly string[]) {
  const env = { PATH: process.env['PATH'] ?? '' };
  const { status, stderr } = spawnSync(process.execPath, [main, ...words], { env, encoding: 'utf8' });
  return { status, stderr };
}

/** The command line on a machine that has no server. */
function installAlone(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-cli-'));
  folders.push(folder);
  for (const name of ['src', 'package.json'])
    cpSync(path.join(PACKAGE, name), path.join(folder, name), { recursive: true });
  mkdirSync(path.join(folder, 'node_modules/@keyreeve'), { recursive: true });
  symlinkSync(path.join(PACKAGE, '../sdk'), path.join(folder, 'node_modules/@keyreeve/sdk'));
  const own = path.join(PACKAGE, 'node_modules/commander');
  symlinkSync(own, path.join(folder, 'node_modules/commander'));
  return path.join(folder, 'src/bin.ts');
}

describe('commands of the server', () => {
  it('say where they can be run when the server is not installed', () => {
    const { status, stderr } = run(installAlone(), ['backup', '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'cli.server_not_installed', remedy: expect.stringContaining('machine of the server') },
    });
  });

  it('hand on what was typed, and end as the server ends', () => {
    const { status, stderr } = run(path.join(PACKAGE, 'src/bin.ts'), ['restore', '--json', 'no-such.backup']);
    expect(status).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'restore.no_file' } });
  });
});
