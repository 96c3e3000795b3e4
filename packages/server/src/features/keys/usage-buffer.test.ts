import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { type Gathered, UsageBuffer } from './usage-buffer.ts';

const BOUNDS = { keysMax: 3, talliesMax: 20, actionsPerKeyMax: 4, actionsMax: 6 };

let now = 1_000 * DAY_MS;
const clock = { now: () => now };
const from = { workspaceId: 'w', ip: '192.0.2.1', userAgent: 'curl' };

function use(keyId: string, action: string | null, outcome = 'valid') {
  return { ...from, keyId, action, outcome };
}

function countsOf({ keys }: Gathered, keyId: string): Record<string, number> {
  const tallies = keys.get(keyId)?.tallies ?? [];
  return Object.fromEntries(tallies.map(({ action, outcome, count }) => [`${action} ${outcome}`, count]));
}

/** The memory that is held by something, after all that is not has been collected. */
function settledHeapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

describe('what is gathered', () => {
  it('counts each action and outcome of a key by itself, whichever way they alternate', () => {
    const buffer = new UsageBuffer(clock);
    for (let round = 0; round < 3; round += 1) {
      for (const action of ['orders:read', 'orders:write', null])
        for (const outcome of ['valid', 'valid', 'insufficient_scope']) buffer.add(use('a', action, outcome));
    }
    expect(countsOf(buffer.take(), 'a')).toEqual({
      'orders:read valid': 6,
      'orders:read insufficient_scope': 3,
      'orders:write valid': 6,
      'orders:write insufficient_scope': 3,
      ' valid': 6,
      ' insufficient_scope': 3,
    });
    expect(buffer.take().keys.size).toBe(0);
  });

  it('keeps the hours apart, also when nothing was written in between', () => {
    const buffer = new UsageBuffer(clock);
    buffer.add(use('a', null));
    now += HOUR_MS;
    buffer.add(use('a', null));
    buffer.add(use('a', null));
    const tallies = buffer.take().keys.get('a')?.tallies;
    expect(tallies?.map(({ count }) => count)).toEqual([1, 2]);
    expect((tallies?.[1]?.hour ?? 0) - (tallies?.[0]?.hour ?? 0)).toBe(1);
  });

  it('knows the first and the last refusal, and the last use', () => {
    const buffer = new UsageBuffer(clock);
    for (const [action, outcome] of [
      ['a:b', 'expired'],
      ['c:d', 'valid'],
      ['e:f', 'disabled'],
      ['g:h', 'ip_not_allowed'],
    ] as const) {
      now += 1;
      buffer.add(use('a', action, outcome));
    }
    expect(buffer.get('a')).toMatchObject({
      firstRefusal: { at: now - 3, reason: 'expired', action: 'a:b', ip: '192.0.2.1' },
      lastUse: { at: now - 2, userAgent: 'curl' },
      lastRefusal: { at: now, reason: 'ip_not_allowed', action: 'g:h' },
    });
  });
});

describe('its bounds', () => {
  it('call what a caller makes up beyond them `other`, for each key and the process, until the next day', () => {
    const buffer = new UsageBuffer(clock, BOUNDS);
    for (let name = 0; name < 7; name += 1) buffer.add(use('a', `made:up${name}`));
    for (let name = 0; name < 4; name += 1) buffer.add(use('b', `made:up${name}`));
    buffer.add(use('b', 'x:'.padEnd(65, 'y')));
    const first = buffer.take();
    expect(countsOf(first, 'a')).toMatchObject({ 'made:up3 valid': 1, 'other valid': 3 });
    expect(countsOf(first, 'b')).toEqual({ 'made:up0 valid': 1, 'made:up1 valid': 1, 'other valid': 3 });
    buffer.add(use('a', 'made:up6'));
    buffer.add(use('a', 'made:up2'));
    expect(countsOf(buffer.take(), 'a')).toEqual({ 'other valid': 1, 'made:up2 valid': 1 });
    now += DAY_MS;
    buffer.add(use('a', 'made:up6'));
    expect(countsOf(buffer.take(), 'a')).toEqual({ 'made:up6 valid': 1 });
  });

  it('keep no more of a request than the names: an action that was cut out of a long address lets go of it', () => {
    const buffer = new UsageBuffer(clock);
    const cut = (index: number, length = 20) =>
      `/v1/authorize?action=${`a:${index}`.padEnd(length, 'x')}&resource=${'y'.repeat(16_000)}`.slice(
        21,
        21 + length,
      );
    const before = settledHeapBytes();
    for (let round = 0; round < 2; round += 1) {
      buffer.take();
      for (let key = 0; key < 1_000; key += 1)
        for (const outcome of ['insufficient_scope', 'valid']) buffer.add(use(`k${key}`, cut(key), outcome));
    }
    for (let key = 0; key < 1_000; key += 1) buffer.add(use(`l${key}`, cut(key, 65), 'insufficient_scope'));
    expect(settledHeapBytes() - before).toBeLessThan(8_000_000);
    expect(buffer.take().keys.size).toBe(2_000);
  });

  it('count keys for which there is no room for their workspace only, and lose nobody’s silently', () => {
    const buffer = new UsageBuffer(clock, BOUNDS);
    for (const keyId of ['a', 'b', 'c', 'd', 'd']) buffer.add(use(keyId, null));
    for (const workspaceId of ['x', 'y', 'z']) buffer.addUnknown(workspaceId, 'not_found');
    const { keys, workspaces, lost } = buffer.take();
    expect([...keys.keys()]).toEqual(['a', 'b', 'c']);
    expect(workspaces.get('w')).toMatchObject([{ outcome: 'valid', count: 2 }]);
    expect([...workspaces.keys()]).toEqual(['w', 'x', 'y']);
    expect(lost).toBe(1);
  });

  it('hold for the counters of all keys together, while a store does not answer for hours', () => {
    const buffer = new UsageBuffer(clock, BOUNDS);
    for (let hour = 0; hour < 30; hour += 1) {
      now += HOUR_MS;
      buffer.add(use('a', null));
    }
    const { keys, workspaces } = buffer.take();
    expect(keys.get('a')?.tallies).toHaveLength(20);
    expect(workspaces.get('w')).toHaveLength(10);
  });
});
