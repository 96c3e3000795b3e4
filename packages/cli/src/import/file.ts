import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { CliError, usageError } from '../failures.ts';
import { readCsv, readJsonLines, UnreadableFile } from './records.ts';
import { COLUMNS, checkRecord, type ReadRow } from './rows.ts';

export type FileFormat = 'csv' | 'jsonl';

/** A file that can be read several times and must stay the same meanwhile. */
export interface ImportFile {
  /** Rows from the beginning, a stream: memory does not grow with the file. @throws UnreadableFile, cli.file */
  rows(): AsyncGenerator<ReadRow>;
}

const FILE_BYTES_MAX = 1_073_741_824;
const HEAD_BYTES = 4_096;

function statFile(path: string): { size: number; mtimeMs: number } {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new CliError('cli.file', `There is no file ${path}.`);
  if (!stats.isFile()) throw usageError(`${path} is not a regular file; it is read more than once.`);
  if (stats.size > FILE_BYTES_MAX) {
    throw new CliError('cli.file', `${path} is larger than ${FILE_BYTES_MAX} bytes.`, {
      remedy: 'Divide it into several files.',
    });
  }
  return { size: stats.size, mtimeMs: stats.mtimeMs };
}

function detectFormat(path: string): FileFormat {
  if (/\.csv$/i.test(path)) return 'csv';
  if (/\.(jsonl|ndjson)$/i.test(path)) return 'jsonl';
  const head = Buffer.alloc(HEAD_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    const length = readSync(descriptor, head);
    const text = head.toString('utf8', 0, length).replace(/^\ufeff/, '');
    return text.trimStart().startsWith('{') ? 'jsonl' : 'csv';
  } finally {
    closeSync(descriptor);
  }
}

/** The file as text. Anything but UTF-8 is refused: names would be stored garbled. */
async function* readText(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of createReadStream(path)) yield decoder.decode(chunk as Buffer, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError('cli.file', `${path} is not in UTF-8.`, {
      remedy: 'Save it as UTF-8, with or without byte order mark.',
    });
  }
}

/** @throws cli.file, cli.usage when it cannot be read at all */
export function openImportFile(path: string, chosen: FileFormat | undefined): ImportFile {
  const before = statFile(path);
  const format = chosen ?? detectFormat(path);
  return {
    rows: async function* () {
      const now = statFile(path);
      if (now.size !== before.size || now.mtimeMs !== before.mtimeMs) {
        throw new CliError('cli.file', `${path} has changed meanwhile.`, {
          remedy: 'Run the command again.',
        });
      }
      const read = format === 'csv' ? readCsv : readJsonLines;
      try {
        for await (const record of read(readText(path), COLUMNS)) yield checkRecord(record);
      } catch (error) {
        if (!(error instanceof UnreadableFile)) throw error;
        yield { line: error.line, fault: `${error.message}; the rest was not read` };
      }
    },
  };
}
