import { KeyreeveError, KeyreeveTransportError, type KeySelf, type SignedIn } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { CliError, usageError } from '../failures.ts';
import { formatPermission } from '../options.ts';
import { readNewPassword, readPassword } from '../passwords.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { dropSession, loadSession, saveSession } from '../session-file.ts';
import { formatDetails, formatTime } from '../text.ts';
import { keyDetails } from './key-details.ts';

const COOKIE = /^((?:__Host-)?keyreeve_session=[^;\s]+)/;

/** Keeps the session that an answer has started. */
function keepSession(run: Run, answer: { data: SignedIn; response: Response }): void {
  const cookie = answer.response.headers
    .getSetCookie()
    .map((header) => COOKIE.exec(header)?.[1])
    .find(Boolean);
  if (cookie === undefined) {
    throw new CliError('cli.no_session', 'The server started no session.', {
      remedy: 'Check the address in KEYREEVE_URL or --url.',
    });
  }
  saveSession(run.world, run.url, { cookie, login: answer.data.account.email });
  if (run.credentialKind === 'key')
    run.note('KEYREEVE_API_KEY is set and goes before the session; unset it to use the session.');
}

function describeSession(url: string, { account, workspace, session }: SignedIn): string {
  return formatDetails([
    ['Server', url],
    ['Workspace', workspace.name],
    ['Signed in as', `${account.displayName} <${account.email}>`],
    ['Account', account.id],
    ['Role', account.role],
    ['Ends', `${formatTime(session.expiresAt)}, unless used`],
  ]);
}

function describeSelf(url: string, { key, account, permissions }: KeySelf): string {
  return formatDetails([
    ['Server', url],
    ...keyDetails(key),
    ['Account name', `${account.displayName} (${account.login})`],
    ['May now', permissions.length === 0 ? 'nothing' : permissions.map(formatPermission).join('; ')],
  ]);
}

/** What the key in KEYREEVE_API_KEY is and may do. */
export async function showOwnKey(run: Run): Promise<void> {
  const { data } = await run.client().GET('/v1/keys/self');
  await run.result(data, describeSelf(run.url, data));
}

async function whoami(run: Run): Promise<void> {
  if (run.credentialKind === 'key') {
    await showOwnKey(run);
    return;
  }
  const { data } = await run.client().GET('/v1/session');
  await run.result(data, describeSession(run.url, data));
}

interface SetupOptions {
  readonly email?: string;
  readonly name?: string;
  readonly stdin?: boolean;
}

async function readSetupSecrets(run: Run): Promise<readonly [code: string, password: string]> {
  const lines = (await run.prompts.readStdin()).split(/\r?\n/);
  const [code = '', password = ''] = lines;
  if (lines.length === 2 && code !== '' && password !== '') return [code, password];
  throw usageError('stdin must hold two lines: the set-up code, then the password.');
}

async function setUp(run: Run, options: SetupOptions): Promise<void> {
  const { prompts } = run;
  const instead = 'Give --email, --name and --stdin, with the code and the password as two lines on stdin.';
  const fromStdin = options.stdin === true ? await readSetupSecrets(run) : null;
  const code =
    fromStdin?.[0] ?? (await prompts.askSecret('Set-up code, as the server printed it: ', instead)).trim();
  const email = options.email ?? (await prompts.ask('E-mail: ', instead));
  const displayName = options.name ?? (await prompts.ask('Name: ', instead));
  const password = fromStdin?.[1] ?? (await readNewPassword(run, false));
  const answer = await run
    .anonymousClient()
    .POST('/v1/setup', { body: { code, email, displayName, password } });
  keepSession(run, answer);
  await run.result(
    answer.data,
    `You are the first administrator, and signed in.\n${describeSession(run.url, answer.data)}`,
  );
}

async function signIn(run: Run, options: { email?: string; passwordStdin?: boolean }): Promise<void> {
  const email = options.email ?? (await run.prompts.ask('E-mail: ', 'Give --email and --password-stdin.'));
  const password = await readPassword(run, options.passwordStdin === true);
  const answer = await run.anonymousClient().POST('/v1/session', { body: { email, password } });
  keepSession(run, answer);
  await run.result(answer.data, describeSession(run.url, answer.data));
}

/** Forgets the session here in any case: who signs out does not want to stay in because the server is away. */
async function signOut(run: Run): Promise<void> {
  const session = loadSession(run.world, run.url);
  if (session === null) {
    await run.result({ signedOut: false }, `You were not signed in at ${run.url}.\n`);
    return;
  }
  try {
    await run.sessionClient(session.cookie).DELETE('/v1/session');
  } catch (error) {
    if (!(error instanceof KeyreeveError || error instanceof KeyreeveTransportError)) throw error;
    const hasEnded = error instanceof KeyreeveError && error.status === 401;
    if (!hasEnded)
      run.note(`The session is forgotten here, but the server could not end it: ${error.message}`);
  }
  dropSession(run.world, run.url);
  await run.result({ signedOut: true }, `Signed out from ${run.url}.\n`);
}

export function addSessionCommands(program: Command, setting: Setting): void {
  program
    .command('setup')
    .description('make the first administrator of a new server, with the code that it printed')
    .option('--email <address>', 'e-mail address, with which you sign in')
    .option('--name <name>', 'your name')
    .option('--stdin', 'read the code (first line) and the password (second line) from stdin')
    .action(withRun(setting, setUp));
  program
    .command('login')
    .description('sign in; the session is kept until it ends or you sign out')
    .option('--email <address>', 'e-mail address')
    .option('--password-stdin', 'read the password from stdin')
    .action(withRun(setting, signIn));
  program.command('logout').description('end the session').action(withRun(setting, signOut));
  program
    .command('whoami')
    .description('who you are here, by key or by session')
    .action(withRun(setting, whoami));
}
