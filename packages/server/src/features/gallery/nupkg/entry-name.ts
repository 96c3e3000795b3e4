import { Buffer, isUtf8 } from 'node:buffer';
import { asciiLower } from '../../../lib/ascii.ts';
import { NupkgFault } from './fault.ts';
import { MAX_ENTRY_NAME_CHARS } from './limits.ts';

const RESERVED = new Set(['con', 'prn', 'aux', 'nul', 'conin$', 'conout$', 'clock$']);
for (const digit of ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '\u00B9', '\u00B2', '\u00B3']) {
  RESERVED.add(`com${digit}`);
  RESERVED.add(`lpt${digit}`);
}

const FORBIDDEN_CHARS = /[\u0000-\u001F\u007F\\:]/;
const ESCAPE = /%[0-9A-Fa-f]{2}/;

/**
 * Reads the name of an archive entry as NuGet clients do, who undo `%20` and the like when they unpack, and refuses
 * every name that could leave its folder or that some system cannot create. Both spellings are checked: a client
 * that unpacks without unescaping must be as safe as one that does.
 *
 * @returns the unescaped name; folders keep their trailing slash
 */
export function readEntryName(raw: Buffer): string {
  if (!isUtf8(raw)) throw nameFault();
  const name = raw.toString('utf8');
  checkName(name);
  if (!ESCAPE.test(name)) return name;
  const unescaped = unescape(raw);
  checkName(unescaped);
  return unescaped;
}

/** The form under which two names are one file: composed, ASCII lower case, without the slash of a folder. */
export function entryKey(name: string): string {
  const bare = name.endsWith('/') ? name.slice(0, -1) : name;
  return asciiLower(bare.normalize('NFC'));
}

function checkName(name: string): void {
  if (name === '' || name.length > MAX_ENTRY_NAME_CHARS || FORBIDDEN_CHARS.test(name)) throw nameFault();
  const bare = name.endsWith('/') ? name.slice(0, -1) : name;
  // An absolute path and a doubled slash both show as an empty segment; so does the name "/".
  if (!bare.split('/').every(isSafeSegment)) throw nameFault();
}

function isSafeSegment(segment: string): boolean {
  // Windows drops a trailing dot or blank, so "nul." and "a " would become other names; this covers ".." too.
  if (segment === '' || segment.endsWith('.') || segment.endsWith(' ')) return false;
  const stem = segment.split('.', 1)[0] ?? '';
  return !RESERVED.has(asciiLower(stem.trimEnd()));
}

function unescape(raw: Buffer): string {
  const text = raw
    .toString('latin1')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const bytes = Buffer.from(text, 'latin1');
  if (!isUtf8(bytes)) throw nameFault();
  return bytes.toString('utf8');
}

function nameFault(): NupkgFault {
  return new NupkgFault(
    'entry_name',
    `A file name in the package is not allowed: use relative names of at most ${MAX_ENTRY_NAME_CHARS} characters ` +
      'in UTF-8, without "..", "//", a backslash, a colon, control characters, a trailing dot or blank, ' +
      'or a name that Windows reserves.',
  );
}
