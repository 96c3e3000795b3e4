import process from 'node:process';
import type { FastifyBaseLogger } from 'fastify';
import { destination, pino } from 'pino';
import type { LogLevel } from './config/index.ts';

// Secrets have a type of their own that prints as a mask; these paths are the second line of defence, for
// objects of the framework and of libraries.
const REDACTED = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-api-key"]',
  'req.headers["x-nuget-apikey"]',
  'headers.authorization',
  'headers.cookie',
  '*.password',
  '*.secretKey',
  '*.secretkey',
  '*.fullKey',
  '*.token',
];

// What the system writes into a pipe in one piece (PIPE_BUF).
const ATOMIC_BYTES = 4_096;

/** @param workers of how many processes; lines of several name theirs, and do not mix in a pipe that they share */
export function createLogger(level: LogLevel, workers = 1): FastifyBaseLogger {
  const isShared = workers > 1;
  const base = { service: 'keyreeve', ...(isShared ? { pid: process.pid } : {}) };
  return pino(
    { level, redact: { paths: REDACTED, censor: '[secret]' }, base },
    destination({ fd: 1, sync: false, ...(isShared ? { maxWrite: ATOMIC_BYTES } : {}) }),
  );
}
