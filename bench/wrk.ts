import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { CLIENT_CORE } from './servers.ts';

const run = promisify(execFile);
/** So many callers at the same time fill one core of any server here. */
export const CONNECTIONS = 32;
const OUTPUT_BYTES_MAX = 1_000_000;
/** An answer that takes longer ends the bench: wrk would leave it out of its times. */
const TIMEOUT_SECONDS = 20;

export interface Load {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Bodies of a POST that take one line of a file each: more of them than a client can hold ready. */
export interface LinesLoad {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly file: string;
  readonly bodyBefore: string;
  readonly bodyAfter: string;
}

export interface Measured {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  /** So long took all but the slowest hundredth of the requests. */
  readonly p99Ms: number;
}

export interface Pressure {
  readonly seconds: number;
  readonly connections?: number;
}

interface Figures {
  readonly requests: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly refused: number;
  readonly broken: number;
}

/** wrk's own printed figures are rounded; these are what it counted. Times in microseconds. */
const PRINT_FIGURES = `
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('FIGURES {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end`;

/** Requests a second over one round. @see measureLoads */
export async function measureRate(url: string, load: Load, seconds: number): Promise<number> {
  return (await measureLoads(url, [load], { seconds })).requestsPerSecond;
}

/** One round of one request again and again. @see measureLoads */
export async function measureLoad(url: string, load: Load, seconds: number): Promise<Measured> {
  return await measureLoads(url, [load], { seconds });
}

/**
 * One round by wrk on the client's core, one request after the other in turn, ready-made before the clock starts.
 * Each connection sends its next request when it has the answer to the last.
 *
 * @throws Error when any answer was not 2xx or 3xx, or a connection broke
 */
export async function measureLoads(
  url: string,
  loads: readonly Load[],
  pressure: Pressure,
): Promise<Measured> {
  const requests = loads.map(
    ({ method, path: target, headers, body }) =>
      `requests[#requests + 1] = wrk.format(${quote(method)}, ${quote(target)}, ${table(headers)}, ${body === undefined ? 'nil' : quote(body)})`,
  );
  return await runWrk(url, pressure, [
    'local requests = {}',
    'local turn = 0',
    `init = function()\n  ${requests.join('\n  ')}\nend`,
    'request = function()\n  turn = turn % #requests + 1\n  return requests[turn]\nend',
  ]);
}

/** The same with a body for each line of a file, from its beginning; it begins anew after the last. */
export async function measureLines(url: string, load: LinesLoad, pressure: Pressure): Promise<Measured> {
  return await runWrk(url, pressure, [
    `local lines = io.open(${quote(load.file)})`,
    `local headers = ${table(load.headers)}`,
    'request = function()',
    '  local line = lines:read()',
    "  if line == nil then lines:seek('set'); line = lines:read() end",
    `  return wrk.format('POST', ${quote(load.path)}, headers, ${quote(load.bodyBefore)} .. line .. ${quote(load.bodyAfter)})`,
    'end',
  ]);
}

// A string of JSON is one of Lua too, as long as nothing in it is escaped as \u.
function quote(text: string): string {
  return JSON.stringify(text);
}

function table(values: Readonly<Record<string, string>>): string {
  const fields = Object.entries(values).map(([name, value]) => `[${quote(name)}] = ${quote(value)}`);
  return `{${fields.join(', ')}}`;
}

async function runWrk(url: string, pressure: Pressure, script: readonly string[]): Promise<Measured> {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-wrk-'));
  try {
    const file = path.join(folder, 'load.lua');
    writeFileSync(file, [...script, PRINT_FIGURES].join('\n'), { mode: 0o600 });
    const { connections = CONNECTIONS, seconds } = pressure;
    const wrk = [
      'wrk',
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      `--timeout=${TIMEOUT_SECONDS}s`,
      '-s',
      file,
      url,
    ];
    const { stdout } = await run('taskset', ['-c', CLIENT_CORE, ...wrk], { maxBuffer: OUTPUT_BYTES_MAX });
    return readFigures(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Reads what the script printed at the end of a round.
 *
 * @throws Error when an answer was a refusal or did not come: a server that says no quickly would look fast
 */
export function readFigures(output: string): Measured {
  const text = /^FIGURES (.*)$/m.exec(output)?.[1];
  if (text === undefined) throw new Error(`wrk printed no figures:\n${output}`);
  const { requests, microseconds, p50, p99, refused, broken } = JSON.parse(text) as Figures;
  if (refused > 0 || broken > 0)
    throw new Error(
      `The server refused ${refused} requests of the bench, and ${broken} got no answer:\n${output}`,
    );
  return {
    requests,
    requestsPerSecond: requests / (microseconds / 1_000_000),
    p50Ms: p50 / 1_000,
    p99Ms: p99 / 1_000,
  };
}
