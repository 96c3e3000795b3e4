import pg from 'pg';
import type { StorageLogger } from '../database.ts';
import { isConnectionLost, isQueryTimeout, isReadOnlyServer } from '../faults.ts';
import { GuardedClient, type TransactionLimits } from './guarded-client.ts';
import { type Place, type Primary, readServerFacts, type ServerFacts } from './primary.ts';

const CONNECT_MS = 1_800;

export interface PoolOptions {
  readonly connectionsMax: number;
  /** How long a statement may take before its connection is given up; 0 for no limit. */
  readonly statementMs: number;
  readonly limits: TransactionLimits;
  /** After how long without use a connection is closed; 0 for never. */
  readonly idleMs: number;
}

/** The pool waits for what `onConnect` returns before it hands the connection out, which its own type does not say. */
interface AwaitingPoolConfig extends Omit<pg.PoolConfig, 'onConnect'> {
  readonly onConnect: (client: pg.ClientBase) => Promise<void>;
}

interface OpenPool {
  readonly pool: pg.Pool;
  readonly place: Place;
}

/** Connections to whichever server is the primary now. Those to the one before are closed as soon as they are free. */
export class PrimaryPool {
  /** Kysely looks at it. */
  readonly options = {};
  readonly #primary: Primary;
  readonly #options: PoolOptions;
  readonly #types: pg.TypeOverrides;
  readonly #logger: StorageLogger;
  readonly #clients = new WeakMap<pg.PoolClient, GuardedClient>();
  readonly #facts = new WeakMap<pg.ClientBase, ServerFacts>();
  #open: OpenPool | null = null;
  #isPooled = false;
  #isEnded = false;

  constructor(primary: Primary, types: pg.TypeOverrides, options: PoolOptions, logger: StorageLogger) {
    this.#primary = primary;
    this.#options = options;
    this.#types = types;
    this.#logger = logger;
  }

  /** @throws NoPrimaryError, or the fault of the connection */
  async connect(): Promise<GuardedClient> {
    for (let tries = 1; ; tries += 1) {
      const { pool, place } = await this.#current();
      try {
        return this.#guard(await pool.connect(), place);
      } catch (error) {
        this.#report(error, place);
        // Nothing was asked yet, so asking another server does nothing twice.
        if (tries > 1 || this.#primary.isKnown()) throw error;
      }
    }
  }

  /** Whether a pooler that hands out a connection for each transaction stood before the server when it was last reached. */
  get isPooled(): boolean {
    return this.#isPooled;
  }

  /** Does nothing the second time. */
  async end(): Promise<void> {
    this.#isEnded = true;
    const open = this.#open;
    this.#open = null;
    await open?.pool.end();
  }

  async #current(): Promise<OpenPool> {
    const place = await this.#primary.find();
    const open = this.#open;
    if (open !== null && open.place.generation === place.generation) return open;
    if (this.#isEnded) throw new Error('The database was closed.');
    // Not waited for: what is under way there ends on its own.
    void open?.pool.end();
    this.#open = { pool: this.#openPool(place), place };
    return this.#open;
  }

  #openPool(place: Place): pg.Pool {
    const { connectionsMax, statementMs, idleMs } = this.#options;
    const config: AwaitingPoolConfig = {
      connectionString: place.host.url,
      types: this.#types,
      max: connectionsMax,
      // Also how long somebody waits for a free connection.
      connectionTimeoutMillis: CONNECT_MS,
      idleTimeoutMillis: idleMs,
      keepAlive: true,
      fallback_application_name: 'keyreeve',
      ...(statementMs === 0 ? {} : { query_timeout: statementMs }),
      onConnect: async (client) => {
        const facts = await readServerFacts(client);
        this.#primary.requireFit(place.host, facts);
        this.#facts.set(client, facts);
        // The process behind the connection is another one than answered it at first.
        this.#isPooled = facts.pid !== Reflect.get(client, 'processID');
      },
    };
    const pool = new pg.Pool(config);
    // Without listeners, a connection that breaks ends the process: the pool listens only while it is idle, and
    // hands on what the connection has already told. One that breaks while it is being closed is no fault.
    pool.on('connect', (client) =>
      client.on('error', (error) => {
        if (!pool.ending) this.#logger.error({ err: error }, 'a database connection broke');
      }),
    );
    pool.on('error', (error) => this.#report(error, place));
    return pool;
  }

  #guard(client: pg.PoolClient, place: Place): GuardedClient {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    const facts = this.#facts.get(client);
    if (facts === undefined) throw new Error('The server behind a connection was not looked at.');
    const made = new GuardedClient(client, facts, this.#options.limits, (error) =>
      this.#report(error, place),
    );
    this.#clients.set(client, made);
    return made;
  }

  #report(error: unknown, place: Place): void {
    if (isReadOnlyServer(error)) this.#primary.leave(place);
    // A machine that is gone breaks no connection: it only does not answer any more.
    else if (isConnectionLost(error) || isQueryTimeout(error)) this.#primary.suspect(place);
  }
}
