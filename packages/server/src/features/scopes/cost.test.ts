import { describe, expect, it } from 'vitest';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { dropCoveredActions, restrictToActions } from './narrow.ts';
import { matchesPattern } from './pattern.ts';
import { effectivePermissions, findExcess, isPermitted } from './rights.ts';

/**
 * Everything here is within the limits of scopes (50 entries, 50 actions each, 100 patterns of 128 characters), so any
 * member may store it in a key of his own. The bounds are far above what the work takes, and far below what it took
 * when its parts were multiplied: seconds, in which the server answers nobody.
 */
const BOUND_MS = 100;

/** The best of three, in processor time: a machine that is busy must not fail this, nor code that is cold. */
function leastCpuMs(work: () => void): number {
  const times = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}

const actions = Array.from({ length: 50 }, (_, index) => `package:a${index}`);
/** Each nearly matches long runs of `a`, at every place anew. */
const hostile = Array.from({ length: 99 }, (_, index) => `*${'a'.repeat(60)}b${index}*`);
const runs = Array.from({ length: 100 }, (_, index) => `${'a'.repeat(124)}x${index}`);
/** 2,500 different actions on the same two resources. */
const many: readonly Permission[] = Array.from({ length: 50 }, (_, entry) => ({
  actions: actions.map((action) => `${action}-${entry}`),
  resources: ['a', 'b'],
}));

describe('what a member may store costs no noticeable time', () => {
  it('when the scopes of a key are compared with the ones before', () => {
    const before = [{ actions, resources: runs }];
    const after = [{ actions, resources: [...hostile, '*'] }];
    expect(leastCpuMs(() => expect(findExcess(after, before)).toBeNull())).toBeLessThan(BOUND_MS);
    const spread = runs
      .slice(0, 50)
      .map((run, index) => ({ actions, resources: [run, runs[index + 50] ?? ''] }));
    const within = hostile.slice(0, 49).map((pattern, index) => ({
      actions,
      resources: [pattern, hostile[index + 49] ?? '*'],
    }));
    const held = [...within, { actions, resources: ['*'] }];
    expect(leastCpuMs(() => expect(findExcess(held, spread)).toBeNull())).toBeLessThan(BOUND_MS);
    expect(leastCpuMs(() => expect(findExcess(many, many)).toBeNull())).toBeLessThan(BOUND_MS);
  });

  it('when one action on a long resource is asked for', () => {
    const scopes = [{ actions: ['stock:read'], resources: hostile }];
    const resource = 'a'.repeat(1_024);
    expect(leastCpuMs(() => expect(isPermitted(scopes, 'stock:read', resource)).toBe(false))).toBeLessThan(
      20,
    );
  });

  it('when a token tells, narrows or names its rights', () => {
    const account = { isActive: true, role: 'member', grants: many } as unknown as AccountIdentity;
    const key = { access: 'scoped', scopes: many } as unknown as KeyIdentity;
    let rights: readonly Permission[] = [];
    expect(leastCpuMs(() => (rights = effectivePermissions(account, key)))).toBeLessThan(BOUND_MS);
    const names = rights.flatMap((permission) => permission.actions);
    expect(names).toHaveLength(2_500);
    expect(leastCpuMs(() => expect(dropCoveredActions(names)).toEqual(names))).toBeLessThan(BOUND_MS);
    const asked = names.slice(-100);
    expect(leastCpuMs(() => restrictToActions(rights, asked))).toBeLessThan(BOUND_MS);
  });
});

describe('the matcher', () => {
  it.each([
    ['one long piece in runs', `*${'a'.repeat(60)}b*`],
    ['a piece that fails at its beginning', `*b${'a'.repeat(100)}c*`],
    ['a piece with a period', `*${'ab'.repeat(50)}c*`],
    ['short pieces', `${'*aab'.repeat(30)}*c`],
  ])('takes no longer than the text is long: %s', (_name, pattern) => {
    const name = `${'ab'.repeat(20_000)}${'a'.repeat(40_000)}`;
    expect(leastCpuMs(() => expect(matchesPattern(pattern, name, false)).toBe(false))).toBeLessThan(10);
  });
});
