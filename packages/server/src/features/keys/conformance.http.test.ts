import { createHash, randomUUID } from 'node:crypto';
import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../errors/index.ts';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { inTransaction } from '../../storage/index.ts';
import { parseFullKey } from './key-format.ts';
import type { CreateKeyInput, MintedKey } from './key-issue.ts';

/**
 * The cases of gallery-keys.md 7.2, 7.3, 7.4 and 7.6, one row each with its number: what NuGetGallery does with keys,
 * and what is done here. docs/gallery/conformance.md says which do not apply, and where the answer is another, why.
 */
let harness: Harness;
let company: Company;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());
beforeEach(() => takeMails());

const PUSH = 'package:push';
const ACTIONS = [PUSH, 'package:pushnew', 'package:pushversion', 'package:unlist', 'package:read'];
const UNKNOWN_KEY = 'kr_0123456789ABCDEF';

type Row = readonly [number: number, name: string, attempt: () => Promise<unknown>, wanted: unknown];

/** Every row states what a caller sees, so that it can be read beside the table it comes from. */
function checkRows(rows: readonly Row[]): void {
  it.each(rows)('[keys %i] %s', async (_number, _name, attempt, wanted) => {
    expect(await attempt()).toEqual(wanted);
  });
}

function create(wish: Partial<CreateKeyInput>, by: 'member' | 'stranger' | 'admin' = 'member') {
  const caller = {
    member: company.memberCaller,
    stranger: company.strangerCaller,
    admin: company.adminCaller,
  };
  return harness.deps.keys.create(caller[by], company[by].id, { comment: 'CI', access: 'account', ...wish });
}

const scoped = (actions: string[], resources: string[]): Partial<CreateKeyInput> => ({
  access: 'scoped',
  scopes: [{ actions, resources }],
});

/** The code of a refusal, or `done`. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** What the holder of a key is told when he asks who he is: `valid`, or the code of the refusal. */
async function stateOf(fullKey: string): Promise<string> {
  const answer = await call(harness, 'GET', '/v1/keys/self', { headers: { 'x-api-key': fullKey } });
  return answer.statusCode === 200 ? 'valid' : answer.json<{ code: string }>().code;
}

/** Which of these `action resource` the key may do. */
async function allowedOf({ fullKey }: MintedKey, questions: readonly string[]): Promise<string[]> {
  const asked = questions.map(async (question) => {
    const [action, resource] = question.split(' ');
    const url = `/v1/authorize?action=${action}&resource=${resource}`;
    return (await call(harness, 'GET', url, { key: fullKey.reveal() })).statusCode === 204 ? question : null;
  });
  return (await Promise.all(asked)).filter((question) => question !== null);
}

/** The mails since the last look: kind, recipient, and the comment of the key. */
async function takeMails(): Promise<string[]> {
  const { storage, queue } = harness.deps;
  const rows = await storage.read.selectFrom('outbox').selectAll().orderBy('created_at').execute();
  await inTransaction(storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
  return rows.map((row) => {
    const { comment } = queue.open(row).payload as { comment?: string };
    return `${row.kind} to ${row.to_address}: ${comment}`;
  });
}

async function auditOf(keyId: string): Promise<string[]> {
  const rows = await harness.deps.storage.read
    .selectFrom('audit')
    .select('action')
    .where('key_id', '=', keyId)
    .orderBy('seq')
    .execute();
  return rows.map((row) => row.action);
}

async function importKey(comment: string): Promise<{ id: string; foreign: string }> {
  const foreign = randomUUID();
  const sha256 = createHash('sha256').update(foreign).digest('hex');
  const row = { account: 'mei@example.com', comment, access: 'full', expiresAt: null, sha256 };
  const body = { rows: [row] };
  const answer = await call(harness, 'POST', '/v1/key-imports', { key: company.adminKey, body });
  return { id: answer.json<{ keyIds: string[] }>().keyIds[0] ?? '', foreign };
}

/** The owners of five keys that act for this one, each with another action. */
async function ownersOf(ownerId: string, by: 'member' | 'stranger'): Promise<string[]> {
  const made = ACTIONS.map(async (action) => (await create({ ...scoped([action], ['*']), ownerId }, by)).key);
  return (await Promise.all(made)).map((key) => key.ownerId);
}

describe('creating a key', () => {
  checkRows([
    [37, 'for an account that is disabled', createForDisabled, ['key.account_disabled']],
    [
      38,
      'that acts for another user',
      () => outcomeOf(create({ ...scoped([PUSH], ['*']), ownerId: company.member.id }, 'stranger')),
      'key.owner_not_allowed',
    ],
    [
      40,
      'that acts for a service account, by its manager, with each action',
      async () =>
        (await ownersOf(company.robot.id, 'member')).filter((owner) => owner === company.robot.id).length,
      5,
    ],
    [41, 'by one manager of two', createBySecondManager, 5],
    [43, 'for longer than the longest choice', () => lifetimesOf(700), ['key.lifetime_not_allowed']],
    [
      44,
      'for no time at all, and without a word about it',
      () => lifetimesOf(-1, 0, undefined),
      ['key.lifetime_not_allowed', 'key.lifetime_not_allowed', 365],
    ],
    [
      46,
      'where only 1, 8 and 30 days are offered',
      () => lifetimesWhere([1, 8, 30], 7, 15, 90, 365, 30, undefined),
      [...Array.from({ length: 4 }, () => 'key.lifetime_not_allowed'), 30, 30],
    ],
    [
      47,
      'with two actions and two packages, which allow all four together',
      async () =>
        await allowedOf(await create(scoped(['package:unlist', PUSH], ['abc', 'def'])), [
          'package:push abc',
          'package:push def',
          'package:unlist abc',
          'package:unlist def',
          'package:push ghi',
          'package:read abc',
        ]),
      ['package:push abc', 'package:push def', 'package:unlist abc', 'package:unlist def'],
    ],
    [49, 'without actions and packages', () => outcomeOf(create({ access: 'scoped' })), 'key.scope_required'],
    [
      50,
      'with packages that are blank',
      () => Promise.all(['', ' ', '\t'].map((blank) => outcomeOf(create(scoped([PUSH], ['abc', blank]))))),
      ['request.invalid', 'request.invalid', 'request.invalid'],
    ],
    [52, 'which is told once, and kept as a digest alone', createAndLookIntoDatabase, CREATED],
    [53, 'which is told to its owner by mail', createAndReadMails, ['key.created to mei@example.com: CI']],
    [
      55,
      'is offered on behalf of the service accounts that one manages',
      async () => (await managedBy(company.member)).includes(company.robot.id),
      true,
    ],
    [
      56,
      'is not offered on behalf of others, to an administrator neither',
      async () => [
        (await managedBy(company.admin)).length,
        await outcomeOf(create({ ownerId: company.robot.id }, 'admin')),
      ],
      [0, 'key.owner_not_allowed'],
    ],
    [58, 'is written down with the key, and a refusal leaves neither', createAndCount, [1, 0]],
  ]);
});

const CREATED = {
  isKnownAgain: true,
  isSecretStored: false,
  comment: 'Nightly build',
  lifetimeMs: 90 * DAY_MS,
};

async function createForDisabled() {
  const { accounts } = harness.deps;
  const setState = (state: 'active' | 'disabled') =>
    accounts.update(company.adminCaller, 'user', company.stranger.id, { state }, null);
  await setState('disabled');
  const input = { comment: 'CI', access: 'account' } as const;
  const refused = await outcomeOf(harness.deps.keys.create(company.adminCaller, company.stranger.id, input));
  await setState('active');
  return [refused];
}

async function createBySecondManager() {
  const { id } = await harness.createAccount({
    kind: 'service',
    technicalName: 'shared-robot',
    displayName: 'Shared robot',
    managers: [company.member.id, company.stranger.id],
  });
  company = { ...company, strangerCaller: await harness.callerOf(company.stranger) };
  return (await ownersOf(id, 'stranger')).filter((owner) => owner === id).length;
}

/** The days that a key gets for each wish, or the refusal. */
async function lifetimesOf(...wishes: (number | undefined)[]): Promise<(number | string)[]> {
  const got: (number | string)[] = [];
  for (const lifetimeDays of wishes) {
    const refused = await outcomeOf(create({ lifetimeDays }));
    const made = refused === 'done' ? await create({ lifetimeDays }) : null;
    got.push(made === null ? refused : ((made.key.current.expiresAt ?? 0) - harness.clock.now()) / DAY_MS);
  }
  return got;
}

async function lifetimesWhere(choices: number[], ...wishes: (number | undefined)[]) {
  const { settings } = harness.deps;
  const longest = choices.at(-1) ?? 0;
  const narrowed = { lifetimeChoicesDays: choices, defaultLifetimeDays: longest, maxLifetimeDays: longest };
  await settings.update(company.adminCaller, narrowed, null);
  const got = await lifetimesOf(...wishes);
  const usual = {
    lifetimeChoicesDays: [1, 90, 180, 270, 365],
    defaultLifetimeDays: 365,
    maxLifetimeDays: 730,
  };
  await settings.update(company.adminCaller, usual, null);
  return got;
}

async function createAndLookIntoDatabase(): Promise<typeof CREATED> {
  const { key, secretKey, fullKey } = await create({ comment: 'Nightly build', lifetimeDays: 90 });
  const row = await harness.deps.storage.read
    .selectFrom('api_keys')
    .selectAll()
    .where('id', '=', key.id)
    .executeTakeFirstOrThrow();
  return {
    isKnownAgain: parseFullKey(fullKey)?.apiKey === key.id && (await stateOf(fullKey.reveal())) === 'valid',
    isSecretStored: JSON.stringify(row).includes(secretKey.reveal()),
    comment: row.comment,
    lifetimeMs: (key.current.expiresAt ?? 0) - harness.clock.now(),
  };
}

async function createAndReadMails() {
  await create({});
  return await takeMails();
}

async function managedBy(account: { id: string }): Promise<readonly string[]> {
  const { accounts, storage, defaultWorkspace } = harness.deps;
  return await accounts.listManagedIds(storage.read, defaultWorkspace.id, account.id);
}

async function createAndCount() {
  const { key } = await create({});
  const refused = await outcomeOf(create({ comment: 'never made', lifetimeDays: 2 }));
  expect(refused).toBe('key.lifetime_not_allowed');
  const never = await harness.deps.storage.read
    .selectFrom('api_keys')
    .select('id')
    .where('comment', '=', 'never made')
    .execute();
  return [(await auditOf(key.id)).filter((action) => action === 'key.created').length, never.length];
}

describe('changing and ending a key', () => {
  const { regenerate, update, remove, disable } = {
    regenerate: (id: string) => harness.deps.keys.regenerate(company.memberCaller, id, {}),
    update: (id: string, changes: object) =>
      harness.deps.keys.update(company.memberCaller, id, changes, null),
    remove: (id: string) => harness.deps.keys.remove(company.memberCaller, id),
    disable: (id: string) => harness.deps.keys.disable(company.memberCaller, id, null),
  };
  const scopesOf = async (id: string) => (await harness.deps.keys.get(company.memberCaller, id)).scopes;

  checkRows([
    [59, 'regenerating one that is not there', () => outcomeOf(regenerate(UNKNOWN_KEY)), 'request.not_found'],
    [
      61,
      'regenerating one that was imported',
      async () => await outcomeOf(regenerate((await importKey('Imported')).id)),
      'key.not_regenerable',
    ],
    [
      62,
      'regenerating one that has expired',
      regenerateExpired,
      ['auth.key_expired', 'auth.invalid_credential', 'valid', 4, 1],
    ],
    [
      64,
      'editing one that is not there',
      () => outcomeOf(update(UNKNOWN_KEY, { comment: 'x' })),
      'request.not_found',
    ],
    [
      65,
      'editing the packages of one that was imported',
      async () => {
        const scopes = [{ actions: [PUSH], resources: ['abc'] }];
        return await outcomeOf(update((await importKey('Imported')).id, { scopes }));
      },
      'key.scopes_not_allowed',
    ],
    [
      67,
      'adding a package, to every action',
      async () => {
        const actions = [PUSH, 'package:unlist'];
        const minted = await create(scoped(actions, ['abc']));
        await update(minted.key.id, { scopes: [{ actions, resources: ['abc', 'def'] }] });
        return await allowedOf(minted, ['package:push def', 'package:unlist def', 'package:push ghi']);
      },
      ['package:push def', 'package:unlist def'],
    ],
    [
      68,
      'taking all packages away, which would widen it',
      async () => {
        const { key } = await create(scoped([PUSH], ['abc']));
        const refused = await outcomeOf(update(key.id, { scopes: [{ actions: [PUSH], resources: [] }] }));
        return [refused, await scopesOf(key.id)];
      },
      ['key.scope_required', [{ actions: [PUSH], resources: ['abc'] }]],
    ],
    [
      70,
      'editing leaves the scopes of other keys alone',
      async () => {
        const other = await create(scoped([PUSH], ['abc']));
        const { key } = await create(scoped([PUSH], ['abc']));
        await update(key.id, { scopes: [{ actions: [PUSH], resources: ['def'] }] });
        return await scopesOf(other.key.id);
      },
      [{ actions: [PUSH], resources: ['abc'] }],
    ],
    [
      71,
      'editing is written down',
      async () => {
        const { key } = await create({});
        await update(key.id, { comment: 'Other' });
        return await auditOf(key.id);
      },
      ['key.created', 'key.changed'],
    ],
    [
      73,
      'deleting one that has expired, which the mail names',
      removeExpired,
      ['key.deleted to mei@example.com: theApiKey'],
    ],
    [
      74,
      'deleting one without scopes, which the mail names as well',
      async () => {
        const { id } = await importKey('Full access');
        await takeMails();
        await remove(id);
        return await takeMails();
      },
      ['key.deleted to mei@example.com: Full access'],
    ],
    [
      76,
      'deleting is written down',
      async () => {
        const { key } = await create({});
        await remove(key.id);
        return await auditOf(key.id);
      },
      ['key.created', 'key.deleted'],
    ],
    [77, 'ending one that is not there', () => outcomeOf(disable(UNKNOWN_KEY)), 'request.not_found'],
    [
      79,
      'revoking one by whoever holds it',
      revokeByHolder,
      [['key.created', 'key.revoked'], 'auth.invalid_credential'],
    ],
    [80, 'revoking one that has expired', revokeExpired, 'auth.key_expired'],
  ]);
});

async function regenerateExpired() {
  const scopes = ACTIONS.filter((action) => action !== PUSH).map((action) => ({
    actions: [action],
    resources: ['A*'],
  }));
  const old = await create({ access: 'scoped', scopes: scopes.slice(0, 4), lifetimeDays: 1 });
  harness.clock.advance(2 * DAY_MS);
  const before = await stateOf(old.fullKey.reveal());
  const fresh = await harness.deps.keys.regenerate(company.memberCaller, old.key.id, {});
  return [
    before,
    await stateOf(old.fullKey.reveal()),
    await stateOf(fresh.fullKey.reveal()),
    fresh.key.scopes.length,
    ((fresh.key.current.expiresAt ?? 0) - harness.clock.now()) / DAY_MS,
  ];
}

async function removeExpired() {
  const { key } = await create({ ...scoped([PUSH], ['*']), comment: 'theApiKey', lifetimeDays: 1 });
  await takeMails();
  harness.clock.advance(2 * DAY_MS);
  await harness.deps.keys.remove(company.memberCaller, key.id);
  return await takeMails();
}

async function revokeByHolder() {
  const { key, fullKey } = await create({});
  await call(harness, 'POST', '/v1/keys/self/revoke', { key: fullKey.reveal() });
  return [await auditOf(key.id), await stateOf(fullKey.reveal())];
}

async function revokeExpired() {
  const { fullKey } = await create({ lifetimeDays: 1 });
  harness.clock.advance(2 * DAY_MS);
  const answer = await call(harness, 'POST', '/v1/keys/self/revoke', { key: fullKey.reveal() });
  return answer.json<{ code: string }>().code;
}

describe('presenting a key', () => {
  const secretOf = (minted: MintedKey) => minted.secretKey.reveal();

  checkRows([
    [86, 'of each kind: it is that key, of that account', presentEachKind, [true, true, true, true]],
    [
      88,
      'that expired yesterday',
      async () => {
        const { fullKey } = await create({ lifetimeDays: 1 });
        harness.clock.advance(2 * DAY_MS);
        return await stateOf(fullKey.reveal());
      },
      'auth.key_expired',
    ],
    [
      92,
      'of a service account, which owns keys here',
      async () => {
        const input = { comment: 'CI', access: 'account' } as const;
        const { fullKey } = await harness.deps.keys.create(company.memberCaller, company.robot.id, input);
        return await stateOf(fullKey.reveal());
      },
      'valid',
    ],
    [
      94,
      'that is nonsense, well-formed but unknown, or a GUID',
      () =>
        Promise.all(
          [
            'nonsense',
            'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD',
            '6b7cbb1f-3f0d-4a51-9a86-1d6a1a5b0f3e',
          ].map(stateOf),
        ),
      ['auth.invalid_credential', 'auth.invalid_credential', 'auth.invalid_credential'],
    ],
    [
      95,
      'has 20 characters and 49, of which nothing but a digest is kept',
      async () => {
        const { key, secretKey } = await create({});
        return [/^kr_[0-9A-Za-z]{16}$/.test(key.id), secretKey.reveal().length];
      },
      [true, 49],
    ],
    [
      97,
      'in capitals, which is another key here',
      async () => await stateOf((await create({})).fullKey.reveal().toUpperCase()),
      'auth.invalid_credential',
    ],
    [
      98,
      'with the secret of another, or with a part of its own',
      async () => {
        const [one, other] = [await create({}), await create({})];
        const spellings = [secretOf(other), secretOf(one).slice(0, -1), secretOf(one).slice(1), ''];
        return await Promise.all(spellings.map((secret) => stateOf(`${one.key.id}_${secret}`)));
      },
      Array.from({ length: 4 }, () => 'auth.invalid_credential'),
    ],
    [100, 'whose digest somebody altered', presentAltered, 'auth.invalid_credential'],
    [
      101,
      'is another one each time that one is made',
      async () => new Set((await Promise.all([create({}), create({}), create({})])).map(secretOf)).size,
      3,
    ],
    [
      103,
      'with a character at any place that no key has',
      async () => {
        const text = (await create({})).fullKey.reveal();
        const states = Array.from(text, (_, at) => stateOf(`${text.slice(0, at)}!${text.slice(at + 1)}`));
        return new Set(await Promise.all(states));
      },
      new Set(['auth.invalid_credential']),
    ],
    [
      104,
      'with a checksum that is not its own',
      async () => {
        const text = (await create({})).fullKey.reveal();
        return await stateOf(`${text.slice(0, -6)}${text.endsWith('000000') ? '111111' : '000000'}`);
      },
      'auth.invalid_credential',
    ],
  ]);
});

async function presentEachKind(): Promise<boolean[]> {
  const input = { comment: 'CI', access: 'account' } as const;
  const account = await create({});
  const narrow = await create(scoped([PUSH], ['*']));
  const robot = await harness.deps.keys.create(company.memberCaller, company.robot.id, input);
  const { id, foreign } = await importKey('Imported');
  const { member } = company;
  return await Promise.all([
    isSelf(account.fullKey.reveal(), account.key.id, member.id),
    isSelf(narrow.fullKey.reveal(), narrow.key.id, member.id),
    isSelf(robot.fullKey.reveal(), robot.key.id, company.robot.id),
    isSelf(foreign, id, member.id),
  ]);
}

async function isSelf(fullKey: string, keyId: string, accountId: string): Promise<boolean> {
  const answer = await call(harness, 'GET', '/v1/keys/self', { headers: { 'x-nuget-apikey': fullKey } });
  const { key } = answer.json<{ key: { id: string; accountId: string } }>();
  return key.id === keyId && key.accountId === accountId;
}

async function presentAltered() {
  const { key, fullKey } = await create({});
  const statement = sql`update api_keys set digest = (select max(digest) from api_keys where id <> ${key.id})`;
  await sql`${statement} where id = ${key.id}`.execute(harness.deps.storage.write);
  return await stateOf(fullKey.reveal());
}

describe('the mails about expiry', () => {
  const sweep = async () => {
    await harness.deps.expirySweep.run();
    return (await takeMails()).map((mail) => mail.replace(' to mei@example.com', ''));
  };

  checkRows([
    [
      160,
      'say of keys that ended an hour ago and just now that they have, and of others that they will',
      async () => {
        await sweep();
        for (const comment of ['ended', 'ends now', 'ends later']) {
          await create({ comment, lifetimeDays: 1 });
          harness.clock.advance(HOUR_MS);
        }
        await takeMails();
        harness.clock.advance(DAY_MS - 2 * HOUR_MS);
        return (await sweep()).toSorted();
      },
      ['key.expired: ended', 'key.expired: ends now', 'key.expiring: ends later'],
    ],
    [
      161,
      'come once, though one looks twice on one day; the second time of what came up since',
      async () => {
        await create({ comment: 'first', lifetimeDays: 90 });
        harness.clock.advance(2 * HOUR_MS);
        await create({ comment: 'second', lifetimeDays: 90 });
        await takeMails();
        harness.clock.advance(80 * DAY_MS - 2 * HOUR_MS);
        const morning = await sweep();
        harness.clock.advance(2 * HOUR_MS);
        return [morning.filter((mail) => /first|second/.test(mail)), await sweep()];
      },
      [['key.expiring: first'], ['key.expiring: second']],
    ],
  ]);
});
