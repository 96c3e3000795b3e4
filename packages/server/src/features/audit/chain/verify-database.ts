import { nextTurn } from '../../../lib/turns.ts';
import type { AuditCheckpointsTable, Executor, Keyring } from '../../../storage/index.ts';
import * as repo from './chain.repo.ts';
import { AuditKeysMissing, isMacOf, readAuditKeys } from './chain-keys.ts';
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
 * @throws AuditKeysMissing when no server has begun the chain yet, or its keys are gone
 */
export async function verifyDatabase(options: VerifyOptions): Promise<readonly ChainReport[]> {
  const { exec, keyring, now, workspaceId, onProgress } = options;
  const chain = await readChain(exec, keyring);
  if (chain === null) throw new AuditKeysMissing(false);
  const publicKeys = new Map(chain.keys.map((key) => [key.id, publicKeyOf(key)]));
  const heads = await readHeads(exec);
  const isAdopting = now < chain.start.adoptsUntil;
  const make = options.makeVerifier ?? ((id: string, proofs: ChainProofs) => new ChainVerifier(id, proofs));
  const verifierOf = (id: string) => {
    const mayWait = isAdopting || heads.get(id)?.head.isLive === false;
    return make(id, { keys: chain.keys, publicKeys, mayWait });
  };
  const witnesses = (options.witnesses ?? []).filter(
    ({ workspace_id: id }) => workspaceId === undefined || id === workspaceId,
  );
  const ids = workspaceId === undefined ? await readWorkspaceIds(exec) : [workspaceId];
  // Also of a workspace of which nothing is left here.
  const known = new Set([...ids, ...witnesses.map(({ workspace_id: id }) => id)]);
  const verifiers = new Map([...known].map((id) => [id, verifierOf(id)]));
  for (const witness of witnesses) verifiers.get(witness.workspace_id)?.witness(witness);
  let rows = 0;
  for (let after: string | null = null; ; ) {
    const page = await repo.readFoundRows(exec, { after, limit: PAGE_ROWS, workspaceId });
    for (const [id, ofWorkspace] of groupByWorkspace(page.rows)) {
      const verifier = verifiers.get(id) ?? verifierOf(id);
      verifiers.set(id, verifier);
      const range = { from: numberIn(ofWorkspace, Math.min), to: numberIn(ofWorkspace, Math.max) };
      verifier.expect(await repo.listCheckpoints(exec, id, { ...range, limit: CHECKPOINTS_MAX }));
      for (const row of ofWorkspace) verifier.add(row);
    }
    rows += page.rows.length;
    onProgress?.(rows);
    if (page.last === null) break;
    after = page.last;
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

/** Rows that wait have no number, and what somebody has put there may be none. */
function numberIn(rows: readonly repo.FoundAuditRow[], choose: (...numbers: number[]) => number): number {
  const numbers = rows.map(({ number }) => Number(number ?? Number.NaN)).filter(Number.isSafeInteger);
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
  for (const [id, rows] of await readOtherEnds(exec, heads, newest)) newest.set(id, rows);
  const { adoptsUntil = 0 } = JSON.parse((await repo.findMeta(exec, START)) ?? '{}') as {
    adoptsUntil?: number;
  };
  const proofs: ChainProofs = { keys: null, publicKeys: new Map(), mayWait: now < adoptsUntil };
  const faults: ChainFault[] = [];
  const ids = [...heads].filter(([, { head }]) => head.number > 0).map(([id]) => id);
  for (const id of new Set([...ids, ...newest.keys()])) {
    const rows = newest.get(id) ?? [];
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

/** The last rows of logs that have none among the newest of all. */
async function readOtherEnds(
  exec: Executor,
  heads: ReadonlyMap<string, repo.StoredHead>,
  newest: ReadonlyMap<string, readonly repo.FoundAuditRow[]>,
): Promise<Map<string, repo.FoundAuditRow[]>> {
  const others = [...heads.values()].filter(
    ({ head }) => !newest.has(head.workspaceId) && repo.isPlace(head.seq),
  );
  const seqs = new Map(others.map(({ head }) => [head.workspaceId, head.seq]));
  const rows: repo.FoundAuditRow[] = [];
  for (let start = 0; start < others.length; start += WORKSPACES_AT_ONCE)
    rows.push(...(await repo.readRowsAt(exec, [...seqs.values()].slice(start, start + WORKSPACES_AT_ONCE))));
  return groupByWorkspace(rows.filter((row) => seqs.get(String(row.workspace_id)) === Number(row.seq)));
}
