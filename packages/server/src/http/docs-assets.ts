import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { sha256Hex } from '../lib/mac.ts';
import type { ReferenceAssets } from './docs-page.ts';

/** The library is two megabytes: this takes a third of a second, once, on a thread of the pool. */
const BROTLI_QUALITY = 9;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } };
const SCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

export type Encoding = 'br' | 'gzip' | 'identity';

export interface DocsAsset {
  readonly type: string;
  /** Read and compressed when it is first asked for, and kept. */
  body(encoding: Encoding): Promise<Buffer>;
}

export interface DocsAssets {
  readonly addresses: ReferenceAssets;
  /** By the name in the address, which changes with the content; requests never become a path of the disk. */
  readonly files: ReadonlyMap<string, DocsAsset>;
}

async function compress(body: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'br') return await promisify(brotliCompress)(body, BROTLI);
  return encoding === 'gzip' ? await promisify(gzip)(body) : body;
}

function toAsset(type: string, read: () => Promise<Buffer>): DocsAsset {
  const bodies = new Map<Encoding, Promise<Buffer>>();
  const body = async (encoding: Encoding): Promise<Buffer> => {
    const known = bodies.get(encoding);
    if (known !== undefined) return await known;
    const made = encoding === 'identity' ? read() : compress(await body('identity'), encoding);
    bodies.set(encoding, made);
    // A file that could not be read once is not missing for ever.
    made.catch(() => bodies.delete(encoding));
    return await made;
  };
  return { type, body };
}

/** The few files of swagger-ui-dist that the reference needs, named by its version, and ours, named by their digest. */
export function openDocsAssets(): DocsAssets {
  const files = new Map<string, DocsAsset>();
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('swagger-ui-dist/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };
  const add = (name: string, type: string, read: () => Promise<Buffer>): string => {
    files.set(name, toAsset(type, read));
    return `/docs/assets/${name}`;
  };
  const library = (file: string, type: string): string => {
    const [base, ...extensions] = file.split('.');
    const read = () => readFile(path.join(path.dirname(manifest), file));
    return add([`${base}-${version}`, ...extensions].join('.'), type, read);
  };
  const own = (file: string, type: string): string => {
    const body = readFileSync(path.join(import.meta.dirname, 'docs', file));
    const { name, ext } = path.parse(file);
    return add(`${name}-${sha256Hex(body.toString('utf8')).slice(0, 16)}${ext}`, type, () =>
      Promise.resolve(body),
    );
  };
  // The bundle says where its licences are: beside it.
  add('swagger-ui-bundle.js.LICENSE.txt', 'text/plain; charset=utf-8', () =>
    readFile(path.join(path.dirname(manifest), 'swagger-ui-bundle.js.LICENSE.txt')),
  );
  return {
    files,
    addresses: {
      libraryStyle: library('swagger-ui.css', CSS),
      style: own('reference.css', CSS),
      library: library('swagger-ui-bundle.js', SCRIPT),
      script: own('reference.mjs', SCRIPT),
    },
  };
}
