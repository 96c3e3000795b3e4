import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ListMultipartUploadsCommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { S3BlobConfig } from '../../config/index.ts';
import type { Random } from '../../lib/random.ts';
import { BlobStoreFault } from './blob-errors.ts';
import { type BlobInfo, type BlobObserver, type BlobStore, blobKey } from './blob-store.ts';
import {
  createS3Client,
  loadS3,
  PATIENT,
  type Patience,
  patiently,
  QUICK,
  type S3Library,
  statusOf,
} from './s3-calls.ts';
import { uploadFile } from './s3-upload.ts';
import { createStagingFolder } from './staging-folder.ts';
import { type BlobSource, createVerifiedReads } from './verified-reads.ts';

interface UploadsMarker {
  readonly KeyMarker?: string | undefined;
  readonly UploadIdMarker?: string | undefined;
}

const CHECK = 'check';
const PAGE_KEYS = 1_000;
/** How long the store may be silent in the middle of a blob. A reader who takes his time does not count. */
const SILENCE_MS = 30_000;

export interface S3BlobStoreOptions {
  readonly config: S3BlobConfig;
  /** A folder of this machine where uploads are gathered and read before they go to the store. */
  readonly stagingFolder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: Random;
  readonly observer: BlobObserver;
  /** What the folder of the machine says when it fails. */
  readonly explainFile: (error: unknown) => unknown;
  readonly silenceMs?: number;
}

/**
 * Keeps blobs in a bucket of an S3-compatible store, as `<prefix>aa/bb/<sha512>`: the same names as in a folder. An
 * upload is gathered on this machine, where its manifest is read and its rights are checked, and only then sent to
 * its final name, which the store shows when it has all of it.
 */
export async function createS3BlobStore(options: S3BlobStoreOptions): Promise<BlobStore> {
  const library = await loadS3();
  return new S3BlobStore(library, createS3Client(library, options.config), options);
}

class S3BlobStore implements BlobStore {
  readonly #library: S3Library;
  readonly #client: S3Client;
  readonly #options: S3BlobStoreOptions;
  readonly #staging: ReturnType<typeof createStagingFolder>;
  readonly #verified: ReturnType<typeof createVerifiedReads>;

  constructor(library: S3Library, client: S3Client, options: S3BlobStoreOptions) {
    const { config, now, random, observer } = options;
    this.#library = library;
    this.#client = client;
    this.#options = options;
    this.#verified = createVerifiedReads({ now, onDamaged: (sha512Hex) => observer.onDamaged(sha512Hex) });
    this.#staging = createStagingFolder({
      folder: options.stagingFolder,
      now,
      random,
      explain: options.explainFile,
      place: (file) =>
        this.#observed(() =>
          uploadFile({ library, client, bucket: config.bucket, key: this.#keyOf(file.sha512Hex) }, file),
        ),
    });
  }

  stage() {
    return this.#staging.stage();
  }

  async open(sha512Hex: string) {
    if (blobKey(sha512Hex) === null) return null;
    const object = this.#object(sha512Hex);
    try {
      const { ContentLength: sizeBytes = 0, ETag: etag = '' } = await this.#call(QUICK, (abortSignal) =>
        this.#client.send(new this.#library.HeadObjectCommand(object), { abortSignal }),
      );
      const read: BlobSource['read'] = (start, end) => this.#read({ object, sizeBytes, etag }, start, end);
      return this.#verified({ sha512Hex, sizeBytes, revision: `${etag} ${sizeBytes}`, read });
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  async remove(sha512Hex: string) {
    if (blobKey(sha512Hex) === null) return;
    await this.#call(QUICK, (abortSignal) =>
      this.#client.send(new this.#library.DeleteObjectCommand(this.#object(sha512Hex)), { abortSignal }),
    );
  }

  async *list(): AsyncGenerator<BlobInfo> {
    const { bucket, prefix } = this.#options.config;
    let token: string | undefined;
    do {
      const page = await this.#call(PATIENT, (abortSignal) =>
        this.#client.send(
          new this.#library.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            MaxKeys: PAGE_KEYS,
            ContinuationToken: token,
          }),
          { abortSignal },
        ),
      );
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        const sha512Hex = Key.slice(Key.lastIndexOf('/') + 1);
        if (LastModified === undefined || blobKey(sha512Hex) === null || Key !== this.#keyOf(sha512Hex))
          continue;
        yield { sha512Hex, sizeBytes: Size, modifiedAt: LastModified.getTime() };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async sweepStaging(olderThanMs: number) {
    return (await this.#staging.sweep(olderThanMs)) + (await this.#sweepUploads(olderThanMs));
  }

  async check() {
    const { bucket, prefix } = this.#options.config;
    const { PutObjectCommand, GetObjectCommand, DeleteObjectCommand } = this.#library;
    const staged = await this.#staging.stage();
    await staged.discard();
    await this.ping();
    // It stays, so that several servers which start at once do not take it from each other.
    const object = { Bucket: bucket, Key: `${prefix}check` };
    await this.#call(QUICK, (abortSignal) =>
      this.#client.send(new PutObjectCommand({ ...object, Body: CHECK }), { abortSignal }),
    );
    const read = await this.#call(QUICK, async (abortSignal) => {
      const { Body } = await this.#client.send(new GetObjectCommand(object), { abortSignal });
      return await Body?.transformToString();
    });
    // There is none of that name, and a store tells a caller without the right to remove all the same.
    await this.#call(QUICK, (abortSignal) =>
      this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `${prefix}check-remove` }), {
        abortSignal,
      }),
    );
    if (read !== CHECK)
      throw new BlobStoreFault(
        'failed',
        'The store of the package files gave back other bytes than it was given.',
      );
  }

  async ping() {
    const { bucket, prefix } = this.#options.config;
    const { ListObjectsV2Command } = this.#library;
    // Not HEAD: its answers have no body, and so do not say what is wrong.
    await this.#call(QUICK, (abortSignal) =>
      this.#client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }), {
        abortSignal,
      }),
    );
  }

  async close() {
    this.#client.destroy();
  }

  async #read(
    { object, sizeBytes, etag }: { object: { Bucket: string; Key: string }; sizeBytes: number; etag: string },
    start: number,
    end: number,
  ): Promise<Readable> {
    const isWhole = start === 0 && end === sizeBytes;
    const command = new this.#library.GetObjectCommand({
      ...object,
      IfMatch: etag,
      ...(isWhole ? {} : { Range: `bytes=${start}-${end - 1}` }),
    });
    const answer = await this.#observed(async () => {
      try {
        return await patiently(PATIENT, (abortSignal) => this.#client.send(command, { abortSignal }));
      } catch (error) {
        if (error instanceof BlobStoreFault) throw error;
        throw new BlobStoreFault('failed', 'A package file was replaced or removed while it was opened.', {
          cause: error,
        });
      }
    });
    const body = answer.Body;
    if (!(body instanceof Readable) || answer.ContentLength !== end - start) {
      if (body instanceof Readable) body.destroy();
      throw new BlobStoreFault(
        'failed',
        'The store of the package files answered with other bytes than were asked for.',
      );
    }
    const silenceMs = this.#options.silenceMs ?? SILENCE_MS;
    return Readable.from(this.#withoutSilence(body, silenceMs), { objectMode: false });
  }

  /** Ends a blob whose bytes stop coming, so that neither the reader nor a socket waits for ever. */
  async *#withoutSilence(body: Readable, silenceMs: number): AsyncGenerator<Buffer> {
    const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#observed(() => orSilence(chunks.next(), silenceMs));
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      body.destroy();
    }
  }

  async #sweepUploads(olderThanMs: number): Promise<number> {
    const { config, now } = this.#options;
    let removed = 0;
    let after: UploadsMarker | null = {};
    while (after !== null) {
      const page: ListMultipartUploadsCommandOutput | null = await this.#listUploads(after);
      for (const { Key, UploadId, Initiated } of page?.Uploads ?? []) {
        if (Initiated === undefined || now() - Initiated.getTime() <= olderThanMs) continue;
        const command = new this.#library.AbortMultipartUploadCommand({
          Bucket: config.bucket,
          Key,
          UploadId,
        });
        await this.#call(PATIENT, (abortSignal) => this.#client.send(command, { abortSignal }));
        removed += 1;
      }
      after =
        page?.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
          : null;
    }
    return removed;
  }

  /** Null from a store that keeps no such list; what becomes of unfinished uploads is then its own affair. */
  async #listUploads(after: UploadsMarker): Promise<ListMultipartUploadsCommandOutput | null> {
    const { bucket, prefix } = this.#options.config;
    const command = new this.#library.ListMultipartUploadsCommand({
      Bucket: bucket,
      Prefix: prefix,
      ...after,
    });
    return await this.#observed(async () => {
      try {
        return await patiently(PATIENT, (abortSignal) => this.#client.send(command, { abortSignal }));
      } catch (error) {
        const status = error instanceof BlobStoreFault ? statusOf(error.cause) : null;
        if (status === 405 || status === 501) return null;
        throw error;
      }
    });
  }

  #keyOf(sha512Hex: string): string {
    return `${this.#options.config.prefix}${blobKey(sha512Hex)}`;
  }

  #object(sha512Hex: string) {
    return { Bucket: this.#options.config.bucket, Key: this.#keyOf(sha512Hex) };
  }

  #call<Result>(patience: Patience, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return this.#observed(() => patiently(patience, work));
  }

  async #observed<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof BlobStoreFault) this.#options.observer.onFault(error);
      throw error;
    }
  }
}

async function orSilence<Result>(work: Promise<Result>, silenceMs: number): Promise<Result> {
  const timer = new AbortController();
  const silence = delay(silenceMs, null, { signal: timer.signal }).then(() => {
    throw new BlobStoreFault('slow', 'The store of the package files fell silent in the middle of one.');
  });
  try {
    return await Promise.race([work, silence]);
  } catch (error) {
    if (error instanceof BlobStoreFault) throw error;
    throw new BlobStoreFault(
      'unreachable',
      'The store of the package files broke off in the middle of one.',
      { cause: error },
    );
  } finally {
    silence.catch(() => {});
    timer.abort();
  }
}
