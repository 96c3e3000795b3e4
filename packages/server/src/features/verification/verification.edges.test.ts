import { describe, expect, it, vi } from 'vitest';
import type { AccountIdentity, Caller, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from '../../http/samples.ts';
import { Secret } from '../../lib/secret.ts';
import type { KeyOutcome } from '../keys/index.ts';
import type { LimitAnswer } from '../limits/index.ts';
import { presentReason, presentSubjectHeaders, presentVerifyAnswer } from './verification.present.ts';
import { createVerificationService, limitedCode } from './verification.service.ts';

const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const ada: AccountIdentity = {
  ...SAMPLE_ACCOUNT,
  grants: [PUSH],
};
const key: KeyIdentity = {
  ...SAMPLE_KEY,
  id: 'kr_1',
  scopes: [PUSH],
  expiresAt: 0,
};
const VERIFY = { actions: ['iam:keys:verify'], resources: ['acc_ada'] };
const robot: AccountIdentity = { ...ada, id: 'acc_robot', kind: 'service', grants: [VERIFY] };
const robotKey: KeyIdentity = { ...key, id: 'kr_robot', ownerId: 'acc_robot', scopes: [VERIFY] };

const program: Caller = {
  workspace: SAMPLE_WORKSPACE,
  principal: { kind: 'key', account: robot, key: robotKey },
  ip: '192.0.2.1',
  userAgent: 'nginx',
  requestId: null,
};
const person: Caller = {
  ...program,
  principal: { kind: 'session', account: robot, sessionId: 'ses_1', managedIds: [] },
};

const STATE = { name: 'key-quota', limit: 3, windowSeconds: null, remaining: 2, resetSeconds: null } as const;
const WITHIN: LimitAnswer = { code: 'within', states: [STATE], spent: null, retryAfterSeconds: null };
const OVER: LimitAnswer = { code: 'quota_exceeded', states: [STATE], spent: STATE, retryAfterSeconds: null };
const LEASE = { source: 'lease', ageMs: 7 } as const;

const good = { code: 'valid', key, keyEpoch: 1, account: ada } as const satisfies KeyOutcome;
const may = { action: 'package:push', resource: 'Contoso.A' };
const mayNot = { action: 'package:push', resource: 'Fabrikam' };

function start(outcome: KeyOutcome = good, held = WITHIN, requireAction = false) {
  const fakes = {
    authenticate: vi.fn(() => Promise.resolve(outcome)),
    record: vi.fn(),
    recordUnknown: vi.fn(),
    count: vi.fn(() => Promise.resolve(held)),
    look: vi.fn(() => Promise.resolve(held)),
    get: vi.fn(() => Promise.resolve({ requireAction })),
  };
  const service = createVerificationService({
    keyAuthenticator: fakes,
    usage: fakes,
    settings: fakes,
    keyLimiter: fakes,
  } as unknown as Parameters<typeof createVerificationService>[0]);
  const verify = (caller: Caller, question: typeof may | null = may) =>
    service.verify(caller, {
      presented: { fullKey: new Secret('x') },
      question: question ?? { action: null, resource: null },
      clientIp: '198.51.100.7',
    });
  const authorize = (question: { action: string | null; resource: string | null } = may) =>
    service.authorize(program, { kind: 'key', account: ada, key }, question);
  return { ...fakes, verify, authorize };
}

const NOBODY = { subject: null, matched: null, limits: null };

describe('who asks about a key', () => {
  it('learns all about one that he may ask about, which is counted', async () => {
    const { verify, authenticate, record, recordUnknown, count, look } = start();
    expect(await verify(program)).toEqual({
      code: 'valid',
      subject: { account: ada, key },
      matched: PUSH,
      limits: WITHIN,
    });
    expect(authenticate).toHaveBeenCalledExactlyOnceWith(
      'wsp_1',
      { fullKey: new Secret('x') },
      '198.51.100.7',
    );
    expect(record).toHaveBeenCalledExactlyOnceWith({
      workspaceId: 'wsp_1',
      keyId: 'kr_1',
      action: 'package:push',
      outcome: 'valid',
      ip: '198.51.100.7',
      userAgent: null,
    });
    expect(count).toHaveBeenCalledExactlyOnceWith(good, true);
    expect([recordUnknown, look].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('only looks when he is a person', async () => {
    const { verify, record, recordUnknown, count, look } = start();
    expect((await verify(person)).code).toBe('valid');
    expect(look).toHaveBeenCalledExactlyOnceWith(good);
    for (const outcome of [good, { code: 'not_found' }] as const) await start(outcome).verify(person);
    expect([record, recordUnknown, count].map(({ mock }) => mock.calls)).toEqual([[], [], []]);
    const unknown = start({ code: 'malformed' });
    expect(await unknown.verify(person)).toEqual({ code: 'malformed', ...NOBODY });
    expect(unknown.recordUnknown).not.toHaveBeenCalled();
  });

  it('must be somebody', async () => {
    const { verify, authenticate } = start();
    for (const principal of [{ kind: 'anonymous' }, { kind: 'system', name: 'x' }] as const)
      await expect(verify({ ...program, principal })).rejects.toMatchObject({ code: 'auth.required' });
    expect(authenticate).not.toHaveBeenCalled();
  });

  it('learns of a key that is none which kind of none it is', async () => {
    for (const code of ['malformed', 'not_found'] as const) {
      const { verify, recordUnknown, record } = start({ code });
      expect(await verify(program)).toEqual({ code, ...NOBODY });
      expect(recordUnknown).toHaveBeenCalledExactlyOnceWith('wsp_1', code);
      expect(record).not.toHaveBeenCalled();
    }
  });

  it('learns nothing of a key of an account that he may not ask about, and leaves no trace on it', async () => {
    const others = { ...ada, id: 'acc_bob' };
    for (const code of ['valid', 'expired'] as const) {
      const { verify, record, recordUnknown, count, look } = start({ ...good, code, account: others });
      for (const caller of [program, person])
        expect(await verify(caller)).toEqual({ code: 'not_found', ...NOBODY });
      expect([record, recordUnknown, count, look].map(({ mock }) => mock.calls)).toEqual([[], [], [], []]);
    }
  });

  it('learns why a key is no good, and its limits are left alone', async () => {
    const { verify, record, count, look } = start({ ...good, code: 'expired' });
    const refused = { code: 'expired', subject: { account: ada, key }, matched: null, limits: null };
    expect(await verify(program)).toEqual(refused);
    expect(record.mock.calls).toMatchObject([[{ outcome: 'expired' }]]);
    expect(await verify(person)).toEqual(refused);
    expect([count, look].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('learns what a good key may not do, which counts for its rates only', async () => {
    const { verify, record, count } = start();
    expect(await verify(program, mayNot)).toMatchObject({
      code: 'insufficient_scope',
      matched: null,
      limits: WITHIN,
    });
    expect(count).toHaveBeenCalledExactlyOnceWith(good, false);
    expect(record.mock.calls).toMatchObject([[{ outcome: 'insufficient_scope' }]]);
  });

  it('learns nothing but that it is over its limits when it is', async () => {
    for (const question of [may, mayNot]) {
      const { verify, record } = start(good, OVER);
      expect(await verify(program, question)).toMatchObject({
        code: 'quota_exceeded',
        matched: null,
        limits: OVER,
      });
      expect(record.mock.calls).toMatchObject([[{ outcome: 'quota_exceeded' }]]);
    }
    expect(limitedCode('valid', null)).toBe('valid');
  });
});

describe('a gateway that asks about its own credential', () => {
  it('is answered once it is counted', async () => {
    const { authorize, record, count } = start();
    expect(await authorize()).toEqual({ code: 'valid', matched: PUSH, limits: WITHIN });
    expect(count).toHaveBeenCalledExactlyOnceWith({ kind: 'key', account: ada, key }, true);
    expect(record).toHaveBeenCalledExactlyOnceWith({
      workspaceId: 'wsp_1',
      keyId: 'kr_1',
      action: 'package:push',
      outcome: 'valid',
      ip: '192.0.2.1',
      userAgent: 'nginx',
    });
  });

  it('is refused what the credential may not do, and whatever is over a limit', async () => {
    const { authorize, record, count } = start();
    expect(await authorize(mayNot)).toEqual({ code: 'insufficient_scope', matched: null, limits: WITHIN });
    expect(count).toHaveBeenCalledExactlyOnceWith(expect.anything(), false);
    expect(record.mock.calls).toMatchObject([[{ outcome: 'insufficient_scope' }]]);
    const over = start(good, OVER);
    expect(await over.authorize()).toEqual({ code: 'quota_exceeded', matched: null, limits: OVER });
    expect(over.record.mock.calls).toMatchObject([[{ outcome: 'quota_exceeded' }]]);
  });

  it('must name an action where the workspace demands it, and is counted all the same', async () => {
    const nothing = { action: null, resource: null };
    const { authorize, record, count, get } = start(good, WITHIN, true);
    await expect(authorize(nothing)).rejects.toMatchObject({
      code: 'request.invalid',
      fields: [{ field: 'action' }],
    });
    expect(get).toHaveBeenCalledWith('wsp_1');
    expect(count).toHaveBeenCalledExactlyOnceWith(expect.anything(), false);
    expect(record.mock.calls).toMatchObject([[{ outcome: 'insufficient_scope', action: null }]]);
    expect((await authorize()).code).toBe('valid');
    expect((await start().authorize(nothing)).code).toBe('valid');
  });
});

describe('what is told of a key', () => {
  const answer = { code: 'valid', subject: { account: ada, key }, matched: PUSH, limits: WITHIN } as const;
  const told = {
    valid: true,
    code: 'valid',
    keyId: 'kr_1',
    account: { id: 'acc_ada', kind: 'user', displayName: 'Ada', login: 'ada@example.com' },
    access: 'scoped',
    scopes: [PUSH],
    expiresAt: '1970-01-01T00:00:00.000Z',
    freshness: LEASE,
  };

  it('is what permits the question and what is left, where there is any', () => {
    const limits = { retryAfterSeconds: null, states: [STATE] };
    expect(presentVerifyAnswer(answer, LEASE)).toEqual({ ...told, matched: PUSH, limits });
    const plain = presentVerifyAnswer({ ...answer, matched: null, limits: null }, LEASE);
    expect(plain).toStrictEqual(told);
    const without = { ...WITHIN, states: [] };
    expect(presentVerifyAnswer({ ...answer, matched: null, limits: without }, LEASE)).toStrictEqual(told);
    expect(presentVerifyAnswer({ ...answer, code: 'expired' }, LEASE)).toMatchObject({
      valid: false,
      code: 'expired',
    });
  });

  it('is nothing where nobody is told of', () => {
    expect(presentVerifyAnswer({ code: 'not_found', ...NOBODY }, LEASE)).toStrictEqual({
      valid: false,
      code: 'not_found',
      keyId: null,
      account: null,
      access: null,
      scopes: null,
      expiresAt: null,
      freshness: LEASE,
    });
  });

  it('is ASCII in headers', () => {
    const headersOf = (login: string) => presentSubjectHeaders(SAMPLE_WORKSPACE, { ...ada, login }, key);
    expect(headersOf('ada@example.com')).toEqual({
      'x-keyreeve-account': 'acc_ada',
      'x-keyreeve-account-kind': 'user',
      'x-keyreeve-account-login': 'ada@example.com',
      'x-keyreeve-key-id': 'kr_1',
      'x-keyreeve-workspace': 'wsp_1',
    });
    const spell = (login: string) => headersOf(login)['x-keyreeve-account-login'];
    expect(['芽衣', 'aä', 'äa', 'a b', ''].map(spell)).toEqual([
      '%E8%8A%BD%E8%A1%A3',
      'a%C3%A4',
      '%C3%A4a',
      'a%20b',
      '',
    ]);
  });

  it('is why a credential was refused only where that is known', () => {
    const codes = ['auth.key_expired', 'auth.key_disabled', 'auth.account_disabled', 'auth.ip_not_allowed'];
    expect([...codes, 'auth.required'].map(presentReason)).toEqual([
      'expired',
      'disabled',
      'account_disabled',
      'ip_not_allowed',
      'invalid',
    ]);
  });
});
