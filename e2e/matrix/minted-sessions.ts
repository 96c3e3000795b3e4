import { accountAccessOf, IAM, PACKAGES, type Person, type Right, VERIFY } from './cast.ts';
import {
  BAD,
  bearer,
  type Credential,
  cookieOf,
  type Details,
  type Early,
  ENDED,
  type Facts,
  keyOf,
  type Make,
  NOBODY,
  SCOPED,
  spell,
  tokenOf,
} from './credential.ts';
import { emailOf, type Minted, PASSWORD, type Town } from './town.ts';

const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};
const CROSS_SITE = { 'sec-fetch-site': 'cross-site' };

export function withoutAny(make: Make): Credential[] {
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

export async function sessionsOf(make: Make, town: Town, early: Early): Promise<Credential[]> {
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
  const body = { email, displayName: 'Former', role: 'admin', password: PASSWORD };
  const id = (await client.send('POST', '/v1/users', by, body)).json['id'] as string;
  const { cookie } = await client.signIn(email);
  const key = await client.mint(by, id, { ...SCOPED, scopes: IAM });
  const token = await client.login(key);
  await client.send('PATCH', `/v1/users/${id}`, { ...by, 'if-match': '*' }, { state: 'disabled' });
  return { cookie, key, token };
}

export async function tokensOf(make: Make, town: Town, early: Early): Promise<Credential[]> {
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
  const grant = async (form: Readonly<Record<string, string>>): Promise<string> => {
    const body = Buffer.from(new URLSearchParams(form).toString());
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return (await client.send('POST', '/oauth2/token', type, body)).json['access_token'] as string;
  };
  const narrowed = ({ apiKey, secretKey }: Minted, scope: string): Promise<string> =>
    grant({ grant_type: 'client_credentials', client_id: apiKey, client_secret: secretKey, scope });
  const exchanged = (subject: string, scope: string): Promise<string> =>
    grant({ ...EXCHANGE, subject_token: subject, scope });
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
      'token of an account key of member, narrowed to push',
      tokenOf('member', [{ actions: ['package:push'], resources: ['*'] }]),
      await narrowed(await client.mint(by, accounts.member), 'package:push'),
    ),
    token(
      'token exchanged for one of an iam:* key of admin, narrowed to reading keys',
      tokenOf('admin', [{ actions: ['iam:keys:read'], resources: ['*'] }]),
      await exchanged(await client.login(await mint('admin', IAM)), 'iam:keys:read'),
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
export async function foreigners(make: Make, bolt: Town): Promise<Credential[]> {
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
