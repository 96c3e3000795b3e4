import { checksumOf } from '../../packages/server/src/features/keys/key-format.ts';
import { ADMIN, type BenchServer, startKeyreeve } from '../servers.ts';
import type { Load } from '../wrk.ts';
import { type Credential, changeLetter, requestJson, type Subject, spoilSecret, toBasic } from './subject.ts';

const DURABILITY = 'SQLite WAL, synchronous=FULL; a verification writes nothing, uses are counted in groups';
const KEYS_MAX = 10_000;
export const ACTION = 'package:push';
export const RESOURCE = 'Acme.Tool';
const SCOPES = [{ actions: [ACTION], resources: ['Acme.*'] }];

/** Our server with an administrator signed in. */
export interface Site {
  readonly server: BenchServer;
  readonly cookie: string;
  readonly accountId: string;
}

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256';

interface Minted {
  readonly apiKey: string;
  readonly fullKey: string;
  readonly secretKey: string;
}

/** @param environment More settings, or the database to run on. */
export async function openSite(environment: Readonly<Record<string, string>> = {}): Promise<Site> {
  const server = await startKeyreeve({ ...environment, KEYREEVE_WORKERS: '1' });
  const response = await fetch(`${server.url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADMIN),
  });
  if (!response.ok) throw new Error(`Signing in answered ${response.status}: ${await response.text()}`);
  const { account } = (await response.json()) as { account: { id: string } };
  const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  return { server, cookie, accountId: account.id };
}

export async function changeSettings(site: Site, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await requestJson(`${site.server.url}/v1/settings`, 'PATCH', settings, {
    cookie: site.cookie,
    'if-match': '*',
  });
}

/** A site that takes as many keys as a bench needs, and signs tokens by `algorithm`. */
export async function openFreshSite(algorithm: Algorithm = 'ES256'): Promise<Site> {
  const site = await openSite();
  await changeSettings(site, { maxKeysPerAccount: KEYS_MAX, signingAlgorithm: algorithm });
  return site;
}

async function mint(site: Site, scopes: unknown): Promise<Minted> {
  const { server, accountId, cookie } = site;
  const wish = { comment: 'bench', access: 'scoped', scopes };
  return await requestJson(`${server.url}/v1/accounts/${accountId}/keys`, 'POST', wish, { cookie });
}

/** A key that may ask about keys. */
export async function mintCaller(site: Site): Promise<string> {
  return (await mint(site, [{ actions: ['iam:keys:verify'], resources: ['*'] }])).fullKey;
}

/** Another secret with a checksum that fits, so that it is looked up and compared. */
function spoilKey({ id, secret }: Credential): Credential {
  const body = changeLetter(secret.slice(0, -6));
  return { id, secret: `${body}${checksumOf(id, body)}` };
}

/** What all subjects on our server have in common. */
function onKeys(site: Site): Pick<Subject, 'server' | 'durability' | 'make' | 'revoke' | 'spoil'> {
  const { server, cookie } = site;
  return {
    server,
    durability: DURABILITY,
    make: async (count) => {
      const credentials: Credential[] = [];
      for (let made = 0; made < count; made += 1) {
        const { apiKey, secretKey } = await mint(site, SCOPES);
        credentials.push({ id: apiKey, secret: secretKey });
      }
      return credentials;
    },
    revoke: async ({ id }) => {
      await requestJson(`${server.url}/v1/keys/${id}`, 'DELETE', undefined, { cookie });
    },
    spoil: spoilKey,
  };
}

export function authorizeSubject(site: Site): Subject {
  return {
    ...onKeys(site),
    name: 'Keyreeve authorize',
    what: 'GET /v1/authorize with an action and a resource',
    load: ({ id, secret }) => ({
      method: 'GET',
      path: `/v1/authorize?action=${ACTION}&resource=${RESOURCE}`,
      headers: { authorization: `Bearer ${id}_${secret}` },
    }),
    saysYes: (response) => Promise.resolve(response.status === 204),
  };
}

/** @param caller A full key that may ask. */
export function verifyLoad(caller: string, key: string): Load {
  return {
    method: 'POST',
    path: '/v1/keys/verify',
    headers: { authorization: `Bearer ${caller}`, 'content-type': 'application/json' },
    body: JSON.stringify({ key, action: ACTION, resource: RESOURCE }),
  };
}

export function verifySubject(site: Site, caller: string): Subject {
  return {
    ...onKeys(site),
    name: 'Keyreeve verify',
    what: 'POST /v1/keys/verify with an action and a resource; its caller authenticated too',
    load: ({ id, secret }) => verifyLoad(caller, `${id}_${secret}`),
    saysYes: async (response) => ((await response.json()) as { valid: boolean }).valid,
  };
}

export function tokenSubject(site: Site, algorithm: Algorithm): Subject {
  return {
    ...onKeys(site),
    name: `Keyreeve token ${algorithm}`,
    what: `POST /oauth2/token, client_credentials to a JWT signed with ${algorithm}`,
    load: (credential) => ({
      method: 'POST',
      path: '/oauth2/token',
      headers: { authorization: toBasic(credential), 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    }),
    saysYes: async (response) => {
      const { access_token: token } = (await response.json()) as { access_token?: string };
      if (token === undefined) return false;
      const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString();
      const signed = (JSON.parse(header) as { alg: string }).alg;
      if (signed !== algorithm)
        throw new Error(`A token was signed with ${signed} in place of ${algorithm}.`);
      return true;
    },
  };
}

/** The token is what is presented; the key of `caller` asks about it. */
export function introspectSubject(site: Site, caller: string): Subject {
  const keys = tokenSubject(site, 'ES256');
  return {
    ...keys,
    name: 'Keyreeve introspect',
    what: 'POST /oauth2/introspect of an ES256 JWT; its caller authenticated too',
    make: async (count) => {
      const credentials: Credential[] = [];
      for (const key of await keys.make(count)) {
        const { method, path, headers, body } = keys.load(key);
        const response = await fetch(`${site.server.url}${path}`, { method, headers, body: body ?? '' });
        const { access_token: secret } = (await response.json()) as { access_token: string };
        credentials.push({ id: key.id, secret });
      }
      return credentials;
    },
    load: ({ secret }) => ({
      method: 'POST',
      path: '/oauth2/introspect',
      headers: { authorization: `Bearer ${caller}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${secret}`,
    }),
    saysYes: async (response) => ((await response.json()) as { active: boolean }).active,
    spoil: spoilSecret,
  };
}
