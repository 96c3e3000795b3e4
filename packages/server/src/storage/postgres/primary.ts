import pg from 'pg';
import type { DatabaseHost } from '../../config/index.ts';
import type { StorageLogger } from '../database.ts';

const PROBE_MS = 2_000;
/** So long after a success others may still answer: of two that call themselves primary, the newer one counts. */
const SETTLE_MS = 200;
/** So long nobody is asked again when no server was fit: every request would ask all of them. */
const PAUSE_MS = 250;

/** No server can be used: none answers, or all only read. The code is that of PostgreSQL for a server that only reads. */
export class NoPrimaryError extends Error {
  readonly code = '25006';

  constructor(message: string) {
    super(message);
    this.name = 'NoPrimaryError';
  }
}

/** What a new connection says of its server. */
export interface ServerFacts {
  readonly is_standby: boolean;
  readonly is_read_only: boolean;
  readonly synchronous_commit: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  /** Eight hexadecimal digits; null on a standby. Rises with each promotion. */
  readonly timeline: string | null;
  readonly pid: number;
}

const FACTS = `select pg_is_in_recovery() as is_standby, current_setting('transaction_read_only') = 'on' as is_read_only,
  current_setting('synchronous_commit') as synchronous_commit, current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes, pg_backend_pid() as pid,
  case when pg_is_in_recovery() then null else left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) end as timeline`;

export async function readServerFacts(client: pg.ClientBase): Promise<ServerFacts> {
  const { rows } = await client.query<ServerFacts>({
    text: FACTS,
    query_timeout: PROBE_MS,
  } as pg.QueryConfig);
  const [facts] = rows;
  if (facts === undefined) throw new Error('PostgreSQL gave no answer.');
  return facts;
}

/** The place that is used now. A new one has another generation, and with it go all connections to the old one. */
export interface Place {
  readonly host: DatabaseHost;
  readonly generation: number;
}

/**
 * Which of several servers is the one that writes. A standby is never used, neither for writes nor for reads: what it
 * tells may be old, and whoever was refused there might be let in here.
 */
export class Primary {
  readonly #hosts: readonly DatabaseHost[];
  readonly #logger: StorageLogger;
  #place: Place | null = null;
  #lastHost: DatabaseHost | null = null;
  #generation = 0;
  #finding: Promise<Place> | null = null;
  #newestTimeline = '';
  #lastFailure: { readonly at: number; readonly error: unknown } | null = null;
  readonly #warned = new Set<string>();

  constructor(hosts: readonly DatabaseHost[], logger: StorageLogger) {
    this.#hosts = hosts;
    this.#logger = logger;
    const [only] = hosts;
    if (hosts.length === 1 && only !== undefined) this.#place = { host: only, generation: 0 };
  }

  /** @throws NoPrimaryError */
  async find(): Promise<Place> {
    if (this.#place !== null) return this.#place;
    const failure = this.#lastFailure;
    if (failure !== null && performance.now() - failure.at < PAUSE_MS) throw failure.error;
    this.#finding ??= this.#search().finally(() => {
      this.#finding = null;
    });
    return await this.#finding;
  }

  isKnown(): boolean {
    return this.#place !== null;
  }

  isCurrent({ generation }: Place): boolean {
    return generation === this.#generation;
  }

  /** A connection broke, or did not answer. With several servers they are looked at again, before the next connection is handed out. */
  suspect(place: Place): void {
    if (this.#hosts.length > 1 && this.isCurrent(place)) this.#place = null;
  }

  /** The server does not write any more: every connection to it goes. */
  leave(place: Place): void {
    if (!this.isCurrent(place)) return;
    this.#generation += 1;
    this.#place = this.#hosts.length > 1 ? null : { host: place.host, generation: this.#generation };
  }

  /** @throws NoPrimaryError when nothing may be read from or written to this server */
  requireFit({ name }: DatabaseHost, facts: ServerFacts): void {
    if (facts.is_standby)
      throw new NoPrimaryError(
        `${name} is a standby, which only reads. KEYREEVE_DATABASE_URL must name the primary, or all servers: postgres://…@host1,host2/…`,
      );
    if (facts.is_read_only)
      throw new NoPrimaryError(`${name} only reads (default_transaction_read_only is on).`);
    const timeline = facts.timeline ?? '';
    if (timeline < this.#newestTimeline)
      throw new NoPrimaryError(
        `${name} calls itself primary, but is on timeline ${timeline}, and a newer primary was seen on ${this.#newestTimeline}. It was left behind by a failover.`,
      );
    this.#newestTimeline = timeline;
    for (const setting of ['fsync', 'full_page_writes'] as const) {
      if (facts[setting] === 'on' || this.#warned.has(setting)) continue;
      this.#warned.add(setting);
      this.#logger.warn?.(
        { server: name },
        `${setting} is off in PostgreSQL: a crash can lose what was stored`,
      );
    }
  }

  async #search(): Promise<Place> {
    const found: { readonly host: DatabaseHost; readonly timeline: string }[] = [];
    const probes = this.#hosts.map(async (host) => {
      const { timeline } = await this.#probe(host);
      found.push({ host, timeline: timeline ?? '' });
    });
    const outcomes = Promise.allSettled(probes);
    await Promise.any(probes).catch(() => {});
    if (found.length > 0) await Promise.race([outcomes, new Promise((done) => setTimeout(done, SETTLE_MS))]);
    const [newest] = found.toSorted((a, b) => (a.timeline > b.timeline ? -1 : 1));
    if (newest === undefined) throw this.#fail(await outcomes);
    this.#lastFailure = null;
    // The same as before: what broke was one connection, and the others are good.
    if (newest.host !== this.#lastHost) this.#generation += 1;
    this.#lastHost = newest.host;
    this.#place = { host: newest.host, generation: this.#generation };
    return this.#place;
  }

  async #probe(host: DatabaseHost): Promise<ServerFacts> {
    const client = new pg.Client({
      connectionString: host.url,
      connectionTimeoutMillis: PROBE_MS,
      query_timeout: PROBE_MS,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      const facts = await readServerFacts(client);
      this.requireFit(host, facts);
      return facts;
    } finally {
      void client.end().catch(() => {});
    }
  }

  #fail(outcomes: readonly PromiseSettledResult<void>[]): unknown {
    const reasons = outcomes.map((outcome, index) => {
      const reason: unknown = outcome.status === 'rejected' ? outcome.reason : null;
      const said =
        reason instanceof Error ? reason.message || String(Reflect.get(reason, 'code')) : String(reason);
      return reason instanceof NoPrimaryError ? said : `${this.#hosts[index]?.name}: ${said}`;
    });
    const error = new NoPrimaryError(
      `None of the ${reasons.length} servers of KEYREEVE_DATABASE_URL can be used. ${reasons.join(' ')}`,
    );
    this.#lastFailure = { at: performance.now(), error };
    return error;
  }
}
