import { hash, type KeyObject } from 'node:crypto';
import { macParts } from '../../../lib/mac.ts';
import type { AuditRow } from '../audit.repo.ts';

/** How a row came into the chain: written into it, or found in the log and chained later. */
export const FORM = { written: 1, adopted: 2 } as const;

/** Stands in the first row for the hash of the one before it. */
export const NO_ROW = '';

/** A row with its place. What is `hashed` below is all of it. */
export interface PlacedRow extends AuditRow {
  readonly seq: number;
  readonly number: number;
  readonly form: number;
  readonly previous_hash: string;
}

export interface ChainedRow extends PlacedRow {
  /** SHA-256, base64url. */
  readonly hash: string;
  /** Says that a server wrote this hash: it needs a key that is sealed under the master key. */
  readonly mac: string;
}

/** In the order in which they are hashed, which never changes: another order, or another column, is another version. */
export const HASHED_COLUMNS = [
  'workspace_id',
  'number',
  'seq',
  'form',
  'previous_hash',
  'at',
  'action',
  'actor_kind',
  'actor_id',
  'actor_name',
  'actor_key_id',
  'target_kind',
  'target_id',
  'target_name',
  'account_id',
  'key_id',
  'ip',
  'user_agent',
  'request_id',
  'detail',
] as const satisfies readonly (keyof PlacedRow)[];

const VERSION = 'keyreeve-audit-row-1';

/** What a row may hold when somebody else has written it. */
export type FoundRow = Readonly<Record<(typeof HASHED_COLUMNS)[number], string | number | null>>;

/** Each part with its length in bytes before it, so that nothing can move from one into the next; null is `-`. */
export function encodeParts(parts: readonly (string | number | null)[]): string {
  let message = '';
  for (const part of parts) {
    if (part === null) message += '-';
    else {
      const text = String(part);
      message += `${Buffer.byteLength(text)}:${text}`;
    }
  }
  return message;
}

/** SHA-256, base64url, over the version and every column. */
export function hashRow(row: FoundRow): string {
  return hash('sha256', encodeParts([VERSION, ...HASHED_COLUMNS.map((column) => row[column])]), 'base64url');
}

export function macRow(key: KeyObject, rowHash: string): string {
  return macParts(key, ['audit row', rowHash]);
}

/** Where a log ends: number, place and hash of its last row. */
export interface Head {
  readonly workspaceId: string;
  /** Grows with each change; the highest counts. */
  readonly version: number;
  readonly number: number;
  readonly seq: number;
  readonly hash: string;
  /** False as long as rows of older releases are being chained, and new ones wait. */
  readonly isLive: boolean;
  /** The number of the first row that was written after the head had been lost or altered; null when it never was. */
  readonly brokenAt: number | null;
  /** The number of the row that was signed last, and when it was; 0 before the first. */
  readonly checkpoint: number;
  readonly checkpointAt: number;
}

const NOTHING = { version: 0, number: 0, seq: 0, hash: NO_ROW, checkpoint: 0, checkpointAt: 0 } as const;

export function emptyHead(workspaceId: string, isLive: boolean): Head {
  return { ...NOTHING, workspaceId, isLive, brokenAt: null };
}

/** A head that stands in for one that cannot be believed. @param last what seems to be the last row */
export function brokenHead(
  workspaceId: string,
  last: Pick<Head, 'version' | 'number' | 'seq' | 'hash'>,
  checkpoint: { readonly number: number; readonly at: number } | undefined,
): Head {
  const signed = { checkpoint: checkpoint?.number ?? 0, checkpointAt: checkpoint?.at ?? 0 };
  return { ...last, ...signed, workspaceId, isLive: true, brokenAt: last.number + 1 };
}

export function macHead(key: KeyObject, head: Head): string {
  const { workspaceId, version, number, seq, hash: lastHash } = head;
  const rest = [head.isLive ? 1 : 0, head.brokenAt, head.checkpoint, head.checkpointAt];
  return macParts(key, ['audit head', workspaceId, version, number, seq, lastHash, ...rest]);
}

/** Chains rows behind a head. `seqs` are their places, ascending. */
export function chainRows(
  key: KeyObject,
  head: Head,
  rows: readonly { readonly row: AuditRow; readonly seq: number }[],
  form: number,
): { readonly rows: readonly ChainedRow[]; readonly head: Head } {
  let { number, seq, hash: previousHash } = head;
  const chained = rows.map(({ row, seq: place }): ChainedRow => {
    number += 1;
    seq = place;
    const placed: PlacedRow = { ...row, seq, number, form, previous_hash: previousHash };
    previousHash = hashRow(placed);
    return { ...placed, hash: previousHash, mac: macRow(key, previousHash) };
  });
  return { rows: chained, head: { ...head, number, seq, hash: previousHash } };
}
