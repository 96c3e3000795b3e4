import { ConfigError } from '../config/index.ts';
import { BlobStoreRefused } from '../storage/blobs/index.ts';
import { MasterKeyError } from '../storage/index.ts';
import { CommandError } from './command.ts';

/** Faults that an operator can mend are told in words; anything else keeps its stack. */
export function explainFault(error: unknown): string {
  if (error instanceof CommandError)
    return error.remedy === null ? error.message : `${error.message}\n${error.remedy}`;
  const isForOperators =
    error instanceof ConfigError || error instanceof MasterKeyError || error instanceof BlobStoreRefused;
  if (isForOperators) return error.message;
  if (error instanceof Error && Reflect.get(error, 'code') === 'EADDRINUSE') {
    return `The address is in use: ${error.message}. Stop the other program, or choose another KEYREEVE_PORT.`;
  }
  if (error instanceof Error && error.message.startsWith('The data folder')) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
