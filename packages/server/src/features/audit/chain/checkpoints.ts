import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { HOUR_MS, toIso } from '../../../lib/clock.ts';
import { nextTurn } from '../../../lib/turns.ts';
import {
  type AuditCheckpointsTable,
  inLockedTransaction,
  isUniqueViolation,
} from '../../../storage/index.ts';
import * as repo from './chain.repo.ts';
import type { AuditKey } from './chain-keys.ts';
import { encodeParts } from './chain-row.ts';
import type { ChainDeps, ChainWriter } from './chain-writer.ts';

const VERSION = 'keyreeve-audit-checkpoint-1';
/** A checkpoint is made when so many rows, or so much time, lie behind the last one and there is a new row. */
const ROWS_MAX = 1_000;
export const CHECKPOINT_MS = HOUR_MS;
const HEADS_AT_ONCE = 200;
/** The last instant of ECMAScript. A later one was written by somebody else, and the signature does not hold it. */
const INSTANT_MS_MAX = 8.64e15;

type Statement = Omit<AuditCheckpointsTable, 'signature'>;

function textOf(statement: Statement): Buffer {
  const { workspace_id: workspaceId, number, previous, seq, hash, at, key_id: keyId } = statement;
  return Buffer.from(encodeParts([VERSION, workspaceId, number, previous, seq, hash, at, keyId]));
}

export function signCheckpoint(key: AuditKey, statement: Statement): AuditCheckpointsTable {
  return { ...statement, signature: sign(null, textOf(statement), key.sign).toString('base64url') };
}

/** Ed25519, RFC 8032. */
export function isSigned(publicKey: KeyObject, checkpoint: AuditCheckpointsTable): boolean {
  return verify(null, textOf(checkpoint), publicKey, Buffer.from(checkpoint.signature, 'base64url'));
}

export function publicKeyOf(key: AuditKey): KeyObject {
  return createPublicKey(key.sign);
}

/** As the log of the server, the API and the export show it. */
export interface CheckpointView {
  readonly workspaceId: string;
  readonly number: number;
  readonly previous: number;
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
  readonly keyId: string;
  readonly signature: string;
}

export function presentCheckpoint(row: AuditCheckpointsTable): CheckpointView {
  return {
    workspaceId: row.workspace_id,
    number: row.number,
    previous: row.previous,
    seq: row.seq,
    hash: row.hash,
    at: toIso(Math.max(0, Math.min(row.at, INSTANT_MS_MAX))),
    keyId: row.key_id,
    signature: row.signature,
  };
}

/** Signs where the logs end, so that what was signed can be kept outside of the database. */
export class Checkpoints {
  readonly #deps: ChainDeps;
  readonly #writer: ChainWriter;

  constructor(deps: ChainDeps, writer: ChainWriter) {
    this.#deps = deps;
    this.#writer = writer;
  }

  /**
   * Signs every log that has grown by 1,000 rows, or at all within the last hour.
   *
   * @throws when somebody has planted the next checkpoint of a log, which cannot be signed then; but all other logs are
   *   signed first
   */
  async run(signal?: AbortSignal): Promise<void> {
    const { storage, clock, logger } = this.#deps;
    const faults: unknown[] = [];
    await repo.deleteOldHeads(storage.write, null);
    for (let after = ''; ; ) {
      const heads = await repo.listHeads(storage.read, after, HEADS_AT_ONCE);
      for (const stored of heads) {
        const { head } = stored;
        if (!this.#writer.isTrusted(stored)) {
          logger.error(
            { workspaceId: head.workspaceId },
            'the head of an audit log was altered outside Keyreeve; run keyreeve audit verify',
          );
          continue;
        }
        const rows = head.number - head.checkpoint;
        const isDue = rows >= ROWS_MAX || (rows > 0 && clock.now() - head.checkpointAt >= CHECKPOINT_MS);
        if (isDue && head.isLive)
          await this.make(head.workspaceId).catch((error: unknown) => {
            if (!isUniqueViolation(error)) throw error;
            faults.push(error);
          });
        if (signal?.aborted === true) return;
      }
      const last = heads.at(-1);
      if (last === undefined || heads.length < HEADS_AT_ONCE) break;
      after = last.head.workspaceId;
      await nextTurn();
    }
    if (faults.length > 0) throw faults[0];
  }

  /** Signs the last row of a log. @returns the newest checkpoint; null while there is nothing to sign */
  async make(workspaceId: string): Promise<AuditCheckpointsTable | null> {
    const { storage, clock, logger } = this.#deps;
    const { key } = this.#writer;
    const { checkpoint, isNew } = await inLockedTransaction(storage, async (tx) => {
      await repo.lockLogs(tx, storage.engine, [workspaceId]);
      const { stored } = await repo.readHead(tx, storage.engine, workspaceId, 0);
      const [newest] = await repo.listNewestCheckpoints(tx, workspaceId, 1);
      const isSignable =
        stored !== null && this.#writer.isTrusted(stored) && stored.head.isLive && stored.head.number > 0;
      if (!isSignable || stored.head.checkpoint === stored.head.number)
        return { checkpoint: newest ?? null, isNew: false };
      const { number, seq, hash, checkpoint: previous } = stored.head;
      const at = clock.now();
      const place = { workspace_id: workspaceId, number, previous, seq };
      const made = signCheckpoint(key, { ...place, hash, at, key_id: key.id });
      await repo.insertCheckpoint(tx, made);
      await this.#writer.saveHead(tx, { ...stored.head, checkpoint: number, checkpointAt: at });
      return { checkpoint: made, isNew: true };
    });
    if (isNew && checkpoint !== null)
      logger.info({ auditCheckpoint: presentCheckpoint(checkpoint) }, 'audit checkpoint');
    return checkpoint;
  }
}
