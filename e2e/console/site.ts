import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Person, signIn } from '../console.ts';
import { run } from '../run.ts';
import { freePort, openWorkplace, type ServerProcess, type StartOptions } from '../server-process.ts';
import { PLAIN_HTTP_HOST } from './chromium.ts';
import type { TownFacts } from './town.ts';
import { ADMIN_EMAIL, TOWN_PASSWORD } from './town-people.ts';

/** `many` is Hayama with ten thousand users more; `empty` has nobody yet and waits for its set-up code. */
export type TownKind = 'hayama' | 'many' | 'empty';

export interface SiteOptions {
  readonly town?: TownKind;
  readonly env?: Readonly<Record<string, string>>;
  /** Served to browsers as a host of the network over plain http: without clipboard, with a banner. */
  readonly isPlainHttp?: boolean;
  readonly clockAheadMs?: number;
}

/** A server with a town in it, as browsers and programs reach it. */
export interface Site {
  /** Where browsers go. */
  readonly url: string;
  /** Where this process goes: the same server, by a name that resolves here. */
  readonly apiUrl: string;
  readonly facts: TownFacts;
  /** The id of an account, by e-mail or technical name. */
  accountId(login: string): string;
  /** A key of the town, by its comment: its id and its whole credential. */
  key(comment: string): { readonly id: string; readonly secret: string };
  /** Signs in through the API; everybody in Hayama has the same password. */
  signIn(email?: string): Promise<Person>;
  /** The process that serves now. */
  server(): ServerProcess;
  stop(): Promise<void>;
  /** The same data on the same port again, perhaps at another time. */
  start(options?: Pick<StartOptions, 'clockAheadMs' | 'env'>): Promise<void>;
  close(): Promise<void>;
}

const TOWNS_VARIABLE = 'CONSOLE_TOWNS';
const SEED_TIMEOUT_MS = 240_000;
const NO_FACTS: TownFacts = { accounts: {}, keys: {} };

async function seed(folder: string, ...mode: string[]): Promise<void> {
  const script = path.join(import.meta.dirname, 'town.ts');
  const seeded = await run(process.execPath, [script, folder, ...mode], { timeoutMs: SEED_TIMEOUT_MS });
  if (seeded.code !== 0) throw new Error(`The town could not be seeded:\n${seeded.output}`);
}

/** Seeds Hayama in a folder of its own, where the other towns come when they are needed. Returns what removes it. */
export async function prepareTowns(): Promise<() => void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-towns-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.env[TOWNS_VARIABLE] = folder;
  try {
    await findTown('hayama');
    return remove;
  } catch (error) {
    remove();
    throw error;
  }
}

/** The folder of a seeded town, to be copied. Workers come one after the other, so nobody else seeds it now. */
async function findTown(kind: Exclude<TownKind, 'empty'>): Promise<string> {
  const towns = process.env[TOWNS_VARIABLE];
  if (towns === undefined) throw new Error('prepareTowns was not called.');
  const folder = path.join(towns, kind);
  const doneFile = path.join(folder, 'done');
  if (existsSync(doneFile)) return folder;
  rmSync(folder, { recursive: true, force: true });
  if (kind === 'many') {
    cpSync(await findTown('hayama'), folder, { recursive: true });
    rmSync(doneFile);
    await seed(folder, 'many');
  } else {
    await seed(folder);
  }
  writeFileSync(doneFile, '');
  return folder;
}

export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const { town = 'hayama', isPlainHttp = false, env = {}, clockAheadMs = 0 } = options;
  const place = openWorkplace();
  const port = await freePort();
  const apiUrl = `http://localhost:${port}`;
  const url = isPlainHttp ? `http://${PLAIN_HTTP_HOST}:${port}` : apiUrl;
  const data = path.join(place.folder, 'data');
  if (town !== 'empty') cpSync(await findTown(town), data, { recursive: true });
  const facts =
    town === 'empty'
      ? NO_FACTS
      : (JSON.parse(readFileSync(path.join(data, 'town.json'), 'utf8')) as TownFacts);
  const always = isPlainHttp ? { KEYREEVE_PUBLIC_URL: url, KEYREEVE_ALLOW_HTTP: '1' } : {};
  const launch = (more: Pick<StartOptions, 'clockAheadMs' | 'env'>) =>
    place.start({ port, clockAheadMs, ...more, env: { ...always, ...env, ...more.env } });
  let server = await launch({});
  const find = <Value>(values: Readonly<Record<string, Value>>, name: string): Value => {
    const value = values[name];
    if (value === undefined) throw new Error(`Hayama has no ${name}.`);
    return value;
  };
  return {
    url,
    apiUrl,
    facts,
    accountId: (login) => find(facts.accounts, login),
    key: (comment) => find(facts.keys, comment),
    signIn: (email = ADMIN_EMAIL) => signIn(apiUrl, { email, password: TOWN_PASSWORD }),
    server: () => server,
    stop: async () => {
      await server.stop();
    },
    start: async (more = {}) => {
      server = await launch(more);
    },
    close: () => place.close(),
  };
}
