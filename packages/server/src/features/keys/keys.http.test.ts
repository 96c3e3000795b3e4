import { startHarness, type Harness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('smoke', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness.close());
  it('makes a key and takes it', async () => {
    const admin = await harness.createAccount({ kind: 'user', email: 'ada@example.com', displayName: 'Ada', role: 'admin' });
    const caller = await harness.callerOf(admin);
    const minted = await harness.deps.keys.create(caller, admin.id, { comment: 'CI', access: 'account' });
    const answer = await harness.app.inject({ method: 'GET', url: '/v1/keys/self', headers: { authorization: `Bearer ${minted.fullKey.reveal()}` } });
    expect(answer.json()).toMatchObject({ key: { id: minted.key.id } });
    expect(answer.statusCode).toBe(200);
  });
});
