import type { FastifyBaseLogger } from 'fastify';
import { type Clock, DAY_MS } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import { beforeCommit, inTransaction, type Keyring, type Storage, type Tx } from '../../../storage/index.ts';
import type { AuditRow } from '../audit.repo.ts';
import * as repo from './chain.repo.ts';
import {
  type AuditKey,
  type AuditKeys,
  AuditKeysMissing,
  type ChainStart,
  createAuditKey,
  isMacOf,
  macStart,
  readAuditKeys,
} from './chain-keys.ts';
import { brokenHead, chainRows, emptyHead, FORM, type Head, macHead, NO_ROW } from './chain-row.ts';

export interface ChainDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly logger: Pick<FastifyBaseLogger, 'info' | 'error'>;
}

/** In `meta`: when chaining began. */
export const START = 'audit_chain';
const HEADS_AT_ONCE = 200;
/** So long nodes of the release before may still write rows that are not chained. */
const ADOPTION_MS = DAY_MS;
/** So long an old head may still lie beside the present one. */
const TRIM_MS = 100;

/** What `open` has found. */
export interface OpenedChain {
  readonly keys: AuditKeys;
  readonly start: ChainStart;
}

/** Keys and beginning of the chain, as the database has them. @throws AuditKeysMissing when one is there without the other */
export async function readChain(tx: Tx | Storage['read'], keyring: Keyring): Promise<OpenedChain | null> {
  const [keys, found] = [await readAuditKeys(tx, keyring), await repo.findMeta(tx, START)];
  if (keys === null && found === null) return null;
  if (keys === null || found === null) throw new AuditKeysMissing(true);
  const { mac, ...start } = JSON.parse(found) as ChainStart & { readonly mac: string };
  // Whoever has written another one wants rows of his own to be taken for old ones.
  const isOurs = isMacOf(keys, mac, (key) => macStart(key, start));
  return { keys, start: isOurs ? start : { ...start, adoptsUntil: 0 } };
}

function toStored(key: AuditKey, head: Head): repo.StoredHead {
  return { head, mac: macHead(key.mac, head) };
}

/** Writes rows of the audit log, each with the hash of the one before it. */
export class ChainWriter {
  readonly #deps: ChainDeps;
  readonly #pending = new WeakMap<Tx, Map<string, AuditRow[]>>();
  readonly #untrimmed = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #opened: OpenedChain | null = null;

  constructor(deps: ChainDeps) {
    this.#deps = deps;
  }

  /** At the first start: makes the keys, and a head for each workspace that is there. */
  async open(): Promise<void> {
    const { storage, keyring } = this.#deps;
    this.#opened = await inTransaction(
      storage,
      async (tx) => (await readChain(tx, keyring)) ?? (await this.#begin(tx)),
    );
  }

  get opened(): OpenedChain {
    if (this.#opened === null) throw new Error('open() comes first.');
    return this.#opened;
  }

  get key(): AuditKey {
    return this.opened.keys[0];
  }

  async #begin(tx: Tx): Promise<OpenedChain> {
    const { clock, keyring, random, storage } = this.#deps;
    const now = clock.now();
    const key = await createAuditKey(tx, { keyring, random, now });
    const seq = await repo.findLastSeq(tx);
    const start: ChainStart = { at: now, seq, adoptsUntil: seq === 0 ? 0 : now + ADOPTION_MS };
    await repo.saveMeta(tx, START, JSON.stringify({ ...start, mac: macStart(key.mac, start) }));
    for (;;) {
      const ids = await repo.listHeadless(tx, HEADS_AT_ONCE);
      for (const id of ids) await repo.addHead(tx, storage.engine, toStored(key, emptyHead(id, seq === 0)));
      if (ids.length < HEADS_AT_ONCE) return { keys: [key], start };
    }
  }

  /** In the transaction that makes a workspace: from then on its log has a head, and one that has none was deleted. */
  async beginLog(tx: Tx, workspaceId: string): Promise<void> {
    await this.saveHead(tx, emptyHead(workspaceId, true));
  }

  /** Puts a head in the place of the one that had its version. */
  async saveHead(tx: Tx, head: Head): Promise<void> {
    await repo.addHead(tx, this.#deps.storage.engine, this.#next(head));
    this.#trimSoon(head.workspaceId);
  }

  /** The row is written right before the commit, together with all others of the transaction. */
  append(tx: Tx, row: AuditRow): void {
    const known = this.#pending.get(tx);
    const pending = known ?? new Map<string, AuditRow[]>();
    if (known === undefined) {
      this.#pending.set(tx, pending);
      beforeCommit(tx, () => this.#write(tx, pending));
    }
    const rows = pending.get(row.workspace_id);
    if (rows === undefined) pending.set(row.workspace_id, [row]);
    else rows.push(row);
  }

  async #write(tx: Tx, pending: ReadonlyMap<string, readonly AuditRow[]>): Promise<void> {
    const { storage } = this.#deps;
    const { engine } = storage;
    await repo.lockLogs(tx, engine, [...pending.keys()]);
    for (const [workspaceId, rows] of pending) {
      // The transaction itself sees what there was when it began, and others have written since.
      const { stored, seqs } = await repo.readHead(storage.fresh ?? tx, engine, workspaceId, rows.length);
      const placed = rows.map((row, index) => ({ row, seq: seqs[index] ?? 0 }));
      const head = await this.#trustedHead(tx, workspaceId, stored);
      if (head === null || !head.isLive) {
        await repo.insertRows(
          tx,
          placed.map(({ row, seq }) => ({ ...row, seq })),
        );
        continue;
      }
      const made = chainRows(this.key.mac, head, placed, FORM.written);
      await repo.appendRows(tx, engine, made.rows, this.#next(made.head));
      this.#trimSoon(workspaceId);
    }
  }

  #next(head: Head): repo.StoredHead {
    return toStored(this.key, { ...head, version: head.version + 1 });
  }

  /** On PostgreSQL: once the transaction has ended. One that was rolled back has left nothing to delete. */
  #trimSoon(workspaceId: string): void {
    const { storage, logger } = this.#deps;
    if (storage.engine === 'sqlite') return;
    this.#untrimmed.add(workspaceId);
    this.#timer ??= setTimeout(() => {
      const workspaceIds = [...this.#untrimmed];
      this.#untrimmed.clear();
      this.#timer = null;
      repo.deleteOldHeads(storage.write, workspaceIds).catch((error: unknown) => {
        // They are deleted with the next row, and again when the logs are signed.
        logger.info({ err: error }, 'old heads of the audit log were not deleted');
      });
    }, TRIM_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    await repo.deleteOldHeads(this.#deps.storage.write, [...this.#untrimmed]);
  }

  /** Null where the job that chains rows of older releases has not come by yet. */
  async #trustedHead(tx: Tx, workspaceId: string, stored: repo.StoredHead | null): Promise<Head | null> {
    if (stored !== null && this.isTrusted(stored)) return stored.head;
    if (stored === null && this.#deps.clock.now() < this.opened.start.adoptsUntil) return null;
    const exec = this.#deps.storage.fresh ?? tx;
    const last = await repo.findLastRow(exec, workspaceId);
    const number = last?.number ?? 0;
    let version = stored?.head.version ?? 0;
    if (!repo.isPlace(version)) {
      await repo.deleteHeads(tx, workspaceId);
      version = 0;
    }
    this.#deps.logger.error(
      { workspaceId, number },
      'the head of an audit log was lost or altered outside Keyreeve; run keyreeve audit verify',
    );
    // Changes go on, or whoever can write to the database could keep keys from being revoked. The head never
    // forgets that it was lost, so the verification tells of it from now on.
    const checkpoints = await repo.listNewestCheckpoints(exec, workspaceId, 1);
    const checkpoint = checkpoints.find((found) => found.number <= number && repo.isPlace(found.at));
    const place = { version, number, seq: last?.seq ?? 0, hash: last?.hash ?? NO_ROW };
    return brokenHead(workspaceId, place, checkpoint);
  }

  isTrusted({ head, mac }: repo.StoredHead): boolean {
    return isMacOf(this.opened.keys, mac, (key) => macHead(key, head));
  }
}
