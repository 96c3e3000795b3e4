import { type Credential, createClient, type KeyreeveClient } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { CliError, EXIT, type ExitCode, usageError } from './failures.ts';
import { createPrompts, type Prompts } from './prompts.ts';
import { loadSession } from './session-file.ts';
import { type World, write } from './world.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly yes?: boolean;
}

/** One run of one command. */
export interface Run {
  readonly world: World;
  readonly isJson: boolean;
  /** Address of the server, in one spelling. */
  readonly url: string;
  readonly prompts: Prompts;
  /** Results, to stdout. */
  print(text: string): Promise<void>;
  /** `value` as JSON when the user asked for it, else the text for people. */
  result(value: unknown, text: string): Promise<void>;
  /** Everything that is no result, to stderr. */
  note(text: string): void;
  /** Asks before something that cannot be undone, unless `--yes` was given. */
  confirm(question: string): Promise<void>;
  /** A client with the credential of the user. @throws cli.not_signed_in */
  client(options?: { readonly timeoutMs: number }): KeyreeveClient;
  /** A client without a credential, to sign in with. */
  anonymousClient(): KeyreeveClient;
  /** A client with this session, whatever else is set. */
  sessionClient(cookie: string): KeyreeveClient;
  /** `key` when KEYREEVE_API_KEY decides, else `session`. */
  readonly credentialKind: 'key' | 'session';
}

const DEFAULT_URL = 'http://localhost:8080';

function normalizeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    `${url.username}${url.password}${url.search}${url.hash}` !== ''
  ) {
    // The text is not repeated: it may hold a password.
    throw usageError(
      'The address of the server must look like https://keys.example.com.',
      'Correct KEYREEVE_URL or --url.',
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** Whether what is sent there can be read on the way. */
export function isPlainAndRemote(address: string): boolean {
  const url = new URL(address);
  const isLoopback = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === 'http:' && !isLoopback;
}

function readKey(world: World): string | null {
  const key = world.env['KEYREEVE_API_KEY']?.trim() ?? '';
  return key === '' ? null : key;
}

function findCredential(world: World, url: string): Credential {
  const fullKey = readKey(world);
  if (fullKey !== null) {
    if (!/^[\x21-\x7e]+$/.test(fullKey))
      throw usageError('KEYREEVE_API_KEY holds characters that no key has.');
    return { fullKey };
  }
  const session = loadSession(world, url);
  if (session !== null) return { cookie: session.cookie };
  throw new CliError('cli.not_signed_in', `You are not signed in at ${url}.`, {
    remedy: 'Sign in with `keyreeve login`, or put a full key into KEYREEVE_API_KEY.',
  });
}

function createRun(world: World, options: GlobalOptions): Run {
  const configured = world.env['KEYREEVE_URL']?.trim() ?? '';
  const url = normalizeUrl(options.url ?? (configured === '' ? DEFAULT_URL : configured));
  const isJson = options.json === true;
  const prompts = createPrompts(world);
  const print = (text: string) => write(world.stdout, text);
  const note = (text: string) => void world.stderr.write(`${text}\n`);
  const open = (credential: Credential | undefined, more: { timeoutMs?: number } = {}): KeyreeveClient => {
    if (isPlainAndRemote(url)) note(`Warning: ${url} is not https; whoever is on the way can read along.`);
    return createClient({ baseUrl: url, ...more, ...(credential === undefined ? {} : { credential }) });
  };
  return {
    world,
    isJson,
    url,
    prompts,
    print,
    note,
    result: (value, text) => print(isJson ? `${JSON.stringify(value, null, 2)}\n` : text),
    confirm: async (question) => {
      if (options.yes !== true) await prompts.confirm(question);
    },
    client: (more) => open(findCredential(world, url), more),
    anonymousClient: () => open(undefined),
    sessionClient: (cookie) => open({ cookie }),
    credentialKind: readKey(world) === null ? 'session' : 'key',
  };
}

/** Where a command leaves its exit code; commander has no place for one. */
export interface Outcome {
  exitCode: ExitCode;
}

/** What a command needs to be added to the program. */
export interface Setting {
  readonly world: World;
  readonly outcome: Outcome;
}

/**
 * Turns a handler into a commander action. The handler gets the run, then the arguments and the options of its
 * command; it may return an exit code other than 0.
 */
export function withRun<Parameters extends readonly unknown[]>(
  { world, outcome }: Setting,
  handler: (run: Run, ...parameters: Parameters) => Promise<ExitCode | void>,
) {
  return async (...parameters: [...Parameters, Command]): Promise<void> => {
    const command = parameters.at(-1) as Command;
    const run = createRun(world, command.optsWithGlobals<GlobalOptions>());
    const exitCode = await handler(run, ...(parameters.slice(0, -1) as unknown as Parameters));
    outcome.exitCode = exitCode ?? EXIT.ok;
  };
}
