import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3BlobConfig } from '../../config/index.ts';
import { type BlobFaultReason, BlobStoreFault } from './blob-errors.ts';

/** How long one try may take, and how many there are. Only what may pass by itself is tried again. */
export interface Patience {
  readonly timeoutMs: number;
  readonly tries: number;
  /** Ends all tries. */
  readonly signal?: AbortSignal;
}

/**
 * For what is asked inside a transaction, which the database ends after five seconds without a statement: both
 * tries and the pause between them stay below that.
 */
export const QUICK: Patience = { timeoutMs: 2_000, tries: 2 };
/** For pages of a list, and for the first bytes of a blob. */
export const PATIENT: Patience = { timeoutMs: 10_000, tries: 3 };
/** For one part of an upload. */
export const TRANSFER: Patience = { timeoutMs: 60_000, tries: 3 };

const quiet = () => {};
/** It writes to the console otherwise; what is worth telling goes to the log of the server. */
const SILENT = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
const CONNECT_TIMEOUT_MS = 2_000;
const SOCKETS_MAX = 256;
const PAUSE_MS = 200;

const UNREACHABLE = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
];
const FULL = ['XMinioStorageFull', 'QuotaExceeded', 'QuotaExceededException', 'InsufficientStorage'];
/** Nothing of this mends itself: keys, rights, names of buckets and regions are for an operator. */
const DENIED = [
  'CredentialsProviderError',
  'NoSuchBucket',
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'InvalidBucketName',
  'ExpiredToken',
];
const BUSY = ['SlowDown', 'ServiceUnavailable', 'TooManyRequests', 'ThrottlingException', 'RequestTimeout'];
const TRANSIENT: readonly BlobFaultReason[] = ['slow', 'unreachable', 'failed'];

/** The library takes 35 MiB and a tenth of a second, so only a server with such a store loads it. */
export async function loadS3() {
  return await import('@aws-sdk/client-s3');
}

export type S3Library = Awaited<ReturnType<typeof loadS3>>;

export function createS3Client(library: S3Library, config: S3BlobConfig): S3Client {
  const { credentials } = config;
  const agent = { keepAlive: true, maxSockets: SOCKETS_MAX };
  return new library.S3Client({
    region: config.region,
    forcePathStyle: config.isPathStyle,
    ...(config.endpoint === null ? {} : { endpoint: config.endpoint }),
    // Without keys of its own the library looks where the tools of AWS look: roles, files, the machine.
    ...(credentials === null
      ? {}
      : {
          credentials: {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey.reveal(),
            ...(credentials.sessionToken === null ? {} : { sessionToken: credentials.sessionToken.reveal() }),
          },
        }),
    logger: SILENT,
    // Tried again by `patiently`, which knows how to send a file anew.
    maxAttempts: 1,
    // The newer checksums change the form of uploads in a way that many stores do not understand; each upload
    // carries its SHA-256 in the signature, and each download is verified by its name.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, httpAgent: agent, httpsAgent: agent },
  });
}

/**
 * Does one call to the store, again after a pause where that may help.
 *
 * @throws BlobStoreFault; or, untouched, an error that says something about the object that was asked for
 */
export async function patiently<Result>(
  patience: Patience,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { timeoutMs, tries, signal } = patience;
  for (let tried = 1; ; tried += 1) {
    // Cleared below: it limits the call, not how long somebody takes to read the body of its answer.
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), timeoutMs);
    try {
      return await work(signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]));
    } catch (error) {
      const fault = toFault(error);
      if (fault === null) throw error;
      if (tried >= tries || signal?.aborted === true || !TRANSIENT.includes(fault.reason)) throw fault;
      await delay(PAUSE_MS * tried);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The error in the words of the store; null for one that is about a single object. */
function toFault(error: unknown): BlobStoreFault | null {
  if (error instanceof BlobStoreFault) return error;
  if (!(error instanceof Error)) return null;
  const status = statusOf(error);
  const reason = reasonOf(error, status);
  if (reason === null) return null;
  const answer = status === null ? '' : ` (status ${status})`;
  return new BlobStoreFault(
    reason,
    `The store of the package files: ${error.name}: ${error.message}${answer}`,
    {
      cause: error,
    },
  );
}

function reasonOf(error: Error, status: number | null): BlobFaultReason | null {
  const { name } = error;
  const code: unknown = Reflect.get(error, 'code');
  if (FULL.includes(name) || status === 507) return 'full';
  if (DENIED.includes(name) || status === 401 || status === 403 || status === 301) return 'denied';
  if (BUSY.includes(name) || status === 429 || status === 503) return 'slow';
  // Before the name, for the library calls some breaks of the connection a timeout as well.
  if (typeof code === 'string' && UNREACHABLE.includes(code)) return 'unreachable';
  if (name === 'AbortError' || name === 'TimeoutError') return 'slow';
  if (status === 404 || status === 412 || status === 416) return null;
  // A break of the connection, a certificate that is not trusted, an answer that nobody understands.
  return status === null ? 'unreachable' : 'failed';
}

export function statusOf(error: unknown): number | null {
  const metadata: unknown = error instanceof Error ? Reflect.get(error, '$metadata') : undefined;
  if (typeof metadata !== 'object' || metadata === null) return null;
  const status: unknown = Reflect.get(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : null;
}
