import { type BodyOf, ifMatch, type Key, type Permission } from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { resolveAccountId } from '../account-refs.ts';
import { usageError } from '../failures.ts';
import { limitsOf, quota, rate } from '../key-limits.ts';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { formatPermission, given, instant, permissions, repeated, wholeNumber } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatTime } from '../text.ts';
import { describeKey, printMintedKey } from './key-details.ts';
import { addKeySwitches } from './key-switches.ts';
import { addUsageCommand } from './key-usage.ts';
import { showOwnKey } from './session.ts';
import { addVerifyCommand } from './verify.ts';

type Status = Key['status'];
const STATUSES: readonly string[] = ['active', 'expiring', 'expired', 'disabled'] satisfies Status[];

interface KeyListOptions extends ListOptions {
  readonly account?: string;
  readonly status?: Status;
  readonly expiresBefore?: string;
  readonly unusedSince?: string;
  readonly search?: string;
}

interface LimitOptions {
  readonly rate?: ReturnType<typeof rate>;
  readonly quota?: ReturnType<typeof quota>;
}

interface CreateOptions extends LimitOptions {
  readonly comment: string;
  readonly access?: 'account' | 'scoped';
  readonly scope?: Permission[];
  readonly lifetime?: number;
  readonly owner?: string;
  readonly ip?: string[];
  readonly sendMail?: boolean;
  readonly mailTo?: string;
}

interface EditOptions extends LimitOptions {
  readonly comment?: string;
  readonly scope?: Permission[];
  readonly ip?: string[];
  readonly anyIp?: boolean;
  readonly unlimited?: boolean;
}

const RATE_HELP = 'requests in a window, e.g. 100/60s';
const QUOTA_HELP = 'uses, refilled each hour, day or month or never, e.g. 1000/month';

const COLUMNS: readonly Column<Key>[] = [
  { title: 'API KEY', cell: ({ id }) => id },
  { title: 'STATUS', cell: ({ status }) => status },
  { title: 'EXPIRES', cell: ({ expiresAt }) => (expiresAt === null ? 'never' : formatTime(expiresAt)) },
  { title: 'LAST USED', cell: ({ lastUsedAt }) => formatTime(lastUsedAt) },
  { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
  { title: 'ACCESS', cell: ({ access, scopes }) => [access, ...scopes.map(formatPermission)].join(' ') },
  { title: 'COMMENT', cell: ({ comment }) => comment },
];

async function listKeys(run: Run, options: KeyListOptions): Promise<void> {
  const { status, expiresBefore, unusedSince, search } = options;
  const client = run.client();
  const account = options.account === undefined ? undefined : await resolveAccountId(client, options.account);
  const filter = given({ account, status, expiresBefore, unusedSince, q: search });
  await printList(run, options, COLUMNS, (page) =>
    client.GET('/v1/keys', { params: { query: { ...page, ...filter } } }),
  );
}

async function createKey(run: Run, reference: string, options: CreateOptions): Promise<void> {
  const { comment, scope: scopes, lifetime, ip, sendMail, mailTo, owner } = options;
  const access = options.access ?? (scopes === undefined ? undefined : 'scoped');
  // Account-wide access is more than most keys need: it is chosen, never got by leaving something out.
  if (access === undefined)
    throw usageError(
      'Say what the key may do.',
      'Give --scope, or --access account for all grants of the account.',
    );
  const client = run.client();
  const id = await resolveAccountId(client, reference);
  const ownerId = owner === undefined ? undefined : await resolveAccountId(client, owner);
  const limits = limitsOf(options, undefined, 'unlimited');
  const rest = given({ scopes, ownerId, lifetimeDays: lifetime, ipRanges: ip, limits, sendMail, mailTo });
  const body: BodyOf<'createKey'> = { comment, access, ...rest };
  const { data } = await client.POST('/v1/accounts/{id}/keys', { params: { path: { id } }, body });
  await printMintedKey(run, data);
}

async function editKey(run: Run, keyId: string, options: EditOptions): Promise<void> {
  const { comment, scope: scopes, ip, anyIp, unlimited } = options;
  if (ip !== undefined && anyIp === true) throw usageError('--ip and --any-ip exclude each other.');
  const limits = limitsOf(options, unlimited, 'unlimited');
  const body = given({ comment, scopes, ipRanges: anyIp === true ? [] : ip, limits });
  if (Object.keys(body).length === 0)
    throw usageError('Nothing to change was given.', 'See: keyreeve keys edit --help');
  const client = run.client();
  const params = { path: { keyId } };
  const { data: seen } = await client.GET('/v1/keys/{keyId}', { params });
  const { data: key } = await client.PATCH('/v1/keys/{keyId}', {
    params,
    body,
    headers: ifMatch(seen.version),
  });
  await run.result(key, describeKey(key));
}

export function addKeyCommands(program: Command, setting: Setting): void {
  const keys = program.command('keys').description('API keys');
  addListOptions(keys.command('list').description('list and search the keys that you may see'))
    .option('--account <account>', 'of this account: id, e-mail or technical name')
    .addOption(new Option('--status <status>', 'of this status').choices(STATUSES))
    .option('--expires-before <instant>', 'a day like 2027-03-01, or an instant', instant)
    .option('--unused-since <instant>', 'not used since then, or never', instant)
    .option('--search <text>', 'part of a comment or API key')
    .action(withRun(setting, listKeys));
  keys
    .command('show <key>')
    .description('one key, by its API key')
    .action(
      withRun(setting, async (run, keyId: string) => {
        const { data } = await run.client().GET('/v1/keys/{keyId}', { params: { path: { keyId } } });
        await run.result(data, describeKey(data));
      }),
    );
  addCreate(keys, setting);
  keys
    .command('edit <key>')
    .description('change comment, patterns, allow list or limits; all else is fixed')
    .option('--comment <text>', 'what the key is for')
    .option(
      '--scope <actions=patterns>',
      'all scopes anew, with the same actions; may be repeated',
      permissions,
    )
    .option('--ip <range>', 'all addresses or ranges anew; may be repeated', repeated)
    .option('--any-ip', 'let the key be used from everywhere')
    .option('--rate <requests/window>', `${RATE_HELP}; without --quota, a quota is lifted`, rate)
    .option('--quota <uses/period>', `${QUOTA_HELP}; without --rate, a rate is lifted`, quota)
    .option('--unlimited', 'lift the limits of the key; those of its account stay')
    .action(withRun(setting, editKey));
  addUsageCommand(keys, setting);
  addKeySwitches(keys, setting);
  keys
    .command('self')
    .description('what the key in KEYREEVE_API_KEY is and may do')
    .action(withRun(setting, showOwnKey));
  addVerifyCommand(keys, setting);
}

function addCreate(keys: Command, setting: Setting): void {
  keys
    .command('create <account>')
    .description('create a key for an account: id, e-mail or technical name')
    .requiredOption('--comment <text>', 'what the key is for')
    .option(
      '--scope <actions=patterns>',
      'what it may do, e.g. package:push=AzureRM.*; may be repeated',
      permissions,
    )
    .addOption(
      new Option('--access <access>', 'all grants of the account, or its scopes (with --scope)').choices([
        'account',
        'scoped',
      ]),
    )
    .option('--lifetime <days>', 'days until it expires', wholeNumber(1, 3650))
    .option('--owner <account>', 'account whose packages it acts for')
    .option('--ip <range>', 'address or range from which it may be used; may be repeated', repeated)
    .option('--rate <requests/window>', RATE_HELP, rate)
    .option('--quota <uses/period>', QUOTA_HELP, quota)
    .option('--send-mail', 'mail the key to the account')
    .option('--mail-to <address>', 'address for the key of a service account')
    .action(withRun(setting, createKey));
}
