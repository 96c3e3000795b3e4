import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

let harness: Harness;
let company: Company;
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());
afterEach(() => {
  vi.restoreAllMocks();
});

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

async function mint(more: object = {}): Promise<Minted> {
  const body = { comment: 'x', access: 'account', ...more };
  const url = `/v1/accounts/${company.robot.id}/keys`;
  return (await call(harness, 'POST', url, { key: company.adminKey, body })).json<Minted>();
}

const verify = (body: object) => call(harness, 'POST', '/v1/keys/verify', { key: company.adminKey, body });

describe('a question about a key', () => {
  it('has it in one text or in two, and an answer that says so', async () => {
    const { apiKey, secretKey, fullKey } = await mint();
    for (const body of [{ key: fullKey }, { apiKey, secretKey }]) {
      const answer = await verify(body);
      expect([answer.statusCode, answer.json()]).toMatchObject([
        200,
        { valid: true, code: 'valid', keyId: apiKey },
      ]);
    }
    const wrong = { apiKey, secretKey: `${secretKey.slice(0, -1)}!` };
    expect((await verify(wrong)).json()).toMatchObject({ valid: false, code: 'malformed', keyId: null });
  });

  it('has one key and not two halves of it or more, or is refused by the name of the field', async () => {
    const asked = vi.spyOn(harness.deps.verification, 'verify');
    const { apiKey, secretKey, fullKey } = await mint();
    const cases = [
      ['key', { key: fullKey, apiKey, secretKey }],
      ['key', { key: fullKey, apiKey }],
      ['key', { key: fullKey, secretKey }],
      ['key', {}],
      ['apiKey', { secretKey }],
      ['secretKey', { apiKey }],
    ] as const;
    for (const [field, body] of cases) {
      const answer = await verify(body);
      expect([answer.statusCode, Object.keys(body)]).toEqual([400, Object.keys(body)]);
      const { errors, detail, code } = answer.json<{ errors: object[]; detail: string; code: string }>();
      expect([code, errors]).toEqual(['request.invalid', [{ field, message: expect.any(String) }]]);
      expect(detail).toMatch(new RegExp(`^${field} (and|is) .*Send either key, or apiKey and secretKey\\.$`));
    }
    expect(asked).not.toHaveBeenCalled();
  });

  it('is handed on whole, with who asks', async () => {
    const asked = vi.spyOn(harness.deps.verification, 'verify');
    const { fullKey } = await mint();
    await verify({ key: fullKey, action: 'package:push', resource: 'A', ip: '192.0.2.1' });
    await verify({ key: fullKey });
    expect(asked.mock.calls).toMatchObject([
      [
        { workspace: { id: harness.deps.defaultWorkspace.id }, principal: { kind: 'key' } },
        { question: { action: 'package:push', resource: 'A' }, clientIp: '192.0.2.1' },
      ],
      [{}, { question: { action: null, resource: null }, clientIp: null }],
    ]);
  });

  it('has an answer that may be kept unless the key has limits', async () => {
    const [plain, limited] = [await mint(), await mint({ limits: { quota: { uses: 5 } } })];
    const kept = async (key: string) => (await verify({ key })).headers['keyreeve-cache'];
    expect([await kept(plain.fullKey), await kept(limited.fullKey)]).toEqual([undefined, 'none']);
    const answer = await verify({ key: 'no key' });
    expect([answer.statusCode, answer.headers['keyreeve-cache']]).toEqual([200, undefined]);
  });
});
