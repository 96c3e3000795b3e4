import type { AppError } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import { toIso } from '../../lib/clock.ts';
import { maskSecrets } from '../../lib/text.ts';
import { inTransaction, type Tx } from '../../storage/index.ts';
import { auditErrors } from './audit.errors.ts';
import { toCsvFile } from './audit-export.ts';
import { type AuditQuery, type AuditReader, createAuditReader } from './audit-reader.ts';
import { type AuditEvent, toAuditRow } from './audit-row.ts';
import { findHead, listNewestCheckpoints } from './chain/chain.repo.ts';
import { ChainBacklog } from './chain/chain-backlog.ts';
import { toChainFile } from './chain/chain-file.ts';
import { type PublicKeyView, presentPublicKey } from './chain/chain-keys.ts';
import { type ChainDeps, ChainWriter } from './chain/chain-writer.ts';
import { Checkpoints, type CheckpointView, presentCheckpoint } from './chain/checkpoints.ts';
import { createRefusalCounter, type RefusalCounter, sweepRefusals } from './refusal-counter.ts';

export interface AuditExport {
  /** When it was asked for. */
  readonly at: number;
  /** The file, piece by piece; reads on only when it is asked for more. */
  readonly pieces: AsyncIterable<string>;
}

export interface AuditService extends Pick<AuditReader, 'list'> {
  /** Comes before all others, once a process. */
  open(): Promise<void>;
  /** In the transaction that makes a workspace. */
  beginLog(tx: Tx, workspaceId: string): Promise<void>;
  /**
   * Writes one row in the transaction of the change that it tells of, chained to the row before it. `tx` is one of
   * `inTransaction`, or else its work is run a second time.
   */
  record(tx: Tx, caller: Caller, event: AuditEvent): Promise<void>;
  /** The newest 100,000 rows as CSV. Writes down that they were taken, before the first of them goes out. */
  exportCsv(caller: Caller, query: AuditQuery): Promise<AuditExport>;
  /** The whole log with what proves it, for verification without a server. Written down like the other export. */
  exportChain(caller: Caller): Promise<AuditExport>;
  /** Where the log ends, its newest checkpoints, and the public keys that they are signed with. */
  getChain(caller: Caller): Promise<ChainView>;
  /**
   * Counts a refusal in memory. Callers without a valid credential are counted per address and minute; refusals of
   * known callers, and of tries to sign in to a known account, also become one audit row each. `flush` writes both.
   */
  countRefusal: RefusalCounter['count'];
  /** The same for what a service refuses to somebody who was let in by the route. */
  countLateRefusal: RefusalCounter['countLate'];
  /** Writes what was counted; also called once a second by the process. */
  flush(): Promise<void>;
  /** Deletes counters of refusals that are older than 90 days; rows of the log stay. */
  sweep(): Promise<void>;
  /** Chains rows that are older than the chain, until none is left. */
  chainBacklog(signal?: AbortSignal): Promise<void>;
  /** Signs where the logs end, when it is time to. */
  signCheckpoints(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface ChainView {
  readonly number: number;
  readonly hash: string;
  readonly publicKeys: readonly PublicKeyView[];
  readonly checkpoints: readonly CheckpointView[];
}

const EXPORT_ROWS_MAX = 100_000;
const CHECKPOINTS_SHOWN = 20;

export function createAuditService(deps: ChainDeps): AuditService {
  const { storage, clock } = deps;
  const writer = new ChainWriter(deps);
  const backlog = new ChainBacklog(deps, writer);
  const checkpoints = new Checkpoints(deps, writer);
  const refusals = createRefusalCounter({ storage, clock, append: (tx, row) => writer.append(tx, row) });
  const reader = createAuditReader(storage);
  const record: AuditService['record'] = async (tx, caller, event) =>
    writer.append(tx, toAuditRow(caller, event, clock.now()));
  return {
    open: () => writer.open(),
    beginLog: (tx, workspaceId) => writer.beginLog(tx, workspaceId),
    record,
    list: (caller, query, page) => reader.list(caller, query, page),
    exportCsv: async (caller, query) => {
      await inTransaction(storage, (tx) =>
        record(tx, caller, {
          action: 'audit.exported',
          target: { kind: 'audit', id: caller.workspace.id },
          detail: {
            ...query,
            q: query.q && maskSecrets(query.q),
            since: toIsoOf(query.since),
            until: toIsoOf(query.until),
          },
        }),
      );
      return { at: clock.now(), pieces: toCsvFile(reader.readAll(caller, query, EXPORT_ROWS_MAX)) };
    },
    exportChain: async (caller) => {
      const { id } = caller.workspace;
      const target = { kind: 'audit', id };
      await inTransaction(storage, (tx) =>
        record(tx, caller, { action: 'audit.exported', target, detail: { format: 'chain' } }),
      );
      const upTo = await checkpoints.make(id);
      if (upTo === null) throw auditErrors.not_chained();
      const exportedAt = clock.now();
      return { at: exportedAt, pieces: toChainFile(storage.read, writer.opened.keys, { upTo, exportedAt }) };
    },
    getChain: async (caller) => {
      const { id } = caller.workspace;
      const head = await findHead(storage.read, id);
      const newest = await listNewestCheckpoints(storage.read, id, CHECKPOINTS_SHOWN);
      const publicKeys = writer.opened.keys.map(presentPublicKey);
      return {
        number: head?.number ?? 0,
        hash: head?.hash ?? '',
        publicKeys,
        checkpoints: newest.map(presentCheckpoint),
      };
    },
    countRefusal: (caller, error: AppError, route, account) => refusals.count(caller, error, route, account),
    countLateRefusal: (caller, error, route) => refusals.countLate(caller, error, route),
    flush: () => refusals.flush(),
    sweep: () => sweepRefusals(deps),
    chainBacklog: (signal) => backlog.run(signal),
    signCheckpoints: (signal) => checkpoints.run(signal),
    close: async () => {
      await refusals.flush();
      await writer.close();
    },
  };
}

function toIsoOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : toIso(at);
}
