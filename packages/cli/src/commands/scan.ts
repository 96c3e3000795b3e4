import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError, EXIT, type ExitCode, usageError } from '../failures.ts';
import { createProgress } from '../progress.ts';
import { isPlainAndRemote, type Run, type Setting, withRun } from '../run.ts';
import { askServer } from '../scan/ask-server.ts';
import { type Finding, type Findings, formatPlace } from '../scan/findings.ts';
import { knownKeys, knownKeysFile } from '../scan/known-keys.ts';
import { runScan } from '../scan/run-scan.ts';
import { toSarif } from '../scan/sarif.ts';
import { cleanText } from '../text.ts';

interface ScanCommandOptions {
  readonly git?: boolean;
  readonly unreachable?: boolean;
  readonly stdin?: boolean;
  readonly staged?: boolean;
  readonly prefix: readonly string[];
  readonly ignore?: readonly string[];
  readonly ignoreFile?: readonly string[];
  readonly verify: boolean;
  readonly failOn: 'found' | 'live';
  readonly format: 'text' | 'json' | 'sarif';
}

const DEFAULT_PREFIX = 'kr';

function prefixes(text: string, before: readonly string[]): string[] {
  if (!/^[a-z]{2,8}$/.test(text)) throw new InvalidArgumentError('Give 2 to 8 lower-case letters.');
  return [...new Set([...before, text])];
}

function describe({ key, state, account, places, placeCount }: Finding): string {
  const head = `${key.apiKey}  secret ${key.maskedSecret}  ${state}${account === null ? '' : `  of ${account}`}`;
  const lines = places.map((place) => {
    const half = place.apiKeyLine === null ? '' : `, API key in line ${place.apiKeyLine}`;
    return `  ${formatPlace(place)}  ${place.spelling}${half}`;
  });
  const more = placeCount - places.length;
  return [head, ...lines, ...(more === 0 ? [] : [`  and ${more} more places`])]
    .map((line) => `${cleanText(line)}\n`)
    .join('');
}

function toJson(findings: Findings): object {
  const { all, skipped, notes, isComplete, fileCount, objectCount, byteCount } = findings;
  return {
    findings: all.map(({ key, ...rest }) => ({ ...key.toJSON(), ...rest })),
    scanned: { files: fileCount, gitObjects: objectCount, bytes: byteCount },
    skipped,
    notes,
    isComplete,
  };
}

/** Whether and why not to ask the server; null when it can be asked. */
function findReasonNotToAsk(run: Run, isWanted: boolean): string | null {
  if (!isWanted) return '--no-verify was given';
  // What was found may be live: it must not be sent where others read along, not even to its own server.
  if (isPlainAndRemote(run.url)) return `${run.url} is not https`;
  try {
    run.client();
    return null;
  } catch (error) {
    if (error instanceof CliError && error.code === 'cli.not_signed_in')
      return 'no credential for a server is set';
    throw error;
  }
}

async function askAbout(run: Run, findings: Findings, isWanted: boolean): Promise<void> {
  const { all } = findings;
  if (all.length === 0) return;
  const reason = findReasonNotToAsk(run, isWanted);
  const progress = createProgress(run);
  const failure =
    reason ??
    (await askServer(run.client(), all, (count) =>
      progress.show(`asked about ${count} of ${all.length} keys`),
    ));
  progress.end();
  if (failure !== null)
    findings.notes.push(`Which keys are live was not asked: ${failure}.`.replace('..', '.'));
}

async function scan(run: Run, paths: readonly string[], options: ScanCommandOptions): Promise<ExitCode> {
  const isStdinRead = options.stdin === true;
  if (options.unreachable === true && options.git !== true) throw usageError('--unreachable needs --git.');
  if (options.staged === true && (options.git === true || isStdinRead))
    throw usageError('--staged reads what is staged, and has neither --git nor --stdin beside it.');
  if (isStdinRead && run.world.stdin.isTTY === true)
    throw usageError(
      'stdin is a terminal.',
      'Send text to it, as in: kubectl logs job/build | keyreeve scan --stdin',
    );
  const progress = createProgress(run);
  const findings = await runScan(
    run.world,
    {
      paths: paths.length > 0 || isStdinRead ? paths : ['.'],
      prefixes: options.prefix,
      ignored: new Set([...(options.ignore ?? []), ...(options.ignoreFile ?? [])]),
      isHistoryRead: options.git === true,
      isUnreachableRead: options.unreachable === true,
      isStagedRead: options.staged === true,
      isStdinRead,
    },
    (text) => progress.show(text),
  );
  progress.end();
  await askAbout(run, findings, options.verify);
  await report(run, findings, options);
  const counted = findings.all.filter(
    ({ state }) => options.failOn === 'found' || state === 'live' || state === 'not asked',
  );
  return counted.length === 0 && findings.isComplete ? EXIT.ok : EXIT.refused;
}

function countOf(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

async function report(run: Run, findings: Findings, { format }: ScanCommandOptions): Promise<void> {
  const { all, skipped, notes, fileCount, objectCount } = findings;
  if (format === 'sarif') await run.print(`${JSON.stringify(toSarif(all), null, 2)}\n`);
  else if (format === 'json' || run.isJson) await run.print(`${JSON.stringify(toJson(findings), null, 2)}\n`);
  else for (const finding of all) await run.print(describe(finding));
  if (format === 'json' || run.isJson) return;
  for (const { path, reason } of skipped) run.note(cleanText(`Not read: ${path}: ${reason}`));
  for (const note of notes) run.note(cleanText(note));
  const objects = objectCount === 0 ? '' : ` and ${countOf(objectCount, 'object')} of git`;
  run.note(
    `${all.length === 0 ? 'No key' : countOf(all.length, 'key')} in ${countOf(fileCount, 'file')}${objects}.`,
  );
}

/** Finds keys that stand where they should not, and asks which of them are live. */
export function addScanCommand(program: Command, setting: Setting): void {
  program
    .command('scan [path...]')
    .description('find Keyreeve keys in files and git history; ends with 1 when there are any')
    .option('--git', 'read the history of repositories, too: every branch, tag, stash and amended commit')
    .option('--unreachable', 'with --git: what no branch and no log of git leads to, too')
    .option('--staged', 'only what is about to be committed, for hooks of git')
    .option('--stdin', 'read stdin, instead of the folder when no path is given')
    .option('--prefix <letters>', 'of keys, besides kr; may be repeated', prefixes, [DEFAULT_PREFIX])
    .option('--ignore <API key>', 'an example, for instance of tests; may be repeated', knownKeys)
    .option('--ignore-file <file>', 'a file of such API keys, one a line; may be repeated', knownKeysFile)
    .option('--no-verify', 'do not ask the server which keys are live')
    .addOption(
      new Option(
        '--fail-on <what>',
        'end with 1 when a key was found, or only when one is live or was not asked about',
      )
        .choices(['found', 'live'])
        .default('found'),
    )
    .addOption(
      new Option('--format <format>', 'form of the report')
        .choices(['text', 'json', 'sarif'])
        .default('text'),
    )
    .action(withRun(setting, scan));
}
