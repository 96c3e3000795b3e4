import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../program.ts';

/** A tree of somebody else: a pull request may bring whole folders that git takes for repositories. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-hostile-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => path.join(folder, name);

function git(place: string, ...words: readonly string[]): string {
  const identity = ['-c', 'user.name=Eve', '-c', 'user.email=eve@example.com'];
  const env = { PATH: process.env['PATH'], HOME: folder };
  return execFileSync('git', ['-C', at(place), ...identity, ...words], {
    encoding: 'utf8',
    stdio: 'pipe',
    env,
  }).trim();
}

function makeRepository(place: string): void {
  mkdirSync(at(place), { recursive: true });
  git(place, 'init', '--quiet');
  writeFileSync(at(`${place}/file`), 'text');
  git(place, 'add', '--all');
  git(place, 'commit', '--quiet', '--message', 'first');
}

/** The folder of git alone, under a name that a commit can hold. */
function hideRepository(place: string, name: string): void {
  renameSync(at(`${place}/.git`), at(name));
  rmSync(at(place), { recursive: true });
}

async function scan(words: readonly string[], searched = process.env['PATH'] ?? '') {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  const exitCode = await runProgram(
    {
      env: { PATH: searched, HOME: folder, XDG_CONFIG_HOME: folder },
      homeDir: folder,
      stdin,
      stdout,
      stderr,
      interruption: new AbortController().signal,
    },
    ['scan', '--no-verify', ...words],
  );
  return { exitCode, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

describe('a folder that is a repository of somebody hostile', () => {
  it('runs nothing that its configuration names as a monitor of files', async () => {
    makeRepository('work');
    const ran = at('ran');
    git('work', 'config', 'core.fsmonitor', `touch '${ran}'; echo answer #`);
    git('work', 'update-index', '--fsmonitor');
    git('work', 'status');
    git('work', 'config', 'core.worktree', '..');
    hideRepository('work', 'tree');
    rmSync(ran, { force: true });
    git('tree', 'ls-files');
    expect(existsSync(ran), 'git alone runs it').toBe(true);
    rmSync(ran);

    for (const words of [['--git'], ['--git', '--unreachable'], ['--staged']]) {
      await scan([...words, at('tree')]);
      expect(existsSync(ran), words.join(' ')).toBe(false);
    }
  });

  it('runs nothing that its configuration names as a way to fetch what it lacks', async () => {
    makeRepository('work');
    const ran = at('ran');
    const blob = git('work', 'rev-parse', 'HEAD:file');
    unlinkSync(at(`work/.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`));
    for (const [name, value] of [
      ['core.repositoryFormatVersion', '1'],
      ['extensions.partialClone', 'origin'],
      ['remote.origin.promisor', 'true'],
      ['remote.origin.url', `ext::touch ${ran}`],
      ['protocol.ext.allow', 'always'],
    ] as const)
      git('work', 'config', name, value);
    hideRepository('work', 'tree');
    expect(() => git('tree', 'cat-file', '-p', blob)).toThrow();
    expect(existsSync(ran), 'git alone runs it').toBe(true);
    rmSync(ran);

    // Releases of git before 2024 know nothing of GIT_NO_LAZY_FETCH.
    mkdirSync(at('old'));
    const [real = ''] = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).split('\n');
    writeFileSync(at('old/git'), `#!/bin/sh\nunset GIT_NO_LAZY_FETCH\nexec ${real} "$@"\n`);
    chmodSync(at('old/git'), 0o755);
    for (const words of [['--git'], ['--git', '--unreachable']]) {
      await scan([...words, at('tree')], `${at('old')}:${process.env['PATH'] ?? ''}`);
      expect(existsSync(ran), words.join(' ')).toBe(false);
    }
  });
});
