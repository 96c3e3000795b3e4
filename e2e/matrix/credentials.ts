import { Buffer } from 'node:buffer';
import { DAY_MS, HOUR_MS } from '@keyreeve/server';
import type { Harness } from '@keyreeve/testkit';
import { accountAccessOf, IAM, PACKAGES, type Person, type Right, VERIFY } from './cast.ts';
import {
  createClient,
  emailOf,
  type Headers,
  importKey,
  type Minted,
  openTown,
  settleTown,
  type Town,
  toMinted,
} from './town.ts';

/** Who a credential truly is: what the oracle decides by. Written down beside the making, never asked of the server. */
export type Facts =
  | { readonly kind: 'nobody' }
  /** Sent to a host that is no workspace. */
  | { readonly kind: 'astray' }
  /** Two different credentials in one request. */
  | { readonly kind: 'ambiguous' }
  /** Something that is no good, or no good any more, or no good here. */
  | { readonly kind: 'bad'; readonly carrier: 'cookie' | 'header' }
  | { readonly kind: 'session'; readonly person: Person }
  | {
      readonly kind: 'key' | 'token';
      readonly person: Person;
      /** Scopes of the key and grants of its account, both. */
      readonly rights: readonly Right[];
      /** The account whose packages it acts for. */
      readonly owner: Person;
    };

export interface Credential {
  readonly name: string;
  readonly facts: Facts;
  /** The workspace that the request is sent to, and the other one. */
  readonly home: Town;
  readonly away: Town;
  readonly headers: Headers;
  /** The request says that another site has started it. */
  readonly isCrossSite: boolean;
  /** For `/iam/login`, which takes the credential in its body. */
  readonly pair: { readonly apiKey: string; readonly secretKey: string } | null;
  /** For the routes that take a token in the query string. */
  readonly token: string | null;
}

export interface World {
  readonly harness: Harness;
  readonly acme: Town;
  readonly bolt: Town;
  readonly credentials: readonly Credential[];
}

const ACME_HOST = 'localhost:8080';
const BOLT_HOST = 'bolt.keys.test:8080';
const SCOPED = { access: 'scoped' } as const;
const CROSS_SITE = { 'sec-fetch-site': 'cross-site' };

/** What must be older than the rest: the clock moves on by a day and an hour before anything else is made. */
interface Early {
  readonly expiredKey: Minted;
  readonly expiredToken: string;
  readonly idleCookie: string;
}

export async function buildWorld(harness: Harness): Promise<World> {
  const { deps, clock } = harness;
  const client = createClient(harness, ACME_HOST);
  const code = await deps.workspaces.issueSetupCode(deps.defaultWorkspace.id);
  const cookie = await openTown(client, 'Acme', code.reveal());
  const early = await makeEarly(client, cookie);
  clock.advance(DAY_MS + HOUR_MS);
  const acme = await settleTown(harness, { name: 'Acme', host: ACME_HOST, isDefault: true });
  const created = await client.send('POST', '/v1/workspaces', cookieOf(acme, 'admin'), {
    name: 'Bolt',
    subdomain: 'bolt',
  });
  await openTown(createClient(harness, BOLT_HOST), 'Bolt', created.json['setupCode'] as string);
  const bolt = await settleTown(harness, { name: 'Bolt', host: BOLT_HOST, isDefault: false });
  const make = makerFor(acme, bolt);
  const credentials = [
    ...withoutAny(make),
    ...(await sessionsOf(make, acme, early)),
    ...(await goodKeys(make, acme)),
    ...(await badKeys(make, acme, early)),
    ...(await importedKeys(make, acme)),
    ...(await tokensOf(make, acme, early)),
    ...(await foreigners(make, bolt)),
  ];
  return { harness, acme, bolt, credentials };
}

async function makeEarly(client: Town['client'], cookie: string): Promise<Early> {
  const by = { cookie };
  const account = (await client.send('GET', '/v1/session', by)).json['account'] as { id: string };
  const strong = { ...SCOPED, scopes: [...IAM, ...PACKAGES] };
  const lasting = await client.mint(by, account.id, strong);
  return {
    expiredKey: await client.mint(by, account.id, { ...strong, lifetimeDays: 1 }),
    expiredToken: await client.login(lasting),
    idleCookie: (await client.signIn(emailOf('Acme', 'admin'))).cookie,
  };
}

type Details = Partial<Pick<Credential, 'headers' | 'isCrossSite' | 'pair' | 'token'>>;
type Make = (name: string, facts: Facts, details?: Details, at?: 'acme' | 'bolt') => Credential;

function makerFor(acme: Town, bolt: Town): Make {
  return (name, facts, details = {}, at = 'acme') => {
    const [home, away] = at === 'acme' ? [acme, bolt] : [bolt, acme];
    const { headers = {}, ...rest } = details;
    return {
      name,
      facts,
      home,
      away,
      isCrossSite: false,
      pair: null,
      token: null,
      ...rest,
      headers: { host: home.host, ...headers },
    };
  };
}

const NOBODY: Facts = { kind: 'nobody' };
const BAD: Facts = { kind: 'bad', carrier: 'header' };
const ENDED: Facts = { kind: 'bad', carrier: 'cookie' };

const bearer = (text: string): Headers => ({ authorization: `Bearer ${text}` });
const cookieOf = (town: Town, person: Person): Headers => ({ cookie: town.cookies[person] ?? '' });

/** The three spellings of one key take turns, so that each meets each route. */
function spell(
  key: Minted,
  spelling: 'bearer' | 'basic' | 'x-api-key' | 'x-nuget-apikey' = 'bearer',
): Details {
  const basic = Buffer.from(`${key.apiKey}:${key.secretKey}`).toString('base64');
  const headers =
    spelling === 'bearer'
      ? bearer(key.fullKey)
      : spelling === 'basic'
        ? { authorization: `Basic ${basic}` }
        : { [spelling]: key.fullKey };
  return { headers, pair: { apiKey: key.apiKey, secretKey: key.secretKey } };
}

const keyOf = (person: Person, rights: readonly Right[], owner = person): Facts => ({
  kind: 'key',
  person,
  rights,
  owner,
});
const tokenOf = (person: Person, rights: readonly Right[]): Facts => ({
  kind: 'token',
  person,
  rights,
  owner: person,
});

function withoutAny(make: Make): Credential[] {
  return [
    make('nobody', NOBODY),
    make('nobody, started by another site', NOBODY, { headers: CROSS_SITE, isCrossSite: true }),
    make('a bearer that is nothing', BAD, { headers: bearer('hello-there') }),
    make('a key with a letter changed', BAD, {
      headers: { 'x-api-key': `kr_0123456789ABCDEF_${'a'.repeat(43)}000000` },
      pair: { apiKey: 'kr_0123456789ABCDEF', secretKey: `${'a'.repeat(43)}000000` },
    }),
    make('a well-formed key that nobody has', BAD, {
      headers: bearer('kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD'),
      pair: { apiKey: 'kr_0123456789ABCDEF', secretKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD' },
    }),
    make('an authorization of no known kind', BAD, { headers: { authorization: 'Digest username="admin"' } }),
    make('a cookie that is nothing', ENDED, { headers: { cookie: `keyreeve_session=${'x'.repeat(43)}` } }),
  ];
}

async function sessionsOf(make: Make, town: Town, early: Early): Promise<Credential[]> {
  const { client } = town;
  const ended = await client.signIn(emailOf(town.name, 'admin'));
  await client.send('DELETE', '/v1/session', { cookie: ended.cookie });
  const disabled = await makeDisabled(town);
  const admin = cookieOf(town, 'admin');
  const asAdmin: Facts = { kind: 'session', person: 'admin' };
  const users: readonly Person[] = ['admin', 'member', 'manager', 'stranger', 'bare'];
  return [
    ...users.map((person) =>
      make(`session of ${person}`, { kind: 'session', person }, { headers: cookieOf(town, person) }),
    ),
    make('session of admin, started by another site', asAdmin, {
      headers: { ...admin, ...CROSS_SITE },
      isCrossSite: true,
    }),
    make('session of admin, with a foreign Origin', asAdmin, {
      headers: { ...admin, origin: 'https://evil.example' },
      isCrossSite: true,
    }),
    make(
      'session of admin, at an unknown host',
      { kind: 'astray' },
      { headers: { ...admin, host: 'other.example' } },
    ),
    make('session that was signed out', ENDED, { headers: { cookie: ended.cookie } }),
    make('session left alone for a day', ENDED, { headers: { cookie: early.idleCookie } }),
    make('session of a disabled administrator', ENDED, { headers: { cookie: disabled.cookie } }),
    make('iam:* key of a disabled administrator', BAD, spell(disabled.key)),
    make('token of a disabled administrator', BAD, {
      headers: bearer(disabled.token),
      token: disabled.token,
    }),
  ];
}

async function makeDisabled(town: Town): Promise<{ cookie: string; key: Minted; token: string }> {
  const { client } = town;
  const by = cookieOf(town, 'admin');
  const email = emailOf(town.name, 'former');
  const body = { email, displayName: 'Former', role: 'admin', password: 'Wq7xLm2vTz9kRb4n' };
  const id = (await client.send('POST', '/v1/users', by, body)).json['id'] as string;
  const { cookie } = await client.signIn(email);
  const key = await client.mint(by, id, { ...SCOPED, scopes: IAM });
  const token = await client.login(key);
  await client.send('PATCH', `/v1/users/${id}`, { ...by, 'if-match': '*' }, { state: 'disabled' });
  return { cookie, key, token };
}

async function goodKeys(make: Make, town: Town): Promise<Credential[]> {
  const { client, accounts, name } = town;
  const by = cookieOf(town, 'admin');
  const scoped = (person: Person, scopes: readonly Right[], wish = {}) =>
    client.mint(by, accounts[person], { ...SCOPED, scopes, ...wish });
  const pusher: Right[] = [{ actions: ['package:push', 'package:unlist'], resources: [`${name}.*`] }];
  const updater: Right[] = [{ actions: ['package:pushversion'], resources: ['*'] }];
  const reader: Right[] = [{ actions: ['package:read'], resources: [`${name}.m*`] }];
  const readsOne: Right[] = [{ actions: ['iam:keys:read'], resources: [accounts.member] }];
  const mixed: Right[] = [
    { actions: ['iam:keys:write', 'iam:accounts:write'], resources: [accounts.member] },
    { actions: ['iam:keys:read', 'iam:accounts:read'], resources: [accounts.robot] },
  ];
  const office: Right[] = [
    { actions: ['iam:settings:read'], resources: ['settings'] },
    { actions: ['iam:audit:read'], resources: ['audit'] },
    { actions: ['iam:workspaces:read'], resources: ['workspaces'] },
  ];
  const accountKey = await client.mint(by, accounts.member);
  const everything = [...IAM, ...PACKAGES];
  return [
    make('key of member with account access', keyOf('member', accountAccessOf('member')), spell(accountKey)),
    make(
      'key of admin with account access',
      keyOf('admin', accountAccessOf('admin')),
      spell(await client.mint(by, accounts.admin), 'x-api-key'),
    ),
    make(
      'key of robot with account access',
      keyOf('robot', accountAccessOf('robot')),
      spell(await client.mint(by, accounts.robot), 'basic'),
    ),
    make('key of bare with account access', keyOf('bare', []), spell(await client.mint(by, accounts.bare))),
    make(
      'key of member, scoped to push and unlist',
      keyOf('member', pusher),
      spell(await scoped('member', pusher), 'x-nuget-apikey'),
    ),
    make(
      'key of member, scoped to new versions',
      keyOf('member', updater),
      spell(await scoped('member', updater), 'basic'),
    ),
    make(
      'key of member, scoped to read packages',
      keyOf('member', reader),
      spell(await scoped('member', reader)),
    ),
    make(
      'key of manager, acting for robot',
      keyOf('manager', PACKAGES, 'robot'),
      spell(await scoped('manager', PACKAGES, { ownerId: accounts.robot })),
    ),
    make('key of admin, scoped iam:*', keyOf('admin', IAM), spell(await scoped('admin', IAM), 'basic')),
    make(
      'key of admin, scoped everything',
      keyOf('admin', everything),
      spell(await scoped('admin', everything)),
    ),
    make(
      'key of admin, iam:keys:read on member',
      keyOf('admin', readsOne),
      spell(await scoped('admin', readsOne)),
    ),
    make(
      'key of admin, writing member and reading robot',
      keyOf('admin', mixed),
      spell(await scoped('admin', mixed)),
    ),
    make(
      'key of admin, reading settings, audit, workspaces',
      keyOf('admin', office),
      spell(await scoped('admin', office)),
    ),
    make(
      'key of robot, scoped iam:keys:verify',
      keyOf('robot', VERIFY),
      spell(await scoped('robot', VERIFY), 'x-api-key'),
    ),
    make('key of pruned, its grants taken away', keyOf('pruned', []), spell(await makePruned(town))),
    make('key of member beside the cookie of admin', keyOf('member', accountAccessOf('member')), {
      ...spell(accountKey),
      headers: { ...bearer(accountKey.fullKey), ...by },
    }),
    make(
      'two different keys',
      { kind: 'ambiguous' },
      {
        headers: { ...bearer(accountKey.fullKey), 'x-api-key': (await scoped('admin', IAM)).fullKey },
      },
    ),
  ];
}

/** A key whose scopes its account was granted when it was made, and no more. */
async function makePruned(town: Town): Promise<Minted> {
  const { client, accounts } = town;
  const by = cookieOf(town, 'admin');
  const url = `/v1/service-accounts/${accounts.pruned}`;
  const scopes = [{ actions: ['iam:accounts:read', 'iam:keys:read', 'iam:keys:write'], resources: ['*'] }];
  await client.send('PATCH', url, { ...by, 'if-match': '*' }, { grants: [...scopes, ...PACKAGES] });
  const key = await client.mint(by, accounts.pruned, { ...SCOPED, scopes });
  await client.send('PATCH', url, { ...by, 'if-match': '*' }, { grants: PACKAGES });
  return key;
}

/** Each could do everything, were it still good. */
async function badKeys(make: Make, town: Town, early: Early): Promise<Credential[]> {
  const { client, accounts } = town;
  const by = cookieOf(town, 'admin');
  const everything = [...IAM, ...PACKAGES];
  const mint = (wish = {}) => client.mint(by, accounts.admin, { ...SCOPED, scopes: everything, ...wish });
  const off = await mint();
  await client.send('POST', `/v1/keys/${off.apiKey}/disable`, by, {});
  const deleted = await mint();
  await client.send('DELETE', `/v1/keys/${deleted.apiKey}`, by);
  const revoked = await mint();
  await client.send('POST', '/v1/keys/self/revoke', bearer(revoked.fullKey));
  const regenerated = await mint();
  await client.send('POST', `/v1/keys/${regenerated.apiKey}/regenerate`, by, {});
  const overlapped = await mint();
  const newer = await client.send('POST', `/v1/keys/${overlapped.apiKey}/regenerate`, by, {
    overlapHours: 24,
  });
  const cutShort = await mint();
  await client.send('POST', `/v1/keys/${cutShort.apiKey}/regenerate`, by, { overlapHours: 24 });
  await client.send('POST', `/v1/keys/${cutShort.apiKey}/end-overlap`, by);
  const wrong = {
    ...overlapped,
    secretKey: deleted.secretKey,
    fullKey: `${overlapped.apiKey}_${deleted.secretKey}`,
  };
  return [
    make('key that is disabled', BAD, spell(off)),
    make('key that has expired', BAD, spell(early.expiredKey)),
    make('key that was deleted', BAD, spell(deleted)),
    make('key that its holder revoked', BAD, spell(revoked)),
    make('key with the secret before a regenerate', BAD, spell(regenerated)),
    make('key with the secret of an ended overlap', BAD, spell(cutShort)),
    make('key with the secret of another', BAD, spell(wrong, 'basic')),
    make('key for other addresses', BAD, spell(await mint({ ipRanges: ['203.0.113.0/24'] }))),
    make('key with the old secret in its overlap', keyOf('admin', everything), spell(overlapped)),
    make('key with the new secret in its overlap', keyOf('admin', everything), spell(toMinted(newer.json))),
  ];
}

async function importedKeys(make: Make, town: Town): Promise<Credential[]> {
  const { client, accounts, name } = town;
  const by = cookieOf(town, 'admin');
  const full = 'oy2legacy-full-access-of-the-member-000000000001';
  const foreign = 'oy2foreign-scoped-of-the-stranger-00000000000002';
  const scopes: Right[] = [{ actions: ['package:push'], resources: [`${name}.*`] }];
  const ids = [
    await importKey(client, by, { account: accounts.member, access: 'full', credential: full }),
    await importKey(client, by, {
      account: accounts.stranger,
      access: 'scoped',
      scopes,
      credential: foreign,
    }),
  ];
  const details = (credential: string, id = ''): Details => ({
    headers: bearer(credential),
    pair: { apiKey: id, secretKey: credential },
  });
  return [
    make('imported key of member with full access', keyOf('member', PACKAGES), details(full, ids[0])),
    make('imported key of stranger, scoped to push', keyOf('stranger', scopes), details(foreign, ids[1])),
  ];
}

async function tokensOf(make: Make, town: Town, early: Early): Promise<Credential[]> {
  const { client, accounts } = town;
  const by = cookieOf(town, 'admin');
  const mint = (person: Person, scopes: readonly Right[]) =>
    client.mint(by, accounts[person], { ...SCOPED, scopes });
  const after = async (
    scopes: readonly Right[],
    change: (key: Minted) => Promise<unknown>,
  ): Promise<string> => {
    const key = await mint('admin', scopes);
    const token = await client.login(key);
    await change(key);
    return token;
  };
  const token = (name: string, facts: Facts, text: string) =>
    make(name, facts, { headers: bearer(text), token: text });
  const post = (key: Minted, verb: string, body: unknown) =>
    client.send('POST', `/v1/keys/${key.apiKey}/${verb}`, by, body);
  const readsTwo = [{ actions: ['iam:keys:read'], resources: [accounts.member, accounts.stranger] }];
  const readsOne = [{ actions: ['iam:keys:read'], resources: [accounts.member] }];
  const narrow = (key: Minted) =>
    client.send('PATCH', `/v1/keys/${key.apiKey}`, { ...by, 'if-match': '*' }, { scopes: readsOne });
  const left = await client.login(await mint('admin', IAM));
  await client.send('DELETE', '/iam/logout', bearer(left));
  const remove = (key: Minted) => client.send('DELETE', `/v1/keys/${key.apiKey}`, by);
  return [
    token(
      'token of an account key of member',
      tokenOf('member', accountAccessOf('member')),
      await client.login(await client.mint(by, accounts.member)),
    ),
    token(
      'token of an iam:* key of admin',
      tokenOf('admin', IAM),
      await client.login(await mint('admin', IAM)),
    ),
    token(
      'token of a key that verifies',
      tokenOf('robot', VERIFY),
      await client.login(await mint('robot', VERIFY)),
    ),
    token(
      'token of a key that reads one account',
      tokenOf('admin', readsOne),
      await client.login(await mint('admin', readsOne)),
    ),
    token(
      'token of a secret in its overlap',
      tokenOf('admin', IAM),
      await after(IAM, (key) => post(key, 'regenerate', { overlapHours: 24 })),
    ),
    token('token that has expired', BAD, early.expiredToken),
    token('token ended by logout', BAD, left),
    token('token of a deleted key', BAD, await after(IAM, remove)),
    token('token of a disabled key', BAD, await after(IAM, (key) => post(key, 'disable', {}))),
    token('token of a regenerated key', BAD, await after(IAM, (key) => post(key, 'regenerate', {}))),
    token('token of a narrowed key', BAD, await after(readsTwo, narrow)),
    token(
      'token with its signature cut off',
      BAD,
      `${(await client.login(await mint('admin', IAM))).split('.').slice(0, 2).join('.')}.`,
    ),
  ];
}

/** The other workspace: at our door, where its credentials are worth nothing, and at its own. */
async function foreigners(make: Make, bolt: Town): Promise<Credential[]> {
  const { client, accounts } = bolt;
  const by = cookieOf(bolt, 'admin');
  const everything = [...IAM, ...PACKAGES];
  const key = await client.mint(by, accounts.admin, { ...SCOPED, scopes: everything });
  const text = await client.login(key);
  const token: Details = { headers: bearer(text), token: text };
  return [
    make('session of the admin of another workspace', ENDED, { headers: by }),
    make('key of the admin of another workspace', BAD, spell(key)),
    make('token of the admin of another workspace', BAD, token),
    make(
      'session of admin, at home in the second workspace',
      { kind: 'session', person: 'admin' },
      { headers: by },
      'bolt',
    ),
    make(
      'session of member, at home in the second workspace',
      { kind: 'session', person: 'member' },
      { headers: cookieOf(bolt, 'member') },
      'bolt',
    ),
    make('key of admin, at home in the second workspace', keyOf('admin', everything), spell(key), 'bolt'),
    make('token of admin, at home in the second workspace', tokenOf('admin', everything), token, 'bolt'),
  ];
}
