import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EpochLease, type EpochQuestionAnswer } from './epoch-lease.ts';

const OPEN: EpochLease[] = [];
afterEach(() => {
  for (const lease of OPEN.splice(0)) lease.close();
});

/** A process with clocks that the test moves, and a database whose answers come when the test says so. */
class Process {
  monotonic = 1_000_000;
  wall = 5_000_000;
  epoch = 7;
  incarnation = 'first start';
  asked = 0;
  fault: Error | null = null;
  /** What happens between the question and its answer. */
  onTheWay: () => Promise<void> | void = () => {};
  readonly lease: EpochLease;

  constructor(outage: 'refuse' | 'serve') {
    this.lease = new EpochLease({
      ask: async (): Promise<EpochQuestionAnswer> => {
        this.asked += 1;
        const answer = { incarnation: this.incarnation, epochs: new Map([['wsp', this.epoch]]) };
        await this.onTheWay();
        if (this.fault !== null) throw this.fault;
        return answer;
      },
      tellOthers: async () => {},
      monotonic: () => this.monotonic,
      wall: () => this.wall,
      outage,
      onFault: () => {},
    });
    OPEN.push(this.lease);
  }

  pass(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }

  peek(): number | null {
    return this.lease.peek('wsp');
  }
}

let node: Process;
beforeEach(() => {
  node = new Process('refuse');
});

describe('an epoch that was read', () => {
  it('is believed for less than two seconds, and says how old it is', async () => {
    const number = await node.lease.read('wsp');
    expect(node.lease.freshness('wsp')).toEqual({ source: 'lease', ageMs: 0 });
    node.pass(1_999);
    expect(node.peek()).toBe(number);
    expect(node.lease.freshness('wsp')).toEqual({ source: 'lease', ageMs: 1_999 });
    node.pass(1);
    expect(node.peek()).toBeNull();
    expect(node.lease.freshness('wsp')).toEqual({ source: 'database', ageMs: 0 });
  });

  it('is counted from when the question was sent, however late the answer comes', async () => {
    node.onTheWay = () => node.pass(1_500);
    const number = await node.lease.read('wsp');
    node.pass(499);
    expect(node.peek()).toBe(number);
    node.pass(1);
    expect(node.peek()).toBeNull();
  });

  it('is not believed at all when the process was paused until the answer was old', async () => {
    node.onTheWay = () => node.pass(10_000);
    await expect(node.lease.read('wsp')).rejects.toThrow('could not be read in time');
    expect(node.peek()).toBeNull();
  });

  it('ends with a machine that slept, though its monotonic clock stood still', async () => {
    await node.lease.read('wsp');
    node.wall += 2_000;
    expect(node.peek()).toBeNull();
  });

  it('is not believed for longer when the clock of the machine is set back', async () => {
    await node.lease.read('wsp');
    node.monotonic += 2_000;
    node.wall -= 3_600_000;
    expect(node.peek()).toBeNull();
  });

  it('has the number from before when nothing was revoked while it was not asked for', async () => {
    const number = await node.lease.read('wsp');
    node.pass(60_000);
    expect(await node.lease.read('wsp')).toBe(number);
  });

  it('has another number after a failover, even if the epoch is the same', async () => {
    const number = await node.lease.read('wsp');
    node.incarnation = 'second start';
    node.pass(2_000);
    expect(await node.lease.read('wsp')).not.toBe(number);
  });

  it('is asked for once by all who need it at the same moment', async () => {
    const numbers = await Promise.all(Array.from({ length: 50 }, () => node.lease.read('wsp')));
    expect(new Set(numbers).size).toBe(1);
    expect(node.asked).toBeLessThanOrEqual(2);
  });
});

describe('a commit of this process that revokes', () => {
  it('ends the lease at once', async () => {
    const number = await node.lease.read('wsp');
    node.epoch += 1;
    node.lease.announce(['wsp']);
    expect(node.peek()).toBeNull();
    expect(await node.lease.read('wsp')).not.toBe(number);
  });

  it('is not undone by an answer that was on its way', async () => {
    node.onTheWay = () => {
      node.onTheWay = () => {};
      node.epoch += 1;
      node.lease.announce(['wsp']);
    };
    const before = node.lease.ask(['wsp']);
    await before;
    expect(node.peek()).toBeNull();
    await node.lease.read('wsp');
    expect(node.asked).toBe(2);
  });
});

describe('a database that does not answer', () => {
  const failOnce = async (): Promise<void> => {
    node.fault = new Error('Query read timeout');
    await expect(node.lease.ask(['wsp'])).rejects.toThrow('Query read timeout');
  };

  it('ends every lease as soon as that is noticed, with `refuse`', async () => {
    await node.lease.read('wsp');
    await failOnce();
    expect(node.peek()).toBeNull();
    await expect(node.lease.read('wsp')).rejects.toThrow('Query read timeout');
  });

  it('leaves the lease as long as it lasts and no longer, with `serve`', async () => {
    node = new Process('serve');
    const number = await node.lease.read('wsp');
    node.pass(1_900);
    await failOnce();
    expect(node.peek()).toBe(number);
    node.pass(100);
    expect(node.peek()).toBeNull();
    await expect(node.lease.read('wsp')).rejects.toThrow('Query read timeout');
  });
});
