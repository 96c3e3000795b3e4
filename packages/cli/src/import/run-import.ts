import { type KeyreeveClient, KeyreeveError } from '@keyreeve/sdk';
import { CliError, EXIT } from '../failures.ts';
import { type Batch, toBatches } from './batches.ts';
import type { ImportFile } from './file.ts';
import type { ReadRow } from './rows.ts';
import { type RowFault, sendBatch } from './send-batch.ts';

export interface ImportOptions {
  /** Ends after the checks. */
  readonly isDryRun: boolean;
  /** Rows whose credential the workspace knows already are left out instead of refused. */
  readonly skipImported: boolean;
  /** Aborts at Ctrl-C: the running batch is finished, no further one begun. */
  readonly signal: AbortSignal;
  readonly onProgress: (phase: Phase, rows: number, totalRows: number) => void;
}

export type Phase = 'reading' | 'checking' | 'importing';

/** How far an import came. */
export interface ImportReport {
  readonly dryRun: boolean;
  rows: number;
  imported: number;
  skipped: number;
  batchesDone: number;
  /** The first faults, in the order of the file. */
  readonly faults: RowFault[];
  faultCount: number;
  readonly keys: { readonly line: number; readonly keyId: string }[];
  /** Why it ended early; null when it did not. */
  stop: Stop | null;
}

interface Stop {
  readonly error: unknown;
  readonly batch: Batch;
  /** The server may have imported the batch although no answer said so. */
  readonly isUnknown: boolean;
}

const ROWS_MAX = 1_000_000;
const FAULTS_KEPT = 100;

function addFault(report: ImportReport, fault: RowFault): void {
  report.faultCount += 1;
  if (report.faults.length < FAULTS_KEPT) report.faults.push(fault);
}

/** First pass, without the server: every row is well-formed, and no credential occurs twice. */
async function checkLocally(file: ImportFile, report: ImportReport, options: ImportOptions): Promise<void> {
  const lines = new Map<string, number>();
  for await (const read of file.rows()) {
    report.rows += 1;
    if (report.rows > ROWS_MAX) {
      throw new CliError('cli.file', `The file has more than ${ROWS_MAX} rows.`, {
        remedy: 'Divide it into several files.',
      });
    }
    if ('fault' in read) {
      addFault(report, { line: read.line, message: read.fault });
      continue;
    }
    // As bytes in one string the digest takes half the memory.
    const digest = Buffer.from(read.row.sha256, 'hex').toString('latin1');
    const first = lines.get(digest);
    if (first === undefined) lines.set(digest, read.line);
    else addFault(report, { line: read.line, message: `holds the same credential as line ${first}` });
    if (report.rows % 10_000 === 0) options.onProgress('reading', report.rows, report.rows);
  }
  if (report.rows === 0) throw new CliError('cli.file', 'The file has no rows.');
}

/** Second pass: the server judges every batch and stores nothing. Gathers the lines to leave out. */
async function checkRemotely(
  client: KeyreeveClient,
  file: ImportFile,
  report: ImportReport,
  options: ImportOptions,
): Promise<Set<number>> {
  const skipped = new Set<number>();
  let rows = 0;
  for await (const batch of toBatches(file.rows())) {
    if (options.signal.aborted) throw interrupted('Interrupted before anything was imported.');
    const result = await sendBatch(client, batch, { dryRun: true, signal: options.signal });
    if ('faults' in result) {
      const imported = result.imported.map((line) => ({ line, message: 'is already imported' }));
      if (options.skipImported) for (const line of result.imported) skipped.add(line);
      const faults = options.skipImported ? result.faults : [...result.faults, ...imported];
      for (const fault of faults.toSorted((one, other) => one.line - other.line)) addFault(report, fault);
    }
    rows += batch.rows.length;
    options.onProgress('checking', rows, report.rows);
  }
  return skipped;
}

function interrupted(message: string): CliError {
  return new CliError('cli.interrupted', message, { exitCode: EXIT.interrupted });
}

async function* without(rows: AsyncIterable<ReadRow>, lines: ReadonlySet<number>): AsyncGenerator<ReadRow> {
  for await (const read of rows) if (!lines.has(read.line)) yield read;
}

/** True when the server may have stored a batch although it did not say so. */
function mayBeStored(error: unknown): boolean {
  if (error instanceof CliError) return false;
  return !(error instanceof KeyreeveError && error.problem !== null && error.status < 500);
}

/** @throws CliError when rows are refused that the check found good */
async function importBatch(
  client: KeyreeveClient,
  batch: Batch,
  report: ImportReport,
  options: ImportOptions,
): Promise<void> {
  let { rows } = batch;
  while (rows.length > 0) {
    const result = await sendBatch(client, { ...batch, rows }, { dryRun: false, signal: options.signal });
    if ('keyIds' in result) {
      report.imported += rows.length;
      report.keys.push(...result.keyIds.map((keyId, index) => ({ line: rows[index]?.line ?? 0, keyId })));
      return;
    }
    if (!options.skipImported || result.faults.length > 0) {
      for (const fault of result.faults) addFault(report, fault);
      for (const line of result.imported) addFault(report, { line, message: 'is already imported' });
      throw new CliError(
        'cli.import_refused',
        'The server refused rows that it had found good: somebody changed something meanwhile.',
      );
    }
    report.skipped += result.imported.length;
    rows = rows.filter(({ line }) => !result.imported.includes(line));
  }
}

/** Third pass: imports batch after batch, and stops at the first that fails. */
async function importAll(
  client: KeyreeveClient,
  batches: AsyncIterable<Batch>,
  report: ImportReport,
  options: ImportOptions,
): Promise<void> {
  for await (const batch of batches) {
    try {
      if (options.signal.aborted) throw interrupted('Interrupted.');
      await importBatch(client, batch, report, options);
    } catch (error) {
      report.stop = { error, batch, isUnknown: mayBeStored(error) };
      return;
    }
    report.batchesDone += 1;
    options.onProgress('importing', report.imported + report.skipped, report.rows);
  }
}

/**
 * Imports a file: checks every row here, has the server check every batch, and only when all are good imports
 * them. A batch is imported whole or not at all; what was imported before a failure stays, and `stop` says
 * where to go on.
 *
 * @throws CliError when the file cannot be used, or at Ctrl-C before anything was imported
 * @throws KeyreeveError, KeyreeveTransportError when the server refuses the check as a whole
 */
export async function runImport(
  client: KeyreeveClient,
  file: ImportFile,
  options: ImportOptions,
): Promise<ImportReport> {
  const report: ImportReport = {
    dryRun: options.isDryRun,
    rows: 0,
    imported: 0,
    skipped: 0,
    batchesDone: 0,
    faults: [],
    faultCount: 0,
    keys: [],
    stop: null,
  };
  await checkLocally(file, report, options);
  if (report.faultCount > 0) return report;
  const skipped = await checkRemotely(client, file, report, options);
  report.skipped = skipped.size;
  if (report.faultCount > 0 || options.isDryRun) return report;
  await importAll(client, toBatches(without(file.rows(), skipped)), report, options);
  return report;
}
