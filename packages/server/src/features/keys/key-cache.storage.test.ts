import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

/** What a process may rely on of what it has read from PostgreSQL; SQLite says itself that something was written. */
const LEASE_MS = 2_000;

describe('a key that was just verified', () => {
  let harness: Harness;
  let company: Company;

  beforeAll(async () => {
    harness = await startHarness();
    company = await seedCompany(harness);
  });
  afterAll(() => harness.close());

  const statusOf = async (key: string) => (await call(harness, 'GET', '/v1/keys/self', { key })).statusCode;

  it('is refused at the very next question after each kind of revocation, however often it was asked about', async () => {
    const { keys, accounts } = harness.deps;
    const { adminCaller: caller } = company;
    const robot = await harness.createAccount({
      kind: 'service',
      technicalName: 'asked-often',
      displayName: 'R',
    });
    const revocations: ((id: string) => Promise<unknown>)[] = [
      (id) => keys.remove(caller, id),
      (id) => keys.disable(caller, id, null),
      (id) => keys.regenerate(caller, id, {}),
      () => accounts.update(caller, 'service', robot.id, { state: 'disabled' }, null),
    ];
    for (const revoke of revocations) {
      const minted = await keys.create(caller, robot.id, { comment: 'x', access: 'account' });
      for (let round = 0; round < 5; round += 1) expect(await statusOf(minted.fullKey.reveal())).toBe(200);
      await revoke(minted.key.id);
      expect(await statusOf(minted.fullKey.reveal())).toBe(401);
    }
  });

  it('is refused when another process revokes it: at once on SQLite, within the lease on PostgreSQL', async () => {
    const expectStatus = async (key: string, status: number) => {
      const ask = async () => expect(await statusOf(key)).toBe(status);
      await (harness.database.engine === 'sqlite'
        ? ask()
        : vi.waitFor(ask, { timeout: LEASE_MS, interval: 20 }));
    };
    const other = await startHarness({
      database: harness.database,
      clock: harness.clock,
      masterKey: harness.masterKey,
    });
    const minted = await harness.deps.keys.create(company.adminCaller, company.admin.id, {
      comment: 'x',
      access: 'account',
    });
    const key = minted.fullKey.reveal();
    for (let round = 0; round < 5; round += 1) expect(await statusOf(key)).toBe(200);
    await other.deps.keys.disable(company.adminCaller, minted.key.id, null);
    await expectStatus(key, 401);
    await other.deps.keys.enable(company.adminCaller, minted.key.id);
    await expectStatus(key, 200);
    await other.deps.keys.remove(company.adminCaller, minted.key.id);
    await expectStatus(key, 401);
    await other.app.close();
    await other.deps.close();
  });

  it('never answers from before a revocation, also while questions and revocations run side by side', async () => {
    const { keys } = harness.deps;
    for (let round = 0; round < 30; round += 1) {
      const minted = await keys.create(company.adminCaller, company.member.id, {
        comment: 'race',
        access: 'account',
        lifetimeDays: 1,
      });
      const key = minted.fullKey.reveal();
      const before = Array.from({ length: 5 }, () => statusOf(key));
      await keys.remove(company.adminCaller, minted.key.id);
      expect(await statusOf(key)).toBe(401);
      await Promise.all(before);
      expect(await statusOf(key)).toBe(401);
    }
  });
});
