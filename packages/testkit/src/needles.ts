import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** A text that must be nowhere, in the spellings in which software writes bytes. */
export interface Needle {
  readonly name: string;
  readonly spellings: readonly Buffer[];
}

/**
 * Raw, for a URL, backwards, hexadecimal, and base64 at each of the three offsets that the text can have inside a longer one. The
 * first and last characters of the shifted spellings also depend on the neighbours, so they are left out.
 */
export function toNeedle(name: string, secret: string | Uint8Array): Needle {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const inner = shifted
      .toString('base64')
      .replace(/=+$/, '')
      .slice(offset === 0 ? 0 : offset + 1, -2);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const forUrl = typeof secret === 'string' ? [encodeURIComponent(secret)] : [];
  const spellings = new Set([hex, hex.toUpperCase(), ...base64, ...forUrl]);
  const backwards = Buffer.from(bytes.toReversed());
  return {
    name,
    spellings: [bytes, backwards, ...[...spellings].map((spelling) => Buffer.from(spelling))],
  };
}

/** The names of the needles that are somewhere in the bytes. */
export function findNeedles(haystack: Buffer, needles: readonly Needle[]): string[] {
  return needles
    .filter((needle) => needle.spellings.some((spelling) => haystack.includes(spelling)))
    .map((needle) => needle.name);
}

/** `file: needle` for every file below the folder that holds one. */
export function searchFolder(
  folder: string,
  needles: readonly Needle[],
): { readonly found: string[]; readonly filesRead: number } {
  const found: string[] = [];
  let filesRead = 0;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, entry);
    const bytes = readIfThere(file);
    if (bytes === null) continue;
    filesRead += 1;
    found.push(...findNeedles(bytes, needles).map((name) => `${entry}: ${name}`));
  }
  return { found, filesRead };
}

/** Null for what is no file, or none any more: a database server at work renames and removes parts of its log. */
function readIfThere(file: string): Buffer | null {
  try {
    return statSync(file).isFile() ? readFileSync(file) : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
