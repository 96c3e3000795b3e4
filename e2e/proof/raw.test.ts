import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Harness, recordControl, recordFigure, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Program, startProgram } from '../programs.ts';
import { freePort } from '../server-process.ts';
import { FRAMING_NAMES, type Target, VECTORS } from './raw-vectors.ts';
import { portOf, sendRaw, startTap, type Tap } from './raw-wire.ts';

const ITEM = 36;
/** One is read by the lane before the framework, the other by Node and the framework. */
const PATHS = ['/v1/keys/verify', '/v1/session'];
const STOP_TIMEOUT_MS = 2_000;

interface Proxy {
  readonly name: string;
  readonly port: number;
  readonly tap: Tap;
  readonly program: Program;
}

let harness: Harness;
let port = 0;
let folder = '';
/** Addresses of all requests that the server has read. */
const seen: string[] = [];
const proxies = new Map<string, Proxy>();

const NGINX = (
  listen: number,
  upstream: number,
) => `daemon off; user root; pid ${folder}/nginx.pid; worker_processes 1; events {}
http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  upstream keyreeve { server 127.0.0.1:${upstream}; keepalive 4; }
  server { listen 127.0.0.1:${listen}; location / {
    proxy_pass http://keyreeve; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; } } }
`;
const HAPROXY = (listen: number, upstream: number) => `defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
  http-reuse always
frontend all
  bind 127.0.0.1:${listen}
  default_backend keyreeve
backend keyreeve
  server one 127.0.0.1:${upstream}
`;

async function startProxy(name: 'nginx' | 'HAProxy'): Promise<void> {
  const tap = await startTap(port);
  const listen = await freePort();
  const file = path.join(folder, `${name}.conf`);
  writeFileSync(file, (name === 'nginx' ? NGINX : HAPROXY)(listen, tap.port));
  const options = { port: listen, stopTimeoutMs: STOP_TIMEOUT_MS };
  const program =
    name === 'nginx'
      ? await startProgram('/usr/sbin/nginx', ['-e', 'stderr', '-p', folder, '-c', file], options)
      : await startProgram('/usr/sbin/haproxy', ['-db', '-f', file], options);
  proxies.set(name, { name, port: listen, tap, program });
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-raw-'));
  harness = await startHarness();
  harness.app.server.on('request', ({ url }: { url?: string }) => seen.push(url ?? ''));
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  port = portOf(harness.app.server.address());
  await startProxy('nginx');
  await startProxy('HAProxy');
});
afterAll(async () => {
  for (const { program, tap } of proxies.values()) {
    await program.end('SIGTERM');
    tap.close();
  }
  await harness.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Row {
  readonly name: string;
  readonly isFraming: boolean;
  readonly wanted: readonly number[];
  readonly statuses: readonly number[];
  readonly smuggled: string;
}

/** Sends the whole table, all rows at once, each over a connection of its own. */
async function askAll(at: number, place: string): Promise<Row[]> {
  return await Promise.all(
    PATHS.flatMap((address, pathIndex) =>
      VECTORS.map(async ({ name, wanted, build }, index) => {
        const smuggled = `/smuggled/${place}/${pathIndex}/${index}`;
        const target: Target = { path: address, host: 'localhost:8080', smuggled };
        const statuses = await sendRaw(at, build(target));
        return {
          name: `${name}, to ${address}`,
          isFraming: FRAMING_NAMES.has(name),
          wanted,
          statuses,
          smuggled,
        };
      }),
    ),
  );
}

/** What is wrong with the rows of a server that was asked directly, whose requests are these. */
function judgeDirect(rows: readonly Row[], read: readonly string[]): string[] {
  return rows.flatMap(({ name, wanted, statuses, smuggled }) => [
    ...(statuses.length === 1 && wanted.includes(statuses[0] ?? 0)
      ? []
      : [`${name}: ${statuses.join(', ') || 'nothing'}, wanted ${wanted.join(' or ')}`]),
    ...(read.includes(smuggled) ? [`${name}: the second request was read`] : []),
  ]);
}

function count(items: readonly string[], wanted: string): number {
  return items.filter((item) => item === wanted).length;
}

describe('bytes on a connection', () => {
  it('get the answer that the table wants, and one only', async () => {
    const rows = await askAll(port, 'direct');
    const faults = judgeDirect(rows, seen);
    recordFigure(ITEM, {
      name: 'rows of the table as wanted, asked directly',
      reached: `${rows.length - faults.length} of ${rows.length}`,
      wanted: 'all',
      isHeld: faults.length === 0,
    });
    expect(faults.join('\n')).toBe('');
    expect(rows.length).toBeGreaterThan(100);
    // What counts the requests does count.
    await sendRaw(port, 'GET /smuggled/none HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n');
    expect(count(seen, '/smuggled/none')).toBe(1);
  });

  it.each(['nginx', 'HAProxy'])('are no more requests to the server than %s has sent', async (name) => {
    const proxy = proxies.get(name);
    if (proxy === undefined) throw new Error(`${name} was not started.`);
    const rows = await askAll(proxy.port, name);
    const sent = proxy.tap.listTargets();
    const faults = rows.flatMap(({ name: row, isFraming, statuses, smuggled }) => [
      ...(statuses.some((status) => status >= 500 && ![501, 505].includes(status))
        ? [`${row}: ${statuses.join(', ')}`]
        : []),
      ...(count(seen, smuggled) > count(sent, smuggled)
        ? [`${row}: the server has read a request that was not sent`]
        : []),
      ...(isFraming && statuses.some((status) => status < 300) ? [`${row}: ${statuses.join(', ')}`] : []),
    ]);
    recordFigure(ITEM, {
      name: `rows without a fault behind ${name}`,
      reached: `${rows.length - faults.length} of ${rows.length}, ${sent.length} requests handed on`,
      wanted: 'all',
      isHeld: faults.length === 0,
    });
    expect(faults.join('\n')).toBe('');
    expect(sent.length).toBeGreaterThan(0);
  });

  it('would be read in two ways by a parser that is lenient', async () => {
    const read: string[] = [];
    const lenient = createServer(
      { insecureHTTPParser: true, requireHostHeader: false },
      (request, response) => {
        read.push(request.url ?? '');
        request.resume().on('end', () => response.end());
      },
    );
    lenient.listen(0, '127.0.0.1');
    await new Promise((resolve) => lenient.once('listening', resolve));
    const rows = await askAll(portOf(lenient.address()), 'lenient');
    lenient.closeAllConnections();
    lenient.close();
    const faults = judgeDirect(rows, read);
    const smuggled = rows.filter((row) => read.includes(row.smuggled)).length;
    recordControl(ITEM, {
      name: 'a bare server with a lenient parser',
      shown: `${faults.length} faults, ${smuggled} second requests read`,
      hasFailed: smuggled > 0,
    });
    expect(smuggled).toBeGreaterThan(0);
  });
});
