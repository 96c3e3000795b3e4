import type { ApiDocument, Operation, Validate } from './fuzz-document.ts';
import type { FuzzRequest } from './fuzz-requests.ts';
import { NAUGHTY } from './fuzz-values.ts';
import type { WireAnswer } from './fuzz-wire.ts';

/**
 * What an answer tells only when the inside of the server shows: frames of a stack, files of the program or of the
 * machine, words of its databases.
 */
const INSIDE =
  /node_modules|node:internal|\bat (?:async )?[\w.<>]+ \(|[\w-]+\.ts:\d+|file:\/\/\/|keyreeve-test-|keyreeve\.db|usage\.db|SQLITE_|SqliteError|kysely|syntax error at|relation "\w+"|violates \w+ constraint|UNIQUE constraint|FOREIGN KEY constraint|\bselect .{1,80} from |insert into "|TypeError|RangeError|ReferenceError|undefined is not (?:a function|an object|iterable)|Cannot read propert|\[object Object\]/i;
/** Codes of Node, as they are written: a hash in base64url once had `eRr_WKFUQyI` in it. */
const CODE_OF_NODE = /(?<![\w-])ERR_[A-Z_]{4,}/;
/** Clients of old get errors in forms of their own; these have a code somewhere in their text. */
const CODE_IN_XML = /<code>([a-z_.]+)<\/code>/;
const HEADERS_OF_ALL = ['x-request-id', 'x-content-type-options', 'date'];

const ID_CHARACTERS_MAX = 300;

const spoken = NAUGHTY.filter((text) => INSIDE.test(text) || CODE_OF_NODE.test(text));

/** What is wrong with an answer by the published document; nothing when all is well. */
export function judgeAnswer(api: ApiDocument, request: FuzzRequest, answer: WireAnswer): string[] {
  const { status, body, headers } = answer;
  const text = body.toString();
  const faults: string[] = [];
  if (status >= 500) faults.push(`the server failed: ${status}`);
  for (const name of HEADERS_OF_ALL) if (!headers.has(name)) faults.push(`no header ${name}`);
  if (/[^\t\x20-\x7e\x80-\xff]/.test(answer.phrase)) faults.push('a control character in the reason phrase');
  const inside = INSIDE.exec(text) ?? CODE_OF_NODE.exec(text);
  if (inside !== null && !isEchoed(inside[0], request)) faults.push(`the answer tells "${inside[0]}"`);
  if (!body.equals(Buffer.from(text)) && !isBinary(headers)) faults.push('the body is no UTF-8');
  const operations = findAnswering(api, request);
  // An address and method of which the document does not tell: some are older spellings of those it tells of.
  if (operations.length === 0) return faults;
  const judged = operations.map((operation) => judgeByOperation(api, operation, request, answer, text));
  return [...faults, ...(judged.find((found) => found.length === 0) ?? judged[0] ?? [])];
}

/** Texts that were sent, now or before, may come back. */
function isEchoed(found: string, request: FuzzRequest): boolean {
  const sent = `${request.target} ${request.body?.toString() ?? ''}`;
  return sent.includes(found) || spoken.some((text) => text.toLowerCase().includes(found.toLowerCase()));
}

function isBinary(headers: ReadonlyMap<string, string>): boolean {
  return headers.get('content-type') === 'application/octet-stream';
}

/** The operations that may have answered: with a path that is too long for an id, another one than was meant. */
function findAnswering(
  api: ApiDocument,
  { operation, method, target, isOtherMethod }: FuzzRequest,
): readonly Operation[] {
  const byId = (wanted: string) => api.operations.filter(({ id }) => id === wanted);
  // What lies below `/api/v2` and is nothing else is an address of the feed.
  const isLong =
    target
      .split('?')[0]
      ?.split('/')
      .some((part) => part.length > ID_CHARACTERS_MAX) === true;
  if (operation.id === 'downloadPackage' && isLong) return [operation, ...byId('readPackageFeed')];
  if (!isOtherMethod || (method === 'HEAD' && operation.method === 'GET')) return [operation];
  return api.operations.filter((each) => each.path === operation.path && each.method === method);
}

function judgeByOperation(
  api: ApiDocument,
  operation: Operation,
  request: FuzzRequest,
  answer: WireAnswer,
  text: string,
): string[] {
  const { status, headers } = answer;
  const isHead = request.method === 'HEAD';
  const type = mediaTypeOf(headers);
  const code = findCode(type, text);
  const named = operation.answers.get(String(status));
  if (named !== undefined) return isHead ? [] : judgeBody(named, type, text, `an answer of ${status}`);
  if (status < 400) return [`the document does not tell of ${status}`];
  const { statusOfCode } = operation;
  const { commonStatusOfCode } = api;
  const known = new Set([...statusOfCode.values(), ...commonStatusOfCode.values()]);
  const faults = known.has(status) ? [] : [`the document does not tell of ${status}`];
  if (isHead) return faults;
  if (code !== null) {
    const wanted = statusOfCode.get(code) ?? commonStatusOfCode.get(code);
    if (!api.codes.has(code)) faults.push(`the code ${code} has no page`);
    if (wanted === undefined) faults.push(`the document does not tell of ${code}`);
    else if (wanted !== status) faults.push(`${code} comes with ${status}, documented ${wanted}`);
    // Requests that nobody can read, and hosts that are nobody's, are refused in one form everywhere.
    if (type === 'application/problem+json' && commonStatusOfCode.has(code))
      return [...faults, ...judgeText(api.validateProblem, text, 'the problem')];
  }
  return [...faults, ...judgeBody(operation.answers.get('default') ?? new Map(), type, text, 'the error')];
}

function mediaTypeOf(headers: ReadonlyMap<string, string>): string {
  return (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
}

function findCode(type: string, text: string): string | null {
  if (type.endsWith('xml')) return CODE_IN_XML.exec(text)?.[1] ?? null;
  if (!type.endsWith('json')) return null;
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return null;
  const { code, error_uri: page } = value as Readonly<Record<string, unknown>>;
  if (type === 'application/problem+json') return typeof code === 'string' ? code : null;
  return typeof page === 'string' ? (page.split('/').at(-1) ?? null) : null;
}

function judgeBody(
  answers: ReadonlyMap<string, Validate>,
  type: string,
  text: string,
  what: string,
): string[] {
  if (answers.size === 0)
    return text === '' ? [] : [`${what} has a body, and none is documented: ${text.slice(0, 200)}`];
  const validate = answers.get(type);
  if (validate === undefined)
    return [`${what} comes as "${type}", documented ${[...answers.keys()].join(', ')}`];
  return type.endsWith('json') ? judgeText(validate, text, what) : [];
}

function judgeText(validate: Validate, text: string, what: string): string[] {
  const value = parse(text);
  if (value === undefined) return [`${what} is no JSON: ${text.slice(0, 200)}`];
  const fault = validate(value);
  return fault === null ? [] : [`${what} is against its schema: ${fault}`];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
