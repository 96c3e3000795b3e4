import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { printList } from './lists.ts';
import { createProgress } from './progress.ts';
import type { Run } from './run.ts';

interface Terminal {
  readonly columns?: number;
  readonly isTTY?: boolean;
  readonly env?: Record<string, string>;
}

/** What a run shows on a terminal of this width. */
function openRun({ columns = 80, isTTY = true, env = {} }: Terminal = {}) {
  const open = () => Object.assign(new PassThrough(), { isTTY, columns });
  const [stdout, stderr] = [open(), open()];
  const run = {
    isJson: false,
    world: { stdout, stderr, env },
    print: async (text: string) => void stdout.write(text),
    result: async (_value: unknown, text: string) => void stdout.write(text),
    note: (text: string) => void stderr.write(`${text}\n`),
  } as unknown as Run;
  return { run, shown: () => String(stdout.read() ?? ''), told: () => String(stderr.read() ?? '') };
}

const PEOPLE = [
  { name: '山田花子', mail: 'hanako@example.com' },
  { name: 'Ada', mail: 'ada@example.com' },
];
const COLUMNS = [
  { title: 'NAME', cell: ({ name }: { name: string }) => name },
  { title: 'E-MAIL', cell: ({ mail }: { mail: string }) => mail },
];

async function list(terminal: Terminal, options = {}): Promise<string> {
  const { run, shown } = openRun(terminal);
  const response = new Response();
  await printList(run, options, COLUMNS, async () => ({
    data: { items: PEOPLE, nextCursor: null },
    response,
  }));
  return shown();
}

const TABLE = 'NAME      E-MAIL\n山田花子  hanako@example.com\nAda       ada@example.com\n';
const RECORDS = 'NAME    山田花子\nE-MAIL  hanako@example.com\n\nNAME    Ada\nE-MAIL  ada@example.com\n\n';

describe('a list', () => {
  it.each([
    ['as a table where it fits to the column', { columns: 28 }, {}, TABLE],
    ['as records where it does not', { columns: 27 }, {}, RECORDS],
    ['as records page by page, too', { columns: 27 }, { all: true }, RECORDS],
    ['as a table into a file, however wide', { columns: 10, isTTY: false }, {}, TABLE],
  ])('is shown %s', async (_name, terminal, options, text) => {
    expect(await list(terminal, options)).toBe(text);
  });

  it('has no colour and no control sequence', async () => {
    for (const columns of [10, 200]) expect(await list({ columns })).not.toContain('\u001b');
  });
});

describe('progress', () => {
  it('is one line that is written over and never wraps', () => {
    const { run, told } = openRun({ columns: 6 });
    const progress = createProgress(run);
    progress.show('山田山田');
    progress.end();
    expect(told()).toBe('\r\u001b[K山田\n');
  });

  it('is silent at first where there is no terminal, or one that knows no sequences', () => {
    for (const terminal of [{ isTTY: false }, { env: { TERM: 'dumb' } }]) {
      const { run, told } = openRun(terminal);
      createProgress(run).show('1 file');
      expect(told()).toBe('');
    }
  });
});
