import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, startProgram } from '../servers.ts';
import { makeFolder, peerFile, versionOf } from './peer-process.ts';
import { type Credential, requestJson, type Subject, spoilSecret } from './subject.ts';

const PASSWORD = 'a bench needs no good memory';
const USERS_MAX = 10_000;

// Passwords are hashed at the lowest cost: only the making of tokens asks for them, no request that is measured.
const SETTINGS = (folder: string) => `
storage: ${folder}/storage
web: { enable: false }
auth: { htpasswd: { file: ${folder}/htpasswd, max_users: ${USERS_MAX}, algorithm: bcrypt, rounds: 4 } }
security: { api: { legacy: false, jwt: { sign: { expiresIn: 1d } } } }
packages: { '**': { access: $authenticated } }
userRateLimit: { windowMs: 1000, max: 1000000 }
flags: { changePassword: false }
log: { type: stdout, format: json, level: fatal }
`;

/** Tokens of Verdaccio's users, as `npm token create` makes them and `npm whoami` presents them. */
export async function startVerdaccio(): Promise<Subject> {
  const { folder, remove } = makeFolder();
  writeFileSync(path.join(folder, 'config.yaml'), SETTINGS(folder));
  const port = await freePort();
  const script = peerFile('node_modules/verdaccio/bin/verdaccio');
  const server = await startProgram({
    command: [
      process.execPath,
      script,
      '--config',
      path.join(folder, 'config.yaml'),
      '--listen',
      `127.0.0.1:${port}`,
    ],
    port,
    probePath: '/-/ping',
    isReadiness: true,
    environment: { NODE_ENV: 'production' },
    cleanUp: remove,
  });
  let users = 0;
  const owners = new Map<string, string>();
  const makeToken = async (): Promise<Credential> => {
    users += 1;
    const name = `bench${users}`;
    const address = `${server.url}/-/user/org.couchdb.user:${name}`;
    const { token: owner } = await requestJson<{ token: string }>(address, 'PUT', {
      name,
      password: PASSWORD,
    });
    const { token: secret, key: id } = await requestJson<{ token: string; key: string }>(
      `${server.url}/-/npm/v1/tokens`,
      'POST',
      { password: PASSWORD, readonly: false, cidr_whitelist: [] },
      { authorization: `Bearer ${owner}` },
    );
    owners.set(id, owner);
    return { id, secret };
  };
  return {
    name: 'Verdaccio whoami',
    what: `Verdaccio ${versionOf('verdaccio')}, GET /-/whoami with a token of npm token create`,
    durability: 'a file of JSON, kept in the memory of the process',
    server,
    make: async (count) => {
      const tokens: Credential[] = [];
      while (tokens.length < count) tokens.push(await makeToken());
      return tokens;
    },
    load: ({ secret }) => ({
      method: 'GET',
      path: '/-/whoami',
      headers: { authorization: `Bearer ${secret}` },
    }),
    saysYes: async (response) => {
      const { username } = (await response.json()) as { username?: string };
      return response.ok && typeof username === 'string';
    },
    revoke: async ({ id }) => {
      const headers = { authorization: `Bearer ${owners.get(id) ?? ''}` };
      await requestJson(`${server.url}/-/npm/v1/tokens/token/${id}`, 'DELETE', undefined, headers);
    },
    spoil: spoilSecret,
  };
}
