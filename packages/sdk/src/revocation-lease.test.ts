import { beforeEach, describe, expect, it } from 'vitest';
import { type EpochEvent, RevocationLease } from './revocation-lease.ts';

// The server's monotonic clock counts from somewhere else than ours.
const SERVER_MS = 5_000_000;
const NOON = Date.UTC(2027, 2, 1, 12, 0, 0);

let now: { monotonic: number; wall: number };
let lease: RevocationLease;
beforeEach(() => {
  now = { monotonic: 1_000, wall: NOON };
  lease = new RevocationLease({ monotonic: () => now.monotonic, wall: () => now.wall });
});

function pass(ms: number): void {
  now = { monotonic: now.monotonic + ms, wall: now.wall + ms };
}

function event(epoch: number, elapsedMs: number, rest: Partial<EpochEvent> = {}): EpochEvent {
  return { workspaceId: 'wsp_1', epoch, readAtMs: SERVER_MS + elapsedMs, at: NOON + elapsedMs, ...rest };
}

function begin(): void {
  lease.begin();
  lease.open(SERVER_MS);
}

describe('the lease', () => {
  it('lives for two seconds from the moment that the server has told, not from the arrival of the event', () => {
    begin();
    pass(300);
    lease.accept(event(7, 100));
    pass(1_799);
    expect(lease.current()).not.toBeNull();
    pass(1);
    expect(lease.current()).toBeNull();
  });

  it('is renewed by each timely event, in the same term', () => {
    begin();
    lease.accept(event(7, 0));
    const term = lease.current();
    for (let elapsed = 480; elapsed < 5_000; elapsed += 480) {
      pass(480);
      lease.accept(event(7, elapsed));
    }
    expect(lease.current()).toBe(term);
  });

  it('is not renewed by events that were held back and delivered in one burst', () => {
    begin();
    lease.accept(event(7, 0));
    pass(3_000);
    for (const elapsed of [480, 960]) expect(lease.accept(event(7, elapsed))).toBe(true);
    expect(lease.current()).toBeNull();
  });

  it('is not renewed by late events while the wall clock is set back', () => {
    begin();
    lease.accept(event(7, 0));
    now = { monotonic: now.monotonic + 3_000, wall: now.wall - 60_000 };
    lease.accept(event(7, 480));
    expect(lease.current()).toBeNull();
  });

  it('begins a new term with each new epoch, and with each stream', () => {
    begin();
    lease.accept(event(7, 0));
    const first = lease.current();
    lease.accept(event(8, 0));
    const second = lease.current();
    expect(second).not.toBe(first);
    lease.end();
    expect(lease.current()).toBeNull();
    begin();
    lease.accept(event(8, 0));
    expect(lease.current()).not.toBeNull();
    expect(lease.current()).not.toBe(second);
  });

  it('knows nothing before the first event of a stream', () => {
    begin();
    expect(lease.current()).toBeNull();
    expect(lease.serverNow()).toBeNull();
  });

  it('ends when the machine has slept, which its monotonic clock does not notice', () => {
    begin();
    lease.accept(event(7, 0));
    now = { ...now, wall: now.wall + 60_000 };
    expect(lease.current()).toBeNull();
  });

  it('does not live longer when the wall clock is set back', () => {
    begin();
    lease.accept(event(7, 0));
    now = { monotonic: now.monotonic + 2_000, wall: now.wall - 3_600_000 };
    expect(lease.current()).toBeNull();
  });

  it('ends when the server stamps its events as if no time passed', () => {
    begin();
    for (let beats = 0; beats < 5; beats += 1) {
      lease.accept(event(7, 0));
      pass(480);
    }
    expect(lease.current()).toBeNull();
  });

  it('takes the time of the server a little late rather than early, for keys that expire', () => {
    begin();
    pass(200);
    lease.accept(event(7, 100));
    pass(500);
    expect(lease.serverNow()).toBe(NOON + 100 + 600);
  });
});

describe('a server that contradicts itself is not believed when', () => {
  it.each<[string, EpochEvent]>([
    ['the epoch goes backwards', event(6, 480)],
    ['the time goes backwards', event(7, -1)],
    ['the event comes out of the future', event(7, 60_000)],
    ['it speaks of another workspace', event(7, 480, { workspaceId: 'wsp_2' })],
    ['the epoch is no number', event('7' as unknown as number, 480)],
    ['the epoch is negative', event(-1, 480)],
    ['the epoch is no whole number', event(7.5, 480)],
    ['it says no time', event(7, Number.NaN)],
    ['it says no date', event(7, 480, { at: Number.NaN })],
    ['it names no workspace', event(7, 480, { workspaceId: '' })],
  ])('%s', (_name, lie) => {
    begin();
    lease.accept(event(7, 0));
    pass(480);
    expect(lease.accept(lie)).toBe(false);
  });

  it('it tells an epoch before it has opened the stream, or opens it twice', () => {
    lease.begin();
    expect(lease.accept(event(7, 0))).toBe(false);
    expect(lease.open(SERVER_MS)).toBe(true);
    expect(lease.open(SERVER_MS)).toBe(false);
  });

  it('another stream speaks of another workspace', () => {
    begin();
    lease.accept(event(7, 0));
    lease.end();
    begin();
    expect(lease.accept(event(7, 0, { workspaceId: 'wsp_2' }))).toBe(false);
  });
});
