import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { runProgram } from '../program.ts';

it('tells an export that breaks off from a whole one', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/csv' });
    response.write('seq,at\r\n1,2027', () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  try {
    const exitCode = await runProgram(
      {
        env: {
          KEYREEVE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          KEYREEVE_API_KEY: 'any-key-will-do',
        },
        homeDir: tmpdir(),
        stdin: new PassThrough(),
        stdout,
        stderr,
        interruption: new AbortController().signal,
      },
      ['audit', '--export', 'csv', '--json'],
    );
    expect(exitCode).toBe(3);
    expect(JSON.parse(String(stderr.read()))).toMatchObject({ error: { code: 'cli.export_cut' } });
    expect(String(stdout.read())).toBe('seq,at\r\n1,2027');
  } finally {
    server.close();
  }
});
