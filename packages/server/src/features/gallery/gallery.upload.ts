import type { Clock } from '../../lib/clock.ts';
import type { BlobStore, StagedBlob } from '../../storage/blobs/blob-store.ts';
import { packageErrors } from './gallery.errors.ts';
import { NupkgFault } from './nupkg/fault.ts';
import { type NupkgContents, readNupkg } from './nupkg/read-nupkg.ts';
import { MultipartFault, openPackageBody } from './upload/first-part.ts';

/** The body of a push as it arrives. */
export interface UploadBody {
  readonly contentType: string | undefined;
  /** Of the whole body, as the client announces it; null when it does not. */
  readonly declaredBytes: number | null;
  readonly source: AsyncIterable<Uint8Array>;
}

/** A package that was received and read, and that nobody sees yet. */
export interface StagedPackage {
  readonly staged: StagedBlob;
  readonly contents: NupkgContents;
}

/** What a multipart body may have besides the package: boundaries, headers, further parts. */
export const WRAPPING_BYTES_MAX = 1024 * 1024;

const BROKEN_OFF = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'];

/**
 * Receives a package into the staging place of the blob store, hashing and counting on the way, and reads it.
 * The bytes are stored exactly as they came: a signature inside stays valid.
 *
 * @throws package.too_large, package.unreadable; nothing is left behind then, and the rest of the body is unread
 */
export async function stageUpload(
  deps: { readonly blobs: BlobStore; readonly clock: Clock; readonly packageBytesMax: number },
  body: UploadBody,
): Promise<StagedPackage> {
  const { blobs, clock, packageBytesMax } = deps;
  if (body.declaredBytes !== null && body.declaredBytes > packageBytesMax + WRAPPING_BYTES_MAX) {
    throw packageErrors.too_large();
  }
  const staged = await blobs.stage();
  try {
    await receive(staged, body, packageBytesMax);
    await staged.finish();
    return { staged, contents: await readNupkg(staged.path, { nowMs: clock.now() }) };
  } catch (error) {
    await staged.discard();
    throw toUploadError(error);
  }
}

async function receive(staged: StagedBlob, body: UploadBody, packageBytesMax: number): Promise<void> {
  const source = stoppable(body.source);
  const options = { maxDrainBytes: packageBytesMax + WRAPPING_BYTES_MAX };
  for await (const chunk of openPackageBody(body.contentType, source, options)) {
    try {
      if (staged.sizeBytes + chunk.length > packageBytesMax) throw packageErrors.too_large();
      await staged.write(chunk);
    } catch (error) {
      // The rest is for whoever answers: he drains within limits of his own.
      source.stop();
      throw error;
    }
  }
}

/**
 * A source that can be made to end early, so that leaving it does not read on to its real end. The iterator is
 * let go of then: while it is held, nobody else can read the request.
 */
function stoppable(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> & { stop(): void } {
  let isStopped = false;
  return {
    stop: () => {
      isStopped = true;
    },
    [Symbol.asyncIterator]: () => {
      const iterator = source[Symbol.asyncIterator]();
      const end = async () => (await iterator.return?.()) ?? { done: true as const, value: undefined };
      return { next: async () => (isStopped ? await end() : await iterator.next()), return: end };
    },
  };
}

function toUploadError(error: unknown): unknown {
  if (error instanceof NupkgFault || error instanceof MultipartFault) {
    return packageErrors.unreadable({ detail: error.message, internal: error.reason, cause: error });
  }
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (typeof code !== 'string' || !BROKEN_OFF.includes(code)) return error;
  return packageErrors.unreadable({ detail: 'The upload broke off. Push again.', cause: error });
}
