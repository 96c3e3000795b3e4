import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountIdentity, KeyAccess, KeyIdentity, Principal } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY } from '../../http/samples.ts';
import type { Permission } from '../../lib/permission.ts';
import {
  can,
  effectivePermissions,
  findExcess,
  grantsOf,
  holdsAction,
  isKeyPermitted,
  isPermitted,
} from './rights.ts';

function account(grants: readonly Permission[], more: Partial<AccountIdentity> = {}): AccountIdentity {
  return {
    ...SAMPLE_ACCOUNT,
    id: 'acc_1',
    grants,
    ...more,
  };
}

function key(access: KeyAccess, scopes: readonly Permission[] = []): KeyIdentity {
  return {
    ...SAMPLE_KEY,
    id: 'kr_1',
    ownerId: 'acc_1',
    comment: 'CI',
    access,
    scopes,
  };
}

function permit(action: string, resource: string): Permission {
  return { actions: [action], resources: [resource] };
}

const EVERYTHING: readonly Permission[] = [{ actions: ['package:*', 'orders:*', 'iam:*'], resources: ['*'] }];

const ACTIONS = [
  'package:push',
  'package:pushnew',
  'package:unlist',
  'orders:read',
  'iam:keys:write',
  'iam:accounts:read',
];
const RESOURCES = ['', 'a', 'b', 'A', 'ab', 'aab', 'ba'];
const heldAction = fc.constantFrom(...ACTIONS, 'package:*', 'orders:*', 'iam:*');
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 3 });
const permissions = fc.array(
  fc.record({
    actions: fc.array(heldAction, { maxLength: 3 }),
    resources: fc.array(pattern, { maxLength: 3 }),
  }),
  { maxLength: 3 },
);
const accounts = fc
  .record({
    grants: permissions,
    role: fc.constantFrom('admin' as const, 'member' as const, null),
    isActive: fc.boolean(),
  })
  .map(({ grants, role, isActive }) => account(grants, { role, isActive }));
const keys = fc
  .record({
    access: fc.constantFrom('account' as const, 'scoped' as const, 'full' as const),
    scopes: permissions,
  })
  .map(({ access, scopes }) => key(access, scopes));

/** All questions that can be asked in this little world. */
function questions(): [string, string][] {
  return ACTIONS.flatMap((action) => RESOURCES.map((resource): [string, string] => [action, resource]));
}

describe('isPermitted', () => {
  it('wants action and resource from the same permission', () => {
    const held = [permit('package:push', 'Alpha*'), permit('package:unlist', 'Beta*')];
    expect(isPermitted(held, 'package:push', 'Alpha.One')).toBe(true);
    expect(isPermitted(held, 'package:push', 'Beta.One')).toBe(false);
    expect(isPermitted(held, 'package:unlist', 'Alpha.One')).toBe(false);
  });

  it('grants nothing when a list is empty', () => {
    expect(isPermitted([], 'package:push', 'a')).toBe(false);
    expect(isPermitted([{ actions: [], resources: ['*'] }], 'package:push', 'a')).toBe(false);
    expect(isPermitted([{ actions: ['package:*'], resources: [] }], 'package:push', 'a')).toBe(false);
  });
});

describe('the effective right of a key', () => {
  it('is never more than the grants of its account, nor than its scopes', () => {
    fc.assert(
      fc.property(accounts, keys, (owner, held) => {
        for (const [action, resource] of questions()) {
          if (!isKeyPermitted(owner, held, action, resource)) continue;
          expect(owner.isActive).toBe(true);
          expect(isPermitted(grantsOf(owner), action, resource)).toBe(true);
          if (held.access === 'scoped') expect(isPermitted(held.scopes, action, resource)).toBe(true);
          if (held.access === 'account') expect(action).not.toMatch(/^iam:/);
          if (held.access === 'full') expect(action).toMatch(/^package:/);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('is exactly scopes ∩ grants for a scoped key of an active account', () => {
    fc.assert(
      fc.property(permissions, permissions, (grants, scopes) => {
        for (const [action, resource] of questions()) {
          const expected = isPermitted(grants, action, resource) && isPermitted(scopes, action, resource);
          expect(isKeyPermitted(account(grants), key('scoped', scopes), action, resource)).toBe(expected);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('narrows at once when its account is narrowed, and never widens by it', () => {
    fc.assert(
      fc.property(permissions, permissions, keys, (kept, taken, held) => {
        for (const [action, resource] of questions()) {
          if (isKeyPermitted(account(kept), held, action, resource)) {
            expect(isKeyPermitted(account([...kept, ...taken]), held, action, resource)).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('ends with the account: a disabled one permits nothing', () => {
    const disabled = account(EVERYTHING, { isActive: false, role: 'admin' });
    for (const access of ['account', 'scoped', 'full'] as const) {
      expect(isKeyPermitted(disabled, key(access, EVERYTHING), 'package:push', 'a')).toBe(false);
      expect(
        holdsAction({ kind: 'key', account: disabled, key: key(access, EVERYTHING) }, 'package:push'),
      ).toBe(false);
    }
    expect(
      can({ kind: 'session', account: disabled, sessionId: 'ses_1', managedIds: [] }, 'iam:keys:read', 'a'),
    ).toBe(false);
  });

  it('never manages keys unless a scope says so, even for an administrator', () => {
    const admin = account(EVERYTHING, { role: 'admin' });
    expect(isKeyPermitted(admin, key('account'), 'iam:keys:write', 'acc_1')).toBe(false);
    expect(isKeyPermitted(admin, key('scoped', [permit('package:*', '*')]), 'iam:keys:write', 'acc_1')).toBe(
      false,
    );
    expect(
      isKeyPermitted(admin, key('scoped', [permit('iam:keys:write', '*')]), 'iam:keys:write', 'acc_1'),
    ).toBe(true);
    expect(
      isKeyPermitted(
        account([permit('package:*', '*')]),
        key('scoped', [permit('iam:keys:write', '*')]),
        'iam:keys:write',
        'acc_1',
      ),
    ).toBe(false);
  });

  it('reaches packages only with an imported full-access key', () => {
    expect(isKeyPermitted(account(EVERYTHING), key('full'), 'package:push', 'a')).toBe(true);
    expect(isKeyPermitted(account(EVERYTHING), key('full'), 'orders:read', 'a')).toBe(false);
    expect(isKeyPermitted(account([permit('orders:*', '*')]), key('full'), 'package:push', 'a')).toBe(false);
  });
});

describe('grantsOf', () => {
  it('adds iam:* for administrators only; a service account has nothing implicit', () => {
    expect(isPermitted(grantsOf(account([], { role: 'admin' })), 'iam:keys:write', 'x')).toBe(true);
    expect(grantsOf(account([], { role: 'member' }))).toEqual([]);
    expect(grantsOf(account([], { role: null, kind: 'service' }))).toEqual([]);
  });
});

describe('can', () => {
  it('refuses nobody in particular everything, and lets the server itself do its work', () => {
    expect(can({ kind: 'anonymous' }, 'package:read', 'a')).toBe(false);
    expect(can({ kind: 'system', name: 'sweep' }, 'iam:keys:write', 'a')).toBe(true);
  });

  it('judges a token by the key behind it', () => {
    const token = { jti: 'j', issuedAt: 0, expiresAt: 1 };
    const principal: Principal = {
      kind: 'token',
      account: account(EVERYTHING),
      key: key('scoped', [permit('orders:read', 'a')]),
      token,
    };
    expect(can(principal, 'orders:read', 'a')).toBe(true);
    expect(can(principal, 'orders:read', 'b')).toBe(false);
  });
});

describe('holdsAction', () => {
  it('lets through whoever may do the action on something at all', () => {
    fc.assert(
      fc.property(accounts, keys, (owner, held) => {
        for (const [action, resource] of questions()) {
          if (isKeyPermitted(owner, held, action, resource))
            expect(holdsAction({ kind: 'key', account: owner, key: held }, action)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('stops a key whose scopes or account do not name the action anywhere', () => {
    const gate = (grants: readonly Permission[], scopes: readonly Permission[]) =>
      holdsAction({ kind: 'key', account: account(grants), key: key('scoped', scopes) }, 'orders:read');
    expect(gate(EVERYTHING, [permit('package:*', '*')])).toBe(false);
    expect(gate([permit('package:*', '*')], EVERYTHING)).toBe(false);
    expect(gate(EVERYTHING, [{ actions: ['orders:read'], resources: [] }])).toBe(false);
    expect(gate(EVERYTHING, [permit('orders:read', 'one')])).toBe(true);
  });
});

describe('findExcess', () => {
  it('names the first action and resource that are not held', () => {
    const held = [permit('package:*', 'Alpha*'), permit('orders:read', '*')];
    expect(findExcess(held, [permit('package:push', 'Alpha.*'), permit('orders:read', '*')])).toBeNull();
    expect(findExcess(held, [permit('package:push', 'Alpha.*'), permit('package:push', 'Beta')])).toEqual({
      action: 'package:push',
      resource: 'Beta',
    });
    expect(findExcess(held, [permit('orders:*', '*')])).toEqual({ action: 'orders:*', resource: '*' });
    expect(findExcess([], [permit('orders:read', 'a')])).toEqual({ action: 'orders:read', resource: 'a' });
  });

  it('finds none only when the held permissions answer every question that the wanted ones do', () => {
    fc.assert(
      fc.property(permissions, permissions, (held, wanted) => {
        if (findExcess(held, wanted) !== null) return;
        for (const [action, resource] of questions()) {
          if (isPermitted(wanted, action, resource)) expect(isPermitted(held, action, resource)).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('effectivePermissions', () => {
  it('never say more than what the key may do', () => {
    fc.assert(
      fc.property(accounts, keys, (owner, held) => {
        fc.pre(owner.isActive);
        const said = effectivePermissions(owner, held);
        for (const [action, resource] of questions()) {
          if (isPermitted(said, action, resource))
            expect(isKeyPermitted(owner, held, action, resource)).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('say all of it while the scopes lie within the grants, as they do when a key is made', () => {
    fc.assert(
      fc.property(permissions, permissions, (grants, more) => {
        const owner = account([...grants, ...more]);
        const held = key('scoped', grants);
        for (const [action, resource] of questions()) {
          const isSaid = isPermitted(effectivePermissions(owner, held), action, resource);
          expect(isSaid).toBe(isKeyPermitted(owner, held, action, resource));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
