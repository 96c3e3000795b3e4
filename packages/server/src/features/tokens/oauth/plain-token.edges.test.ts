import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import type { PlainRequest } from '../../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from '../../../http/samples.ts';
import type { RecognizedKey } from '../../keys/index.ts';
import { withoutRights } from '../claims.ts';
import type { PreparedToken, TokenWish } from '../prepared-token.ts';
import { SAMPLE_CLAIMS } from '../samples.ts';
import { tokenErrors } from '../tokens.errors.ts';
import { createPlainToken, type PlainTokenDeps } from './plain-token.ts';

const GRANT = 'grant_type=client_credentials';
const ID = 'kr_0123456789ABCDEF';
const SECRET = 's'.repeat(49);
const HALVES = { apiKey: ID, secretKey: SECRET };
const IN_BODY = `client_id=${ID}&client_secret=${SECRET}`;
const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const READ = { actions: ['package:read'], resources: ['*'] };
const RESOURCE = 'https://orders.example/api';
/** Keys that are kept at the most, as the code has it. */
const KEPT_MAX = 2_000;
const WISH_CHARACTERS_MAX = 512;

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const BASIC = basic(`${ID}:${SECRET}`);

const recognized = (more: Partial<RecognizedKey['key']> = {}): RecognizedKey => ({
  account: { ...SAMPLE_ACCOUNT, grants: [PUSH, READ] },
  key: { ...SAMPLE_KEY, scopes: [PUSH, READ], expiresAt: 9, ...more },
  keyEpoch: 1,
});

const USE = {
  workspaceId: SAMPLE_WORKSPACE.id,
  keyId: ID,
  action: 'iam:tokens:issue',
  outcome: 'valid',
  ip: '192.0.2.1',
  userAgent: 'curl',
};

interface Wish {
  readonly isPlaceKnown?: boolean;
  readonly isKeyGood?: boolean;
  readonly isSignedNow?: boolean;
  readonly fault?: Error;
}

function start({ isPlaceKnown = true, isKeyGood = true, isSignedNow = true, fault }: Wish = {}) {
  const found = recognized();
  const place = {
    workspace: SAMPLE_WORKSPACE,
    workspaceId: SAMPLE_WORKSPACE.id,
    settings: { tokenLifetimeSeconds: 60 },
    ip: '192.0.2.1',
  };
  let tokens = 0;
  // Each token is another one, and lives a second less than the example from which the answer is made.
  const issueNow = vi.fn(() => {
    tokens += 1;
    return isSignedNow ? { token: `eyJ.b.${tokens}`, expiresInSeconds: 3_599 } : null;
  });
  const fakes = {
    find: vi.fn((_request: PlainRequest, _host: string) => (isPlaceKnown ? place : null)),
    headLines: vi.fn((_place: unknown, expiresAt: number | null) => `head: ${expiresAt}\r\n`),
    host: vi.fn((_request: PlainRequest) => 'proxied.test'),
    recognize: vi.fn((_place: unknown, _presented: object, _ip: string | null) => (isKeyGood ? found : null)),
    prepare: vi.fn(
      (
        _workspace: unknown,
        _settings: unknown,
        _holder: unknown,
        { permissions = [PUSH, READ] }: TokenWish,
      ): PreparedToken => {
        if (fault !== undefined) throw fault;
        const details = permissions.map(
          ({ actions, resources }) => ({ type: 'keyreeve', actions, identifiers: resources }) as const,
        );
        return { claims: { ...SAMPLE_CLAIMS, authorization_details: details }, issueNow };
      },
    ),
    record: vi.fn(),
  };
  const route = createPlainToken({
    keyAuthenticator: fakes,
    tokens: fakes,
    usage: fakes,
    places: fakes,
    facts: fakes,
  } as unknown as PlainTokenDeps);
  const requestWith = (headers: IncomingHttpHeaders) =>
    ({ method: 'POST', url: '/oauth2/token', headers: { 'user-agent': 'curl', ...headers } }) as PlainRequest;
  const ask = (body: string, headers: IncomingHttpHeaders = BASIC) =>
    route.answer(requestWith(headers), body);
  return { ...fakes, issueNow, found, place, route, requestWith, ask };
}

const callsOf = (...fakes: readonly { readonly mock: { readonly calls: readonly unknown[] } }[]) =>
  fakes.map(({ mock }) => mock.calls.length);

it('the token endpoint has a plain case, for forms', () => {
  const { method, path, bodyTypes } = start().route;
  expect([method, path, bodyTypes]).toEqual([
    'POST',
    '/oauth2/token',
    ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8'],
  ]);
});

describe('the plain answer with a token', () => {
  const bodyWith = (token: string, rights: string) =>
    `{"access_token":"${token}","token_type":"Bearer","expires_in":3599,${rights}}`;
  const PUSH_TEXT = '{"type":"keyreeve","actions":["package:push"],"identifiers":["Contoso.*"]}';
  const READ_TEXT = '{"type":"keyreeve","actions":["package:read"],"identifiers":["*"]}';
  const ALL = `"scope":"package:push package:read","authorization_details":[${PUSH_TEXT},${READ_TEXT}]`;

  it('is the one of the routes, and one counted use', () => {
    const at = start();
    expect(at.ask(GRANT)).toEqual({
      status: 200,
      headerLines: 'head: 9\r\ncontent-type: application/json; charset=utf-8\r\npragma: no-cache\r\n',
      body: bodyWith('eyJ.b.1', ALL),
      ip: '192.0.2.1',
      workspaceId: 'wsp_1',
      actorId: 'acc_ada',
    });
    const request = at.requestWith(BASIC);
    expect(at.host.mock.calls).toEqual([[request]]);
    expect(at.find.mock.calls).toEqual([[request, 'proxied.test']]);
    expect(at.recognize.mock.calls).toEqual([[at.place, expect.objectContaining(HALVES), '192.0.2.1']]);
    expect(at.prepare.mock.calls).toEqual([
      [SAMPLE_WORKSPACE, at.place.settings, at.found, { resource: undefined, permissions: undefined }],
    ]);
    expect(at.headLines.mock.calls).toEqual([[at.place, 9]]);
    expect(at.record.mock.calls).toEqual([[USE]]);
    expect(at.issueNow).toHaveBeenCalledTimes(1);
  });

  it('counts a client that does not say what it is', () => {
    const at = start();
    expect(at.ask(GRANT, { ...BASIC, 'user-agent': undefined })?.status).toBe(200);
    expect(at.record.mock.calls).toEqual([[{ ...USE, userAgent: null }]]);
  });

  it('is for the service and the rights that were asked for', () => {
    const at = start();
    const { body } = at.ask(`scope=package:push&resource=${RESOURCE}&${GRANT}`) ?? {};
    expect(body).toBe(bodyWith('eyJ.b.1', `"scope":"package:push","authorization_details":[${PUSH_TEXT}]`));
    expect(at.prepare.mock.calls[0]?.[3]).toEqual({ resource: RESOURCE, permissions: [PUSH] });
    at.ask(`${GRANT}&audience=${RESOURCE}`);
    expect(at.prepare.mock.calls[1]?.[3]).toEqual({ resource: RESOURCE, permissions: undefined });
  });

  it('reads each byte of the form as the routes do', () => {
    const at = start();
    // The lane hands the bytes on as Latin-1: this is one of them.
    expect(at.ask(`${GRANT}&resource=https://caf\u00e9.example`)?.status).toBe(200);
    expect(at.prepare.mock.calls[0]?.[3].resource).toBe('https://caf\u00e9.example');
  });

  it('tells of no rights where the token tells of none', () => {
    const at = start();
    at.prepare.mockReturnValueOnce({ claims: withoutRights(SAMPLE_CLAIMS), issueNow: at.issueNow });
    expect(at.ask(GRANT)?.body).toBe(bodyWith('eyJ.b.1', '"authorization_details":[]'));
  });

  it('is prepared once for a key and its wish, and has another token each time', () => {
    const at = start();
    const bodies = [at.ask(GRANT), at.ask(GRANT), at.ask(GRANT)].map((answer) => answer?.body);
    expect(bodies).toEqual(['eyJ.b.1', 'eyJ.b.2', 'eyJ.b.3'].map((token) => bodyWith(token, ALL)));
    expect(callsOf(at.prepare, at.issueNow, at.record)).toEqual([1, 3, 3]);
  });

  it('does not depend on which secret of the key was shown in the form', () => {
    const at = start();
    for (const secret of [SECRET, 'o'.repeat(49)])
      expect(at.ask(`client_id=${ID}&client_secret=${secret}&${GRANT}`, {})?.status).toBe(200);
    expect(callsOf(at.recognize, at.prepare)).toEqual([2, 1]);
  });

  it('is prepared anew for another wish, another key, and a key in another state', () => {
    const at = start();
    at.ask(GRANT);
    expect(at.ask(`${GRANT}&scope=package:read`)?.body).toBe(
      bodyWith('eyJ.b.2', `"scope":"package:read","authorization_details":[${READ_TEXT}]`),
    );
    expect(at.ask(GRANT)?.body).toBe(bodyWith('eyJ.b.3', ALL));
    expect(at.prepare).toHaveBeenCalledTimes(3);
    for (const other of [recognized({ id: 'kr_other', expiresAt: null }), recognized()]) {
      at.recognize.mockReturnValueOnce(other);
      const { headerLines } = at.ask(GRANT) ?? {};
      expect(headerLines).toContain(`head: ${other.key.expiresAt}\r\n`);
      expect(at.prepare.mock.lastCall?.[2]).toBe(other);
      expect(at.record).toHaveBeenLastCalledWith({ ...USE, keyId: other.key.id });
    }
    expect(at.ask(GRANT)?.status).toBe(200);
    expect(at.prepare).toHaveBeenCalledTimes(5);
  });

  it('stays prepared when the key asks for what it does not get', () => {
    const at = start();
    at.ask(GRANT);
    expect(at.ask('grant_type=password')).toBeNull();
    expect(at.ask(`${GRANT}&scope=package:unlist`)).toBeNull();
    expect(at.ask(GRANT)?.status).toBe(200);
    expect(at.prepare).toHaveBeenCalledTimes(1);
  });

  it('is kept for so many keys, and all are forgotten when there is one more', () => {
    const at = start();
    let current: RecognizedKey | null = null;
    at.recognize.mockImplementation(() => current);
    const askAs = (key: RecognizedKey | undefined) => {
      current = key ?? null;
      at.ask(GRANT);
      return at.prepare.mock.calls.length;
    };
    const all = Array.from({ length: KEPT_MAX + 1 }, () => recognized({ scopes: [] }));
    for (const key of all.slice(0, KEPT_MAX)) askAs(key);
    expect([askAs(all[0]), askAs(all[KEPT_MAX - 1])]).toEqual([KEPT_MAX, KEPT_MAX]);
    expect(askAs(all[KEPT_MAX])).toBe(KEPT_MAX + 1);
    expect(askAs(all[0])).toBe(KEPT_MAX + 2);
    expect([askAs(all[KEPT_MAX]), askAs(all[0])]).toEqual([KEPT_MAX + 2, KEPT_MAX + 2]);
    expect(at.record).toHaveBeenCalledTimes(KEPT_MAX + 6);
  });
});

describe('a plain client', () => {
  it.each([
    ['Basic', GRANT, BASIC],
    ['Basic in another case', GRANT, { authorization: BASIC.authorization.replace('Basic', 'bAsIc') }],
    ['the form', `${GRANT}&${IN_BODY}`, {}],
    ['the form, at its beginning', `${IN_BODY}&${GRANT}`, {}],
    ['the form, the secret first', `client_secret=${SECRET}&${GRANT}&client_id=${ID}`, {}],
    ['Basic, with empty parameters, which count as absent', `${GRANT}&client_id=&client_assertion=`, BASIC],
  ])('is known by %s', (_, body, headers) => {
    const at = start();
    expect(at.ask(body, headers)?.status).toBe(200);
    expect(at.recognize.mock.calls).toEqual([[at.place, expect.objectContaining(HALVES), '192.0.2.1']]);
    expect(at.prepare.mock.calls[0]?.[3]).toEqual({ resource: undefined, permissions: undefined });
  });

  const OTHERS: readonly (readonly [string, string, IncomingHttpHeaders])[] = [
    ['nothing', GRANT, {}],
    ['nothing at all', '', {}],
    ['an id alone', `${GRANT}&client_id=${ID}`, {}],
    ['a secret alone', `${GRANT}&client_secret=${SECRET}`, {}],
    ['a secret and an empty id', `${GRANT}&client_id=&client_secret=${SECRET}`, {}],
    ['an id and an empty secret', `${GRANT}&client_id=${ID}&client_secret=`, {}],
    ['parameters that end like these', `${GRANT}&xclient_id=${ID}&xclient_secret=${SECRET}`, {}],
    ['an id that begins oddly', `${GRANT}&client_id=-${ID}&client_secret=${SECRET}`, {}],
    ['an id that ends oddly', `${GRANT}&client_id=${ID}-&client_secret=${SECRET}`, {}],
    ['an id that is encoded', `${GRANT}&client_id=kr%5F0123&client_secret=${SECRET}`, {}],
    ['a secret that begins oddly', `${GRANT}&client_id=${ID}&client_secret=-${SECRET}`, {}],
    ['a secret that ends oddly', `${GRANT}&client_id=${ID}&client_secret=${SECRET}-`, {}],
    ['a secret that is too short', `${GRANT}&client_id=${ID}&client_secret=${SECRET.slice(1)}`, {}],
    ['a secret that is too long', `${GRANT}&client_id=${ID}&client_secret=${SECRET}s`, {}],
    ['a secret of other characters', `${GRANT}&client_id=${ID}&client_secret=${'-'.repeat(49)}`, {}],
    ['an empty header', `${GRANT}&${IN_BODY}`, { authorization: '' }],
    ['a bearer', GRANT, { authorization: `Bearer ${ID}_${SECRET}` }],
    ['Basic that cannot be read', GRANT, { authorization: 'Basic !' }],
    ['Basic without a colon', GRANT, basic(ID)],
    ['Basic with a full key', GRANT, basic(`:${ID}_${SECRET}`)],
    ['Basic without an id', GRANT, basic(`:${SECRET}`)],
    ['Basic with another secret', GRANT, basic(`${ID}:${SECRET}-`)],
    ['Basic with an id that begins oddly', GRANT, basic(`-${ID}:${SECRET}`)],
    ['Basic with an id that ends oddly', GRANT, basic(`${ID}-:${SECRET}`)],
  ];

  it.each(OTHERS)('is not known by %s: the routes answer, and nothing is looked up', (_, body, headers) => {
    const at = start();
    expect(at.ask(body, headers)).toBeNull();
    expect(callsOf(at.host, at.find, at.recognize, at.prepare, at.record)).toEqual([0, 0, 0, 0, 0]);
  });

  it('sends a form of few characters', () => {
    for (const [form, headers] of [
      [`${GRANT}&more=`, BASIC],
      [`${GRANT}&${IN_BODY}&more=`, {}],
    ] as const) {
      const at = start();
      const longest = form.padEnd(WISH_CHARACTERS_MAX, 'x');
      expect(at.ask(`${longest}x`, headers)).toBeNull();
      expect(at.find).not.toHaveBeenCalled();
      expect(at.ask(longest, headers)?.status).toBe(200);
    }
  });
});

describe('what is left to the routes', () => {
  it('is a place that is not known here, whose keys are not looked for', () => {
    const at = start({ isPlaceKnown: false });
    expect(at.ask(GRANT)).toBeNull();
    expect(callsOf(at.find, at.recognize, at.prepare, at.record)).toEqual([1, 0, 0, 0]);
  });

  it('is a key that is not good, for which nothing is prepared', () => {
    const at = start({ isKeyGood: false });
    expect(at.ask(GRANT)).toBeNull();
    expect(callsOf(at.recognize, at.prepare, at.record)).toEqual([1, 0, 0]);
  });

  const WISHES: readonly (readonly [string, IncomingHttpHeaders])[] = [
    ['', BASIC],
    [IN_BODY, {}],
    ['grant_type=password', BASIC],
    ['grant_type=', BASIC],
    [`x${GRANT}`, BASIC],
    [`${GRANT}x`, BASIC],
    ['=client_credentials', BASIC],
    [`${GRANT}&${GRANT}`, BASIC],
    [`${GRANT}&client_id=${ID}`, BASIC],
    [`${GRANT}&client%5Fid=x`, BASIC],
    [`${GRANT}&client_secret=${SECRET}`, BASIC],
    [`${GRANT}&client%5Fsecret=x`, BASIC],
    [`${GRANT}&client_assertion=x`, BASIC],
    [`${GRANT}&client_assertion=x&${IN_BODY}`, {}],
    [`${GRANT}&client_assertion_type=x`, BASIC],
    [`${GRANT}&client_assertion_type=x&${IN_BODY}`, {}],
    // A second one of a name, of which another reader might take the first.
    [`${GRANT}&client_id=x&${IN_BODY}`, {}],
    [`${GRANT}&client_secret=x&${IN_BODY}`, {}],
    [`${GRANT}&${IN_BODY}&client%5Fid=x`, {}],
    [`${GRANT}&${IN_BODY}&client%5Fsecret=`, {}],
    [`${GRANT}&scope=package:unlist`, BASIC],
    [`${GRANT}&scope=package:push++package:read`, BASIC],
    [`${GRANT}&authorization_details=%5B%5D`, BASIC],
    [`${GRANT}&resource=${RESOURCE}&audience=https://keys.test`, BASIC],
    [`${GRANT}&scope=package:%ff`, BASIC],
  ];

  it.each(WISHES)('is a form like %s, and nothing is prepared nor counted', (body, headers) => {
    const at = start();
    expect(at.ask(body, headers)).toBeNull();
    expect(callsOf(at.recognize, at.prepare, at.issueNow, at.record)).toEqual([1, 0, 0, 0]);
  });

  it('is a token that is refused, each time, and no use is counted', () => {
    const at = start({ fault: tokenErrors.resource_not_allowed() });
    for (let times = 0; times < 2; times += 1)
      expect(at.ask(`${GRANT}&resource=https://other.example`)).toBeNull();
    expect(callsOf(at.prepare, at.issueNow, at.record, at.headLines)).toEqual([2, 0, 0, 0]);
  });

  it('is a token that cannot be signed at once, and no use is counted', () => {
    const at = start({ isSignedNow: false });
    for (let times = 0; times < 2; times += 1) expect(at.ask(GRANT)).toBeNull();
    expect(callsOf(at.prepare, at.issueNow, at.record, at.headLines)).toEqual([1, 2, 0, 0]);
  });

  it('is no fault of ours, which stays one', () => {
    const fault = new Error('The random source is gone.');
    const at = start({ fault });
    expect(() => at.ask(GRANT)).toThrow(fault);
    expect(at.record).not.toHaveBeenCalled();
  });
});
