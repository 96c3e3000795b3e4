import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The addresses that a person may open: the page behind all of them is the same, its script tells them apart. */
export const CONSOLE_PATHS = [
  '/',
  '/sign-in',
  '/first-run',
  '/forgot-password',
  '/overview',
  '/my-keys',
  '/keys',
  '/packages',
  '/packages/:id',
  '/packages/:id/:version',
  '/reserved-ids',
  '/users',
  '/users/:id',
  '/service-accounts',
  '/service-accounts/:id',
  '/mails',
  '/webhooks',
  '/webhooks/:id',
  '/audit',
  '/settings',
  '/profile',
] as const;

/** One file of the built console, with its smaller twins. */
export interface ConsoleFile {
  readonly type: string;
  readonly body: Buffer;
  readonly brotli: Buffer | null;
  readonly gzip: Buffer | null;
}

export interface ConsoleFiles {
  /** The page; `__CSP_NONCE__` in it stands for the nonce of an answer. */
  readonly page: string;
  /** By file name; requests are looked up here and never become a path of the disk. */
  readonly assets: ReadonlyMap<string, ConsoleFile>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

function readIfThere(file: string): Buffer | null {
  return existsSync(file) ? readFileSync(file) : null;
}

/** Where `tools/build-console.mjs` puts the console. */
const FOLDER = path.resolve(import.meta.dirname, '../../../console/dist');

/** Reads the built console into memory, about two megabytes; null when it has not been built. */
export function readConsoleFiles(folder = FOLDER): ConsoleFiles | null {
  const page = readIfThere(path.join(folder, 'index.html'));
  if (page === null) return null;
  const assetFolder = path.join(folder, 'assets', 'console');
  const assets = new Map<string, ConsoleFile>();
  for (const name of readdirSync(assetFolder)) {
    const type = TYPES[path.extname(name)];
    const file = path.join(assetFolder, name);
    if (type === undefined) continue;
    assets.set(name, {
      type,
      body: readFileSync(file),
      brotli: readIfThere(`${file}.br`),
      gzip: readIfThere(`${file}.gz`),
    });
  }
  return { page: page.toString('utf8'), assets };
}
