import { nextTurn } from '../../../lib/turns.ts';
import type { Executor, Keyring } from '../../../storage/index.ts';
import * as repo from './chain.repo.ts';
import { isMacOf } from './chain-keys.ts';
import { macHead } from './chain-row.ts';
import { type ChainProofs, type ChainReport, ChainVerifier } from './chain-verifier.ts';
import { readChain } from './chain-writer.ts';
import { publicKeyOf } from './checkpoints.ts';

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
  readonly onProgress?: (rows: number) => void;
  /** @see verifyDatabase; for tests */
  readonly makeVerifier?: (workspaceId: string, proofs: ChainProofs) => ChainVerifier;
}

/**
 * Follows the log of each workspace from its first row to its head, against hashes, MACs, checkpoints and heads. All
 * rows pass once, in the order of their places, a page at a time: memory is bounded by the number of workspaces.
 *
 * @returns a report for each workspace; null when no log was begun in this database
 */
export async function verifyDatabase(options: VerifyOptions): Promise<readonly ChainReport[] | null> {
  const { exec, keyring, now, workspaceId, onProgress } = options;
  const chain = await readChain(exec, keyring);
  if (chain === null) return null;
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
