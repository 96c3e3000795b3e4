import pg from 'pg';
import type { StorageLogger } from '../database.ts';

/** The channel of PostgreSQL on which processes tell each other of revocations; what is told is the workspace. */
export const EPOCH_CHANNEL = 'keyreeve_epochs';

const CONNECT_MS = 2_000;
const PAUSE_MS_MAX = 10_000;
const HEARTBEAT_MS = 15_000;
/** 55000 and the like will not change by themselves; so long until it is tried again all the same. */
const POOLER_PAUSE_MS = 300_000;

export interface EpochListenerDeps {
  /** The address to listen at; asked for at each try, since the primary may be another one by then. */
  readonly findUrl: () => Promise<string>;
  /** Null when anything may have been missed. */
  readonly onHint: (workspaceId: string | null) => void;
  readonly logger: StorageLogger;
}

/**
 * Listens for hints on a connection of its own. Nothing depends on it: without it what others revoke is seen 250 ms
 * later at most. Behind a pooler that hands out a connection for each transaction nothing would ever be heard, and the
 * server's connection would go on listening for whoever gets it next; so there it does not listen at all.
 */
export class EpochListener {
  readonly #deps: EpochListenerDeps;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs = 250;
  #isStarted = false;
  #isClosed = false;
  #isPoolerTold = false;

  constructor(deps: EpochListenerDeps) {
    this.#deps = deps;
  }

  /** Does nothing the second time. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#connect();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    let client: pg.Client | null = null;
    try {
      client = new pg.Client({
        connectionString: await this.#deps.findUrl(),
        connectionTimeoutMillis: CONNECT_MS,
        query_timeout: CONNECT_MS,
        keepAlive: true,
        fallback_application_name: 'keyreeve',
      });
      const opened = client;
      opened.on('error', () => this.#lose(opened));
      opened.on('end', () => this.#lose(opened));
      this.#client = opened;
      await opened.connect();
      if (await isPooled(opened)) {
        this.#tellPooler();
        this.#lose(opened, POOLER_PAUSE_MS);
        return;
      }
      opened.on('notification', ({ channel, payload }) => {
        if (channel === EPOCH_CHANNEL) this.#deps.onHint(payload ?? null);
      });
      await opened.query(`listen ${EPOCH_CHANNEL}`);
      this.#pauseMs = 250;
      // What was told before we listened was missed.
      this.#deps.onHint(null);
      this.#beat(opened);
    } catch {
      this.#lose(client);
    }
  }

  /** A connection that was cut in silence is never heard of again, and would be listened at for ever. */
  #beat(client: pg.Client): void {
    const beat = async () => {
      try {
        await client.query('select 1');
        if (client === this.#client && !this.#isClosed) this.#beat(client);
      } catch {
        this.#lose(client);
      }
    };
    this.#timer = setTimeout(() => void beat(), HEARTBEAT_MS).unref();
  }

  #lose(client: pg.Client | null, pauseMs = this.#pauseMs): void {
    if (client !== this.#client || this.#isClosed) return;
    this.#client = null;
    void client?.end().catch(() => {});
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), pauseMs).unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
  }

  #tellPooler(): void {
    if (this.#isPoolerTold) return;
    this.#isPoolerTold = true;
    this.#deps.logger.info?.(
      {},
      'a pooler stands before PostgreSQL, so nothing can be listened for: revocations of other processes are seen within 250 ms. KEYREEVE_DATABASE_LISTEN_URL may name a direct way',
    );
  }
}

/** The process behind the connection is another one than answered it at first. */
export async function isPooled(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid !== Reflect.get(client, 'processID');
}
