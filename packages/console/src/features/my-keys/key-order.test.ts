import type { Key } from '@keyreeve/sdk';
import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../format/dates.ts';
import { isShownBy, type KeyOrder, lifeElapsed, orderKeys, wasUsedWithOldSecret } from './key-order.ts';

const NOW = Date.parse('2026-11-22T14:05:00Z');
const inDays = (days: number) => new Date(NOW + days * DAY_MS).toISOString();

function key(comment: string, part: Partial<Key>): Key {
  const common = { comment, status: 'active', lifetimeDays: 90, overlapEndsAt: null, lastUsedAt: null };
  return { ...common, createdAt: inDays(-30), expiresAt: inDays(60), ...part } as Key;
}

const keys = [
  key('Key 10', { expiresAt: inDays(40), createdAt: inDays(-1), lastUsedAt: inDays(-2) }),
  key('never ends', { expiresAt: null }),
  key('long dead', { status: 'expired', expiresAt: inDays(-20) }),
  key('Key 9', { status: 'disabled', expiresAt: inDays(30), lastUsedAt: inDays(-1) }),
  key('dying', { status: 'expiring', expiresAt: inDays(6) }),
  key('just dead', { status: 'expired', expiresAt: inDays(-1) }),
];
const namesBy = (order: KeyOrder) => orderKeys(keys, order, 'en').map(({ comment }) => comment);

describe('keys are ordered', () => {
  test('by expiry: what stops next, then what stopped last, then the others, those without an end last', () => {
    expect(namesBy('expiry')).toEqual(['dying', 'just dead', 'long dead', 'Key 9', 'Key 10', 'never ends']);
  });

  test('by name, with numbers as numbers', () => {
    expect(namesBy('name')).toEqual(['dying', 'just dead', 'Key 9', 'Key 10', 'long dead', 'never ends']);
  });

  test('by last use and by age, the latest first', () => {
    expect(namesBy('use').slice(0, 2)).toEqual(['Key 9', 'Key 10']);
    expect(namesBy('age')[0]).toBe('Key 10');
  });
});

test('expired and expiring keys need attention', () => {
  const shown = keys.filter((one) => isShownBy('attention', one)).map(({ comment }) => comment);
  expect(shown).toEqual(['long dead', 'dying', 'just dead']);
});

test('the elapsed part of a life is counted from its beginning and stays within it', () => {
  expect(lifeElapsed(key('half', { expiresAt: inDays(45) }), NOW)).toBe(0.5);
  expect(lifeElapsed(key('over', { expiresAt: inDays(-5) }), NOW)).toBe(1);
  expect(lifeElapsed(key('endless', { expiresAt: null }), NOW)).toBeNull();
  const imported = key('imported', { lifetimeDays: null, createdAt: inDays(-10), expiresAt: inDays(30) });
  expect(lifeElapsed(imported, NOW)).toBe(0.25);
});

describe('a last use came with the old secret', () => {
  const regenerated = { overlapEndsAt: inDays(1), expiresAt: inDays(90) };

  test('only if it was before the new one was made', () => {
    expect(wasUsedWithOldSecret(key('x', { ...regenerated, lastUsedAt: inDays(-0.5) }))).toBe(true);
    expect(wasUsedWithOldSecret(key('x', { ...regenerated, lastUsedAt: inDays(0.5) }))).toBe(false);
  });

  test('never without an overlap or a use', () => {
    const lastUsedAt = inDays(-0.5);
    expect(wasUsedWithOldSecret(key('x', { ...regenerated, overlapEndsAt: null, lastUsedAt }))).toBe(false);
    expect(wasUsedWithOldSecret(key('x', regenerated))).toBe(false);
  });
});
