import { randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Milliseconds of one request, from its first byte to the last one of the answer. */
export type Ask = (request: string) => Promise<{ readonly ms: number; readonly status: number }>;

const HEAD_END = '\r\n\r\n';

interface Connection {
  readonly ask: Ask;
  readonly isOpen: () => boolean;
  readonly close: () => void;
}

async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  let received = '';
  let isLast = false;
  let pending: { done: (status: number) => void; fail: (error: Error) => void } | null = null;
  socket.setEncoding('latin1').on('data', (part: string) => {
    received += part;
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = received.slice(0, headEnd + 2).toLowerCase();
    const [, length = '0'] = /\r\ncontent-length: (\d+)\r\n/.exec(head) ?? [];
    if (received.length < headEnd + HEAD_END.length + Number(length)) return;
    isLast = head.includes('\r\nconnection: close\r\n');
    received = '';
    pending?.done(Number(head.slice(9, 12)));
  });
  socket.on('error', (error) => pending?.fail(error));
  socket.on('close', () => {
    isLast = true;
    pending?.fail(new Error('The connection was closed before the answer.'));
  });
  return {
    isOpen: () => !isLast,
    ask: async (request) => {
      const startedAt = performance.now();
      const status = await new Promise<number>((done, fail) => {
        pending = { done, fail };
        socket.write(request);
      });
      return { ms: performance.now() - startedAt, status };
    },
    close: () => socket.destroy(),
  };
}

/**
 * One connection that stays open as long as the server lets it, with as little of a client as can be: what that does
 * itself is in each figure.
 */
export async function openAsker(url: string): Promise<{ readonly ask: Ask; readonly close: () => void }> {
  let connection = await openConnection(url);
  return {
    ask: async (request) => {
      if (!connection.isOpen()) connection = await openConnection(url);
      return await connection.ask(request);
    },
    close: () => connection.close(),
  };
}

export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: object;
  readonly form?: Readonly<Record<string, string>>;
}

export function toRequest({ method, path, headers, json, form }: Question): string {
  const body =
    json === undefined
      ? form === undefined
        ? ''
        : new URLSearchParams(form).toString()
      : JSON.stringify(json);
  const type = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
  const all = {
    host: 'localhost:8080',
    ...headers,
    ...(body === '' ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method ?? (body === '' ? 'GET' : 'POST')} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Two questions whose answers must not tell which of them was asked. */
export interface Pair {
  readonly name: string;
  /** The request of each side, made anew for each time it is asked. */
  readonly sides: readonly [one: () => Question, other: () => Question];
  readonly status: number;
  /** Before each request and outside its time: brakes that would stop the tenth are taken off. */
  readonly before?: () => Promise<void>;
}

const SLOWEST = 0.1;
const WARM_UP = 10;

/** Without the slowest tenth: there the garbage collector and the neighbours of the machine are. */
function trim(times: readonly number[]): number[] {
  return times.toSorted((a, b) => a - b).slice(0, Math.ceil(times.length * (1 - SLOWEST)));
}

function momentsOf(times: readonly number[]): { mean: number; variance: number; count: number } {
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const variance = times.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / (times.length - 1);
  return { mean, variance, count: times.length };
}

export interface Difference {
  /** Of Welch's test; beyond 4.5 in either direction the two can be told apart. */
  readonly t: number;
  /** Milliseconds by which the first side takes longer. */
  readonly ms: number;
  /** Milliseconds that an answer takes. */
  readonly meanMs: number;
}

/**
 * Asks so many interleaved pairs, the sides in random order, and compares their times. All requests are written before
 * the first is sent: to make up a random secret right before it is sent leaves the caches colder than to repeat one.
 */
export async function measure(ask: Ask, pair: Pair, pairs: number): Promise<Difference> {
  const times: [number[], number[]] = [[], []];
  const write = (side: 0 | 1) => Array.from({ length: pairs + WARM_UP }, () => toRequest(pair.sides[side]()));
  const requests = [write(0), write(1)] as const;
  for (let round = 0; round < pairs + WARM_UP; round += 1) {
    const first = randomInt(2);
    for (const side of [first, 1 - first] as (0 | 1)[]) {
      await pair.before?.();
      const { ms, status } = await ask(requests[side][round] ?? '');
      if (status !== pair.status)
        throw new Error(`${pair.name}: the answer is ${status}, not ${pair.status}`);
      if (round >= WARM_UP) times[side].push(ms);
    }
  }
  const [one, other] = [momentsOf(trim(times[0])), momentsOf(trim(times[1]))];
  const deviation = Math.sqrt(one.variance / one.count + other.variance / other.count);
  const ms = one.mean - other.mean;
  return { t: ms / deviation, ms, meanMs: (one.mean + other.mean) / 2 };
}
