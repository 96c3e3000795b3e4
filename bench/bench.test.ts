import { ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter, type Outcome, rotate } from './harness/contest.ts';
import { checkGate } from './harness/gate.ts';
import { median, spreadOf } from './harness/statistics.ts';
import { readOptions } from './options.ts';
import type { Results } from './report/results.ts';
import { compare, judge } from './report/rows.ts';
import { readPage, readResults, renderAll } from './report/store.ts';
import type { ScaleAt } from './sections/scale.ts';
import { changeLetter, type Subject } from './subjects/subject.ts';
import { readFigures } from './wrk.ts';

/** What is wrong with the server that the gate looks at. */
type Fault = 'none' | 'takes everything' | 'takes what is revoked' | 'takes nothing';

const SECRET = 'abcdefghij';
let server: Server;
let url = '';
/** Told by the path of a request; revoked are the ids that follow. */
const revoked = new Set<string>();

beforeAll(async () => {
  server = createServer(({ url: path = '' }, response) => {
    const [, fault = '', id = '', secret = ''] = path.split('/').map(decodeURIComponent);
    const isRight = secret === SECRET;
    const isLive = isRight && !revoked.has(id);
    const answers: Record<string, boolean> = {
      none: isLive,
      'takes everything': true,
      'takes what is revoked': isRight,
      'takes nothing': false,
    };
    response.end(JSON.stringify({ valid: answers[fault] }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
});

function subjectWith(fault: Fault, canRevoke = true): Subject {
  return {
    name: fault,
    what: '',
    durability: '',
    server: { url, child: new ChildProcess(), readyMs: 0, stop: () => Promise.resolve() },
    make: (count) =>
      Promise.resolve(Array.from({ length: count }, (_, index) => ({ id: `${index}`, secret: SECRET }))),
    load: ({ id, secret }) => ({
      method: 'GET',
      path: `/${encodeURIComponent(fault)}/${id}/${secret}`,
      headers: {},
    }),
    saysYes: async (response) => ((await response.json()) as { valid: boolean }).valid,
    revoke: canRevoke
      ? ({ id }) => {
          revoked.add(id);
          return Promise.resolve();
        }
      : null,
    spoil: ({ id, secret }) => ({ id, secret: changeLetter(secret) }),
  };
}

describe('the gate before any number counts', () => {
  it.each([
    ['none', true, 'wrong secret refused, revoked refused'],
    ['takes everything', false, 'takes a wrong secret'],
    ['takes what is revoked', false, 'wrong secret refused; takes a revoked credential'],
    ['takes nothing', false, 'refuses a live credential'],
  ] as const)('sees a server with the fault: %s', async (fault, hasPassed, remark) => {
    revoked.clear();
    expect(await checkGate(subjectWith(fault))).toEqual({ hasPassed, remark });
  });

  it('does not count one that cannot revoke as passed', async () => {
    const gate = await checkGate(subjectWith('none', false));
    expect(gate).toEqual({ hasPassed: false, remark: 'wrong secret refused; has no way to revoke' });
  });

  it('ends the bench when ours does not pass, and tells of a peer', async () => {
    revoked.clear();
    await expect(enter(subjectWith('takes what is revoked'), 1, true)).rejects.toThrow('revoked');
    revoked.clear();
    const peer = await enter(subjectWith('takes what is revoked'), 1, false);
    expect(peer.gate?.hasPassed).toBe(false);
  });

  it('lets no load in that has a refused credential', async () => {
    revoked.clear();
    revoked.add('1');
    await expect(enter(subjectWith('takes nothing'), 2, false)).rejects.toThrow('refused 0');
    await expect(enter({ ...subjectWith('none'), revoke: null }, 2, false)).rejects.toThrow('refused 1');
  });
});

describe('figures', () => {
  it('takes the middle one, or the mean of the two in the middle, whatever their order', () => {
    expect(median([9, 1, 10])).toBe(9);
    expect(median([10, 1, 2, 9])).toBe(5.5);
    expect(median([100])).toBe(100);
    expect(median([])).toBeNaN();
    expect(spreadOf([3, 20, 1])).toEqual({ median: 3, min: 1, max: 20 });
  });

  it('begins each round with another', () => {
    const rounds = [0, 1, 2, 3].map((round) => rotate(['a', 'b', 'c'], round).join(''));
    expect(rounds).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('compares within a round, so that a slow moment meets both', () => {
    const outcomes = [outcomeAt('Keyreeve verify', [10, 50, 90]), outcomeAt('other', [20, 100, 90])];
    expect(compare(outcomes, 'Keyreeve verify', 'other')?.rate).toEqual({ median: 0.5, min: 0.5, max: 1 });
    expect(compare(outcomes, 'Keyreeve verify', 'nobody')).toBeNull();
  });

  it('reads what was counted, and refuses a round with refusals or lost answers', () => {
    const figures = { requests: 500, microseconds: 2_000_000, p50: 1_500, p99: 9_000, refused: 0, broken: 0 };
    const print = (more: object) => `wrk says\nFIGURES ${JSON.stringify({ ...figures, ...more })}\n`;
    expect(readFigures(print({}))).toEqual({ requests: 500, requestsPerSecond: 250, p50Ms: 1.5, p99Ms: 9 });
    expect(() => readFigures(print({ refused: 1 }))).toThrow('refused 1 requests');
    expect(() => readFigures(print({ broken: 2 }))).toThrow('2 got no answer');
    expect(() => readFigures('Requests/sec: 90000')).toThrow('no figures');
  });
});

/** A server that takes the whole of its core, unless told otherwise. */
function outcomeAt(name: string, rates: readonly number[], busy = 1): Outcome {
  const rounds = rates.map((requestsPerSecond) => ({
    requestsPerSecond,
    p50Ms: 1,
    p99Ms: 2,
    cpuSecondsPer100k: (busy / requestsPerSecond) * 100_000,
  }));
  return {
    name,
    what: '',
    durability: '',
    gate: null,
    credentials: 1,
    connections: 32,
    rounds,
    alone: null,
  };
}

function scaleAt(keys: number, p50Ms: number, residentMib: number): ScaleAt {
  const cost = { p50Ms: [p50Ms], p99Ms: [p50Ms], requestsPerSecond: 1, cpuSecondsPer100k: 1 };
  return {
    keys,
    megabytesOnDisk: 1,
    seedSeconds: 1,
    hot: cost,
    random: cost,
    readyMs: [1_999, 5_000, 1_000],
    memory: { idleMib: 1, verifications: keys, afterMib: residentMib, peakMib: residentMib },
  };
}

describe('the promises', () => {
  const nothing: Results = { ...readResults(), contests: {}, scale: null, console: null };
  const bare = outcomeAt('bare node:http, GET', [100]);

  it('says of what was not measured neither that it holds nor that it does not', () => {
    expect(judge(nothing).map(({ measured, isHeld }) => [measured, isHeld])).toEqual(
      Array.from({ length: 9 }, () => [null, null]),
    );
  });

  it.each([
    [70, 30, 0.1, 299.9, [true, true, true, true, true]],
    [69, 29, 0.14, 300, [false, false, false, true, false]],
  ] as const)('holds at its limit and not beyond it (%s)', (authorize, token, p50, mib, held) => {
    const results: Results = {
      ...nothing,
      contests: {
        authorize: [bare, outcomeAt('Keyreeve authorize', [authorize])],
        tokens: [outcomeAt('oidc-provider token ES256', [20]), outcomeAt('Keyreeve token ES256', [token])],
      },
      scale: [scaleAt(1_000, 0.1, 1), scaleAt(1_000_000, p50, mib)],
    };
    const rows = judge(results);
    expect([0, 3, 4, 6, 7].map((index) => rows[index]?.isHeld)).toEqual(held);
    expect([1, 2, 8].map((index) => rows[index]?.isHeld)).toEqual([null, null, null]);
  });
});

describe('a comparison with a server that had time left', () => {
  it('goes by processor time when that is the lower', () => {
    const held = (busy: number) =>
      judge({
        ...readResults(),
        contests: {
          authorize: [outcomeAt('bare node:http, GET', [100], busy), outcomeAt('Keyreeve authorize', [80])],
        },
      })[0]?.isHeld;
    expect([held(1), held(0.9), held(0.5)]).toEqual([true, true, false]);
  });
});

describe('the pages', () => {
  it.each([...renderAll(readResults()).keys()])('%s says what was measured', (page) => {
    expect(readPage(page)).toBe(renderAll(readResults()).get(page));
  });
});

describe('options', () => {
  it('measures everything among a million keys unless told otherwise', () => {
    const options = readOptions([], {});
    expect(options.sections).toHaveLength(6);
    expect(options.sizes).toEqual([1_000, 1_000_000]);
    expect(readOptions(['--keys', '10000000'], {}).sizes).toEqual([1_000, 1_000_000, 10_000_000]);
    expect(readOptions(['--sections', 'verify'], {}).sections).toEqual(['verify']);
  });

  it('names what it does not understand', () => {
    expect(() => readOptions(['--sections', 'verfy'], {})).toThrow('"verfy"');
    expect(() => readOptions(['--keys', 'many'], {})).toThrow('"many"');
  });
});
