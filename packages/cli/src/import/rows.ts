import { createHash } from 'node:crypto';
import type { BodyOf, Permission } from '@keyreeve/sdk';
import { parsePermission, toIsoInstant } from '../options.ts';
import type { FileRecord } from './records.ts';

/** A row as the API takes it. */
export type ImportRow = BodyOf<'importKeys'>['rows'][number];

/** A row of the file, good or faulty, with the line on which it begins. */
export type ReadRow =
  | { readonly line: number; readonly row: ImportRow }
  | { readonly line: number; readonly fault: string };

export const COLUMNS = ['account', 'comment', 'access', 'scopes', 'expiresAt', 'sha256', 'credential'];
const ACCESSES: readonly string[] = ['full', 'account', 'scoped'] satisfies ImportRow['access'][];
const ACCOUNT_CHARACTERS_MAX = 254;
const COMMENT_CHARACTERS_MAX = 256;

/** What is wrong with one value; never repeats the value, which may be a credential in the wrong column. */
class ValueFault extends Error {}

function readText(values: ReadonlyMap<string, unknown>, name: string, charactersMax: number): string {
  const value = values.get(name);
  const text = typeof value === 'string' ? value.trim() : '';
  if (text !== '' && text.length <= charactersMax) return text;
  throw new ValueFault(`${name} must be text of 1 to ${charactersMax} characters`);
}

function readAccess(values: ReadonlyMap<string, unknown>): ImportRow['access'] {
  const value = values.get('access');
  if (typeof value === 'string' && ACCESSES.includes(value)) return value as ImportRow['access'];
  throw new ValueFault(`access must be one of ${ACCESSES.join(', ')}`);
}

function readExpiry(values: ReadonlyMap<string, unknown>, access: ImportRow['access']): string | null {
  const value = values.get('expiresAt') ?? '';
  if (value === '') {
    if (access === 'full') return null;
    throw new ValueFault('expiresAt is required: only access "full" may be without expiry');
  }
  const iso = typeof value === 'string' ? toIsoInstant(value) : null;
  if (iso === null)
    throw new ValueFault('expiresAt must be an instant with its zone, like 2027-03-01T00:00:00Z');
  return iso;
}

function readSha256(values: ReadonlyMap<string, unknown>): string {
  const sha256 = values.get('sha256') ?? '';
  const credential = values.get('credential') ?? '';
  if (sha256 !== '' && credential !== '') throw new ValueFault('sha256 and credential exclude each other');
  if (typeof credential === 'string' && credential.trim() !== '') {
    return createHash('sha256').update(credential.trim()).digest('hex');
  }
  if (typeof sha256 === 'string' && /^[0-9A-Fa-f]{64}$/.test(sha256)) return sha256.toLowerCase();
  // 32 bytes in base64: other systems keep their hashes so. Without the padding it could as well be a credential in
  // the wrong column, which must not leave this machine.
  if (typeof sha256 === 'string' && /^[0-9A-Za-z+/]{43}=$/.test(sha256))
    return Buffer.from(sha256, 'base64').toString('hex');
  throw new ValueFault(
    'sha256 must be 64 hexadecimal digits or 32 bytes in base64 (or give the credential itself, which stays here)',
  );
}

/** `ACTIONS=PATTERNS`, several divided by `;`, or in JSON Lines the array that the API takes. */
function readScopes(values: ReadonlyMap<string, unknown>, access: ImportRow['access']): Permission[] | null {
  const value = values.get('scopes') ?? '';
  const isGiven = value !== '' && !(Array.isArray(value) && value.length === 0);
  if (isGiven !== (access === 'scoped')) {
    throw new ValueFault(
      isGiven ? `scopes do not go with access "${access}"` : 'scopes are required for access "scoped"',
    );
  }
  if (!isGiven) return null;
  const scopes: unknown[] =
    typeof value === 'string' ? value.split(';').map((part) => parsePermission(part)) : [value].flat();
  if (scopes.every((scope) => isPermission(scope))) return scopes;
  throw new ValueFault(
    'scopes must be written as ACTION[,ACTION…]=PATTERN[,PATTERN…], several divided by ";"',
  );
}

function isPermission(value: unknown): value is Permission {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { actions, resources } = value as Partial<Record<string, unknown>>;
  const isList = (list: unknown) =>
    Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === 'string');
  return isList(actions) && isList(resources);
}

/**
 * Checks a record without asking the server: shape, lengths, instants. Whether the account exists and may have
 * such a key is for the server to say.
 */
export function checkRecord(record: FileRecord): ReadRow {
  if ('fault' in record) return record;
  const { line, values } = record;
  try {
    const access = readAccess(values);
    const scopes = readScopes(values, access);
    const row = {
      account: readText(values, 'account', ACCOUNT_CHARACTERS_MAX),
      comment: readText(values, 'comment', COMMENT_CHARACTERS_MAX),
      access,
      ...(scopes === null ? {} : { scopes }),
      expiresAt: readExpiry(values, access),
      sha256: readSha256(values),
    };
    return { line, row };
  } catch (error) {
    if (error instanceof ValueFault) return { line, fault: error.message };
    throw error;
  }
}
