import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CliError } from './failures.ts';
import type { World } from './world.ts';

/** A signed-in session at one server. Each server gets only its own cookie. */
export interface StoredSession {
  /** `name=value`. */
  readonly cookie: string;
  readonly login: string;
}

const FILE_BYTES_MAX = 65_536;

function fileOf(world: World): string {
  const configured = world.env['XDG_CONFIG_HOME'] ?? '';
  // The specification of that variable says to ignore relative paths.
  const base = path.isAbsolute(configured) ? configured : path.join(world.homeDir, '.config');
  return path.join(base, 'keyreeve', 'session.json');
}

function isStoredSession(value: unknown): value is StoredSession {
  if (typeof value !== 'object' || value === null) return false;
  const { cookie, login } = value as Partial<Record<string, unknown>>;
  return typeof cookie === 'string' && typeof login === 'string';
}

/** A file that others can read is no secret, and one that others can write may hold their session. */
function requirePrivate(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  const isPrivate =
    process.platform === 'win32' || ((stats.mode & 0o077) === 0 && stats.uid === process.getuid?.());
  if (stats.isFile() && isPrivate && stats.size <= FILE_BYTES_MAX) return true;
  throw new CliError('cli.session_file', `${file} is not a file that only you can read.`, {
    remedy: `Remove it, or: chmod 600 ${file}`,
  });
}

function readAll(file: string): Map<string, StoredSession> {
  if (!requirePrivate(file)) return new Map();
  try {
    const parsed = JSON.parse(readFileSync(file, 'utf8')) as { sessions?: unknown } | null;
    const entries: [string, unknown][] = Object.entries(parsed?.sessions ?? {});
    return new Map(entries.filter((entry): entry is [string, StoredSession] => isStoredSession(entry[1])));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError('cli.session_file', `${file} is damaged.`, { remedy: 'Remove it and sign in again.' });
  }
}

function writeAll(file: string, sessions: ReadonlyMap<string, StoredSession>): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  rmSync(temporary, { force: true });
  // Private from its first byte, and in place at once or not at all.
  writeFileSync(temporary, `${JSON.stringify({ sessions: Object.fromEntries(sessions) }, null, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  renameSync(temporary, file);
}

/** @throws cli.session_file when the file is damaged or others can read it */
export function loadSession(world: World, url: string): StoredSession | null {
  return readAll(fileOf(world)).get(url) ?? null;
}

/** Keeps the session in `$XDG_CONFIG_HOME/keyreeve/session.json`, readable by its owner only. */
export function saveSession(world: World, url: string, session: StoredSession): void {
  const file = fileOf(world);
  writeAll(file, readAll(file).set(url, session));
}

export function dropSession(world: World, url: string): void {
  const file = fileOf(world);
  const sessions = readAll(file);
  if (sessions.delete(url)) writeAll(file, sessions);
}
