import type { Readable } from 'node:stream';
import type { BlobStoreFault } from './blob-errors.ts';

/**
 * Where package files live, named by the SHA-512 of their bytes. A blob is put in place before the row that names
 * it, so a crash leaves at worst a blob without a row, which `list` lets a later sweep find.
 *
 * Every function may fail with `BlobStoreFault`: the store is full, denies access, or does not answer as it should.
 */
export interface BlobStore {
  /** Begins a new blob. Nobody sees it before it is promoted. */
  stage(): Promise<StagedBlob>;
  /** `null` when there is no such blob. Answers within five seconds, for it is asked inside a transaction. */
  open(sha512Hex: string): Promise<StoredBlob | null>;
  /** Removes a blob; it is no fault when there is none. Done within five seconds, as `open`. */
  remove(sha512Hex: string): Promise<void>;
  /** All blobs in no particular order, without holding more than one folder or page in memory. */
  list(): AsyncIterable<BlobInfo>;
  /** Removes what uploads left behind that were last written more than `olderThanMs` ago. Returns how many. */
  sweepStaging(olderThanMs: number): Promise<number>;
  /** Tries at start whether blobs can be written, read and removed, with one that nobody sees. */
  check(): Promise<void>;
  /** Resolves when the store answers. Cheap; for readiness. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface BlobInfo {
  readonly sha512Hex: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

export interface StoredBlob {
  readonly sizeBytes: number;
  /**
   * The bytes from `start` up to, but not including, `end`. A stream of the whole blob verifies it on the way: when
   * the bytes are not those that were stored, it fails with `BlobDamaged` before it gives out the last of them. A
   * part is given out only of a blob that was verified as a whole not long ago, which is done first if need be.
   *
   * @throws BlobDamaged at once, when the blob is known to be damaged
   */
  stream(start?: number, end?: number): Promise<Readable>;
}

/** A blob being written: `write` any number of times, then `finish`, then `promote` or `discard`. */
export interface StagedBlob {
  /** The file in which the bytes are, for reading what was written after `finish`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Known from `finish` on; asking earlier is a mistake and throws. */
  readonly sha512Hex: string;
  write(chunk: Uint8Array): Promise<void>;
  /** The bytes are on the disk when this returns. */
  finish(): Promise<void>;
  /** The blob is under its name, also after a power cut, when this returns. It may be there already. */
  promote(): Promise<void>;
  /** Removes the staged bytes. Does nothing once promoted, and may be called again. */
  discard(): Promise<void>;
}

/** What a store tells its operator, beside failing. */
export interface BlobObserver {
  onDamaged(sha512Hex: string): void;
  onFault(fault: BlobStoreFault): void;
}

const SHA512_HEX = /^[0-9a-f]{128}$/;

/** Where a blob lies below its store, or `null` for anything but 128 lower-case hex digits: no name leads elsewhere. */
export function blobKey(sha512Hex: string): string | null {
  if (!SHA512_HEX.test(sha512Hex)) return null;
  return `${sha512Hex.slice(0, 2)}/${sha512Hex.slice(2, 4)}/${sha512Hex}`;
}
