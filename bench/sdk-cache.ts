import { readFileSync } from 'node:fs';
import { type ClientRequest, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createClient,
  createKeyVerifier,
  type KeyreeveClient,
  type KeyVerifier,
} from '../packages/sdk/src/index.ts';
import { ADMIN, startKeyreeve } from './servers.ts';

/**
 * What the verification cache of the SDK saves, and what its streams cost the server: one run, one process, the
 * server on one core, SQLite.
 */

const SECONDS = 3;
const AT_ONCE = 32;
const STREAMS_PER_ACCOUNT = 500;
/** `USER_HZ` of every Linux: how many ticks of /proc a second of CPU has. */
const TICKS_A_SECOND = 100;

async function signIn(baseUrl: string): Promise<{ client: KeyreeveClient; accountId: string }> {
  const { data, response } = await createClient({ baseUrl }).POST('/v1/session', { body: ADMIN });
  const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  return { client: createClient({ baseUrl, credential: { cookie } }), accountId: data.account.id };
}

async function mint(client: KeyreeveClient, accountId: string, action: string): Promise<string> {
  const { data } = await client.POST('/v1/accounts/{id}/keys', {
    params: { path: { id: accountId } },
    body: { comment: 'bench', access: 'scoped', scopes: [{ actions: [action], resources: ['*'] }] },
  });
  return data.fullKey;
}

/** Answers a second, with so many callers at the same time as a busy service has. */
async function measure(verifier: KeyVerifier, key: string): Promise<number> {
  const endsAt = performance.now() + SECONDS * 1_000;
  let answers = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const { valid } = await verifier.verify({ key, action: 'package:push', resource: 'Acme.Tool' });
      if (!valid) throw new Error('A live key was not valid.');
      answers += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return answers / SECONDS;
}

function openStreams(baseUrl: string, keys: readonly string[]): ClientRequest[] {
  const open = (key: string) =>
    get(
      `${baseUrl}/v1/revocations`,
      { agent: false, headers: { accept: 'text/event-stream', authorization: `Bearer ${key}` } },
      (response) => {
        if (response.statusCode !== 200) throw new Error(`A stream was refused with ${response.statusCode}.`);
        response.resume();
      },
    );
  return keys.flatMap((key) => Array.from({ length: STREAMS_PER_ACCOUNT }, () => open(key)));
}

function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Share of a core, and the slowest of 200 small requests meanwhile. */
async function measureLoad(baseUrl: string, pid: number): Promise<{ share: number; slowestMs: number }> {
  const [ticks, startedAt] = [cpuTicks(pid), performance.now()];
  let slowestMs = 0;
  for (let times = 0; times < 200; times += 1) {
    const sentAt = performance.now();
    await (await fetch(`${baseUrl}/healthz`)).text();
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
    await delay(20);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return { share: (cpuTicks(pid) - ticks) / TICKS_A_SECOND / seconds, slowestMs };
}

async function main(): Promise<void> {
  const server = await startKeyreeve();
  try {
    const { client, accountId } = await signIn(server.url);
    const { data: other } = await client.POST('/v1/service-accounts', {
      body: {
        technicalName: 'bench',
        displayName: 'Bench',
        grants: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
      },
    });
    const caller = await mint(client, accountId, 'iam:keys:verify');
    const key = await mint(client, accountId, 'package:push');
    const credential = { fullKey: caller };
    const asking = createKeyVerifier({ baseUrl: server.url, credential });
    const keeping = createKeyVerifier({ baseUrl: server.url, credential, cache: {} });
    await measure(keeping, key);
    const [asked, kept] = [await measure(asking, key), await measure(keeping, key)];
    await keeping.close();
    process.stdout.write(`asked   ${Math.round(asked)} answers/s\ncached  ${Math.round(kept)} answers/s\n`);
    process.stdout.write(`ratio   ${(kept / asked).toFixed(1)}\n`);
    const pid = server.child.pid ?? 0;
    const idle = await measureLoad(server.url, pid);
    const streams = openStreams(server.url, [caller, await mint(client, other.id, 'iam:keys:verify')]);
    await delay(3_000);
    const busy = await measureLoad(server.url, pid);
    for (const stream of streams) stream.destroy();
    for (const [name, { share, slowestMs }] of Object.entries({ 'no streams': idle, '1,000 streams': busy }))
      process.stdout.write(
        `${name}: ${(share * 100).toFixed(1)} % of a core, slowest small request ${slowestMs.toFixed(1)} ms\n`,
      );
  } finally {
    await server.stop();
  }
}

await main();
