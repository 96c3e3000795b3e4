import { createHash } from 'node:crypto';
import { type Company, call, type Harness, readAllPages, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, toIso } from '../../lib/clock.ts';
import { encodeCursor } from '../../lib/page.ts';
import { systemRandom } from '../../lib/random.ts';
import { newSecretKey, toFullKey } from './key-format.ts';
import { createUsageRecorder } from './usage.ts';

interface Key {
  id: string;
  comment: string;
  account: object;
  owner: object;
  lastRefusal: { at: string; ip: string | null; userAgent: string | null; reason: string } | null;
  refusedSinceExpiry: number;
  lastUsedAt: string | null;
  expiresAt: string | null;
}
interface Page {
  items: Key[];
  nextCursor: string | null;
}

let harness: Harness;
let company: Company;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());

const asAdmin = (method: 'GET' | 'POST' | 'PATCH', url: string, body?: unknown) =>
  call(harness, method, url, { key: company.adminKey, ...(body === undefined ? {} : { body }) });
const mint = async (comment: string, lifetimeDays = 90, more: object = {}) => {
  const minted = await harness.deps.keys.create(company.memberCaller, company.member.id, {
    comment,
    access: 'account',
    lifetimeDays,
    ...more,
  });
  return { id: minted.key.id, fullKey: minted.fullKey.reveal() };
};
const read = async (id: string): Promise<Key> => (await asAdmin('GET', `/v1/keys/${id}`)).json<Key>();
const present = (fullKey: string, url = '/v1/keys/self') =>
  harness.app.inject({
    url,
    headers: { host: 'localhost:8080', 'x-api-key': fullKey, 'user-agent': 'cron/2' },
    remoteAddress: '192.0.2.9',
  });
/** A secret of the right shape and checksum that is not that of the key. */
const withWrongSecret = (id: string) => toFullKey(id, newSecretKey(systemRandom, id)).reveal();
const list = async (query: string): Promise<Page> => {
  const answer = await asAdmin('GET', `/v1/keys?${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Page>();
};
/** Without their order: several were made at the same moment. */
const comments = async (query: string) => (await list(query)).items.map((key) => key.comment).toSorted();

describe('a key', () => {
  it('tells by name whose it is and for whom it acts, as they are called now', async () => {
    const robot = { id: company.robot.id, kind: 'service', displayName: 'Build robot' };
    const { id } = await mint('named', 90, {
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources: ['Acme.*'] }],
      ownerId: company.robot.id,
    });
    const account = { id: company.member.id, kind: 'user', displayName: '芽衣' };
    expect(await read(id)).toMatchObject({ account, owner: robot, accountId: account.id, ownerId: robot.id });
    const rename = (displayName: string) =>
      harness.deps.accounts.update(company.adminCaller, 'service', company.robot.id, { displayName }, null);
    await rename('Renamed robot');
    expect((await list('q=named')).items[0]?.owner).toEqual({ ...robot, displayName: 'Renamed robot' });
    await rename('Build robot');
  });

  it('does not tell how an owner is called now to somebody who no longer manages it', async () => {
    const { keyLister, accounts } = harness.deps;
    const { id } = await mint('left the team', 90, {
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources: ['Acme.*'] }],
      ownerId: company.robot.id,
    });
    const manage = (managers: string[], displayName: string) =>
      accounts.update(company.adminCaller, 'service', company.robot.id, { managers, displayName }, null);
    const ownerSeenBy = async (caller: Company['adminCaller']) =>
      (await keyLister.list(caller, { q: 'left the team' }, { limit: 1 })).items[0]?.owner.displayName;
    await manage([], 'Secret project');
    const formerManager = await harness.callerOf(company.member);
    expect(await ownerSeenBy(formerManager)).toBe(company.robot.id);
    expect(await ownerSeenBy(company.adminCaller)).toBe('Secret project');
    await manage([company.member.id], 'Build robot');
    expect(await ownerSeenBy(await harness.callerOf(company.member))).toBe('Build robot');
    expect((await list('q=left the team')).items[0]?.id).toBe(id);
  });

  it('has not been refused when it is new', async () => {
    const answer = await asAdmin('POST', `/v1/accounts/${company.member.id}/keys`, {
      comment: 'new',
      access: 'account',
    });
    expect(answer.json<{ key: Key }>().key).toMatchObject({ lastRefusal: null, refusedSinceExpiry: 0 });
  });
});

describe('the last refusal of a key', () => {
  it('tells when, from where and why its right secret was not let in, before and after it is written', async () => {
    const { id, fullKey } = await mint('refused');
    await harness.deps.keys.disable(company.adminCaller, id, null);
    expect((await present(fullKey)).statusCode).toBe(401);
    const at = toIso(harness.clock.now());
    const expected = { at, ip: '192.0.2.9', userAgent: 'cron/2', reason: 'disabled', action: null };
    expect((await read(id)).lastRefusal).toEqual(expected);
    await harness.deps.usage.flush();
    harness.clock.advance(HOUR_MS);
    expect((await read(id)).lastRefusal).toEqual(expected);
    expect((await list('q=refused')).items[0]?.lastRefusal).toEqual(expected);
  });

  it('is the latest of them, and stays beside a later use', async () => {
    const { id, fullKey } = await mint('twice', 90, {
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources: ['Acme.*'] }],
    });
    await present(fullKey, '/v1/authorize?action=package:push&resource=Other');
    await harness.deps.usage.flush();
    harness.clock.advance(1_000);
    await present(fullKey, '/v1/authorize?action=package:unlist&resource=Acme.X');
    const at = toIso(harness.clock.now());
    await harness.deps.usage.flush();
    harness.clock.advance(1_000);
    await present(fullKey, '/v1/authorize?action=package:push&resource=Acme.X');
    await harness.deps.usage.flush();
    expect(await read(id)).toMatchObject({
      lastRefusal: { at, reason: 'insufficient_scope' },
      lastUsedAt: toIso(harness.clock.now()),
    });
  });

  it('is also that of a service that was handed the key', async () => {
    const { id, fullKey } = await mint('handed');
    await harness.deps.keys.disable(company.adminCaller, id, null);
    await asAdmin('POST', '/v1/keys/verify', { key: fullKey, ip: '198.51.100.7' });
    expect((await read(id)).lastRefusal).toMatchObject({
      ip: '198.51.100.7',
      userAgent: null,
      reason: 'disabled',
    });
  });

  it('is never left by a wrong secret: no place that names the key learns of it', async () => {
    const { id } = await mint('guessed');
    const wrong = withWrongSecret(id);
    await present(wrong);
    await present(wrong, '/v1/authorize');
    await asAdmin('POST', '/v1/keys/verify', { key: wrong });
    await harness.deps.usage.flush();
    expect(await read(id)).toMatchObject({ lastRefusal: null, lastUsedAt: null, refusedSinceExpiry: 0 });
    const { usage } = harness.deps.storage;
    for (const table of ['key_last_refusals', 'key_last_uses', 'key_hours'] as const) {
      const rows = await usage.selectFrom(table).select('key_id').where('key_id', '=', id).execute();
      expect(rows, table).toEqual([]);
    }
  });
});

describe('refusals since expiry', () => {
  it('are counted from the expiry on, over all flushes, and begin anew with a new secret', async () => {
    const { id, fullKey } = await mint('counted', 1);
    await present(fullKey);
    await harness.deps.usage.flush();
    expect((await read(id)).refusedSinceExpiry).toBe(0);
    harness.clock.advance(DAY_MS);
    for (let round = 0; round < 3; round += 1) {
      await present(fullKey);
      await present(fullKey);
      await harness.deps.usage.flush();
      harness.clock.advance(HOUR_MS);
    }
    expect(await read(id)).toMatchObject({ refusedSinceExpiry: 6, lastRefusal: { reason: 'expired' } });
    expect((await list('status=expired&q=counted')).items[0]?.refusedSinceExpiry).toBe(6);
    await asAdmin('POST', `/v1/keys/${id}/regenerate`, {});
    expect((await read(id)).refusedSinceExpiry).toBe(0);
    harness.clock.advance(2 * DAY_MS);
    expect((await read(id)).refusedSinceExpiry).toBe(0);
  });
});

describe('a list of keys', () => {
  const MANY = 12;
  beforeAll(async () => {
    for (let index = 0; index < MANY; index += 1) {
      if (index % 4 === 0) harness.clock.advance(1_000);
      await mint(`listed ${index}`, [1, 90, 180][index % 3]);
    }
    const sha256 = createHash('sha256').update('listed-foreign').digest('hex');
    await asAdmin('POST', '/v1/key-imports', {
      rows: [
        { account: company.member.id, comment: 'listed forever', access: 'full', expiresAt: null, sha256 },
      ],
    });
  });

  const readAll = (query: string, limit: number): Promise<Key[]> =>
    readAllPages<Key>((url) => asAdmin('GET', url), `/v1/keys?${query}&limit=${limit}`);

  it.each([1, 5, 200])('by expiry shows the next to stop first, in pages of %i', async (limit) => {
    const keys = await readAll('q=listed&sort=expiresAt', limit);
    expect(keys).toHaveLength(MANY + 1);
    expect(new Set(keys.map((key) => key.id)).size).toBe(MANY + 1);
    const times = keys.map((key) => key.expiresAt ?? '9999');
    expect(times).toEqual(times.toSorted());
    expect(keys.at(-1)).toMatchObject({ comment: 'listed forever', expiresAt: null });
  });

  it.each(['active', 'expiring', 'expired', 'disabled', 'working'])(
    'of %s ones shows the same keys in both orders, over the ends of pages',
    async (status) => {
      const sorted = async (sort: string) =>
        (await readAll(`status=${status}&sort=${sort}`, 3)).map((key) => key.id);
      expect((await sorted('createdAt')).toSorted()).toEqual((await sorted('expiresAt')).toSorted());
    },
  );

  it('refuses the cursor of the other order', async () => {
    const cursor = (await list('sort=expiresAt&limit=1')).nextCursor ?? '';
    for (const query of [`cursor=${cursor}`, `cursor=${encodeCursor([1, 'kr_1'])}`]) {
      const answer = await asAdmin('GET', `/v1/keys?${query}`);
      expect(answer.json()).toMatchObject({ code: 'request.invalid', errors: [{ field: 'cursor' }] });
    }
  });

  it('can hold only what works: neither expired nor disabled', async () => {
    const off = await mint('works not: off');
    await harness.deps.keys.disable(company.adminCaller, off.id, null);
    await mint('works not: expired', 1);
    harness.clock.advance(DAY_MS);
    await mint('works: soon to stop', 1);
    await mint('works: long', 180);
    expect(await comments('q=works&status=working')).toEqual(['works: long', 'works: soon to stop']);
  });

  it('can hold only what was never used', async () => {
    await mint('idle one');
    const used = await mint('idle two');
    await present(used.fullKey);
    expect(await comments('q=idle&neverUsed=true')).toEqual(['idle one']);
    await harness.deps.usage.flush();
    expect(await comments('q=idle&neverUsed=true')).toEqual(['idle one']);
    expect(await comments('q=idle&neverUsed=false')).toEqual(['idle one', 'idle two']);
  });

  it('ends with a page that is full when no key behind it is wanted', async () => {
    await present((await mint('tail used')).fullKey);
    harness.clock.advance(1_000);
    await mint('tail idle');
    const page = await list('q=tail&neverUsed=true&limit=1');
    expect(page.items.map((key) => key.comment)).toEqual(['tail idle']);
    expect(page.nextCursor).toBeNull();
  });

  it('can hold only keys with a longer lifetime than that', async () => {
    await mint('life 90', 90);
    await mint('life 180', 180);
    expect(await comments('q=life&lifetimeOverDays=90')).toEqual(['life 180']);
    expect(await comments('q=life&lifetimeOverDays=89')).toEqual(['life 180', 'life 90']);
    expect(await comments('q=life&lifetimeOverDays=180')).toEqual([]);
  });

  it.each(['sort=name', 'neverUsed=2', 'lifetimeOverDays=-1', 'lifetimeOverDays=1.5', 'status=dead'])(
    'refuses %s',
    async (query) => expect((await asAdmin('GET', `/v1/keys?${query}`)).statusCode).toBe(400),
  );
});

describe('counters', () => {
  it('of expired keys are told for as many keys as are asked for', async () => {
    const { storage, usage, defaultWorkspace } = harness.deps;
    const hour = Math.floor(harness.clock.now() / HOUR_MS);
    const keys = Array.from({ length: 11 }, (_, index) => `kr_sum${index}`);
    const rows = keys.flatMap((keyId, index) =>
      [hour - 1, hour, hour + 1].map((at) => ({
        workspace_id: defaultWorkspace.id,
        key_id: keyId,
        hour: at,
        action: '',
        outcome: 'expired',
        count: index + 1,
      })),
    );
    await storage.usage.insertInto('key_hours').values(rows).execute();
    const asked = keys.map((keyId) => ({ keyId, since: harness.clock.now() }));
    expect(await usage.countExpiredRefusals(defaultWorkspace.id, asked)).toEqual(
      new Map(keys.map((keyId, index) => [keyId, 2 * (index + 1)])),
    );
  });

  it('of two processes that count the same keys at once are all kept', async () => {
    const { storage, defaultWorkspace } = harness.deps;
    const recorders = [1, 2].map(() =>
      createUsageRecorder({ storage, clock: harness.clock, random: systemRandom }),
    );
    const keys = Array.from({ length: 300 }, (_, index) => `kr_both${String(index).padStart(4, '0')}`);
    const common = { workspaceId: defaultWorkspace.id, action: null, ip: null, userAgent: null };
    for (let round = 0; round < 3; round += 1) {
      for (const [index, recorder] of recorders.entries())
        for (const keyId of index === 0 ? keys : keys.toReversed())
          for (const outcome of ['valid', 'disabled']) recorder.record({ ...common, keyId, outcome });
      await Promise.all(recorders.map((recorder) => recorder.flush()));
    }
    const { sum } = await storage.usage
      .selectFrom('key_hours')
      .select((eb) => eb.fn.sum<number | string>('count').as('sum'))
      .where('key_id', 'like', 'kr_both%')
      .executeTakeFirstOrThrow();
    expect(Number(sum)).toBe(300 * 2 * 2 * 3);
  });
});

describe('a rare key among many', () => {
  it('is found in both orders, wherever it stands', async () => {
    const { storage } = harness.deps;
    await mint('rare: old', 1);
    const row = await storage.read.selectFrom('api_keys').selectAll().executeTakeFirstOrThrow();
    const rows = Array.from({ length: 2_300 }, (_, index) => ({
      ...row,
      id: `kr_many${String(index).padStart(12, '0')}`,
      comment_lower: 'one of many',
      created_at: harness.clock.now() + Math.floor(index / 7),
      expires_at: harness.clock.now() + DAY_MS + Math.floor(index / 5),
    }));
    for (let from = 0; from < rows.length; from += 250)
      await storage.write
        .insertInto('api_keys')
        .values(rows.slice(from, from + 250))
        .execute();
    harness.clock.advance(1_000);
    await mint('rare: new', 180);
    for (const sort of ['createdAt', 'expiresAt']) {
      const { items, nextCursor } = await list(`q=rare&sort=${sort}`);
      expect(items.map((key) => key.comment).toSorted()).toEqual(['rare: new', 'rare: old']);
      expect(nextCursor).toBeNull();
      const first = await list(`q=rare&sort=${sort}&limit=1`);
      const second = await list(`q=rare&sort=${sort}&limit=1&cursor=${first.nextCursor}`);
      expect([...first.items, ...second.items].map((key) => key.id)).toEqual(items.map((key) => key.id));
    }
  });
});
