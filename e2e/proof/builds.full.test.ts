import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
// @ts-expect-error tools are plain JavaScript
import { buildSdk as buildUntyped } from '../../tools/build-sdk.mjs';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
const buildSdk = buildUntyped as (target: string, options: { isChecked: boolean }) => void;

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const readTree = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name))
      .map((file) => [path.relative(folder, file), digest(readFileSync(file))] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );

function listDifferences(one: string, other: string): string[] {
  const [ours, theirs] = [readTree(one), readTree(other)];
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].filter(
    (file) => ours[file] !== theirs[file],
  );
}

describe('built twice', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function buildTwice(name: string, build: (target: string) => Promise<void> | void) {
    const targets = [`${name}-1`, `${name}-2`].map((each) => path.join(folder, each)) as [string, string];
    for (const target of targets) await build(target);
    const differences = listDifferences(...targets);
    const count = Object.keys(readTree(targets[0])).length;
    recordFigure(46, {
      name: `files of two builds of the ${name} that differ`,
      reached: `${differences.length} of ${count}`,
      wanted: '0',
      isHeld: differences.length === 0 && count > 0,
    });
    expect(differences).toEqual([]);
    expect(count).toBeGreaterThan(5);
    return targets;
  }

  it('the SDK is the same to the byte, and a byte more would be seen', async () => {
    const targets = await buildTwice('SDK', (target) => buildSdk(target, { isChecked: false }));
    appendFileSync(path.join(targets[1], 'lib/index.js'), '\n');
    const differences = listDifferences(...targets);
    recordControl(46, {
      name: 'a build with one byte more',
      shown: differences.join(', '),
      hasFailed: differences.length === 1,
    });
    expect(differences).toEqual(['lib/index.js']);
  });

  it('the console is the same to the byte', async () => {
    await buildTwice('console', async (target) => {
      const vite = path.join(ROOT, 'node_modules/vite/bin/vite.js');
      const args = [vite, 'build', '--outDir', target, '--emptyOutDir', '--logLevel', 'warn'];
      await run(process.execPath, args, { cwd: path.join(ROOT, 'packages/console') });
    });
  });
});

describe('the registry', () => {
  it('knows of no high or critical vulnerability, where it tells', async () => {
    const outcome = await run('npm', ['audit', '--omit=dev', '--json'], { cwd: ROOT }).catch(
      (error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? '' }),
    );
    const found = readAudit(outcome.stdout);
    // A registry that answers no audit says nothing about the product, so nothing is told to the board then.
    if (found === null) return;
    recordFigure(46, {
      name: 'high and critical vulnerabilities by npm audit',
      reached: found,
      wanted: '0',
      isHeld: found === 0,
    });
    expect(found).toBe(0);
  });
});

/** Null when the registry did not answer. */
function readAudit(text: string): number | null {
  try {
    const counts = (
      JSON.parse(text) as { metadata?: { vulnerabilities?: { high: number; critical: number } } }
    ).metadata?.vulnerabilities;
    return counts === undefined ? null : counts.high + counts.critical;
  } catch {
    return null;
  }
}
