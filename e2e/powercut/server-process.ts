import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../server-process.ts';

const MAIN = path.resolve(import.meta.dirname, '../../packages/server/src/start.mjs');
const START_TRIES = 1_200;

export const ADMIN = { email: 'ada@example.com', password: 'power goes and comes back again' };

export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Cookie of the administrator's session. */
  readonly cookie: string;
  readonly accountId: string;
  kill(): Promise<void>;
}

async function waitUntilReady(child: ChildProcess, url: string): Promise<void> {
  for (let tries = 0; tries < START_TRIES; tries += 1) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`);
    const isUp = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return;
    await delay(50);
  }
  throw new Error('The server did not become ready.');
}

/** The product as it ships, on a data folder, with the administrator signed in. */
export async function startServer(
  dataDir: string,
  nodeArguments: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [...nodeArguments, MAIN], {
    env: {
      ...process.env,
      KEYREEVE_DATA_DIR: dataDir,
      KEYREEVE_PORT: String(port),
      KEYREEVE_ADMIN_EMAIL: ADMIN.email,
      KEYREEVE_ADMIN_PASSWORD: ADMIN.password,
      KEYREEVE_LOG_LEVEL: 'error',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await waitUntilReady(child, url);
  const answer = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADMIN),
  });
  if (!answer.ok) throw new Error(`Signing in failed: ${await answer.text()}`);
  const { account } = (await answer.json()) as { account: { id: string } };
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return {
    url,
    child,
    cookie,
    accountId: account.id,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

export async function callServer(
  server: ServerProcess,
  method: string,
  path_: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(`${server.url}${path_}`, {
    method,
    headers: {
      cookie: server.cookie,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
