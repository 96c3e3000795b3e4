import { type BodyOf, ifMatch, type KeyreeveClient, type User } from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { resolveUserId } from '../account-refs.ts';
import { usageError } from '../failures.ts';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { given } from '../options.ts';
import { readNewPassword } from '../passwords.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatDetails, formatTime } from '../text.ts';
import { type AccountOptions, addAccountOptions, commonDetails, commonFields } from './accounts.ts';

interface UserOptions extends AccountOptions {
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly role?: 'admin' | 'member';
}

interface CreateOptions extends UserOptions {
  readonly email: string;
  readonly name: string;
  readonly passwordStdin?: boolean;
  readonly askPassword?: boolean;
}

const COLUMNS: readonly Column<User>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'E-MAIL', cell: ({ email }) => email },
  { title: 'NAME', cell: ({ displayName }) => displayName },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'LAST SEEN', cell: ({ lastSeenAt }) => formatTime(lastSeenAt) },
];

export function describeUser(user: User): string {
  const fullName = [user.firstName, user.lastName].filter((name) => name !== null).join(' ');
  return formatDetails([
    ['Id', user.id],
    ['E-mail', user.email],
    ['Name', user.displayName],
    ['Full name', fullName === '' ? null : fullName],
    ['Role', user.role],
    ['Password', user.hasPassword ? 'set' : 'not set yet'],
    ...commonDetails(user),
  ]);
}

function fieldsOf({ email, firstName, lastName, role, ...common }: UserOptions) {
  return given({ email, firstName, lastName, role, ...commonFields(common) });
}

/** Edits what is there now: reads the version, then changes exactly that version. */
async function patchUser(
  client: KeyreeveClient,
  reference: string,
  body: BodyOf<'updateUser'>,
): Promise<User> {
  const params = { path: { id: await resolveUserId(client, reference) } };
  const { data: user } = await client.GET('/v1/users/{id}', { params });
  return (await client.PATCH('/v1/users/{id}', { params, body, headers: ifMatch(user.version) })).data;
}

async function createUser(run: Run, options: CreateOptions): Promise<void> {
  const { email, name, passwordStdin = false, askPassword = false } = options;
  const client = run.client();
  const password = passwordStdin || askPassword ? await readNewPassword(run, passwordStdin) : undefined;
  const body = { ...fieldsOf(options), email, displayName: name, ...given({ password }) };
  const { data } = await client.POST('/v1/users', { body });
  await run.result(data, describeUser(data));
  if (password === undefined) run.note(`${email} gets a mail with a link to set a password.`);
}

function addUserOptions(command: Command): Command {
  return addAccountOptions(command)
    .option('--first-name <name>', 'first name')
    .option('--last-name <name>', 'last name')
    .addOption(new Option('--role <role>', 'what he may do').choices(['admin', 'member']));
}

export function addUserCommands(program: Command, setting: Setting): void {
  const users = program.command('users').description('people who sign in');
  addListOptions(users.command('list').description('list and search'))
    .option('--search <text>', 'part of a name or e-mail')
    .action(
      withRun(setting, async (run, options: ListOptions & { search?: string }) => {
        const client = run.client();
        const search = given({ q: options.search });
        await printList(run, options, COLUMNS, (page) =>
          client.GET('/v1/users', { params: { query: { ...page, ...search } } }),
        );
      }),
    );
  users
    .command('show <user>')
    .description('one user, by id or e-mail')
    .action(
      withRun(setting, async (run, reference: string) => {
        const client = run.client();
        const id = await resolveUserId(client, reference);
        const { data } = await client.GET('/v1/users/{id}', { params: { path: { id } } });
        await run.result(data, describeUser(data));
      }),
    );
  addUserOptions(
    users.command('create').description('create a user; without a password, he is invited by mail'),
  )
    .requiredOption('--email <address>', 'e-mail address, with which he signs in')
    .requiredOption('--name <name>', 'display name')
    .option('--ask-password', 'ask for a password at the terminal')
    .option('--password-stdin', 'read a password from stdin')
    .action(withRun(setting, createUser));
  addChanges(users, setting);
}

function addChanges(users: Command, setting: Setting): void {
  addUserOptions(users.command('edit <user>').description('change a user'))
    .option('--email <address>', 'e-mail address')
    .option('--name <name>', 'display name')
    .action(
      withRun(setting, async (run, reference: string, options: UserOptions) => {
        const body = fieldsOf(options);
        if (Object.keys(body).length === 0)
          throw usageError('Nothing to change was given.', 'See: keyreeve users edit --help');
        const user = await patchUser(run.client(), reference, body);
        await run.result(user, describeUser(user));
      }),
    );
  users
    .command('disable <user>')
    .description('end sessions and tokens of a user and the use of his keys; can be undone')
    .option('--reason <text>', 'shown to administrators')
    .action(
      withRun(setting, async (run, reference: string, { reason }: { reason?: string }) => {
        const user = await patchUser(run.client(), reference, {
          state: 'disabled',
          disabledReason: reason ?? null,
        });
        await run.result(user, `${user.email} is disabled.\n`);
      }),
    );
  users
    .command('enable <user>')
    .description('let a disabled user in again')
    .action(
      withRun(setting, async (run, reference: string) => {
        const user = await patchUser(run.client(), reference, { state: 'active' });
        await run.result(user, `${user.email} is active again.\n`);
      }),
    );
  users
    .command('delete <user>')
    .description('delete a user with all his keys, for good')
    .action(
      withRun(setting, async (run, reference: string) => {
        const client = run.client();
        const id = await resolveUserId(client, reference);
        await run.confirm(`Delete the user ${reference} with all his keys? This cannot be undone.`);
        await client.DELETE('/v1/users/{id}', { params: { path: { id } } });
        await run.result({ deleted: id }, `${reference} is deleted.\n`);
      }),
    );
}
