import { KeyObject, sign } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../errors/index.ts';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import {
  type ActorState,
  buildClaims,
  type ClaimsInput,
  findLife,
  isWithinLife,
  lineOf,
  listActors,
  readClaims,
  type TokenActor,
  type TokenClaims,
  toScope,
  withSignersOfLine,
} from './claims.ts';
import { toRefusal } from './key-refusal.ts';
import { parseLoginBody } from './login-body.ts';
import { decodeFormText, parseForm, refuseCredentialsInQuery, requireParameter } from './oauth/form.ts';
import { SAMPLE_CLAIMS, SAMPLE_ISSUER, SAMPLE_SECONDS } from './samples.ts';
import {
  createSigningKey,
  hasTokenShape,
  readKeyId,
  readToken,
  type SigningKey,
  signToken,
  type TokenExpectations,
  type VerificationKey,
} from './token-text.ts';

const NOW = SAMPLE_SECONDS * 1000;

const good: TokenClaims = {
  ...SAMPLE_CLAIMS,
  authorization_details: [{ type: 'keyreeve', actions: ['stock:read'], identifiers: ['*'] }],
};
const { authorization_details: _rights, ...withoutRights } = good;
const actor = (name: string, act?: TokenActor): TokenActor => ({
  sub: `acc_${name}`,
  client_id: `kr_${name}`,
  ...(act === undefined ? {} : { act }),
});
const STATE: ActorState = [1, 0, 2];
/** As many actors as there may be, or more. */
function actorsInARow(count: number): { act: TokenActor; actst: readonly ActorState[] } {
  let act = actor('first');
  for (let made = 1; made < count; made += 1) act = actor(`next${made}`, act);
  return { act, actst: Array.from({ length: count }, () => STATE) };
}
const names = (count: number) => Array.from({ length: count }, (_, index) => `jti-${index}`);

describe('claims', () => {
  const isTaken = (changes: object, base: object = good) => readClaims({ ...base, ...changes }, NOW) !== null;

  it.each<[string, object]>([
    ['narrowed rights', { narrowed: true }],
    ['eight ancestors', { anc: names(8), anckid: names(8) }],
    ['one ancestor', { anc: names(1), anckid: names(1) }],
    ['an actor', actorsInARow(1)],
    ['eight actors in a row', actorsInARow(8)],
    ['epochs and generations from zero on', { kgen: 0, kepo: 0, aepo: 0 }],
    ['no right at all', { authorization_details: [] }],
    ['a day of life', { exp: SAMPLE_SECONDS + 86_400 }],
    ['a clock that is a minute ahead', { iat: SAMPLE_SECONDS + 60 }],
  ])('are taken with %s', (_name, changes) => expect(isTaken(changes)).toBe(true));

  it.each<[string, object]>([
    ['a right that is none', { authorization_details: ['stock:read'] }],
    ['null for a right', { authorization_details: [null] }],
    ['a list for a right', { authorization_details: [['keyreeve']] }],
    ['a right of another kind', { authorization_details: [{ type: 'x', actions: [], identifiers: [] }] }],
    ['a right without actions', { authorization_details: [{ type: 'keyreeve', identifiers: ['*'] }] }],
    ['a right without resources', { authorization_details: [{ type: 'keyreeve', actions: ['a:b'] }] }],
    [
      'an action that is no text',
      { authorization_details: [{ type: 'keyreeve', actions: ['a:b', 1], identifiers: ['*'] }] },
    ],
    [
      'a text for the list of actions',
      { authorization_details: [{ type: 'keyreeve', actions: 'a:b', identifiers: ['*'] }] },
    ],
    [
      'one good right and a bad one',
      { authorization_details: [...(good.authorization_details ?? []), { type: 'keyreeve' }] },
    ],
    ['rights told and denied', { introspect: false }],
    ['rights narrowed to no', { narrowed: false }],
    ['no ancestors in the list', { anc: [] }],
    ['nine ancestors', { anc: names(9) }],
    ['an ancestor that is no text', { anc: ['jti', 1] }],
    ['a text for the ancestors', { anc: 'jti' }],
    ['no signers in the list', { anckid: [] }],
    ['nine signers', { anckid: names(9) }],
    ['nine actors in a row', actorsInARow(9)],
    ['an actor without a state', { act: actor('bob') }],
    ['a state without an actor', { actst: [STATE] }],
    ['no states in the place of them', { act: actor('bob'), actst: 'x' }],
    ['fewer states than actors', { ...actorsInARow(2), actst: [STATE] }],
    ['more states than actors', { ...actorsInARow(1), actst: [STATE, STATE] }],
    ['one state that is none', { ...actorsInARow(2), actst: [STATE, [1, 2]] }],
    ['a state of four numbers', { ...actorsInARow(1), actst: [[1, 2, 3, 4]] }],
    ['a state with a text', { ...actorsInARow(1), actst: [[1, 2, '3']] }],
    ['a state that is a text', { ...actorsInARow(1), actst: ['123'] }],
    ['an actor without an account', { ...actorsInARow(1), act: { client_id: 'kr_bob' } }],
    ['an actor without a key', { ...actorsInARow(1), act: { sub: 'acc_bob' } }],
    ['null for an actor', { ...actorsInARow(1), act: null }],
    ['a text for the actor before', { ...actorsInARow(2), act: { ...actor('bob'), act: 'x' } }],
    ['a text for the actor', { ...actorsInARow(1), act: 'bob' }],
    ['an end at its beginning, in the near future', { iat: SAMPLE_SECONDS + 30, exp: SAMPLE_SECONDS + 30 }],
    [
      'an end before its beginning, in the near future',
      { iat: SAMPLE_SECONDS + 30, exp: SAMPLE_SECONDS + 10 },
    ],
    ['more than a day of life', { exp: SAMPLE_SECONDS + 86_401 }],
    ['a clock that is more than a minute ahead', { iat: SAMPLE_SECONDS + 61 }],
    ['an end that is now', { iat: SAMPLE_SECONDS - 60, exp: SAMPLE_SECONDS }],
  ])('are refused with %s', (_name, changes) => expect(isTaken(changes)).toBe(false));

  it('without rights say that one has to ask, and nothing beside', () => {
    expect(isTaken({ introspect: true }, withoutRights)).toBe(true);
    expect(isTaken({}, withoutRights)).toBe(false);
    expect(isTaken({ introspect: 'yes' }, withoutRights)).toBe(false);
    expect(isTaken({ introspect: true, authorization_details: 'x' }, withoutRights)).toBe(false);
    expect(isTaken({ introspect: true, narrowed: true }, withoutRights)).toBe(false);
  });

  it('are alive to the second before they end', () => {
    const life = { iat: SAMPLE_SECONDS, exp: SAMPLE_SECONDS + 10 };
    expect(isWithinLife(life, NOW + 9_999)).toBe(true);
    expect(isWithinLife(life, NOW + 10_000)).toBe(false);
    expect(isWithinLife(life, NOW - 60_000)).toBe(true);
    expect(isWithinLife(life, NOW - 60_001)).toBe(false);
  });
});

describe('a new token', () => {
  const account = { id: 'acc_ada', epoch: 7 } as AccountIdentity;
  const key = { id: 'kr_1', generation: 3, expiresAt: null } as KeyIdentity;
  const input: ClaimsInput = {
    issuer: SAMPLE_ISSUER,
    audience: SAMPLE_ISSUER,
    workspaceId: 'wsp_1',
    account,
    key,
    keyEpoch: 5,
    permissions: [],
    isNarrowed: false,
    parent: null,
    delegation: null,
    actorEndsAt: null,
    jti: 'jti-2',
    now: NOW,
    lifetimeSeconds: 3_600,
  };
  const endOf = (changes: Partial<ClaimsInput>) => findLife({ ...input, ...changes })?.exp;

  it('ends at the earliest of its life, its key, the key of its actor and its parent', () => {
    expect(endOf({})).toBe(SAMPLE_SECONDS + 3_600);
    expect(endOf({ key: { ...key, expiresAt: NOW + 9_999 } })).toBe(SAMPLE_SECONDS + 9);
    expect(endOf({ actorEndsAt: NOW + 8_999 })).toBe(SAMPLE_SECONDS + 8);
    expect(endOf({ parent: { ...good, exp: SAMPLE_SECONDS + 7 } })).toBe(SAMPLE_SECONDS + 7);
    expect(endOf({ key: { ...key, expiresAt: NOW + 999 } })).toBeUndefined();
  });

  it('tells that it is narrowed, where it comes from and who got it, and nothing of the kind otherwise', () => {
    const plain = buildClaims(input);
    for (const name of ['narrowed', 'anc', 'act', 'actst', 'anckid', 'scope'])
      expect(plain).not.toHaveProperty(name);
    const delegation = { act: actor('bob'), states: [STATE] };
    expect(buildClaims({ ...input, isNarrowed: true, parent: good, delegation })).toMatchObject({
      narrowed: true,
      anc: ['jti-1'],
      act: delegation.act,
      actst: delegation.states,
    });
  });

  it('ends with each token of its line', () => {
    expect(lineOf(good)).toEqual(['jti-1']);
    expect(lineOf({ ...good, anc: ['a', 'b'] })).toEqual(['a', 'b', 'jti-1']);
  });

  it('names the signers of its line, each once, but for its own', () => {
    expect(withSignersOfLine(good, [], 'own')).toEqual(good);
    expect(withSignersOfLine(good, ['own', 'own'], 'own')).toEqual(good);
    expect(withSignersOfLine(good, ['a', 'own', 'b', 'a'], 'own').anckid).toEqual(['a', 'b']);
  });

  it('lists its actors from the last one on', () => {
    expect(listActors(undefined)).toEqual([]);
    const acts = listActors(actor('last', actor('first')));
    expect(acts.map(({ sub }) => sub)).toEqual(['acc_last', 'acc_first']);
  });

  it('names in its scope each action that is held on everything, once', () => {
    const everywhere = { actions: ['a:b', 'c:d'], resources: ['x', '*'] };
    expect(toScope([everywhere, { actions: ['e:f'], resources: ['x'] }, everywhere])).toBe('a:b c:d');
  });
});

describe('the text of a token', () => {
  let key: SigningKey & VerificationKey;
  const kid = 'k'.repeat(43);
  let lookedFor: string[];

  beforeAll(async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const privateKey = KeyObject.from(pair.privateKey);
    key = { ...createSigningKey(kid, 'ES256', privateKey), publicKey: pair.publicKey };
  });

  async function read(text: string, more: Partial<TokenExpectations> = {}) {
    lookedFor = [];
    return await readToken(text, {
      issuer: SAMPLE_ISSUER,
      audiences: [SAMPLE_ISSUER],
      workspaceId: 'wsp_1',
      now: NOW,
      findKey: (wanted) => {
        lookedFor.push(wanted);
        return Promise.resolve(wanted === kid ? key : null);
      },
      ...more,
    });
  }

  const segment = (json: string) => Buffer.from(json).toString('base64url');
  /** Rightly signed, whatever the header says. */
  function forge(header: string, claims: object = good): string {
    const input = `${segment(header)}.${segment(JSON.stringify(claims))}`;
    const signature = sign('sha256', Buffer.from(input), {
      key: key.privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${input}.${signature.toString('base64url')}`;
  }

  it.each(['eyJ.e30.', 'eyJ..', 'eyJhbGci.eyJ-_.a-_0', 'eyJab.cd.ef'])('has the shape of %j', (text) =>
    expect(hasTokenShape(text)).toBe(true),
  );

  it.each([
    'xeyJab.cd.ef',
    'eyJab.cd.ef ',
    'eyJab.cd',
    'eyJab.cd.ef.gh',
    'eyJa+.cd.ef',
    'eyJab.c=.ef',
    'eyJab.cd.e/',
    'eyKab.cd.ef',
    '',
  ])('has not the shape of %j', (text) => expect(hasTokenShape(text)).toBe(false));

  it.each(['null', '5', '"x"', '[]', '{}', 'x'])('is refused for the header %j', async (header) => {
    expect(await read(forge(header))).toBeNull();
    expect(lookedFor).toEqual([]);
  });

  it('is refused for a key id in a list, and nobody looks for it', async () => {
    expect(await read(forge(JSON.stringify({ alg: 'ES256', kid: [kid], typ: 'at+jwt' })))).toBeNull();
    expect(lookedFor).toEqual([]);
  });

  it('is refused when its key is unknown', async () => {
    expect(await read(await signToken(good, key), { findKey: () => Promise.resolve(null) })).toBeNull();
  });

  it('is for whom it is asked for, or for anybody', async () => {
    const other = { ...good, aud: 'https://api.test' };
    expect(await read(await signToken(other, key))).toBeNull();
    expect(await read(await signToken(other, key), { audiences: [SAMPLE_ISSUER, other.aud] })).toEqual(other);
    expect(await read(await signToken(other, key), { audiences: null })).toEqual(other);
  });

  it('has at most 8,192 characters', async () => {
    const empty = (await signToken({ ...good, sub: '' }, key)).length;
    const room = Math.floor(((8_192 - empty) * 3) / 4);
    const lengths: number[] = [];
    for (const more of [-1, 0, 1, 2]) {
      const claims = { ...good, sub: 's'.repeat(room + more) };
      const text = await signToken(claims, key);
      lengths.push(text.length);
      expect(await read(text)).toEqual(text.length <= 8_192 ? claims : null);
    }
    expect(Math.min(...lengths)).toBeLessThanOrEqual(8_192);
    expect(lengths).toContain(8_192);
    expect(Math.max(...lengths)).toBeGreaterThan(8_192);
  });

  it('ends with the key of each token that it came from', async () => {
    const derived = { ...good, anc: ['jti-0'], anckid: ['gone'] };
    expect(await read(await signToken(derived, key))).toBeNull();
    expect(lookedFor).toEqual([kid, 'gone']);
    expect(await read(await signToken({ ...derived, anckid: [kid] }, key))).not.toBeNull();
  });

  it('names its key to whoever has found it good, and to nobody else', async () => {
    expect(readKeyId(await signToken(good, key))).toBe(kid);
    expect(() => readKeyId('x.y.z')).toThrow('Only tokens that were verified');
  });
});

function faultOf(attempt: () => unknown): string {
  try {
    attempt();
    return 'none';
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.detail}`;
    throw error;
  }
}

describe('why a key is refused', () => {
  it('is told precisely only where its secret was right', () => {
    const told = (
      ['malformed', 'not_found', 'expired', 'disabled', 'account_disabled', 'ip_not_allowed'] as const
    ).map((code) => toRefusal(code).code);
    expect(told).toEqual([
      'auth.invalid_credential',
      'auth.invalid_credential',
      'auth.key_expired',
      'auth.key_disabled',
      'auth.account_disabled',
      'auth.ip_not_allowed',
    ]);
  });
});

describe('the body of a login', () => {
  const refusal = (body: string | Uint8Array) => faultOf(() => parseLoginBody(Buffer.from(body)));

  it('is refused when it is not UTF-8, also as a form', () => {
    const bytes = Buffer.from('auth_mode=apikey&apikey=?&secretkey=b');
    bytes[bytes.indexOf('?')] = 0xff;
    expect(refusal(bytes)).toContain('request.malformed The body is not valid UTF-8');
  });

  it('is refused with the fault of its JSON', () => {
    expect(refusal('{"a":')).toBe('request.malformed The body is not valid JSON.');
  });

  it('is refused for each field that is sent twice, needed or not', () => {
    expect(refusal('auth_mode=apikey&apikey=a&secretkey=b&app_id=c&app_id=d')).toMatch(
      /^request\.invalid app_id/,
    );
  });

  it('is refused with all faults at once', () => {
    expect(refusal('auth_mode=apikey')).toMatch(/^request\.invalid apikey .+; secretkey /);
  });
});

describe('a form', () => {
  const parse = (text: string) => Object.fromEntries(parseForm(Buffer.from(text, 'latin1')));

  it('is read as it is spelled, without parameters that have no value', () => {
    expect(parse('a=b+c&d=%C3%BC%2B&e=&f&=x&&g=h=i')).toEqual({ a: 'b c', d: 'ü+', '': 'x', g: 'h=i' });
    expect(decodeFormText('plain')).toBe('plain');
    expect(decodeFormText('a%')).toBeNull();
    expect(decodeFormText('+')).toBe(' ');
  });

  it('is refused for a parameter that comes twice, even without a value', () => {
    expect(faultOf(() => parse('a=b&a=b'))).toMatch(/^oauth\.invalid_request The parameter a is given twice/);
    expect(faultOf(() => parse('a=&a=b'))).toMatch(/^oauth\.invalid_request The parameter a is given twice/);
    const long = 'n'.repeat(100);
    expect(faultOf(() => parse(`${long}=&${long}=`))).toContain(`parameter ${'n'.repeat(64)} is`);
  });

  it('is refused for percent signs that spell nothing', () => {
    for (const text of ['%=b', 'a=%ff', 'a%zz'])
      expect(faultOf(() => parse(text))).toMatch(/^oauth\.invalid_request The body cannot be read/);
  });

  it('has the parameters that are needed', () => {
    const form = parseForm(Buffer.from('a=b&c='));
    expect(requireParameter(form, 'a')).toBe('b');
    for (const name of ['c', 'd'])
      expect(faultOf(() => requireParameter(form, name))).toMatch(
        new RegExp(`^oauth\\.invalid_request The parameter ${name} is missing`),
      );
  });

  it('has its parameters behind the first question mark of an address, if any', () => {
    expect(faultOf(() => refuseCredentialsInQuery('token=x'))).toBe('none');
    expect(faultOf(() => refuseCredentialsInQuery('?token=x'))).toContain('token');
  });

  it.each([
    'client_id',
    'client_secret',
    'client_assertion',
    'token',
    'access_token',
    'subject_token',
    'actor_token',
  ])('never stands in the address with %s', (name) => {
    expect(faultOf(() => refuseCredentialsInQuery(`/oauth2/token?a=b&${name}=x`))).toMatch(
      new RegExp(`^oauth\\.invalid_request The parameter ${name} stands in the address`),
    );
    expect(faultOf(() => refuseCredentialsInQuery(`/oauth2/token?${name}=x`))).toContain(name);
    expect(faultOf(() => refuseCredentialsInQuery(`/oauth2/token/${name}=x`))).toBe('none');
    expect(faultOf(() => refuseCredentialsInQuery(`/oauth2/token?x=${name}`))).toBe('none');
  });
});
