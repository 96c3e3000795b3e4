import { beforeEach, describe, expect, it } from 'vitest';
import { type AuthenticateDeps, createAuthenticate } from './authenticate.ts';
import type { KeyOutcome, PresentedKey } from './features/keys/index.ts';
import type { AccountIdentity, KeyIdentity } from './http/index.ts';
import { Secret } from './lib/secret.ts';

const account = { id: 'acc_1' } as AccountIdentity;
const key = { id: 'kr_1' } as KeyIdentity;
const workspace = { id: 'wsp_1', name: 'One', subdomain: null, isDefault: true, url: 'https://keys.test' };
const FACTS = { workspace, ip: '192.0.2.1', userAgent: 'nuget/6', isCounted: true, action: 'orders:read' };
const SESSION = { kind: 'session', account, sessionId: 'ses_1', managedIds: [] } as const;
const TOKEN = { kind: 'token', account, key, token: { jti: 'j', issuedAt: 0, expiresAt: 1 } } as const;

type PresentedCredential = Parameters<ReturnType<typeof createAuthenticate>>[0];

let outcome: KeyOutcome;
let asked: [string, PresentedKey, string | null][];
let recorded: object[];
let shown: string[];

const deps = {
  keys: {
    authenticate: (workspaceId: string, presented: PresentedKey, ip: string | null) => {
      asked.push([workspaceId, presented, ip]);
      return Promise.resolve(outcome);
    },
  },
  usage: { record: (use: object) => recorded.push(use) },
  authenticateSession: (cookie: Secret) => {
    shown.push(`session ${cookie.reveal()}`);
    return Promise.resolve(SESSION);
  },
  authenticateToken: (token: Secret) => {
    shown.push(`token ${token.reveal()}`);
    return Promise.resolve(TOKEN);
  },
} as unknown as AuthenticateDeps;

async function authenticate(credential: PresentedCredential, more: Partial<typeof FACTS> = {}) {
  return await createAuthenticate(deps)(credential, { ...FACTS, ...more });
}

const bearer = (text: string): PresentedCredential => ({ kind: 'bearer', value: new Secret(text) });

beforeEach(() => {
  [asked, recorded, shown] = [[], [], []];
  outcome = { code: 'valid', account, key, keyEpoch: 1 };
});

describe('what is presented', () => {
  it('is a session in a cookie, and a token by its shape', async () => {
    expect(await authenticate({ kind: 'cookie', value: new Secret('c') })).toBe(SESSION);
    expect(await authenticate(bearer('eyJh.eyJi.c2ln'))).toBe(TOKEN);
    expect([shown, asked]).toEqual([['session c', 'token eyJh.eyJi.c2ln'], []]);
  });

  it('is a key otherwise, whole or in halves, of this workspace and from this address', async () => {
    const secretKey = new Secret('s');
    expect(await authenticate(bearer('kr_1_s'))).toEqual({ kind: 'key', account, key });
    expect(await authenticate({ kind: 'pair', apiKey: 'kr_1', secretKey })).toEqual({
      kind: 'key',
      account,
      key,
    });
    expect(asked).toEqual([
      ['wsp_1', { fullKey: new Secret('kr_1_s') }, '192.0.2.1'],
      ['wsp_1', { apiKey: 'kr_1', secretKey }, '192.0.2.1'],
    ]);
    expect([shown, recorded]).toEqual([[], []]);
  });
});

describe('a key that is no good', () => {
  it.each(['malformed', 'not_found'] as const)('is refused without a reason when it is %s', async (code) => {
    outcome = { code };
    await expect(authenticate(bearer('x'))).rejects.toThrow('auth.invalid_credential');
    expect(recorded).toEqual([]);
  });

  it.each([
    ['expired', 'auth.key_expired'],
    ['disabled', 'auth.key_disabled'],
    ['account_disabled', 'auth.account_disabled'],
    ['ip_not_allowed', 'auth.ip_not_allowed'],
  ] as const)('is refused as %s to the holder of its secret, and counted', async (code, told) => {
    outcome = { code, account, key, keyEpoch: 1 };
    await expect(authenticate(bearer('x'))).rejects.toThrow(told);
    expect(recorded).toEqual([
      {
        workspaceId: 'wsp_1',
        keyId: 'kr_1',
        action: 'orders:read',
        outcome: code,
        ip: '192.0.2.1',
        userAgent: 'nuget/6',
      },
    ]);
    await expect(authenticate(bearer('x'), { isCounted: false })).rejects.toThrow(told);
    expect(recorded).toHaveLength(1);
  });
});
