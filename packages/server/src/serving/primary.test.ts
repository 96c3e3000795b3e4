import cluster from 'node:cluster';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Primary } from './primary.ts';

/** A worker that says what a real one says, and serves nothing. */
const WORKER = `
const exitCode = Number(process.env.STUB_EXIT_CODE ?? 0);
if (exitCode > 0) process.exit(exitCode);
const say = (message) => process.send(message);
process.on('message', ({ kind, id, isFirst }) => {
  if (kind === 'start') {
    say({ kind: 'opening' });
    setTimeout(() => say({ kind: 'ready', lines: isFirst ? ['prepared'] : [] }), 20);
  } else if (kind === 'ping') say({ kind: 'done', id });
  else if (kind === 'stop jobs') say({ kind: 'jobs stopped' });
  else if (kind === 'retire' || kind === 'stop') process.exit(0);
});
say({ kind: 'hello' });
`;
const WORKERS = 2;
const PING_EVERY_MS = 100;
/** A process is started in the meantime. */
const SOON = { timeout: 10_000, interval: 10 };

const program = process.execPath;
const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-primary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let log: string[];
let primary: Primary;
let ready: PromiseWithResolvers<readonly string[]>;
let ended: ReturnType<Primary['run']>;

beforeEach(() => {
  log = [];
  ready = Promise.withResolvers();
  const exec = path.join(folder, 'worker.mjs');
  writeFileSync(exec, WORKER);
  cluster.setupPrimary({ exec, args: [], execArgv: [] });
  primary = new Primary({
    logger: pino({}, { write: (line) => log.push((JSON.parse(line) as { msg: string }).msg) }),
    workers: WORKERS,
    port: 0,
    drainSeconds: 0,
    pingEveryMs: PING_EVERY_MS,
    onReady: ready.resolve,
  });
  ended = primary.run();
});
afterEach(async () => {
  process.execPath = program;
  delete process.env['STUB_EXIT_CODE'];
  await primary.stop();
});

const listPids = () =>
  Object.values(cluster.workers ?? {}).flatMap((worker) =>
    worker?.isDead() === false ? [worker.process.pid ?? 0] : [],
  );
const count = (line: string) => log.filter((each) => each === line).length;

it('a reload that comes while the first worker starts waits until it has prepared everything', async () => {
  await primary.replaceAll();
  expect(listPids()).toHaveLength(1);
  expect(await ready.promise).toEqual(['prepared']);
  // Its replacement has begun already: the third is a new one.
  const first = listPids().slice(0, WORKERS);
  await vi.waitFor(() => expect(count('the workers are replaced')).toBe(1), SOON);
  await vi.waitFor(() => expect(listPids()).toHaveLength(WORKERS), SOON);
  expect(first.filter((pid) => listPids().includes(pid))).toEqual([]);
});

it('a reload that comes during another one is done after it, and leaves as many workers', async () => {
  await ready.promise;
  await Promise.all([primary.replaceAll(), primary.replaceAll(), primary.replaceAll()]);
  expect(count('the workers are replaced')).toBe(2);
  await vi.waitFor(() => expect(listPids()).toHaveLength(WORKERS), SOON);
  expect(count('a worker crashed; it is replaced')).toBe(0);
});

it('a program that is gone leaves the workers as they are, and one that is there again replaces them', async () => {
  await ready.promise;
  const present = listPids();
  process.execPath = path.join(folder, 'removed with its release');
  await primary.replaceAll();
  expect(count('a new worker did not start; the present ones go on')).toBe(1);
  expect(listPids()).toEqual(present);
  process.execPath = program;
  delete process.env['STUB_EXIT_CODE'];
  await primary.replaceAll();
  expect(count('the workers are replaced')).toBe(1);
});

it('a worker that hangs is killed and replaced, and the other goes on', async () => {
  await ready.promise;
  const [hung = 0, other = 0] = listPids();
  process.kill(hung, 'SIGSTOP');
  await vi.waitFor(() => expect(count('a worker crashed; it is replaced')).toBe(1), SOON);
  expect(count('a worker hangs; it is killed')).toBeGreaterThan(0);
  await vi.waitFor(() => expect(listPids()).toHaveLength(WORKERS), SOON);
  expect(listPids()).toContain(other);
  expect(listPids()).not.toContain(hung);
});

it('the end that comes in the middle of a replacement leaves nobody behind', async () => {
  await ready.promise;
  const replaced = primary.replaceAll();
  expect(listPids()).toHaveLength(WORKERS + 1);
  await primary.stop();
  await replaced;
  expect(listPids()).toEqual([]);
});

it('what ends again and again with a reason of its own ends the server, with its exit code', async () => {
  await ready.promise;
  process.env['STUB_EXIT_CODE'] = '3';
  for (const pid of listPids()) process.kill(pid, 'SIGKILL');
  expect(await ended).toMatchObject({ isExplained: true, exitCode: 3 });
});

it('what cannot be started at all ends the server, with a reason', async () => {
  await ready.promise;
  process.execPath = path.join(folder, 'removed with its release');
  for (const pid of listPids()) process.kill(pid, 'SIGKILL');
  expect(await ended).toMatchObject({ isExplained: false, message: expect.stringContaining('ENOENT') });
});
