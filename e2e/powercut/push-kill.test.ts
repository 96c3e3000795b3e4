import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildNupkg, createTestClock, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Server, startS3Server } from '../../packages/testkit/src/s3-server.ts';
import { callServer, type ServerProcess, startServer } from './server-process.ts';

const POINTS = Number(process.env['PUSH_KILLS'] ?? '4');
const HOUR_MS = 3_600_000;
/** Longer for the store that takes large files in parts, so that some kills fall between two of them. */
const LENGTHS = { folder: { hashes: 40_000, spanMs: 180 }, s3: { hashes: 160_000, spanMs: 1_200 } };
const CHUNK_BYTES = 256 * 1024;

/** The body in pieces with pauses, so that the kill falls anywhere: while uploading, reading, moving, committing. */
async function* drip(bytes: Uint8Array, pauseMs: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
    await delay(pauseMs);
  }
}

describe.each(['folder', 's3'] as const)('a push whose server is killed, packages in a store: %s', (kind) => {
  let dataDir = '';
  let s3: S3Server | null = null;
  let server: ServerProcess | null = null;
  let fullKey = '';

  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-push-'));
    if (kind === 's3') s3 = await startS3Server();
    server = await start();
    const answer = await callServer(server, 'POST', `/v1/accounts/${server.accountId}/keys`, {
      comment: 'push',
      access: 'account',
    });
    ({ fullKey } = (await answer.json()) as { fullKey: string });
  });
  afterAll(async () => {
    await server?.kill();
    await s3?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = () => startServer(dataDir, [], s3?.environment);

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
      Array.from({ length: LENGTHS[kind].hashes }, (_, n) => filler.copy().update(String(n)).digest()),
    );
    const whole: number[] = [];
    for (let point = 0; point < POINTS; point += 1) {
      const version = `1.0.${point}`;
      const extraEntries = [{ name: 'content/noise.bin', data: noise, options: { level: 0 } as const }];
      const bytes = buildNupkg({ id: 'Killed.Push', version, extraEntries });
      if (server === null) throw new Error('The server was started before.');
      const answered = push(server.url, bytes, 4);
      await delay((point * LENGTHS[kind].spanMs) / POINTS);
      await server.kill();
      const status = await answered;
      server = await start();
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
      `push killed at ${POINTS} points (${kind}): ${whole.length} were whole, ${POINTS - whole.length} left nothing\n`,
    );
  });

  it('leaves nothing but the published files once the sweep has been there', async () => {
    await server?.kill();
    const staging = () => readdirSync(path.join(dataDir, 'blobs', 'staging')).length;
    const left = staging() + (s3?.uploads().length ?? 0);
    // The product itself on the same data, two hours later.
    const harness = await startHarness({
      database: { engine: 'sqlite', dataDir, url: null, drop: () => Promise.resolve() },
      clock: createTestClock(Math.trunc(performance.timeOrigin + performance.now()) + 2 * HOUR_MS),
      masterKey: readFileSync(path.join(dataDir, 'master.key'), 'utf8').trim(),
      s3,
    });
    const swept = await harness.deps.blobSweeper.sweepOrphanBlobs(HOUR_MS);
    expect(swept.staged).toBe(left);
    expect(staging() + (s3?.uploads().length ?? 0)).toBe(0);
    let stored = 0;
    for await (const blob of harness.deps.blobs.list()) stored += blob.sizeBytes > 0 ? 1 : 0;
    expect(stored).toBe(POINTS);
    await harness.app.close();
    await harness.deps.close();
    process.stdout.write(
      `swept (${kind}): ${left} unfinished uploads, ${swept.blobs} files without a version\n`,
    );
  });
});
