import type { KeyObject } from 'node:crypto';
import type { AuditCheckpointsTable } from '../../../storage/index.ts';
import type { FoundAuditRow } from './chain.repo.ts';
import { FILE_NAMES, FILE_VERSION } from './chain-file.ts';
import { fingerprintOf, importPublicKey } from './chain-keys.ts';
import { type ChainReport, ChainVerifier } from './chain-verifier.ts';

/** It cannot be said whether the log is whole: the file is none of ours, or is cut short. */
export class ChainFileUnreadable extends Error {}

export interface FileReport {
  readonly report: ChainReport;
  readonly exportedAt: string;
  readonly fingerprints: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** Numbers and texts as text; what is neither equals nothing that was ever written. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseLine(line: string, place: number): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = null;
  }
  if (isObject(value)) return value;
  throw new ChainFileUnreadable(`Line ${place} is no JSON object.`);
}

interface Opening {
  readonly workspaceId: string;
  readonly exportedAt: string;
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
}

function readOpening(line: Json, pinned: string | null): Opening {
  const { keyreeveAudit, workspaceId, exportedAt, publicKeys } = line;
  if (keyreeveAudit !== FILE_VERSION)
    throw new ChainFileUnreadable(
      'This is no export of the chain. CSV files, and what was exported with filters, cannot be verified: make one with keyreeve audit --export chain.',
    );
  const keys = new Map<string, KeyObject>();
  for (const each of Array.isArray(publicKeys) ? publicKeys : []) {
    const text = isObject(each) ? textOf(each['publicKey']) : '';
    const key = importPublicKey(text);
    // The name of a key is its fingerprint, so that nobody can give another one the same.
    if (key !== null && (pinned === null || fingerprintOf(text) === pinned))
      keys.set(fingerprintOf(text), key);
  }
  if (keys.size === 0)
    throw new ChainFileUnreadable(
      pinned === null
        ? 'The file names no public key.'
        : `The file names no public key with the fingerprint ${pinned}.`,
    );
  return { workspaceId: textOf(workspaceId), exportedAt: textOf(exportedAt), publicKeys: keys };
}

function toFoundRow(row: Json): FoundAuditRow {
  const entries = FILE_NAMES.map(([column, name]) => {
    const value = row[name];
    return [column, value === null || value === undefined ? null : textOf(value)];
  });
  return { ...(Object.fromEntries(entries) as FoundAuditRow), mac: null };
}

/** @param found as a line of an export, or of the log of a server, has it */
export function toCheckpoint(workspaceId: string, found: Json): AuditCheckpointsTable {
  const { at } = found;
  return {
    workspace_id: workspaceId,
    number: Number(found['number']),
    previous: Number(found['previous']),
    seq: Number(found['seq']),
    hash: textOf(found['hash']),
    at: typeof at === 'string' ? Date.parse(at) : Number(at),
    key_id: textOf(found['keyId']),
    signature: textOf(found['signature']),
  };
}

/**
 * Verifies an export without server, database and master key: hashes, links, and the signatures over every so many
 * rows and the last one. Where rows were hashed anew, it names the stretch between two signatures.
 *
 * @param lines of the file, in order
 * @param pinned the fingerprint of the key that has signed, as it was noted down; null to believe the file
 * @throws ChainFileUnreadable when it is no such file
 */
export async function verifyChainFile(
  lines: AsyncIterable<string>,
  pinned: string | null,
  onProgress: (rows: number) => void = () => {},
): Promise<FileReport> {
  let opening: Opening | null = null;
  let verifier: ChainVerifier | null = null;
  let [place, rows] = [0, 0];
  let rowCount = Number.NaN;
  let held: FoundAuditRow | null = null;
  for await (const line of lines) {
    place += 1;
    const value = parseLine(line, place);
    if (opening === null || verifier === null) {
      opening = readOpening(value, pinned);
      verifier = new ChainVerifier(opening.workspaceId, {
        keys: null,
        publicKeys: opening.publicKeys,
        mayWait: false,
      });
      continue;
    }
    const { row, checkpoint } = value;
    if (isObject(row)) {
      if (held !== null) verifier.add(held);
      held = toFoundRow(row);
      rows += 1;
      onProgress(rows);
    } else if (isObject(checkpoint)) {
      // It stands behind its row, and is known when the row is looked at.
      verifier.expect([toCheckpoint(opening.workspaceId, checkpoint)]);
    } else if (isObject(value['end'])) rowCount = Number(value['end']['rows']);
    else throw new ChainFileUnreadable(`Line ${place} is neither a row nor a checkpoint.`);
  }
  if (opening === null || verifier === null) throw new ChainFileUnreadable('The file is empty.');
  if (held !== null) verifier.add(held);
  const { exportedAt, publicKeys } = opening;
  return { report: verifier.endFile(rowCount), exportedAt, fingerprints: [...publicKeys.keys()] };
}
