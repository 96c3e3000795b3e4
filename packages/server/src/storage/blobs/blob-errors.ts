import { AppError, type AppErrorOptions, defineErrors, findErrorEntry } from '../../errors/index.ts';

/** The titles hold no digits, as those of packages: clients read advice out of the numbers in a reason phrase. */
const blobErrors = defineErrors('blob', {
  full: {
    status: 503,
    title: 'There is no room for the package',
    remedy:
      'The server has no room for the package right now. Nothing was stored; try again later. Administrators: make room in the store of the package files.',
  },
  unavailable: {
    status: 503,
    title: 'The package files are not available right now',
    remedy:
      'The store of the package files does not answer as it should right now. Nothing was changed; try again later. Administrators find the cause in the log.',
  },
  damaged: {
    status: 503,
    title: 'The package file is damaged',
    remedy:
      'The stored file does not match its checksum, so it is not handed out. Tell the administrator, who restores it from a backup.',
  },
  missing: {
    status: 503,
    title: 'The package file is missing',
    remedy:
      'The store of the package files has lost this file. Tell the administrator, who restores it from a backup.',
  },
});

/** The stored bytes are not those that were stored: the store lost or changed some. */
export class BlobDamaged extends AppError {
  readonly sha512Hex: string;

  constructor(sha512Hex: string) {
    super(entryOf('blob.damaged'), {
      internal: `the bytes of the blob ${sha512Hex} do not match its name`,
      headers: { 'retry-after': '60' },
    });
    this.name = 'BlobDamaged';
    this.sha512Hex = sha512Hex;
  }
}

/** A row names a blob that the store does not have. */
export function blobMissing(sha512Hex: string): AppError {
  return blobErrors.missing({
    internal: `the blob ${sha512Hex} is missing; restore it from a backup`,
    headers: { 'retry-after': '60' },
  });
}

/** `denied` is for an operator to mend; the others may pass by themselves. */
export type BlobFaultReason = 'full' | 'denied' | 'slow' | 'unreachable' | 'failed';

const RETRY_AFTER_SECONDS: Readonly<Record<BlobFaultReason, number>> = {
  full: 60,
  denied: 60,
  slow: 10,
  unreachable: 10,
  failed: 10,
};

/** The store as a whole is in trouble; nothing is wrong with the blob that was asked for. */
export class BlobStoreFault extends AppError {
  readonly reason: BlobFaultReason;

  /** @param message for the log: what the store said */
  constructor(
    reason: BlobFaultReason,
    message: string,
    options: Partial<Pick<AppErrorOptions, 'cause'>> = {},
  ) {
    super(entryOf(reason === 'full' ? 'blob.full' : 'blob.unavailable'), {
      ...options,
      internal: message,
      headers: { 'retry-after': String(RETRY_AFTER_SECONDS[reason]) },
    });
    this.name = 'BlobStoreFault';
    this.reason = reason;
  }
}

function entryOf(code: string) {
  const entry = findErrorEntry(code);
  if (entry === undefined) throw new Error(`The error ${code} is not declared.`);
  return entry;
}
