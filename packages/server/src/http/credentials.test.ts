import { describe, expect, it } from 'vitest';
import { Secret } from '../lib/secret.ts';
import {
  type PresentedCredential,
  parseBasic,
  readCredential,
  refuseRepeatedHeaders,
} from './credentials.ts';

const API_KEY = 'kr_0123456789ABCDEF';
const SECRET_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
const FULL_KEY = `${API_KEY}_${SECRET_KEY}`;

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The credential with its secret in the open, to compare. */
function read(headers: Record<string, string>): string | null {
  const credential: PresentedCredential | null = readCredential(headers);
  if (credential === null) return null;
  return credential.kind === 'pair'
    ? `pair ${credential.apiKey} ${credential.secretKey.reveal()}`
    : `${credential.kind} ${credential.value.reveal()}`;
}

describe('readCredential', () => {
  it.each<[string, Record<string, string>, string]>([
    ['a bearer', { authorization: `Bearer ${FULL_KEY}` }, `bearer ${FULL_KEY}`],
    [
      'a bearer in any case, with blanks',
      { authorization: `  bEARER   ${FULL_KEY}  ` },
      `bearer ${FULL_KEY}`,
    ],
    ['a pair', { authorization: basic(API_KEY, SECRET_KEY) }, `pair ${API_KEY} ${SECRET_KEY}`],
    ['a full key as password', { authorization: basic(API_KEY, FULL_KEY) }, `bearer ${FULL_KEY}`],
    ['a full key as password without a user', { authorization: basic('', FULL_KEY) }, `bearer ${FULL_KEY}`],
    ['X-API-Key', { 'x-api-key': ` ${FULL_KEY} ` }, `bearer ${FULL_KEY}`],
    ['X-NuGet-ApiKey', { 'x-nuget-apikey': FULL_KEY }, `bearer ${FULL_KEY}`],
    ['a cookie', { cookie: 'theme=dark; keyreeve_session=abc' }, 'cookie abc'],
    [
      'the secure cookie before the other',
      { cookie: 'keyreeve_session=old; __Host-keyreeve_session=new' },
      'cookie new',
    ],
    [
      'a key before a cookie',
      { cookie: 'keyreeve_session=abc', 'x-api-key': FULL_KEY },
      `bearer ${FULL_KEY}`,
    ],
  ])('reads %s', (_name, headers, expected) => expect(read(headers)).toBe(expected));

  it.each<[string, Record<string, string>]>([
    ['no header', {}],
    ['empty headers', { authorization: ' ', 'x-api-key': '', cookie: '' }],
    ['other cookies', { cookie: 'xkeyreeve_session=a; keyreeve_session_=b; keyreeve_session=' }],
  ])('finds none in %s', (_name, headers) => expect(read(headers)).toBeNull());

  it('takes a plain cookie over plain http only', () => {
    expect(readCredential({ cookie: 'keyreeve_session=abc' }, true)).toBeNull();
    expect(readCredential({ cookie: '__Host-keyreeve_session=abc' }, true)?.kind).toBe('cookie');
    expect(readCredential({ cookie: 'keyreeve_session=abc' }, false)?.kind).toBe('cookie');
  });

  it('takes two spellings of the same credential for one', () => {
    const same = {
      authorization: basic(API_KEY, SECRET_KEY),
      'x-api-key': FULL_KEY,
      'x-nuget-apikey': FULL_KEY,
    };
    expect(read(same)).toBe(`pair ${API_KEY} ${SECRET_KEY}`);
    expect(read({ authorization: `Bearer ${FULL_KEY}`, 'x-api-key': FULL_KEY })).toBe(`bearer ${FULL_KEY}`);
  });

  it.each<[string, Record<string, string>]>([
    ['bearer and header', { authorization: `Bearer ${FULL_KEY}`, 'x-api-key': `${FULL_KEY}x` }],
    ['pair and header', { authorization: basic(API_KEY, SECRET_KEY), 'x-nuget-apikey': 'other' }],
    ['two headers', { 'x-api-key': FULL_KEY, 'x-nuget-apikey': FULL_KEY.toLowerCase() }],
  ])('refuses two different credentials: %s', (_name, headers) => {
    expect(() => read(headers)).toThrow(
      expect.objectContaining({ code: 'auth.ambiguous_credentials', status: 400 }),
    );
  });

  it.each(['Digest hush', 'Bearer', 'Bearer hush hush', 'Basic hush!', `Basic ${btoa('hush')}`, 'hush'])(
    'refuses the Authorization header %j, without repeating it',
    (authorization) => {
      expect(() => read({ authorization })).toThrow(
        expect.objectContaining({ code: 'auth.invalid_credential' }),
      );
      expect(() => read({ authorization })).not.toThrow(/hush|aHVza/);
    },
  );

  it('refuses an unreadable header even beside a good one', () => {
    expect(() => read({ authorization: 'Digest x', 'x-api-key': FULL_KEY })).toThrow(
      'auth.invalid_credential',
    );
  });
});

describe('a Basic header', () => {
  it('of nobody with no password is no credential: package clients send it when they have none', () => {
    expect(readCredential({ authorization: basic('', '') })).toBeNull();
    expect(read({ authorization: basic('', ''), 'x-api-key': FULL_KEY })).toBe(`bearer ${FULL_KEY}`);
  });

  it('may carry a token of four kilobytes as the password', () => {
    const token = `eyJ${'a'.repeat(4_096)}`;
    expect(read({ authorization: basic('token', token) })).toBe(`bearer ${token}`);
  });
});

describe('parseBasic', () => {
  it('cuts at the first colon, so that a password may hold others', () => {
    expect(parseBasic(basic('user', 'a:b:c'))).toEqual({ user: 'user', password: new Secret('a:b:c') });
    expect(parseBasic(basic('user', 'a:b:c'))?.password.reveal()).toBe('a:b:c');
  });
});

describe('refuseRepeatedHeaders', () => {
  it.each(['Authorization', 'X-API-Key', 'x-nuget-apikey', 'HOST', 'Cookie'])(
    'refuses a second %s in any case',
    (name) => {
      expect(() => refuseRepeatedHeaders(['Accept', '*/*', name, 'a', name.toLowerCase(), 'a'])).toThrow(
        expect.objectContaining({ code: 'auth.ambiguous_credentials' }),
      );
    },
  );

  it('lets other headers repeat, and takes no value for a name', () => {
    refuseRepeatedHeaders(['Accept', 'a', 'Accept', 'b', 'X-A', 'host', 'X-B', 'host', 'Host', 'keys.test']);
  });
});
