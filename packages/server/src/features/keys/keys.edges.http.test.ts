import { createHash } from 'node:crypto';
import { type Company, call, type Harness, readAllPages, seedCompany, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
// The format of the schema takes both; the clock of JavaScript reads neither.
const UNREADABLE = ['2027-06-30T23:59:60Z', '2027-06-30T10:00:00+01'];
// In UTC the years 10000 and -1, which no instant of RFC 3339 has.
const BEYOND = ['9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00+01:00'];

let harness: Harness;
let company: Company;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());

const asAdmin = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown) =>
  call(harness, method, url, { key: company.adminKey, ...(body === undefined ? {} : { body }) });

const importKey = (foreign: string, expiresAt: string | null) =>
  asAdmin('POST', '/v1/key-imports', {
    rows: [
      {
        account: 'mei@example.com',
        comment: 'legacy',
        access: expiresAt === null ? 'full' : 'account',
        expiresAt,
        sha256: sha256(foreign),
      },
    ],
  });

describe('an instant that no clock shows', () => {
  it.each([...UNREADABLE, ...BEYOND])(
    '%s is refused as the expiry of an imported key, which would otherwise have none',
    async (text) => {
      const answer = await importKey(`foreign ${text}`, text);
      expect(answer.json()).toMatchObject({ status: 400, code: 'request.invalid' });
      expect(answer.payload).toContain('rows[0].expiresAt');
    },
  );

  it.each([...UNREADABLE, ...BEYOND])('%s is refused as a filter', async (text) => {
    for (const filter of ['expiresBefore', 'unusedSince']) {
      const answer = await asAdmin('GET', `/v1/keys?${filter}=${encodeURIComponent(text)}`);
      expect(answer.json(), filter).toMatchObject({ status: 400, code: 'request.invalid' });
    }
  });

  it('is not what an offset makes of one that it shows', async () => {
    const answer = await asAdmin(
      'GET',
      `/v1/keys?expiresBefore=${encodeURIComponent('2027-06-30T10:00:00.5+09:00')}`,
    );
    expect(answer.statusCode).toBe(200);
  });
});

describe('an imported key', () => {
  it('that its holder has revoked stays dead when somebody enables it', async () => {
    const foreign = 'oy2bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
    const [id] = (await importKey(foreign, null)).json<{ keyIds: string[] }>().keyIds;
    const ask = () => call(harness, 'GET', '/v1/keys/self', { key: foreign });
    expect((await ask()).statusCode).toBe(200);
    expect((await call(harness, 'POST', '/v1/keys/self/revoke', { key: foreign })).statusCode).toBe(204);
    expect((await ask()).json()).toMatchObject({ code: 'auth.invalid_credential' });
    expect((await asAdmin('POST', `/v1/keys/${id}/enable`)).statusCode).toBe(200);
    expect((await ask()).json()).toMatchObject({ code: 'auth.invalid_credential' });
    expect((await importKey(foreign, null)).json()).toMatchObject({ code: 'key.import_faulty' });
  });
});

describe('a key that manages keys', () => {
  it('tightens the allow list of a stronger key, and loosens only that of one whose rights it holds', async () => {
    const mint = async (actions: string[], ipRanges: string[] = []) =>
      await harness.deps.keys.create(company.adminCaller, company.admin.id, {
        comment: 'x',
        access: 'scoped',
        scopes: [{ actions, resources: ['*'] }],
        ipRanges,
      });
    const manager = (await mint(['iam:keys:write'])).fullKey.reveal();
    const strong = await mint(['iam:*'], ['10.0.0.0/8', '192.0.2.7']);
    const weak = await mint(['iam:keys:write'], ['10.0.0.0/8']);
    const edit = async (id: string, ipRanges: string[]) =>
      (
        await call(harness, 'PATCH', `/v1/keys/${id}`, {
          key: manager,
          body: { ipRanges },
          headers: { 'if-match': '*' },
        })
      ).statusCode;
    expect(await edit(strong.key.id, [])).toBe(403);
    expect(await edit(strong.key.id, ['0.0.0.0/0'])).toBe(403);
    expect(await edit(strong.key.id, ['10.0.0.0/8'])).toBe(200);
    expect(await edit(weak.key.id, [])).toBe(200);
  });
});

describe('a list with a row that somebody altered', () => {
  it('goes on behind it: only that one key is missing', async () => {
    const account = await harness.createAccount({
      kind: 'service',
      technicalName: 'altered',
      displayName: 'Altered',
    });
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      const { key } = await harness.deps.keys.create(company.adminCaller, account.id, {
        comment: `key ${n}`,
        access: 'account',
      });
      ids.push(key.id);
      harness.clock.advance(1);
    }
    const [, , , , altered] = ids;
    await sql`update api_keys set expires_at = expires_at + 1 where id = ${altered}`.execute(
      harness.deps.storage.write,
    );
    const collect = async (path: string): Promise<string[]> =>
      (await readAllPages<{ id: string }>((url) => asAdmin('GET', url), path)).map((item) => item.id);
    const intact = ids.filter((id) => id !== altered).toReversed();
    expect(await collect(`/v1/accounts/${account.id}/keys?limit=2`)).toEqual(intact);
    expect(await collect(`/v1/keys?account=${account.id}&limit=1`)).toEqual(intact);
  });
});

describe('a one-time link to a key', () => {
  it('is deleted with the secret in it once it has ended, opened or not; a live one stays', async () => {
    const mail = () =>
      harness.deps.keys.create(company.memberCaller, company.member.id, {
        comment: 'mailed',
        access: 'account',
        sendMail: true,
      });
    const old = await mail();
    harness.clock.advance(6 * DAY_MS);
    const fresh = await mail();
    harness.clock.advance(DAY_MS);
    await harness.deps.keyDelivery.sweep();
    const { rows } = await sql<{ key_id: string }>`
      select key_id from one_time_links where purpose = 'key'
    `.execute(harness.deps.storage.read);
    const left = rows.map((row) => row.key_id);
    expect(left).toContain(fresh.key.id);
    expect(left).not.toContain(old.key.id);
  });
});
