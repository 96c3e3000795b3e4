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

export function createLogger(level: LogLevel): FastifyBaseLogger {
  return pino(
    { level, redact: { paths: REDACTED, censor: '[secret]' }, base: { service: 'keyreeve' } },
    destination({ fd: 1, sync: false }),
  );
}
