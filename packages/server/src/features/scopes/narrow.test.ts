import { describe, expect, it } from 'vitest';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY } from '../../http/samples.ts';
import { dropCoveredActions, narrowKey, restrictToActions } from './narrow.ts';
import { isKeyPermitted } from './rights.ts';

const EVERYTHING = { actions: ['iam:*', 'package:*', 'stock:*'], resources: ['*'] };

const account: AccountIdentity = {
  ...SAMPLE_ACCOUNT,
  role: 'admin',
  grants: [EVERYTHING],
};

function keyOf(access: KeyIdentity['access']): KeyIdentity {
  return {
    ...SAMPLE_KEY,
    ownerId: account.id,
    access,
    scopes: [EVERYTHING],
  };
}

describe('a narrowed key', () => {
  it.each([
    ['account', 'iam:keys:read', false],
    ['account', 'stock:read', true],
    ['full', 'stock:read', false],
    ['full', 'iam:keys:read', false],
    ['full', 'package:push', true],
    ['scoped', 'iam:keys:read', true],
  ] as const)('with the access %s gets no %s by being told that it has it', (access, action, isAllowed) => {
    const narrowed = narrowKey(keyOf(access), [EVERYTHING]);
    expect(isKeyPermitted(account, narrowed, action, 'x')).toBe(isAllowed);
    expect(isKeyPermitted(account, keyOf(access), action, 'x')).toBe(isAllowed);
  });

  it('may do what it is told and its account is granted, and nothing else', () => {
    const narrowed = narrowKey(keyOf('account'), [{ actions: ['package:push'], resources: ['A*'] }]);
    expect(isKeyPermitted(account, narrowed, 'package:push', 'A.B')).toBe(true);
    expect(isKeyPermitted(account, narrowed, 'package:push', 'B')).toBe(false);
    expect(isKeyPermitted({ ...account, grants: [] }, narrowed, 'package:push', 'A.B')).toBe(false);
  });

  it('that is told nothing may do nothing', () => {
    const narrowed = narrowKey(keyOf('account'), []);
    expect(isKeyPermitted(account, narrowed, 'package:push', 'A')).toBe(false);
  });
});

describe('rights within actions', () => {
  it.each([
    ['the action itself', 'package:push', 'package:push', ['package:push']],
    ['a wildcard that holds it', 'package:*', 'package:push', ['package:push']],
    ['an action within the wildcard', 'package:push', 'package:*', ['package:push']],
    ['an action that implies it', 'package:push', 'package:pushnew', ['package:pushnew']],
    ['another service', 'stock:read', 'package:*', []],
  ])('are what both have in common: %s', (_name, held, wanted, common) => {
    const [found] = restrictToActions([{ actions: [held], resources: ['A'] }], [wanted]);
    expect(found?.actions ?? []).toEqual(common);
  });

  it('stay on the resources on which they were held', () => {
    const rights = [
      { actions: ['package:push'], resources: ['A'] },
      { actions: ['package:read'], resources: ['B'] },
    ];
    expect(restrictToActions(rights, ['package:*'])).toEqual(rights);
    expect(restrictToActions(rights, ['package:read'])).toEqual(rights.slice(1));
  });

  it('are told without those that others contain', () => {
    expect(dropCoveredActions(['package:push', 'package:pushnew', 'package:push', 'stock:read'])).toEqual([
      'package:push',
      'stock:read',
    ]);
  });
});
