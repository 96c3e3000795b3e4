import { lookup as lookUpName } from 'node:dns/promises';
import {
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestPlain,
} from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { isIP, isIPv4, type LookupFunction, type Socket } from 'node:net';
import type { AddressRules, WebhookTarget } from './address-rules.ts';

/**
 * Why a try failed, as far as administrators of a workspace are told: with more, webhooks would map the network
 * that this server stands in.
 */
export type DeliveryError = 'refused_address' | 'unreachable' | 'timeout' | 'tls' | 'status';

export type PostResult =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter: string | null }
  | { readonly kind: 'failed'; readonly error: Exclude<DeliveryError, 'status'> };

export interface WebhookTransport {
  /** One try: connects to an address that was checked, sends, and follows nothing. Never throws. */
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<PostResult>;
}

type Lookup = (host: string) => Promise<readonly string[]>;

interface Deps {
  readonly rules: AddressRules;
  /** All addresses of a name; by default as the operating system knows it. */
  readonly lookup?: Lookup;
  /** Certificates to trust in place of the usual ones. */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

/** For everything: name, connection, TLS, request and answer. */
const TIMEOUT_MS = 20_000;
/** Nobody reads the answer; this much lets a receiver end in peace. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** A name that takes its time blocks a thread that passwords and files need too. */
const LOOKUPS_MAX = 2;

const failed = (error: Exclude<DeliveryError, 'status'>): PostResult => ({ kind: 'failed', error });

async function lookUpByOs(host: string): Promise<readonly string[]> {
  const found = await lookUpName(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/** At most `max` at once; the others wait in line until their time is over, and then leave it. */
function limitTo<Argument, Result>(
  max: number,
  work: (argument: Argument) => Promise<Result>,
): (argument: Argument, deadline: AbortSignal) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  const takePlace = async (deadline: AbortSignal): Promise<void> => {
    deadline.throwIfAborted();
    if (running < max) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(new Error('The time was over before the turn came.'));
      };
      const enter = (): void => {
        deadline.removeEventListener('abort', leave);
        resolve();
      };
      waiting.push(enter);
      deadline.addEventListener('abort', leave, { once: true });
    });
  };
  return async (argument, deadline) => {
    await takePlace(deadline);
    try {
      return await work(argument);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Answers with the checked addresses and asks nobody: a second question could have another answer. */
function pinTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
  return (_host, options, callback) => {
    const [first] = all;
    if (options.all === true) callback(null, all);
    else callback(null, first?.address ?? '', first?.family ?? 0);
  };
}

type Phase = 'connecting' | 'securing' | 'talking';

/** How far a connection got, which decides what a failure is called. */
function watchPhase(socket: Socket, isTls: boolean, onPhase: (phase: Phase) => void): void {
  socket.once('connect', () => onPhase(isTls ? 'securing' : 'talking'));
  socket.once('secureConnect', () => onPhase('talking'));
}

/** All failures of a connection look the same; a port that is closed and one that is silent among them. */
function classify(phase: Phase, isTimeout: boolean): Exclude<DeliveryError, 'status'> {
  if (phase === 'connecting') return 'unreachable';
  if (isTimeout) return 'timeout';
  return phase === 'securing' ? 'tls' : 'unreachable';
}

/** Takes what comes, up to the limit, and throws it away. */
function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
}

async function findAddresses(
  host: string,
  lookUp: (host: string, deadline: AbortSignal) => Promise<readonly string[]>,
  deadline: AbortSignal,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const expired = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('The name took too long.')), { once: true });
  });
  return await Promise.race([lookUp(host, deadline), expired]);
}

/** One request and what became of it. `options.signal` is the deadline of all of it. */
async function send(
  { isTls }: WebhookTarget,
  options: RequestOptions & { readonly signal: AbortSignal },
  body: string,
): Promise<PostResult> {
  let phase: Phase = 'connecting';
  // Once there is a status, nothing that happens to the rest of the answer changes the outcome.
  let answer: PostResult | null = null;
  return await new Promise<PostResult>((resolve) => {
    const end = () => resolve(answer ?? failed(classify(phase, options.signal.aborted)));
    const request = isTls ? requestTls(options) : requestPlain(options);
    request.on('socket', (socket) =>
      watchPhase(socket, isTls, (next) => {
        phase = next;
      }),
    );
    request.on('error', end);
    request.on('close', end);
    request.on('upgrade', (_response, socket) => socket.destroy());
    request.on('response', (response) => {
      const retryAfter = response.headers['retry-after'] ?? null;
      answer = { kind: 'answered', status: response.statusCode ?? 0, retryAfter };
      response.on('error', end);
      response.on('close', end);
      drain(response);
    });
    request.end(body);
  });
}

export function createWebhookTransport(deps: Deps): WebhookTransport {
  const { rules, ca, timeoutMs = TIMEOUT_MS } = deps;
  const lookUp = limitTo(LOOKUPS_MAX, deps.lookup ?? lookUpByOs);
  // Agents of our own take no proxy from the environment: a proxy would connect to where we must not.
  const plainAgent = new HttpAgent({ keepAlive: false });
  const tlsAgent = new TlsAgent({
    keepAlive: false,
    maxCachedSessions: 0,
    ...(ca === undefined ? {} : { ca }),
  });
  return {
    post: async (url, headers, body) => {
      const target = rules.read(url);
      if (typeof target === 'string') return failed('refused_address');
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const addresses = await findAddresses(target.host, lookUp, signal);
        if (addresses.length === 0) return failed('unreachable');
        // One bad address among good ones is what an attack looks like.
        if (!addresses.every((address) => rules.mayConnect(target, address)))
          return failed('refused_address');
        const options = {
          method: 'POST',
          agent: target.isTls ? tlsAgent : plainAgent,
          host: target.host,
          port: target.port,
          path: target.path,
          lookup: pinTo(addresses),
          signal,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        };
        return await send(target, options, body);
      } catch {
        return failed('unreachable');
      }
    },
  };
}
