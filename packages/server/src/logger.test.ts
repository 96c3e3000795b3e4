import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const LOGGER = pathToFileURL(path.join(import.meta.dirname, 'logger.ts')).href;
/** Far more lines than the logger keeps, with turns in between in which they are written, or cannot be. */
const PROGRAM = `
  import { createLogger } from '${LOGGER}';
  const logger = createLogger('info');
  for (let turn = 0; turn < 200; turn += 1) {
    for (let line = 0; line < 200; line += 1) logger.info({ filling: 'x'.repeat(400) }, 'a line');
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.stderr.write('served to the end, ' + Math.round(process.memoryUsage().heapUsed / 2 ** 20) + ' MiB');
`;

/** Runs it with its log at this file. */
async function runWithLogAt(stdout: number | 'pipe'): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdout?.destroy();
  await once(child, 'close');
  return { code: child.exitCode, said };
}

describe('a log that takes no lines', () => {
  it('because its disk is full ends nothing, and is told of', async () => {
    const full = openSync('/dev/full', 'w');
    const { code, said } = await runWithLogAt(full);
    closeSync(full);
    expect(said).toMatch(/^The log takes no lines \(ENOSPC/);
    expect(said.match(/The log takes no lines/g)).toHaveLength(1);
    const [, heapMib] = /served to the end, (\d+) MiB$/.exec(said) ?? [];
    // 16 MiB of lines were logged, and a tenth of them is kept for better times.
    expect(Number(heapMib)).toBeLessThan(24);
    expect(code).toBe(0);
  });

  it('because nobody reads it any more ends nothing', async () => {
    const { code, said } = await runWithLogAt('pipe');
    expect(said).toMatch(/served to the end/);
    expect(code).toBe(0);
  });
});
