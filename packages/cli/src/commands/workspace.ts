import { ifMatch, type Settings, type Workspace } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { usageError } from '../failures.ts';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { given, repeated } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatDetails, formatTime } from '../text.ts';

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
}
