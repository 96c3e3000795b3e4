import {
  type BodyOf,
  type KeyreeveClient,
  KeyreeveError,
  type Package,
  type PackageDetail,
  type PackageVersion,
} from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { resolveAccountId } from '../account-refs.ts';
import { CliError, usageError } from '../failures.ts';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { given, repeated } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { cleanText, formatDetails, formatTable, formatTime } from '../text.ts';

const COLUMNS: readonly Column<Package>[] = [
  { title: 'PACKAGE', cell: ({ displayId }) => displayId },
  { title: 'LATEST', cell: ({ latestVersion }) => latestVersion ?? '-' },
  {
    title: 'VERSIONS',
    cell: ({ versionCount, listedVersionCount }) => `${versionCount} (${listedVersionCount} listed)`,
  },
  { title: 'OWNERS', cell: ({ owners }) => owners.join(', ') },
  { title: 'SINCE', cell: ({ createdAt }) => formatTime(createdAt) },
];

function describeVersion({
  version,
  listed,
  deprecation,
  downloads,
  pushedAt,
  pushedByName,
  pushedBy,
}: PackageVersion) {
  const states = [listed ? 'listed' : 'unlisted', ...(deprecation === null ? [] : ['deprecated'])];
  return [version, states.join(', '), String(downloads), formatTime(pushedAt), pushedByName ?? pushedBy].map(
    cleanText,
  );
}

function describePackage(detail: PackageDetail): string {
  const owners = detail.ownerAccounts.map(({ displayName, id }) => `${displayName} (${id})`);
  return [
    formatDetails([
      ['Package', detail.displayId],
      ['Description', detail.description],
      ['Owners', owners.join(', ')],
      ['Latest', detail.latestVersion ?? 'none that is listed'],
      ['Versions', `${detail.versionCount} (${detail.listedVersionCount} listed)`],
    ]),
    formatTable([['VERSION', 'STATE', 'DOWNLOADS', 'PUSHED', 'BY'], ...detail.versions.map(describeVersion)]),
  ].join('\n');
}

async function showPackage(run: Run, id: string, options: ListOptions): Promise<void> {
  const query = given({ limit: options.limit, cursor: options.cursor });
  const { data } = await run.client().GET('/v1/packages/{id}', { params: { path: { id }, query } });
  await run.result(data, describePackage(data));
  if (data.nextCursor !== null && !run.isJson)
    run.note(`There are more versions: --cursor ${data.nextCursor}`);
}

/** NuGet clients read reasons from the status line; the client of the API expects a problem and finds none. */
function toRefusal(error: unknown): unknown {
  if (!(error instanceof KeyreeveError) || error.problem !== null) return error;
  if (error.status === 404)
    return new CliError('cli.no_version', 'There is no such version of this package.');
  if (error.status !== 401 && error.status !== 403) return error;
  return new CliError('cli.not_permitted', 'The key is not good, or may not unlist this package.', {
    remedy: 'See: keyreeve keys self',
  });
}

/** A session asks the console's own address; a key the one of NuGet clients, which takes keys. */
async function setListed(run: Run, id: string, version: string, listed: boolean): Promise<void> {
  const init = { params: { path: { id, version } } };
  const client = run.client();
  if (run.credentialKind === 'session') {
    if (listed) await client.POST('/v1/packages/{id}/versions/{version}/relist', init);
    else await client.POST('/v1/packages/{id}/versions/{version}/unlist', init);
  } else {
    const path = '/api/v2/package/{id}/{version}';
    const sent = listed ? client.POST(path, init) : client.DELETE(path, init);
    await sent.catch((error: unknown) => {
      throw toRefusal(error);
    });
  }
  const text = listed ? 'is listed again' : 'is unlisted; it can still be installed';
  await run.result({ id, version, listed }, `${id} ${version} ${text}.\n`);
}

interface DeprecateOptions {
  readonly reason?: BodyOf<'deprecateVersions'>['reasons'];
  readonly message?: string;
  readonly undo?: boolean;
}

async function deprecate(run: Run, id: string, versions: string[], options: DeprecateOptions): Promise<void> {
  const { reason = [], message, undo } = options;
  if ((reason.length === 0) !== (undo === true)) throw usageError('Give --reason, or --undo.');
  const body = { versions, reasons: reason, ...given({ message }) };
  await run.client().PUT('/v1/packages/{id}/deprecations', { params: { path: { id } }, body });
  const state = undo === true ? 'no longer deprecated' : 'deprecated';
  await run.result({ id, versions, reasons: reason }, `${id} ${versions.join(', ')}: ${state}.\n`);
}

/** `keyreeve packages owners …`; people change owners, so these need a session. */
function addOwnerCommands(packages: Command, setting: Setting): void {
  const owners = packages.command('owners').description('who owns a package (with a session)');
  const tellChange = async (run: Run, change: { readonly state: 'done' | 'requested' }, account: string) => {
    const text =
      change.state === 'done'
        ? `${account} is an owner now.`
        : `${account} was asked, and owns it once it accepts.`;
    await run.result(change, `${text}\n`);
  };
  owners
    .command('add <id> <account>')
    .description('make an account an owner; others than administrators ask it')
    .action(
      withRun(setting, async (run, id: string, account: string) => {
        const params = { path: { id } };
        const { data } = await run
          .client()
          .POST('/v1/packages/{id}/owner-requests', { params, body: { account } });
        await tellChange(run, data, account);
      }),
    );
  owners
    .command('remove <id> <account>')
    .description('remove an owner, but never the last one')
    .action(
      withRun(setting, async (run, id: string, account: string) => {
        const client = run.client();
        const accountId = await resolveAccountId(client, account);
        await run.confirm(`Remove ${account} from the owners of ${id}?`);
        await client.DELETE('/v1/packages/{id}/owners/{accountId}', { params: { path: { id, accountId } } });
        await run.result({ id, removed: accountId }, `${account} no longer owns ${id}.\n`);
      }),
    );
  owners
    .command('transfer <id> <account>')
    .description('hand your ownership over to another account')
    .option('--from <account>', 'the owner who hands it over, when you act for several')
    .action(
      withRun(setting, async (run, id: string, account: string, options: { readonly from?: string }) => {
        const client = run.client();
        const from = options.from === undefined ? undefined : await resolveAccountId(client, options.from);
        await run.confirm(`Hand ${id} over to ${account}?`);
        const body = { account, ...given({ from }) };
        const { data } = await client.POST('/v1/packages/{id}/transfer', { params: { path: { id } }, body });
        await tellChange(run, data, account);
      }),
    );
}

async function listPackages(
  run: Run,
  options: ListOptions & { readonly owner?: string; readonly search?: string },
): Promise<void> {
  const client: KeyreeveClient = run.client();
  const owner = options.owner === undefined ? undefined : await resolveAccountId(client, options.owner);
  const filter = given({ owner, q: options.search });
  await printList(run, options, COLUMNS, (page) =>
    client.GET('/v1/packages', { params: { query: { ...page, ...filter } } }),
  );
}

export function addPackageCommands(program: Command, setting: Setting): void {
  const packages = program.command('packages').description('packages of the gallery');
  addListOptions(packages.command('list').description('list and search the packages that you may see'))
    .option('--owner <account>', 'owned by this account: id, e-mail or technical name')
    .option('--search <text>', 'part of a package id')
    .action(withRun(setting, listPackages));
  addListOptions(
    packages.command('show <id>').description('one package with its owners and versions'),
  ).action(withRun(setting, showPackage));
  packages
    .command('unlist <id> <version>')
    .description('hide a version from searches; it can still be installed by its exact version')
    .action(withRun(setting, async (run, id: string, version: string) => setListed(run, id, version, false)));
  packages
    .command('relist <id> <version>')
    .description('show it again')
    .action(withRun(setting, async (run, id: string, version: string) => setListed(run, id, version, true)));
  packages
    .command('deprecate <id> <versions...>')
    .description('warn whoever uses these versions, or take that back (with a session)')
    .addOption(
      new Option('--reason <reason>', 'why; may be repeated')
        .choices(['legacy', 'criticalBugs', 'other'])
        .argParser(repeated),
    )
    .option('--message <text>', 'what clients show')
    .option('--undo', 'not deprecated any more')
    .action(withRun(setting, deprecate));
  addOwnerCommands(packages, setting);
}
