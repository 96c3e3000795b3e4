const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_UNIQUE = [1555, 2067];
// Shut down, gone, or out of resources; a statement that took too long; a standby that only reads.
const POSTGRES_UNAVAILABLE = /^(57P0|57014|08|53|25006)/;
/** The connection is gone, or its server is about to go. */
const POSTGRES_LOST = /^(57P0|08)/;
const POSTGRES_READ_ONLY = '25006';
const SOCKET_LOST = ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'];
/** What only says that no server was reached when it comes from a connection: a file can be missing too. */
const CONNECT_LOST = ['ENOENT', 'ECONNABORTED', 'EHOSTDOWN', 'ENETDOWN'];
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

/**
 * It is not known whether the transaction was stored: the connection broke while it was, or the disk failed. It must
 * not be run again without looking.
 */
export class CommitOutcomeUnknown extends Error {
  constructor(options: ErrorOptions) {
    super('The database broke off at a commit; whether it was stored is not known.', options);
    this.name = 'CommitOutcomeUnknown';
  }
}

function messageMatches(error: unknown, pattern: RegExp): boolean {
  const message = readMember(error, 'message');
  return typeof message === 'string' && pattern.test(message);
}

/** The server has said that it did not store the transaction: it goes on, and tells an error. */
export function isRolledBack(error: unknown): boolean {
  return readMember(error, 'severity') === 'ERROR';
}

/** The server only reads: it is a standby, or became one. */
export function isReadOnlyServer(error: unknown): boolean {
  return readMember(error, 'code') === POSTGRES_READ_ONLY;
}

/** No answer came within the time that the driver waits. */
export function isQueryTimeout(error: unknown): boolean {
  return messageMatches(error, /^Query read timeout/);
}

/** Nothing can be asked on this connection any more, or none could be made. */
export function isConnectionLost(error: unknown): boolean {
  const code = readMember(error, 'code');
  if (typeof code === 'string' && (POSTGRES_LOST.test(code) || SOCKET_LOST.includes(code))) return true;
  const syscall = readMember(error, 'syscall');
  if (syscall === 'getaddrinfo') return true;
  if (syscall === 'connect' && typeof code === 'string' && CONNECT_LOST.includes(code)) return true;
  return isReadOnlyServer(error) || messageMatches(error, /Connection terminated|is not queryable/);
}

/** A file of SQLite could not be read, written or synced. */
export function isDiskFault(error: unknown): boolean {
  const errcode = readMember(error, 'errcode');
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_IOERR;
}

/** The database cannot be reached or written right now; nothing was changed. */
export function isUnavailable(error: unknown): boolean {
  const errcode = readMember(error, 'errcode');
  if (typeof errcode === 'number') return [SQLITE_FULL, SQLITE_BUSY, SQLITE_IOERR].includes(errcode & 0xff);
  const code = readMember(error, 'code');
  if (typeof code === 'string' && (POSTGRES_UNAVAILABLE.test(code) || POSTGRES_RETRY.includes(code)))
    return true;
  return (
    isConnectionLost(error) ||
    isQueryTimeout(error) ||
    messageMatches(error, /timeout exceeded when trying to connect/)
  );
}
