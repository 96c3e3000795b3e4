import type { Spot } from './found-key.ts';

type Encoding = 'bytes' | 'utf-16le' | 'utf-16be';

const LF = 0x0a;

/** Counts lines and columns (characters, from 1) through a text that is read in parts. */
export class LineCounter {
  #encoding: Encoding = 'bytes';
  #offset = 0;
  #line = 1;
  #column = 1;

  /** Told the first bytes of the text: a byte order mark decides how lines end, and takes no column. */
  start(bytes: Buffer): void {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) this.#encoding = 'utf-16le';
    else if (bytes[0] === 0xfe && bytes[1] === 0xff) this.#encoding = 'utf-16be';
    else if (bytes[0] !== 0xef || bytes[1] !== 0xbb || bytes[2] !== 0xbf) return;
    this.#column = 0;
  }

  /** Fills in line and column of spots that lie in `bytes`, which begins where the counter stands. */
  locate(bytes: Buffer, spots: readonly Spot[]): void {
    const ahead = this.#copy();
    const base = this.#offset;
    for (const spot of spots.toSorted((one, other) => one.offset - other.offset)) {
      // A character of UTF-16 that lies in its second byte begins at its first.
      const offset = this.#encoding === 'bytes' ? spot.offset : spot.offset - (spot.offset % 2);
      ahead.advance(bytes.subarray(ahead.#offset - base), offset - ahead.#offset);
      spot.line = ahead.#line;
      spot.column = ahead.#column;
    }
  }

  /** Moves on by `count` bytes of `bytes`, which begins where the counter stands; in UTF-16 by whole characters. */
  advance(bytes: Buffer, count: number): void {
    if (this.#encoding === 'bytes') this.#advanceBytes(bytes, count);
    else this.#advanceUtf16(bytes, count);
  }

  #advanceBytes(bytes: Buffer, count: number): void {
    for (let at = 0; at < count; at += 1) {
      const byte = bytes[at] as number;
      if (byte === LF) {
        this.#line += 1;
        this.#column = 1;
      } else if ((byte & 0xc0) !== 0x80) this.#column += 1;
    }
    this.#offset += count;
  }

  #advanceUtf16(bytes: Buffer, count: number): void {
    const low = this.#encoding === 'utf-16le' ? 0 : 1;
    for (let at = 0; at < count; at += 2) {
      const isLineEnd = bytes[at + low] === LF && bytes[at + 1 - low] === 0;
      this.#line += isLineEnd ? 1 : 0;
      this.#column = isLineEnd ? 1 : this.#column + 1;
    }
    this.#offset += count;
  }

  #copy(): LineCounter {
    const copy = new LineCounter();
    copy.#encoding = this.#encoding;
    copy.#offset = this.#offset;
    copy.#line = this.#line;
    copy.#column = this.#column;
    return copy;
  }
}
