import path from 'node:path';
import { type Run, run } from '../run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CLI = path.join(ROOT, 'packages/cli/src/bin.ts');
const NUGET = path.join(ROOT, 'node_modules/nuget-exe/nuget-5.8.0.exe');

/** What the pages say for the server that the reader has. */
const SHOWN_URL = 'http://localhost:8080';

/** Every full key within a text. */
export const FULL_KEY = /\bkr_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}\b/;

/** A text of a page with the server and the key of the test in place of those of the page. */
export function fillIn(text: string, url: string, fullKey = ''): string {
  return text
    .replaceAll(SHOWN_URL, url)
    .replaceAll('<API key>', fullKey.slice(0, 19))
    .replaceAll('<secret key>', fullKey.slice(20))
    .replaceAll('<full key>', fullKey);
}

/** A bash in a folder, in which `keyreeve`, `npx keyreeve` and `nuget` are what the pages say they are. */
export interface DocsShell {
  /** Runs commands as a reader would paste them; ends at the first that fails. */
  run(commands: string, env?: Readonly<Record<string, string>>): Promise<Run>;
}

/** @param env Beside the bare environment, as `KEYREEVE_URL` and `KEYREEVE_API_KEY`. */
export function openShell(folder: string, env: Readonly<Record<string, string>>): DocsShell {
  const functions = [
    `keyreeve() { "${process.execPath}" "${CLI}" "$@"; }`,
    'npx() { "$@"; }',
    `nuget() { mono "${NUGET}" "$@" -NonInteractive; }`,
  ].join('\n');
  return {
    run: (commands, more = {}) =>
      run('/bin/bash', ['-c', `set -e\n${functions}\n${commands}`], {
        cwd: folder,
        env: { XDG_CONFIG_HOME: folder, HOME: folder, ...env, ...more },
      }),
  };
}
