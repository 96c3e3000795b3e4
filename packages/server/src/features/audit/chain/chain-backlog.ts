import { nextTurn } from '../../../lib/turns.ts';
import { inLockedTransaction, type Tx } from '../../../storage/index.ts';
import type { StoredAuditRow } from '../audit.repo.ts';
import * as backlog from './backlog.repo.ts';
import * as repo from './chain.repo.ts';
import { chainRows, emptyHead, FORM, type Head } from './chain-row.ts';
import type { ChainDeps, ChainWriter } from './chain-writer.ts';

const CURSOR = 'audit_backlog';
/** Few enough that hashing and writing them does not hold up the event loop. */
const BATCH_ROWS = 200;
const HEADS_AT_ONCE = 200;

/**
 * Chains the rows of older releases, some at a time, in the order in which they stand in the log: first those that
 * were there when the chain began, then what was written meanwhile, workspace by workspace; from then on the log of
 * that workspace is live. Nodes of the release before, which may still run, write rows that are not chained: for a day
 * those are chained too, behind the others.
 */
export class ChainBacklog {
  readonly #deps: ChainDeps;
  readonly #writer: ChainWriter;
  #isDone = false;

  constructor(deps: ChainDeps, writer: ChainWriter) {
    this.#deps = deps;
    this.#writer = writer;
  }

  /** Several processes may run it at once. Does nothing once all is chained. */
  async run(signal?: AbortSignal): Promise<void> {
    if (this.#isDone) return;
    const { start } = this.#writer.opened;
    if (start.seq > 0) {
      const isStopped = () => signal?.aborted === true;
      while (!isStopped() && (await this.#chainOldest())) await nextTurn();
      for await (const head of this.#listWaiting()) {
        while (!isStopped() && (await this.#finish(head))) await nextTurn();
        if (isStopped()) return;
      }
      while (this.#isAdopting() && (await this.#chainStrays())) await nextTurn();
    }
    this.#isDone = signal?.aborted !== true && !this.#isAdopting();
  }

  #isAdopting(): boolean {
    return this.#deps.clock.now() < this.#writer.opened.start.adoptsUntil;
  }

  /** @returns false when none is left of those that were there */
  async #chainOldest(): Promise<boolean> {
    const { storage } = this.#deps;
    const { start } = this.#writer.opened;
    const cursorOf = async (exec: Tx | typeof storage.read) =>
      Number((await repo.findMeta(exec, CURSOR)) ?? 0);
    const cursor = await cursorOf(storage.read);
    const range = { after: cursor, upTo: start.seq, limit: BATCH_ROWS };
    const seen = await backlog.listUnchained(storage.read, range);
    const last = seen.at(-1);
    if (last === undefined) return false;
    const workspaceIds = [...new Set(seen.map((row) => row.workspace_id))];
    await inLockedTransaction(storage, async (tx) => {
      await repo.lockLogs(tx, storage.engine, workspaceIds);
      // Another node was faster.
      if ((await cursorOf(tx)) !== cursor) return;
      for (const workspaceId of workspaceIds)
        await this.#adopt(
          tx,
          workspaceId,
          seen.filter((row) => row.workspace_id === workspaceId),
        );
      await repo.saveMeta(tx, CURSOR, String(last.seq));
    });
    return true;
  }

  async *#listWaiting(): AsyncGenerator<string> {
    const { storage } = this.#deps;
    for (let after = ''; ; ) {
      const heads = await repo.listHeads(storage.read, after, HEADS_AT_ONCE);
      for (const { head } of heads) if (!head.isLive) yield head.workspaceId;
      const last = heads.at(-1);
      if (last === undefined || heads.length < HEADS_AT_ONCE) break;
      after = last.head.workspaceId;
    }
    // A node of the release before has made them.
    if (this.#isAdopting()) yield* await repo.listHeadless(storage.read, HEADS_AT_ONCE);
  }

  /** @returns false when the log of the workspace is live */
  async #finish(workspaceId: string): Promise<boolean> {
    const { storage } = this.#deps;
    const { start } = this.#writer.opened;
    return await inLockedTransaction(storage, async (tx) => {
      await repo.lockLogs(tx, storage.engine, [workspaceId]);
      const range = { after: start.seq, upTo: null, limit: BATCH_ROWS, workspaceId };
      const rows = await backlog.listUnchained(tx, range);
      const isLast = rows.length < BATCH_ROWS;
      const isAdopted = await this.#adopt(tx, workspaceId, rows, isLast);
      return isAdopted && !isLast;
    });
  }

  /** @returns false for a log of which nothing is chained here */
  async #adopt(
    tx: Tx,
    workspaceId: string,
    rows: readonly StoredAuditRow[],
    becomesLive = false,
  ): Promise<boolean> {
    const { stored } = await repo.readHead(tx, this.#deps.storage.engine, workspaceId, 0);
    const head = this.#headOf(workspaceId, stored);
    if (head === null) return false;
    const placed = rows.map(({ seq, ...row }) => ({ row, seq }));
    const made = chainRows(this.#writer.key.mac, head, placed, FORM.adopted);
    if (rows.length > 0) await backlog.chainStored(tx, made.rows);
    await this.#writer.saveHead(tx, { ...made.head, isLive: becomesLive });
    return true;
  }

  /** Null when the log is live, or its head is none of ours: nothing is chained behind that. */
  #headOf(workspaceId: string, stored: repo.StoredHead | null): Head | null {
    if (stored === null) return emptyHead(workspaceId, false);
    return this.#writer.isTrusted(stored) && !stored.head.isLive ? stored.head : null;
  }

  /** @returns whether there may be more */
  async #chainStrays(): Promise<boolean> {
    const { storage } = this.#deps;
    // SQLite has one deployment, so no other release.
    if (storage.engine === 'sqlite') return false;
    const { start } = this.#writer.opened;
    const range = { after: start.seq, upTo: null, limit: BATCH_ROWS };
    const seen = await backlog.listUnchained(storage.read, range);
    if (seen.length === 0) return false;
    const workspaceIds = [...new Set(seen.map((row) => row.workspace_id))];
    let isAnyChained = false;
    await inLockedTransaction(storage, async (tx) => {
      isAnyChained = false;
      await repo.lockLogs(tx, storage.engine, workspaceIds);
      // Again, since another node may have been faster.
      const found = await backlog.listUnchained(tx, range);
      for (const workspaceId of workspaceIds) {
        const rows = found.filter((row) => row.workspace_id === workspaceId);
        const { stored, seqs } = await repo.readHead(tx, storage.engine, workspaceId, rows.length);
        if (stored === null || !stored.head.isLive || !this.#writer.isTrusted(stored)) continue;
        // In a new place: rows behind theirs are in the chain already.
        const placed = rows.map(({ seq: _seq, ...row }, index) => ({ row, seq: seqs[index] ?? 0 }));
        const made = chainRows(this.#writer.key.mac, stored.head, placed, FORM.adopted);
        await backlog.deleteUnchained(
          tx,
          rows.map(({ seq }) => seq),
        );
        await repo.insertRows(tx, made.rows);
        await this.#writer.saveHead(tx, made.head);
        isAnyChained = true;
      }
    });
    return isAnyChained && seen.length === BATCH_ROWS;
  }
}
