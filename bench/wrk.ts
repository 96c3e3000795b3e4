import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { CLIENT_CORE } from './servers.ts';

const run = promisify(execFile);
const CONNECTIONS = 32;
const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 };

export interface Load {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Measured {
  readonly requestsPerSecond: number;
  /** So long took all but the slowest hundredth of the requests. */
  readonly p99Ms: number;
}

/** Requests a second over one round. @see measureLoad */
export async function measureRate(url: string, load: Load, seconds: number): Promise<number> {
  return (await measureLoad(url, load, seconds)).requestsPerSecond;
}

/** One round by wrk on the client's core. Any answer but 2xx ends the bench. */
export async function measureLoad(url: string, load: Load, seconds: number): Promise<Measured> {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-wrk-'));
  const script = path.join(folder, 'load.lua');
  const headers = Object.entries(load.headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  writeFileSync(
    script,
    [
      `wrk.method = ${JSON.stringify(load.method)}`,
      ...headers,
      ...(load.body === undefined ? [] : [`wrk.body = ${JSON.stringify(load.body)}`]),
    ].join('\n'),
    { mode: 0o600 },
  );
  const { stdout } = await run('taskset', [
    '-c',
    CLIENT_CORE,
    'wrk',
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    '--latency',
    '-s',
    script,
    `${url}${load.path}`,
  ]);
  if (stdout.includes('Non-2xx')) throw new Error(`The server refused requests of the bench:\n${stdout}`);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  if (rate === undefined || p99 === undefined) throw new Error(`wrk printed no figures:\n${stdout}`);
  return { requestsPerSecond: Number(rate), p99Ms: Number(p99) * (UNIT_MS[unit ?? ''] ?? Number.NaN) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
