import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import type { Config } from '../config/index.ts';

const FOLDER = 'compile-cache';
const OTHERS_MAY_WRITE = 0o002;

/** What lies there is run: so it was put there by this user, and nobody else can add to it. */
function isOwn(folder: string): boolean {
  const info = lstatSync(folder, { throwIfNoEntry: false });
  if (info?.isDirectory() !== true) return false;
  // Windows has neither.
  const user = process.getuid?.();
  return user === undefined || (info.uid === user && (info.mode & OTHERS_MAY_WRITE) === 0);
}

/**
 * Keeps what Node.js makes of our source files at a start for the next one, in the data folder: half a second of
 * processor time. It is written when the process ends, and made anew where it does not fit the sources or the release
 * of Node.js. Where it cannot be read or written, the start takes as long as without. Called before the bulk of the
 * server is imported, and by nobody but the server: files of another user would be in its way. That is for the first
 * start; at later ones `start.mjs` has found the folder, and this changes nothing.
 */
export function useCompileCache({ dataDir }: Pick<Config, 'dataDir'>): void {
  // On PostgreSQL there may be none, and then it is not for this to make one.
  if (!existsSync(dataDir)) return;
  const folder = path.join(dataDir, FOLDER);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there already, or cannot be made.
  }
  try {
    if (isOwn(folder)) enableCompileCache(folder);
  } catch {
    // It cannot even be looked at.
  }
}
