import { describe, expect, it } from 'vitest';
import { AppError } from '../../errors/index.ts';
import type { AccountIdentity, AuthenticatedPrincipal, Caller, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY } from '../../http/samples.ts';
import { DAY_MS } from '../../lib/clock.ts';
import type { Permission } from '../../lib/permission.ts';
import { Secret } from '../../lib/secret.ts';
import type { Settings } from '../settings/index.ts';
import { type ApiKey, isExpired, noticeMsOf, statusOf, toKeyIdentity } from './api-key.ts';
import { checksumOf, hasFullKeyShape, parseFullKey, parsePair } from './key-format.ts';
import {
  canReachKeys,
  mayKnowName,
  requireCallerHolds,
  requireReach,
  requireUnlimitedCaller,
  rightsOfNewKey,
  visibleAccountIds,
} from './keys.policy.ts';
import {
  checkComment,
  checkIpRanges,
  checkScopes,
  isLoosened,
  isNarrowed,
  requireSameActions,
} from './keys.rules.ts';
import { chooseLifetimeDays, expiryOf, maxLifetimeDays } from './lifetimes.ts';

const member: AccountIdentity = {
  ...SAMPLE_ACCOUNT,
  grants: [{ actions: ['package:*', 'orders:read', 'iam:*'], resources: ['*'] }],
};

function sessionOf(role: 'admin' | 'member', managedIds: readonly string[] = []): AuthenticatedPrincipal {
  return { kind: 'session', account: { ...member, role }, sessionId: 'ses_1', managedIds };
}

function keyOf(scopes: readonly Permission[], more: Partial<KeyIdentity> = {}): AuthenticatedPrincipal {
  const key: KeyIdentity = {
    ...SAMPLE_KEY,
    id: 'kr_own',
    ownerId: 'acc_owner',
    comment: 'CI',
    scopes,
    ...more,
  };
  return { kind: 'key', account: member, key };
}

function callerOf(principal: Caller['principal']): Caller {
  const workspace = { id: 'wsp_1', name: 'One', subdomain: null, isDefault: true, url: 'http://localhost' };
  return { workspace, principal, ip: null, userAgent: null, requestId: null };
}

function permit(action: string, ...resources: readonly string[]): Permission {
  return { actions: [action], resources };
}

/** What the caller is told beside the code. */
function detailOf(attempt: () => unknown): string {
  try {
    attempt();
    return '';
  } catch (error) {
    return error instanceof AppError ? error.detail : '';
  }
}

/** `code field message`, as far as the refusal names a field; null when it was let through. */
function refusalOf(attempt: () => unknown): string | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [error.code, ...error.fields.map(({ field, message }) => `${field} ${message}`)].join(' ');
  }
}

describe('the comment of a key', () => {
  it('has 1 to 256 characters after blanks around it are cut off', () => {
    expect(checkComment(' for CI\n')).toBe('for CI');
    expect(checkComment(` ${'a'.repeat(256)} `)).toBe('a'.repeat(256));
    expect(refusalOf(() => checkComment('a'.repeat(257)))).toMatch(/^request\.invalid comment is longer/);
    expect(refusalOf(() => checkComment(' \t'))).toMatch(/^request\.invalid comment is blank/);
    expect(refusalOf(() => checkComment('a\u202Eb'))).toMatch(/^request\.invalid comment contains control/);
  });
});

describe('the addresses from which a key may be used', () => {
  it('are at most 50, each once, and the first that is none is named', () => {
    const fifty = Array.from({ length: 50 }, (_, index) => `10.0.0.${index}`);
    expect(checkIpRanges(fifty)).toEqual(fifty);
    expect(checkIpRanges(['10.0.0.0/8', '10.0.0.0/8'])).toEqual(['10.0.0.0/8']);
    expect(refusalOf(() => checkIpRanges([...fifty, '10.1.0.0']))).toMatch(
      /^request\.invalid ipRanges has 51 entries/,
    );
    expect(refusalOf(() => checkIpRanges(['here']))).toMatch(/^request\.invalid ipRanges\[0\] must be/);
    expect(refusalOf(() => checkIpRanges(['::1', 'here', 'there']))).toMatch(/ipRanges\[1\] must be/);
  });

  it('are loosened by an entry that was not there before, and by taking them all away', () => {
    expect(isLoosened(['::1'], ['::1', '::2'])).toBe(true);
    expect(isLoosened(['::1', '::2'], ['::2', '::3'])).toBe(true);
    expect(isLoosened(['::1'], [])).toBe(true);
    expect(isLoosened(['::1', '::2'], ['::1'])).toBe(false);
    expect(isLoosened(['::1'], ['::1'])).toBe(false);
    expect(isLoosened([], ['::1'])).toBe(false);
    expect(isLoosened([], [])).toBe(false);
  });
});

describe('the scopes of a key', () => {
  const check = (scopes: readonly Permission[] | undefined, access: KeyIdentity['access'] = 'scoped') =>
    refusalOf(() => checkScopes(member, access, scopes));

  it('belong to a scoped key, which needs at least one', () => {
    expect(checkScopes(member, 'account', undefined)).toEqual([]);
    expect(checkScopes(member, 'account', [])).toEqual([]);
    expect(check([permit('orders:read', '*')], 'account')).toMatch(/^key\.scopes_not_allowed/);
    expect(check(undefined)).toMatch(/^key\.scope_required scopes is empty/);
    expect(check([])).toMatch(/^key\.scope_required scopes is empty/);
  });

  it('name at least one action and one resource each, and the first that does not is told', () => {
    const good = permit('orders:read', 'a');
    expect(check([good, permit('orders:read')])).toMatch(
      /^key\.scope_required scopes\[1\]\.resources is empty/,
    );
    expect(check([good, good, { actions: [], resources: ['a'] }])).toMatch(
      /^key\.scope_required scopes\[2\]\.actions is empty/,
    );
    expect(check([{ actions: [], resources: [] }, good])).toMatch(
      /^key\.scope_required scopes\[0\]\.actions is empty/,
    );
    expect(check([permit('orders:read')])).toMatch(/^key\.scope_required scopes\[0\]\.resources is empty/);
  });

  it('name actions and patterns that there can be', () => {
    expect(check([permit('orders', 'a')])).toMatch(/^request\.invalid scopes\[0\]\.actions\[0\] must look/);
  });

  it('are refused with all faults at once', () => {
    const faulty = [permit('orders', 'a b')];
    expect(detailOf(() => checkScopes(member, 'scoped', faulty))).toMatch(
      /^scopes\[0\]\.actions\[0\] must .+; scopes\[0\]\.resources\[0\] "a b" may /,
    );
  });

  it('offer one choice of pushing', () => {
    const scopes = (...actions: string[]) => [{ actions, resources: ['a'] }];
    expect(check(scopes('package:push', 'package:pushnew'))).toMatch(
      /^request\.invalid scopes\[0\]\.actions package:push and package:pushnew exclude each other/,
    );
    expect(check([permit('package:push', 'a'), ...scopes('package:pushnew', 'package:pushversion')])).toMatch(
      /scopes\[1\]\.actions/,
    );
    expect(check(scopes('package:push', 'package:push', 'package:unlist'))).toBeNull();
    expect(check([permit('package:push', 'a'), permit('package:pushversion', 'b')])).toBeNull();
  });

  it('lie within the grants of the account, and are kept without repeats', () => {
    expect(check([permit('stock:read', 'a')])).toMatch(/^key\.scope_exceeds_account/);
    expect(detailOf(() => checkScopes(member, 'scoped', [permit('stock:read', 'a')]))).toContain(
      'stock:read on a',
    );
    expect(checkScopes(member, 'scoped', [permit('orders:read', 'a', 'a')])).toEqual([
      permit('orders:read', 'a'),
    ]);
  });

  it('keep their actions at an edit, in whatever order these are written', () => {
    const before = [{ actions: ['orders:read', 'package:push'], resources: ['a'] }];
    const after = [{ actions: ['package:push', 'orders:read', 'orders:read'], resources: ['b'] }];
    expect(refusalOf(() => requireSameActions(before, after))).toBeNull();
    expect(refusalOf(() => requireSameActions(before, [permit('orders:read', 'a')]))).toMatch(
      /^key\.field_immutable scopes must name the same actions/,
    );
    expect(refusalOf(() => requireSameActions(before, [...before, ...before]))).toMatch(
      /^key\.field_immutable/,
    );
  });

  it('are narrowed when anything is allowed no more', () => {
    expect(isNarrowed([permit('orders:read', 'a', 'b')], [permit('orders:read', 'a')])).toBe(true);
    expect(isNarrowed([permit('orders:read', 'a')], [permit('orders:read', 'a', 'b')])).toBe(false);
  });
});

describe('the lifetime of a key', () => {
  const settings = (some: Partial<Settings>) => some as Settings;

  it('is one of the choices, and no other', () => {
    const choices = settings({
      customLifetimes: false,
      lifetimeChoicesDays: [1, 90],
      defaultLifetimeDays: 90,
    });
    expect(chooseLifetimeDays(choices, undefined)).toBe(90);
    expect(chooseLifetimeDays(choices, 1)).toBe(1);
    expect(refusalOf(() => chooseLifetimeDays(choices, 2))).toBe(
      'key.lifetime_not_allowed lifetimeDays must be one of 1, 90',
    );
    expect(maxLifetimeDays(choices)).toBe(90);
  });

  it('is any number of days up to the longest, where the workspace allows for that', () => {
    const custom = settings({ customLifetimes: true, maxLifetimeDays: 30, lifetimeChoicesDays: [90] });
    expect([1, 30].map((days) => chooseLifetimeDays(custom, days))).toEqual([1, 30]);
    for (const days of [0, 31, 90])
      expect(refusalOf(() => chooseLifetimeDays(custom, days))).toBe(
        'key.lifetime_not_allowed lifetimeDays must be a whole number from 1 to 30',
      );
    expect(maxLifetimeDays(custom)).toBe(30);
  });

  it('ends at the very instant that was told', () => {
    expect(expiryOf(5, 2)).toBe(5 + 2 * 86_400_000);
    expect([isExpired(10, 9), isExpired(10, 10), isExpired(10, 11), isExpired(null, 10)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('the state of a key', () => {
  const at = (expiresAt: number | null, isEnabled = true) =>
    statusOf({ isEnabled, current: { expiresAt } } as ApiKey, 1_000 * DAY_MS, [3, 10]);

  it('is expiring from the first day of notice on', () => {
    expect(noticeMsOf([3, 10])).toBe(10 * DAY_MS);
    expect(noticeMsOf([])).toBe(0);
    expect(at(1_010 * DAY_MS)).toBe('expiring');
    expect(at(1_010 * DAY_MS + 1)).toBe('active');
    expect(at(1_000 * DAY_MS)).toBe('expired');
    expect(at(null)).toBe('active');
  });

  it('is disabled before all else', () => {
    expect(at(1_000 * DAY_MS, false)).toBe('disabled');
    expect(at(null, false)).toBe('disabled');
  });
});

describe('the shape of a key', () => {
  const SECRET = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
  const ID = 'kr_0123456789ABCDEF';
  const rightFor = (id: string, secret = SECRET) => `${secret}${checksumOf(id, secret)}`;
  const isPair = (id: string, secret = SECRET) => parsePair(id, new Secret(rightFor(id, secret))) !== null;
  const isWhole = (text: string) => parseFullKey(new Secret(text)) !== null;

  it('is right in both halves, whatever their checksum says', () => {
    expect(isPair(ID)).toBe(true);
    for (const id of ['kr_short', `${ID}x`, `X${ID}`, ID.toUpperCase(), 'k_0123456789ABCDEF', ''])
      expect(isPair(id), id).toBe(false);
    for (const secret of [SECRET.replace('a', '-'), SECRET.slice(1), `${SECRET}x`])
      expect(isPair(ID, secret), secret).toBe(false);
  });

  it('has a low line between the halves, and may have blanks around it', () => {
    expect(isWhole(`${ID}_${rightFor(ID)}`)).toBe(true);
    expect(isWhole(` ${ID}_${rightFor(ID)}\r\n`)).toBe(true);
    expect(isWhole(`${ID}-${rightFor(ID)}`)).toBe(false);
    expect(isWhole(`_${rightFor('')}`)).toBe(false);
  });

  it('is known from its beginning, and only there', () => {
    expect(hasFullKeyShape(` ${ID}_x`)).toBe(true);
    expect(hasFullKeyShape(`X${ID}_x`)).toBe(false);
    expect(hasFullKeyShape(ID)).toBe(false);
  });

  it('tells nothing of its digests to who decides', () => {
    const generation = { number: 3, digest: 'd', pepperId: 'p', expiresAt: 5 };
    const decisive = { ownerId: 'acc_1', comment: 'CI', access: 'full', scopes: [], limits: null } as const;
    const key = { id: ID, ...decisive, isEnabled: true, current: generation } as unknown as ApiKey;
    expect(toKeyIdentity(key, generation)).toEqual({ id: ID, ...decisive, generation: 3, expiresAt: 5 });
  });
});

describe('whose keys somebody reaches', () => {
  it('is all for an administrator, and his own and those that he manages for a member', () => {
    for (const intent of ['read', 'write'] as const) {
      expect(canReachKeys(sessionOf('admin'), 'acc_bob', intent)).toBe(true);
      expect(canReachKeys(sessionOf('member'), 'acc_bob', intent)).toBe(false);
      expect(canReachKeys(sessionOf('member'), 'acc_ada', intent)).toBe(true);
      expect(canReachKeys(sessionOf('member', ['acc_bot']), 'acc_bot', intent)).toBe(true);
    }
    expect(visibleAccountIds(sessionOf('admin'))).toBeNull();
    expect(visibleAccountIds(sessionOf('member', ['acc_bot']))).toEqual(['acc_ada', 'acc_bot']);
  });

  it('is what its scopes say for a key: reading is no writing', () => {
    const reader = keyOf([permit('iam:keys:read', 'acc_bob')]);
    const writer = keyOf([permit('iam:keys:write', 'acc_bob')]);
    expect(canReachKeys(reader, 'acc_bob', 'read')).toBe(true);
    expect(canReachKeys(reader, 'acc_bob', 'write')).toBe(false);
    expect(canReachKeys(reader, 'acc_eve', 'read')).toBe(false);
    expect(canReachKeys(writer, 'acc_bob', 'read')).toBe(true);
    expect(canReachKeys(writer, 'acc_bob', 'write')).toBe(true);
    expect(canReachKeys(keyOf([permit('orders:read', '*')]), 'acc_ada', 'read')).toBe(false);
  });

  it('is in a list what can be read, named one by one or all', () => {
    expect(visibleAccountIds(keyOf([permit('iam:keys:read', '*')]))).toBeNull();
    expect(
      visibleAccountIds(
        keyOf([permit('iam:keys:read', 'acc_bob', 'acc_z*'), permit('orders:read', 'acc_eve')]),
      ),
    ).toEqual(['acc_bob']);
  });

  it('is told apart from what there is not only for who may read it', () => {
    const reader = callerOf(keyOf([permit('iam:keys:read', 'acc_bob')]));
    expect(requireReach(reader, 'acc_bob', 'read')).toBe(reader.principal);
    expect(refusalOf(() => requireReach(reader, 'acc_bob', 'write'))).toBe('key.write_not_permitted');
    expect(refusalOf(() => requireReach(reader, 'acc_eve', 'write'))).toBe('request.not_found');
    expect(refusalOf(() => requireReach(reader, 'acc_eve', 'read'))).toBe('request.not_found');
    expect(refusalOf(() => requireReach(reader, null, 'write'))).toBe('request.not_found');
    expect(detailOf(() => requireReach(reader, null, 'read'))).toBe(
      detailOf(() => requireReach(reader, 'acc_eve', 'write')),
    );
    expect(detailOf(() => requireReach(reader, null, 'read'))).toContain('or you may not see it');
    // Whoever may reach all accounts reaches none that there is not.
    const all = callerOf(keyOf([permit('iam:keys:write', '*')]));
    expect(requireReach(all, 'acc_eve', 'write')).toBe(all.principal);
    expect(refusalOf(() => requireReach(all, null, 'write'))).toBe('request.not_found');
    expect(refusalOf(() => requireReach(callerOf({ kind: 'anonymous' }), 'acc_bob', 'read'))).toBe(
      'auth.required',
    );
  });

  it('goes with knowing how the account is called, as does to act for it', () => {
    expect(mayKnowName(keyOf([]), 'acc_owner')).toBe(true);
    expect(mayKnowName(keyOf([]), 'acc_bob')).toBe(false);
    expect(mayKnowName(keyOf([permit('iam:keys:read', 'acc_bob')]), 'acc_bob')).toBe(true);
    expect(mayKnowName(keyOf([permit('iam:accounts:read', 'acc_bob')]), 'acc_bob')).toBe(true);
    expect(mayKnowName(sessionOf('member'), 'acc_bob')).toBe(false);
    expect(mayKnowName(sessionOf('member'), 'acc_ada')).toBe(true);
  });
});

describe('who makes a key', () => {
  it('hands on no right that its own key lacks; a person may', () => {
    const key = keyOf([permit('orders:read', 'a')]);
    expect(refusalOf(() => requireCallerHolds(key, [permit('orders:read', 'a')]))).toBeNull();
    expect(refusalOf(() => requireCallerHolds(key, [permit('orders:read', 'b')]))).toBe(
      'key.scope_exceeds_caller',
    );
    expect(detailOf(() => requireCallerHolds(key, [permit('orders:read', 'b')]))).toContain(
      'orders:read on b',
    );
    expect(refusalOf(() => requireCallerHolds(sessionOf('member'), [permit('stock:read', '*')]))).toBeNull();
  });

  it('has no limits himself, but for the secret of his own key', () => {
    const limits = { quotas: [] } as unknown as NonNullable<KeyIdentity['limits']>;
    const limited = callerOf(keyOf([], { limits }));
    expect(refusalOf(() => requireUnlimitedCaller(limited))).toBe('key.limits_exceed_caller');
    expect(refusalOf(() => requireUnlimitedCaller(limited, 'kr_other'))).toBe('key.limits_exceed_caller');
    expect(refusalOf(() => requireUnlimitedCaller(limited, 'kr_own'))).toBeNull();
    expect(refusalOf(() => requireUnlimitedCaller(callerOf(keyOf([]))))).toBeNull();
    expect(refusalOf(() => requireUnlimitedCaller(callerOf(sessionOf('member'))))).toBeNull();
  });

  it('gives at most its scopes, or the grants of its account but those on the authority itself', () => {
    expect(rightsOfNewKey(member, 'scoped', [permit('orders:read', 'a')])).toEqual([
      permit('orders:read', 'a'),
    ]);
    expect(rightsOfNewKey(member, 'account', [])).toEqual([
      { actions: ['package:*', 'orders:read'], resources: ['*'] },
    ]);
  });
});
