import { type KeyreeveClient, KeyreeveError, type ServiceAccount, type User } from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { resolveAccountId } from '../account-refs.ts';
import { addListOptions, type Column, type ListOptions, type PageQuery, printList } from '../lists.ts';
import { given } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatTime } from '../text.ts';
import { describeService } from './service-accounts.ts';
import { describeUser } from './users.ts';

type AnyAccount = User | ServiceAccount;

interface AccountListOptions extends ListOptions {
  readonly search?: string;
  readonly kind?: 'user' | 'service';
  readonly state?: 'active' | 'disabled';
}

const isService = (account: AnyAccount): account is ServiceAccount => 'technicalName' in account;
const loginOf = (account: AnyAccount) => (isService(account) ? account.technicalName : account.email);

const COLUMNS: readonly Column<AnyAccount>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'KIND', cell: (account) => (isService(account) ? 'service' : 'user') },
  { title: 'LOGIN', cell: loginOf },
  { title: 'NAME', cell: ({ displayName }) => displayName },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'KEYS', cell: ({ keys }) => (keys === null ? '-' : String(keys.total)) },
  { title: 'LAST SEEN', cell: ({ lastSeenAt }) => formatTime(lastSeenAt) },
];

const LIMIT = 50;
/** Before a cursor within the service accounts, which come after the users. */
const SERVICES = 'services:';

/** Both lists as one: all users, then all service accounts. */
async function fetchPage(
  client: KeyreeveClient,
  { kind, search, state }: AccountListOptions,
  page: PageQuery,
) {
  const { limit = LIMIT, cursor = kind === 'service' ? SERVICES : '' } = page;
  const filter = given({ q: search, state });
  const items: AnyAccount[] = [];
  let left = limit;
  let cursorOfServices = cursor.startsWith(SERVICES) ? cursor.slice(SERVICES.length) : null;
  if (cursorOfServices === null) {
    const query = { ...filter, limit, ...(cursor === '' ? {} : { cursor }) };
    const answer = await client.GET('/v1/users', { params: { query } });
    const { data } = answer;
    items.push(...data.items);
    left -= items.length;
    if (data.nextCursor !== null || kind === 'user')
      return { ...answer, data: { items, nextCursor: data.nextCursor } };
    cursorOfServices = '';
  }
  const query = {
    ...filter,
    limit: Math.max(1, left),
    ...(cursorOfServices === '' ? {} : { cursor: cursorOfServices }),
  };
  const answer = await client.GET('/v1/service-accounts', { params: { query } });
  const { data } = answer;
  if (left === 0)
    return { ...answer, data: { items, nextCursor: data.items.length === 0 ? null : SERVICES } };
  const nextCursor = data.nextCursor === null ? null : `${SERVICES}${data.nextCursor}`;
  return { ...answer, data: { items: [...items, ...data.items], nextCursor } };
}

async function listAccounts(run: Run, options: AccountListOptions): Promise<void> {
  const client = run.client();
  await printList(run, options, COLUMNS, (page) => fetchPage(client, options, page));
}

/** An id does not tell which kind it is: what is no user is looked for among the service accounts. */
async function showAccount(run: Run, reference: string): Promise<void> {
  const client = run.client();
  const params = { path: { id: await resolveAccountId(client, reference) } };
  try {
    const { data } = await client.GET('/v1/users/{id}', { params });
    await run.result(data, describeUser(data));
  } catch (error) {
    if (!(error instanceof KeyreeveError) || error.status !== 404) throw error;
    const { data } = await client.GET('/v1/service-accounts/{id}', { params });
    await run.result(data, describeService(data));
  }
}

export function addAccountCommands(program: Command, setting: Setting): void {
  const accounts = program.command('accounts').description('people and service accounts together');
  addListOptions(accounts.command('list').description('list and search both kinds: users first'))
    .addOption(new Option('--kind <kind>', 'only these').choices(['user', 'service']))
    .addOption(new Option('--state <state>', 'only these').choices(['active', 'disabled']))
    .option('--search <text>', 'part of a name or e-mail')
    .action(withRun(setting, listAccounts));
  accounts
    .command('show <account>')
    .description('one account: id, e-mail or technical name')
    .action(withRun(setting, showAccount));
}
