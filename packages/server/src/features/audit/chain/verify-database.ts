import { nextTurn } from '../../../lib/turns.ts';
import type { AuditCheckpointsTable, Executor, Keyring } from '../../../storage/index.ts';
import * as repo from './chain.repo.ts';
import { isMacOf, readAuditKeys } from './chain-keys.ts';
import { macHead } from './chain-row.ts';
import { type ChainFault, type ChainProofs, type ChainReport, ChainVerifier } from './chain-verifier.ts';
import { readChain, START } from './chain-writer.ts';
import { CHECKPOINT_MS, publicKeyOf } from './checkpoints.ts';

const PAGE_ROWS = 1_000;
const WORKSPACES_AT_ONCE = 200;
const CHECKPOINTS_MAX = 10_000;

export interface VerifyOptions {
  /** One snapshot of the database: rows that are written meanwhile are not seen. */
  readonly exec: Executor;
  readonly keyring: Keyring;
  readonly now: number;
  /** Of all workspaces without one. */
  readonly workspaceId?: string | undefined;
  /** Checkpoints that were kept outside of the database. */
  readonly witnesses?: readonly AuditCheckpointsTable[];
  readonly onProgress?: (rows: number) => void;
  /** @see verifyDatabase; for tests */
  readonly makeVerifier?: (workspaceId: string, proofs: ChainProofs) => ChainVerifier;
}

/**
 * Follows the log of each workspace from its first row to its head, against hashes, MACs, checkpoints and heads. All
 * rows pass once, in the order of their places, a page at a time: memory is bounded by the number of workspaces.
 *
 * @returns a report for each workspace
 * @throws Error when no server has begun the chain yet, or its keys are gone
 */
export async function verifyDatabase(options: VerifyOptions): Promise<readonly ChainReport[]> {
  const { exec, keyring, now, workspaceId, onProgress } = options;
  const chain = await readChain(exec, keyring);
  if (chain === null) throw new Error('No server has begun the chain of this audit log yet. Start one.');
  const publicKeys = new Map(chain.keys.map((key) => [key.id, publicKeyOf(key)]));
  const heads = await readHeads(exec);
  const isAdopting = now < chain.start.adoptsUntil;
  const make = options.makeVerifier ?? ((id: string, proofs: ChainProofs) => new ChainVerifier(id, proofs));
  const verifierOf = (id: string) => {
    const mayWait = isAdopting || heads.get(id)?.head.isLive === false;
    return make(id, { keys: chain.keys, publicKeys, mayWait });
  };
  const ids = workspaceId === undefined ? await readWorkspaceIds(exec) : [workspaceId];
  const verifiers = new Map(ids.map((id) => [id, verifierOf(id)]));
  for (const witness of options.witnesses ?? []) verifiers.get(witness.workspace_id)?.witness(witness);
  let rows = 0;
  for (let after = -1; ; ) {
    const page = await repo.readFoundRows(exec, { after, limit: PAGE_ROWS, workspaceId });
    for (const [id, ofWorkspace] of groupByWorkspace(page)) {
      const verifier = verifiers.get(id) ?? verifierOf(id);
      verifiers.set(id, verifier);
      const range = { from: numberIn(ofWorkspace, Math.min), to: numberIn(ofWorkspace, Math.max) };
      verifier.expect(await repo.listCheckpoints(exec, id, { ...range, limit: CHECKPOINTS_MAX }));
      for (const row of ofWorkspace) verifier.add(row);
    }
    rows += page.length;
    onProgress?.(rows);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) break;
    after = Number(last.seq);
    await nextTurn();
  }
  const reports: ChainReport[] = [];
  for (const [id, verifier] of verifiers) {
    const stored = heads.get(id) ?? null;
    const end = verifier.fault === null ? await repo.listNewestCheckpoints(exec, id, 1) : [];
    verifier.expectLast(end);
    const head =
      stored === null
        ? null
        : {
            head: stored.head,
            isTrusted: isMacOf(chain.keys, stored.mac, (key) => macHead(key, stored.head)),
          };
    // Chaining has not come by yet.
    reports.push(verifier.end(head ?? (isAdopting ? verifier.openEnd() : null)));
  }
  return reports;
}

/** Of the keys with which the logs of a database are signed. */
export async function fingerprintsOf(exec: Executor, keyring: Keyring): Promise<string[]> {
  return ((await readAuditKeys(exec, keyring)) ?? []).map(({ id }) => id);
}

async function readHeads(exec: Executor): Promise<Map<string, repo.StoredHead>> {
  const heads = new Map<string, repo.StoredHead>();
  for (let after = ''; ; ) {
    const page = await repo.listHeads(exec, after, WORKSPACES_AT_ONCE);
    for (const stored of page) heads.set(stored.head.workspaceId, stored);
    const last = page.at(-1);
    if (last === undefined || page.length < WORKSPACES_AT_ONCE) return heads;
    after = last.head.workspaceId;
  }
}

async function readWorkspaceIds(exec: Executor): Promise<string[]> {
  const ids: string[] = [];
  for (let after = ''; ; ) {
    const page = await repo.listWorkspaceIds(exec, after, WORKSPACES_AT_ONCE);
    ids.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < WORKSPACES_AT_ONCE) return ids;
    after = last;
  }
}

function groupByWorkspace(page: readonly repo.FoundAuditRow[]): Map<string, repo.FoundAuditRow[]> {
  const groups = new Map<string, repo.FoundAuditRow[]>();
  for (const row of page) {
    const id = String(row.workspace_id);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [row]);
    else group.push(row);
  }
  return groups;
}

/** Numbers that somebody has put there may be none. */
function numberIn(rows: readonly repo.FoundAuditRow[], choose: (...numbers: number[]) => number): number {
  const numbers = rows.map(({ number }) => Number(number)).filter(Number.isSafeInteger);
  return numbers.length === 0 ? 0 : choose(...numbers);
}

/** What a look at the ends of the logs has found, without any key. */
export interface AuditEndsReport {
  readonly faults: readonly ChainFault[];
  /** Logs with a row that should have been signed long ago. */
  readonly unsigned: readonly string[];
}

const END_ROWS = 1_000;
/** Checkpoints are made once an hour; twice that is late. */
const UNSIGNED_MS_MAX = 2 * CHECKPOINT_MS;
/** More than are ever written between two looks of the job. */
const UNSIGNED_ROWS_MAX = 100_000;

/**
 * Looks at the newest rows alone, and needs no master key: hashes and links, and whether the head stands behind the
 * last row. What was hashed anew by somebody else is found by `verifyDatabase`.
 */
export async function verifyEnds(exec: Executor, now: number): Promise<AuditEndsReport> {
  const heads = await readHeads(exec);
  const newest = groupByWorkspace(await repo.readNewestRows(exec, END_ROWS));
  const { adoptsUntil = 0 } = JSON.parse((await repo.findMeta(exec, START)) ?? '{}') as {
    adoptsUntil?: number;
  };
  const proofs: ChainProofs = { keys: null, publicKeys: new Map(), mayWait: now < adoptsUntil };
  const faults: ChainFault[] = [];
  for (const [id, rows] of newest) {
    const head = heads.get(id)?.head ?? null;
    if (head?.isLive === false) continue;
    const verifier = new ChainVerifier(id, proofs, 'end');
    for (const row of rows) verifier.add(row);
    const { fault } = verifier.end(head === null ? null : { head, isTrusted: true });
    if (fault !== null) faults.push(fault);
  }
  const isLate = ({ head }: repo.StoredHead) => {
    const unsigned = newest.get(head.workspaceId)?.find(({ number }) => Number(number) > head.checkpoint);
    const isOld = unsigned !== undefined && now - Number(unsigned.at) > UNSIGNED_MS_MAX;
    return head.isLive && (isOld || head.number - head.checkpoint > UNSIGNED_ROWS_MAX);
  };
  const unsigned = [...heads.values()].filter(isLate).map(({ head }) => head.workspaceId);
  return { faults, unsigned };
}
