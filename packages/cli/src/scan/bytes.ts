import { BASE62_VALUES } from './key-shape.ts';

/** A run of bytes of one class: `[start, end)`. */
export interface RunOfBytes {
  readonly start: number;
  readonly end: number;
}

type ByteClass = Readonly<Uint8Array>;

export const IS_BASE62: ByteClass = Uint8Array.from(BASE62_VALUES, (value) => (value >= 0 ? 1 : 0));
/** Both alphabets: `+/` and `-_`. */
export const IS_BASE64: ByteClass = IS_BASE62.map((is, byte) =>
  is === 1 || '+/-_'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

const LF = 0x0a;
const CR = 0x0d;
const BLANKS_MAX = 64;
/** Shorter lines are words, not wrapped base64: the usual widths are 64 and 76. */
const WRAPPED_LINE_MIN = 60;
const SEPARATOR = 0x20;

/**
 * All longest runs of at least `lengthMin` bytes. Looks at every `lengthMin`-th byte only until one is of the class,
 * so that plain text costs little; no byte is looked at more than three times.
 */
export function* findRuns(bytes: Buffer, byteClass: ByteClass, lengthMin: number): Generator<RunOfBytes> {
  let bound = 0;
  let probe = lengthMin - 1;
  while (probe < bytes.length) {
    if (byteClass[bytes[probe] as number] !== 1) {
      bound = probe + 1;
      probe += lengthMin;
      continue;
    }
    let start = probe;
    while (start > bound && byteClass[bytes[start - 1] as number] === 1) start -= 1;
    let end = probe + 1;
    while (end < bytes.length && byteClass[bytes[end] as number] === 1) end += 1;
    if (end - start >= lengthMin) yield { start, end };
    bound = end + 1;
    probe = end + lengthMin;
  }
}

/** Where the next line begins after its indentation, when `at` is a line end; else -1. */
export function skipLineBreak(bytes: Buffer, at: number): number {
  let next = bytes[at] === CR ? at + 1 : at;
  if (bytes[next] !== LF) return -1;
  next += 1;
  const limit = next + BLANKS_MAX;
  while (next < limit && (bytes[next] === 0x20 || bytes[next] === 0x09)) next += 1;
  return next;
}

/** Text that was written in another form, and the way back to where it stands. */
export interface Layer {
  readonly bytes: Buffer;
  /** The byte of the outer text from which byte `at` of this layer comes. */
  readonly offsetOf: (at: number) => number;
  /** Whether its first and last byte are the ends of the text, not of the part that was read so far. */
  readonly isStart: boolean;
  readonly isEnd: boolean;
}

/**
 * The characters of UTF-16 that have one byte, wherever they stand: PowerShell writes such files, .NET such programs.
 * A byte before a zero byte is a character, all else parts words; that reads either byte order, with a mark or without.
 */
export function narrowUtf16(outer: Layer): Layer | null {
  const { bytes } = outer;
  const first = bytes.indexOf(0);
  if (first < 0) return null;
  const narrow = Buffer.allocUnsafe(bytes.length);
  const offsets = new Uint32Array(bytes.length);
  let length = 0;
  const put = (byte: number, offset: number) => {
    narrow[length] = byte;
    offsets[length] = offset;
    length += 1;
  };
  // One byte more than the first character takes, so that what stands before parts it from the beginning.
  for (let at = Math.max(0, first - 2); at < bytes.length; ) {
    const byte = bytes[at] as number;
    const isCharacter = byte !== 0 && (at + 1 < bytes.length ? bytes[at + 1] === 0 : outer.isEnd);
    if (isCharacter) put(byte, at);
    else if (length === 0 || narrow[length - 1] !== SEPARATOR) put(SEPARATOR, at);
    at += isCharacter ? 2 : 1;
  }
  return {
    ...outer,
    bytes: narrow.subarray(0, length),
    offsetOf: (at) => outer.offsetOf(offsets[at] ?? 0),
  };
}

interface Block {
  readonly text: string;
  readonly lines: readonly { readonly at: number; readonly start: number }[];
  readonly end: number;
}

/** A run of base64 with the lines that go on with it, as `base64` and MIME wrap them. */
function joinLines(bytes: Buffer, run: RunOfBytes): Block {
  const lines = [{ at: 0, start: run.start }];
  let text = bytes.toString('latin1', run.start, run.end);
  let { start, end } = run;
  while (end - start >= WRAPPED_LINE_MIN && (end - start) % 4 === 0) {
    start = skipLineBreak(bytes, end);
    if (start < 0) break;
    let next = start;
    while (next < bytes.length && IS_BASE64[bytes[next] as number] === 1) next += 1;
    if (next === start) break;
    lines.push({ at: text.length, start });
    text += bytes.toString('latin1', start, next);
    end = next;
  }
  return { text, lines, end };
}

/** An API key alone, of the shortest prefix, is 19 bytes. */
const BASE64_MIN = 26;
/** A secret key, 49 bytes, without padding. */
const BASE64_SECRET = 66;

/** The characters that stand inside every base64 text of `text`, whichever of the three places of a group it begins at. */
export function base64Anchors(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from(`${'\0'.repeat(before)}${text}`).toString('base64');
    const firstWhole = before === 0 ? 0 : before + 1;
    const lastWhole = Math.floor(((before + text.length) * 8) / 6);
    return encoded.slice(firstWhole, lastWhole);
  });
}

/**
 * What base64 in the text stands for. Something may stand glued before it (`Basic+…`, `%20…`, `\n…`), so each of the
 * four places is tried at which a group may begin; short runs only where they hold one of `anchors`.
 */
export function* decodeBase64(outer: Layer, anchors: readonly string[]): Generator<Layer> {
  const { bytes } = outer;
  let done = 0;
  for (const run of findRuns(bytes, IS_BASE64, BASE64_MIN)) {
    if (run.start < done) continue;
    const { text, lines, end } = joinLines(bytes, run);
    done = end;
    if (text.length < BASE64_SECRET && !anchors.some((anchor) => text.includes(anchor))) continue;
    for (let phase = 0; phase < 4; phase += 1) {
      yield {
        bytes: Buffer.from(phase === 0 ? text : text.slice(phase), 'base64'),
        offsetOf: (at) => {
          const encoded = phase + Math.floor(at / 3) * 4;
          const line = lines.findLast((one) => one.at <= encoded) ?? lines[0];
          return outer.offsetOf((line?.start ?? 0) + encoded - (line?.at ?? 0));
        },
        isStart: outer.isStart || run.start > 0,
        isEnd: outer.isEnd || end < bytes.length,
      };
    }
  }
}
