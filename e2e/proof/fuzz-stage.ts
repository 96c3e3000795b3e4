import type { Harness } from '@keyreeve/testkit';
import type { World } from '../matrix/credential.ts';
import { PASSWORD } from '../matrix/town.ts';
import { buildWorld } from '../matrix/world.ts';
import type { Credential, Stage } from './fuzz-requests.ts';
import type { WireAnswer } from './fuzz-wire.ts';

/** Of this many things that requests have made, the latest are asked about again. */
const MADE_MAX = 40;
const STRONG = [
  'session of admin',
  'session of member',
  'session of manager',
  'token of an iam:* key of admin',
  'token of a key that verifies',
];

/** The stage of a round, and a key that no request may touch. */
export interface FuzzStage extends Stage {
  readonly keptKey: string;
  readonly sessionOfAdmin: Readonly<Record<string, string>>;
  /** Remembers ids and cursors of an answer, for later requests. */
  learn(operationId: string, answer: WireAnswer): void;
  /** Forgets what was learnt: the things are gone. */
  forget(): void;
}

/** Two workspaces full of people, keys, packages and credentials in every state, of which the matrix is made too. */
export async function openStage(harness: Harness): Promise<FuzzStage> {
  const world = await buildWorld(harness);
  const { client, cookies } = world.acme;
  const by = { cookie: cookies.admin ?? '' };
  const keeper = { email: 'keeper@acme.example', displayName: 'Keeper', role: 'admin', password: PASSWORD };
  const { json } = await client.send('POST', '/v1/users', by, keeper);
  const kept = await client.mint(by, String(json['id']), {
    access: 'scoped',
    scopes: [{ actions: ['iam:keys:verify', 'package:push'], resources: ['*'] }],
  });
  const everything = await client.mint(by, world.acme.accounts.admin, {
    access: 'scoped',
    scopes: [{ actions: ['iam:*', 'package:*'], resources: ['*'] }],
  });
  const pools = new Map(Object.entries(await makePools(world, everything)));
  const own = new Map([...pools].map(([name, items]) => [name, items.length]));
  const all = world.credentials.map(({ name, headers }): Credential => ({ name, headers }));
  const spellings: Readonly<Record<string, string>>[] = [
    { authorization: `Bearer ${everything.fullKey}` },
    { 'x-nuget-apikey': everything.fullKey },
  ];
  const strongest = spellings.map(
    (headers): Credential => ({
      name: 'key that may everything',
      headers: { host: world.acme.host, ...headers },
    }),
  );
  const [admin] = all.filter(({ name }) => name === STRONG[0]);
  // The first two may do everything, so they are there twice.
  const strong = [...all.filter(({ name }) => STRONG.includes(name)), ...strongest, ...strongest];
  if (admin !== undefined) strong.push(admin);
  if (strong.length < STRONG.length + 2 * spellings.length + 1)
    throw new Error('Credentials of the matrix have other names now.');
  return {
    pools,
    strong,
    all: [...all, ...strong],
    keptKey: kept.fullKey,
    sessionOfAdmin: { host: world.acme.host, ...by },
    learn: (operationId, answer) => {
      for (const [name, id] of readIds(operationId, answer))
        remember(pools.get(name), own.get(name) ?? 0, id);
    },
    forget: () => {
      for (const [name, items] of pools) items.splice(own.get(name) ?? 0);
    },
  };
}

function remember(items: string[] | undefined, ownCount: number, id: string): void {
  if (items === undefined) return;
  items.push(id);
  if (items.length > ownCount + MADE_MAX) items.splice(ownCount, 1);
}

const POOL_OF_MAKER: Readonly<Record<string, string>> = {
  createUser: 'accountId',
  createServiceAccount: 'accountId',
  createWebhook: 'webhookId',
  createFeedLink: 'feedLinkId',
  createPackagePrefix: 'prefixId',
  testWebhook: 'deliveryId',
  requestPackageOwner: 'requestId',
};

function* readIds(operationId: string, { status, headers, body }: WireAnswer): Generator<[string, string]> {
  const type = headers.get('content-type')?.split(';')[0];
  if (status >= 300 || body.length === 0 || type !== 'application/json') return;
  const value = JSON.parse(body.toString()) as Readonly<Record<string, unknown>> | null;
  if (value === null || typeof value !== 'object') return;
  const made = (value['webhook'] ?? value) as Readonly<Record<string, unknown>>;
  const pool = POOL_OF_MAKER[operationId];
  const id = made['id'] ?? made['requestId'];
  if (pool !== undefined && typeof id === 'string') yield [pool, id];
  for (const name of ['apiKey', 'secretKey', 'fullKey', 'nextCursor'])
    if (typeof value[name] === 'string')
      yield [name === 'apiKey' ? 'keyId' : name === 'nextCursor' ? 'cursor' : name, value[name]];
}

async function makePools(
  { acme, bolt, credentials }: World,
  everything: { readonly apiKey: string; readonly secretKey: string; readonly fullKey: string },
): Promise<Record<string, string[]>> {
  const { client } = acme;
  const by = { cookie: acme.cookies.admin ?? '' };
  const { json } = await client.send('GET', '/v1/signing-keys', by);
  const kids = (json['items'] as { kid: string }[]).map(({ kid }) => kid);
  const keys = Object.values(acme.belongings).flatMap(({ spare, off, overlap }) => [spare, off, overlap]);
  const tokens = credentials.flatMap(({ token }) => (token === null ? [] : [token]));
  const accounts = [...Object.values(acme.accounts), ...Object.values(bolt.accounts)];
  const keyIds = [...keys.map(({ apiKey }) => apiKey), everything.apiKey, acme.gone.key];
  const secrets = [...keys.map(({ secretKey }) => secretKey), everything.secretKey];
  const fullKeys = [...keys.map(({ fullKey }) => fullKey), everything.fullKey];
  const packageIds = [...Object.values(acme.belongings).map(({ packageId }) => packageId), acme.outsideId];
  const actions = [
    'package:push',
    'package:*',
    'package:unlist',
    'iam:keys:verify',
    'iam:keys:write',
    'iam:*',
    'orders:read',
  ];
  const passwords = [PASSWORD, 'Zb8kQn4wLx2vRt7m'];
  return {
    accountId: accounts,
    account: accounts,
    ownerId: accounts,
    actor: accounts,
    owner: accounts,
    managers: accounts,
    accountIds: accounts,
    webhookId: [acme.webhook.id, bolt.webhook.id],
    deliveryId: [acme.webhook.deliveryId],
    mailId: Object.values(acme.mails),
    sessionId: Object.values(acme.sessions),
    feedLinkId: Object.values(acme.feeds).map(({ id }) => id),
    feedToken: Object.values(acme.feeds).map(({ token }) => token),
    prefixId: [acme.prefixId],
    requestId: Object.values(acme.requests),
    packageId: packageIds,
    packageIds,
    packages: packageIds,
    packageNames: packageIds,
    id: packageIds,
    version: ['1.0.0', '1.0.0-beta', '2.0.0', '1.0'],
    versions: ['1.0.0', '2.0.0', '*'],
    kid: kids,
    keyId: keyIds,
    pair: keyIds.map((id, index) => `${id} ${secrets[index] ?? ''}`),
    key: [...fullKeys, ...keyIds],
    keys: keyIds,
    apikey: keyIds,
    client_id: keyIds,
    apiKey: keyIds,
    secretkey: secrets,
    client_secret: secrets,
    secretKey: secrets,
    fullKey: fullKeys,
    token: [...tokens, ...fullKeys],
    subject_token: tokens,
    grant_type: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    subject_token_type: ['urn:ietf:params:oauth:token-type:access_token'],
    requested_token_type: ['urn:ietf:params:oauth:token-type:access_token'],
    authorization_details: [
      '[{"type":"keyreeve","actions":["package:push"],"identifiers":["*"]}]',
      '[]',
      '{',
    ],
    scope: ['package:push', 'iam:keys:verify package:push', 'own', 'workspace'],
    actions,
    action: [...actions, 'key.create', 'access.refused'],
    resources: ['*', ...packageIds, 'Fuzz.*', ...accounts.slice(0, 3)],
    resource: ['*', ...packageIds, ...accounts.slice(0, 3)],
    identifiers: ['*', 'Fuzz.*'],
    email: [...Object.values(acme.logins), 'new@acme.example', 'fuzz@example.com'],
    mailTo: ['ops@example.com', ...Object.values(acme.logins)],
    password: passwords,
    currentPassword: passwords,
    newPassword: passwords,
    ipRanges: ['127.0.0.0/8', '203.0.113.0/24', '2001:db8::/32', '10.0.0.1'],
    url: ['https://hooks.example/keyreeve', 'https://93.184.216.34/hook', 'https://127.0.0.1/'],
    timeZone: ['Asia/Tokyo', 'UTC', 'Europe/Berlin'],
    pattern: ['Fuzz.*', 'Reserved.*', 'Acme.Reserved'],
    sha256: ['ab'.repeat(32), 'CD'.repeat(32)],
    cursor: ['x'],
    nextCursor: [],
    subdomain: ['fuzz', 'fuzz-2', 'bolt'],
  };
}
