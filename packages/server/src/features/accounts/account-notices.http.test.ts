import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MUTABLE_NOTICES, NOTICE_KINDS } from '../../jobs/index.ts';
import { inTransaction } from '../../storage/index.ts';

const SECURITY_KINDS = NOTICE_KINDS.filter((kind) => !MUTABLE_NOTICES.some((mutable) => mutable === kind));

let harness: Harness;
let company: Company;

beforeEach(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterEach(() => harness.close());

describe('notices about security', () => {
  it('are refused by name when somebody would mute them', async () => {
    expect(SECURITY_KINDS.length).toBeGreaterThan(8);
    for (const kind of SECURITY_KINDS) {
      const answer = await call(harness, 'PATCH', `/v1/users/${company.member.id}`, {
        key: company.adminKey,
        headers: { 'if-match': '*' },
        body: { mutedNotices: ['key.expiring', kind] },
      });
      expect(answer.statusCode, kind).toBe(400);
      expect(answer.json<{ errors: { field: string }[] }>().errors[0]?.field).toMatch(/^mutedNotices/);
    }
  });

  it('come also when the database says that they are muted', async () => {
    const { deps } = harness;
    await inTransaction(deps.storage, async (tx) => {
      await tx.deleteFrom('outbox').execute();
      await tx
        .updateTable('accounts')
        .set({ muted_notices: JSON.stringify(NOTICE_KINDS) })
        .where('id', '=', company.member.id)
        .execute();
    });
    const { key } = await deps.keys.create(company.memberCaller, company.member.id, {
      comment: 'CI',
      access: 'account',
    });
    await deps.keys.regenerate(company.memberCaller, key.id, { overlapHours: 0 });
    await deps.keys.disable(company.memberCaller, key.id, null);
    await deps.keys.enable(company.memberCaller, key.id);
    await deps.keys.remove(company.memberCaller, key.id);
    const mails = await deps.storage.read.selectFrom('outbox').select('kind').execute();
    expect(mails.map(({ kind }) => kind).toSorted()).toEqual([
      'key.created',
      'key.deleted',
      'key.disabled',
      'key.enabled',
      'key.regenerated',
    ]);
  });
});
