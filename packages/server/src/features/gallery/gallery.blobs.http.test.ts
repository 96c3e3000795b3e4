import { rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';
import { flipByte } from '../../../../testkit/src/s3-server.ts';
import { BlobStoreFault } from '../../storage/blobs/blob-errors.ts';

/** What clients see when the store of the package files loses bytes, or fails as a whole. */
let harness: Harness;
let gallery: Gallery;
let port = 0;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  port = Number(new URL(await harness.app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => harness.close());

async function publish(id: string, contents: Uint8Array): Promise<string> {
  const bytes = buildNupkg({ id, version: '1.0.0', files: { 'content/data.bin': contents } });
  expect((await gallery.push(gallery.keys.push, bytes)).statusCode).toBe(201);
  const { versions } = await harness.deps.packages.get(gallery.adminCaller, id, { limit: 1 });
  return versions.items[0]?.sha512 ?? '';
}

const addressOf = (id: string) => `/api/v2/package/${id}/1.0.0`;
const download = (id: string, headers: Record<string, string> = {}) =>
  gallery.send('GET', addressOf(id), null, headers);

/** Over a socket: what arrives, and whether the server ended the answer or broke it off. */
async function downloadOverSocket(
  id: string,
): Promise<{ announced: number; received: number; isWhole: boolean }> {
  const options = { host: '127.0.0.1', port, path: addressOf(id), headers: { host: `localhost:${port}` } };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ ...options, agent: false }, resolve).on('error', reject);
  });
  let received = 0;
  answer.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await new Promise((resolve) => answer.once('close', resolve).once('error', resolve));
  return { announced: Number(answer.headers['content-length']), received, isWhole: answer.complete };
}

function noise(bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));
  return data;
}

async function readMetrics(): Promise<string> {
  return (await harness.app.inject({ method: 'GET', url: '/metrics' })).body;
}

describe('a package file whose bytes were changed', () => {
  it('is broken off before its end, then refused at once, whole and in parts, and told to the operator', async () => {
    const sha512 = await publish('Acme.Damaged', noise(1_000_000));
    flipByte(harness.blobFile(sha512), 700_000);
    const first = await downloadOverSocket('Acme.Damaged');
    expect(first.isWhole).toBe(false);
    expect(first.received).toBeLessThan(first.announced);
    for (const headers of [{}, { range: 'bytes=0-9' }]) {
      const answer = await download('Acme.Damaged', headers);
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '60']);
      expect(answer.body).toContain('does not match its checksum');
      expect(answer.raw.res.statusMessage).toBe(answer.body);
      expect(answer.headers['etag']).toBeUndefined();
    }
    expect(
      harness.logLines.filter((line) => line.includes('a package file is damaged;') && line.includes(sha512)),
    ).toHaveLength(1);
    expect(await readMetrics()).toMatch(/^keyreeve_blob_damaged_total 1$/m);
  });

  it('gives out no part that is still right, even when nobody has asked for the whole', async () => {
    const sha512 = await publish('Acme.PartOfDamaged', noise(300_000));
    flipByte(harness.blobFile(sha512), 299_000);
    const answer = await download('Acme.PartOfDamaged', { range: 'bytes=0-9' });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['content-range']).toBeUndefined();
  });

  it('is refused cleanly from the first time when it is small', async () => {
    const sha512 = await publish('Acme.SmallDamaged', noise(1_000));
    flipByte(harness.blobFile(sha512), 500);
    const answer = await download('Acme.SmallDamaged');
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('does not match its checksum');
  });

  it('keeps nobody from the others, and is served again once it is restored', async () => {
    const sha512 = await publish('Acme.Restored', noise(300_000));
    await publish('Acme.Sound', noise(300_000));
    flipByte(harness.blobFile(sha512), 1_000);
    expect((await downloadOverSocket('Acme.Restored')).isWhole).toBe(false);
    expect((await download('Acme.Sound')).statusCode).toBe(200);
    flipByte(harness.blobFile(sha512), 1_000);
    harness.clock.advance(60_000);
    expect((await downloadOverSocket('Acme.Restored')).isWhole).toBe(true);
    const part = await download('Acme.Restored', { range: 'bytes=0-9' });
    expect([part.statusCode, part.rawPayload.length]).toEqual([206, 10]);
  });

  it('that is gone altogether is told as missing', async () => {
    const sha512 = await publish('Acme.Missing', noise(1_000));
    rmSync(harness.blobFile(sha512));
    for (const url of [addressOf('Acme.Missing'), '/v3/flat/acme.missing/1.0.0/acme.missing.nuspec']) {
      const answer = await gallery.send('GET', url);
      expect([url, answer.statusCode, answer.headers['retry-after']]).toEqual([url, 503, '60']);
      expect(answer.body).toContain('has lost this file');
    }
  });
});

describe('a store that fails', () => {
  const promoteFails = (fault: Error) => {
    const { blobs } = harness.deps;
    const stageReally = blobs.stage.bind(blobs);
    Object.assign(blobs, {
      stage: async () => Object.assign(await stageReally(), { promote: () => Promise.reject(fault) }),
    });
    return () => Object.assign(blobs, { stage: stageReally });
  };

  it.each([
    ['full', '60', 'has no room'],
    ['denied', '60', 'does not answer as it should'],
    ['slow', '10', 'does not answer as it should'],
    ['unreachable', '10', 'does not answer as it should'],
    ['failed', '10', 'does not answer as it should'],
  ] as const)(
    'while a push is put in place (%s) has it come back later, and keeps nothing',
    async (reason, retryAfter, text) => {
      const bytes = buildNupkg({ id: `Acme.Store.${reason}`, version: '1.0.0' });
      const restore = promoteFails(new BlobStoreFault(reason, 'hush: what the store said'));
      const answer = await gallery.push(gallery.keys.push, bytes);
      restore();
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, retryAfter]);
      expect(answer.body).toContain(text);
      expect(answer.body).not.toContain('hush');
      expect((await download(`Acme.Store.${reason}`)).statusCode).toBe(404);
      expect(await harness.deps.blobs.sweepStaging(-1)).toBe(0);
      expect((await gallery.push(gallery.keys.push, bytes)).statusCode).toBe(201);
    },
  );

  it.each([-1, 1])('by keeping a file of another length (%d) publishes nothing', async (moreBytes) => {
    const { blobs } = harness.deps;
    const openReally = blobs.open.bind(blobs);
    Object.assign(blobs, {
      open: async (sha512: string) => {
        const found = await openReally(sha512);
        return found === null ? null : { ...found, sizeBytes: found.sizeBytes + moreBytes };
      },
    });
    const id = `Acme.Length${moreBytes + 1}`;
    const bytes = buildNupkg({ id, version: '1.0.0' });
    const answer = await gallery.push(gallery.keys.push, bytes);
    Object.assign(blobs, { open: openReally });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '10']);
    expect((await download(id)).statusCode).toBe(404);
    expect((await gallery.push(gallery.keys.push, bytes)).statusCode).toBe(201);
  });

  it('while a package is asked for is told as what it is', async () => {
    await publish('Acme.Asked', noise(1_000));
    const { blobs } = harness.deps;
    const openReally = blobs.open.bind(blobs);
    Object.assign(blobs, { open: () => Promise.reject(new BlobStoreFault('slow', 'too slow')) });
    const answer = await download('Acme.Asked');
    Object.assign(blobs, { open: openReally });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '10']);
    expect((await download('Acme.Asked')).statusCode).toBe(200);
  });

  it('leaves the server ready, for keys are verified without it, and shows in readiness and metrics', async () => {
    const readiness = async () =>
      (await harness.app.inject({ method: 'GET', url: '/readyz' })).json<unknown>();
    const { blobs } = harness.deps;
    const pingReally = blobs.ping.bind(blobs);
    expect(await readiness()).toEqual({ status: 'ok', packageFiles: 'ok' });
    Object.assign(blobs, { ping: () => Promise.reject(new BlobStoreFault('unreachable', 'away')) });
    expect(await readiness()).toEqual({ status: 'ok', packageFiles: 'ok' });
    harness.clock.advance(5_000);
    expect(await readiness()).toEqual({ status: 'ok', packageFiles: 'unavailable' });
    expect(await readMetrics()).toMatch(/^keyreeve_blob_store_up 0$/m);
    Object.assign(blobs, { ping: pingReally });
    harness.clock.advance(5_000);
    expect(await readiness()).toEqual({ status: 'ok', packageFiles: 'ok' });
    expect(await readMetrics()).toMatch(/^keyreeve_blob_store_up 1$/m);
  });
});
