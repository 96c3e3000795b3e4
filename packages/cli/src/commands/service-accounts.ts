import { type BodyOf, ifMatch, type KeyreeveClient, type ServiceAccount } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { resolveServiceAccountId, resolveUserId } from '../account-refs.ts';
import { usageError } from '../failures.ts';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { given, repeated } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatDetails, formatTime } from '../text.ts';
import { type AccountOptions, addAccountOptions, commonDetails, commonFields } from './accounts.ts';

interface ServiceOptions extends AccountOptions {
  readonly email?: string;
  readonly description?: string;
  readonly manager?: string[];
  /** False after `--no-managers`. */
  readonly managers?: boolean;
}

const COLUMNS: readonly Column<ServiceAccount>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'TECHNICAL NAME', cell: ({ technicalName }) => technicalName },
  { title: 'NAME', cell: ({ displayName }) => displayName },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'LAST SEEN', cell: ({ lastSeenAt }) => formatTime(lastSeenAt) },
];

export function describeService(service: ServiceAccount): string {
  return formatDetails([
    ['Id', service.id],
    ['Technical name', service.technicalName],
    ['Name', service.displayName],
    ['E-mail', service.email],
    ['Description', service.description],
    ['Managers', service.managers.length === 0 ? 'none' : service.managers.join(', ')],
    ...commonDetails(service),
  ]);
}

async function fieldsOf(client: KeyreeveClient, options: ServiceOptions) {
  const { email, description, manager, managers: keepManagers, ...common } = options;
  if (manager !== undefined && keepManagers === false)
    throw usageError('--manager and --no-managers exclude each other.');
  let managers: string[] | undefined = keepManagers === false ? [] : undefined;
  if (manager !== undefined)
    managers = await Promise.all(manager.map((reference) => resolveUserId(client, reference)));
  // An empty text clears what may be absent.
  const orNull = (text: string | undefined) => (text === '' ? null : text);
  return given({ email: orNull(email), description: orNull(description), managers, ...commonFields(common) });
}

/** Edits what is there now: reads the version, then changes exactly that version. */
async function patchService(
  client: KeyreeveClient,
  reference: string,
  body: BodyOf<'updateServiceAccount'>,
): Promise<ServiceAccount> {
  const params = { path: { id: await resolveServiceAccountId(client, reference) } };
  const { data: service } = await client.GET('/v1/service-accounts/{id}', { params });
  return (
    await client.PATCH('/v1/service-accounts/{id}', { params, body, headers: ifMatch(service.version) })
  ).data;
}

function addServiceOptions(command: Command): Command {
  return addAccountOptions(command)
    .option('--email <address>', 'contact address; empty to clear')
    .option('--description <text>', 'what it is for; empty to clear')
    .option(
      '--manager <user>',
      'a user who manages it, by id or e-mail; may be repeated; replaces all',
      repeated,
    );
}

async function createService(
  run: Run,
  technicalName: string,
  options: ServiceOptions & { name: string },
): Promise<void> {
  const client = run.client();
  const body = { ...(await fieldsOf(client, options)), technicalName, displayName: options.name };
  const { data } = await client.POST('/v1/service-accounts', { body });
  await run.result(data, describeService(data));
}

export function addServiceAccountCommands(program: Command, setting: Setting): void {
  const services = program.command('service-accounts').description('programs that own keys');
  addListOptions(services.command('list').description('list and search'))
    .option('--search <text>', 'part of a name')
    .action(
      withRun(setting, async (run, options: ListOptions & { search?: string }) => {
        const client = run.client();
        const search = given({ q: options.search });
        await printList(run, options, COLUMNS, (page) =>
          client.GET('/v1/service-accounts', { params: { query: { ...page, ...search } } }),
        );
      }),
    );
  services
    .command('show <account>')
    .description('one service account, by id or technical name')
    .action(
      withRun(setting, async (run, reference: string) => {
        const client = run.client();
        const id = await resolveServiceAccountId(client, reference);
        const { data } = await client.GET('/v1/service-accounts/{id}', { params: { path: { id } } });
        await run.result(data, describeService(data));
      }),
    );
  addServiceOptions(services.command('create <technicalName>').description('create a service account'))
    .requiredOption('--name <name>', 'display name')
    .action(withRun(setting, createService));
  addChanges(services, setting);
}

function addChanges(services: Command, setting: Setting): void {
  addServiceOptions(services.command('edit <account>').description('change a service account'))
    .option('--name <name>', 'display name')
    .option('--no-managers', 'take all managers away')
    .action(
      withRun(setting, async (run, reference: string, options: ServiceOptions) => {
        const client = run.client();
        const body = await fieldsOf(client, options);
        if (Object.keys(body).length === 0) {
          throw usageError('Nothing to change was given.', 'See: keyreeve service-accounts edit --help');
        }
        const service = await patchService(client, reference, body);
        await run.result(service, describeService(service));
      }),
    );
  services
    .command('disable <account>')
    .description('end its tokens and the use of its keys; can be undone')
    .option('--reason <text>', 'shown to administrators and managers')
    .action(
      withRun(setting, async (run, reference: string, { reason }: { reason?: string }) => {
        const body = { state: 'disabled', disabledReason: reason ?? null } as const;
        const service = await patchService(run.client(), reference, body);
        await run.result(service, `${service.technicalName} is disabled.\n`);
      }),
    );
  services
    .command('enable <account>')
    .description('let a disabled service account in again')
    .action(
      withRun(setting, async (run, reference: string) => {
        const service = await patchService(run.client(), reference, { state: 'active' });
        await run.result(service, `${service.technicalName} is active again.\n`);
      }),
    );
  services
    .command('delete <account>')
    .description('delete a service account with all its keys, for good')
    .action(
      withRun(setting, async (run, reference: string) => {
        const client = run.client();
        const id = await resolveServiceAccountId(client, reference);
        await run.confirm(
          `Delete the service account ${reference} with all its keys? This cannot be undone.`,
        );
        await client.DELETE('/v1/service-accounts/{id}', { params: { path: { id } } });
        await run.result({ deleted: id }, `${reference} is deleted.\n`);
      }),
    );
}
