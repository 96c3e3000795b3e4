import type { KeyUsage } from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { given, instant } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { cleanText, formatTable, formatTime } from '../text.ts';

interface UsageOptions {
  readonly from?: string;
  readonly to?: string;
  readonly by?: 'hour' | 'day';
}

type Outcomes = KeyUsage['actions'][number]['outcomes'];

/** Accepted, refused, and the reasons for it, as the cells of a row. */
function toCells(outcomes: Outcomes): string[] {
  const accepted = outcomes.find(({ outcome }) => outcome === 'valid')?.count ?? 0;
  const refusals = outcomes
    .filter(({ outcome }) => outcome !== 'valid')
    .toSorted((a, b) => b.count - a.count);
  const refused = refusals.reduce((sum, { count }) => sum + count, 0);
  return [
    String(accepted),
    String(refused),
    refusals.map(({ outcome, count }) => `${outcome} ${count}`).join(', '),
  ];
}

const COUNTS = ['ACCEPTED', 'REFUSED', 'WHY'];

function describeUsage({ by, from, to, buckets, actions }: KeyUsage): string {
  if (buckets.length === 0) return `Not used from ${formatTime(from)} to ${formatTime(to)}.\n`;
  const times = buckets.map(({ start, outcomes }) => [formatTime(start), ...toCells(outcomes)]);
  const names = actions.map(({ action, outcomes }) => [
    action === null ? '(none asked for)' : cleanText(action),
    ...toCells(outcomes),
  ]);
  const byTime = formatTable([[by.toUpperCase(), ...COUNTS], ...times]);
  return `${byTime}\n${formatTable([['ACTION', ...COUNTS], ...names])}`;
}

async function showUsage(run: Run, keyId: string, options: UsageOptions): Promise<void> {
  const params = { path: { keyId }, query: given({ ...options }) };
  const { data } = await run.client().GET('/v1/keys/{keyId}/usage', { params });
  await run.result(data, describeUsage(data));
}

export function addUsageCommand(keys: Command, setting: Setting): void {
  keys
    .command('usage <key>')
    .description('how often a key was used, over time and by action')
    .option('--from <instant>', 'a day like 2027-03-01, or an instant', instant)
    .option('--to <instant>', 'up to a day or an instant (default: now)', instant)
    .addOption(new Option('--by <length>', 'length of a row of the table').choices(['hour', 'day']))
    .action(withRun(setting, showUsage));
}
