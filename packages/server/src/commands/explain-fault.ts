import { ConfigError } from '../config/index.ts';
import { AuditKeysMissing } from '../features/audit/index.ts';
import { BlobStoreRefused } from '../storage/blobs/index.ts';
import { MasterKeyError, NewerDatabaseError, NoPrimaryError } from '../storage/index.ts';
import { CommandError } from './command.ts';

/** Nobody answers, nobody has that name, or PostgreSQL refuses the user or knows no such database. */
const NO_DATABASE = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|28000|28P01|3D000)$/;
/** What the driver says without a code: the other side takes the connection and is silent, or goes away. */
const NO_ANSWER = /^(timeout exceeded when trying to connect|Connection terminated)/;

/** Faults that an operator can mend are told in words; anything else keeps its stack. */
export function explainFault(error: unknown): string {
  if (error instanceof CommandError)
    return error.remedy === null ? error.message : `${error.message}\n${error.remedy}`;
  const isForOperators =
    error instanceof AuditKeysMissing ||
    error instanceof ConfigError ||
    error instanceof MasterKeyError ||
    error instanceof BlobStoreRefused ||
    error instanceof NewerDatabaseError ||
    error instanceof NoPrimaryError;
  if (isForOperators) return error.message;
  const code = codeOf(error);
  if (error instanceof Error && (NO_DATABASE.test(code) || NO_ANSWER.test(error.message))) {
    return `The database of KEYREEVE_DATABASE_URL cannot be used${code === '' ? '' : ` (${code})`}: ${error.message || 'nobody answers'}. Check the address, its user and whether PostgreSQL runs.`;
  }
  if (error instanceof Error && code === 'EADDRINUSE') {
    return `The address is in use: ${error.message}. Stop the other program, or choose another KEYREEVE_PORT.`;
  }
  if (error instanceof Error && error.message.startsWith('The data folder')) return error.message;
  // A migration that could not begin tells why in its cause.
  const cause = error instanceof Error ? error.cause : null;
  if (cause instanceof NoPrimaryError || NO_DATABASE.test(codeOf(cause))) return explainFault(cause);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}
