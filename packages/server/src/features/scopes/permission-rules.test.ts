import { describe, expect, it } from 'vitest';
import { findPermissionFaults, normalizePermissions, PATTERNS_MAX } from './permission-rules.ts';

function patterns(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Package.${index}`);
}

function messages(permissions: Parameters<typeof findPermissionFaults>[0]): string[] {
  return findPermissionFaults(permissions, 'scopes').map((fault) => `${fault.field} ${fault.message}`);
}

describe('findPermissionFaults', () => {
  it('finds none in what the seeds ask for', () => {
    expect(
      messages([{ actions: ['package:push', 'package:unlist'], resources: ['AzureRM.DataFactory*', '*'] }]),
    ).toEqual([]);
    expect(messages([{ actions: ['package:*'], resources: patterns(PATTERNS_MAX) }])).toEqual([]);
    expect(messages([{ actions: ['orders:read'], resources: ['a'.repeat(128)] }])).toEqual([]);
  });

  it('never takes an empty list for everything', () => {
    expect(messages([{ actions: [], resources: ['*'] }])).toEqual([
      expect.stringMatching(/^scopes\[0\]\.actions is empty/),
    ]);
    expect(messages([{ actions: ['package:push'], resources: [] }])).toEqual([
      expect.stringMatching(/^scopes\[0\]\.resources is empty/),
    ]);
  });

  it('counts patterns over the whole key, not over each scope', () => {
    const split = [
      { actions: ['package:push'], resources: patterns(60) },
      { actions: ['package:unlist'], resources: patterns(41) },
    ];
    expect(messages([{ actions: ['package:push'], resources: patterns(101) }])).toEqual([
      'scopes has 101 patterns; at most 100 are allowed',
    ]);
    expect(messages(split)).toEqual(['scopes has 101 patterns; at most 100 are allowed']);
  });

  it.each([
    ['129 characters', 'a'.repeat(129), 'longer than 128'],
    ['the Kelvin sign', '\u212Aey', 'may contain only'],
    ['a blank pattern', '  ', 'may contain only'],
    ['an empty pattern', '', 'is empty'],
    ['a blank within', 'Azure RM', 'may contain only'],
    ['a path', '../secret', 'may contain only'],
  ])('names the offending pattern and its place: %s', (_name, pattern, reason) => {
    const faults = findPermissionFaults(
      [{ actions: ['package:push'], resources: ['Good*', pattern, '*'] }],
      'scopes',
    );
    expect(faults).toHaveLength(1);
    expect(faults[0]?.field).toBe('scopes[0].resources[1]');
    expect(faults[0]?.message).toContain(reason);
    expect(faults[0]?.message).toContain(`"${pattern}"`);
  });

  it('holds a permission that names packages and others to the stricter characters', () => {
    expect(messages([{ actions: ['orders:read', 'package:push'], resources: ['orders/1'] }])).toHaveLength(1);
    expect(messages([{ actions: ['orders:read'], resources: ['orders/1'] }])).toEqual([]);
  });

  it('names an action that is none', () => {
    expect(messages([{ actions: ['package:push', '*', 'Package:Push'], resources: ['*'] }])).toEqual([
      expect.stringMatching(/^scopes\[0\]\.actions\[1\] must look like/),
      expect.stringMatching(/^scopes\[0\]\.actions\[2\] must look like/),
    ]);
  });

  it('limits permissions and actions, and the length of its own answer', () => {
    const one = { actions: ['orders:read'], resources: ['a'] };
    expect(messages(Array.from({ length: 51 }, () => one))).toEqual([
      'scopes has 51 entries; at most 50 are allowed',
    ]);
    const actions = Array.from({ length: 51 }, (_, index) => `orders:a${index}`);
    expect(messages([{ actions, resources: ['a'] }])).toEqual([
      expect.stringContaining('more than 50 actions'),
    ]);
    const worst = messages([
      { actions: ['orders:read'], resources: Array.from({ length: 2_000 }, () => ' '.repeat(1_024)) },
    ]);
    expect(worst.length).toBeLessThanOrEqual(20);
    expect(worst.join('').length).toBeLessThan(8_000);
  });
});

describe('normalizePermissions', () => {
  it('drops repeats and keeps the order', () => {
    expect(normalizePermissions([{ actions: ['b:b', 'a:a', 'b:b'], resources: ['z', 'a', 'z'] }])).toEqual([
      { actions: ['b:b', 'a:a'], resources: ['z', 'a'] },
    ]);
  });
});
