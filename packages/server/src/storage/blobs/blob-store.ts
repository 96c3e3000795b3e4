import type { Readable } from 'node:stream';

/**
 * Where package files live, named by the SHA-512 of their bytes. A blob is put in place before the row that names
 * it, so a crash leaves at worst a blob without a row, which `list` lets a later sweep find.
 */
export interface BlobStore {
  /** Begins a new blob. Nobody sees it before it is promoted. */
  stage(): Promise<StagedBlob>;
  /** `null` when there is no such blob. */
  open(sha512Hex: string): Promise<StoredBlob | null>;
  /** Removes a blob; it is no fault when there is none. */
  remove(sha512Hex: string): Promise<void>;
  /** All blobs in no particular order, without holding more than one folder in memory. */
  list(): AsyncIterable<BlobInfo>;
  /** Removes what uploads left behind that were last written more than `olderThanMs` ago. Returns how many. */
  sweepStaging(olderThanMs: number): Promise<number>;
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
   * The bytes from `start` up to, but not including, `end`. A stream of the whole blob verifies it: when the bytes
   * are not those that were stored, it fails with `BlobDamaged` before it gives out the last of them.
   */
  stream(start?: number, end?: number): Readable;
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

/** The stored bytes are not those that were stored: the disk lost or changed some. */
export class BlobDamaged extends Error {
  readonly sha512Hex: string;

  constructor(sha512Hex: string) {
    super(`The blob ${sha512Hex} is damaged: its bytes do not match its name. Restore it from a backup.`);
    this.name = 'BlobDamaged';
    this.sha512Hex = sha512Hex;
  }
}
