/**
 * better-auth's API keys behind `node:http`. They have no route of their own for a verification, so the wrapper is
 * ours: it reads the body, calls `verifyApiKey` and writes the answer, and nothing else.
 *
 * `node better-auth.mjs <port> <database file> <NORMAL | FULL>`
 */
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { readJson, writeJson } from './http.mjs';

const [port, file, synchronous] = process.argv.slice(2);
const database = new DatabaseSync(file);
database.exec(`pragma journal_mode = WAL; pragma synchronous = ${synchronous}`);

const options = {
  database,
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'a secret of the bench, which guards nothing',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: true },
  // The limit is on by default, at ten verifications a day; without it, each verification writes less.
  plugins: [apiKey({ rateLimit: { enabled: false } })],
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
const { user } = await auth.api.signUpEmail({
  body: { email: 'bench@example.com', password: 'a bench needs no good memory', name: 'Bench' },
});

async function make(count) {
  const keys = [];
  for (let made = 0; made < count; made += 1) {
    const body = { userId: user.id, permissions: { package: ['push'] } };
    const { id, key } = await auth.api.createApiKey({ body });
    keys.push({ id, key });
  }
  return keys;
}

async function answer(request, response) {
  const body = await readJson(request);
  if (request.url === '/verify') {
    const { valid, error } = await auth.api.verifyApiKey({
      body: { key: body.key, permissions: { package: ['push'] } },
    });
    return writeJson(response, { valid, code: error?.code ?? 'valid' });
  }
  if (request.url === '/make') return writeJson(response, await make(body.count));
  if (request.url === '/revoke') {
    await auth.api.updateApiKey({ body: { keyId: body.id, userId: user.id, enabled: false } });
    return writeJson(response, {});
  }
  return writeJson(response, { isReady: true });
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    response.writeHead(500).end();
  });
}).listen(Number(port), '127.0.0.1');
