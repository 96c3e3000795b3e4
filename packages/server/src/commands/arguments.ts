import process from 'node:process';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { commandUsageError } from './command.ts';

/** The options and the words of a command; `--json` is known to all. @throws CommandError for wrong usage */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
  wordsMax: number,
) {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean' as const }, ...options },
    allowPositionals: true,
  });
  if (positionals.length > wordsMax)
    throw commandUsageError(`There is a word too many: ${String(positionals[wordsMax])}.`);
  return { values, words: positionals };
}

const EVERY_MS = 200;

/** One line on a terminal that is written over; nothing where nobody watches. */
export function createProgressLine(isWanted: boolean): { show(text: string): void; end(): void } {
  const isShown = isWanted && process.stderr.isTTY;
  let shownAt = 0;
  return {
    show: (text) => {
      if (!isShown || performance.now() - shownAt < EVERY_MS) return;
      shownAt = performance.now();
      process.stderr.write(`\r\u001B[K${text}`);
    },
    end: () => {
      if (isShown && shownAt > 0) process.stderr.write('\r\u001B[K');
    },
  };
}

/** `12.3 MB`, for people. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1_000 && unit < units.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}
