import { describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import { authErrors, type Caller } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from '../../http/samples.ts';
import { Secret } from '../../lib/secret.ts';
import type { KeyOutcome } from '../keys/index.ts';
import type { LimitAnswer } from '../limits/index.ts';
import { createIamService } from './iam.service.ts';

const SECRET = new Secret('s'.repeat(49));
const TOKEN = new Secret('eyJ.b.c');
const STORED = { ...SAMPLE_ACCOUNT, displayName: 'as it is stored now' };
const PROVEN = { code: 'valid', account: SAMPLE_ACCOUNT, key: SAMPLE_KEY } as unknown as KeyOutcome;
const STATE = { name: 'key-quota', limit: 1, windowSeconds: null, remaining: 0, resetSeconds: null } as const;
const OVER: LimitAnswer = { code: 'quota_exceeded', states: [STATE], spent: STATE, retryAfterSeconds: null };
const WITHIN: LimitAnswer = { code: 'within', states: [], spent: null, retryAfterSeconds: null };
const caller = {
  workspace: SAMPLE_WORKSPACE,
  ip: '192.0.2.1',
  userAgent: 'curl',
} as unknown as Caller;
const USE = {
  workspaceId: SAMPLE_WORKSPACE.id,
  keyId: SAMPLE_KEY.id,
  action: 'iam:tokens:issue',
  outcome: 'valid',
  ip: '192.0.2.1',
  userAgent: 'curl',
};

interface Wish {
  readonly outcome?: KeyOutcome;
  readonly held?: LimitAnswer;
  readonly fault?: Error;
  readonly isGone?: boolean;
}

function start({ outcome = PROVEN, held = WITHIN, fault, isGone = false }: Wish = {}) {
  const answer = <Value>(value: Value) =>
    fault === undefined ? Promise.resolve(value) : Promise.reject(fault);
  const token = { issuedAt: 1_000, expiresAt: 901_000 };
  const fakes = {
    judge: vi.fn((..._input: unknown[]) => Promise.resolve(outcome)),
    count: vi.fn((..._input: unknown[]) => Promise.resolve(held)),
    record: vi.fn(),
    countRefusal: vi.fn<(caller: Caller, reason: AppError, route: string) => void>(),
    find: vi.fn((..._input: unknown[]) => Promise.resolve(isGone ? null : STORED)),
    issue: vi.fn((..._input: unknown[]) => answer({ token: TOKEN, claims: { iat: 1, exp: 901 } })),
    authenticate: vi.fn((..._input: unknown[]) =>
      answer({ account: SAMPLE_ACCOUNT, key: SAMPLE_KEY, token }),
    ),
    end: vi.fn((..._input: unknown[]) => answer(null)),
  };
  const deps = {
    storage: { read: 'read' },
    audit: fakes,
    accounts: fakes,
    keyAuthenticator: { authenticate: fakes.judge },
    usage: fakes,
    keyLimiter: fakes,
    tokens: fakes,
  } as unknown as Parameters<typeof createIamService>[0];
  return { ...fakes, ...createIamService(deps) };
}

async function refusalOf(work: Promise<unknown>): Promise<AppError> {
  return await work.then(
    () => {
      throw new Error('Nothing was refused.');
    },
    (error: AppError) => error,
  );
}

const SESSION = {
  account: STORED,
  token: TOKEN,
  issuedAt: 1_000,
  expiresAt: 901_000,
  keyExpiresAt: SAMPLE_KEY.expiresAt,
};

describe('a login', () => {
  const login = (at: ReturnType<typeof start>) => at.login(caller, 'kr_ada', SECRET);

  it('with a good key is a token of it, and one counted use', async () => {
    const at = start();
    expect(await login(at)).toEqual(SESSION);
    expect(at.judge.mock.calls).toEqual([
      [SAMPLE_WORKSPACE.id, { apiKey: 'kr_ada', secretKey: SECRET }, '192.0.2.1'],
    ]);
    expect(at.count.mock.calls).toEqual([[PROVEN, true]]);
    expect(at.record.mock.calls).toEqual([[USE]]);
    expect(at.issue.mock.calls).toEqual([[SAMPLE_WORKSPACE, PROVEN]]);
    expect(at.find.mock.calls).toEqual([['read', SAMPLE_WORKSPACE.id, SAMPLE_ACCOUNT.id]]);
    expect(at.countRefusal).not.toHaveBeenCalled();
  });

  it('with what is no key is refused like all others, and counts for no key', async () => {
    for (const code of ['malformed', 'not_found'] as const) {
      const at = start({ outcome: { code } as KeyOutcome });
      const refusal = await refusalOf(login(at));
      expect(refusal.code).toBe('auth.invalid_credential');
      expect(at.countRefusal.mock.calls).toEqual([[caller, refusal.cause, '/iam/login']]);
      expect([at.count, at.record, at.issue].map(({ mock }) => mock.calls)).toEqual([[], [], []]);
    }
  });

  it('with a key that is no good tells nothing of why, which the log and the counters learn', async () => {
    for (const [code, reason] of [
      ['expired', 'auth.key_expired'],
      ['disabled', 'auth.key_disabled'],
      ['account_disabled', 'auth.account_disabled'],
      ['ip_not_allowed', 'auth.ip_not_allowed'],
    ] as const) {
      const at = start({ outcome: { ...PROVEN, code } as KeyOutcome });
      const refusal = await refusalOf(login(at));
      expect(refusal).toMatchObject({ code: 'auth.invalid_credential', cause: { code: reason } });
      expect(at.countRefusal.mock.calls).toEqual([[caller, refusal.cause, '/iam/login']]);
      expect(at.record.mock.calls).toEqual([[{ ...USE, outcome: code }]]);
      expect([at.count, at.issue].map(({ mock }) => mock.calls)).toEqual([[], []]);
    }
  });

  it('over a limit is told so, counted, and gets no token', async () => {
    const at = start({ held: OVER });
    expect((await refusalOf(login(at))).code).toBe('limit.quota_exceeded');
    expect(at.record.mock.calls).toEqual([[{ ...USE, outcome: 'quota_exceeded' }]]);
    expect([at.issue, at.countRefusal].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('of an account that is gone meanwhile is refused', async () => {
    const at = start({ isGone: true });
    const refusal = await refusalOf(login(at));
    expect(refusal.code).toBe('auth.invalid_credential');
    expect(at.countRefusal.mock.calls).toEqual([[caller, refusal.cause, '/iam/login']]);
  });
});

describe('a session', () => {
  it('is looked at, with the account as it is now', async () => {
    const at = start();
    expect(await at.checkSession(caller, TOKEN)).toEqual(SESSION);
    expect(at.authenticate.mock.calls).toEqual([[TOKEN, caller]]);
    expect(at.find.mock.calls).toEqual([['read', SAMPLE_WORKSPACE.id, SAMPLE_ACCOUNT.id]]);
    const gone = start({ isGone: true });
    const refusal = await refusalOf(gone.checkSession(caller, TOKEN));
    expect(refusal.code).toBe('auth.invalid_credential');
    expect(gone.countRefusal.mock.calls).toEqual([[caller, refusal.cause, '/iam/v4/checkSession']]);
  });

  it('is ended', async () => {
    const at = start();
    expect(await at.logout(caller, TOKEN)).toBeUndefined();
    expect(at.end.mock.calls).toEqual([[caller, TOKEN]]);
    expect(at.countRefusal).not.toHaveBeenCalled();
  });

  it('needs a token', async () => {
    const at = start();
    for (const [ask, route] of [
      [() => at.checkSession(caller, null), '/iam/v4/checkSession'],
      [() => at.logout(caller, null), '/iam/logout'],
    ] as const) {
      const refusal = await refusalOf(ask());
      expect(refusal).toMatchObject({ code: 'auth.invalid_credential', cause: { code: 'auth.required' } });
      expect(at.countRefusal).toHaveBeenLastCalledWith(caller, refusal.cause, route);
    }
    expect([at.authenticate, at.end].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('that is none is refused, which the log learns, and faults stay faults', async () => {
    const reason = authErrors.key_expired();
    for (const [fault, isRefusal] of [
      [reason, true],
      [authErrors.kind_not_accepted(), false],
      [Object.assign(new Error('The database is gone.'), { status: 401 }), false],
    ] as const) {
      const at = start({ fault });
      for (const [ask, route] of [
        [() => at.login(caller, 'kr_ada', SECRET), '/iam/login'],
        [() => at.checkSession(caller, TOKEN), '/iam/v4/checkSession'],
        [() => at.logout(caller, TOKEN), '/iam/logout'],
      ] as const) {
        const refusal = await refusalOf(ask());
        if (isRefusal) {
          expect(refusal).toMatchObject({ code: 'auth.invalid_credential', cause: reason });
          expect(at.countRefusal).toHaveBeenLastCalledWith(caller, reason, route);
        } else expect(refusal).toBe(fault);
      }
      expect(at.countRefusal).toHaveBeenCalledTimes(isRefusal ? 3 : 0);
    }
  });
});
