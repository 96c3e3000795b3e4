import { describe, expect, it } from 'vitest';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT } from '../../http/samples.ts';
import type { Permission } from '../../lib/permission.ts';
import { isActionPattern } from './action.ts';
import { narrowKey, restrictToActions } from './narrow.ts';
import { findPatternFault } from './pattern.ts';
import { findPermissionFaults } from './permission-rules.ts';
import { can, effectivePermissions, findExcess, holdsAction, patternsFor } from './rights.ts';

const member: AccountIdentity = {
  ...SAMPLE_ACCOUNT,
  id: 'acc_1',
};

function granted(...grants: readonly Permission[]): AccountIdentity {
  return { ...member, grants };
}

function keyWith(access: KeyIdentity['access'], ...scopes: readonly Permission[]): KeyIdentity {
  const fixed = { id: 'kr_1', ownerId: 'acc_1', comment: 'CI', limits: null, generation: 1, expiresAt: null };
  return { ...fixed, access, scopes };
}

function permit(action: string, ...resources: readonly string[]): Permission {
  return { actions: [action], resources };
}

const sessionOf = (account: AccountIdentity) =>
  ({ kind: 'session', account, sessionId: 'ses_1', managedIds: [] }) as const;

describe('limits of grants and scopes include the largest that they name', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `orders:a${index}`);

  it('a wildcard of 64 characters', () => {
    expect(isActionPattern(`${'a'.repeat(62)}:*`)).toBe(true);
  });

  it('50 permissions, and 50 actions in one', () => {
    const fifty = names(50).map((action) => permit(action, 'a'));
    expect(findPermissionFaults(fifty, 'grants')).toEqual([]);
    expect(findPermissionFaults([{ actions: names(50), resources: ['a'] }], 'grants')).toEqual([]);
    expect(findPermissionFaults([{ actions: names(51), resources: ['a'] }], 'grants')).toEqual([
      { field: 'grants[0].actions', message: 'has more than 50 actions' },
    ]);
  });

  it('and a pattern that cannot be one is told why', () => {
    expect(findPatternFault('Azure RM', false)).toContain('printable ASCII');
    expect(findPatternFault('orders/1', true)).toContain('A-Z');
  });
});

describe('the case of a pattern', () => {
  it('counts where names of others are compared, and not for packages', () => {
    const wanted = { action: 'orders:read', resource: 'alpha' };
    expect(findExcess([permit('orders:read', 'Alpha')], [permit('orders:read', 'alpha')])).toEqual(wanted);
    expect(findExcess([permit('package:push', 'Alpha')], [permit('package:push', 'alpha')])).toBeNull();
  });
});

describe('a console session', () => {
  it('may do what its account is granted, and nothing else', () => {
    const session = sessionOf(granted(permit('orders:read', 'a')));
    expect(can(session, 'orders:read', 'a')).toBe(true);
    expect(can(session, 'orders:read', 'b')).toBe(false);
    expect(can(session, 'orders:write', 'a')).toBe(false);
  });

  it('passes the gate of a route whose action its account holds on something', () => {
    expect(holdsAction(sessionOf(granted(permit('orders:read', 'a'))), 'orders:read')).toBe(true);
    expect(holdsAction(sessionOf(granted(permit('orders:read', 'a'))), 'orders:write')).toBe(false);
  });
});

describe('patternsFor', () => {
  it('names each pattern on which the action is held, once', () => {
    const held = [
      { actions: ['orders:write', 'orders:read'], resources: ['a', 'b'] },
      permit('orders:*', 'b', 'c'),
      permit('stock:read', 'd'),
    ];
    expect(patternsFor(held, 'orders:read')).toEqual(['a', 'b', 'c']);
    expect(patternsFor(held, 'orders:list')).toEqual(['b', 'c']);
    expect(patternsFor(held, 'package:push')).toEqual([]);
  });
});

describe('rights that are told', () => {
  const mixed = { actions: ['iam:keys:read', 'orders:read', 'package:push'], resources: ['a'] };
  const account = granted(mixed, permit('iam:keys:write', '*'), permit('orders:write', 'b'));

  it('of a key for its account are the grants without those on the authority itself', () => {
    expect(effectivePermissions(account, keyWith('account'))).toEqual([
      { actions: ['orders:read', 'package:push'], resources: ['a'] },
      permit('orders:write', 'b'),
    ]);
  });

  it('of an imported key are those on packages', () => {
    expect(effectivePermissions(account, keyWith('full'))).toEqual([permit('package:push', 'a')]);
  });

  it('of a scoped key are the scopes that are still granted, each on what is left of its resources', () => {
    const key = keyWith('scoped', permit('orders:write', 'a', 'b'), permit('orders:read', 'c'));
    expect(effectivePermissions(account, key)).toEqual([permit('orders:write', 'b')]);
  });

  it('name no action without a resource', () => {
    expect(restrictToActions([permit('orders:read')], ['orders:read'])).toEqual([]);
  });

  it('of a narrowed key are its new scopes, without what its access excludes', () => {
    const rights = [{ actions: ['iam:keys:read', 'orders:read'], resources: ['a'] }];
    expect(narrowKey(keyWith('account'), rights)).toEqual(keyWith('scoped', permit('orders:read', 'a')));
  });
});
