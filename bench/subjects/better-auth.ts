import path from 'node:path';
import { freePort, startProgram } from '../servers.ts';
import { makeFolder, peerFile, versionOf } from './peer-process.ts';
import { requestJson, type Subject, spoilSecret } from './subject.ts';

/** better-auth's API keys behind `node:http`, with the database at one of its two usual settings. */
export async function startBetterAuth(synchronous: 'NORMAL' | 'FULL'): Promise<Subject> {
  const { folder, remove } = makeFolder();
  const port = await freePort();
  const server = await startProgram({
    command: [
      process.execPath,
      peerFile('better-auth.mjs'),
      String(port),
      path.join(folder, 'db'),
      synchronous,
    ],
    port,
    probePath: '/',
    environment: { NODE_ENV: 'production' },
    cleanUp: remove,
  });
  return {
    name: `better-auth ${synchronous}`,
    what: `better-auth ${versionOf('better-auth')}, verifyApiKey with a permission behind node:http, rate limit off`,
    durability: `SQLite WAL, synchronous=${synchronous}; each verification writes`,
    server,
    make: async (count) => {
      const keys = await requestJson<{ id: string; key: string }[]>(`${server.url}/make`, 'POST', { count });
      return keys.map(({ id, key }) => ({ id, secret: key }));
    },
    load: ({ secret }) => ({
      method: 'POST',
      path: '/verify',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key: secret }),
    }),
    saysYes: async (response) => ((await response.json()) as { valid: boolean }).valid,
    revoke: async ({ id }) => {
      await requestJson(`${server.url}/revoke`, 'POST', { id });
    },
    spoil: spoilSecret,
  };
}
