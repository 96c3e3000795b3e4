import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { noteLitter } from '../../lib/litter.ts';
import { BlobStoreFault } from './blob-errors.ts';
import { PATIENT, patiently, type S3Library, statusOf, TRANSFER } from './s3-calls.ts';
import type { FinishedFile } from './staging-folder.ts';

/** Larger files go in parts, so that a broken connection costs a part and not the whole. */
const PART_BYTES = 8 * 1024 * 1024;
const READ_BYTES = 64 * 1024;
/** All parts and tries together: a client waits for the answer to its push meanwhile. */
const UPLOAD_DEADLINE_MS = 300_000;

interface Part {
  readonly start: number;
  readonly lengthBytes: number;
  readonly sha256Hex: string;
}

interface Target {
  readonly library: S3Library;
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
}

/**
 * Sends a file to its place. The store shows an object only when it has all of it, so a crash leaves nothing visible.
 *
 * What is sent is what was staged: the bytes are hashed once more as they come from the disk, by SHA-512 against the
 * name, and by SHA-256 for the signature, which the store compares with what arrives. Nothing is held in memory but
 * what is on the way.
 */
export async function uploadFile(target: Target, file: FinishedFile): Promise<void> {
  const signal = AbortSignal.timeout(UPLOAD_DEADLINE_MS);
  const handle = await open(file.path, 'r');
  try {
    if (file.sizeBytes <= PART_BYTES) await uploadAtOnce(target, file, handle, signal);
    else await uploadInParts(target, file, handle, signal);
  } finally {
    await handle.close();
  }
}

async function uploadAtOnce(
  target: Target,
  file: FinishedFile,
  handle: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  const { library, client, bucket, key } = target;
  const whole = createHash('sha512');
  const part = await hashPart(handle, 0, file.sizeBytes, whole);
  requireSame(whole, file);
  await patiently({ ...TRANSFER, signal }, (abortSignal) => {
    const command = new library.PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: readPart(handle, part),
      ContentLength: part.lengthBytes,
      ContentType: 'application/octet-stream',
    });
    command.middlewareStack.add(withPayloadHash(part.sha256Hex), { step: 'build' });
    return client.send(command, { abortSignal });
  });
}

async function uploadInParts(
  target: Target,
  file: FinishedFile,
  handle: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  const { library, client } = target;
  const object = { Bucket: target.bucket, Key: target.key };
  const { UploadId } = await patiently({ ...PATIENT, signal }, (abortSignal) =>
    client.send(
      new library.CreateMultipartUploadCommand({ ...object, ContentType: 'application/octet-stream' }),
      { abortSignal },
    ),
  );
  const upload = { ...object, UploadId };
  try {
    const whole = createHash('sha512');
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let start = 0; start < file.sizeBytes; start += PART_BYTES) {
      const part = await hashPart(handle, start, Math.min(PART_BYTES, file.sizeBytes - start), whole);
      const PartNumber = Parts.length + 1;
      const { ETag } = await patiently({ ...TRANSFER, signal }, (abortSignal) => {
        const command = new library.UploadPartCommand({
          ...upload,
          PartNumber,
          Body: readPart(handle, part),
          ContentLength: part.lengthBytes,
        });
        command.middlewareStack.add(withPayloadHash(part.sha256Hex), { step: 'build' });
        return client.send(command, { abortSignal });
      });
      Parts.push({ PartNumber, ETag });
    }
    requireSame(whole, file);
    await complete(target, file, { ...upload, MultipartUpload: { Parts } }, signal);
  } catch (error) {
    await abandon(target, upload);
    throw error;
  }
}

type Completion = ConstructorParameters<S3Library['CompleteMultipartUploadCommand']>[0];

async function complete(
  { library, client, bucket, key }: Target,
  file: FinishedFile,
  completion: Completion,
  signal: AbortSignal,
): Promise<void> {
  try {
    await patiently({ ...TRANSFER, signal }, (abortSignal) =>
      client.send(new library.CompleteMultipartUploadCommand(completion), { abortSignal }),
    );
  } catch (error) {
    // Gone means that an earlier try was carried out though its answer was lost, or that somebody ended the upload.
    if (statusOf(error) !== 404) throw error;
    const { ContentLength } = await patiently({ ...PATIENT, signal }, (abortSignal) =>
      client.send(new library.HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal }),
    );
    if (ContentLength !== file.sizeBytes)
      throw new BlobStoreFault('failed', 'The store of the package files lost an upload in parts.', {
        cause: error,
      });
  }
}

/** Frees the room of the parts. When that fails as well, the sweep does it. */
async function abandon(
  { library, client }: Target,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
): Promise<void> {
  try {
    await patiently({ ...PATIENT, tries: 1 }, (abortSignal) =>
      client.send(new library.AbortMultipartUploadCommand(upload), { abortSignal }),
    );
  } catch {
    // The fault that led here is the one to tell.
  }
}

async function hashPart(handle: FileHandle, start: number, lengthBytes: number, whole: Hash): Promise<Part> {
  const hash = createHash('sha256');
  // Nobody keeps the bytes, so one buffer does for all of them.
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, lengthBytes));
  for await (const chunk of readBytes(handle, start, lengthBytes, () => buffer)) {
    hash.update(chunk);
    whole.update(chunk);
  }
  return { start, lengthBytes, sha256Hex: hash.digest('hex') };
}

function readPart(handle: FileHandle, { start, lengthBytes }: Part): Readable {
  const litter = () => {
    noteLitter(READ_BYTES);
    return Buffer.allocUnsafe(READ_BYTES);
  };
  return Readable.from(readBytes(handle, start, lengthBytes, litter), { objectMode: false });
}

async function* readBytes(
  handle: FileHandle,
  start: number,
  lengthBytes: number,
  takeBuffer: () => Buffer,
): AsyncGenerator<Buffer> {
  for (let at = start; at < start + lengthBytes; ) {
    const buffer = takeBuffer();
    const wanted = Math.min(buffer.length, start + lengthBytes - at);
    const { bytesRead } = await handle.read(buffer, 0, wanted, at);
    if (bytesRead === 0) throw new BlobStoreFault('failed', 'A staged package file is shorter than it was.');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

function requireSame(whole: Hash, file: FinishedFile): void {
  if (whole.digest('hex') !== file.sha512Hex)
    throw new BlobStoreFault('failed', 'A staged package file is not what was written: its disk is damaged.');
}

/** A stream cannot be hashed before it is sent, so the library would leave its hash out of the signature. */
function withPayloadHash(sha256Hex: string) {
  return <Call extends { request: unknown }, Result>(next: (call: Call) => Result) =>
    (call: Call): Result => {
      const { request } = call;
      const headers: unknown =
        typeof request === 'object' && request !== null ? Reflect.get(request, 'headers') : undefined;
      if (typeof headers !== 'object' || headers === null) throw new Error('A request without headers.');
      Object.assign(headers, { 'x-amz-content-sha256': sha256Hex });
      return next(call);
    };
}
