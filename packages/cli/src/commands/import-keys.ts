import { type Command, Option } from 'commander';
import { EXIT, type ExitCode } from '../failures.ts';
import { linesOf } from '../import/batches.ts';
import { type FileFormat, openImportFile } from '../import/file.ts';
import { type ImportReport, type Phase, runImport } from '../import/run-import.ts';
import { createProgress } from '../progress.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { cleanText } from '../text.ts';

interface ImportKeysOptions {
  readonly dryRun?: boolean;
  readonly skipImported?: boolean;
  readonly format?: FileFormat;
}

// A batch is one transaction of many rows: on a busy server it takes longer than other requests.
const BATCH_TIMEOUT_MS = 120_000;

const DOING: Readonly<Record<Phase, string>> = {
  reading: 'Reading',
  checking: 'Checking',
  importing: 'Importing',
};

function rowsText(count: number): string {
  return `${count} ${count === 1 ? 'row' : 'rows'}`;
}

function summarize(file: string, report: ImportReport): string {
  const { rows, imported, skipped, faultCount, stop, dryRun } = report;
  const left = skipped === 0 ? '' : ` ${rowsText(skipped)} already imported, left out.`;
  if (stop !== null) return `${file}: stopped. ${rowsText(imported)} of ${rows} imported.${left}\n`;
  if (faultCount > 0) return `${file}: ${rowsText(faultCount)} of ${rows} faulty; nothing was imported.\n`;
  if (dryRun) return `${file}: ${rowsText(rows - skipped)} can be imported.${left}\n`;
  return `${file}: ${rowsText(imported)} imported.${left}\n`;
}

function toJson(file: string, { stop, batchesDone, faultCount, ...report }: ImportReport) {
  const stopped =
    stop === null
      ? null
      : { batch: stop.batch.number, lines: linesOf(stop.batch), isUnknown: stop.isUnknown };
  return { file, ...report, batchesDone, faultCount, stopped };
}

function explainStop(run: Run, { stop, batchesDone, imported }: ImportReport): void {
  if (stop === null) return;
  const { batch, isUnknown } = stop;
  run.note(
    batchesDone === 0 ? 'No batch was imported before.' : `Batches 1 to ${batchesDone} are done; they stay.`,
  );
  run.note(
    isUnknown
      ? `Whether batch ${batch.number} (${linesOf(batch)}) was imported is not known; it was wholly or not at all.`
      : `Batch ${batch.number} (${linesOf(batch)}) was not imported, nor what follows.`,
  );
  if (imported > 0 || isUnknown) run.note('To go on, run the command again with --skip-imported.');
}

async function importKeys(run: Run, path: string, options: ImportKeysOptions): Promise<ExitCode> {
  const client = run.client({ timeoutMs: BATCH_TIMEOUT_MS });
  const file = openImportFile(path, options.format);
  const progress = createProgress(run);
  const report = await runImport(client, file, {
    isDryRun: options.dryRun === true,
    skipImported: options.skipImported === true,
    signal: run.world.interruption,
    onProgress: (phase, rows, total) => progress.show(`${DOING[phase]}: ${rows} of ${rowsText(total)}`),
  }).finally(() => progress.end());
  if (!run.isJson) {
    for (const { line, message } of report.faults) run.note(`${path}:${line}: ${cleanText(message)}`);
    if (report.faultCount > report.faults.length)
      run.note(`… and ${report.faultCount - report.faults.length} more.`);
    if (report.faults.some(({ message }) => message.endsWith('is already imported'))) {
      run.note('--skip-imported leaves out what is already imported.');
    }
  }
  await run.result(toJson(path, report), summarize(path, report));
  if (report.stop !== null) {
    explainStop(run, report);
    throw report.stop.error;
  }
  return report.faultCount > 0 ? EXIT.refused : EXIT.ok;
}

export function addImportCommand(program: Command, setting: Setting): void {
  program
    .command('import-keys <file>')
    .description(
      'import full-access and foreign keys from CSV or JSON Lines; checks everything before it stores anything',
    )
    .option('--dry-run', 'check only')
    .option('--skip-imported', 'leave out rows that are already imported, to go on after a break')
    .addOption(
      new Option('--format <format>', 'when the name of the file does not tell').choices(['csv', 'jsonl']),
    )
    .action(withRun(setting, importKeys));
}
