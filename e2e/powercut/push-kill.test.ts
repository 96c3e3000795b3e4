import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildNupkg } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callServer, type ServerProcess, startServer } from './server-process.ts';

const POINTS = 20;
const CHUNK_BYTES = 256 * 1024;

/** The body in pieces with pauses, so that the kill falls anywhere: while uploading, reading, moving, committing. */
async function* drip(bytes: Uint8Array, pauseMs: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
    await delay(pauseMs);
  }
}

describe('a push whose server is killed', () => {
  let dataDir = '';
  let server: ServerProcess | null = null;
  let fullKey = '';

  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-push-'));
    server = await startServer(dataDir);
    const answer = await callServer(server, 'POST', `/v1/accounts/${server.accountId}/keys`, {
      comment: 'push',
      access: 'account',
    });
    ({ fullKey } = (await answer.json()) as { fullKey: string });
  });
  afterAll(async () => {
    await server?.kill();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const push = (url: string, bytes: Uint8Array, pauseMs: number): Promise<number> =>
    fetch(`${url}/api/v2/package`, {
      method: 'PUT',
      headers: { 'x-nuget-apikey': fullKey, 'content-type': 'application/octet-stream' },
      body: ReadableStream.from(drip(bytes, pauseMs)),
      duplex: 'half',
    }).then(
      (response) => response.status,
      () => 0,
    );

  it(`at ${POINTS} points leaves nothing half visible: the version is there whole, or not at all`, async () => {
    // Random bytes do not compress, so the package has the size of its contents.
    const filler = createHash('sha512');
    const noise = Buffer.concat(
      Array.from({ length: 40_000 }, (_, n) => filler.copy().update(String(n)).digest()),
    );
    const whole: number[] = [];
    for (let point = 0; point < POINTS; point += 1) {
      const version = `1.0.${point}`;
      const bytes = buildNupkg({ id: 'Killed.Push', version, files: { 'content/noise.bin': noise } });
      if (server === null) throw new Error('The server was started before.');
      const answered = push(server.url, bytes, 4);
      await delay(point * 9);
      await server.kill();
      const status = await answered;
      server = await startServer(dataDir);
      const download = await fetch(`${server.url}/api/v2/package/Killed.Push/${version}`, {
        headers: { 'x-nuget-apikey': fullKey },
      });
      if (status === 201) expect(download.status, `acknowledged at point ${point}`).toBe(200);
      expect([200, 404]).toContain(download.status);
      const stored = Buffer.from(await download.arrayBuffer());
      if (download.status === 200) {
        whole.push(point);
        expect(createHash('sha512').update(stored).digest('hex')).toBe(
          createHash('sha512').update(bytes).digest('hex'),
        );
      }
      expect(await push(server.url, bytes, 0), `pushed again at point ${point}`).toBe(
        download.status === 200 ? 409 : 201,
      );
    }
    process.stdout.write(
      `push killed at ${POINTS} points: ${whole.length} were whole, ${POINTS - whole.length} left nothing\n`,
    );
  });
});
