import { inTransaction } from '@keyreeve/server';
import { Secret } from '../../../server/src/lib/secret.ts';
import { type Company, call, type InjectAnswer } from '../company.ts';
import type { Harness } from '../harness.ts';
import { getToken } from '../oauth-client.ts';

/** Where the races are run. Hashing is made cheap there, so that all tries meet at the database at once. */
export interface Track {
  readonly harness: Harness;
  readonly company: Company;
  /** A number that no other race has. */
  readonly next: () => number;
}

/** Something that works once, whoever is first. */
export interface OneTimeThing {
  readonly name: string;
  /** Lets so many try at once, and says how many of them have succeeded. */
  readonly race: (track: Track, tries: number) => Promise<number>;
}

const PASSWORD = 'seventeen purple lamps';

async function all<Result>(tries: number, attempt: (index: number) => Promise<Result>): Promise<Result[]> {
  return await Promise.all(Array.from({ length: tries }, (_, index) => attempt(index)));
}

/** Answers of refusals are as documented: nothing broke under the load. */
function countSuccesses(answers: readonly InjectAnswer[]): number {
  const broken = answers.find(({ statusCode }) => statusCode === 500);
  if (broken !== undefined) throw new Error(`The server failed: ${broken.body}`);
  return answers.filter(({ statusCode }) => statusCode < 300).length;
}

/** Each from an address of its own: brakes on guessing would let only the first five come that far. */
async function post(
  { harness }: Track,
  url: string,
  index: number,
  body: object,
  host = 'localhost:8080',
): Promise<InjectAnswer> {
  return await harness.app.inject({
    method: 'POST',
    url,
    remoteAddress: `10.9.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    headers: { host, 'content-type': 'application/json' },
    payload: JSON.stringify(body),
  });
}

/** The token behind `#` of the newest mail to the address. */
async function readMailedToken({ harness }: Track, address: string): Promise<string> {
  const { storage, queue } = harness.deps;
  const row = await storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('to_address', '=', address)
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow();
  const { linkUrl } = queue.open(row).payload as { readonly linkUrl: string };
  return linkUrl.split('#')[1] ?? '';
}

/** A fresh link to set the password of a fresh user. */
export async function mailPasswordLink(
  track: Track,
  purpose: 'password_reset' | 'invitation',
): Promise<string> {
  const { harness } = track;
  const { deps } = harness;
  const email = `person-${track.next()}@example.com`;
  const account = await harness.createAccount({ kind: 'user', email, displayName: 'Ada' });
  await inTransaction(deps.storage, (tx) =>
    deps.passwordLinks.send(tx, track.company.adminCaller, purpose, account),
  );
  return await readMailedToken(track, email);
}

async function raceForPassword(
  track: Track,
  tries: number,
  purpose: 'password_reset' | 'invitation',
  url: string,
): Promise<number> {
  const token = await mailPasswordLink(track, purpose);
  const password = (index: number) => `${PASSWORD} ${index}`;
  return countSuccesses(
    await all(tries, (index) => post(track, url, index, { token, password: password(index) })),
  );
}

async function mint({ harness, company }: Track, more: object = {}) {
  const { id } = company.robot;
  return await harness.deps.keys.create(company.adminCaller, id, {
    comment: 'CI',
    access: 'account',
    ...more,
  });
}

async function asAdmin(track: Track, method: 'POST' | 'PATCH', url: string, body: object, headers = {}) {
  const { harness, company } = track;
  return await call(harness, method, url, { key: company.adminKey, body, headers });
}

async function isGood({ harness }: Track, fullKey: string): Promise<boolean> {
  return (await call(harness, 'GET', '/v1/keys/self', { key: fullKey })).statusCode === 200;
}

export const ONE_TIME_THINGS: readonly OneTimeThing[] = [
  {
    name: 'a link to reset a password',
    race: (track, tries) => raceForPassword(track, tries, 'password_reset', '/v1/password/reset'),
  },
  {
    name: 'an invitation',
    race: (track, tries) => raceForPassword(track, tries, 'invitation', '/v1/invitations/accept'),
  },
  {
    name: 'the setup code of a workspace',
    race: async (track, tries) => {
      const { workspaces } = track.harness.deps;
      const subdomain = `team${track.next()}`;
      const caller = track.company.adminCaller;
      const { setupCode } = await workspaces.create(caller, { name: 'Team', subdomain, aliases: [] });
      const bodyOf = (index: number) => ({
        code: setupCode.reveal(),
        email: `root${index}@example.com`,
        password: PASSWORD,
        displayName: 'Root',
      });
      const host = `${subdomain}.keys.test`;
      return countSuccesses(
        await all(tries, (index) => post(track, '/v1/setup', index, bodyOf(index), host)),
      );
    },
  },
  {
    name: 'the first administrator from the configuration',
    race: async (track, tries) => {
      const { workspaces, setup } = track.harness.deps;
      const subdomain = `team${track.next()}`;
      const caller = track.company.adminCaller;
      const { workspace } = await workspaces.create(caller, { name: 'Team', subdomain, aliases: [] });
      const admin = { email: 'root@example.com', password: new Secret(PASSWORD), displayName: 'Root' };
      const made = await all(tries, () => setup.createFirstAdmin(workspace, admin));
      return made.filter((isMade) => isMade).length;
    },
  },
  {
    name: 'a link to a key',
    race: async (track, tries) => {
      const mailTo = `robot-${track.next()}@example.com`;
      await mint(track, { mailTo });
      const token = await readMailedToken(track, mailTo);
      return countSuccesses(await all(tries, (index) => post(track, '/v1/key-links/open', index, { token })));
    },
  },
  {
    name: 'the end of an overlap',
    race: async (track, tries) => {
      const { key } = await mint(track);
      await track.harness.deps.keys.regenerate(track.company.adminCaller, key.id, { overlapHours: 1 });
      return countSuccesses(
        await all(tries, () => asAdmin(track, 'POST', `/v1/keys/${key.id}/end-overlap`, {})),
      );
    },
  },
  {
    // Each of them may get a secret; only the last one lives.
    name: 'the newest secret of a key',
    race: async (track, tries) => {
      const { key, fullKey } = await mint(track);
      const answers = await all(tries, () => asAdmin(track, 'POST', `/v1/keys/${key.id}/regenerate`, {}));
      countSuccesses(answers);
      const secrets = answers
        .filter(({ statusCode }) => statusCode === 200)
        .map((answer) => answer.json<{ fullKey: string }>().fullKey);
      const good = await Promise.all([fullKey.reveal(), ...secrets].map((secret) => isGood(track, secret)));
      return good.filter((isOne) => isOne).length;
    },
  },
  {
    name: 'one version of a key that is edited',
    race: async (track, tries) => {
      const { key } = await mint(track);
      const edit = (index: number) =>
        asAdmin(track, 'PATCH', `/v1/keys/${key.id}`, { comment: `by ${index}` }, { 'if-match': '"1"' });
      return countSuccesses(await all(tries, edit));
    },
  },
  {
    name: 'the end of a token',
    race: async (track, tries) => {
      const { key, secretKey } = await mint(track);
      const client = { apiKey: key.id, secretKey: secretKey.reveal() };
      const { access_token: token } = await getToken(track.harness, client);
      return countSuccesses(
        await all(tries, () => call(track.harness, 'DELETE', '/iam/logout', { key: token })),
      );
    },
  },
  {
    name: 'an address that nobody has yet',
    race: async (track, tries) => {
      const email = `new-${track.next()}@example.com`;
      return countSuccesses(
        await all(tries, () => asAdmin(track, 'POST', '/v1/users', { email, displayName: 'Mei' })),
      );
    },
  },
];
