import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkRecord } from './rows.ts';

const SHA256 = createHash('sha256').update('oy2abc').digest('hex');
const GOOD = { account: 'ada@example.com', comment: 'CI', access: 'full', expiresAt: '', sha256: SHA256 };

function check(values: Record<string, unknown>) {
  return checkRecord({ line: 7, values: new Map(Object.entries({ ...GOOD, ...values })) });
}

describe('a row', () => {
  it('becomes what the API takes', () => {
    expect(check({})).toEqual({
      line: 7,
      row: { account: 'ada@example.com', comment: 'CI', access: 'full', expiresAt: null, sha256: SHA256 },
    });
  });

  // Unkey and others keep hashes so; a person with a CSV file should not need a program to write them otherwise.
  it('takes hashes in base64 for what they are', () => {
    const sha256 = Buffer.from(SHA256, 'hex').toString('base64');
    expect(check({ sha256 })).toHaveProperty('row.sha256', SHA256);
  });

  it('may hold the credential itself, of which only the digest goes on', () => {
    const read = check({ sha256: '', credential: ' oy2abc ' });
    expect(read).toHaveProperty('row.sha256', SHA256);
    expect(JSON.stringify(read)).not.toContain('oy2abc');
  });

  it('says instants in UTC', () => {
    const read = check({ access: 'account', expiresAt: '2027-03-01T09:00:00+09:00' });
    expect(read).toHaveProperty('row.expiresAt', '2027-03-01T00:00:00.000Z');
  });

  it('has scopes as text or, in JSON, as the API takes them', () => {
    const scopes = [
      { actions: ['package:push', 'package:unlist'], resources: ['A.*', 'B.*'] },
      { actions: ['billing:read'], resources: ['*'] },
    ];
    const rest = { access: 'scoped', expiresAt: '2027-03-01T00:00:00Z' };
    expect(check({ ...rest, scopes })).toHaveProperty('row.scopes', scopes);
    const text = 'package:push,package:unlist=A.*,B.*; billing:read=*';
    expect(check({ ...rest, scopes: text })).toHaveProperty('row.scopes', scopes);
  });

  it.each([
    ['account', ''],
    ['account', 'x'.repeat(255)],
    ['account', 5],
    ['comment', ' '],
    ['comment', 'x'.repeat(257)],
    ['access', 'Full'],
    ['expiresAt', '2028-03-01'],
    ['expiresAt', '2027-02-30T00:00:00Z'],
    ['expiresAt', '2027-03-01T25:00:00Z'],
    ['expiresAt', '2028-03-01T00:00:00'],
    ['expiresAt', 1_800_000_000],
    ['sha256', 'abc'],
    ['sha256', `${SHA256}00`],
    ['sha256', Buffer.from(SHA256, 'hex').subarray(1).toString('base64')],
    ['sha256', `${Buffer.from(SHA256, 'hex').toString('base64')}=`],
    ['sha256', Buffer.from(SHA256, 'hex').toString('base64url')],
    ['scopes', 'package:push=*'],
  ])('with %s %j is faulty, and the fault names the column only', (name, value) => {
    const read = check({ [name]: value });
    expect(read).toHaveProperty('fault', expect.stringContaining(name));
    if (typeof value === 'string' && value.trim() !== '')
      expect(read).not.toHaveProperty('fault', expect.stringContaining(value));
  });

  it.each(['', 'package:push', '=x', 'package:push=', 'a:b=x;', 'a:b=x,,y'])(
    'of access scoped with scopes %j is faulty',
    (scopes) => {
      const read = check({ access: 'scoped', expiresAt: '2027-03-01T00:00:00Z', scopes });
      expect(read).toHaveProperty('fault', expect.stringContaining('scopes'));
    },
  );

  it.each(['account', 'scoped'])('of access %s needs an expiry', (access) => {
    const read = check({ access, scopes: access === 'scoped' ? 'a:b=*' : '' });
    expect(read).toHaveProperty('fault', expect.stringContaining('expiresAt is required'));
  });

  it('may not hold digest and credential', () => {
    expect(check({ credential: 'x' })).toHaveProperty('fault', 'sha256 and credential exclude each other');
  });
});
