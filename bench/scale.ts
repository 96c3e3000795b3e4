import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { percentile } from './latency.ts';
import type { ProbeReading } from './scale-probe.ts';
import { listQuestions, type Question } from './scale-questions.ts';
import { openSeeded, type SeededDatabase, seedKeys } from './seed-keys.ts';
import { ADMIN, freePort } from './servers.ts';

/** What one question costs. Times in milliseconds. */
export interface ScaleRow {
  readonly name: string;
  readonly p50Ms: number;
  readonly worstMs: number;
  /** The longest turn of the server's event loop, in time of the processor: median over the requests, and the worst. */
  readonly blockMs: number;
  readonly blockWorstMs: number;
  readonly statements: number;
  /** The longest statement: synchronous on SQLite, it is what blocks. */
  readonly slowestMs: number;
  readonly slowestSql: string;
}

export interface ScaleResult {
  readonly engine: 'sqlite' | 'postgres';
  readonly keys: number;
  readonly seedSeconds: number;
  readonly bytesOnDisk: number;
  /** From the start of the process until it answers that it is ready. */
  readonly readyMs: number;
  /** What the process has read from files until then, the code included. */
  readonly readAtStartMb: number;
  readonly residentMb: number;
  readonly rows: readonly ScaleRow[];
}

const MAIN = path.resolve(import.meta.dirname, '../packages/server/src/start.mjs');
const PROBE = path.resolve(import.meta.dirname, 'scale-probe.ts');
const REQUESTS = 15;
const WARM_UP = 3;
const SQL_CHARACTERS = 900;
const READY_TRIES = 2_000;

interface ProbedServer {
  readonly url: string;
  readonly child: ChildProcess;
  readonly readyMs: number;
}

/** The server as it ships, with the probe in it. */
async function startProbed(environment: Readonly<Record<string, string>>): Promise<ProbedServer> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = fork(MAIN, [], {
    execArgv: ['--import', PROBE],
    env: { ...process.env, ...environment, KEYREEVE_PORT: String(port), KEYREEVE_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const isReady = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return { url, child, readyMs: performance.now() - startedAt };
    if (tries >= READY_TRIES || child.exitCode !== null) throw new Error('The server did not get ready.');
    await delay(10);
  }
}

async function askProbe(child: ChildProcess): Promise<ProbeReading> {
  const answer = once(child, 'message');
  child.send('read');
  const [reading] = (await answer) as [ProbeReading];
  return reading;
}

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADMIN),
  });
  const [cookie] = response.headers.getSetCookie();
  if (cookie === undefined) throw new Error(`Signing in was answered by ${response.status}.`);
  return cookie.split(';')[0] ?? '';
}

async function makeFeed(url: string, cookie: string): Promise<string> {
  const response = await fetch(`${url}/v1/feed-links`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify({ scope: 'workspace' }),
  });
  const { calendarUrl } = (await response.json()) as { calendarUrl: string };
  return new URL(calendarUrl).pathname;
}

async function measure(server: ProbedServer, cookie: string, question: Question): Promise<ScaleRow> {
  const times: number[] = [];
  const readings: ProbeReading[] = [];
  for (let turn = 0; turn < REQUESTS + WARM_UP; turn += 1) {
    server.child.send('reset');
    const startedAt = performance.now();
    const response = await fetch(`${server.url}${question.path(turn)}`, { headers: { cookie } });
    await response.arrayBuffer();
    const ms = performance.now() - startedAt;
    if (!response.ok) throw new Error(`${question.path(turn)} was answered by ${response.status}.`);
    const reading = await askProbe(server.child);
    if (turn < WARM_UP) continue;
    times.push(ms);
    readings.push(reading);
  }
  const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
  const blocks = sorted(readings.map(({ blockMs }) => blockMs));
  const slowest = readings.toSorted((a, b) => b.slowestMs - a.slowestMs);
  return {
    name: question.name,
    p50Ms: percentile(sorted(times), 0.5),
    worstMs: Math.max(...times),
    blockMs: percentile(blocks, 0.5),
    blockWorstMs: blocks.at(-1) ?? 0,
    statements: readings.at(-1)?.statements ?? 0,
    slowestMs: percentile(sorted(readings.map(({ slowestMs }) => slowestMs)), 0.5),
    slowestSql: slowest[0]?.slowestSql ?? '',
  };
}

/** Asks every question of a seeded database, one after the other. `only` names those to ask; default all. */
export async function measureScale(seeded: SeededDatabase, only?: string): Promise<ScaleResult> {
  const server = await startProbed(seeded.environment);
  const { child } = server;
  try {
    const io = readFileSync(`/proc/${String(child.pid)}/io`, 'utf8');
    const cookie = await signIn(server.url);
    const questions = listQuestions(seeded, await makeFeed(server.url, cookie));
    const rows: ScaleRow[] = [];
    for (const question of questions) {
      if (only !== undefined && !question.name.includes(only)) continue;
      const row = await measure(server, cookie, question);
      process.stderr.write(`${toLine(row)}\n`);
      rows.push(row);
    }
    const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
    return {
      engine: seeded.environment['KEYREEVE_DATABASE_URL'] === undefined ? 'sqlite' : 'postgres',
      keys: seeded.plan.keys,
      seedSeconds: seeded.seconds,
      bytesOnDisk: seeded.bytesOnDisk,
      readyMs: server.readyMs,
      readAtStartMb: Number(/rchar: (\d+)/.exec(io)?.[1]) / 1e6,
      residentMb: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1e3,
      rows,
    };
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

function toLine(row: ScaleRow): string {
  const numbers = [row.p50Ms, row.worstMs, row.blockMs, row.blockWorstMs, row.slowestMs];
  const cells = numbers.map((ms) => ms.toFixed(1).padStart(8)).join('');
  return `${row.name.padEnd(34)}${cells}${String(row.statements).padStart(7)}`;
}

function print(results: readonly ScaleResult[], isSqlShown: boolean): void {
  const lines = [`load of the machine ${loadavg()[0]?.toFixed(1) ?? '?'}; ${REQUESTS} requests each`];
  for (const {
    engine,
    keys,
    readyMs,
    readAtStartMb,
    residentMb,
    seedSeconds,
    bytesOnDisk,
    rows,
  } of results) {
    lines.push(
      '',
      `${engine}, ${keys} keys: seeded in ${seedSeconds.toFixed(0)} s, ${(bytesOnDisk / 1e6).toFixed(0)} MB; ready in ${readyMs.toFixed(0)} ms, ${readAtStartMb.toFixed(0)} MB read until then; ${residentMb.toFixed(0)} MB resident at most`,
      `${'milliseconds'.padEnd(34)}     p50   worst   block  (worst)  statement  number`,
      ...rows.map(
        (row) => `${toLine(row)}${isSqlShown ? `  ${row.slowestSql.slice(0, SQL_CHARACTERS)}` : ''}`,
      ),
    );
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      under: { type: 'string' },
      only: { type: 'string' },
      // A folder that `seed-keys.ts` has filled and that stays.
      'data-dir': { type: 'string' },
      // Prints the longest statement of each question too.
      sql: { type: 'boolean', default: false },
      'database-url': { type: 'string' },
      'audit-rows': { type: 'string' },
    },
  });
  if (values['data-dir'] !== undefined) {
    print([await measureScale(openSeeded(values['data-dir']), values.only)], values.sql);
    return;
  }
  const sizes = positionals.length === 0 ? [1_000, 1_000_000] : positionals.map(Number);
  const results: ScaleResult[] = [];
  for (const count of sizes) {
    const seeded = await seedKeys({
      count,
      under: values.under,
      databaseUrl: values['database-url'],
      auditRows: values['audit-rows'] === undefined ? count : Number(values['audit-rows']),
      onProgress: (line) => process.stderr.write(`${line}\n`),
    });
    try {
      results.push(await measureScale(seeded, values.only));
    } finally {
      seeded.remove();
    }
  }
  print(results, values.sql);
}

if (import.meta.main) await main();
