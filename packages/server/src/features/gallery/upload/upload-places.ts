import { requestErrors } from '../../../errors/index.ts';

/** Places for the uploads that arrive at the same time. */
export interface UploadPlaces {
  /** Does the work while the account has a place for it. @throws request.too_many when all its places are taken */
  hold<Result>(accountId: string, work: () => Promise<Result>): Promise<Result>;
}

/** Of one account, on one machine: workers that share its disk share this number too. */
export const UPLOADS_MAX = 32;

/** The part of one of several workers. */
export function shareUploads(workers: number): number {
  return Math.ceil(UPLOADS_MAX / workers);
}

/**
 * Uploads are gathered on the disk that the database needs as well, and a quota is asked only once they are whole: the
 * holder of a single key could fill it with uploads that never end.
 */
export function createUploadPlaces(uploadsMax = UPLOADS_MAX): UploadPlaces {
  const taken = new Map<string, number>();
  return {
    hold: async (accountId, work) => {
      const uploads = taken.get(accountId) ?? 0;
      if (uploads >= uploadsMax) {
        throw requestErrors.too_many({
          detail: `An account has at most ${uploadsMax} uploads at the same time. Wait until one of them ends, then push again.`,
          headers: { 'retry-after': '10' },
        });
      }
      taken.set(accountId, uploads + 1);
      try {
        return await work();
      } finally {
        const left = (taken.get(accountId) ?? 1) - 1;
        if (left > 0) taken.set(accountId, left);
        else taken.delete(accountId);
      }
    },
  };
}
