import { type AuditEntry, ifMatch, type Package, type Settings, type Workspace } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { resolveAccountId } from '../account-refs.ts';
import { usageError } from '../failures.ts';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { given, instant, repeated } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatDetails, formatTime } from '../text.ts';

interface AuditOptions extends ListOptions {
  readonly account?: string;
  readonly key?: string;
  readonly action?: string;
  readonly since?: string;
  readonly until?: string;
}

const AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'WHEN', cell: ({ at }) => formatTime(at) },
  { title: 'ACTION', cell: ({ action }) => action },
  { title: 'BY', cell: ({ actor }) => actor.name ?? actor.id ?? actor.kind },
  { title: 'ON', cell: ({ target }) => [target.kind, target.name ?? target.id].join(' ') },
  { title: 'FROM', cell: ({ ip }) => ip ?? '-' },
  { title: 'DETAIL', cell: ({ detail }) => (Object.keys(detail).length === 0 ? '' : JSON.stringify(detail)) },
];
const PACKAGE_COLUMNS: readonly Column<Package>[] = [
  { title: 'PACKAGE', cell: ({ displayId }) => displayId },
  { title: 'LATEST', cell: ({ latestVersion }) => latestVersion ?? '-' },
  {
    title: 'VERSIONS',
    cell: ({ versionCount, listedVersionCount }) => `${versionCount} (${listedVersionCount} listed)`,
  },
  { title: 'OWNERS', cell: ({ owners }) => owners.join(', ') },
  { title: 'SINCE', cell: ({ createdAt }) => formatTime(createdAt) },
];
const WORKSPACE_COLUMNS: readonly Column<Workspace>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'ADDRESS', cell: ({ url }) => url },
  { title: 'ALIASES', cell: ({ aliases }) => aliases.join(', ') },
  { title: 'SINCE', cell: ({ createdAt }) => formatTime(createdAt) },
];

function describeSettings(settings: Settings): string {
  return formatDetails(Object.entries(settings).map(([name, value]) => [name, JSON.stringify(value)]));
}

/** `name=value`: the value as JSON where it is JSON, else as text, so that `keyMail=link` needs no quotes. */
function readAssignments(assignments: readonly string[]): Partial<Settings> {
  const entries = assignments.map((assignment): [string, unknown] => {
    const divide = assignment.indexOf('=');
    if (divide < 1)
      throw usageError(
        'A setting is changed as name=value.',
        'For instance: keyreeve settings set defaultLifetimeDays=180',
      );
    const text = assignment.slice(divide + 1);
    try {
      return [assignment.slice(0, divide), JSON.parse(text)];
    } catch {
      return [assignment.slice(0, divide), text];
    }
  });
  // What is no setting, or no value of it, is for the server to refuse: it names the field and the limit.
  return Object.fromEntries(entries);
}

async function setSettings(run: Run, assignments: readonly string[]): Promise<void> {
  const body = readAssignments(assignments);
  const client = run.client();
  const { response } = await client.GET('/v1/settings');
  const { data } = await client.PATCH('/v1/settings', {
    body,
    headers: ifMatch(response.headers.get('etag') ?? '*'),
  });
  await run.result(data, describeSettings(data));
}

async function listAudit(run: Run, options: AuditOptions): Promise<void> {
  const { key, action, since, until } = options;
  const client = run.client();
  const account = options.account === undefined ? undefined : await resolveAccountId(client, options.account);
  const filter = given({ account, key, action, since, until });
  await printList(run, options, AUDIT_COLUMNS, (page) =>
    client.GET('/v1/audit', { params: { query: { ...page, ...filter } } }),
  );
}

interface CreateWorkspaceOptions {
  readonly name: string;
  readonly subdomain: string;
  readonly alias?: string[];
}

async function createWorkspace(run: Run, { name, subdomain, alias }: CreateWorkspaceOptions): Promise<void> {
  const body = { name, subdomain, ...given({ aliases: alias }) };
  const { data } = await run.client().POST('/v1/workspaces', { body });
  const { workspace, setupCode } = data;
  await run.result(
    data,
    formatDetails([
      ['Id', workspace.id],
      ['Address', workspace.url],
      ['Set-up code', setupCode],
    ]),
  );
  if (!run.isJson)
    run.note(`The code is shown this once. Its first administrator: keyreeve setup --url ${workspace.url}`);
}

/** Commands about the workspace as a whole. */
export function addWorkspaceCommands(program: Command, setting: Setting): void {
  const settings = program.command('settings').description('settings of the workspace');
  settings
    .command('show')
    .description('all settings')
    .action(
      withRun(setting, async (run) => {
        const { data } = await run.client().GET('/v1/settings');
        await run.result(data, describeSettings(data));
      }),
    );
  settings
    .command('set <name=value...>')
    .description('change settings, e.g. defaultLifetimeDays=180 expiryNoticeDays=[30,10]')
    .action(withRun(setting, setSettings));
  addListOptions(program.command('audit').description('who did what when, newest first'))
    .option('--account <account>', 'about this account: id, e-mail or technical name')
    .option('--key <key>', 'about this API key')
    .option('--action <action>', 'for instance key.created')
    .option('--since <instant>', 'a day like 2027-03-01, or an instant', instant)
    .option('--until <instant>', 'a day or an instant', instant)
    .action(withRun(setting, listAudit));
  const workspaces = program
    .command('workspaces')
    .description('tenants of the server, for its administrators');
  addListOptions(workspaces.command('list').description('all workspaces')).action(
    withRun(setting, async (run, options: ListOptions) => {
      const client = run.client();
      await printList(run, options, WORKSPACE_COLUMNS, (query) =>
        client.GET('/v1/workspaces', { params: { query } }),
      );
    }),
  );
  workspaces
    .command('create')
    .description('create a workspace; prints the set-up code of its first administrator')
    .requiredOption('--name <name>', 'display name')
    .requiredOption('--subdomain <label>', 'its address is this label below the base domain')
    .option('--alias <host>', 'a further host name; may be repeated', repeated)
    .action(withRun(setting, createWorkspace));
  addPackageCommands(program, setting);
}

function addPackageCommands(program: Command, setting: Setting): void {
  const packages = program.command('packages').description('packages of the gallery');
  addListOptions(packages.command('list').description('list and search the packages that you may see'))
    .option('--owner <account>', 'owned by this account: id, e-mail or technical name')
    .option('--search <text>', 'part of a package id')
    .action(
      withRun(setting, async (run, options: ListOptions & { owner?: string; search?: string }) => {
        const client = run.client();
        const owner = options.owner === undefined ? undefined : await resolveAccountId(client, options.owner);
        const filter = given({ owner, q: options.search });
        await printList(run, options, PACKAGE_COLUMNS, (page) =>
          client.GET('/v1/packages', { params: { query: { ...page, ...filter } } }),
        );
      }),
    );
}
