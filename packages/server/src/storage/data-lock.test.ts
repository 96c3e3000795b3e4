import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from './data-lock.ts';

let folder = '';
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'keyreeve-lock-')), 'data');
});
afterEach(() => rmSync(path.dirname(folder), { recursive: true }));

/** Another process that takes the lock, says so, and keeps it until it dies. */
async function startHolder(): Promise<ChildProcessWithoutNullStreams> {
  const module = pathToFileURL(path.join(import.meta.dirname, 'data-lock.ts')).href;
  const script = `import { lockDataFolder } from ${JSON.stringify(module)};
    lockDataFolder(${JSON.stringify(folder)});
    process.stdout.write('locked');
    setInterval(() => {}, 1_000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  holder.stderr.setEncoding('utf8');
  let complaint = '';
  holder.stderr.on('data', (text: string) => (complaint += text));
  const [said] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as [unknown];
  expect(String(said), complaint).toBe('locked');
  return holder;
}

describe('the lock on the data folder', () => {
  it('lets one process in and tells the second which folder is in use', async () => {
    const holder = await startHolder();
    expect(() => lockDataFolder(folder)).toThrow(
      `The data folder ${folder} is in use by another Keyreeve process`,
    );
    holder.kill('SIGTERM');
    await once(holder, 'exit');
  });

  it('is free at once after its holder was killed without a chance to clean up', async () => {
    const holder = await startHolder();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    lockDataFolder(folder).release();
  });

  it('also stops a second lock of the same process, until it is released', () => {
    const lock = lockDataFolder(folder);
    expect(() => lockDataFolder(folder)).toThrow('is in use');
    lock.release();
    lockDataFolder(folder).release();
  });

  it('that cannot be made is not told to be held by another process', () => {
    // As for a file of another user; those who run the tests as root may open that.
    mkdirSync(path.join(folder, 'lock.db'), { recursive: true });
    expect(() => lockDataFolder(folder)).toThrow(`The data folder ${folder} cannot be written (`);
    expect(() => lockDataFolder(folder)).not.toThrow('in use');
  });

  it('is refused on a file that others may write and we may not: SQLite would let everybody in', () => {
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'lock.db'), '', { mode: 0o444 });
    chmodSync(path.dirname(folder), 0o755);
    chmodSync(folder, 0o777);
    const module = pathToFileURL(path.join(import.meta.dirname, 'data-lock.ts')).href;
    const script = `import { lockDataFolder } from ${JSON.stringify(module)};
      lockDataFolder(${JSON.stringify(folder)});`;
    // Root may write everywhere.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      cwd: folder,
      ...user,
    });
    expect(status).not.toBe(0);
    // Where another user may not even read the program, nothing is shown, and nothing is wrong.
    expect(stderr).toMatch(/cannot be written|EACCES|Cannot find module/);
  });

  it('makes the folder for its owner alone', () => {
    lockDataFolder(folder).release();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });
});
