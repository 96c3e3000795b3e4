import { describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../../errors/index.ts';
import { authErrors, type Caller, type KeyIdentity } from '../../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from '../../../http/samples.ts';
import { Secret } from '../../../lib/secret.ts';
import type { KeyOutcome } from '../../keys/index.ts';
import type { LimitAnswer } from '../../limits/index.ts';
import type { TokenClaims } from '../claims.ts';
import type { ProvenKey } from '../key-refusal.ts';
import { SAMPLE_CLAIMS } from '../samples.ts';
import { type PresentedClient, readClient } from './client-authentication.ts';
import { createOAuth } from './oauth.ts';
import { revokeToken } from './revocation.ts';

const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const VERIFY = { actions: ['iam:keys:verify'], resources: ['acc_ada'] };
const SECRET = 's'.repeat(49);
const FULL_KEY = `kr_0123456789ABCDEF_${SECRET}`;
const TOKEN_TEXT = 'eyJ.b.c';
const TOKEN = new Secret(TOKEN_TEXT);
/** What a transaction is done with. */
const TX = {};

function prove(id: string, scopes = [PUSH]): ProvenKey & { readonly code: 'valid' } {
  const key: KeyIdentity = {
    ...SAMPLE_KEY,
    id: `kr_${id}`,
    ownerId: `acc_${id}`,
    scopes,
    expiresAt: 9,
  };
  const account = {
    ...SAMPLE_ACCOUNT,
    id: `acc_${id}`,
    grants: scopes,
  } as const;
  return { code: 'valid', key, keyEpoch: 1, account };
}
const ada = prove('ada');
const bob = prove('bob');

const caller: Caller = {
  workspace: SAMPLE_WORKSPACE,
  principal: { kind: 'anonymous' },
  ip: '192.0.2.1',
  userAgent: 'nuget',
  requestId: null,
};
const STATE = { name: 'key-quota', limit: 1, windowSeconds: null, remaining: 0, resetSeconds: null } as const;
const WITHIN: LimitAnswer = { code: 'within', states: [], spent: null, retryAfterSeconds: null };
const OVER: LimitAnswer = { code: 'quota_exceeded', states: [STATE], spent: STATE, retryAfterSeconds: null };

interface Wish {
  /** What each spelling of a credential turns out to be. */
  readonly outcomes?: Readonly<Record<string, KeyOutcome>>;
  readonly held?: LimitAnswer;
  readonly claims?: TokenClaims;
  readonly holder?: ProvenKey;
  readonly fault?: Error;
}

function start(wish: Wish = {}) {
  const { holder = ada, held = WITHIN, fault } = wish;
  const claims = { ...SAMPLE_CLAIMS, sub: holder.account.id, client_id: holder.key.id, ...wish.claims };
  const principal = { kind: 'token', account: holder.account, key: holder.key };
  const spell = (presented: { fullKey: Secret } | { apiKey: string; secretKey: Secret }) =>
    'fullKey' in presented
      ? presented.fullKey.reveal()
      : `${presented.apiKey} ${presented.secretKey.reveal()}`;
  const answer = <Value>(value: Value) =>
    fault === undefined ? Promise.resolve(value) : Promise.reject(fault);
  const fakes = {
    /** By the workspace, what was presented, and the address. */
    judge: vi.fn((_workspaceId: string, text: string, _ip: string | null) =>
      Promise.resolve<KeyOutcome>(wish.outcomes?.[text] ?? { code: 'not_found' }),
    ),
    record: vi.fn(),
    audited: vi.fn<(tx: unknown, caller: Caller, entry: object) => Promise<void>>(() => Promise.resolve()),
    countRefusal: vi.fn<(caller: Caller, reason: AppError, route: string) => void>(),
    count: vi.fn(() => Promise.resolve(held)),
    issue: vi.fn(() => answer({ token: TOKEN, claims })),
    derive: vi.fn((..._input: unknown[]) => answer({ token: TOKEN, claims: { ...claims, jti: 'jti-2' } })),
    inspect: vi.fn(() => answer({ kid: 'kid', claims, principal })),
    authenticate: vi.fn(() => answer(principal)),
    read: vi.fn(() => Promise.resolve<TokenClaims | null>(claims)),
    endRead: vi.fn((..._input: unknown[]) => answer(true)),
  };
  const deps = {
    storage: {
      engine: 'sqlite',
      write: { transaction: () => ({ execute: (work: (tx: object) => unknown) => work(TX) }) },
    },
    audit: { record: fakes.audited, countRefusal: fakes.countRefusal },
    usage: fakes,
    keyLimiter: fakes,
    tokens: fakes,
    keyAuthenticator: {
      authenticate: (workspaceId: string, presented: Parameters<typeof spell>[0], ip: string | null) =>
        fakes.judge(workspaceId, spell(presented), ip),
    },
  } as unknown as Parameters<typeof createOAuth>[0];
  return { ...fakes, claims, principal, deps, ...createOAuth(deps) };
}

const spellForm = (parameters: Record<string, string>) => new Map(Object.entries(parameters));
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

async function refusalOf(work: () => unknown): Promise<AppError> {
  try {
    await work();
  } catch (error) {
    return error as AppError;
  }
  throw new Error('Nothing was refused.');
}

const client = (more: Partial<Extract<PresentedClient, { kind: 'client' }>> = {}): PresentedClient => ({
  kind: 'client',
  clientId: 'kr_ada',
  secret: new Secret(SECRET),
  isBasic: false,
  ...more,
});
const bearer = (text: string): PresentedClient => ({ kind: 'bearer', credential: new Secret(text) });
const PAIR = `kr_ada ${SECRET}`;
const BASIC_CHALLENGE = { 'www-authenticate': 'Basic realm="keyreeve", charset="UTF-8"' };

describe('how a client authenticates', () => {
  it.each([
    ['nothing', undefined, {}, null],
    ['an empty header', '  ', {}, null],
    ['an id without a secret', undefined, { client_id: 'kr_ada' }, null],
    ['the body', undefined, { client_id: 'kr_ada', client_secret: SECRET }, client()],
    ['a secret alone', undefined, { client_secret: SECRET }, client({ clientId: '' })],
    ['Basic', basic(`kr_ada:${SECRET}`), {}, client({ isBasic: true })],
    ['Basic among blanks', ` ${basic(`kr_ada:${SECRET}`)} `, {}, client({ isBasic: true })],
    ['Basic with the same id', basic(`kr_ada:${SECRET}`), { client_id: 'kr_ada' }, client({ isBasic: true })],
    ['a bearer', `bearer ${FULL_KEY}`, { client_id: 'other' }, bearer(FULL_KEY)],
    ['a bearer after two blanks', `Bearer  ${FULL_KEY}`, {}, bearer(FULL_KEY)],
    [
      'Basic that was encoded',
      basic('a%3Ab:c%25d'),
      {},
      client({ clientId: 'a:b', secret: new Secret('c%d'), unencoded: new Secret('c%25d'), isBasic: true }),
    ],
    [
      'Basic that cannot be decoded',
      basic('kr_ada:50%'),
      {},
      client({ secret: new Secret('50%'), unencoded: new Secret('50%'), isBasic: true }),
    ],
  ])('is by %s', (_, authorization, parameters, presented) => {
    const found = readClient(authorization, spellForm(parameters));
    const reveal = (one: PresentedClient | null) =>
      one?.kind === 'client'
        ? { ...one, secret: one.secret.reveal(), unencoded: one.unencoded?.reveal() }
        : one && { ...one, credential: one.credential.reveal() };
    expect(reveal(found)).toEqual(reveal(presented));
  });

  const KEY_IN_BODY = { client_secret: SECRET };
  it.each([
    [
      'an assertion',
      undefined,
      { ...KEY_IN_BODY, client_assertion: 'x' },
      'oauth.invalid_client',
      'assertion',
    ],
    [
      'its type',
      undefined,
      { ...KEY_IN_BODY, client_assertion_type: 'x' },
      'oauth.invalid_client',
      'assertion',
    ],
    ['two methods', basic(`kr_ada:${SECRET}`), KEY_IN_BODY, 'oauth.invalid_request', 'client_secret'],
    ['a bearer and a secret', 'Bearer x', KEY_IN_BODY, 'oauth.invalid_request', 'client_secret'],
    ['two ids', basic(`kr_ada:${SECRET}`), { client_id: 'kr_bob' }, 'oauth.invalid_request', 'client_id'],
    ['Basic without a colon', basic('kr_ada'), {}, 'oauth.invalid_client', 'base64'],
    ['Basic whose id cannot be decoded', basic('50%:x'), {}, 'oauth.invalid_client', 'base64'],
    ['another scheme', 'Digest x', {}, 'oauth.invalid_client', 'Use Basic'],
    ['a scheme that begins like one', 'BasicX x', {}, 'oauth.invalid_client', 'Use Basic'],
    ['a scheme that ends like one', 'XBasic x', {}, 'oauth.invalid_client', 'Use Basic'],
    ['a bearer of two words', 'Bearer a b', {}, 'oauth.invalid_client', 'Use Basic'],
    ['a bearer that is not first', 'x Bearer a', {}, 'oauth.invalid_client', 'Use Basic'],
    ['a bearer that is too long', `Bearer ${'a'.repeat(8_193)}`, {}, 'oauth.invalid_client', 'Use Basic'],
  ])('is not by %s', async (_, authorization, parameters, code, told) => {
    const refusal = await refusalOf(() => readClient(authorization, spellForm(parameters)));
    const isChallenged = told === 'base64' || told === 'Use Basic';
    expect(refusal.code).toBe(code);
    expect(refusal.detail).toContain(told);
    expect(refusal.headers).toEqual(isChallenged ? BASIC_CHALLENGE : {});
    if (code === 'oauth.invalid_client')
      expect(refusal.cause).toMatchObject({ code: 'auth.invalid_credential' });
  });
});

describe('a client', () => {
  const GOOD = { [PAIR]: ada };

  it('is known by its key and secret, which is counted', async () => {
    const { clients, judge, count, record, countRefusal } = start({ outcomes: GOOD });
    const trimmed = client({ clientId: ' kr_ada ', secret: new Secret(` ${SECRET}\n`) });
    for (const presented of [client(), trimmed])
      expect(await clients.require(caller, presented, '/oauth2/token')).toBe(ada);
    expect(judge.mock.calls[0]).toEqual(['wsp_1', PAIR, '192.0.2.1']);
    expect(count).toHaveBeenCalledWith(ada, true);
    expect(record).toHaveBeenCalledWith({
      workspaceId: 'wsp_1',
      keyId: 'kr_ada',
      action: 'iam:tokens:issue',
      outcome: 'valid',
      ip: '192.0.2.1',
      userAgent: 'nuget',
    });
    expect([judge, count, record, countRefusal].map(({ mock }) => mock.calls.length)).toEqual([2, 2, 2, 0]);
  });

  it('may show its full key instead, without an id or with its own', async () => {
    const { clients } = start({ outcomes: { [FULL_KEY]: ada } });
    for (const clientId of ['', 'kr_ada', ' kr_ada'])
      expect(
        await clients.require(caller, client({ clientId, secret: new Secret(FULL_KEY) }), '/oauth2/token'),
      ).toBe(ada);
    for (const clientId of ['kr_bob', ' ']) {
      const presented = client({ clientId, secret: new Secret(FULL_KEY) });
      expect((await refusalOf(() => clients.require(caller, presented, '/oauth2/token'))).code).toBe(
        'oauth.invalid_client',
      );
    }
  });

  it('may have a secret that it did not encode', async () => {
    const { clients, judge } = start({ outcomes: { 'a+b': ada } });
    const presented = client({ clientId: '', secret: new Secret('a b'), unencoded: new Secret('a+b') });
    expect(await clients.require(caller, presented, '/oauth2/token')).toBe(ada);
    expect(judge).toHaveBeenCalledTimes(2);
    const encoded = start({ outcomes: { 'a b': ada } });
    expect(await encoded.clients.require(caller, presented, '/oauth2/token')).toBe(ada);
    expect(encoded.judge).toHaveBeenCalledTimes(1);
  });

  it('is refused when it is none, and the log learns why', async () => {
    const cases = [
      [null, 'auth.required', true],
      [bearer(FULL_KEY), 'auth.kind_not_accepted', true],
      [client({ secret: new Secret('x') }), 'auth.invalid_credential', false],
      [client({ secret: new Secret('x'), isBasic: true }), 'auth.invalid_credential', true],
    ] as const;
    for (const [presented, reason, isChallenged] of cases) {
      const { clients, countRefusal, record, count } = start({ outcomes: GOOD });
      const refusal = await refusalOf(() => clients.require(caller, presented, '/oauth2/token'));
      expect([refusal.code, refusal.headers]).toEqual([
        'oauth.invalid_client',
        isChallenged ? BASIC_CHALLENGE : {},
      ]);
      expect(countRefusal).toHaveBeenCalledExactlyOnceWith(caller, refusal.cause, '/oauth2/token');
      expect(refusal.cause).toMatchObject({ code: reason });
      expect([record, count].map(({ mock }) => mock.calls)).toEqual([[], []]);
    }
  });

  it('learns why its key is no good, which is counted, and its limits are left alone', async () => {
    for (const code of ['expired', 'disabled', 'account_disabled', 'ip_not_allowed'] as const) {
      const { clients, countRefusal, record, count } = start({ outcomes: { [PAIR]: { ...ada, code } } });
      const refusal = await refusalOf(() => clients.require(caller, client(), '/oauth2/introspect'));
      const reason = code === 'expired' || code === 'disabled' ? `auth.key_${code}` : `auth.${code}`;
      expect(refusal).toMatchObject({ code: 'oauth.invalid_client', cause: { code: reason } });
      expect(record.mock.calls).toMatchObject([[{ action: 'iam:tokens:introspect', outcome: code }]]);
      expect(countRefusal).toHaveBeenCalledTimes(1);
      expect(count).not.toHaveBeenCalled();
    }
  });

  it('is refused over its limits, but for ending a token', async () => {
    const { clients, record, count, countRefusal } = start({ outcomes: GOOD, held: OVER });
    for (const route of ['/oauth2/token', '/oauth2/introspect'] as const)
      expect((await refusalOf(() => clients.require(caller, client(), route))).code).toBe(
        'limit.quota_exceeded',
      );
    expect(await clients.require(caller, client(), '/oauth2/revoke')).toBe(ada);
    expect(count).toHaveBeenCalledTimes(2);
    expect(record.mock.calls).toMatchObject([
      [{ action: 'iam:tokens:issue', outcome: 'quota_exceeded' }],
      [{ action: 'iam:tokens:introspect', outcome: 'quota_exceeded' }],
      [{ action: 'iam:tokens:revoke', outcome: 'valid' }],
    ]);
    expect(countRefusal).not.toHaveBeenCalled();
  });
});

describe('who asks about a credential', () => {
  it('is a client, or whoever shows a good key or token of his own', async () => {
    const { introspection, count, record, principal, authenticate } = start({
      outcomes: { [PAIR]: ada, [FULL_KEY]: bob },
    });
    const asker = { kind: 'key', account: ada.account, key: ada.key };
    expect(await introspection.requireAsker(caller, client())).toEqual(asker);
    expect(record.mock.calls).toMatchObject([[{ action: 'iam:tokens:introspect', keyId: 'kr_ada' }]]);
    const other = { kind: 'key', account: bob.account, key: bob.key };
    expect(await introspection.requireAsker(caller, bearer(FULL_KEY))).toEqual(other);
    expect(count).toHaveBeenLastCalledWith(bob, true);
    expect(record).toHaveBeenLastCalledWith({
      workspaceId: 'wsp_1',
      keyId: 'kr_bob',
      action: 'iam:tokens:introspect',
      outcome: 'valid',
      ip: '192.0.2.1',
      userAgent: 'nuget',
    });
    expect(await introspection.requireAsker(caller, bearer(TOKEN_TEXT))).toBe(principal);
    expect(authenticate).toHaveBeenCalledExactlyOnceWith(expect.any(Secret), caller);
  });

  it('is refused without a client, and with a bearer that is no good', async () => {
    const none = start();
    expect((await refusalOf(() => none.introspection.requireAsker(caller, null))).code).toBe(
      'oauth.invalid_client',
    );
    const expired = start({ outcomes: { [FULL_KEY]: { ...ada, code: 'expired' } } });
    const ended = start({ fault: authErrors.invalid_credential() });
    const cases = [
      [none, FULL_KEY, 'auth.invalid_credential'],
      [expired, FULL_KEY, 'auth.key_expired'],
      [ended, TOKEN_TEXT, 'auth.invalid_credential'],
    ] as const;
    for (const [{ introspection, countRefusal }, text, reason] of cases) {
      countRefusal.mockReset();
      const refusal = await refusalOf(() => introspection.requireAsker(caller, bearer(text)));
      expect(refusal).toMatchObject({ code: 'oauth.invalid_token', cause: { code: reason } });
      expect(refusal.headers).toEqual({
        'www-authenticate': 'Bearer realm="keyreeve", error="invalid_token"',
      });
      expect(countRefusal).toHaveBeenCalledExactlyOnceWith(caller, refusal.cause, '/oauth2/introspect');
    }
    expect(expired.record.mock.calls).toMatchObject([[{ outcome: 'expired' }]]);
    expect(expired.count).not.toHaveBeenCalled();
  });

  it('is told of limits and faults as they are', async () => {
    const over = start({ outcomes: { [FULL_KEY]: ada }, held: OVER });
    const refusal = await refusalOf(() => over.introspection.requireAsker(caller, bearer(FULL_KEY)));
    expect(refusal.code).toBe('limit.quota_exceeded');
    expect(over.record.mock.calls).toMatchObject([[{ outcome: 'quota_exceeded' }]]);
    const fault = new Error('The database is gone.');
    const broken = start({ fault });
    expect(await refusalOf(() => broken.introspection.requireAsker(caller, bearer(TOKEN_TEXT)))).toBe(fault);
    expect([over, broken].map(({ countRefusal }) => countRefusal.mock.calls)).toEqual([[], []]);
  });
});

describe('an answer about a credential', () => {
  const asker = (proven: ProvenKey) => ({ kind: 'key', account: proven.account, key: proven.key }) as const;
  const verifier = asker(prove('robot', [VERIFY]));
  const session = { kind: 'session', account: ada.account, sessionId: 'ses_1', managedIds: [] } as const;

  it('tells of a token what it may do, to who got it and to who may ask', async () => {
    const act = { sub: 'acc_bob', client_id: 'kr_bob' };
    for (const who of [asker(ada), asker(bob), verifier]) {
      const { introspection, claims, inspect, count, record } = start({
        claims: { ...SAMPLE_CLAIMS, sub: 'acc_ada', client_id: 'kr_ada', act },
      });
      expect(await introspection.ask(caller, who, TOKEN, spellForm({ ip: '198.51.100.7' }))).toEqual({
        claims,
        account: ada.account,
        key: ada.key,
        permissions: [PUSH],
      });
      expect(inspect).toHaveBeenCalledExactlyOnceWith(SAMPLE_WORKSPACE, TOKEN, '198.51.100.7');
      expect(count).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ key: ada.key }), true);
      expect(record).toHaveBeenCalledExactlyOnceWith({
        workspaceId: 'wsp_1',
        keyId: 'kr_ada',
        action: null,
        outcome: 'valid',
        ip: '198.51.100.7',
        userAgent: null,
      });
    }
  });

  it('tells of a full key the same, without claims', async () => {
    const { introspection, judge } = start({ outcomes: { [FULL_KEY]: ada } });
    const found = await introspection.ask(caller, asker(ada), new Secret(FULL_KEY), spellForm({}));
    expect(found).toEqual({ claims: null, account: ada.account, key: ada.key, permissions: [PUSH] });
    expect(judge).toHaveBeenCalledExactlyOnceWith('wsp_1', FULL_KEY, null);
  });

  it('is none for whoever may not ask, and nothing is counted', async () => {
    for (const who of [asker(bob), session]) {
      const { introspection, count, record } = start({ outcomes: { [FULL_KEY]: ada } });
      for (const credential of [TOKEN, new Secret(FULL_KEY)])
        expect(await introspection.ask(caller, who, credential, spellForm({}))).toBeNull();
      expect([count, record].map(({ mock }) => mock.calls)).toEqual([[], []]);
    }
  });

  it('is none about what is no good or over its limits', async () => {
    const ended = start({ fault: authErrors.invalid_credential() });
    expect(await ended.introspection.ask(caller, asker(ada), TOKEN, spellForm({}))).toBeNull();
    const expired = start({ outcomes: { [FULL_KEY]: { ...ada, code: 'expired' } } });
    expect(
      await expired.introspection.ask(caller, asker(ada), new Secret(FULL_KEY), spellForm({})),
    ).toBeNull();
    expect(expired.count).not.toHaveBeenCalled();
    const over = start({ held: OVER });
    expect(await over.introspection.ask(caller, asker(ada), TOKEN, spellForm({}))).toBeNull();
    expect(over.record.mock.calls).toMatchObject([[{ outcome: 'quota_exceeded' }]]);
  });

  it('is a fault where the address is none, or the database does not answer', async () => {
    const { introspection } = start();
    const refusal = await refusalOf(() =>
      introspection.ask(caller, asker(ada), TOKEN, spellForm({ ip: '1.2.3' })),
    );
    expect(refusal).toMatchObject({
      code: 'oauth.invalid_request',
      detail: expect.stringContaining('ip must') as string,
    });
    for (const fault of [new Error('The database is gone.'), authErrors.kind_not_accepted()]) {
      const broken = start({ fault });
      const seen = await refusalOf(() => broken.introspection.ask(caller, asker(ada), TOKEN, spellForm({})));
      expect(seen).toBe(fault);
    }
  });

  it('comes on the beat where it is none', async () => {
    const { introspection } = start({ fault: authErrors.invalid_credential() });
    const startedAt = performance.now();
    await introspection.ask(caller, asker(ada), TOKEN, spellForm({}));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(9);
  });

  it('comes at once where it is one', async () => {
    const { introspection } = start();
    const answer = introspection.ask(caller, asker(ada), TOKEN, spellForm({}));
    // It waits for nothing: it is there before the next turn of the event loop.
    const turn = new Promise((resolve) => setImmediate(resolve, 'not yet'));
    expect(await Promise.race([answer, turn])).toMatchObject({ key: ada.key });
  });
});

describe('the end of a token', () => {
  const owner = ada;

  it('is made by who got it, or who exchanged it last, in his own name', async () => {
    const act = { sub: 'acc_bob', client_id: 'kr_bob' };
    for (const who of [ada, bob]) {
      const { deps, claims, endRead, read, judge } = start({
        claims: { ...SAMPLE_CLAIMS, sub: 'acc_ada', client_id: 'kr_ada', act },
      });
      await revokeToken(deps, caller, who, TOKEN);
      expect(read).toHaveBeenCalledExactlyOnceWith(SAMPLE_WORKSPACE, TOKEN);
      const principal = { kind: 'key', account: who.account, key: who.key };
      expect(endRead).toHaveBeenCalledExactlyOnceWith({ ...caller, principal }, claims);
      expect(judge).not.toHaveBeenCalled();
    }
  });

  it('is not made by others, nor of what is no token of ours', async () => {
    const others = start();
    await revokeToken(others.deps, caller, bob, TOKEN);
    const unknown = start();
    unknown.read.mockResolvedValue(null);
    await revokeToken(unknown.deps, caller, owner, TOKEN);
    await revokeToken(unknown.deps, caller, owner, new Secret('whatever'));
    expect([others, unknown].map(({ endRead }) => endRead.mock.calls)).toEqual([[], []]);
    expect(unknown.judge).toHaveBeenCalledExactlyOnceWith('wsp_1', 'whatever', null);
  });

  it('is refused for a key, also an imported one, and of whatever state', async () => {
    const { deps, endRead, read } = start({ outcomes: { 'oy2-imported': { ...ada, code: 'expired' } } });
    for (const text of [FULL_KEY, 'oy2-imported'])
      expect((await refusalOf(() => revokeToken(deps, caller, owner, new Secret(text)))).code).toBe(
        'oauth.unsupported_token_type',
      );
    expect([endRead, read].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('is not told where it is not sure', async () => {
    const fault = new Error('The database is gone.');
    const broken = start({ fault });
    const refusal = await refusalOf(() => revokeToken(broken.deps, caller, owner, TOKEN));
    expect(refusal).toMatchObject({ code: 'request.unavailable', cause: fault });
    expect(refusal.headers).toEqual({ 'retry-after': '5' });
  });
});

describe('a grant', () => {
  const CREDENTIALS = { grant_type: 'client_credentials' };

  it('of client credentials is a token of the key, narrowed where less was asked for', async () => {
    const { grants, issue, claims, count } = start({ outcomes: { [PAIR]: ada } });
    expect(await grants.grant(caller, spellForm(CREDENTIALS), client())).toEqual({
      issued: { token: TOKEN, claims },
      permissions: [],
      isExchanged: false,
      keyExpiresAt: 9,
    });
    expect(issue).toHaveBeenCalledExactlyOnceWith(SAMPLE_WORKSPACE, ada, {
      resource: undefined,
      permissions: undefined,
    });
    const asked = { ...CREDENTIALS, scope: 'package:push', resource: 'https://stock.example' };
    await grants.grant(caller, spellForm(asked), client());
    expect(issue).toHaveBeenLastCalledWith(SAMPLE_WORKSPACE, ada, {
      resource: 'https://stock.example',
      permissions: [PUSH],
    });
    expect(count).toHaveBeenCalledTimes(2);
  });

  it('tells the present rights where the token is too long to tell them', async () => {
    const { authorization_details: _details, ...claims } = SAMPLE_CLAIMS;
    const { grants, issue } = start({ outcomes: { [PAIR]: ada } });
    issue.mockResolvedValue({ token: TOKEN, claims: { ...claims, introspect: true } });
    expect((await grants.grant(caller, spellForm(CREDENTIALS), client())).permissions).toEqual([PUSH]);
  });

  it('is none without a client, with rights that it does not hold, or of another type', async () => {
    const { grants, issue } = start({ outcomes: { [PAIR]: ada } });
    const refuse = async (parameters: Record<string, string>, presented: PresentedClient | null = client()) =>
      await refusalOf(() => grants.grant(caller, spellForm(parameters), presented));
    expect((await refuse(CREDENTIALS, null)).code).toBe('oauth.invalid_client');
    expect((await refuse({ ...CREDENTIALS, scope: 'iam:keys:verify' })).code).toBe('oauth.invalid_scope');
    expect((await refuse({})).code).toBe('oauth.invalid_request');
    const otherType = await refuse({ grant_type: 'password' });
    expect(otherType.code).toBe('oauth.unsupported_grant_type');
    expect(otherType.detail).toContain('grant_type must be client_credentials');
    expect(issue).not.toHaveBeenCalled();
  });
});

describe('an exchange', () => {
  const TYPE = 'urn:ietf:params:oauth:token-type:access_token';
  const EXCHANGE = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: TOKEN_TEXT,
    subject_token_type: TYPE,
  };
  const USE = {
    workspaceId: 'wsp_1',
    keyId: 'kr_ada',
    action: 'iam:tokens:issue',
    outcome: 'valid',
    ip: '192.0.2.1',
    userAgent: 'nuget',
  };

  it('needs no client, and counts for the key of the token', async () => {
    const { grants, inspect, derive, count, record, audited, claims, principal } = start();
    const granted = await grants.grant(caller, spellForm({ ...EXCHANGE, requested_token_type: TYPE }), null);
    expect(granted).toEqual({
      issued: { token: TOKEN, claims: { ...claims, jti: 'jti-2' } },
      permissions: [],
      isExchanged: true,
      keyExpiresAt: 9,
    });
    const [[, inspected] = []] = inspect.mock.calls as unknown as [unknown, Secret][];
    expect(inspected?.reveal()).toBe(TOKEN_TEXT);
    const subject = { kid: 'kid', claims, principal };
    const wish = { resource: undefined, permissions: undefined };
    expect(derive).toHaveBeenCalledExactlyOnceWith(SAMPLE_WORKSPACE, subject, wish, null);
    expect(count).toHaveBeenCalledExactlyOnceWith(principal, true);
    expect(record).toHaveBeenCalledExactlyOnceWith(USE);
    expect(audited).not.toHaveBeenCalled();
  });

  it('may be for less, and for another service', async () => {
    const { grants, derive } = start();
    await grants.grant(
      caller,
      spellForm({ ...EXCHANGE, scope: 'package:push', audience: 'https://a.b' }),
      null,
    );
    const wish = { resource: 'https://a.b', permissions: [PUSH] };
    expect(derive).toHaveBeenCalledExactlyOnceWith(SAMPLE_WORKSPACE, expect.anything(), wish, null);
  });

  it('by its own client is counted once', async () => {
    const { grants, derive, count, record, audited } = start({ outcomes: { [PAIR]: ada } });
    await grants.grant(caller, spellForm(EXCHANGE), client());
    expect(derive).toHaveBeenCalledExactlyOnceWith(
      SAMPLE_WORKSPACE,
      expect.anything(),
      expect.anything(),
      null,
    );
    expect(count).toHaveBeenCalledExactlyOnceWith(ada, true);
    expect(record.mock.calls).toEqual([[USE], [USE]]);
    expect(audited).not.toHaveBeenCalled();
  });

  it('by another client names it, and is in the log before he gets the token', async () => {
    const { grants, derive, count, audited, claims } = start({ outcomes: { [`kr_bob ${SECRET}`]: bob } });
    await grants.grant(caller, spellForm(EXCHANGE), client({ clientId: 'kr_bob' }));
    expect(derive).toHaveBeenCalledExactlyOnceWith(
      SAMPLE_WORKSPACE,
      expect.anything(),
      expect.anything(),
      bob,
    );
    expect(count).toHaveBeenCalledTimes(2);
    const principal = { kind: 'key', account: bob.account, key: bob.key };
    expect(audited).toHaveBeenCalledExactlyOnceWith(
      TX,
      { ...caller, principal },
      {
        action: 'token.exchanged',
        target: { kind: 'token', id: 'jti-2' },
        accountId: 'acc_ada',
        keyId: 'kr_ada',
        detail: { subjectToken: claims.jti, resource: claims.aud },
      },
    );
  });

  it('is refused where its client is none, or the key of the token is over its limits', async () => {
    const { grants, derive } = start();
    expect((await refusalOf(() => grants.grant(caller, spellForm(EXCHANGE), client()))).code).toBe(
      'oauth.invalid_client',
    );
    const over = start({ held: OVER });
    expect((await refusalOf(() => over.grants.grant(caller, spellForm(EXCHANGE), null))).code).toBe(
      'limit.quota_exceeded',
    );
    expect(over.record).toHaveBeenCalledExactlyOnceWith({ ...USE, outcome: 'quota_exceeded' });
    expect([derive, over.derive].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('is refused where it means something else', async () => {
    const wrong = [
      { subject_token: '' },
      { subject_token_type: '' },
      { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      { requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      { actor_token: 'x' },
      { actor_token_type: TYPE },
    ];
    for (const parameters of wrong) {
      const { grants, inspect, derive, countRefusal } = start();
      const given = Object.entries({ ...EXCHANGE, ...parameters }).filter(([, value]) => value !== '');
      const refusal = await refusalOf(() => grants.grant(caller, new Map(given), null));
      expect(refusal.code).toBe('oauth.invalid_request');
      expect(refusal.detail).toContain(
        Object.keys(parameters)[0]?.replace('actor_token_type', 'actor_token'),
      );
      expect([inspect, derive, countRefusal].map(({ mock }) => mock.calls)).toEqual([[], [], []]);
    }
    const { grants, derive } = start();
    const wider = spellForm({ ...EXCHANGE, scope: 'iam:keys:verify' });
    expect((await refusalOf(() => grants.grant(caller, wider, null))).code).toBe('oauth.invalid_scope');
    expect(derive).not.toHaveBeenCalled();
  });

  it('is refused for a token that is no good, which the log learns, and faults stay faults', async () => {
    const reason = authErrors.invalid_credential();
    const { grants, countRefusal } = start({ fault: reason });
    expect(await refusalOf(() => grants.grant(caller, spellForm(EXCHANGE), null))).toMatchObject({
      code: 'oauth.invalid_request',
      cause: reason,
    });
    expect(countRefusal).toHaveBeenCalledExactlyOnceWith(caller, reason, '/oauth2/token');
    for (const fault of [new Error('The database is gone.'), authErrors.kind_not_accepted()]) {
      const broken = start({ fault });
      expect(await refusalOf(() => broken.grants.grant(caller, spellForm(EXCHANGE), null))).toBe(fault);
      expect(broken.countRefusal).not.toHaveBeenCalled();
    }
  });
});
