import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY } from '../../http/samples.ts';
import { effectivePermissions } from '../scopes/index.ts';
import { buildClaims, type ClaimsInput, permissionsOf, readClaims, withoutRights } from './claims.ts';

const NOW = Date.UTC(2027, 2, 1, 9, 0, 0, 500);

const account: AccountIdentity = {
  ...SAMPLE_ACCOUNT,
  grants: [{ actions: ['package:*', 'stock:read'], resources: ['*'] }],
  epoch: 7,
};

const key: KeyIdentity = {
  ...SAMPLE_KEY,
  comment: 'ci',
  scopes: [
    { actions: ['package:push', 'package:unlist'], resources: ['Contoso.*'] },
    { actions: ['stock:read'], resources: ['*'] },
  ],
  generation: 3,
  expiresAt: NOW + 86_400_000,
};

function input(changes: Partial<ClaimsInput> = {}): ClaimsInput {
  return {
    issuer: 'https://keys.test',
    audience: 'https://keys.test',
    workspaceId: 'wsp_1',
    account,
    key,
    keyEpoch: 5,
    permissions: effectivePermissions(changes.account ?? account, changes.key ?? key),
    isNarrowed: false,
    parent: null,
    delegation: null,
    actorEndsAt: null,
    jti: 'abcdefghijklmnopqrstuv',
    now: NOW,
    lifetimeSeconds: 3600,
    ...changes,
  };
}

describe('the claims of a token', () => {
  it('are exactly those of the contract', () => {
    const seconds = Math.floor(NOW / 1000);
    expect(buildClaims(input())).toEqual({
      iss: 'https://keys.test',
      aud: 'https://keys.test',
      sub: 'acc_ada',
      iat: seconds,
      exp: seconds + 3600,
      jti: 'abcdefghijklmnopqrstuv',
      client_id: 'kr_0123456789ABCDEF',
      kgen: 3,
      kepo: 5,
      aepo: 7,
      workspace: 'wsp_1',
      scope: 'stock:read',
      authorization_details: [
        { type: 'keyreeve', actions: ['package:push', 'package:unlist'], identifiers: ['Contoso.*'] },
        { type: 'keyreeve', actions: ['stock:read'], identifiers: ['*'] },
      ],
    });
  });

  it('tell nothing that names a person', () => {
    expect(JSON.stringify(buildClaims(input()))).not.toMatch(/ada@example|"Ada"/);
  });

  it('leave scope out when no action is held on everything', () => {
    const narrow = { ...key, scopes: [{ actions: ['package:push'], resources: ['Contoso.*'] }] };
    expect(buildClaims(input({ key: narrow }))).not.toHaveProperty('scope');
  });

  it('tell only what the account still grants', () => {
    const narrowed = { ...account, grants: [{ actions: ['stock:read'], resources: ['*'] }] };
    expect(buildClaims(input({ account: narrowed }))?.authorization_details).toEqual([
      { type: 'keyreeve', actions: ['stock:read'], identifiers: ['*'] },
    ]);
  });

  it('never outlive the presented secret, to the millisecond', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 * 86_400_000 }),
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: 60, max: 86_400 }),
        (leftMs, offsetMs, lifetimeSeconds) => {
          const now = NOW + offsetMs;
          const expiresAt = now + leftMs;
          const claims = buildClaims(input({ now, lifetimeSeconds, key: { ...key, expiresAt } }));
          if (claims === null) {
            expect(leftMs).toBeLessThan(1000);
            return;
          }
          expect(claims.exp * 1000).toBeLessThanOrEqual(expiresAt);
          expect(claims.exp - claims.iat).toBeLessThanOrEqual(lifetimeSeconds);
          expect(claims.exp).toBeGreaterThan(claims.iat);
        },
      ),
    );
  });

  it('do without an expiry of the key when it has none, as imported keys', () => {
    const claims = buildClaims(input({ key: { ...key, access: 'full', scopes: [], expiresAt: null } }));
    expect(claims).toMatchObject({ exp: Math.floor(NOW / 1000) + 3600, scope: 'package:*' });
  });

  it('survive the way there and back with the same permissions', () => {
    const claims = buildClaims(input());
    const read = readClaims(JSON.parse(JSON.stringify(claims)), NOW);
    expect(read).toEqual(claims);
    expect(read === null ? null : permissionsOf(read)).toEqual(key.scopes);
  });

  it('say introspect, and nothing about rights, when the rights were left out', () => {
    const claims = buildClaims(input());
    const short = claims === null ? null : withoutRights(claims);
    expect(short).toMatchObject({ introspect: true, sub: 'acc_ada' });
    expect(short).not.toHaveProperty('scope');
    expect(short).not.toHaveProperty('authorization_details');
    expect(short === null ? undefined : permissionsOf(short)).toBeNull();
  });
});

describe('readClaims', () => {
  const good = { ...buildClaims(input()) } as Record<string, unknown>;

  it('takes what we issue', () => {
    expect(readClaims(good, NOW)).not.toBeNull();
  });

  it.each([
    ['null', null],
    ['an array', [good]],
    ['a text', 'eyJ'],
  ])('refuses %s', (_name, payload) => {
    expect(readClaims(payload, NOW)).toBeNull();
  });

  it.each([
    'iss',
    'aud',
    'sub',
    'iat',
    'exp',
    'jti',
    'client_id',
    'kgen',
    'kepo',
    'aepo',
    'workspace',
    'authorization_details',
  ])('refuses a payload without %s', (name) => {
    const { [name]: _gone, ...rest } = good;
    expect(readClaims(rest, NOW)).toBeNull();
  });

  it('refuses a number where a text is due, and the other way round', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(good)), fc.anything(), (name, value) => {
        const isSameKind =
          typeof value === typeof good[name] || (typeof value === 'object' && typeof good[name] === 'object');
        if (isSameKind || (name === 'scope' && value === undefined)) return;
        expect(readClaims({ ...good, [name]: value }, NOW)).toBeNull();
      }),
    );
  });

  it('refuses rights that are both told and left to be asked for', () => {
    expect(readClaims({ ...good, introspect: true }, NOW)).toBeNull();
  });
});
