import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a process of its own: both change the process for good. */
async function runScript(lines: readonly string[]): Promise<string> {
  const script = ['--max-semi-space-size=8', '--input-type=module', '-e', lines.join('\n')];
  // A cache that is asked for by the environment comes first.
  const env = { ...process.env, NODE_COMPILE_CACHE: undefined };
  return (await run(process.execPath, script, { cwd: import.meta.dirname, env })).stdout;
}

describe('the compile cache', () => {
  const useIn = (dataDir: string) =>
    runScript([
      `import { makeCompileCache } from './compile-cache.mjs';`,
      `makeCompileCache(${JSON.stringify(dataDir)});`,
      `await import('../lib/base62.ts');`,
    ]);

  it('is made for the user of the server alone, in a data folder that is there', async () => {
    const dataDir = path.join(folder, 'data');
    await useIn(dataDir);
    expect(existsSync(dataDir)).toBe(false);
    mkdirSync(dataDir);
    await useIn(dataDir);
    expect(readdirSync(dataDir)).toEqual(['compile-cache']);
    expect(statSync(path.join(dataDir, 'compile-cache')).mode & 0o777).toBe(0o700);
    expect(readdirSync(path.join(dataDir, 'compile-cache'), { recursive: true }).length).toBeGreaterThan(1);
  });

  it('is not run from a folder to which everybody can add, nor from one that lies elsewhere', async () => {
    const places = ['open', 'linked'].map((name) => path.join(folder, name, 'compile-cache'));
    const [open, linked, elsewhere] = [...places, path.join(folder, 'elsewhere')] as [string, string, string];
    for (const made of [open, elsewhere, path.dirname(linked)]) mkdirSync(made, { recursive: true });
    chmodSync(open, 0o777);
    symlinkSync(elsewhere, linked);
    for (const place of [open, linked]) await useIn(path.dirname(place));
    for (const place of [open, elsewhere]) expect(readdirSync(place)).toEqual([]);
  });

  it('ends no start where it cannot be written', async () => {
    const dataDir = path.join(folder, 'full');
    mkdirSync(dataDir);
    // Nobody makes a folder in a file, not even root.
    await expect(useIn(path.join(import.meta.dirname, 'compile-cache.mjs'))).resolves.toBe('');
    chmodSync(dataDir, 0o500);
    await expect(useIn(dataDir)).resolves.toBe('');
  });
});

describe('the heap', () => {
  it('is collected before what is dead is as large as what is alive', async () => {
    // What a cache of keys does: everything lives for a while, and is replaced.
    const printed = await runScript([
      `import { boundHeapGrowth } from './heap-growth.ts';`,
      `boundHeapGrowth();`,
      `const kept = new Array(30_000);`,
      `let most = 0;`,
      `for (let turn = 0; turn < 600_000; turn += 1) {`,
      `  kept[turn % kept.length] = { turn, values: new Array(100).fill(turn) };`,
      `  if (turn % 10_000 === 0) {`,
      `    most = Math.max(most, process.memoryUsage().heapTotal);`,
      `    await new Promise(setImmediate);`,
      `  }`,
      `}`,
      `console.log(most / 1_048_576);`,
    ]);
    // Alive are some 35 MiB with the process itself; without a bound the heap becomes 400 MiB large.
    expect(Number(printed)).toBeLessThan(150);
  });
});
