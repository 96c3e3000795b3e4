import cluster, { type Worker } from 'node:cluster';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ToPrimary } from './messages.ts';
import { Primary } from './primary.ts';

/** A worker that says what a real one says, and serves nothing. It is ready when the test says so. */
const WORKER = `
const exitCode = Number(process.env.STUB_EXIT_CODE ?? 0);
if (exitCode > 0) process.exit(exitCode);
const say = (message) => process.send(message);
let lines = [];
process.on('message', ({ kind, id, isFirst }) => {
  if (kind === 'start') {
    if (isFirst) lines = ['prepared'];
    say({ kind: 'opening' });
  } else if (kind === 'be ready') say({ kind: 'ready', lines });
  else if (kind === 'ping') say({ kind: 'done', id });
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
/** A worker opens, and is ready once it is permitted: a start lasts as long as the test wants. */
let opened: PromiseWithResolvers<void>;
let permitted: PromiseWithResolvers<void>;

function holdStarts(): void {
  opened = Promise.withResolvers();
  permitted = Promise.withResolvers();
}

async function permitStart(worker: Worker): Promise<void> {
  opened.resolve();
  await permitted.promise;
  if (worker.isConnected()) worker.send({ kind: 'be ready' });
}

cluster.on('message', (worker: Worker, { kind }: ToPrimary) => {
  if (kind === 'opening') void permitStart(worker);
});

/** @returns the lines for the operator, when all workers serve */
async function awaitReady(): Promise<readonly string[]> {
  permitted.resolve();
  return await ready.promise;
}

beforeEach(() => {
  log = [];
  holdStarts();
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
  await opened.promise;
  await primary.replaceAll();
  expect(listPids()).toHaveLength(1);
  expect(await awaitReady()).toEqual(['prepared']);
  // Its replacement has begun already: the third is a new one.
  const first = listPids().slice(0, WORKERS);
  await vi.waitFor(() => expect(count('the workers are replaced')).toBe(1), SOON);
  await vi.waitFor(() => expect(listPids()).toHaveLength(WORKERS), SOON);
  expect(first.filter((pid) => listPids().includes(pid))).toEqual([]);
});

it('a reload that comes during another one is done after it, and leaves as many workers', async () => {
  await awaitReady();
  await Promise.all([primary.replaceAll(), primary.replaceAll(), primary.replaceAll()]);
  expect(count('the workers are replaced')).toBe(2);
  await vi.waitFor(() => expect(listPids()).toHaveLength(WORKERS), SOON);
  expect(count('a worker crashed; it is replaced')).toBe(0);
});

it('a program that is gone leaves the workers as they are, and one that is there again replaces them', async () => {
  await awaitReady();
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
  await awaitReady();
  const [hung = 0, other = 0] = listPids();
  process.kill(hung, 'SIGSTOP');
  await vi.waitFor(() => expect(count('a worker crashed; it is replaced')).toBe(1), SOON);
  expect(count('a worker hangs; it is killed')).toBeGreaterThan(0);
  await vi.waitFor(() => expect(listPids()).toHaveLength(WORKERS), SOON);
  expect(listPids()).toContain(other);
  expect(listPids()).not.toContain(hung);
});

it('the end that comes in the middle of a replacement leaves nobody behind', async () => {
  await awaitReady();
  holdStarts();
  const replaced = primary.replaceAll();
  await opened.promise;
  expect(listPids()).toHaveLength(WORKERS + 1);
  await primary.stop();
  await replaced;
  expect(listPids()).toEqual([]);
});

it('what ends again and again with a reason of its own ends the server, with its exit code', async () => {
  await awaitReady();
  process.env['STUB_EXIT_CODE'] = '3';
  for (const pid of listPids()) process.kill(pid, 'SIGKILL');
  expect(await ended).toMatchObject({ isExplained: true, exitCode: 3 });
});

it('what cannot be started at all ends the server, with a reason', async () => {
  await awaitReady();
  process.execPath = path.join(folder, 'removed with its release');
  for (const pid of listPids()) process.kill(pid, 'SIGKILL');
  expect(await ended).toMatchObject({ isExplained: false, message: expect.stringContaining('ENOENT') });
});
