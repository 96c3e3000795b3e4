import type { components } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { CliError, EXIT, type ExitCode, usageError } from '../failures.ts';
import { given } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatDetails, formatTime } from '../text.ts';

type Token = components['schemas']['OAuthToken'];
type Introspection = components['schemas']['OAuthIntrospection'];

const TIMEOUT_MS = 30_000;
const SECRET_CHARACTERS = 49;

/** The key in KEYREEVE_API_KEY as OAuth clients present it: API key and secret key by Basic (RFC 6749 2.3.1). */
function toBasic(run: Run): string {
  const fullKey = run.world.env['KEYREEVE_API_KEY']?.trim() ?? '';
  const divide = fullKey.length - SECRET_CHARACTERS - 1;
  if (run.credentialKind !== 'key' || divide < 1 || fullKey[divide] !== '_')
    throw usageError('Tokens are for keys, and no full key is set.', 'Put a full key into KEYREEVE_API_KEY.');
  return `Basic ${btoa(`${fullKey.slice(0, divide)}:${fullKey.slice(divide + 1)}`)}`;
}

/** OAuth answers errors in a form of its own (RFC 6749 5.2), which the client of the API does not know. */
async function postForm<Answer>(run: Run, path: string, fields: Record<string, string>): Promise<Answer> {
  const authorization = toBasic(run);
  // For its warning: the key is sent to the same address as ever.
  run.client();
  let response: Response;
  try {
    response = await fetch(`${run.url}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization, accept: 'application/json' },
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new CliError('cli.unreachable', `${run.url} gave no answer.`, {
      exitCode: EXIT.network,
      remedy: 'Check that the server runs, and its address in KEYREEVE_URL or --url.',
    });
  }
  const text = await response.text();
  const answer = parseObject(text);
  if (response.ok && (answer !== null || text === '')) return (answer ?? {}) as Answer;
  const { error, error_description: description } = answer ?? {};
  if (typeof error === 'string')
    throw new CliError(
      `cli.oauth_${error}`,
      typeof description === 'string' ? description : 'The server refused.',
    );
  throw new CliError('cli.unexpected_answer', `${run.url} answered ${response.status} without saying why.`, {
    exitCode: EXIT.network,
  });
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

interface GetOptions {
  readonly scope?: string;
  readonly resource?: string;
}

async function getToken(run: Run, { scope, resource }: GetOptions): Promise<void> {
  const fields = {
    grant_type: 'client_credentials',
    ...given({ scope: scope?.replaceAll(',', ' '), resource }),
  };
  const token = await postForm<Token>(run, '/oauth2/token', fields);
  await run.result(token, `${token.access_token}\n`);
  if (!run.isJson) run.note(`Ends in ${token.expires_in} seconds.`);
}

async function readToken({ world, prompts }: Run): Promise<string> {
  const isAsked = world.stdin.isTTY === true;
  const token = (isAsked ? await prompts.askSecret('Token: ', '') : await prompts.readStdin()).trim();
  if (token === '') throw usageError('No token was given.', 'Hand the token over on stdin.');
  return token;
}

async function introspect(run: Run): Promise<ExitCode> {
  const answer = await postForm<Introspection>(run, '/oauth2/introspect', { token: await readToken(run) });
  const { active, username, client_id: apiKey, scope, exp } = answer;
  await run.result(
    answer,
    formatDetails([
      ['Active', active ? 'yes' : 'no'],
      ['Account', username ?? null],
      ['API key', apiKey ?? null],
      ['On everything', scope ?? null],
      ['Ends', exp === undefined ? null : formatTime(new Date(exp * 1_000).toISOString())],
    ]),
  );
  return active ? EXIT.ok : EXIT.refused;
}

export function addTokenCommands(program: Command, setting: Setting): void {
  const tokens = program.command('tokens').description('tokens of the key in KEYREEVE_API_KEY');
  tokens
    .command('get')
    .description('a token for the key: alone on stdout')
    .option('--scope <actions>', 'only these actions, e.g. package:push,package:read')
    .option('--resource <address>', 'the service that it is for, of the setting tokenResources')
    .action(withRun(setting, getToken));
  tokens
    .command('introspect')
    .description('is the token on stdin good, and what may it do? Ends with 1 when not')
    .action(withRun(setting, introspect));
  tokens
    .command('revoke')
    .description('end the token on stdin')
    .action(
      withRun(setting, async (run) => {
        await postForm(run, '/oauth2/revoke', { token: await readToken(run) });
        await run.result({ revoked: true }, 'The token has ended.\n');
      }),
    );
}
