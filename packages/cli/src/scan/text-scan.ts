import {
  base64Anchors,
  decodeBase64,
  findRuns,
  IS_BASE62,
  type Layer,
  narrowUtf16,
  skipLineBreak,
} from './bytes.ts';
import { FoundKey, type Hit, type Spot } from './found-key.ts';
import { bondOfSecretKey, ID_CHARACTERS, isPair, SECRET_CHARACTERS } from './key-shape.ts';
import { LineCounter } from './lines.ts';
import { CANDIDATES_MAX, type Candidate, joinPairs } from './pairs.ts';

const WINDOW_BYTES = 262_144;
/** Bytes that two windows have in common: more than any spelling of a key takes, encoded twice. */
const OVERLAP_BYTES = 8_192;
/** base64 in UTF-16 in base64: deeper than any tool nests them. */
const LAYERS_MAX = 3;
/** Bytes that the 49 characters of a wrapped secret may spread over; bounds what a hostile file costs. */
const SPREAD_BYTES_MAX = 192;
/** An underscore as it is, in addresses (once and twice encoded), in JSON and in Markdown. */
const UNDERSCORES = ['_', '%5F', '%5f', '%255F', '%255f', '\\u005f', '\\u005F', '\\_'].map((text) =>
  Buffer.from(text),
);
const SOFT_BREAKS = new Set([0x3d, 0x5c, 0x60]); // `=` of quoted-printable, `\` of shells, a backtick of PowerShell

export interface TextResult {
  readonly hits: readonly Hit[];
  /** Whether there were more candidates than are kept, so that a split pair may have been missed. */
  readonly isCut: boolean;
}

/** Bytes that an underscore takes at `at`; 0 when there is none. */
function underscoreLength(bytes: Buffer, at: number): number {
  if (bytes[at] === 0x5f) return 1;
  if (bytes[at] !== 0x25 && bytes[at] !== 0x5c) return 0;
  return UNDERSCORES.find((form) => form.equals(bytes.subarray(at, at + form.length)))?.length ?? 0;
}

interface Gathered {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** `count` base62 characters from `at` on, over line ends, as mail programs and editors wrap them. */
function gather(bytes: Buffer, at: number, count: number): Gathered | null {
  let text = '';
  let start = at;
  for (let next = at; next < bytes.length && next - at < SPREAD_BYTES_MAX; ) {
    let end = next;
    const limit = Math.min(bytes.length, next + count - text.length);
    while (end < limit && IS_BASE62[bytes[end] as number] === 1) end += 1;
    if (text === '') start = next;
    text += bytes.toString('latin1', next, end);
    if (text.length === count) return { text, start, end };
    next = skipLineBreak(bytes, SOFT_BREAKS.has(bytes[end] as number) ? end + 1 : end);
    if (next < 0) return null;
  }
  return null;
}

/** What escapes leave before a word: the `n` of `\n`, the `0022` of `\u0022`, the `3D` of `%3D`. */
function escapeLength(bytes: Buffer, start: number): number {
  if (bytes[start - 1] === 0x25) return 2;
  if (bytes[start - 1] !== 0x5c) return 0;
  const letter = bytes[start];
  return letter === 0x75 ? 5 : letter === 0x78 ? 3 : 1;
}

/**
 * Finds the keys of one text, which comes in parts of any size. Memory is bounded: two windows and the candidates
 * for pairs. Each byte is looked at a bounded number of times.
 */
export class TextScan {
  readonly #prefixes: readonly Buffer[];
  readonly #anchors: readonly string[];
  readonly #lines = new LineCounter();
  readonly #hits = new Map<string, Hit>();
  readonly #apiKeys = new Map<number, Candidate>();
  readonly #secrets = new Map<number, Candidate>();
  readonly #wholeSecrets = new Set<number>();
  #isCut = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #base = 0;
  #newSpots: Spot[] = [];

  /** @param prefixes lower-case letters that keys begin with, without the underscore */
  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes.map((prefix) => Buffer.from(prefix));
    this.#anchors = prefixes.flatMap((prefix) => base64Anchors(`${prefix}_`));
  }

  /** The part is kept until it was read: the caller hands it over. */
  push(part: Buffer): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes >= WINDOW_BYTES + OVERLAP_BYTES) this.#readWindow(false);
  }

  /** The text has ended. */
  end(): TextResult {
    this.#readWindow(true);
    const secrets = [...this.#secrets.values()].filter(({ spot }) => !this.#wholeSecrets.has(spot.offset));
    for (const hit of joinPairs([...this.#apiKeys.values()], secrets)) this.#addHit(hit);
    return { hits: [...this.#hits.values()], isCut: this.#isCut };
  }

  #readWindow(isEnd: boolean): void {
    const window = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    const base = this.#base;
    if (base === 0) this.#lines.start(window);
    this.#readLayer({ bytes: window, offsetOf: (at) => base + at, isStart: base === 0, isEnd }, 0);
    this.#lines.locate(window, this.#newSpots);
    this.#newSpots = [];
    // Even, so that no window begins within a character of UTF-16.
    const done = isEnd ? window.length : Math.floor((window.length - OVERLAP_BYTES) / 2) * 2;
    this.#lines.advance(window, done);
    this.#base += done;
    this.#held = [Buffer.from(window.subarray(done))];
    this.#heldBytes = window.length - done;
  }

  #readLayer(layer: Layer, depth: number): void {
    for (const prefix of this.#prefixes) this.#findKeys(layer, prefix);
    this.#findSecrets(layer);
    if (depth >= LAYERS_MAX) return;
    const narrow = narrowUtf16(layer);
    if (narrow !== null) this.#readLayer(narrow, depth + 1);
    for (const decoded of decodeBase64(layer, this.#anchors)) this.#readLayer(decoded, depth + 1);
  }

  /** Full keys, and API keys that may be half of a pair. What is glued to a full key does not hide it. */
  #findKeys(layer: Layer, prefix: Buffer): void {
    const { bytes } = layer;
    for (let at = bytes.indexOf(prefix); at >= 0; at = bytes.indexOf(prefix, at + 1)) {
      const underscore = underscoreLength(bytes, at + prefix.length);
      const id = underscore === 0 ? null : gather(bytes, at + prefix.length + underscore, ID_CHARACTERS);
      if (id === null) continue;
      const apiKey = `${prefix.toString('latin1')}_${id.text}`;
      const divider = underscoreLength(bytes, id.end);
      const secret = divider === 0 ? null : gather(bytes, id.end + divider, SECRET_CHARACTERS);
      if (secret !== null && isPair(apiKey, secret.text)) {
        const spot = this.#spotOf(layer, at);
        const key = new FoundKey(apiKey, secret.text);
        this.#addHit({ key, spelling: 'full key', spot, apiKeySpot: null });
        this.#wholeSecrets.add(layer.offsetOf(secret.start));
      }
      const isCutOff = id.end === bytes.length && !layer.isEnd;
      if (isCutOff || IS_BASE62[bytes[id.end] as number] === 1) continue;
      this.#addCandidate(this.#apiKeys, layer, at, apiKey);
    }
  }

  /** Words of 49 base62 characters that end in a checksum of some API key. */
  #findSecrets(layer: Layer): void {
    const { bytes } = layer;
    for (const { start, end } of findRuns(bytes, IS_BASE62, SECRET_CHARACTERS)) {
      const isWhole = (start > 0 || layer.isStart) && (end < bytes.length || layer.isEnd);
      const surplus = end - start - SECRET_CHARACTERS;
      if (!isWhole || (surplus !== 0 && surplus !== escapeLength(bytes, start))) continue;
      const text = bytes.toString('latin1', start + surplus, end);
      if (bondOfSecretKey(text) !== null) this.#addCandidate(this.#secrets, layer, start + surplus, text);
    }
  }

  #spotOf(layer: Layer, at: number): Spot {
    const spot = { offset: layer.offsetOf(at), line: 0, column: 0 };
    this.#newSpots.push(spot);
    return spot;
  }

  #addCandidate(kept: Map<number, Candidate>, layer: Layer, at: number, text: string): void {
    // Two windows see what both hold; the offset tells that it is the same.
    const offset = layer.offsetOf(at);
    if (kept.has(offset)) return;
    if (kept.size >= CANDIDATES_MAX) this.#isCut = true;
    else kept.set(offset, { text, spot: this.#spotOf(layer, at) });
  }

  #addHit(hit: Hit): void {
    const name = `${hit.spot.offset} ${hit.key.apiKey}`;
    if (this.#hits.has(name)) return;
    if (this.#hits.size >= CANDIDATES_MAX) this.#isCut = true;
    else this.#hits.set(name, hit);
  }
}
