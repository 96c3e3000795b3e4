import { createHash, randomBytes } from 'node:crypto';
import { inTransaction } from '@keyreeve/server';
import { type Company, getToken, type Harness, toBasic } from '@keyreeve/testkit';
import { checksumOf } from '../../packages/server/src/features/keys/key-format.ts';
import { Secret } from '../../packages/server/src/lib/secret.ts';
import type { Pair, Question } from './timing-measure.ts';

const PASSWORD = 'velvet ladder orbit';
const HOUR_MS = 3_600_000;

interface Stage {
  readonly harness: Harness;
  readonly company: Company;
}

const base62 = (length: number): string =>
  randomBytes(4 * length)
    .toString('base64')
    .replaceAll(/[+/=]/g, '')
    .slice(0, length);

/** A secret for the key that is none of it, with the checksum that it needs to be looked at. */
function wrongSecret(apiKey: string, secret43 = base62(43)): string {
  return `${secret43}${checksumOf(apiKey, secret43)}`;
}

/** The right one but for its last character. */
function nearSecret(apiKey: string, secretKey: string): string {
  return wrongSecret(apiKey, `${secretKey.slice(0, 42)}${secretKey[42] === 'a' ? 'b' : 'a'}`);
}

async function mint({ harness, company }: Stage, more: object = {}, accountId = company.robot.id) {
  const minted = await harness.deps.keys.create(company.adminCaller, accountId, {
    comment: 'CI',
    access: 'account',
    lifetimeDays: 365,
    ...more,
  });
  return { apiKey: minted.key.id, secretKey: minted.secretKey.reveal(), fullKey: minted.fullKey.reveal() };
}

async function forgetTries({ deps }: Harness): Promise<void> {
  await inTransaction(deps.storage, (tx) => tx.deleteFrom('attempts').execute());
}

function signIn(email: string, password: string): Question {
  return { path: '/v1/session', json: { email, password } };
}

/** Does an address have an account? */
export async function listSignInPairs(stage: Stage): Promise<Pair[]> {
  const { harness, company } = stage;
  const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
  const user = (email: string) =>
    harness.createAccount({ kind: 'user', email, displayName: 'Ada', passwordHash });
  await user('known@example.com');
  const disabled = await user('disabled@example.com');
  await harness.deps.accounts.update(company.adminCaller, 'user', disabled.id, { state: 'disabled' }, null);
  const nobody = () => `${base62(8).toLowerCase()}@example.com`;
  const before = () => forgetTries(harness);
  return [
    {
      name: 'sign-in: a known and an unknown address',
      sides: [
        () => signIn('known@example.com', 'wrong wrong wrong'),
        () => signIn(nobody(), 'wrong wrong wrong'),
      ],
      status: 401,
      before,
    },
    {
      name: 'sign-in: a disabled account and an unknown address',
      sides: [
        () => signIn('disabled@example.com', 'wrong wrong wrong'),
        () => signIn(nobody(), 'wrong wrong wrong'),
      ],
      status: 401,
      before,
    },
  ];
}

/** The same for addresses that have to wait. */
export async function listThrottledPairs({ harness }: Stage): Promise<Pair[]> {
  await harness.createAccount({ kind: 'user', email: 'braked@example.com', displayName: 'Ada' });
  const workspace = harness.deps.defaultWorkspace;
  const caller = {
    workspace,
    principal: { kind: 'anonymous' },
    ip: '127.0.0.1',
    userAgent: null,
    requestId: null,
  } as const;
  const brake = async (login: string) => {
    for (let tries = 0; tries < 5; tries += 1) await harness.deps.throttle.reserveSignIn(caller, login);
  };
  await forgetTries(harness);
  await brake('braked@example.com');
  await brake('nobody@example.com');
  return [
    {
      name: 'sign-in: a known and an unknown address that have to wait',
      sides: [() => signIn('braked@example.com', 'x'), () => signIn('nobody@example.com', 'x')],
      status: 429,
    },
  ];
}

export async function listResetPairs({ harness }: Stage): Promise<Pair[]> {
  await harness.createAccount({ kind: 'user', email: 'forgetful@example.com', displayName: 'Ada' });
  const reset = (email: string): Question => ({ path: '/v1/password/request', json: { email } });
  return [
    {
      name: 'a request to reset: a known and an unknown address',
      sides: [() => reset('forgetful@example.com'), () => reset(`${base62(8)}@example.com`)],
      status: 202,
      before: () => forgetTries(harness),
    },
  ];
}

/** What does a text that is no secret tell of a key? */
export async function listKeyPairs(stage: Stage): Promise<Pair[]> {
  const { harness, company } = stage;
  const verify = (apiKey: string, secretKey: string): Question => ({
    path: '/v1/keys/verify',
    headers: { authorization: `Bearer ${company.adminKey}` },
    json: { key: `${apiKey}_${secretKey}` },
  });
  const show = (apiKey: string, secretKey: string): Question => ({
    path: '/v1/keys/self',
    headers: { authorization: `Bearer ${apiKey}_${secretKey}` },
  });
  const [live, disabled, asleep] = [
    await mint(stage),
    await mint(stage),
    await mint(stage, {}, company.stranger.id),
  ];
  const short = await mint(stage, { lifetimeDays: 1 });
  await harness.deps.keys.disable(company.adminCaller, disabled.apiKey, null);
  await harness.deps.accounts.update(
    company.adminCaller,
    'user',
    company.stranger.id,
    { state: 'disabled' },
    null,
  );
  harness.clock.advance(25 * HOUR_MS);
  const wrong = ({ apiKey }: { apiKey: string }) => wrongSecret(apiKey);
  return [
    {
      name: 'verification: a wrong secret and one that is right but for its end',
      sides: [
        () => verify(live.apiKey, wrong(live)),
        () => verify(live.apiKey, nearSecret(live.apiKey, live.secretKey)),
      ],
      status: 200,
    },
    {
      name: 'a key as credential: a wrong secret and one that is right but for its end',
      sides: [
        () => show(live.apiKey, wrong(live)),
        () => show(live.apiKey, nearSecret(live.apiKey, live.secretKey)),
      ],
      status: 401,
    },
    ...(
      [
        ['a disabled key', disabled],
        ['an expired key', short],
        ['the key of a disabled account', asleep],
      ] as const
    ).map(([name, other]) => ({
      name: `verification, wrong secret: a live key and ${name}`,
      sides: [() => verify(live.apiKey, wrong(live)), () => verify(other.apiKey, wrong(other))] as const,
      status: 200,
    })),
  ];
}

/** Whether an API key exists, and was used lately, shows, and may: it is the public half. Told here, and not held. */
export async function listKnownDifferences(stage: Stage): Promise<Pair[]> {
  const { harness, company } = stage;
  const [live, used] = [await mint(stage), await mint(stage)];
  const verify = (apiKey: string, secretKey = wrongSecret(apiKey)): Question => ({
    path: '/v1/keys/verify',
    headers: { authorization: `Bearer ${company.adminKey}` },
    json: { key: `${apiKey}_${secretKey}` },
  });
  const use = async () => {
    const presented = { fullKey: new Secret(used.fullKey) };
    await harness.deps.keyAuthenticator.authenticate(harness.deps.defaultWorkspace.id, presented, null);
  };
  return [
    {
      name: 'verification, wrong secret: a key that exists and one that does not',
      sides: [() => verify(live.apiKey), () => verify(`kr_${base62(16)}`)],
      status: 200,
    },
    {
      name: 'verification, wrong secret: a key that was used and one that was not',
      sides: [() => verify(used.apiKey), () => verify(live.apiKey)],
      status: 200,
      before: use,
    },
  ];
}

/** A good token of another workspace of the same server. */
async function takeForeignToken({ harness, company }: Stage, fullKey: string): Promise<string> {
  const { workspaces, keyAuthenticator, tokens, defaultWorkspace } = harness.deps;
  const made = { name: 'Other', subdomain: 'other', aliases: [] };
  const { workspace } = await workspaces.create(company.adminCaller, made);
  const presented = { fullKey: new Secret(fullKey) };
  const proven = await keyAuthenticator.authenticate(defaultWorkspace.id, presented, null);
  if (proven.code !== 'valid') throw new Error(`The key is ${proven.code}.`);
  return (await tokens.issue(workspace, proven)).token.reveal();
}

/** The same under a key id that nobody has. */
function ofNobody(token: string): string {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
  const kid = randomBytes(32).toString('base64url');
  return `${Buffer.from(JSON.stringify({ ...header, kid })).toString('base64url')}.${payload}.${signature}`;
}

/** What a client that asks about a token learns from how long the answer takes: it is given on a beat of 10 ms. */
export async function listIntrospectionPairs(stage: Stage): Promise<Pair[]> {
  const { harness, company } = stage;
  const [asker, leaver, sleeper] = [await mint(stage), await mint(stage), await mint(stage)];
  const introspect = (token: string) => (): Question => ({
    path: '/oauth2/introspect',
    headers: { authorization: toBasic(asker) },
    form: { token },
  });
  const foreign = await takeForeignToken(stage, asker.fullKey);
  const ended = (await getToken(harness, leaver)).access_token;
  const headers = { host: 'localhost', authorization: `Bearer ${ended}` };
  await harness.app.inject({ method: 'DELETE', url: '/iam/logout', headers });
  const disabled = (await getToken(harness, sleeper)).access_token;
  await harness.deps.keys.disable(company.adminCaller, sleeper.apiKey, null);
  const gone = introspect(ofNobody(foreign));
  return [
    { name: 'a token of another workspace and one of nobody', sides: [introspect(foreign), gone] },
    { name: 'a token that was logged out and one of nobody', sides: [introspect(ended), gone] },
    { name: 'a token whose key is disabled and one of nobody', sides: [introspect(disabled), gone] },
    { name: 'no token at all and one of nobody', sides: [introspect('x'.repeat(43)), gone] },
  ].map(({ name, sides: [one, other] }) => ({
    name: `introspection: ${name}`,
    sides: [one ?? gone, other ?? gone],
    status: 200,
  }));
}

/** Things of others, and what was once good. */
export async function listObjectPairs(stage: Stage): Promise<Pair[]> {
  const { company } = stage;
  const scopes = [{ actions: ['iam:keys:read'], resources: [company.admin.id] }];
  const reader = await mint(stage, { access: 'scoped', scopes }, company.admin.id);
  const theirs = await mint(stage);
  const get = (keyId: string): Question => ({
    path: `/v1/keys/${keyId}`,
    headers: { authorization: `Bearer ${reader.fullKey}` },
  });
  const link = (): Question => ({
    path: '/v1/invitations/accept',
    json: { token: base62(43), password: PASSWORD },
  });
  const used = await useInvitation(stage);
  return [
    {
      name: 'the key of somebody else and one that does not exist',
      sides: [() => get(theirs.apiKey), () => get(`kr_${base62(16)}`)],
      status: 404,
    },
    {
      name: 'an invitation that was used and one that never was',
      sides: [() => ({ path: '/v1/invitations/accept', json: { token: used, password: PASSWORD } }), link],
      status: 404,
    },
  ];
}

async function useInvitation({ harness, company }: Stage): Promise<string> {
  const account = await harness.createAccount({
    kind: 'user',
    email: 'guest@example.com',
    displayName: 'Mei',
  });
  const { deps } = harness;
  await inTransaction(deps.storage, (tx) =>
    deps.passwordLinks.send(tx, company.adminCaller, 'invitation', account),
  );
  const row = await deps.storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('to_address', '=', 'guest@example.com')
    .executeTakeFirstOrThrow();
  const token = (deps.queue.open(row).payload as { linkUrl: string }).linkUrl.split('#')[1] ?? '';
  const answer = await harness.app.inject({
    method: 'POST',
    url: '/v1/invitations/accept',
    headers: { host: 'localhost:8080' },
    payload: { token, password: PASSWORD },
  });
  if (answer.statusCode >= 300) throw new Error(`The invitation was refused: ${answer.body}`);
  return token;
}

/** A sign-in as it is written first: it hashes only where there is something to compare. */
export function naiveSignIn(email: string): boolean {
  if (email !== 'known@example.com') return false;
  let digest = Buffer.from(email);
  for (let round = 0; round < 2_000; round += 1) digest = createHash('sha256').update(digest).digest();
  return digest.length === 0;
}
