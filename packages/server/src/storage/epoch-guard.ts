import type { DatabaseSync } from 'node:sqlite';

/** Where an answer comes from, and how much older than the question it may be. */
export interface Freshness {
  /** `database`: as true as a read now. `lease`: from memory, under an epoch that was read `ageMs` ago. */
  readonly source: 'database' | 'lease';
  readonly ageMs: number;
}

/** It was so at `readAtMs`, or a moment later. */
export interface EpochAnswer {
  /** 0 where nothing was ever revoked. */
  readonly epochs: ReadonlyMap<string, number>;
  /** Milliseconds of the monotonic clock of this process. */
  readonly readAtMs: number;
}

/**
 * What tells whoever keeps rows in memory that they are still true. A row may be kept under the number that was told
 * before the row was read, and used while `peek` tells the same number.
 */
export interface EpochGuard {
  /**
   * The number that stands for the present revocation epoch of a workspace in this process, or null when it must be
   * asked for. Two equal numbers mean that nothing was revoked in between; nothing else may be read into them.
   */
  peek(workspaceId: string): number | null;
  /**
   * The same, looked at once for all requests of one turn of the event loop. Only for a request that came alone: its
   * connection was told of as readable because of its own bytes, so it is no younger than the turn, and a revocation
   * of which its client could know was committed before. (A turn in which more than a thousand connections are ready
   * at once goes on with those that became ready in between; they may miss what another process has committed during
   * these few milliseconds.)
   */
  peekInTurn(workspaceId: string): number | null;
  /**
   * As `peek`, asking the database where needed; several callers share one question.
   *
   * @throws the error of the driver when the database does not answer
   */
  read(workspaceId: string): Promise<number>;
  /** Of an answer that is given now. */
  freshness(workspaceId: string): Freshness;
  /**
   * The epochs themselves, by a question that is sent after this call.
   *
   * @throws the error of the driver when the database does not answer
   */
  ask(workspaceIds: Iterable<string>): Promise<EpochAnswer>;
  /** What was known of these workspaces is no longer relied upon, nor what questions under way will tell. */
  drop(workspaceIds: Iterable<string>): void;
  /** The same, after a commit of this process; other processes get a hint, which may be lost. */
  announce(workspaceIds: Iterable<string>): void;
  /** Called when an answer differs from the one before: a reason to ask, never the proof. */
  readonly changeListeners: Set<() => void>;
}

const NOW: Freshness = { source: 'database', ageMs: 0 };

/**
 * On SQLite the epoch is the one of this very moment: `data_version` of a connection that never writes changes with
 * the commit of any other connection, also of other processes, and costs about a microsecond. The sum is read anew
 * only when it has changed.
 *
 * @param database a connection on which nothing writes, and no statement or transaction stays open
 */
export function createSqliteEpochGuard(database: DatabaseSync): EpochGuard {
  const dataVersion = database.prepare('pragma data_version');
  dataVersion.setReturnArrays(true);
  const epochs = new Map<string, number>();
  let version: unknown;
  // Prepared when first used: before the migrations there is no such table.
  let sumStatement: ReturnType<DatabaseSync['prepare']> | null = null;
  const sumEpoch = (workspaceId: string): number => {
    sumStatement ??= database.prepare(
      'select coalesce(sum(epoch), 0) as epoch from revocation_epochs where workspace_id = ?',
    );
    return Number(sumStatement.get(workspaceId)?.['epoch']);
  };
  const peek = (workspaceId: string): number => {
    // The version comes first: a commit between the two reads then only makes the next question read once more.
    const [now] = dataVersion.get() as unknown as readonly unknown[];
    if (now !== version) {
      epochs.clear();
      version = now;
    }
    const known = epochs.get(workspaceId);
    if (known !== undefined) return known;
    const epoch = sumEpoch(workspaceId);
    epochs.set(workspaceId, epoch);
    return epoch;
  };
  let isVersionOfTurn = false;
  const forgetTurn = () => {
    isVersionOfTurn = false;
  };
  return {
    peek,
    peekInTurn: (workspaceId) => {
      const known = isVersionOfTurn ? epochs.get(workspaceId) : undefined;
      if (known !== undefined) return known;
      // First, because it may fail: what is known is then of an earlier turn.
      const epoch = peek(workspaceId);
      if (!isVersionOfTurn) setImmediate(forgetTurn);
      isVersionOfTurn = true;
      return epoch;
    },
    read: async (workspaceId) => peek(workspaceId),
    freshness: () => NOW,
    ask: async (workspaceIds) => {
      const readAtMs = performance.now();
      return { epochs: new Map([...workspaceIds].map((id) => [id, peek(id)])), readAtMs };
    },
    // Every commit moves the version, so there is nothing else to forget and nobody to tell.
    drop: forgetTurn,
    announce: forgetTurn,
    changeListeners: new Set(),
  };
}
