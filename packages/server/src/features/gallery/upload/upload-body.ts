import type { FastifyRequest } from 'fastify';
import type { DrainLimits } from '../../../http/body-deadline.ts';
import { PACKAGE_BYTES_MAX } from '../gallery.service.ts';
import { type UploadBody, WRAPPING_BYTES_MAX } from '../gallery.upload.ts';

/** How long an upload may take. */
export const UPLOAD_DEADLINE_MS = 600_000;
const DRAIN_DEADLINE_MS = 60_000;

/** How much of a refused body is read, and for how long, before the connection is closed. */
export function drainLimits(
  packageBytesMax = PACKAGE_BYTES_MAX,
  deadlineMs = DRAIN_DEADLINE_MS,
): DrainLimits {
  return { bytesMax: packageBytesMax + WRAPPING_BYTES_MAX, deadlineMs };
}

/** The package that a request carries, as it arrives. */
export function readUploadBody({ raw }: FastifyRequest): UploadBody {
  const length = raw.headers['content-length'];
  return {
    contentType: raw.headers['content-type'],
    declaredBytes: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null,
    // The request must outlive an early end of reading: it still has to be drained and answered.
    source: raw.iterator({ destroyOnReturn: false }),
  };
}
