import process from 'node:process';
import type { Environment } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { createProgressLine, readArguments } from './arguments.ts';
import { EXIT } from './command.ts';
import { type Check, type Finding, fault, messageOf, type Place } from './doctor/check.ts';
import { proxyCheck, readConfigFaults } from './doctor/check-config.ts';
import { databaseCheck } from './doctor/check-database.ts';
import { dataFolderCheck, diskCheck, masterKeyFileCheck, packageFilesCheck } from './doctor/check-files.ts';
import { rateLimitsCheck } from './doctor/check-limits.ts';
import { mailCheck } from './doctor/check-mail.ts';
import { certificateCheck, isPortTaken, portCheck, publicUrlCheck } from './doctor/check-network.ts';
import { administratorsCheck, auditCheck, jobsCheck, signingKeysCheck } from './doctor/installation.ts';

const CHECK_DEADLINE_MS = 10_000;

/** What waits for others, and can wait at the same time. */
const SIDE_BY_SIDE: readonly Check[] = [
  dataFolderCheck,
  masterKeyFileCheck,
  diskCheck,
  proxyCheck,
  certificateCheck,
  packageFilesCheck,
  portCheck,
  publicUrlCheck,
  mailCheck,
  rateLimitsCheck,
];
/** What keeps SQLite, and with it this process, busy: afterwards, or the others would run out of time. */
const ONE_BY_ONE: readonly Check[] = [
  databaseCheck,
  administratorsCheck,
  signingKeysCheck,
  jobsCheck,
  auditCheck,
];

interface CheckResult {
  readonly name: string;
  readonly findings: readonly Finding[];
  /** Why there was nothing to look at. */
  readonly skipped: string | null;
  readonly durationMs: number;
}

/**
 * Everything that was looked at, in order.
 *
 * @param told called with the name of a check that may keep this process busy for long, before it does
 */
export async function examine(
  environment: Environment,
  now: () => number = () => systemClock.now(),
  told: (name: string) => void = () => {},
): Promise<readonly CheckResult[]> {
  const startedAt = performance.now();
  const { config, findings } = readConfigFaults(environment);
  const durationMs = Math.round(performance.now() - startedAt);
  const first: CheckResult = { name: 'configuration', findings, skipped: null, durationMs };
  if (config === null) return [first];
  const place: Place = { environment, config, now, isListening: await isPortTaken(config) };
  const results = [first, ...(await Promise.all(SIDE_BY_SIDE.map((check) => runCheck(check, place))))];
  for (const check of ONE_BY_ONE) {
    told(check.name);
    results.push(await runCheck(check, place));
  }
  return results;
}

async function runCheck(check: Check, place: Place): Promise<CheckResult> {
  const { name } = check;
  const startedAt = performance.now();
  const deadline = Promise.withResolvers<readonly Finding[]>();
  const late = fault(
    'check.timed_out',
    `The check "${name}" did not end within ${CHECK_DEADLINE_MS / 1_000} seconds.`,
    'Something that it waits for hangs: the network, the disk, or the other side.',
  );
  const timer = setTimeout(() => deadline.resolve([late]), CHECK_DEADLINE_MS);
  const outcome = await Promise.race([check.run(place), deadline.promise]).catch((error: unknown) => [
    fault(
      'check.failed',
      `The check "${name}" could not be made: ${messageOf(error)}.`,
      'See the other findings first.',
    ),
  ]);
  clearTimeout(timer);
  const isSkipped = typeof outcome === 'string';
  return {
    name,
    findings: isSkipped ? [] : outcome,
    skipped: isSkipped ? outcome : null,
    durationMs: Math.round(performance.now() - startedAt),
  };
}

function resultOf({ findings, skipped }: CheckResult): 'ok' | 'fault' | 'warning' | 'skipped' {
  if (skipped !== null) return 'skipped';
  if (findings.some(({ severity }) => severity === 'fault')) return 'fault';
  return findings.length > 0 ? 'warning' : 'ok';
}

/** Looks for what is wrong with an installation, running or stopped, and changes nothing. */
export async function runDoctor(args: readonly string[], environment: Environment): Promise<number> {
  const { values } = readArguments(args, {}, 0);
  const line = createProgressLine(values.json !== true);
  const results = await examine(environment, undefined, (name) => line.show(`looking at: ${name}`));
  line.end();
  const findings = results.flatMap((result) =>
    result.findings.map((finding) => ({ ...finding, check: result.name })),
  );
  const faults = findings.filter(({ severity }) => severity === 'fault');
  const isHealthy = faults.length === 0;
  if (values.json === true) {
    const checks = results.map((result) => ({
      name: result.name,
      result: resultOf(result),
      skipped: result.skipped,
      durationMs: result.durationMs,
    }));
    const bare = (severity: Finding['severity']) =>
      findings
        .filter((finding) => finding.severity === severity)
        .map(({ code, check, message, remedy }) => ({ code, check, message, remedy }));
    const report = { isHealthy, faults: bare('fault'), warnings: bare('warning'), checks };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else process.stdout.write(formatResults(results));
  return isHealthy ? EXIT.ok : EXIT.refused;
}

function formatResults(results: readonly CheckResult[]): string {
  const lines = results.flatMap((result) => [
    `${resultOf(result).padEnd(9)}${result.name}${result.skipped === null ? '' : ` (${result.skipped})`}`,
    ...result.findings.flatMap(({ code, severity, message, remedy }) => [
      `         ${severity} ${code}: ${message}`,
      `           ${remedy}`,
    ]),
  ]);
  const count = (severity: Finding['severity']) => {
    const all = results.flatMap(({ findings }) => findings);
    const { length } = all.filter((finding) => finding.severity === severity);
    return `${length} ${severity}${length === 1 ? '' : 's'}`;
  };
  return `${lines.join('\n')}\n\n${count('fault')}, ${count('warning')}.\n`;
}
