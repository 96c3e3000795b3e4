import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../lib/clock.ts';
import type { DurationSeries, RequestDurations } from './request-durations.ts';

/** What is asked, of a request that is whole. */
export interface PlainRequest extends Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'> {
  /** Its client sent nothing before it on this connection that was not answered yet. */
  readonly isAlone: boolean;
}

export const STATUS_LINES = {
  200: 'HTTP/1.1 200 OK\r\n',
  204: 'HTTP/1.1 204 No Content\r\n',
  403: 'HTTP/1.1 403 Forbidden\r\n',
} as const;

/** A head that is ready, line by line; the content length, date and connection lines are added. */
export interface ReadyAnswer {
  readonly status: keyof typeof STATUS_LINES;
  /** `name: value\r\n` again and again; printable ASCII. */
  readonly headerLines: string;
  /** Null where the status has none. */
  readonly body: string | null;
  /** For the log. */
  readonly ip: string | null;
  readonly workspaceId: string;
  readonly actorId: string;
}

/** One question of which the plain case is answered before the framework sees it. */
export interface PlainRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The types of a body, in lower case, as they are spelled; a GET has none, but perhaps a query. */
  readonly bodyTypes: readonly string[];
  /**
   * The answer, or null for whatever is not plain: the routes then answer it, which are the one place of the rules. No
   * lane refuses anybody, and knows no error.
   *
   * @param body as Latin-1; empty for a GET
   */
  answer(request: PlainRequest, body: string): ReadyAnswer | null;
}

export const PLAIN_BODY_BYTES_MAX = 4_096;

/** An answer with the time at which its request was looked at. */
export interface TimedAnswer {
  readonly answer: ReadyAnswer;
  readonly route: PlainRoute;
  readonly startedAtMs: number;
}

/**
 * The questions that stand before every request of somebody's service, in front of the framework. See
 * docs/decisions/0029-plain-lane.md.
 */
export class PlainLane {
  readonly #routes: readonly PlainRoute[];
  readonly #durations: RequestDurations;
  readonly #logger: FastifyBaseLogger;
  /** What a request of the lane begins with. */
  readonly #beginnings: readonly string[];
  readonly #series = new Map<PlainRoute, Map<number, DurationSeries>>();

  readonly clock: Clock;

  constructor(
    routes: readonly PlainRoute[],
    deps: {
      readonly durations: RequestDurations;
      readonly logger: FastifyBaseLogger;
      readonly clock: Clock;
    },
  ) {
    this.#routes = routes;
    this.#durations = deps.durations;
    this.#logger = deps.logger;
    this.clock = deps.clock;
    this.#beginnings = routes.map(({ method, path }) => `${method} ${path}`);
  }

  /** Whether bytes from a client may be a request of the lane, as far as their beginning tells. */
  mayBegin(text: string): boolean {
    return this.#beginnings.some((beginning) => text.startsWith(beginning));
  }

  /** The route of a request, which may have a query only where it has no body. */
  find(method: string | undefined, url: string): PlainRoute | null {
    for (const route of this.#routes) {
      if (route.method !== method || !url.startsWith(route.path)) continue;
      if (url.length === route.path.length) return route;
      if (route.method === 'GET' && url[route.path.length] === '?') return route;
    }
    return null;
  }

  /**
   * A read that fails (a full disk, a lock, a file that is damaged) throws at once, where nobody but the process would
   * catch it. It is the fault of one request, which the routes then answer as they answer all faults.
   */
  answer(route: PlainRoute, request: PlainRequest, body: string): TimedAnswer | null {
    const startedAtMs = performance.now();
    try {
      const answer = route.answer(request, body);
      return answer === null ? null : { answer, route, startedAtMs };
    } catch (error) {
      this.#logger.warn({ err: error }, 'A request was left to the routes after a fault.');
      return null;
    }
  }

  /** Counts and logs an answer that was sent. Logged at `debug` only: one line each would cost more than the answer. */
  observe({ answer, route, startedAtMs }: TimedAnswer): void {
    const ms = performance.now() - startedAtMs;
    this.#seriesOf(route, answer.status).observe(ms / 1_000);
    const { level } = this.#logger;
    if (level !== 'debug' && level !== 'trace') return;
    const { status, ip, workspaceId: workspace, actorId: actor } = answer;
    this.#logger.debug({ route: route.path, status, ms, ip, workspace, actor }, 'request');
  }

  #seriesOf(route: PlainRoute, status: number): DurationSeries {
    let ofRoute = this.#series.get(route);
    if (ofRoute === undefined) {
      ofRoute = new Map();
      this.#series.set(route, ofRoute);
    }
    let series = ofRoute.get(status);
    if (series === undefined) {
      series = this.#durations.series(route.path, route.method, status);
      ofRoute.set(status, series);
    }
    return series;
  }
}
