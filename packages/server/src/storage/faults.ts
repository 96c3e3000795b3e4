const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_UNIQUE = [1555, 2067];
// Shut down, gone, or out of resources; a statement that took too long; a standby that only reads.
const POSTGRES_UNAVAILABLE = /^(57P0|57014|08|53|25006)/;
const POSTGRES_RETRY = ['40001', '40P01', '55P03'];

function readMember(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

/** Another writer was in the way; the same transaction may well succeed in a moment. */
export function isRetryable(error: unknown): boolean {
  const errcode = readMember(error, 'errcode');
  if (typeof errcode === 'number') return (errcode & 0xff) === SQLITE_BUSY;
  const code = readMember(error, 'code');
  return typeof code === 'string' && POSTGRES_RETRY.includes(code);
}

/** The row is not one that its table can hold: a constraint, a type or a length of it was not kept. */
export function isRefusedRow(error: unknown): boolean {
  const errcode = readMember(error, 'errcode');
  if (typeof errcode === 'number') return [SQLITE_CONSTRAINT, SQLITE_MISMATCH].includes(errcode & 0xff);
  const code = readMember(error, 'code');
  // Data exceptions, and integrity constraint violations.
  return typeof code === 'string' && /^2[23]...$/.test(code);
}

/** A unique index refused the row: somebody else was first. */
export function isUniqueViolation(error: unknown): boolean {
  const errcode = readMember(error, 'errcode');
  if (typeof errcode === 'number') return SQLITE_UNIQUE.includes(errcode);
  return readMember(error, 'code') === '23505';
}

/** The database cannot be reached or written right now; nothing was changed. */
export function isUnavailable(error: unknown): boolean {
  const errcode = readMember(error, 'errcode');
  if (typeof errcode === 'number')
    return (errcode & 0xff) === SQLITE_FULL || (errcode & 0xff) === SQLITE_BUSY;
  const code = readMember(error, 'code');
  if (typeof code === 'string' && (POSTGRES_UNAVAILABLE.test(code) || POSTGRES_RETRY.includes(code)))
    return true;
  if (typeof code === 'string' && ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE'].includes(code))
    return true;
  const message = readMember(error, 'message');
  return (
    typeof message === 'string' &&
    /timeout exceeded when trying to connect|Query read timeout|Connection terminated|is not queryable/.test(
      message,
    )
  );
}
