import { describe, expect, it, vi } from 'vitest';
import type { AccountIdentity, KeyIdentity, PlainRequest } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from '../../http/samples.ts';
import type { RecognizedKey } from '../keys/index.ts';
import type { LimitAnswer } from '../limits/index.ts';
import { createPlainVerification, type PlainVerificationDeps } from './plain-routes.ts';
import { AnswerTexts } from './ready-texts.ts';
import { presentVerifyAnswer } from './verification.present.ts';

const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const VERIFY = { actions: ['iam:keys:verify'], resources: ['acc_ada'] };
const account: AccountIdentity = {
  ...SAMPLE_ACCOUNT,
  grants: [PUSH],
};
const key: KeyIdentity = {
  ...SAMPLE_KEY,
  scopes: [PUSH],
  expiresAt: 0,
};
const limits = { rate: { requests: 5, windowSeconds: 60 }, quota: null };
const asked: RecognizedKey = { account, key, keyEpoch: 1 };
const verifier: RecognizedKey = {
  account: { ...account, id: 'acc_robot', grants: [VERIFY] },
  key: { ...key, id: 'kr_robot00000000000', scopes: [VERIFY], expiresAt: 9 },
  keyEpoch: 1,
};

const STATE = { name: 'key-rate', limit: 5, windowSeconds: 60, remaining: 4, resetSeconds: 9 } as const;
const WITHIN: LimitAnswer = { code: 'within', states: [STATE], spent: null, retryAfterSeconds: null };
const OVER: LimitAnswer = { code: 'rate_limited', states: [STATE], spent: STATE, retryAfterSeconds: 9 };
const DATABASE = { source: 'database', ageMs: 0 } as const;
const LEASE = { source: 'lease', ageMs: 7 } as const;

const SECRET = 's'.repeat(49);
const HALVES = { apiKey: 'kr_0123456789ABCDEF', secretKey: SECRET };
const CALLER_HALVES = { apiKey: 'kr_0123456789abcdef', secretKey: SECRET };
const FULL_KEY = `${HALVES.apiKey}_${SECRET}`;
const SUBJECT_LINES = [
  'x-keyreeve-account: acc_ada\r\n',
  'x-keyreeve-account-kind: user\r\n',
  'x-keyreeve-account-login: ada@example.com\r\n',
  'x-keyreeve-key-id: kr_0123456789ABCDEF\r\n',
  'x-keyreeve-workspace: wsp_1\r\n',
].join('');

interface Wish {
  readonly found?: RecognizedKey | 'malformed' | 'not_found' | null;
  readonly caller?: RecognizedKey | null;
  readonly held?: LimitAnswer | null;
  readonly freshness?: typeof DATABASE | typeof LEASE;
  readonly requireAction?: boolean;
  readonly isPlaceKnown?: boolean;
}

function start(wish: Wish = {}) {
  const { found = asked, caller = verifier, held = WITHIN, freshness = DATABASE } = wish;
  const place = {
    workspace: SAMPLE_WORKSPACE,
    workspaceId: 'wsp_1',
    epoch: 3,
    settings: { requireAction: wish.requireAction ?? false },
    ip: '192.0.2.1',
  };
  const fakes = {
    recognize: vi.fn(() => caller),
    recognizeOrMiss: vi.fn(() => found),
    countNow: vi.fn(() => held),
    record: vi.fn(),
    recordUnknown: vi.fn(),
    find: vi.fn(() => (wish.isPlaceKnown === false ? null : place)),
    headLines: vi.fn((_place: unknown, expiresAt: number | null) => `head: ${expiresAt}\r\n`),
    freshness: vi.fn(() => freshness),
    host: vi.fn(() => 'proxied.test'),
  };
  const routes = createPlainVerification({
    keyAuthenticator: fakes,
    usage: fakes,
    keyLimiter: fakes,
    epochGuard: fakes,
    places: fakes,
    facts: fakes,
  } as unknown as PlainVerificationDeps);
  const [authorizeRoute, verifyRoute] = routes;
  const request = (url: string, headers: Record<string, string>) =>
    ({
      method: 'GET',
      url,
      headers: { host: 'keys.test', 'user-agent': 'nginx', ...headers },
    }) as PlainRequest;
  const authorize = (query = '?action=package:push&resource=Contoso.A', credential = FULL_KEY) =>
    authorizeRoute?.answer(request(`/v1/authorize${query}`, { 'x-api-key': credential }), '') ?? null;
  const verify = (
    body = `{"key":"${FULL_KEY}","action":"package:push","resource":"Contoso.A","ip":"198.51.100.7"}`,
    credential = `${CALLER_HALVES.apiKey}_${SECRET}`,
  ) => verifyRoute?.answer(request('/v1/keys/verify', { 'x-api-key': credential }), body) ?? null;
  return { routes, place, authorize, verify, ...fakes };
}

const USE = {
  workspaceId: 'wsp_1',
  keyId: 'kr_0123456789ABCDEF',
  action: 'package:push',
  outcome: 'valid',
  ip: '192.0.2.1',
  userAgent: 'nginx',
};

it('two questions have a plain case', () => {
  expect(start().routes.map(({ method, path, bodyTypes }) => [method, path, bodyTypes])).toEqual([
    ['GET', '/v1/authorize', []],
    ['POST', '/v1/keys/verify', ['application/json', 'application/json; charset=utf-8']],
  ]);
});

describe('the plain answer to a gateway', () => {
  it('lets a key in that may, and counts its use', () => {
    const { authorize, find, recognizeOrMiss, record, countNow, place } = start();
    expect(authorize()).toEqual({
      status: 204,
      headerLines: `head: 0\r\n${SUBJECT_LINES}`,
      body: null,
      ip: '192.0.2.1',
      workspaceId: 'wsp_1',
      actorId: 'acc_ada',
    });
    expect(find).toHaveBeenCalledExactlyOnceWith(expect.anything(), 'keys.test');
    expect(recognizeOrMiss).toHaveBeenCalledExactlyOnceWith(place, HALVES, '192.0.2.1');
    expect(record).toHaveBeenCalledExactlyOnceWith(USE);
    expect(countNow).not.toHaveBeenCalled();
    expect(start().authorize('')?.status).toBe(204);
  });

  it('refuses what the key may not do, and tells why', () => {
    const { authorize, record } = start();
    const headerLines = `head: 0\r\n${SUBJECT_LINES}x-keyreeve-reason: insufficient_scope\r\n`;
    expect(authorize('?action=package:push')).toMatchObject({ status: 403, headerLines });
    expect(record).toHaveBeenCalledExactlyOnceWith({ ...USE, outcome: 'insufficient_scope' });
  });

  it('tells how old what it knows is, and what is left of the limits', () => {
    const limited = { ...asked, key: { ...key, limits } };
    const within = start({ found: limited, freshness: LEASE });
    const left = [
      'x-keyreeve-freshness: lease;age-ms=7\r\n',
      'ratelimit-policy: "key-rate";q=5;w=60\r\n',
      'ratelimit: "key-rate";r=4;t=9\r\n',
    ].join('');
    const kept = 'keyreeve-cache: none\r\n';
    expect(within.authorize()).toMatchObject({
      status: 204,
      headerLines: `head: 0\r\n${SUBJECT_LINES}${left}${kept}`,
    });
    expect(within.countNow).toHaveBeenCalledExactlyOnceWith(limited);
    expect(within.freshness).toHaveBeenCalledExactlyOnceWith('wsp_1');
    const over = start({ found: limited, held: OVER, freshness: LEASE });
    expect(over.authorize()).toMatchObject({
      status: 403,
      headerLines: `head: 0\r\n${SUBJECT_LINES}${left}retry-after: 9\r\n${kept}x-keyreeve-reason: rate_limited\r\n`,
    });
    expect(over.record).toHaveBeenCalledExactlyOnceWith({ ...USE, outcome: 'rate_limited' });
  });

  it('is left to the routes where anything is not plain, and nothing is counted', () => {
    const limited = { ...asked, key: { ...key, limits } };
    const cases = [
      [start(), '?action=push', FULL_KEY],
      [start(), '', 'no key'],
      [start({ isPlaceKnown: false }), '', FULL_KEY],
      [start({ requireAction: true }), '', FULL_KEY],
      [start({ found: null }), '', FULL_KEY],
      [start({ found: 'malformed' }), '', FULL_KEY],
      [start({ found: 'not_found' }), '', FULL_KEY],
      [start({ found: limited, held: null }), '', FULL_KEY],
    ] as const;
    for (const [{ authorize, record }, query, credential] of cases) {
      expect(authorize(query, credential)).toBeNull();
      expect(record).not.toHaveBeenCalled();
    }
    expect(start({ requireAction: true }).authorize()?.status).toBe(204);
  });
});

describe('the plain answer about a key', () => {
  const answerOf = (code: 'valid' | 'insufficient_scope' | 'rate_limited', held: LimitAnswer | null) =>
    presentVerifyAnswer(
      { code, subject: asked, matched: code === 'valid' ? PUSH : null, limits: held },
      DATABASE,
    );

  it('is the one of the route, and counts two uses', () => {
    const { verify, find, recognize, recognizeOrMiss, record, countNow, place } = start();
    const answer = verify();
    expect(answer).toEqual({
      status: 200,
      headerLines: 'head: 9\r\ncontent-type: application/json; charset=utf-8\r\n',
      body: expect.any(String),
      ip: '192.0.2.1',
      workspaceId: 'wsp_1',
      actorId: 'acc_robot',
    });
    expect(JSON.parse(answer?.body ?? '')).toEqual(answerOf('valid', null));
    expect(find).toHaveBeenCalledExactlyOnceWith(expect.anything(), 'proxied.test');
    expect(recognize).toHaveBeenCalledExactlyOnceWith(place, CALLER_HALVES, '192.0.2.1');
    expect(recognizeOrMiss).toHaveBeenCalledExactlyOnceWith(place, HALVES, '198.51.100.7');
    expect(countNow).not.toHaveBeenCalled();
    expect(record.mock.calls).toEqual([
      [{ ...USE, keyId: 'kr_robot00000000000', action: 'iam:keys:verify' }],
      [{ ...USE, ip: '198.51.100.7', userAgent: null }],
    ]);
  });

  it('tells what the key may not do, and that it is over its limits', () => {
    const { verify } = start();
    const fabrikam = `{"key":"${FULL_KEY}","action":"package:push","resource":"Fabrikam"}`;
    expect(JSON.parse(verify(fabrikam)?.body ?? '')).toEqual(answerOf('insufficient_scope', null));
    const limited = { ...asked, key: { ...key, limits } };
    const within = start({ found: limited });
    const answer = within.verify();
    expect(JSON.parse(answer?.body ?? '')).toEqual(answerOf('valid', WITHIN));
    expect(answer?.headerLines).toBe(
      'head: 9\r\ncontent-type: application/json; charset=utf-8\r\nkeyreeve-cache: none\r\n',
    );
    expect(within.countNow).toHaveBeenCalledExactlyOnceWith(limited);
    const over = start({ found: limited, held: OVER });
    expect(JSON.parse(over.verify()?.body ?? '')).toEqual(answerOf('rate_limited', OVER));
    expect(over.record.mock.calls[1]).toMatchObject([{ outcome: 'rate_limited' }]);
  });

  it('tells which kind of none a key is that is none', () => {
    for (const code of ['malformed', 'not_found'] as const) {
      const { verify, record, recordUnknown, countNow } = start({ found: code, freshness: LEASE });
      const nobody = presentVerifyAnswer({ code, subject: null, matched: null, limits: null }, LEASE);
      expect(JSON.parse(verify()?.body ?? '')).toEqual(nobody);
      expect(recordUnknown).toHaveBeenCalledExactlyOnceWith('wsp_1', code);
      expect(record).toHaveBeenCalledTimes(1);
      expect(countNow).not.toHaveBeenCalled();
    }
  });

  it('is left to the routes where anything is not plain, and nothing is counted', () => {
    const noVerifier = { ...verifier, key: { ...verifier.key, scopes: [PUSH] } };
    const others = { ...asked, account: { ...account, id: 'acc_bob' } };
    const limited = { ...asked, key: { ...key, limits } };
    const body = `{"key":"${FULL_KEY}"}`;
    const cases = [
      [start(), '{}', FULL_KEY],
      [start(), body, 'no key'],
      [start({ isPlaceKnown: false }), body, FULL_KEY],
      [start({ caller: null }), body, FULL_KEY],
      [start({ caller: noVerifier }), body, FULL_KEY],
      [start({ caller: noVerifier, found: 'not_found' }), body, FULL_KEY],
      [start({ found: null }), body, FULL_KEY],
      [start({ found: others }), body, FULL_KEY],
      [start({ found: limited, held: null }), body, FULL_KEY],
    ] as const;
    for (const [{ verify, record, recordUnknown }, text, credential] of cases) {
      expect(verify(text, credential)).toBeNull();
      expect(record).not.toHaveBeenCalled();
      expect(recordUnknown).not.toHaveBeenCalled();
    }
  });
});

describe('texts that are made once', () => {
  it('are those of the key that is asked about, and of nothing else', () => {
    const texts = new AnswerTexts();
    const other = { ...asked, key: { ...key, id: 'kr_other' } };
    const none = { ...WITHIN, states: [] };
    for (let round = 0; round < 2; round += 1) {
      expect(texts.subjectLines(SAMPLE_WORKSPACE, asked)).toBe(SUBJECT_LINES);
      expect(texts.subjectLines(SAMPLE_WORKSPACE, other)).toContain('kr_other');
      for (const matched of [PUSH, { ...PUSH, resources: ['*'] }, null])
        for (const found of [asked, other])
          for (const code of ['valid', 'rate_limited'] as const)
            expect(JSON.parse(texts.verifyAnswer(found, { code, matched }, none, LEASE))).toEqual(
              presentVerifyAnswer(
                { code, subject: found, matched: code === 'valid' ? matched : null, limits: none },
                LEASE,
              ),
            );
    }
  });
});
