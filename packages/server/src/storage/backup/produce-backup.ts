import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type BlobStore, BlobStoreFault } from '../blobs/index.ts';
import { CHUNK_BYTES_MAX, type Ending, FORMAT_VERSION, type Manifest, signEnding } from './backup-format.ts';
import type { Snapshot } from './snapshot.ts';

/** What a finished backup held. */
export interface BackupTotals {
  rows: number;
  readonly tables: Record<string, number>;
  packages: number;
  packageBytes: number;
  readonly missing: string[];
}

export interface BackupSource {
  /** Null when the files of packages stay out. */
  readonly blobs: BlobStore | null;
  readonly masterKey: Uint8Array;
  readonly publicUrl: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly totals: BackupTotals;
  readonly onProgress: (totals: BackupTotals, part: string) => void;
}

/** Hashes what is written, as it is written. */
class Lines {
  readonly hash = createHash('sha256');

  bytes(bytes: Buffer): Buffer {
    this.hash.update(bytes);
    return bytes;
  }

  line(value: object): Buffer {
    return this.bytes(Buffer.from(`${JSON.stringify(value)}\n`));
  }
}

/**
 * A backup as bytes, not yet compressed: rows first, while the snapshot is held, then the files that they name, for
 * which no transaction is kept open. A file without a row does no harm, a row without its file does. Memory is
 * bounded by one page of rows, one chunk, and 64 bytes for each package file.
 */
export async function* produceBackup(snapshot: Snapshot, source: BackupSource): AsyncGenerator<Buffer> {
  const lines = new Lines();
  yield lines.line(await makeManifest(snapshot, source));
  yield* writeTables(snapshot, source, lines);
  const names = source.blobs === null ? [] : await listPackageFiles(snapshot);
  await snapshot.close();
  for (const name of names) yield* writePackage(name.toString('hex'), source, lines);
  const { rows, packages, packageBytes, missing } = source.totals;
  const sha256 = lines.hash.digest('hex');
  const mac = signEnding(source.masterKey, sha256);
  const ending: Ending = { rows, packages, packageBytes, missing, sha256, mac };
  yield Buffer.from(`${JSON.stringify({ end: ending })}\n`);
}

async function makeManifest(
  { main, engine, versions, masterKeyCheck }: Snapshot,
  { blobs, publicUrl, createdAt }: BackupSource,
): Promise<Manifest> {
  const workspaces = await main
    .selectFrom('workspaces')
    .select(['name', 'subdomain'])
    .orderBy('created_at')
    .orderBy('id')
    .limit(1_000)
    .execute();
  return {
    keyreeveBackup: FORMAT_VERSION,
    createdAt,
    engine,
    schema: versions,
    masterKeyCheck: masterKeyCheck ?? '',
    workspaces,
    publicUrl,
    hasPackages: blobs !== null,
  };
}

async function* writeTables(
  snapshot: Snapshot,
  { totals, onProgress }: BackupSource,
  lines: Lines,
): AsyncGenerator<Buffer> {
  for (const table of snapshot.tables) {
    yield lines.line({ table: table.name, store: table.store, columns: table.columns });
    const hash = createHash('sha256');
    let count = 0;
    for await (const page of snapshot.readRows(table)) {
      const text = Buffer.from(page.map((row) => `${JSON.stringify(row.map(requireKnownValue))}\n`).join(''));
      hash.update(text);
      count += page.length;
      totals.rows += page.length;
      onProgress(totals, table.name);
      yield lines.bytes(text);
    }
    totals.tables[table.name] = count;
    yield lines.line({ tableEnd: table.name, rows: count, sha256: hash.digest('hex') });
  }
}

/** A value that JSON would change in silence must stop the backup, not surprise a restore. */
function requireKnownValue(value: unknown): string | number | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(`A backup cannot hold a value of the type ${typeof value}.`);
}

async function listPackageFiles({ main }: Snapshot): Promise<Buffer[]> {
  const names: Buffer[] = [];
  for (let last = ''; ; ) {
    const rows = await main
      .selectFrom('package_versions')
      .select('sha512')
      .distinct()
      .where('sha512', '>', last)
      .orderBy('sha512')
      .limit(sql.lit(1_000))
      .execute();
    for (const { sha512 } of rows) names.push(Buffer.from(sha512, 'hex'));
    const end = rows.at(-1);
    if (end === undefined) return names;
    last = end.sha512;
  }
}

/**
 * One file, hashed by the store on its way. A file that is damaged or gone is told and left out: the other thousand
 * must still be kept.
 *
 * @throws BlobStoreFault when the store as a whole is in trouble
 */
async function* writePackage(
  sha512: string,
  { blobs, totals, onProgress }: BackupSource,
  lines: Lines,
): AsyncGenerator<Buffer> {
  const blob = (await blobs?.open(sha512)) ?? null;
  if (blob === null) {
    totals.missing.push(sha512);
    return;
  }
  yield lines.line({ package: sha512, bytes: blob.sizeBytes });
  let isWhole = true;
  try {
    for await (const piece of await blob.stream()) {
      for (let at = 0; at < (piece as Buffer).length; at += CHUNK_BYTES_MAX) {
        const chunk = (piece as Buffer).subarray(at, at + CHUNK_BYTES_MAX);
        yield lines.line({ chunk: chunk.length });
        yield lines.bytes(chunk);
        totals.packageBytes += chunk.length;
      }
      onProgress(totals, 'package files');
    }
    totals.packages += 1;
  } catch (error) {
    if (error instanceof BlobStoreFault) throw error;
    isWhole = false;
    totals.missing.push(sha512);
  }
  yield lines.line({ packageEnd: sha512, isWhole });
}
