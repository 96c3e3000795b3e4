import type { Account } from '@keyreeve/server';
import { type Company, describeOn, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../lib/secret.ts';

const STOCK = 'https://stock.example';
const ORDERS = 'https://orders.example';
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

type Tokens = Harness['deps']['tokens'];
type CreateInput = Parameters<Harness['deps']['keys']['create']>[2];
type Proven = Parameters<Tokens['issue']>[1];
type Wish = Parameters<Tokens['issue']>[2];

let harness: Harness;
let company: Company;
let tokens: Tokens;
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  ({ tokens } = harness.deps);
  await harness.deps.settings.update(company.adminCaller, { tokenResources: [STOCK, ORDERS] }, null);
});
afterAll(() => harness.close());

const here = () => harness.deps.defaultWorkspace;
const elsewhere = () => ({ ...here(), id: 'wsp_other' });
const PUSH = [{ actions: ['package:push'], resources: ['Contoso.*'] }];

let robots = 0;
async function addRobot(): Promise<Account> {
  robots += 1;
  return await harness.createAccount({ kind: 'service', technicalName: `robot-${robots}`, displayName: 'R' });
}

interface Client {
  readonly id: string;
  readonly account: Account;
  prove(): Promise<Proven>;
}

async function addClient(more: Partial<CreateInput> = {}): Promise<Client> {
  const account = await addRobot();
  const input: CreateInput = { comment: 'x', access: 'account', ...more };
  const { key, fullKey } = await harness.deps.keys.create(company.adminCaller, account.id, input);
  return {
    id: key.id,
    account,
    prove: async () => {
      const outcome = await harness.deps.keyAuthenticator.authenticate(here().id, { fullKey }, null);
      if (!('key' in outcome)) throw new Error('The key is not known.');
      return outcome;
    },
  };
}

async function issue(client: Client, wish?: Wish) {
  return await tokens.issue(here(), await client.prove(), wish);
}

const isGood = async (token: Secret) =>
  await tokens.verify(here(), token, null).then(
    () => true,
    () => false,
  );

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function derive(token: Secret, wish: Wish = {}, actor: Client | null = null) {
  const subject = await tokens.inspect(here(), token, null);
  return await tokens.derive(here(), subject, wish, actor === null ? null : await actor.prove());
}

/** The second in whose middle it is then: keys end in the middle of one, too, and tokens never after their key. */
function setToHalfASecond(): number {
  const second = Math.floor(harness.clock.now() / SECOND_MS) + 1;
  harness.clock.set(second * SECOND_MS + 500);
  return second;
}

describe('a token', () => {
  it('tells who stands behind it, until key or account is in another state', async () => {
    const { keys, accounts } = harness.deps;
    const { adminCaller } = company;
    const changes: ((client: Client) => Promise<unknown>)[] = [
      (client) => keys.disable(adminCaller, client.id, null),
      (client) => keys.disable(adminCaller, client.id, null).then(() => keys.enable(adminCaller, client.id)),
      (client) => keys.regenerate(adminCaller, client.id, {}),
      (client) =>
        keys
          .regenerate(adminCaller, client.id, { overlapHours: 1 })
          .then(() => keys.endOverlap(adminCaller, client.id)),
      (client) => keys.update(adminCaller, client.id, { ipRanges: ['192.0.2.1'] }, null),
      (client) => keys.remove(adminCaller, client.id),
      ({ account }) => accounts.update(adminCaller, 'service', account.id, { state: 'disabled' }, null),
      ({ account }) => accounts.update(adminCaller, 'service', account.id, { grants: [...PUSH] }, null),
    ];
    for (const change of changes) {
      const client = await addClient();
      const { token, claims } = await issue(client);
      expect(await tokens.verify(here(), token, null)).toMatchObject({
        kind: 'token',
        account: { id: client.account.id },
        key: { id: client.id, access: 'account' },
        token: { jti: claims.jti, issuedAt: claims.iat * SECOND_MS, expiresAt: claims.exp * SECOND_MS },
      });
      await change(client);
      expect(await refusalOf(tokens.verify(here(), token, null)), String(change)).toBe(
        'auth.invalid_credential',
      );
    }
  });

  it('is good in its own workspace, and nothing else is', async () => {
    const { token } = await issue(await addClient());
    expect(await refusalOf(tokens.verify(elsewhere(), token, null))).toBe('auth.invalid_credential');
    expect(await refusalOf(tokens.verify(here(), new Secret(`${token.reveal()}x`), null))).toBe(
      'auth.invalid_credential',
    );
    expect(await tokens.read(elsewhere(), token)).toBeNull();
  });

  it('for another resource is good for who asks about it there, as long as that is one', async () => {
    const { token, claims } = await issue(await addClient(), { resource: STOCK });
    expect(claims.aud).toBe(STOCK);
    expect(await isGood(token)).toBe(false);
    expect((await tokens.inspect(here(), token, null)).claims).toEqual(claims);
    const { settings } = harness.deps;
    await settings.update(company.adminCaller, { tokenResources: [ORDERS] }, null);
    expect(await refusalOf(tokens.inspect(here(), token, null))).toBe('auth.invalid_credential');
    expect(await tokens.read(here(), token)).toEqual(claims);
    await settings.update(company.adminCaller, { tokenResources: [STOCK, ORDERS] }, null);
  });

  it('is made for this server and the resources that are set, and for no other', async () => {
    const client = await addClient();
    expect((await issue(client, { resource: here().url })).claims.aud).toBe(here().url);
    expect(await refusalOf(issue(client, { resource: 'https://other.example' }))).toBe(
      'token.resource_not_allowed',
    );
  });

  it('is bound to the addresses of its key', async () => {
    const client = await addClient();
    await harness.deps.keys.update(company.adminCaller, client.id, { ipRanges: ['192.0.2.1'] }, null);
    const { token } = await issue(client);
    expect((await tokens.verify(here(), token, '192.0.2.1')).key.id).toBe(client.id);
    expect(await refusalOf(tokens.verify(here(), token, '192.0.2.2'))).toBe('auth.invalid_credential');
    expect(await refusalOf(tokens.verify(here(), token, null))).toBe('auth.invalid_credential');
  });

  it('is not made when less than a second of its key is left', async () => {
    const start = setToHalfASecond();
    const client = await addClient({ lifetimeDays: 1 });
    const proven = await client.prove();
    const { token } = await tokens.issue(here(), proven);
    const subject = await tokens.inspect(here(), token, null);
    harness.clock.advance(DAY_MS - 501);
    expect((await tokens.issue(here(), proven)).claims.exp).toBe(start + 86_400);
    harness.clock.advance(1);
    expect(await refusalOf(tokens.issue(here(), proven))).toBe('auth.key_expired');
    expect(await refusalOf(tokens.derive(here(), subject, {}, null))).toBe('auth.invalid_credential');
  });

  it('is as unknown as any other when it has run out', async () => {
    const { token, claims } = await issue(await addClient());
    harness.clock.set(claims.exp * SECOND_MS - 1);
    expect(await isGood(token)).toBe(true);
    harness.clock.advance(1);
    expect(await isGood(token)).toBe(false);
    expect(await tokens.read(here(), token)).toBeNull();
  });
});

describe('the rights of a token', () => {
  const keyOf = async (token: Secret) => (await tokens.verify(here(), token, null)).key;

  it('of a scoped key stay those that it tells, also when the key gains others', async () => {
    const client = await addClient({ access: 'scoped', scopes: PUSH });
    const { token } = await issue(client);
    const wider = [{ actions: ['package:push'], resources: ['Contoso.*', 'Fabrikam'] }];
    await harness.deps.keys.update(company.adminCaller, client.id, { scopes: wider }, null);
    expect(await keyOf(token)).toMatchObject({ access: 'scoped', scopes: PUSH });
    expect(await keyOf((await issue(client)).token)).toMatchObject({ access: 'scoped', scopes: wider });
  });

  it('that was narrowed are no more than it tells, whatever the access of its key', async () => {
    const client = await addClient();
    const { token, claims } = await issue(client, { permissions: PUSH });
    expect(claims.narrowed).toBe(true);
    expect(await keyOf(token)).toMatchObject({ access: 'scoped', scopes: PUSH });
    expect((await issue(client)).claims).not.toHaveProperty('narrowed');
  });

  it('are left to be asked for where they would make it too long, and never where that would widen it', async () => {
    const long = [
      {
        actions: ['package:push'],
        resources: Array.from({ length: 60 }, (_, index) => `P${index}${'x'.repeat(60)}`),
      },
    ];
    const client = await addClient({ access: 'scoped', scopes: long });
    const { token, claims } = await issue(client);
    expect(claims.introspect).toBe(true);
    expect(claims).not.toHaveProperty('authorization_details');
    expect(await keyOf(token)).toMatchObject({ access: 'scoped', scopes: long });
    expect(await refusalOf(issue(client, { permissions: long }))).toBe('token.too_long');
    expect((await derive(token)).claims.introspect).toBe(true);
    expect(await refusalOf(derive(token, { permissions: long }))).toBe('token.too_long');
  });

  it('that were told are left out of one got for it only where the key could not have been widened', async () => {
    const permissionsWith = (rest: number) => [
      {
        actions: ['package:push'],
        resources: [
          ...Array.from({ length: 40 }, (_, index) => `P${index}`.padEnd(61, 'x')),
          'y'.repeat(rest),
        ],
      },
    ];
    const scoped = (rest: number) => addClient({ access: 'scoped', scopes: permissionsWith(rest) });
    const whole = async (rest: number) => {
      const client = await addClient();
      const grants = permissionsWith(rest);
      const { id } = client.account;
      await harness.deps.accounts.update(company.adminCaller, 'service', id, { grants }, null);
      return client;
    };
    const CHARACTERS = 4_090;
    for (const add of [scoped, whole]) {
      const { length } = (await issue(await add(1))).token.reveal();
      const { token, claims } = await issue(await add(1 + Math.floor(((CHARACTERS - length) * 3) / 4)));
      expect(Math.abs(token.reveal().length - CHARACTERS)).toBeLessThan(6);
      expect(claims).not.toHaveProperty('introspect');
      // The name of the token that it is got for is more than there is room for.
      if (add === scoped) expect(await refusalOf(derive(token))).toBe('token.too_long');
      else expect((await derive(token)).claims.introspect).toBe(true);
    }
  });

  it('fit into exactly 4,096 characters', async () => {
    const client = await addClient({
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources: ['*'] }],
    });
    const lengthWith = async (characters: number) => {
      const resources = Array.from({ length: 20 }, (_, index) => 'x'.repeat(100) + index);
      const permissions = [{ actions: ['package:push'], resources: [...resources, 'y'.repeat(characters)] }];
      const made = await issue(client, { permissions }).catch(() => null);
      return made?.token.reveal().length ?? null;
    };
    const one = (await lengthWith(1)) ?? 0;
    const room = Math.floor(((4_096 - one) * 3) / 4);
    const lengths = [];
    for (let more = -3; more <= 4; more += 1) lengths.push(await lengthWith(room + more));
    expect(lengths).toContain(4_096);
    expect(lengths).toContain(null);
  });
});

describe('a token that was exchanged', () => {
  it('is for the same resource, or from one for this server for any', async () => {
    const client = await addClient();
    const own = await issue(client);
    expect((await derive(own.token)).claims.aud).toBe(here().url);
    const stock = await derive(own.token, { resource: STOCK });
    expect(stock.claims).toMatchObject({ aud: STOCK, anc: [own.claims.jti] });
    expect((await derive(stock.token)).claims.aud).toBe(STOCK);
    expect((await derive(stock.token, { resource: STOCK })).claims.aud).toBe(STOCK);
    for (const resource of [ORDERS, here().url])
      expect(await refusalOf(derive(stock.token, { resource }))).toBe('token.resource_not_allowed');
  });

  it('is narrowed once something of its line was, and tells nothing else', async () => {
    const client = await addClient();
    const own = await issue(client);
    expect((await derive(own.token)).claims).not.toHaveProperty('narrowed');
    const narrowed = await derive(own.token, { permissions: PUSH });
    const details = [{ type: 'keyreeve', actions: ['package:push'], identifiers: ['Contoso.*'] }];
    expect(narrowed.claims).toMatchObject({ narrowed: true, authorization_details: details });
    expect((await derive(narrowed.token)).claims).toMatchObject({
      narrowed: true,
      authorization_details: details,
    });
  });

  it('comes after at most seven others', async () => {
    let { token, claims } = await issue(await addClient());
    for (let round = 1; round <= 8; round += 1) ({ token, claims } = await derive(token));
    expect(claims.anc).toHaveLength(8);
    expect(await refusalOf(derive(token))).toBe('token.chain_too_long');
  });

  it('tells the keys that have signed its line, but for its own', async () => {
    const first = await issue(await addClient());
    const kids = [(await tokens.inspect(here(), first.token, null)).kid];
    let { token, claims } = first;
    for (let round = 0; round < 2; round += 1) {
      kids.push((await harness.deps.signingKeys.rotate(company.adminCaller)).kid);
      harness.clock.advance(20 * MINUTE_MS);
      ({ token, claims } = await derive(token));
      expect(claims.anckid).toEqual(kids.slice(0, -1));
      expect((await tokens.inspect(here(), token, null)).kid).toBe(kids.at(-1));
    }
    expect((await derive(token)).claims.anckid).toEqual(kids.slice(0, -1));
  });

  it('ends with each token that it came from', async () => {
    const first = await issue(await addClient());
    const second = await derive(first.token);
    const third = await derive(second.token);
    const other = await derive(first.token);
    for (const one of [first, second, third, other]) expect(await isGood(one.token)).toBe(true);
    await tokens.end(company.adminCaller, second.token);
    const good = [first, second, third, other].map(({ token }) => isGood(token));
    expect(await Promise.all(good)).toEqual([true, false, false, true]);
  });

  it('tells who got it, and ends when that key or account is in another state', async () => {
    const { keys, accounts } = harness.deps;
    const subject = await issue(await addClient());
    const changes: ((actor: Client) => Promise<unknown>)[] = [
      (actor) => keys.disable(company.adminCaller, actor.id, null),
      ({ account }) => accounts.update(company.adminCaller, 'service', account.id, { grants: [] }, null),
    ];
    for (const change of changes) {
      const actor = await addClient();
      const other = await addClient();
      const got = await derive(subject.token, {}, actor);
      expect(got.claims.act).toEqual({ sub: actor.account.id, client_id: actor.id });
      const again = await derive(got.token, {}, other);
      expect(again.claims.act).toEqual({
        sub: other.account.id,
        client_id: other.id,
        act: got.claims.act,
      });
      expect(again.claims.actst).toHaveLength(2);
      const same = await derive(got.token);
      expect(same.claims).toMatchObject({ act: got.claims.act, actst: got.claims.actst });
      await change(actor);
      const good = [subject, got, again, same].map(({ token }) => isGood(token));
      expect(await Promise.all(good), String(change)).toEqual([true, false, false, false]);
    }
    expect((await derive(subject.token)).claims).not.toHaveProperty('act');
  });

  it('ends no later than the key of who got it', async () => {
    const subject = await issue(await addClient());
    const actor = await addClient({ lifetimeDays: 1 });
    harness.clock.advance(DAY_MS - 60 * SECOND_MS);
    const late = await issue(await addClient());
    const got = await derive(late.token, {}, actor);
    expect(got.claims.exp - got.claims.iat).toBe(60);
    expect(await isGood(subject.token)).toBe(false);
  });
});

describe('a token that was ended', () => {
  it('is good no more, however often it was asked about, and is ended once', async () => {
    const client = await addClient();
    const [ended, other] = [await issue(client), await issue(client)];
    for (let round = 0; round < 3; round += 1) expect(await isGood(ended.token)).toBe(true);
    await tokens.end(company.adminCaller, ended.token);
    expect([await isGood(ended.token), await isGood(other.token)]).toEqual([false, true]);
    expect(await isGood(ended.token)).toBe(false);
    expect(await refusalOf(tokens.end(company.adminCaller, ended.token))).toBe('auth.invalid_credential');
    expect(await tokens.endRead(company.adminCaller, ended.claims)).toBe(false);
    expect(await tokens.endRead(company.adminCaller, other.claims)).toBe(true);
    const { rows } = await sql<Record<string, string>>`
      select action, actor_key_id, target_kind, account_id, key_id from audit where target_id = ${ended.claims.jti}
    `.execute(harness.deps.storage.read);
    const { id: keyId, account } = client;
    expect(rows).toEqual([
      {
        action: 'token.ended',
        actor_key_id: keyId,
        target_kind: 'token',
        account_id: account.id,
        key_id: keyId,
      },
    ]);
  });

  it('is for this server only: who ends one for others asks elsewhere', async () => {
    const { token } = await issue(await addClient(), { resource: STOCK });
    expect(await refusalOf(tokens.end(company.adminCaller, token))).toBe('auth.invalid_credential');
    expect((await tokens.inspect(here(), token, null)).principal.kind).toBe('token');
  });

  it('stays known for a week after its life, and is forgotten then', async () => {
    const count = async () =>
      Number(
        (
          await sql<{ rows: number }>`select count(*) as rows from ended_tokens`.execute(
            harness.deps.storage.read,
          )
        ).rows[0]?.rows,
      );
    const { token, claims } = await issue(await addClient());
    await tokens.end(company.adminCaller, token);
    harness.clock.set(claims.exp * SECOND_MS + 7 * DAY_MS - 1);
    await tokens.sweep();
    const before = await count();
    expect(before).toBeGreaterThan(0);
    harness.clock.advance(1);
    const { storage } = harness.deps;
    for (let row = 0; row < 1_001; row += 1)
      await sql`insert into ended_tokens (workspace_id, jti, expires_at) values (${here().id}, ${`old-${row}`}, 1)`.execute(
        storage.write,
      );
    await tokens.sweep();
    expect(await count()).toBe(0);
  });
});

describe('the use of a token at routes that everybody reaches', () => {
  const facts = () => ({ workspace: here(), ip: '192.0.2.1', userAgent: 'nuget/6' });

  it('is counted, and over the limits of its key refused', async () => {
    const client = await addClient();
    const limits = { quota: { uses: 1 } };
    await harness.deps.keys.update(company.adminCaller, client.id, { limits }, null);
    const { token } = await issue(client);
    const record = vi.spyOn(harness.deps.usage, 'record');
    expect((await tokens.authenticate(token, facts())).key.id).toBe(client.id);
    expect(await refusalOf(tokens.authenticate(token, facts()))).toBe('limit.quota_exceeded');
    const used = {
      workspaceId: here().id,
      keyId: client.id,
      action: null,
      ip: '192.0.2.1',
      userAgent: 'nuget/6',
    };
    expect(record.mock.calls).toEqual([
      [{ ...used, outcome: 'valid' }],
      [{ ...used, outcome: 'quota_exceeded' }],
    ]);
    record.mockRestore();
  });

  it('shows the keys with which others check tokens', async () => {
    expect(await tokens.listPublicKeys(here())).toContainEqual(expect.objectContaining({ kty: 'EC' }));
  });
});

describeOn('sqlite', 'tokens that are prepared', () => {
  async function prepare(client: Client, wish: NonNullable<Wish> = {}) {
    const settings = await harness.deps.settings.getKnown(here().id);
    return tokens.prepare(here(), settings, await client.prove(), wish);
  }

  it('are as good as others, each with its own id and times', async () => {
    const client = await addClient();
    await issue(client);
    const prepared = await prepare(client);
    const [one, two] = [prepared.issueNow(), prepared.issueNow()];
    const read = async (made: typeof one) => await tokens.read(here(), new Secret(made?.token ?? ''));
    const [first, second] = [await read(one), await read(two)];
    expect(first).toMatchObject({ ...prepared.claims, jti: expect.stringMatching(/^[0-9A-Za-z]{22}$/) });
    expect(second?.jti).not.toBe(first?.jti);
    expect(one?.expiresInSeconds).toBe(3_600);
    harness.clock.advance(10_000);
    const later = await read(prepared.issueNow());
    expect((later?.iat ?? 0) - (first?.iat ?? 0)).toBe(10);
    expect((later?.exp ?? 0) - (first?.exp ?? 0)).toBe(10);
    expect(await isGood(new Secret(one?.token ?? ''))).toBe(true);
  });

  it('are not made at once when they would be too long, or no key to sign them is known yet', async () => {
    const resources = Array.from({ length: 60 }, (_, index) => `P${index}${'x'.repeat(60)}`);
    const client = await addClient({ access: 'scoped', scopes: [{ actions: ['package:push'], resources }] });
    await issue(await addClient());
    expect((await prepare(client)).issueNow()).toBeNull();
    const fresh = await startHarness();
    const settings = await fresh.deps.settings.getKnown(fresh.deps.defaultWorkspace.id);
    const prepared = fresh.deps.tokens.prepare(
      fresh.deps.defaultWorkspace,
      settings,
      await (await addClient()).prove(),
      {},
    );
    expect(prepared.issueNow()).toBeNull();
    await fresh.close();
  });

  it('are made at once or not at all', async () => {
    setToHalfASecond();
    const client = await addClient({ lifetimeDays: 1 });
    await issue(client);
    const prepared = await prepare(client);
    expect(await refusalOf(prepare(client, { resource: 'https://other.example' }))).toBe(
      'token.resource_not_allowed',
    );
    harness.clock.advance(DAY_MS - 501);
    await issue(await addClient());
    expect(prepared.issueNow()?.expiresInSeconds).toBe(1);
    harness.clock.advance(1);
    expect(prepared.issueNow()).toBeNull();
    expect(await refusalOf(prepare(client))).toBe('auth.key_expired');
  });
});
