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
/** Lines that wait while the log takes none; further ones are lost, or the memory would fill up with them. */
const WAITING_CHARACTERS_MAX = 2 ** 21;

type LogStream = ReturnType<typeof destination>;

/**
 * A log that takes no lines (a full disk, a reader that has ended) must not end the server, as a fault without a
 * listener does. The next line tries again.
 */
function outliveFaults(stream: LogStream): LogStream {
  let isFailing = false;
  stream.on('error', (error: Error) => {
    if (!isFailing) process.stderr.write(`The log takes no lines (${error.message}); the server goes on.\n`);
    isFailing = true;
  });
  stream.on('write', () => {
    isFailing = false;
  });
  const flushSync = stream.flushSync.bind(stream);
  // Called when the process ends; it tries for ever, and a server that was told to stop would not.
  stream.flushSync = () => {
    if (!isFailing) flushSync();
  };
  // Standard output and error may lie on the same disk.
  for (const output of [process.stdout, process.stderr])
    if (output.listenerCount('error') === 0) output.on('error', () => {});
  return stream;
}

/** @param workers of how many processes; lines of several name theirs, and do not mix in a pipe that they share */
export function createLogger(level: LogLevel, workers = 1): FastifyBaseLogger {
  const isShared = workers > 1;
  const base = { service: 'keyreeve', ...(isShared ? { pid: process.pid } : {}) };
  return pino(
    { level, redact: { paths: REDACTED, censor: '[secret]' }, base },
    outliveFaults(
      destination({
        fd: 1,
        sync: false,
        maxLength: WAITING_CHARACTERS_MAX,
        ...(isShared ? { maxWrite: ATOMIC_BYTES } : {}),
      }),
    ),
  );
}
