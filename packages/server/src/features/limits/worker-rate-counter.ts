import type { Cluster, Worker } from 'node:cluster';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { MemoryRateCounter, type RateCount, type RateCounter } from './rate-counter.ts';

interface Question {
  readonly kind: 'count requests';
  readonly id: number;
  readonly requests: readonly { readonly name: string; readonly windowMs: number }[];
}

interface Answer {
  readonly kind: 'requests counted';
  readonly id: number;
  readonly counts: readonly RateCount[];
}

/** How a worker talks to the process that started it. */
export interface ParentChannel {
  send(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
}

function isOfKind(message: unknown, kind: string): boolean {
  return typeof message === 'object' && message !== null && Reflect.get(message, 'kind') === kind;
}

const isQuestion = (message: unknown): message is Question => isOfKind(message, 'count requests');
const isAnswer = (message: unknown): message is Answer => isOfKind(message, 'requests counted');

/** Counts for all workers of a machine. To be called once, in the process that starts them, before it does. */
export function serveRateCounters(cluster: Pick<Cluster, 'on'>, clock: Clock = systemClock): void {
  const counter = new MemoryRateCounter(clock);
  cluster.on('message', (worker: Worker, message: unknown) => {
    if (!isQuestion(message) || !worker.isConnected()) return;
    const counts = message.requests.map(({ name, windowMs }) => counter.countNow(name, windowMs));
    const answer: Answer = { kind: 'requests counted', id: message.id, counts };
    // A worker that has just ended needs no answer.
    worker.send(answer, () => {});
  });
}

interface Waiting {
  readonly name: string;
  readonly windowMs: number;
  readonly resolve: (count: RateCount) => void;
}

// One message for all requests of a turn; a process takes about 100,000 messages a second.
const QUESTIONS_MAX = 1_000;

/** Asks the process that started this worker, which counts for all of them. */
export function createWorkerRateCounter(channel: ParentChannel): RateCounter {
  const asked = new Map<number, readonly Waiting[]>();
  let gathered: Waiting[] = [];
  let lastId = 0;

  channel.onMessage((message) => {
    if (!isAnswer(message)) return;
    const waiting = asked.get(message.id);
    asked.delete(message.id);
    for (const [index, count] of message.counts.entries()) waiting?.[index]?.resolve(count);
  });

  const ask = (): void => {
    const requests = gathered;
    gathered = [];
    lastId += 1;
    asked.set(lastId, requests);
    // Those of a parent that does not answer were given up long ago.
    if (asked.size > QUESTIONS_MAX) asked.delete(lastId - QUESTIONS_MAX);
    const question: Question = {
      kind: 'count requests',
      id: lastId,
      requests: requests.map(({ name, windowMs }) => ({ name, windowMs })),
    };
    channel.send(question);
  };

  return {
    count: (name, windowMs) =>
      new Promise((resolve) => {
        gathered.push({ name, windowMs, resolve });
        if (gathered.length === 1) setImmediate(ask);
      }),
    close: async () => asked.clear(),
  };
}
