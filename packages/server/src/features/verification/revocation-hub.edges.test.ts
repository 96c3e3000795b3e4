import { createTestClock } from '@keyreeve/testkit';
import type { FastifyBaseLogger } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { requestErrors } from '../../errors/index.ts';
import { authErrors } from '../../http/index.ts';
import type { Storage } from '../../storage/index.ts';
import { createRevocationHub, type RevocationHubDeps, type Subscriber } from './revocation-hub.ts';

const POLL_MS = 240;
const clock = createTestClock();
const epochs = new Map<string, number>();
const logger = { error: vi.fn() };
/** The workspaces of each question. */
const questions: string[][] = [];
const readEpochs = async (workspaceIds: Iterable<string>) => {
  const ids = [...workspaceIds];
  questions.push(ids);
  await Promise.resolve();
  const known = ids.flatMap((id) => (epochs.has(id) ? [[id, epochs.get(id) ?? 0] as const] : []));
  return { epochs: new Map(known), readAtMs: performance.now() };
};
const ask = vi.fn(readEpochs);
const raiseListeners = new Set<() => void>();
const changeListeners = new Set<() => void>();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.advanceTimersByTime(1_000);
  epochs.clear();
  questions.length = 0;
  epochs.set('wsp_1', 5);
  ask.mockReset().mockImplementation(readEpochs);
  logger.error.mockReset();
  raiseListeners.clear();
  changeListeners.clear();
});
afterEach(() => vi.useRealTimers());

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function open(options: Pick<RevocationHubDeps, 'streamsMax' | 'pollMs'> = {}) {
  return createRevocationHub({
    storage: { epochGuard: { ask, changeListeners }, raiseListeners } as unknown as Storage,
    clock,
    logger: logger as unknown as FastifyBaseLogger,
    ...options,
  });
}

interface Reader extends Subscriber {
  readonly send: Mock<Subscriber['send']>;
  readonly readmit: Mock<Subscriber['readmit']>;
  readonly end: Mock<Subscriber['end']>;
}

function addReader(more: Partial<Reader> = {}): Reader {
  return {
    workspaceId: 'wsp_1',
    accountId: 'acc_1',
    credentialId: 'kr_1',
    expiresAt: null,
    send: vi.fn<Subscriber['send']>(() => true),
    readmit: vi.fn<Subscriber['readmit']>(() => Promise.resolve(null)),
    end: vi.fn<Subscriber['end']>(),
    ...more,
  };
}

const told = (reader: Reader) => reader.send.mock.calls.map(([state]) => state.epoch);
const codeOf = (subscribe: () => unknown) => {
  try {
    subscribe();
    return null;
  } catch (error) {
    const { code, headers } = error as { code: string; headers: Record<string, string> };
    return [code, headers['retry-after']];
  }
};

it('the present epoch is asked for, and is 0 where nothing was revoked', async () => {
  const hub = open();
  const at = clock.now();
  const readAtMs = performance.now();
  expect(await hub.read('wsp_1')).toEqual({ workspaceId: 'wsp_1', epoch: 5, readAtMs, at });
  expect(await hub.read('wsp_2')).toEqual({ workspaceId: 'wsp_2', epoch: 0, readAtMs, at });
  expect(questions).toEqual([['wsp_1'], ['wsp_2']]);
});

describe('a subscriber', () => {
  it('is told the present epoch at once, and the same one anew with every second poll', async () => {
    const reader = addReader();
    open().subscribe(reader);
    await later(0);
    const state = { workspaceId: 'wsp_1', epoch: 5, readAtMs: performance.now(), at: clock.now() };
    expect(reader.send.mock.calls).toEqual([[state]]);
    await later(2 * POLL_MS - 1);
    expect(told(reader)).toEqual([5]);
    await later(1);
    expect(told(reader)).toEqual([5, 5]);
    await later(2 * POLL_MS);
    expect(told(reader)).toEqual([5, 5, 5]);
    expect(ask).toHaveBeenCalledTimes(5);
  });

  it('has a beat when one and a half polls have passed, and not before', async () => {
    for (const [ms, beats] of [
      [359, 1],
      [360, 2],
    ] as const) {
      const hub = open();
      const reader = addReader();
      hub.subscribe(reader);
      await later(ms);
      for (const listener of raiseListeners) listener();
      await later(0);
      expect(told(reader)).toHaveLength(beats);
      hub.close();
    }
  });

  it('is polled for as often as is wished', async () => {
    const reader = addReader();
    open({ pollMs: 10 }).subscribe(reader);
    await later(40);
    expect(ask).toHaveBeenCalledTimes(5);
    expect(told(reader)).toEqual([5, 5, 5]);
  });

  it('is told another epoch with the next poll, and the beat begins anew', async () => {
    const reader = addReader();
    open().subscribe(reader);
    await later(0);
    epochs.set('wsp_1', 6);
    await later(POLL_MS);
    expect(told(reader)).toEqual([5, 6]);
    await later(POLL_MS);
    expect(told(reader)).toEqual([5, 6]);
    await later(POLL_MS);
    expect(told(reader)).toEqual([5, 6, 6]);
  });

  it('is told at once when the storage gives a reason to ask', async () => {
    const reader = addReader();
    open().subscribe(reader);
    await later(0);
    for (const listeners of [raiseListeners, changeListeners]) {
      epochs.set('wsp_1', (epochs.get('wsp_1') ?? 0) + 1);
      expect(listeners.size).toBe(1);
      for (const listener of listeners) listener();
      await later(0);
    }
    expect(told(reader)).toEqual([5, 6, 7]);
    await later(POLL_MS - 1);
    expect(ask).toHaveBeenCalledTimes(3);
    await later(1);
    expect(ask).toHaveBeenCalledTimes(4);
  });

  it('is told nothing that was asked for before he came, but what is asked next', async () => {
    let answer: (() => void) | undefined;
    ask.mockImplementation(async (ids) => {
      const asked = await readEpochs(ids);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return asked;
    });
    const hub = open();
    const [first, second] = [addReader(), addReader()];
    hub.subscribe(first);
    await later(1);
    hub.subscribe(second);
    ask.mockImplementation(readEpochs);
    expect(ask).toHaveBeenCalledTimes(1);
    answer?.();
    await later(0);
    expect(ask).toHaveBeenCalledTimes(2);
    const times = [first, second].map(({ send }) => send.mock.calls.map(([{ readAtMs }]) => readAtMs));
    expect(times).toEqual([[performance.now() - 1], [performance.now()]]);
  });

  it('who comes later is greeted alone, and beats with the others', async () => {
    const hub = open();
    const [first, second] = [addReader(), addReader()];
    hub.subscribe(first);
    await later(100);
    hub.subscribe(second);
    await later(0);
    expect([told(first), told(second)]).toEqual([[5], [5]]);
    await later(2 * POLL_MS);
    expect([told(first), told(second)]).toEqual([
      [5, 5],
      [5, 5],
    ]);
  });

  it('of another workspace hears of that one only, and of an unknown one nothing', async () => {
    const hub = open();
    const [one, two, unknown] = ['wsp_1', 'wsp_2', 'wsp_3'].map((workspaceId) => addReader({ workspaceId }));
    epochs.set('wsp_2', 1);
    for (const reader of [one, two, unknown]) if (reader !== undefined) hub.subscribe(reader);
    await later(0);
    epochs.set('wsp_2', 2);
    await later(POLL_MS);
    expect([one, two, unknown].map((reader) => reader && told(reader))).toEqual([[5], [1, 2], []]);
    expect(one?.readmit).not.toHaveBeenCalled();
    expect(two?.readmit).toHaveBeenCalledTimes(1);
  });

  it('is told nothing any more once he has gone, and nobody is polled for then', async () => {
    const hub = open();
    const [one, two] = [addReader(), addReader({ workspaceId: 'wsp_2' })];
    const [leave, leaveToo] = [hub.subscribe(one), hub.subscribe(two)];
    await later(0);
    leave();
    expect([raiseListeners.size, changeListeners.size]).toEqual([1, 1]);
    await later(2 * POLL_MS);
    expect(told(one)).toEqual([5]);
    expect(questions.at(-1)).toEqual(['wsp_2']);
    leaveToo();
    expect([raiseListeners.size, changeListeners.size]).toEqual([0, 0]);
    expect(vi.getTimerCount()).toBe(0);
    expect(one.end).not.toHaveBeenCalled();
    hub.subscribe(one);
    await later(0);
    expect(told(one)).toEqual([5, 5]);
  });

  it('is cut off when he is too slow', async () => {
    const hub = open();
    const [slow, other] = [addReader({ send: vi.fn(() => false) }), addReader()];
    hub.subscribe(slow);
    hub.subscribe(other);
    await later(2 * POLL_MS);
    expect(slow.end.mock.calls).toEqual([[true]]);
    expect(slow.send).toHaveBeenCalledTimes(1);
    expect([told(other), other.end.mock.calls]).toEqual([[5, 5], []]);
  });

  it('is ended when his credential expires', async () => {
    const reader = addReader({ expiresAt: clock.now() + 1 });
    open().subscribe(reader);
    await later(0);
    expect([told(reader), reader.end.mock.calls]).toEqual([[5], []]);
    clock.advance(1);
    await later(2 * POLL_MS);
    expect([told(reader), reader.end.mock.calls]).toEqual([[5], [[false]]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('room for streams', () => {
  const MAX = { perAccount: 2, perWorkspace: 3 };

  it('is bounded for an account and for a workspace, and is free again', () => {
    const hub = open({ streamsMax: MAX });
    const leave = hub.subscribe(addReader());
    hub.subscribe(addReader());
    const tooMany = ['request.too_many', '30'];
    expect(codeOf(() => hub.subscribe(addReader()))).toEqual(tooMany);
    expect(codeOf(() => hub.subscribe(addReader({ accountId: 'acc_2' })))).toBeNull();
    expect(codeOf(() => hub.subscribe(addReader({ accountId: 'acc_3' })))).toEqual(tooMany);
    expect(codeOf(() => hub.subscribe(addReader({ workspaceId: 'wsp_2' })))).toBeNull();
    leave();
    leave();
    expect(codeOf(() => hub.subscribe(addReader()))).toBeNull();
    expect(codeOf(() => hub.subscribe(addReader({ accountId: 'acc_3' })))).toEqual(tooMany);
  });

  it('is counted for each account until its last stream is gone', () => {
    const hub = open({ streamsMax: { perAccount: 2, perWorkspace: 9 } });
    for (let round = 0; round < 3; round += 1) {
      const leaves = [hub.subscribe(addReader()), hub.subscribe(addReader())];
      expect(codeOf(() => hub.subscribe(addReader()))).not.toBeNull();
      const keep = hub.subscribe(addReader({ accountId: 'acc_2' }));
      for (const leave of leaves) leave();
      keep();
    }
  });

  it('is there for five hundred of an account and two thousand of a workspace', () => {
    const hub = open();
    const accounts = ['acc_1', 'acc_2', 'acc_3', 'acc_4'];
    for (const accountId of accounts) {
      for (let number = 0; number < 500; number += 1) hub.subscribe(addReader({ accountId }));
      expect(codeOf(() => hub.subscribe(addReader({ accountId })))).not.toBeNull();
    }
    expect(codeOf(() => hub.subscribe(addReader({ accountId: 'acc_5' })))).not.toBeNull();
  });

  it('is made by the end of all, and is none in a hub that is closed', async () => {
    const hub = open();
    const readers = [addReader(), addReader({ workspaceId: 'wsp_2' })];
    for (const reader of readers) hub.subscribe(reader);
    hub.endAll();
    expect(readers.map(({ end }) => end.mock.calls)).toEqual([[[false]], [[false]]]);
    const last = addReader();
    hub.subscribe(last);
    hub.close();
    expect(last.end.mock.calls).toEqual([[false]]);
    expect(codeOf(() => hub.subscribe(addReader()))).toEqual(['request.unavailable', '1']);
    await later(POLL_MS);
    expect(last.send).not.toHaveBeenCalled();
  });
});

describe('after a revocation', () => {
  const raise = async () => {
    epochs.set('wsp_1', (epochs.get('wsp_1') ?? 0) + 1);
    await later(POLL_MS);
  };

  it('each credential is looked at once, and its streams end later or earlier than before', async () => {
    const hub = open();
    const readmit = vi.fn<Subscriber['readmit']>(() => Promise.resolve(clock.now() + 1));
    const [first, second] = [addReader({ readmit }), addReader({ readmit })];
    const other = addReader({ credentialId: 'kr_2', expiresAt: clock.now() + 1 });
    for (const reader of [first, second, other]) hub.subscribe(reader);
    await later(0);
    expect([readmit, other.readmit].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    await raise();
    expect([readmit, other.readmit].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    await later(4 * POLL_MS);
    expect([readmit, other.readmit].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    clock.advance(1);
    await later(2 * POLL_MS);
    expect([first, second, other].map(({ end }) => end.mock.calls)).toEqual([[[false]], [[false]], []]);
  });

  it('streams of a credential that is no good any more are ended, and no others', async () => {
    for (const refusal of [authErrors.required(), authErrors.kind_not_accepted()]) {
      expect([401, 403]).toContain(refusal.status);
      const hub = open();
      const readmit = vi.fn<Subscriber['readmit']>().mockRejectedValue(refusal);
      const [first, second] = [addReader({ readmit }), addReader()];
      const other = addReader({ credentialId: 'kr_2' });
      for (const reader of [first, second, other]) hub.subscribe(reader);
      await later(0);
      await raise();
      expect([first, second, other].map(({ end }) => end.mock.calls)).toEqual([[[false]], [[false]], []]);
      hub.close();
    }
    expect([authErrors.required().status, authErrors.kind_not_accepted().status]).toEqual([401, 403]);
  });

  it('a credential that could not be looked at is looked at again, until that is over', async () => {
    for (const fault of [requestErrors.unavailable(), new Error('The database is gone.')]) {
      const readmit = vi.fn<Subscriber['readmit']>().mockRejectedValue(fault);
      const reader = addReader({ readmit });
      const hub = open();
      hub.subscribe(reader);
      await later(0);
      await raise();
      await later(POLL_MS);
      expect(readmit).toHaveBeenCalledTimes(2);
      readmit.mockReset().mockResolvedValue(null);
      await later(3 * POLL_MS);
      expect(readmit).toHaveBeenCalledTimes(1);
      expect(reader.end).not.toHaveBeenCalled();
      hub.close();
    }
  });

  it('credentials are looked at by one round at a time, and again when something was revoked meanwhile', async () => {
    let answer: (() => void) | undefined;
    const readmit = vi.fn<Subscriber['readmit']>(
      () =>
        new Promise((resolve) => {
          answer = () => resolve(null);
        }),
    );
    open().subscribe(addReader({ readmit }));
    await later(0);
    await raise();
    await raise();
    expect(readmit).toHaveBeenCalledTimes(1);
    answer?.();
    await later(POLL_MS);
    expect(readmit).toHaveBeenCalledTimes(2);
    answer?.();
    await later(2 * POLL_MS);
    expect(readmit).toHaveBeenCalledTimes(2);
  });
});

describe('while the database does not answer', () => {
  it('nothing is told, and the log says so once for each outage', async () => {
    const reader = addReader();
    open().subscribe(reader);
    await later(0);
    const fault = new Error('The database is gone.');
    for (let outage = 1; outage <= 2; outage += 1) {
      ask.mockRejectedValue(fault);
      const before = reader.send.mock.calls.length;
      await later(4 * POLL_MS);
      expect(reader.send).toHaveBeenCalledTimes(before);
      expect(logger.error).toHaveBeenCalledTimes(outage);
      expect(logger.error).toHaveBeenLastCalledWith({ err: fault }, expect.any(String));
      ask.mockReset().mockImplementation(readEpochs);
      await later(2 * POLL_MS);
      expect(reader.send.mock.calls.length).toBeGreaterThan(before);
    }
  });
});
