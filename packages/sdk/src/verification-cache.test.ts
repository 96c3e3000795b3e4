import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RevocationLease } from './revocation-lease.ts';
import { VerificationCache } from './verification-cache.ts';
import type { KeyAnswer, VerifyAnswer } from './verify-key.ts';

const NOON = Date.UTC(2027, 2, 1, 12, 0, 0);
const SECRET = 'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';

const VALID: VerifyAnswer = {
  valid: true,
  code: 'valid',
  keyId: 'kr_0123456789ABCDEF',
  account: { id: 'acc_1', kind: 'service', displayName: 'CI', login: 'ci' },
  access: 'scoped',
  scopes: [{ actions: ['package:push'], resources: ['*'] }],
  expiresAt: null,
  freshness: { source: 'database', ageMs: 0 },
};
const NOBODY: VerifyAnswer = {
  valid: false,
  code: 'not_found',
  keyId: null,
  account: null,
  access: null,
  scopes: null,
  expiresAt: null,
  freshness: { source: 'database', ageMs: 0 },
};

let now: number;
let lease: RevocationLease;
let ask: ReturnType<typeof vi.fn<(question: unknown, signal?: AbortSignal) => Promise<KeyAnswer>>>;
let cache: VerificationCache;

beforeEach(() => {
  now = 0;
  lease = new RevocationLease({ monotonic: () => now, wall: () => NOON + now });
  ask = vi.fn(() => Promise.resolve(answerOf(VALID)));
  cache = new VerificationCache({
    ask,
    lease,
    monotonic: () => now,
    limits: { entriesMax: 3, maxAgeMs: 60_000 },
  });
  lease.begin();
  lease.open(0);
  tell(1);
});

/** Always another object, as from the wire. */
function answerOf(answer: VerifyAnswer, isKeepable = true): KeyAnswer {
  return { answer: structuredClone(answer), isKeepable };
}

function tell(epoch: number): void {
  lease.accept({ workspaceId: 'wsp_1', epoch, readAtMs: now, at: NOON + now });
}

function pass(ms: number, epoch = 1): void {
  now += ms;
  tell(epoch);
}

const verify = (key = SECRET, rest: object = {}) => cache.verify({ key, ...rest });

describe('an answer', () => {
  it('is used again for the same question while nothing is revoked', async () => {
    for (let times = 0; times < 5; times += 1) {
      expect(await verify()).toEqual(VALID);
      pass(480);
    }
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('is not kept when its server may not yet have known of the last revocation', async () => {
    const fromMemory = (ageMs: number) => answerOf({ ...VALID, freshness: { source: 'lease', ageMs } });
    pass(300, 2);
    pass(200, 2);
    ask.mockImplementation(() => Promise.resolve(fromMemory(201)));
    for (let times = 1; times <= 3; times += 1) {
      await verify();
      expect(ask).toHaveBeenCalledTimes(times);
    }
    ask.mockImplementation(() => Promise.resolve(fromMemory(200)));
    for (let times = 1; times <= 3; times += 1) await verify();
    expect(ask).toHaveBeenCalledTimes(4);
  });

  it('is not used again once anything is revoked', async () => {
    await verify();
    pass(10, 2);
    await verify();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is not used again when the lease is over, and once more after that only if it was asked for anew', async () => {
    await verify();
    now += 2_000;
    await verify();
    await verify();
    expect(ask).toHaveBeenCalledTimes(3);
  });

  it('is not used again in another stream with the same epoch', async () => {
    await verify();
    lease.end();
    lease.begin();
    lease.open(now);
    tell(1);
    await verify();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is not kept when something was revoked while it was on its way', async () => {
    ask.mockImplementationOnce(async () => {
      pass(10, 2);
      return answerOf(VALID);
    });
    await verify();
    await verify();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is only for the same key, action, resource and address', async () => {
    const questions = [
      { key: SECRET },
      { key: `${SECRET}x` },
      { key: SECRET, action: 'package:push' },
      { key: SECRET, action: 'package:push', resource: 'A' },
      { key: SECRET, resource: 'package:push' },
      { key: SECRET, ip: '192.0.2.1' },
      { apiKey: SECRET, secretKey: '' },
      { apiKey: '', secretKey: SECRET },
    ];
    for (const question of questions) await cache.verify(question);
    expect(ask).toHaveBeenCalledTimes(questions.length);
  });

  it('is not used beyond the expiry of the key, by the clock of the server', async () => {
    ask.mockImplementation(() =>
      Promise.resolve(answerOf({ ...VALID, expiresAt: new Date(NOON + 1_000).toISOString() })),
    );
    await verify();
    pass(999);
    await verify();
    expect(ask).toHaveBeenCalledTimes(1);
    pass(1);
    await verify();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is asked for anew after its greatest age, so that the server hears of the use', async () => {
    await verify();
    for (let passed = 0; passed < 60_000; passed += 1_000) pass(1_000);
    await verify();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it.each<[string, KeyAnswer]>([
    ['that counts against a limit', answerOf({ ...VALID, valid: false, code: 'rate_limited' })],
    ['that the server says is for one question', answerOf(VALID, false)],
    [
      'of a code that this release does not know',
      answerOf({ ...VALID, valid: false, code: 'odd' as 'disabled' }),
    ],
  ])('is never kept: one %s', async (_name, answer) => {
    ask.mockImplementation(() => Promise.resolve(answer));
    await verify();
    await verify();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is shared by those who ask at the same time, unless it counts one use: then each asks for himself', async () => {
    for (const [isKeepable, times] of [
      [true, 1],
      [false, 3],
    ] as const) {
      cache.clear();
      ask.mockClear();
      const gate = Promise.withResolvers<KeyAnswer>();
      ask.mockImplementation(() => gate.promise);
      const answers = [verify(), verify(), verify()];
      // Until all three stand where the first one asks: the name of a question takes a turn of another thread.
      await vi.waitFor(() => expect(ask).toHaveBeenCalled());
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      gate.resolve(answerOf(VALID, isKeepable));
      await Promise.all(answers);
      expect(ask).toHaveBeenCalledTimes(times);
    }
  });

  it('cannot be changed by one of those who get it', async () => {
    const answer = await verify();
    expect(() => {
      answer.code = 'disabled';
    }).toThrow(TypeError);
    expect(() => answer.scopes?.push({ actions: ['iam:*'], resources: ['*'] })).toThrow(TypeError);
  });
});

describe('a refusal', () => {
  beforeEach(() => {
    ask.mockImplementation(() => Promise.resolve(answerOf(NOBODY)));
  });

  it('is kept for a second', async () => {
    await verify();
    pass(999);
    await verify();
    expect(ask).toHaveBeenCalledTimes(1);
    pass(1);
    await verify();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('never puts a good answer out, however many texts come that are no keys', async () => {
    ask.mockImplementationOnce(() => Promise.resolve(answerOf(VALID)));
    await verify();
    for (let index = 0; index < 1_000; index += 1) await verify(`random ${index}`);
    const before = ask.mock.calls.length;
    expect(await verify()).toEqual(VALID);
    expect(ask).toHaveBeenCalledTimes(before);
  });
});

describe('the cache', () => {
  it('has a bound; what was used last stays', async () => {
    for (const key of ['a', 'b', 'c']) await verify(key);
    await verify('a');
    await verify('d');
    ask.mockClear();
    await verify('a');
    expect(ask).not.toHaveBeenCalled();
    await verify('b');
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('counts a large answer as several, so that keys with many patterns do not fill the memory', async () => {
    const withPatterns = (characters: number): VerifyAnswer => ({
      ...VALID,
      scopes: [{ actions: ['report:read'], resources: ['x'.repeat(characters)] }],
    });
    await verify('a');
    await verify('b');
    ask.mockImplementationOnce(() => Promise.resolve(answerOf(withPatterns(3_000))));
    await verify('large');
    ask.mockImplementationOnce(() => Promise.resolve(answerOf(withPatterns(30_000))));
    await verify('larger than all');
    ask.mockClear();
    for (const key of ['large', 'b']) await verify(key);
    expect(ask).not.toHaveBeenCalled();
    await verify('larger than all');
    await verify('a');
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('asks once for all who ask the same at the same time', async () => {
    const { promise, resolve } = Promise.withResolvers<KeyAnswer>();
    ask.mockImplementation(() => promise);
    const all = Array.from({ length: 50 }, () => verify());
    await vi.waitFor(() => expect(ask).toHaveBeenCalled());
    resolve(answerOf(VALID));
    expect(new Set(await Promise.all(all)).size).toBe(1);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('asks anew for whoever comes after a revocation, while a question from before it is on its way', async () => {
    const slow = Promise.withResolvers<KeyAnswer>();
    ask.mockImplementationOnce(() => slow.promise);
    const before = verify();
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(1));
    pass(10, 2);
    ask.mockImplementationOnce(() => Promise.resolve(answerOf({ ...VALID, valid: false, code: 'disabled' })));
    expect(await verify()).toMatchObject({ valid: false });
    slow.resolve(answerOf(VALID));
    await before;
    expect(await verify()).toMatchObject({ valid: false });
  });

  it('goes on for the others when one who asks the same gives up', async () => {
    const { promise, resolve } = Promise.withResolvers<KeyAnswer>();
    ask.mockImplementation(() => promise);
    const stop = new AbortController();
    const given = cache.verify({ key: SECRET }, stop.signal);
    const other = verify();
    await vi.waitFor(() => expect(ask).toHaveBeenCalled());
    stop.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    resolve(answerOf(VALID));
    expect(await other).toEqual(VALID);
  });

  it('asks nothing for one who gives up before there is a question: nobody would take its failure', async () => {
    ask.mockImplementation(() => Promise.reject(new Error('away')));
    const stop = new AbortController();
    const given = cache.verify({ key: SECRET }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect(ask).not.toHaveBeenCalled();
  });

  it('hands on why nothing came, and keeps nothing of it', async () => {
    ask.mockImplementationOnce(() => Promise.reject(new Error('away')));
    await expect(verify()).rejects.toThrow('away');
    expect(await verify()).toEqual(VALID);
  });

  it('holds no credential', async () => {
    await verify();
    expect(inspect(cache, { depth: 20, showHidden: true })).not.toContain(SECRET.slice(4, 40));
  });
});
