import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type BenchServer, freePort, startProgram } from '../servers.ts';
import { makeFolder } from './peer-process.ts';
import { type Credential, requestJson, type Subject, send, spoilSecret, toBasic } from './subject.ts';

/** Where Debian's package puts its schema and its settings. */
const SCHEMA = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
const SETTINGS = '/etc/glewlwyd/glewlwyd.conf';
const FIRST_ADMIN = { username: 'admin', password: 'password' };
const FORM = 'application/x-www-form-urlencoded';
const SECRET = 'a secret of the bench';
const LIFETIME_SECONDS = 3_600;

/** Tokens for credentials, and questions about tokens, of one server: a process in C with threads. */
export async function startGlewlwyd(): Promise<{ token: Subject; introspect: Subject }> {
  const port = await freePort();
  const server = await startServer(port);
  const cookie = await signIn(server);
  const administer = async (method: string, target: string, body: unknown) =>
    await requestJson(`${server.url}/api/${target}`, method, body, { cookie });
  await administer('POST', 'scope/', {
    name: 'bench',
    display_name: 'bench',
    password_required: false,
    scheme: {},
  });
  await administer('POST', 'mod/plugin/', describePlugin(server.url));

  let clients = 0;
  const makeClient = async (): Promise<Credential> => {
    clients += 1;
    const id = `bench${clients}`;
    await administer('POST', 'client/', { ...describeClient(id), password: SECRET, enabled: true });
    return { id, secret: SECRET };
  };
  const version = execFileSync('glewlwyd', ['--version'], { encoding: 'utf8' }).trim();
  const token: Subject = {
    name: 'Glewlwyd token ES256',
    what: `Glewlwyd ${version}, client_credentials to a JWT signed with ES256; the secret is compared by PBKDF2`,
    durability: 'SQLite as it is by default: rollback journal, synchronous=FULL; each token is a row',
    server,
    make: async (count) => {
      const made: Credential[] = [];
      while (made.length < count) made.push(await makeClient());
      return made;
    },
    load: (credential) => ({
      method: 'POST',
      path: '/api/oidc/token',
      headers: { authorization: toBasic(credential), 'content-type': FORM },
      body: 'grant_type=client_credentials&scope=bench',
    }),
    saysYes: async (response) => response.ok && 'access_token' in ((await response.json()) as object),
    revoke: async ({ id }) => {
      await administer('PUT', `client/${id}`, { ...describeClient(id), enabled: false });
    },
    spoil: spoilSecret,
  };
  return { token, introspect: introspectSubject(token, await makeClient()) };
}

async function startServer(port: number): Promise<BenchServer> {
  const { folder, remove } = makeFolder();
  const file = path.join(folder, 'db');
  const database = new DatabaseSync(file);
  database.exec(readFileSync(SCHEMA, 'utf8'));
  database.close();
  const settings = readFileSync(SETTINGS, 'utf8')
    .replace(/^@include.*$/m, `database = { type = "sqlite3"  path = "${file}" };`)
    .replace(/^port=.*$/m, `port=${port}\nbind_address="127.0.0.1"`)
    .replace(/^external_url=.*$/m, `external_url="http://127.0.0.1:${port}/"`)
    .replace(/^log_mode=.*$/m, 'log_mode="console"')
    .replace(/^log_level=.*$/m, 'log_level="ERROR"');
  const settingsFile = path.join(folder, 'glewlwyd.conf');
  writeFileSync(settingsFile, settings);
  return await startProgram({
    command: ['glewlwyd', `--config-file=${settingsFile}`],
    port,
    probePath: '/api/auth/',
    cleanUp: remove,
  });
}

async function signIn({ url }: BenchServer): Promise<string> {
  const response = await fetch(`${url}/api/auth/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(FIRST_ADMIN),
  });
  if (!response.ok) throw new Error(`Glewlwyd let nobody in: ${response.status}.`);
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}

function describePlugin(issuer: string): unknown {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    module: 'oidc',
    name: 'oidc',
    display_name: 'oidc',
    enabled: true,
    parameters: {
      iss: issuer,
      'jwt-type': 'ecdsa',
      'jwt-key-size': '256',
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: publicKey.export({ type: 'spki', format: 'pem' }),
      'access-token-duration': LIFETIME_SECONDS,
      'refresh-token-duration': LIFETIME_SECONDS,
      'code-duration': 60,
      'refresh-token-rolling': false,
      'allow-non-oidc': true,
      'auth-type-code-enabled': false,
      'auth-type-token-enabled': false,
      'auth-type-id-token-enabled': true,
      'auth-type-none-enabled': false,
      'auth-type-password-enabled': false,
      'auth-type-client-enabled': true,
      'auth-type-refresh-enabled': false,
      'introspection-revocation-allowed': true,
      'introspection-revocation-allow-target-client': true,
      'introspection-revocation-auth-scope': [],
    },
  };
}

function describeClient(id: string): object {
  return {
    client_id: id,
    name: id,
    confidential: true,
    scope: ['bench'],
    authorization_type: ['client_credentials'],
    redirect_uri: [],
    token_endpoint_auth_method: ['client_secret_basic'],
  };
}

/** All tokens are of one client, who asks about them as well: another one may not. */
function introspectSubject(token: Subject, caller: Credential): Subject {
  const ask = (target: string, secret: string) => ({
    ...token.load(caller),
    path: `/api/oidc/${target}`,
    body: `token=${secret}`,
  });
  return {
    ...token,
    name: 'Glewlwyd introspect',
    what: 'Glewlwyd, introspection of an ES256 JWT; its caller authenticated too, by PBKDF2',
    make: async (count) => {
      const made: Credential[] = [];
      while (made.length < count) {
        const answer = await send(token.server.url, token.load(caller));
        const { access_token: secret } = (await answer.json()) as { access_token: string };
        made.push({ id: caller.id, secret });
      }
      return made;
    },
    load: ({ secret }) => ask('introspect', secret),
    saysYes: async (response) => ((await response.json()) as { active: boolean }).active,
    revoke: async ({ secret }) => {
      await (await send(token.server.url, ask('revoke', secret))).arrayBuffer();
    },
  };
}
