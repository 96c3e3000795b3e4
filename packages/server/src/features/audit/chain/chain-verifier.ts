import type { KeyObject } from 'node:crypto';
import type { AuditCheckpointsTable } from '../../../storage/index.ts';
import type { FoundAuditRow } from './chain.repo.ts';
import { type AuditKeys, isMacOf } from './chain-keys.ts';
import { FORM, type Head, hashRow, macRow, NO_ROW } from './chain-row.ts';
import { isSigned } from './checkpoints.ts';

/** What can be wrong with a log. `head` is where it ends, as the database says; all others are about rows. */
export type FaultKind =
  | 'changed'
  | 'missing'
  | 'inserted'
  | 'reordered'
  | 'cut'
  | 'head'
  | 'checkpoint'
  | 'signature';

/** The first thing that is wrong with a log. */
export interface ChainFault {
  readonly kind: FaultKind;
  readonly workspaceId: string;
  /** Of the bad row in its workspace; of the first one, where several are missing. */
  readonly number: number;
  /** Its place in the database; that of the row behind, where rows are missing; null at the end of the log. */
  readonly seq: number | null;
  readonly at: number | null;
  readonly action: string | null;
  readonly message: string;
}

/** What the rows are held against. */
export interface ChainProofs {
  /** Null without a database: then nobody can tell a row from one that was hashed anew, but by the next checkpoint. */
  readonly keys: AuditKeys | null;
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
  /** Rows that are in no chain are waiting to be chained, in a database of an older release. */
  readonly mayWait: boolean;
}

/** What was found in a log. */
export interface ChainReport {
  readonly workspaceId: string;
  readonly rows: number;
  /** Of these, chained when they were there already. */
  readonly adopted: number;
  readonly waiting: number;
  readonly checkpoints: number;
  readonly hash: string;
  readonly fault: ChainFault | null;
}

/** Follows the log of one workspace, row by row, in constant memory, up to the first thing that is wrong. */
export class ChainVerifier {
  readonly #workspaceId: string;
  readonly #proofs: ChainProofs;
  #number: number;
  #hash: string;
  #last: FoundAuditRow | null = null;
  /** A row that is not what a server wrote; the row behind it tells what became of the one that belongs there. */
  #suspect: FoundAuditRow | null = null;
  #checkpoints: AuditCheckpointsTable[] = [];
  #lastCheckpoint: number | null = null;
  readonly #witnesses = new Map<number, AuditCheckpointsTable>();
  #counts = { rows: 0, adopted: 0, waiting: 0, checkpoints: 0 };
  #fault: ChainFault | null = null;
  #isFirst: boolean;

  /** @param begin `end`: only the end of the log is looked at, and its first row is believed */
  constructor(workspaceId: string, proofs: ChainProofs, begin: 'start' | 'end' = 'start') {
    this.#workspaceId = workspaceId;
    this.#proofs = proofs;
    this.#number = 0;
    this.#hash = NO_ROW;
    this.#isFirst = begin === 'end';
    this.#lastCheckpoint = begin === 'end' ? null : 0;
  }

  get fault(): ChainFault | null {
    return this.#fault;
  }

  /** Checkpoints of rows that come next, ascending. */
  expect(checkpoints: readonly AuditCheckpointsTable[]): void {
    this.#checkpoints.push(...checkpoints);
  }

  /** A checkpoint that was kept outside of the database. */
  witness(checkpoint: AuditCheckpointsTable): void {
    this.#witnesses.set(checkpoint.number, checkpoint);
  }

  /** The newest checkpoint; what lies behind the last row was cut off. */
  expectLast(checkpoints: readonly AuditCheckpointsTable[]): void {
    this.expect(checkpoints.filter(({ number }) => number > this.#number));
  }

  /** A head for a log that nobody has ended yet. */
  openEnd(): { readonly head: Head; readonly isTrusted: boolean } {
    const checkpoint = this.#lastCheckpoint ?? 0;
    const place = { version: 0, number: this.#number, seq: 0, hash: this.#hash, checkpoint, checkpointAt: 0 };
    return {
      head: { ...place, workspaceId: this.#workspaceId, isLive: false, brokenAt: null },
      isTrusted: true,
    };
  }

  add(row: FoundAuditRow): void {
    if (this.#fault !== null) return;
    if (row.hash === null && row.number === null && this.#proofs.mayWait) {
      this.#counts.waiting += 1;
      return;
    }
    if (this.#isFirst) this.#believe(row);
    const isOwn = this.#isOwn(row);
    if (this.#suspect !== null) {
      this.#judgeSuspect(this.#suspect, isOwn ? Number(row.number) : null);
      return;
    }
    if (!isOwn) {
      this.#suspect = row;
      return;
    }
    const number = Number(row.number);
    if (number > this.#number + 1) this.#blameMissing(row, number);
    else if (number <= this.#number)
      this.#blame('inserted', row, number, `A second row ${number} stands behind row ${this.#number}.`);
    else if (row.previous_hash !== this.#hash) this.#blameLink(row, number);
    else this.#goOn(row, number);
  }

  /** @param head where the log ends: by the database, or by the last line of an export; null when it is gone */
  end(head: { readonly head: Head; readonly isTrusted: boolean } | null): ChainReport {
    if (this.#fault === null && this.#suspect !== null)
      this.#judgeSuspect(this.#suspect, (head?.head.number ?? 0) + 1);
    if (this.#fault === null) this.#judgeEnd(head);
    return { workspaceId: this.#workspaceId, ...this.#counts, hash: this.#hash, fault: this.#fault };
  }

  /** The end of an export: its last row is signed. @param rowCount as the last line says; NaN without one */
  endFile(rowCount: number): ChainReport {
    const number = this.#number;
    if (
      this.#fault === null &&
      this.#suspect === null &&
      (rowCount !== number || this.#checkpoints.length > 0)
    )
      this.#blameCut(Math.max(rowCount || 0, number + 1));
    if (this.#fault === null && this.#suspect === null && this.#lastCheckpoint !== number)
      this.#blame(
        'checkpoint',
        this.#last,
        number,
        `The last row is not signed: what stands behind row ${this.#lastCheckpoint ?? 0} may be anything.`,
      );
    return this.end(this.openEnd());
  }

  #isOwn(row: FoundAuditRow): boolean {
    const { keys } = this.#proofs;
    const { hash } = row;
    if (hash === null || hashRow(row) !== hash) return false;
    return keys === null || isMacOf(keys, row.mac, (key) => macRow(key, hash));
  }

  #believe(row: FoundAuditRow): void {
    this.#isFirst = false;
    this.#number = Number(row.number) - 1;
    this.#hash = row.previous_hash ?? NO_ROW;
  }

  #goOn(row: FoundAuditRow, number: number): void {
    this.#number = number;
    this.#hash = row.hash ?? NO_ROW;
    this.#last = row;
    this.#counts.rows += 1;
    if (Number(row.form) === FORM.adopted) this.#counts.adopted += 1;
    const witness = this.#witnesses.get(number);
    if (witness !== undefined) this.#judgeWitness(row, witness);
    while (this.#fault === null && (this.#checkpoints[0]?.number ?? Number.POSITIVE_INFINITY) <= number)
      this.#judgeCheckpoint(row, this.#checkpoints.shift() as AuditCheckpointsTable);
  }

  #judgeCheckpoint(row: FoundAuditRow, checkpoint: AuditCheckpointsTable): void {
    const { number } = checkpoint;
    const before = this.#lastCheckpoint;
    if (!this.#isSigned(checkpoint))
      this.#blame('signature', row, number, `The signature of the checkpoint at row ${number} is wrong.`);
    else if (before !== null && checkpoint.previous !== before)
      this.#blame(
        'checkpoint',
        row,
        number,
        `Between the checkpoints at row ${before} and at row ${number} one is missing.`,
      );
    else if (checkpoint.hash !== row.hash || checkpoint.seq !== Number(row.seq))
      this.#blame(
        'changed',
        row,
        number,
        `The checkpoint at row ${number} was signed over another row: something between row ${(before ?? 0) + 1} and row ${number} was changed, and everything behind it was hashed anew.`,
      );
    this.#lastCheckpoint = number;
    this.#counts.checkpoints += 1;
  }

  #judgeWitness(row: FoundAuditRow, witness: AuditCheckpointsTable): void {
    const { number } = witness;
    this.#witnesses.delete(number);
    if (!this.#isSigned(witness))
      this.#blame(
        'signature',
        row,
        number,
        `The checkpoint at row ${number} that was kept elsewhere is not signed by a key of this log.`,
      );
    else if (witness.hash !== row.hash)
      this.#blame(
        'changed',
        row,
        number,
        `The checkpoint at row ${number} that was kept elsewhere was signed over another row: something up to row ${number} was changed, and everything behind it was written anew.`,
      );
  }

  #isSigned(checkpoint: AuditCheckpointsTable): boolean {
    const publicKey = this.#proofs.publicKeys.get(checkpoint.key_id);
    return publicKey !== undefined && isSigned(publicKey, checkpoint);
  }

  /** @param next the number of the row behind, when that one is what a server wrote */
  #judgeSuspect(suspect: FoundAuditRow, next: number | null): void {
    const wanted = this.#number + 1;
    if (suspect.hash === null && suspect.number === null)
      this.#blame('inserted', suspect, wanted, 'A row stands there that was never in the chain.');
    else if (next === wanted)
      this.#blame('inserted', suspect, wanted, `A row that no server wrote stands before row ${wanted}.`);
    else if (Number(suspect.number) !== wanted && next !== wanted + 1)
      this.#blame(
        'reordered',
        suspect,
        wanted,
        `In the place of row ${wanted} stands another one (${suspect.number ?? 'without a number'}).`,
      );
    else this.#blame('changed', suspect, wanted, `Row ${wanted} is not what was written.`);
  }

  #blameMissing(row: FoundAuditRow, number: number): void {
    const [from, to] = [this.#number + 1, number - 1];
    const what = from === to ? `Row ${from} is` : `Rows ${from} to ${to} are`;
    this.#blame('missing', row, from, `${what} missing before row ${number}.`);
  }

  /** The row behind says what the hash of the one before it was, so that one is another now. */
  #blameLink(row: FoundAuditRow, number: number): void {
    const bad = this.#last ?? row;
    this.#blame(
      'changed',
      bad,
      this.#last === null ? number : number - 1,
      `Row ${number - 1} was changed and hashed anew: row ${number} was written behind another one.`,
    );
  }

  #judgeEnd(found: { readonly head: Head; readonly isTrusted: boolean } | null): void {
    const last = this.#number;
    if (found === null && this.#witnesses.size > 0) {
      this.#blameCut(Math.max(...this.#witnesses.keys()));
      return;
    }
    if (found === null) {
      this.#blame('head', null, last, 'The note of where this log ends is gone.');
      return;
    }
    const { head, isTrusted } = found;
    const [behind] = this.#checkpoints;
    if (!isTrusted)
      this.#blame('head', null, last, 'The note of where this log ends is not what a server wrote.');
    else if (behind !== undefined && !this.#isSigned(behind))
      this.#blame(
        'signature',
        null,
        behind.number,
        `The signature of the checkpoint at row ${behind.number} is wrong.`,
      );
    else if (head.number > last || behind !== undefined || this.#witnesses.size > 0)
      this.#blameCut(Math.max(head.number, behind?.number ?? 0, ...this.#witnesses.keys()));
    else if (this.#lastCheckpoint !== null && head.checkpoint !== this.#lastCheckpoint)
      this.#blame(
        'checkpoint',
        null,
        head.checkpoint,
        `The checkpoint at row ${head.checkpoint} is missing.`,
      );
    else if (head.number < last || head.hash !== this.#hash)
      this.#blame(
        'head',
        this.#last,
        Math.min(head.number + 1, last),
        `The log goes on behind row ${head.number}, where it should end: an older note of its end was put back.`,
      );
    else if (head.brokenAt !== null)
      this.#blame(
        'head',
        null,
        head.brokenAt,
        `Before row ${head.brokenAt} was written, the note of where this log ends had been lost or altered. Rows may have been cut off there.`,
      );
  }

  #blameCut(end: number): void {
    // Where nothing but the end was looked at, nobody knows what else is gone.
    const from = this.#isFirst ? end : this.#number + 1;
    const what = from === end ? `Row ${from} is` : `Rows ${from} to ${end} are`;
    this.#blame('cut', null, from, `The end of the log was cut off: ${what} gone.`);
  }

  #blame(kind: FaultKind, row: FoundAuditRow | null, number: number, message: string): void {
    const at = Number(row?.at ?? Number.NaN);
    this.#fault ??= {
      kind,
      workspaceId: this.#workspaceId,
      number,
      seq: row === null ? null : Number(row.seq),
      at: Number.isNaN(at) ? null : at,
      action: row?.action ?? null,
      message,
    };
  }
}
