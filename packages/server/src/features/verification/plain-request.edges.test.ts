import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readPlainBody, readPlainCredential, readPlainQuery } from './plain-request.ts';

const ID = 'kr_0123456789ABCDEF';
const SECRET = 's'.repeat(49);
const KEY = `${ID}_${SECRET}`;
const HALVES = { apiKey: ID, secretKey: SECRET };

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('a plain credential', () => {
  it.each([
    ['Bearer', { authorization: `Bearer ${KEY}` }],
    ['bearer in another case', { authorization: `bEaReR ${KEY}` }],
    ['its two halves', { authorization: basic(`${ID}:${SECRET}`) }],
    ['the place of a password', { authorization: basic(`:${KEY}`) }],
    ['X-API-Key', { 'x-api-key': KEY }],
    ['X-NuGet-ApiKey', { 'x-nuget-apikey': KEY }],
  ])('is read from %s', (_, headers) => {
    expect(readPlainCredential(headers)).toEqual(HALVES);
  });

  it('has a prefix of two to eight letters', () => {
    const prefixes = ['a', 'ab', 'abcdefgh', 'abcdefghi', 'aB', 'a1'];
    const read = (prefix: string) => {
      const id = `${prefix}_0123456789ABCDEF`;
      const pair = readPlainCredential({ authorization: basic(`${id}:${SECRET}`) });
      const whole = readPlainCredential({ 'x-api-key': `${id}_${SECRET}` });
      expect(pair).toEqual(whole);
      return whole?.apiKey;
    };
    expect(prefixes.map(read)).toEqual([
      undefined,
      'ab_0123456789ABCDEF',
      'abcdefgh_0123456789ABCDEF',
      undefined,
      undefined,
      undefined,
    ]);
  });

  const others = [
    `${KEY}x`,
    ` ${KEY}`,
    `x ${KEY}`,
    KEY.slice(1),
    `${KEY}\n`,
    `${ID}${SECRET}`,
    `${ID}_${SECRET.slice(1)}-`,
  ];

  const NONE: readonly (readonly [string, IncomingHttpHeaders])[] = [
    ['there is none', {}],
    ['two headers have one', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
    ['the others of two have one', { authorization: `Bearer ${KEY}`, 'x-nuget-apikey': KEY }],
    ['both headers of programs have one', { 'x-api-key': KEY, 'x-nuget-apikey': KEY }],
    ['a header comes twice', { 'x-api-key': [KEY, KEY] }],
    ['a header is a list of one', { 'x-api-key': [KEY] }],
    ['it has another scheme', { authorization: `Digest ${KEY}` }],
    ['it has no scheme', { authorization: KEY }],
    ['a session is in the place of a password', { authorization: basic(':session') }],
    ['the name before a secret is none of ours', { authorization: basic(`ada:${SECRET}`) }],
    ['something is around the name', { authorization: basic(`x${ID}x:${SECRET}`) }],
    ['something is before the name', { authorization: basic(`-${ID}:${SECRET}`) }],
    ...others.map((text) => [`it is ${JSON.stringify(text)}`, { 'x-api-key': text }] as const),
    ...others
      .slice(0, 4)
      .map((text) => [`the bearer is ${text}`, { authorization: `Bearer ${text}` }] as const),
  ];

  it.each(NONE)('is none where %s', (_, headers) => {
    expect(readPlainCredential(headers)).toBeNull();
  });
});

describe('a plain query', () => {
  it.each([
    ['', { action: null, resource: null }],
    ['action=package:push', { action: 'package:push', resource: null }],
    ['action=stock:read&resource=eu/a', { action: 'stock:read', resource: 'eu/a' }],
    [
      'action=stock:read&resource=%2Feu%c3%a4'.replace('%c3%a4', '%41'),
      { action: 'stock:read', resource: '/euA' },
    ],
    ['action=a-1:b&resource=Az09_.~:@/*!$,-', { action: 'a-1:b', resource: 'Az09_.~:@/*!$,-' }],
  ])('is %j', (query, question) => {
    expect(readPlainQuery(query)).toEqual(question);
  });

  it.each([
    'resource=a',
    'action=',
    'action=push',
    'action=Package:push',
    'xaction=a:b',
    'action=a:b&',
    'action=a:b&resource=',
    'action=a:b&resource=a&x=1',
    'action=a:b&resource=a+b',
    'action=a:b&resource=a%2',
    'action=a:b&resource=a%2x',
    'action=a:b&resource=%',
    'action=a:b&resource=%C3',
    'action=a:b&resource=%20',
    `action=a:b&resource=${'a'.repeat(1_025)}`,
    'action=a:b&resource=a\n',
  ])('is not %j', (query) => {
    expect(readPlainQuery(query)).toBeNull();
  });
});

describe('a plain body', () => {
  const NOBODY = { action: null, resource: null };

  it.each([
    [`{"key":"${KEY}"}`, { presented: HALVES, question: NOBODY, ip: null }],
    [`{ "key": "${KEY}", "ip": "192.0.2.1"}`, { presented: HALVES, question: NOBODY, ip: '192.0.2.1' }],
    [
      `{"ip":"2001:db8::1","resource":"eu !]^~","action":"stock:read","key":"${KEY}"}`.replace(' ', ''),
      { presented: HALVES, question: { action: 'stock:read', resource: 'eu!]^~' }, ip: '2001:db8::1' },
    ],
    [
      `{"key":"${KEY}","action":"stock:read"}`,
      { presented: HALVES, question: { action: 'stock:read', resource: null }, ip: null },
    ],
  ])('is %s', (text, asked) => {
    expect(readPlainBody(text)).toEqual(asked);
  });

  it.each([
    '',
    '{}',
    `"key":"${KEY}"}`,
    `[{"key":"${KEY}"}`,
    `{"key":"${KEY}"`,
    `{"key":"${KEY}",`,
    `{"key":"${KEY}",}`,
    `{"key":"${KEY}"} `,
    `{{"key":"${KEY}"}`,
    `{"key":"${KEY}",{"ip":"192.0.2.1"}`,
    `{"key":"${KEY}"}{"ip":"192.0.2.1"}`,
    `{"key":"${KEY}""ip":"192.0.2.1"}`,
    `{"key":"${KEY}","key":"${KEY}"}`,
    `{"action":"","action":"a:b","key":"${KEY}"}`,
    `{"key":"${KEY}","kay":"x"}`,
    `{"key":"${KEY}x"}`,
    `{"action":"a:b"}`,
    `{"key":"${KEY}","ip":"192.0.2"}`,
    `{"key":"${KEY}","ip":""}`,
    `{"key":"${KEY}","resource":"a"}`,
    `{"key":"${KEY}","resource":""}`,
    `{"key":"${KEY}","action":""}`,
    `{"key":"${KEY}","action":"push"}`,
    `{"key":"${KEY}","action":"a:b","resource":""}`,
    `{"key":"${KEY}","action":"a:b","resource":"a b"}`,
    `{"key":"${KEY}","action":"a:b","resource":"\\u0061"}`,
    `{"key":"${KEY}","action":"a:b","resource":"ä"}`,
    `{"key":"${KEY}","action":null}`,
    `{  "key":"${KEY}"}`,
    `{"key" :"${KEY}"}`,
    `{"key":  "${KEY}"}`,
  ])('is not %s', (text) => {
    expect(readPlainBody(text)).toBeNull();
  });
});
