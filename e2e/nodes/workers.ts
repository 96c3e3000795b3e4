import type { Agent } from 'node:http';
import { mintKey, type Person, signIn } from '../console.ts';
import { type ServerProcess, sleep } from '../server-process.ts';
import { type Answer, asJson, openAgent, send } from './wire.ts';

/** A connection that is kept, and the worker at its other end. */
export interface WorkerConnection {
  readonly agent: Agent;
  readonly pid: number;
}

const WORKERS_TRIED_MAX = 20;

/** Which process has answered: its log line names the request. */
export async function findPid(server: ServerProcess, answer: Answer): Promise<number> {
  const id = String(answer.headers['x-request-id']);
  const [, pid] = await server.waitFor(new RegExp(`"pid":(\\d+),[^\\n]*"reqId":"${id}"`));
  return Number(pid);
}

/** One kept connection to each of two workers. */
export async function connectToBoth(
  server: ServerProcess,
): Promise<readonly [WorkerConnection, WorkerConnection]> {
  const found = new Map<number, WorkerConnection>();
  for (let tried = 0; tried < WORKERS_TRIED_MAX; tried += 1) {
    const agent = openAgent(1);
    const pid = await findPid(server, await send(agent, server.url, { method: 'GET', path: '/healthz' }));
    if (found.has(pid)) agent.destroy();
    else found.set(pid, { agent, pid });
    const [one, other] = [...found.values()];
    if (one !== undefined && other !== undefined) return [one, other];
  }
  throw new Error('All connections came to the same worker.');
}

/** A key that is switched off and on again, over whichever connection. */
export interface SwitchedKey {
  set(agent: Agent, state: 'disable' | 'enable'): Promise<void>;
  /** The status of `/v1/authorize` for it. */
  authorize(agent: Agent): Promise<number>;
  readonly fullKey: string;
}

export async function mintSwitchedKey(server: ServerProcess): Promise<SwitchedKey> {
  const admin: Person = await signIn(server.url);
  const { apiKey, fullKey } = await mintKey(admin, admin.accountId, { comment: 'switch', access: 'account' });
  const { headers: type, ...body } = asJson({});
  return {
    fullKey,
    set: async (agent, state) => {
      const headers = { ...type, cookie: admin.cookie };
      const path = `/v1/keys/${apiKey}/${state}`;
      const answer = await send(agent, server.url, { method: 'POST', path, headers, ...body });
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
    },
    authorize: async (agent) => {
      const headers = { authorization: `Bearer ${fullKey}` };
      return (await send(agent, server.url, { method: 'GET', path: '/v1/authorize', headers })).status;
    },
  };
}

/** Switches the key through one worker and asks the other at once. @returns how often that one was behind */
export async function countStaleAnswers(
  key: SwitchedKey,
  [by, at]: readonly [WorkerConnection, WorkerConnection],
  rounds: number,
): Promise<number> {
  let stale = 0;
  for (let round = 0; round < rounds; round += 1) {
    // Also in memory there, or a refusal would prove nothing.
    if ((await key.authorize(at.agent)) !== 204) throw new Error('The key is not good before the round.');
    await key.set(by.agent, 'disable');
    if ((await key.authorize(at.agent)) !== 401) stale += 1;
    await key.set(by.agent, 'enable');
    if ((await key.authorize(at.agent)) !== 204) stale += 1;
  }
  return stale;
}

export interface Load {
  readonly requests: () => number;
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

const LOOPS = 8;

/**
 * Asks about a key again and again: half of the clients by `fetch`, half by the agent of `node:http`.
 *
 * @param pauseMs of each client between two requests
 */
export function startLoad(url: string, fullKey: string, pauseMs: number): Load {
  const failures: string[] = [];
  const agent = openAgent(LOOPS / 2);
  const headers = { authorization: `Bearer ${fullKey}` };
  let requests = 0;
  const over = new AbortController();
  const askByFetch = async () => {
    const answer = await fetch(`${url}/v1/authorize`, { headers });
    await answer.arrayBuffer();
    return answer.status;
  };
  const askByAgent = async () =>
    (await send(agent, url, { method: 'GET', path: '/v1/authorize', headers })).status;
  const loop = async (ask: () => Promise<number>) => {
    while (!over.signal.aborted) {
      try {
        const status = await ask();
        if (status !== 204) failures.push(`answered ${status}`);
      } catch (error) {
        failures.push(String(error instanceof Error ? (error.cause ?? error) : error));
      }
      requests += 1;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  const loops = Array.from({ length: LOOPS }, (_, index) => loop(index % 2 === 0 ? askByFetch : askByAgent));
  return {
    requests: () => requests,
    failures,
    stop: async () => {
      over.abort();
      await Promise.all(loops);
      agent.destroy();
    },
  };
}
