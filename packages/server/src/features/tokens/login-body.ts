import { type FieldFault, requestErrors } from '../../errors/index.ts';
import { JsonFault, parseStrictJson } from '../../lib/strict-json.ts';

/** What a login sends: the names are those of the documented contract. */
export interface LoginFields {
  readonly auth_mode: 'apikey';
  readonly apikey: string;
  readonly secretkey: string;
  readonly app_id?: string;
}

const FIELDS = ['auth_mode', 'apikey', 'secretkey', 'app_id'] as const;
const REQUIRED = ['auth_mode', 'apikey', 'secretkey'] as const;
type FieldName = (typeof FIELDS)[number];
type RawFields = ReadonlyMap<FieldName, unknown>;

function refuse(fields: readonly FieldFault[]): never {
  throw requestErrors.invalid({
    fields,
    detail: fields.map(({ field, message }) => `${field} ${message}`).join('; '),
  });
}

function decode(bytes: Uint8Array): string {
  try {
    // The decoder drops a byte order mark by itself; an editor put it there, and it carries no meaning.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
  } catch {
    throw requestErrors.malformed({ detail: 'The body is not valid UTF-8.' });
  }
}

function readJson(text: string): RawFields {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    // Stryker disable next-line ConditionalExpression: nothing else is thrown there today
    if (error instanceof JsonFault) throw requestErrors.malformed({ detail: error.message, cause: error });
    throw error;
  }
  const members = new Map(Object.entries(value as Record<string, unknown>));
  return new Map(FIELDS.map((name) => [name, members.get(name)]));
}

function readForm(text: string): RawFields {
  const form = new URLSearchParams(text);
  const fields = new Map<FieldName, unknown>();
  for (const name of FIELDS) {
    const values = form.getAll(name);
    // The first or the last? Two readers of one body must never disagree about who signs in.
    if (values.length > 1) refuse([{ field: name, message: 'is given twice; send it once' }]);
    fields.set(name, values[0]);
  }
  return fields;
}

/**
 * Reads the body of a login. The two documented samples, cURL with raw JSON and Python with a real form, both
 * say `application/x-www-form-urlencoded`, so the grammar is chosen by the first character and the header is
 * not asked. Blanks around pasted values go; fields that nobody knows are tolerated.
 *
 * @throws request.invalid naming each field that is missing, empty or no text; request.malformed
 */
export function parseLoginBody(bytes: Uint8Array): LoginFields {
  const text = decode(bytes);
  const raw = text.startsWith('{') ? readJson(text) : readForm(text);
  const faults: FieldFault[] = [];
  const values = new Map<FieldName, string>();
  for (const name of FIELDS) {
    const value = raw.get(name) ?? '';
    if (typeof value === 'string') values.set(name, value.trim());
    else faults.push({ field: name, message: 'must be a text' });
  }
  for (const name of REQUIRED) {
    if (values.get(name) === '') faults.push({ field: name, message: 'is missing or empty' });
  }
  const mode = values.get('auth_mode') ?? '';
  if (mode !== '' && mode !== 'apikey') faults.push({ field: 'auth_mode', message: 'must be "apikey"' });
  if (faults.length > 0) refuse(faults);
  // Stryker disable next-line StringLiteral: each has its text by now, which the compiler cannot know
  const [apikey = '', secretkey = '', appId = ''] = [
    values.get('apikey'),
    values.get('secretkey'),
    values.get('app_id'),
  ];
  return { auth_mode: 'apikey', apikey, secretkey, ...(appId === '' ? {} : { app_id: appId }) };
}
