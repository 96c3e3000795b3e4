import { execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../../..');
const modules = path.join(root, 'node_modules');

/** The Node that runs the tests, and, where there is one, the machine's own, which may be older. */
function findNodes(): string[] {
  const outside = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  const candidates = outside.map((folder) => path.join(folder, 'node')).filter((file) => isExecutable(file));
  return [...new Set([process.execPath, ...candidates.slice(0, 1)].map((file) => realpathSync(file)))];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const SCRIPT = `
import { createClient, KeyreeveTransportError } from '@keyreeve/sdk';
const client = createClient({ baseUrl: 'http://127.0.0.1:1', credential: { fullKey: 'kr_x' } });
const error = await client.GET('/v1/settings').catch((caught) => caught);
console.log(error instanceof KeyreeveTransportError, error.code);
`;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-sdk-'));
  const target = path.join(folder, 'node_modules/@keyreeve/sdk');
  mkdirSync(target, { recursive: true });
  const project = path.join(root, 'packages/sdk/tsconfig.build.json');
  await run(process.execPath, [
    path.join(modules, 'typescript/bin/tsc'),
    '-p',
    project,
    '--outDir',
    path.join(target, 'dist'),
  ]);
  writeFileSync(
    path.join(target, 'package.json'),
    JSON.stringify({ type: 'module', exports: './dist/index.js' }),
  );
  cpSync(path.join(modules, 'openapi-fetch'), path.join(folder, 'node_modules/openapi-fetch'), {
    recursive: true,
  });
  writeFileSync(path.join(folder, 'use.mjs'), SCRIPT);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(findNodes())('the built package works from node_modules under %s', async (node) => {
  const { stdout } = await run(node, ['use.mjs'], { cwd: folder, env: {} });
  expect(stdout).toBe('true client.unreachable\n');
});
