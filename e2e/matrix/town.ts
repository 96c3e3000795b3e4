import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { buildNupkg, type Harness } from '@keyreeve/testkit';
import { CAST, OWNERS, PEOPLE, type Person, type Right, USERS } from './cast.ts';

export type Headers = Readonly<Record<string, string>>;

export interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

/** Things that a person has, to be read, changed and deleted by others. */
export interface Belongings {
  /** An active key with the access of its account. */
  readonly spare: Minted;
  readonly off: Minted;
  /** Regenerated; its old secret still works. */
  readonly overlap: Minted;
  readonly packageId: string;
}

interface FeedLink {
  readonly id: string;
  readonly token: string;
}

/** One workspace with its people, all made over HTTP. */
export interface Town {
  readonly name: 'Acme' | 'Bolt';
  readonly workspaceId: string;
  readonly host: string;
  readonly isDefault: boolean;
  readonly accounts: Readonly<Record<Person, string>>;
  readonly logins: Readonly<Record<Person, string>>;
  /** Cookies of users; nothing for service accounts. */
  readonly cookies: Readonly<Partial<Record<Person, string>>>;
  /** A second session of each user, that of another browser. */
  readonly sessions: Readonly<Partial<Record<Person, string>>>;
  readonly belongings: Readonly<Partial<Record<Person, Belongings>>>;
  /** Mails by their addressee; `cron` has no address of its own, so that his belongs to nobody. */
  readonly mails: Readonly<Partial<Record<Person, string>>>;
  /** Links of users to their own expiries. */
  readonly feeds: Readonly<Partial<Record<Person, FeedLink>>>;
  readonly webhook: { readonly id: string; readonly deliveryId: string };
  /** Whom the member has asked to own his second package. */
  readonly requests: Readonly<Partial<Record<Person, string>>>;
  /** A reservation of package ids. */
  readonly prefixId: string;
  /** Another package of the member, outside the pattern of his scoped key. */
  readonly outsideId: string;
  /** A user that was deleted, with his key and session. */
  readonly gone: { readonly account: string; readonly key: string; readonly session: string };
  /** Texts that only those may see who may see their account. */
  readonly canaries: readonly string[];
  readonly client: Client;
}

export const PASSWORD = 'Wq7xLm2vTz9kRb4n';
const MINTING = { comment: 'of the matrix', access: 'account' } as const;

type Json = Record<string, unknown>;

interface Answer {
  readonly json: Json;
  readonly cookie: string;
}

/** Requests that must succeed: they build the stage. */
export interface Client {
  send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    by: Headers,
    body?: unknown,
  ): Promise<Answer>;
  signIn(email: string): Promise<{ cookie: string; sessionId: string }>;
  mint(by: Headers, accountId: string, wish?: Json): Promise<Minted>;
  publish(fullKey: string, id: string, version?: string): Promise<void>;
  login(key: Minted): Promise<string>;
}

export function createClient(harness: Harness, host: string): Client {
  const send: Client['send'] = async (method, url, by, body) => {
    const isBytes = Buffer.isBuffer(body);
    const type = isBytes ? 'application/octet-stream' : 'application/json';
    const answer = await harness.app.inject({
      method,
      url,
      headers: { host, ...(body === undefined ? {} : { 'content-type': type }), ...by },
      ...(body === undefined ? {} : { payload: isBytes ? body : JSON.stringify(body) }),
    });
    if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
    const cookie = answer.cookies[0];
    const isJson = String(answer.headers['content-type']).includes('json');
    return {
      json: isJson ? answer.json<Json>() : {},
      cookie: cookie === undefined ? '' : `${cookie.name}=${cookie.value}`,
    };
  };
  const mint: Client['mint'] = async (by, accountId, wish = {}) => {
    const { json } = await send('POST', `/v1/accounts/${accountId}/keys`, by, { ...MINTING, ...wish });
    return toMinted(json);
  };
  return {
    send,
    mint,
    signIn: async (email) => {
      const { json, cookie } = await send('POST', '/v1/session', {}, { email, password: PASSWORD });
      return { cookie, sessionId: (json['session'] as { id: string }).id };
    },
    publish: async (fullKey, id, version = '1.0.0') => {
      await send(
        'PUT',
        '/api/v2/package',
        { 'x-nuget-apikey': fullKey },
        Buffer.from(buildNupkg({ id, version })),
      );
    },
    login: async ({ apiKey, secretKey }) => {
      const body = { auth_mode: 'apikey', apikey: apiKey, secretkey: secretKey };
      return (await send('POST', '/iam/login', {}, body)).json['token'] as string;
    },
  };
}

export function toMinted(json: Json): Minted {
  const { apiKey, secretKey, fullKey } = json as unknown as Minted;
  return { apiKey, secretKey, fullKey };
}

export function emailOf(name: Town['name'], person: string): string {
  return `${person}@${name.toLowerCase()}.example`;
}

function nameOf(name: Town['name'], person: string): string {
  return `Mx ${person} in ${name}ville`;
}

/** The first administrator of a workspace, by its setup code. */
export async function openTown(client: Client, name: Town['name'], code: string): Promise<string> {
  const body = {
    code,
    email: emailOf(name, 'admin'),
    password: PASSWORD,
    displayName: nameOf(name, 'admin'),
  };
  return (await client.send('POST', '/v1/setup', {}, body)).cookie;
}

/** Everybody and everything else in the workspace, made by its administrator. */
export async function settleTown(
  harness: Harness,
  place: { readonly name: Town['name']; readonly host: string; readonly isDefault: boolean },
): Promise<Town> {
  const { name, host } = place;
  const client = createClient(harness, host);
  const admin = await client.signIn(emailOf(name, 'admin'));
  const by = { cookie: admin.cookie };
  const { json } = await client.send('GET', '/v1/session', by);
  const me = json as { account: { id: string }; workspace: { id: string } };
  const accounts = await createPeople(client, name, by, me.account.id);
  const cookies: Partial<Record<Person, string>> = {};
  const sessions: Partial<Record<Person, string>> = {};
  for (const person of USERS) {
    cookies[person] = (await client.signIn(emailOf(name, person))).cookie;
    sessions[person] = (await client.signIn(emailOf(name, person))).sessionId;
  }
  const belongings: Partial<Record<Person, Belongings>> = {};
  for (const person of OWNERS) belongings[person] = await equip(client, name, by, accounts, person);
  const outsideId = `Outside.${name}.Member`;
  await client.publish(belongings.member?.spare.fullKey ?? '', outsideId);
  await client.send('PUT', `/v1/packages/${outsideId}/owners/${accounts.deputy}`, by);
  const feeds = await makeFeeds(client, cookies);
  const gone = await makeGone(client, name, by);
  await harness.deps.notices.sendDue();
  const { id: workspaceId } = me.workspace;
  const webhook = await makeWebhook(client, by);
  const stage = { accounts, cookies, sessions, belongings, feeds, outsideId, gone, webhook };
  const town = { ...place, workspaceId, ...stage, client };
  const logins = Object.fromEntries(PEOPLE.map((person) => [person, loginOf(name, person)])) as Record<
    Person,
    string
  >;
  const mails = await findMails(client, by, accounts);
  const requests = await makeRequests(client, { cookie: cookies.member ?? '' }, outsideId, accounts);
  const rules = { requests, prefixId: await makePrefix(client, by) };
  return { ...town, ...rules, logins, mails, canaries: canariesOf({ ...town, ...rules, logins, mails }) };
}

function loginOf(name: Town['name'], person: Person): string {
  return CAST[person].kind === 'user' ? emailOf(name, person) : `${person}-of-${name.toLowerCase()}`;
}

async function createPeople(
  client: Client,
  name: Town['name'],
  by: Headers,
  adminId: string,
): Promise<Record<Person, string>> {
  const accounts: Partial<Record<Person, string>> = { admin: adminId };
  for (const person of PEOPLE.filter((each) => each !== 'admin')) {
    const { kind, isAdmin, grants } = CAST[person];
    const common = { displayName: nameOf(name, person), grants };
    const body =
      kind === 'user'
        ? { ...common, email: emailOf(name, person), password: PASSWORD, role: isAdmin ? 'admin' : 'member' }
        : {
            ...common,
            technicalName: loginOf(name, person),
            ...addressOf(name, person),
            managers: managersOf(person, accounts),
          };
    const { json } = await client.send(
      'POST',
      kind === 'user' ? '/v1/users' : '/v1/service-accounts',
      by,
      body,
    );
    accounts[person] = json['id'] as string;
  }
  return accounts as Record<Person, string>;
}

function addressOf(name: Town['name'], person: Person): { email?: string } {
  return person === 'cron' ? {} : { email: emailOf(name, person) };
}

function managersOf(person: Person, accounts: Partial<Record<Person, string>>): string[] {
  const managers = PEOPLE.filter((each) => CAST[each].manages.includes(person));
  return managers.map((manager) => accounts[manager] ?? '');
}

async function equip(
  client: Client,
  name: Town['name'],
  by: Headers,
  accounts: Record<Person, string>,
  person: Person,
): Promise<Belongings> {
  const id = accounts[person];
  const mailTo = person === 'cron' ? { mailTo: `ops@${name.toLowerCase()}.example` } : { sendMail: true };
  const comment = `Spare key, ${nameOf(name, person)}`;
  const spare = await client.mint(by, id, { comment, ...mailTo });
  const off = await client.mint(by, id, { comment });
  await client.send('POST', `/v1/keys/${off.apiKey}/disable`, by, {});
  const old = await client.mint(by, id, { comment });
  const regenerated = await client.send('POST', `/v1/keys/${old.apiKey}/regenerate`, by, {
    overlapHours: 24,
  });
  const packageId = `${name}.${person}`;
  await client.publish(spare.fullKey, packageId);
  await client.send('PUT', `/v1/packages/${packageId}/owners/${accounts.deputy}`, by);
  return { spare, off, overlap: toMinted(regenerated.json), packageId };
}

async function makeFeeds(
  client: Client,
  cookies: Readonly<Partial<Record<Person, string>>>,
): Promise<Partial<Record<Person, FeedLink>>> {
  const feeds: Partial<Record<Person, FeedLink>> = {};
  for (const person of USERS) {
    const by = { cookie: cookies[person] ?? '' };
    const { json } = await client.send('POST', '/v1/feed-links', by, { scope: 'own' });
    const token = /[0-9A-Za-z]{43}/.exec(json['calendarUrl'] as string)?.[0] ?? '';
    feeds[person] = { id: json['id'] as string, token };
  }
  return feeds;
}

async function makeGone(client: Client, name: Town['name'], by: Headers): Promise<Town['gone']> {
  const email = emailOf(name, 'gone');
  const body = { email, displayName: nameOf(name, 'gone'), password: PASSWORD };
  const account = (await client.send('POST', '/v1/users', by, body)).json['id'] as string;
  const key = await client.mint(by, account);
  const { sessionId } = await client.signIn(email);
  await client.send('DELETE', `/v1/users/${account}`, by);
  return { account, key: key.apiKey, session: sessionId };
}

async function makeWebhook(client: Client, by: Headers): Promise<Town['webhook']> {
  const made = await client.send('POST', '/v1/webhooks', by, { url: 'https://hooks.example/keyreeve' });
  const { id } = made.json['webhook'] as { id: string };
  const test = await client.send('POST', `/v1/webhooks/${id}/test`, by);
  return { id, deliveryId: test.json['id'] as string };
}

async function makeRequests(
  client: Client,
  by: Headers,
  packageId: string,
  accounts: Record<Person, string>,
): Promise<Town['requests']> {
  const requests: Partial<Record<Person, string>> = {};
  for (const person of OWNERS.filter((one) => one !== 'member')) {
    const url = `/v1/packages/${packageId}/owner-requests`;
    const { json } = await client.send('POST', url, by, { account: accounts[person] });
    requests[person] = json['requestId'] as string;
  }
  return requests;
}

async function makePrefix(client: Client, by: Headers): Promise<string> {
  const body = { pattern: 'Reserved.*', accountIds: [] };
  return (await client.send('POST', '/v1/package-prefixes', by, body)).json['id'] as string;
}

async function findMails(
  client: Client,
  by: Headers,
  accounts: Record<Person, string>,
): Promise<Partial<Record<Person, string>>> {
  const { json } = await client.send('GET', '/v1/mailbox?limit=200', by);
  const items = json['items'] as { id: string; accountId: string | null; state: string }[];
  const mails: Partial<Record<Person, string>> = {};
  for (const { id, accountId, state } of items) {
    if (state !== 'mailbox') throw new Error(`The mail ${id} is not in the mailbox but ${state}.`);
    const person = PEOPLE.find((each) => accounts[each] === accountId) ?? 'cron';
    mails[person] = id;
  }
  return mails;
}

function canariesOf(town: Omit<Town, 'canaries'>): string[] {
  const keys = Object.values(town.belongings).flatMap(({ spare, off, overlap }) => [spare, off, overlap]);
  return [
    ...Object.values(town.accounts),
    ...Object.values(town.logins),
    ...Object.values(town.sessions),
    ...Object.values(town.mails),
    ...keys.flatMap((key) => [key.apiKey, key.secretKey]),
    ...Object.values(town.feeds).flatMap(({ id, token }) => [id, token]),
    ...Object.values(town.gone),
    ...Object.values(town.webhook),
    ...Object.values(town.requests),
    town.prefixId,
    `in ${town.name}ville`,
  ];
}

/** A key made elsewhere, brought in by its SHA-256. */
export async function importKey(
  client: Client,
  by: Headers,
  row: {
    readonly account: string;
    readonly access: 'full' | 'scoped';
    readonly scopes?: readonly Right[];
    readonly credential: string;
  },
): Promise<string> {
  const { credential, ...rest } = row;
  const sha256 = createHash('sha256').update(credential).digest('hex');
  const expiresAt = row.access === 'full' ? null : '2027-12-31T00:00:00Z';
  const { json } = await client.send('POST', '/v1/key-imports', by, {
    rows: [{ ...rest, comment: 'Brought from elsewhere', expiresAt, sha256 }],
  });
  return (json['keyIds'] as string[])[0] ?? '';
}
