import { describe, expect, it } from 'vitest';
import type { AccountIdentity, AuthenticatedPrincipal } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { coversAccount, findGrantExcess, reachOf, visibleIds } from './accounts.policy.ts';
import { findForbiddenField } from './edit-rules.ts';

const GRANTS: readonly Permission[] = [{ actions: ['package:*'], resources: ['Alpha*'] }];

function account(role: 'admin' | 'member' | null, grants = GRANTS): AccountIdentity {
  return {
    id: 'acc_self',
    workspaceId: 'wsp_1',
    kind: 'user',
    displayName: '',
    login: '',
    role,
    isActive: true,
    grants,
    keyLimits: null,
    epoch: 1,
  };
}

function session(role: 'admin' | 'member', managedIds: readonly string[] = []): AuthenticatedPrincipal {
  return { kind: 'session', account: account(role), sessionId: 'ses_1', managedIds };
}

function key(scopes: readonly Permission[], owner = account('admin')): AuthenticatedPrincipal {
  const identity = {
    id: 'kr_1',
    ownerId: 'acc_self',
    comment: '',
    access: 'scoped' as const,
    scopes,
    limits: null,
    generation: 1,
    expiresAt: null,
  };
  return { kind: 'key', account: owner, key: identity };
}

const scope = (action: string, ...resources: string[]): Permission => ({ actions: [action], resources });

describe('how far a caller reaches', () => {
  it('is everywhere for administrators, and for members themselves and what they manage', () => {
    expect(reachOf(session('admin'), { id: 'acc_other' })).toBe('full');
    expect(reachOf(session('member', ['acc_bot']), { id: 'acc_self' })).toBe('self');
    expect(reachOf(session('member', ['acc_bot']), { id: 'acc_bot' })).toBe('manager');
    expect(reachOf(session('member', ['acc_bot']), { id: 'acc_other' })).toBe('none');
  });

  it('is for keys what their scopes name, even those of administrators', () => {
    expect(reachOf(key([scope('iam:accounts:write', 'acc_1')]), { id: 'acc_1' })).toBe('full');
    expect(reachOf(key([scope('iam:accounts:read', '*')]), { id: 'acc_1' })).toBe('read');
    expect(reachOf(key([scope('iam:accounts:write', 'acc_1')]), { id: 'acc_2' })).toBe('none');
    expect(reachOf(key([scope('package:*', '*')]), { id: 'acc_self' })).toBe('none');
    expect(reachOf(key([scope('iam:accounts:write', '*')], account('member')), { id: 'acc_1' })).toBe('none');
  });

  it('bounds what a list may show', () => {
    expect(visibleIds(session('admin'))).toBeNull();
    expect(visibleIds(session('member', ['acc_bot']))).toEqual(['acc_self', 'acc_bot']);
    expect(visibleIds(key([scope('iam:accounts:read', '*')]))).toBeNull();
    expect(visibleIds(key([scope('iam:accounts:read', 'acc_1'), scope('iam:keys:read', 'acc_2')]))).toEqual([
      'acc_1',
    ]);
    expect(visibleIds(key([scope('package:read', '*')]))).toEqual([]);
  });
});

describe('what a caller may hand out', () => {
  it('is everything for the session of an administrator, and its own grants for that of a member', () => {
    expect(findGrantExcess(session('admin'), [scope('anything:at-all', '*')])).toBeNull();
    expect(findGrantExcess(session('member'), [scope('package:push', 'Alpha.One')])).toBeNull();
    expect(findGrantExcess(session('member'), [scope('package:push', 'Beta')])).toEqual({
      action: 'package:push',
      resource: 'Beta',
    });
  });

  it('is for keys their own effective right, not that of their account', () => {
    const narrow = key([scope('iam:accounts:write', '*'), scope('package:push', 'Alpha*')]);
    expect(findGrantExcess(narrow, [scope('package:push', 'Alpha.One')])).toBeNull();
    expect(findGrantExcess(narrow, [scope('package:unlist', 'Alpha.One')])).not.toBeNull();
    expect(findGrantExcess(narrow, [scope('iam:*', '*')])).not.toBeNull();
  });

  it('covers another account only when it holds all that the other holds', () => {
    const narrow = key([scope('iam:accounts:write', '*')]);
    expect(coversAccount(narrow, account('member', []))).toBe(true);
    expect(coversAccount(narrow, account('member'))).toBe(false);
    expect(coversAccount(narrow, account('admin', []))).toBe(false);
    expect(coversAccount(session('admin'), account('admin'))).toBe(true);
  });
});

describe('what a reach may change', () => {
  const FIELDS = [
    'email',
    'displayName',
    'firstName',
    'lastName',
    'description',
    'locale',
    'timeZone',
    'mutedNotices',
    'tags',
    'grants',
    'role',
    'state',
    'disabledReason',
    'managers',
  ];
  const allowed = (reach: Parameters<typeof findForbiddenField>[1]) =>
    FIELDS.filter((field) => findForbiddenField({ [field]: 'x' }, reach) === null);

  it('is, short of administrators, what describes an account and never what it may', () => {
    expect(allowed('full')).toEqual(FIELDS);
    expect(allowed('self')).toEqual([
      'displayName',
      'firstName',
      'lastName',
      'locale',
      'timeZone',
      'mutedNotices',
    ]);
    expect(allowed('manager')).toEqual([
      'email',
      'displayName',
      'description',
      'locale',
      'timeZone',
      'mutedNotices',
      'tags',
    ]);
    expect(allowed('read')).toEqual([]);
    expect(allowed('none')).toEqual([]);
  });

  it('names the offending field among allowed ones', () => {
    expect(findForbiddenField({ displayName: 'x', role: undefined, grants: [] }, 'self')).toBe('grants');
  });
});
