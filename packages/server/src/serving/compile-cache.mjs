// JavaScript, like the entry that calls it before anything can take the types out of sources.
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const FOLDER = 'compile-cache';
const OTHERS_MAY_WRITE = 0o002;

/** What lies there is run: so it was put there by this user, and nobody else can add to it. */
function isOwn(folder) {
  const info = lstatSync(folder, { throwIfNoEntry: false });
  if (info?.isDirectory() !== true) return false;
  // Windows has neither.
  const user = process.getuid?.();
  return user === undefined || (info.uid === user && (info.mode & OTHERS_MAY_WRITE) === 0);
}

export function reuseCompileCache(dataDir) {
  const folder = path.join(dataDir, FOLDER);
  try {
    if (isOwn(folder)) enableCompileCache(folder);
  } catch {
    // It cannot even be looked at, and the start takes as long as without.
  }
}

export function makeCompileCache(dataDir) {
  // On PostgreSQL there may be none, and then it is not for this to make one.
  if (!existsSync(dataDir)) return;
  try {
    mkdirSync(path.join(dataDir, FOLDER), { mode: 0o700 });
  } catch {
    // It is there already, or cannot be made.
  }
  reuseCompileCache(dataDir);
}
