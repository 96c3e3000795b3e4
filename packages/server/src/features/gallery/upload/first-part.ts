import { Buffer } from 'node:buffer';

/** Preamble, first delimiter and headers of the first part together. */
export const MAX_PART_HEAD_BYTES = 8 * 1024;
/** RFC 2046 allows no longer boundary. */
const MAX_BOUNDARY_CHARS = 70;
/** What is read and thrown away at most, after the package or after a fault, before the source is closed. */
const MAX_DRAIN_BYTES = 1024 * 1024 * 1024;

const BOUNDARY_CHARS = /^[0-9A-Za-z'()+_,./:=? -]+$/;
const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;

export type MultipartFaultReason =
  | 'boundary_missing'
  | 'boundary_invalid'
  | 'part_missing'
  | 'head_too_large'
  | 'encoding_unknown'
  | 'body_ended';

/** A body that is not the multipart form it claims to be. The message is public. */
export class MultipartFault extends Error {
  readonly reason: MultipartFaultReason;

  constructor(reason: MultipartFaultReason, message: string) {
    super(message);
    this.name = 'MultipartFault';
    this.reason = reason;
  }
}

/**
 * The bytes of the package in the body of a push: those of the first part when the body is multipart, whatever the
 * part is called, or else the whole body.
 *
 * It forgives what real clients do wrong: nuget 2.8.7 on mono puts only a line feed before the closing boundary
 * and nothing after it. A carriage return before that line feed always belongs to the boundary, which costs
 * nothing here since no package ends with one.
 *
 * The source is read to its end in every case, also after a fault or when the caller stops early: a client whose
 * upload is cut off reports a broken connection and never shows the reason. Beyond `maxDrainBytes` it is closed.
 *
 * @throws MultipartFault when the multipart form is broken or ends early
 */
export async function* openPackageBody(
  contentType: string | undefined,
  source: AsyncIterable<Uint8Array>,
  options: { maxDrainBytes?: number } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = createReader(source);
  let isFaulty = true;
  try {
    const boundary = readBoundary(contentType);
    if (boundary === null) yield* reader.rest();
    else yield* firstPart(boundary, reader);
    isFaulty = false;
  } finally {
    const drained = reader.drain(options.maxDrainBytes ?? MAX_DRAIN_BYTES);
    // After a fault that fault is the news; otherwise a source that breaks off means that the push did.
    await (isFaulty ? drained.catch(() => {}) : drained);
  }
}

/** The boundary that a content type names; `null` when the body is not multipart. */
export function readBoundary(contentType: string | undefined): string | null {
  if (contentType === undefined || !/^\s{0,8}multipart\//i.test(contentType)) return null;
  const value = findParameter(contentType, 'boundary');
  if (value === null) {
    throw new MultipartFault(
      'boundary_missing',
      'The Content-Type is multipart but names no boundary. Add it.',
    );
  }
  if (value.length > MAX_BOUNDARY_CHARS || !BOUNDARY_CHARS.test(value) || value.endsWith(' ')) {
    throw new MultipartFault(
      'boundary_invalid',
      `The boundary in the Content-Type is not valid: use 1 to ${MAX_BOUNDARY_CHARS} letters, digits and "-".`,
    );
  }
  return value;
}

interface Reader {
  /** The next chunk that is not empty, or `null` at the end. */
  next(): Promise<Buffer | null>;
  rest(): AsyncGenerator<Buffer, void, undefined>;
  drain(maxBytes: number): Promise<void>;
}

/** Reads by hand instead of `for await`, which would close the source when the caller stops early. */
function createReader(source: AsyncIterable<Uint8Array>): Reader {
  const iterator = source[Symbol.asyncIterator]();
  let isAtEnd = false;
  const next = async (): Promise<Buffer | null> => {
    while (!isAtEnd) {
      let result: IteratorResult<Uint8Array>;
      try {
        result = await iterator.next();
      } catch (error) {
        isAtEnd = true;
        throw error;
      }
      if (result.done === true) isAtEnd = true;
      else if (result.value.length > 0) return asBuffer(result.value);
    }
    return null;
  };
  return {
    next,
    async *rest() {
      for (let chunk = await next(); chunk !== null; chunk = await next()) yield chunk;
    },
    async drain(maxBytes) {
      let drainedBytes = 0;
      for (let chunk = await next(); chunk !== null; chunk = await next()) {
        drainedBytes += chunk.length;
        if (drainedBytes > maxBytes) {
          isAtEnd = true;
          await iterator.return?.();
        }
      }
    },
  };
}

async function* firstPart(boundary: string, reader: Reader): AsyncGenerator<Buffer, void, undefined> {
  const delimiter = Buffer.from(`\n--${boundary}`, 'latin1');
  let pending = await readHead(delimiter, reader);
  let searchFrom = 0;
  for (;;) {
    const at = pending.indexOf(delimiter, searchFrom);
    const verdict = at === -1 ? 'absent' : judgeDelimiter(pending, at + delimiter.length);
    if (verdict === 'delimiter') {
      const end = at > 0 && pending[at - 1] === CR ? at - 1 : at;
      if (end > 0) yield pending.subarray(0, end);
      return;
    }
    if (verdict === 'data') {
      searchFrom = at + 1;
      continue;
    }
    // What may still become the delimiter stays back: from the one found, or else the last bytes; and one byte
    // before it, which may be the carriage return.
    const keepFrom = Math.max(0, (at === -1 ? pending.length - delimiter.length + 1 : at) - 1);
    if (keepFrom > 0) yield pending.subarray(0, keepFrom);
    const chunk = await reader.next();
    if (chunk === null) throw endedFault();
    pending = Buffer.concat([pending.subarray(keepFrom), chunk]);
    searchFrom = 0;
  }
}

/**
 * Whether the bytes after a boundary make it a delimiter: `--`, or a line end after blanks. The same characters
 * within a longer line are data.
 */
function judgeDelimiter(buffer: Buffer, after: number): 'delimiter' | 'data' | 'unclear' {
  const first = buffer[after];
  if (first === undefined) return 'unclear';
  if (first === DASH) {
    const second = buffer[after + 1];
    return second === undefined ? 'unclear' : second === DASH ? 'delimiter' : 'data';
  }
  return first === CR || first === LF || first === 0x20 || first === 0x09 ? 'delimiter' : 'data';
}

/** Reads up to the blank line after the headers of the first part, and returns what came after it. */
async function readHead(delimiter: Buffer, reader: Reader): Promise<Buffer> {
  // The line feed in front lets the delimiter at the very beginning be found like any other.
  let head: Buffer = Buffer.from([LF]);
  for (;;) {
    const found = parseHead(head, delimiter);
    if (found !== null && found <= MAX_PART_HEAD_BYTES) return head.subarray(found);
    // The limit bounds this search as well, which begins anew with every chunk.
    if (found !== null || head.length > MAX_PART_HEAD_BYTES) {
      if (!head.includes(delimiter)) throw partMissingFault();
      throw new MultipartFault(
        'head_too_large',
        'The headers of the first part are larger than 8 KiB. Shorten them.',
      );
    }
    const chunk = await reader.next();
    if (chunk === null) throw head.includes(delimiter) ? endedFault() : partMissingFault();
    head = Buffer.concat([head, chunk]);
  }
}

/** Where the data of the first part begins; `null` while that is not in sight. */
function parseHead(head: Buffer, delimiter: Buffer): number | null {
  let at = head.indexOf(delimiter);
  while (at !== -1) {
    const verdict = judgeDelimiter(head, at + delimiter.length);
    if (verdict === 'unclear') return null;
    if (verdict === 'delimiter') break;
    at = head.indexOf(delimiter, at + 1);
  }
  if (at === -1) return null;
  if (head[at + delimiter.length] === DASH) throw partMissingFault();
  let lineStart = head.indexOf(LF, at + delimiter.length) + 1;
  if (lineStart === 0) return null;
  for (;;) {
    const lineEnd = head.indexOf(LF, lineStart);
    if (lineEnd === -1) return null;
    const line = head.toString('latin1', lineStart, lineEnd).trim();
    if (line === '') return lineEnd + 1;
    checkHeader(line);
    lineStart = lineEnd + 1;
  }
}

function checkHeader(line: string): void {
  const [name = '', value = ''] = line.split(':', 2);
  if (name.trim().toLowerCase() !== 'content-transfer-encoding') return;
  const encoding = value.trim().toLowerCase();
  if (encoding !== 'binary' && encoding !== '8bit' && encoding !== '7bit') {
    throw new MultipartFault(
      'encoding_unknown',
      'The first part has a transfer encoding. Send it as binary.',
    );
  }
}

/** Reads one parameter of a header value, quoted or not, without being misled by quoted text before it. */
function findParameter(header: string, wanted: string): string | null {
  let position = header.indexOf(';');
  while (position !== -1) {
    const equals = header.indexOf('=', position);
    if (equals === -1) return null;
    const name = header
      .slice(position + 1, equals)
      .trim()
      .toLowerCase();
    const { value, next } = readValue(header, equals + 1);
    if (name === wanted) return value;
    position = header.indexOf(';', next);
  }
  return null;
}

function readValue(header: string, start: number): { value: string; next: number } {
  if (header[start] !== '"') {
    const semicolon = header.indexOf(';', start);
    const next = semicolon === -1 ? header.length : semicolon;
    return { value: header.slice(start, next).trim(), next };
  }
  let value = '';
  let position = start + 1;
  while (position < header.length && header[position] !== '"') {
    if (header[position] === '\\') position += 1;
    value += header[position] ?? '';
    position += 1;
  }
  return { value, next: position + 1 };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function endedFault(): MultipartFault {
  return new MultipartFault(
    'body_ended',
    'The body ended before the closing boundary. Send the package again.',
  );
}

function partMissingFault(): MultipartFault {
  return new MultipartFault(
    'part_missing',
    'The body holds no part: its boundary never appears as the Content-Type names it. Send the package again.',
  );
}
