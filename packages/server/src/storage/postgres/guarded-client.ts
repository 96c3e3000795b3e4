import type pg from 'pg';
import { CommitOutcomeUnknown, isConnectionLost, isQueryTimeout, isRolledBack } from '../faults.ts';
import { cancelStatement } from './cancel.ts';
import type { ServerFacts } from './primary.ts';

/** In milliseconds; 0 for no limit. */
export interface TransactionLimits {
  readonly statementMs: number;
  readonly lockMs: number;
  readonly idleMs: number;
}

interface Result {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: unknown[];
}

const ROLLED_BACK: Result = { command: 'ROLLBACK', rowCount: 0, rows: [] };

/**
 * One connection as Kysely uses it. The limits and the durability of a transaction travel with its first statement and
 * end with it: as parameters of the connection PgBouncer refuses them, and as state of the session it would hand them
 * to others. A connection that broke, or whose statement did not come back, is not used again.
 */
export class GuardedClient {
  readonly #client: pg.PoolClient;
  readonly #beginSettings: string;
  readonly #onFault: (error: unknown) => void;
  #isBroken = false;
  /** The server has said at the commit that something was not as it should be. */
  #warning: string | null = null;

  constructor(
    client: pg.PoolClient,
    facts: ServerFacts,
    limits: TransactionLimits,
    onFault: (error: unknown) => void,
  ) {
    this.#client = client;
    this.#onFault = onFault;
    // Never less than the server's own: on `remote_apply` a write that was acknowledged can be read at the standby.
    const durability = facts.synchronous_commit === 'remote_apply' ? 'remote_apply' : 'on';
    this.#beginSettings = [
      `synchronous_commit = ${durability}`,
      `statement_timeout = ${limits.statementMs}`,
      `lock_timeout = ${limits.lockMs}`,
      `idle_in_transaction_session_timeout = ${limits.idleMs}`,
    ]
      .map((setting) => `; set local ${setting}`)
      .join('');
    client.on('notice', ({ severity, message }) => {
      if (severity === 'WARNING') this.#warning = message ?? '';
    });
  }

  async query(text: string, parameters: readonly unknown[]): Promise<Result> {
    if (text === 'commit') return await this.#commit();
    // Nothing to roll back, and the fault that broke the connection says more than that it is broken.
    if (text === 'rollback' && this.#isBroken) return ROLLED_BACK;
    const isBegin = text === 'begin' || text.startsWith('start transaction');
    try {
      const result: unknown = await this.#client.query(
        isBegin ? text + this.#beginSettings : text,
        parameters as unknown[],
      );
      return isBegin ? { command: 'BEGIN', rowCount: null, rows: [] } : (result as Result);
    } catch (error) {
      this.#judge(error);
      if (isQueryTimeout(error)) cancelStatement(this.#client);
      throw error;
    }
  }

  release(isDiscarded?: boolean): void {
    this.#client.release(isDiscarded === true || this.#isBroken);
  }

  /** @throws CommitOutcomeUnknown unless the server has said clearly that it did, or did not, store it */
  async #commit(): Promise<Result> {
    this.#warning = null;
    let result: Result;
    try {
      result = (await this.#client.query('commit')) as Result;
    } catch (error) {
      this.#judge(error);
      if (isRolledBack(error)) throw error;
      // Not cancelled: a commit that waits for its standby would stop waiting and count as stored.
      this.#isBroken = true;
      throw new CommitOutcomeUnknown({ cause: error });
    }
    // "canceling wait for synchronous replication": stored here, and nobody knows whether at the standby.
    if (this.#warning !== null) throw new CommitOutcomeUnknown({ cause: new Error(this.#warning) });
    return result;
  }

  #judge(error: unknown): void {
    if (!isConnectionLost(error) && !isQueryTimeout(error)) return;
    this.#isBroken = true;
    this.#onFault(error);
  }
}
