import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditEntry, type KeyreeveClient, paginate } from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { resolveAccountId } from '../account-refs.ts';
import { CliError, EXIT, usageError } from '../failures.ts';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { given, instant } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { cleanText, formatTable, formatTime } from '../text.ts';
import { addServerCommand } from './server.ts';

interface AuditOptions extends ListOptions {
  readonly account?: string;
  readonly by?: string;
  readonly key?: string;
  readonly action?: string;
  readonly outcome?: 'done' | 'refused';
  readonly search?: string;
  readonly since?: string;
  readonly until?: string;
  readonly follow?: boolean;
  readonly export?: 'csv' | 'jsonl' | 'chain';
}

// A whole log is one answer; a long one takes its time.
const EXPORT_TIMEOUT_MS = 3_600_000;
const FOLLOW_MS = 1_000;
/** An entry is in the log once its transaction is; one that was begun before another may come after it. */
const LATE_MS = 5_000;

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'WHEN', cell: ({ at }) => formatTime(at) },
  { title: 'ACTION', cell: ({ action }) => action },
  { title: 'BY', cell: ({ actor }) => actor.name ?? actor.id ?? actor.kind },
  { title: 'ON', cell: ({ target }) => [target.kind, target.name ?? target.id].join(' ') },
  { title: 'FROM', cell: ({ ip }) => ip ?? '-' },
  { title: 'DETAIL', cell: ({ detail }) => (Object.keys(detail).length === 0 ? '' : JSON.stringify(detail)) },
];

async function readFilter(client: KeyreeveClient, options: AuditOptions) {
  const { key, action, outcome, since, until, search } = options;
  const idOf = async (reference: string | undefined) =>
    reference === undefined ? undefined : await resolveAccountId(client, reference);
  const [account, actor] = [await idOf(options.account), await idOf(options.by)];
  return given({ account, actor, key, action, outcome, since, until, q: search });
}

type Filter = Awaited<ReturnType<typeof readFilter>>;

/** The file of the server as it comes, or one entry a line. */
async function exportAudit(run: Run, options: AuditOptions): Promise<void> {
  const client = run.client({ timeoutMs: EXPORT_TIMEOUT_MS });
  const filter = await readFilter(client, options);
  if (options.export === 'chain') {
    if (Object.keys(filter).length > 0)
      throw usageError(
        '--export chain has every entry, and no filters: a part of the log could not be verified.',
        'For a part of it, take --export csv or jsonl.',
      );
    const { data } = await client.GET('/v1/audit/chain/export', { parseAs: 'stream' });
    await printStream(run, data);
    return;
  }
  if (options.export === 'jsonl') {
    const entries = paginate((page) =>
      client.GET('/v1/audit', { params: { query: { ...page, ...filter, limit: 200 } } }),
    );
    for await (const entry of entries) await run.print(`${JSON.stringify(entry)}\n`);
    return;
  }
  const { data } = await client.GET('/v1/audit/export', { params: { query: filter }, parseAs: 'stream' });
  await printStream(run, data);
}

async function printStream(run: Run, data: unknown): Promise<void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const chunks = readWhole((data ?? []) as AsyncIterable<Uint8Array>);
  for await (const chunk of chunks) await run.print(decoder.decode(chunk, { stream: true }));
}

/** @throws cli.export_cut when the connection breaks: what came until then looks like a whole file */
async function* readWhole(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch {
    throw new CliError('cli.export_cut', 'The server broke off: what came is not the whole log.', {
      exitCode: EXIT.network,
      remedy: 'Throw it away, and export again, perhaps in parts (--since, --until).',
    });
  }
}

/** Entries from now on (or from `since` on), oldest first, until the user ends it. */
async function followAudit(run: Run, client: KeyreeveClient, filter: Filter): Promise<void> {
  const readFrom = (from: Filter) =>
    paginate((page) => client.GET('/v1/audit', { params: { query: { ...page, ...from, limit: 200 } } }));
  const seen = new Map<number, number>();
  let newestAt = Date.parse(filter.since ?? '');
  if (Number.isNaN(newestAt)) {
    const { data } = await client.GET('/v1/audit', { params: { query: filter } });
    for (const { seq, at } of data.items) seen.set(seq, Date.parse(at));
    newestAt = Math.max(0, ...seen.values());
  }
  const { interruption } = run.world;
  while (!interruption.aborted) {
    const since = new Date(Math.max(0, newestAt - LATE_MS)).toISOString();
    const news: AuditEntry[] = [];
    for await (const entry of readFrom({
      ...filter,
      since: seen.size === 0 ? (filter.since ?? since) : since,
    }))
      if (!seen.has(entry.seq)) news.push(entry);
    for (const entry of news.toReversed()) {
      const at = Date.parse(entry.at);
      seen.set(entry.seq, at);
      newestAt = Math.max(newestAt, at);
      const cells = COLUMNS.map(({ cell }) => cleanText(cell(entry)));
      await run.print(run.isJson ? `${JSON.stringify(entry)}\n` : formatTable([cells]));
    }
    for (const [seq, at] of seen) if (at < newestAt - LATE_MS) seen.delete(seq);
    await sleep(FOLLOW_MS, undefined, { signal: interruption }).catch(() => undefined);
  }
}

async function showAudit(run: Run, options: AuditOptions): Promise<void> {
  const isPaged = options.all === true || options.cursor !== undefined;
  if (options.export !== undefined) {
    if (isPaged || options.follow === true)
      throw usageError('--export has every entry, and none of --all, --cursor and --follow beside it.');
    await exportAudit(run, options);
    return;
  }
  const client = run.client();
  const filter = await readFilter(client, options);
  if (options.follow === true) {
    if (isPaged || options.until !== undefined)
      throw usageError('--follow goes on for ever, and has none of --all, --cursor and --until beside it.');
    await followAudit(run, client, filter);
    return;
  }
  await printList(run, options, COLUMNS, (page) =>
    client.GET('/v1/audit', { params: { query: { ...page, ...filter } } }),
  );
}

export function addAuditCommand(program: Command, setting: Setting): void {
  const audit = addListOptions(program.command('audit').description('who did what when, newest first'))
    .option('--account <account>', 'about this account: id, e-mail or technical name')
    .option('--by <account>', 'what this account did')
    .option('--key <key>', 'about this API key')
    .option('--action <action>', 'for instance key.created, or key. for all about keys')
    .addOption(new Option('--outcome <outcome>', 'what was done, or refused').choices(['done', 'refused']))
    .option('--search <text>', 'in names and ids')
    .option('--since <instant>', 'a day like 2027-03-01, or an instant', instant)
    .option('--until <instant>', 'a day or an instant', instant)
    .addOption(
      new Option('--export <format>', 'every entry as a file on stdout').choices(['csv', 'jsonl', 'chain']),
    )
    .option('--follow', 'wait for entries and show them as they come, oldest first')
    .action(withRun(setting, showAudit));
  const what = 'whether the log is as it was written, and which row is the first that is not';
  addServerCommand(audit, setting, 'verify', what, ['audit'])
    .option('--file <file>', 'in an export (audit --export chain), without server and database; - for stdin')
    .option('--fingerprint <fingerprint>', 'of the key that must have signed it, as it was noted down')
    .option('--workspace <id>', 'of this workspace only')
    .option(
      '--checkpoints <file>',
      'and against the checkpoints in a log of the server, or in an older export',
    );
}
