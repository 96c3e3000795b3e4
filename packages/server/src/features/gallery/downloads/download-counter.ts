import { nextTurn } from '../../../lib/turns.ts';
import { inTransaction, type Storage } from '../../../storage/index.ts';
import { addDownloads } from './downloads.repo.ts';

export interface DownloadedVersion {
  readonly workspaceId: string;
  readonly packageId: string;
  /** Of the row of the version. */
  readonly versionId: string;
}

/**
 * Downloads of versions and packages, gathered in memory and written in batches: a download never waits for a write.
 * A crash loses what was counted since the last flush.
 */
export interface DownloadCounter {
  count(version: DownloadedVersion): void;
  /** Writes what was gathered; called every ten seconds and at the end of the process. What it cannot write, it keeps. */
  flush(): Promise<void>;
}

interface Counted extends DownloadedVersion {
  readonly count: number;
}

/** Of more versions at once, the further ones are not counted: memory is worth more than their number. */
const VERSIONS_MAX = 20_000;
const VERSIONS_PER_TRANSACTION = 50;

export function createDownloadCounter(deps: {
  readonly storage: Storage;
  readonly versionsMax?: number;
}): DownloadCounter {
  const { storage, versionsMax = VERSIONS_MAX } = deps;
  let pending = new Map<string, Counted>();

  const add = (version: DownloadedVersion, count: number): void => {
    const known = pending.get(version.versionId);
    if (known === undefined && pending.size >= versionsMax) return;
    pending.set(version.versionId, { ...version, count: (known?.count ?? 0) + count });
  };

  return {
    count: (version) => add(version, 1),
    flush: async () => {
      const taken = [...pending.values()];
      pending = new Map();
      for (let start = 0; start < taken.length; start += VERSIONS_PER_TRANSACTION) {
        try {
          await write(storage, taken.slice(start, start + VERSIONS_PER_TRANSACTION));
        } catch (error) {
          for (const counted of taken.slice(start)) add(counted, counted.count);
          throw error;
        }
        await nextTurn();
      }
    },
  };
}

async function write(storage: Storage, counted: readonly Counted[]): Promise<void> {
  const sums = new Map<string, { id: string; workspaceId: string; count: number }>();
  for (const { workspaceId, packageId, versionId, count } of counted) {
    for (const id of [versionId, packageId])
      sums.set(id, { id, workspaceId, count: (sums.get(id)?.count ?? 0) + count });
  }
  // One order everywhere: two processes that write the same rows would otherwise wait for each other for ever.
  const rows = [...sums.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await inTransaction(storage, async (tx) => {
    for (const row of rows) await addDownloads(tx, row);
  });
}
