import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flipByte, type S3Server, startS3Server, type Trouble } from '../../../../testkit/src/s3-server.ts';
import { loadConfig } from '../../config/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { BlobDamaged, type BlobStoreFault } from './blob-errors.ts';
import { type BlobStore, blobKey } from './blob-store.ts';
import { BlobStoreRefused, openBlobStore } from './open-blob-store.ts';
import { createS3BlobStore } from './s3-blob-store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;

let s3: S3Server;
let dataDir = '';
let store: BlobStore;
const clock = { ms: 0, now: () => clock.ms };
const faults: BlobStoreFault[] = [];
const observer = { onDamaged: () => {}, onFault: (fault: BlobStoreFault) => faults.push(fault) };

const open = (environment: Readonly<Record<string, string>> = s3.environment) =>
  openBlobStore({
    config: loadConfig({ KEYREEVE_DATA_DIR: dataDir, ...environment }),
    clock,
    random: systemRandom,
    observer,
  });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'blobs-'));
  s3 = await startS3Server();
  store = await open();
});
afterAll(async () => {
  await store.close();
  await s3.close();
  await rm(dataDir, { recursive: true });
});
beforeEach(() => {
  clock.ms = Date.UTC(2027, 0, 1);
  faults.length = 0;
});
afterEach(() => {
  s3.trouble = () => null;
});

async function stage(bytes: Uint8Array) {
  const staged = await store.stage();
  await staged.write(bytes);
  await staged.finish();
  return staged;
}

async function put(bytes: Uint8Array): Promise<string> {
  const staged = await stage(bytes);
  await staged.promote();
  return staged.sha512Hex;
}

async function read(hex: string, start?: number, end?: number, from: BlobStore = store): Promise<Buffer> {
  const blob = await from.open(hex);
  const chunks: Buffer[] = [];
  for await (const chunk of (await blob?.stream(start, end)) ?? expect.fail()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Makes trouble for the first so many requests that fit, or for all of them. */
function troubleFor(fits: (request: IncomingMessage) => boolean, trouble: Trouble, times = Infinity): void {
  let left = times;
  s3.trouble = (request) => {
    if (left <= 0 || !fits(request)) return null;
    left -= 1;
    return trouble;
  };
}

const SLOW_DOWN: Trouble = { kind: 'status', status: 503, code: 'SlowDown' };
const isPut = ({ method }: IncomingMessage) => method === 'PUT';
const isPart = ({ method, url }: IncomingMessage) =>
  method === 'PUT' && url?.includes('partNumber=2&') === true;
const isGet = ({ method, url }: IncomingMessage) => method === 'GET' && url?.includes('list-type') === false;

describe('an upload to an S3-compatible store', () => {
  it('goes in parts when it is large, each with its hash in the signature', async () => {
    const bytes = randomBytes(20 * MIB);
    const from = s3.requests.length;
    const hex = await put(bytes);
    const sent = s3.requests
      .slice(from)
      .map((line) => line.replace(/[?].*(uploadId|uploads).*/, ' $1').split(' '));
    expect(sent.map(([method, , of = '']) => `${method} ${of}`)).toEqual([
      'POST uploads',
      'PUT uploadId',
      'PUT uploadId',
      'PUT uploadId',
      'POST uploadId',
    ]);
    expect(
      createHash('sha512')
        .update(await read(hex))
        .digest('hex'),
    ).toBe(hex);
    expect(await read(hex, 8 * MIB - 2, 8 * MIB + 2)).toEqual(bytes.subarray(8 * MIB - 2, 8 * MIB + 2));
    expect(s3.uploads()).toEqual([]);
    expect(s3.unsignedBodies).toBe(0);
    expect(await readdir(join(dataDir, 'blobs', 'staging'))).toEqual([]);
  });

  it.each([
    ['answers that it is busy', SLOW_DOWN],
    ['breaks the connection', { kind: 'reset' }],
    ['fails', { kind: 'status', status: 500, code: 'InternalError' }],
  ] as const)('sends a part again when the store %s', async (_name, trouble) => {
    const bytes = randomBytes(9 * MIB);
    troubleFor(isPart, trouble, 2);
    expect((await read(await put(bytes))).equals(bytes)).toBe(true);
    expect(faults).toEqual([]);
  });

  it('is done when only the answer to its last step was lost', async () => {
    const bytes = randomBytes(9 * MIB);
    troubleFor(
      ({ method, url }) => method === 'POST' && url?.includes('uploadId') === true,
      { kind: 'cut', afterBytes: 0 },
      1,
    );
    expect((await read(await put(bytes))).equals(bytes)).toBe(true);
  });

  it.each([
    ['has no room', { kind: 'status', status: 507, code: 'XMinioStorageFull' }, 'full'],
    ['has a quota that is used up', { kind: 'status', status: 400, code: 'QuotaExceeded' }, 'full'],
    ['denies access', { kind: 'status', status: 403, code: 'AccessDenied' }, 'denied'],
    ['is busy', SLOW_DOWN, 'slow'],
    ['is broken', { kind: 'status', status: 500, code: 'InternalError' }, 'failed'],
    ['breaks off', { kind: 'reset' }, 'unreachable'],
  ] as const)('leaves nothing behind when the store %s', async (_name, trouble, reason) => {
    for (const bytes of [randomBytes(100), randomBytes(9 * MIB)]) {
      const before = s3.keys();
      const staged = await stage(bytes);
      troubleFor(bytes.length > MIB ? isPart : isPut, trouble);
      await expect(staged.promote()).rejects.toMatchObject({ reason, status: 503 });
      await staged.discard();
      s3.trouble = () => null;
      expect(await store.open(staged.sha512Hex)).toBeNull();
      expect(s3.keys()).toEqual(before);
      expect(s3.uploads()).toEqual([]);
      expect(await readdir(join(dataDir, 'blobs', 'staging'))).toEqual([]);
    }
    expect(faults.map((fault) => fault.reason)).toEqual([reason, reason]);
  });

  it.each([100, 9 * MIB])(
    'of %d bytes that the disk of this machine has changed stores nothing',
    async (size) => {
      const before = s3.keys();
      const staged = await stage(randomBytes(size));
      flipByte(staged.path, size - 1);
      await expect(staged.promote()).rejects.toMatchObject({ reason: 'failed', status: 503 });
      await staged.discard();
      expect(s3.keys()).toEqual(before);
      expect(s3.uploads()).toEqual([]);
    },
  );

  it('that could not even be ended is swept an hour later, and a younger one is not', async () => {
    const [old, young] = [await stage(randomBytes(9 * MIB)), await stage(randomBytes(9 * MIB))];
    troubleFor((request) => isPart(request) || request.method === 'DELETE', {
      kind: 'status',
      status: 500,
      code: 'InternalError',
    });
    await expect(old.promote()).rejects.toMatchObject({ reason: 'failed' });
    const [oldId = ''] = s3.uploads();
    await expect(young.promote()).rejects.toMatchObject({ reason: 'failed' });
    await Promise.all([old.discard(), young.discard()]);
    s3.trouble = () => null;
    expect(s3.uploads()).toHaveLength(2);
    for (const id of s3.uploads()) {
      const at = (clock.ms - HOUR_MS + (id === oldId ? -1_000 : 1_000)) / 1_000;
      await utimes(s3.fileOfUpload(id), at, at);
    }
    expect(await store.sweepStaging(HOUR_MS)).toBe(1);
    expect(s3.uploads()).toHaveLength(1);
    expect(s3.uploads()).not.toContain(oldId);
    clock.ms += HOUR_MS;
    expect(await store.sweepStaging(HOUR_MS)).toBe(1);
  }, 60_000);
});

describe('the sweep of a store that keeps no list of uploads in parts', () => {
  it('does the rest of its work', async () => {
    const isList = ({ method, url }: IncomingMessage) =>
      method === 'GET' && url?.includes('uploads') === true;
    troubleFor(isList, { kind: 'status', status: 501, code: 'NotImplemented' });
    const left = await store.stage();
    const seconds = (clock.ms - 2 * HOUR_MS) / 1_000;
    await utimes(left.path, seconds, seconds);
    expect(await store.sweepStaging(HOUR_MS)).toBe(1);
    expect(faults).toEqual([]);
    await left.discard();
  });
});

describe('reading from an S3-compatible store', () => {
  it('reads a blob whole before its first part, and then only parts for a day', async () => {
    const bytes = randomBytes(300_000);
    const hex = await put(bytes);
    const gets = () => s3.requests.filter((line) => line.startsWith('GET') && line.includes(hex)).length;
    for (const [at, expected] of [
      [10, 2],
      [20, 3],
      [30, 4],
    ] as const) {
      expect(await read(hex, at, at + 5)).toEqual(bytes.subarray(at, at + 5));
      expect(gets()).toBe(expected);
    }
    clock.ms += DAY_MS;
    await read(hex, 10, 15);
    expect(gets()).toBe(6);
  });

  it('fails, and waits for nothing, when the store breaks off or falls silent in the middle', async () => {
    const hex = await put(randomBytes(MIB));
    const hasty = await createS3BlobStore({
      config: loadS3Config(),
      stagingFolder: join(dataDir, 'hasty'),
      now: clock.now,
      random: systemRandom,
      observer,
      explainFile: (error) => error,
      silenceMs: 200,
    });
    troubleFor(isGet, { kind: 'cut', afterBytes: 200_000 });
    await expect(read(hex, undefined, undefined, hasty)).rejects.toMatchObject({ reason: 'unreachable' });
    troubleFor(isGet, { kind: 'stall', afterBytes: 200_000 });
    await expect(read(hex, undefined, undefined, hasty)).rejects.toMatchObject({ reason: 'slow' });
    await expect(read(hex, 10, 20, hasty)).rejects.toMatchObject({ reason: 'slow' });
    s3.trouble = () => null;
    expect(await read(hex, undefined, undefined, hasty)).toHaveLength(MIB);
    await hasty.close();
  });

  it('tells a store that refuses from a blob that is not there', async () => {
    const hex = await put(Buffer.from('there'));
    troubleFor(isGet, { kind: 'status', status: 403, code: 'AccessDenied' });
    const blob = await store.open(hex);
    await expect(blob?.stream()).rejects.toMatchObject({ reason: 'denied', code: 'blob.unavailable' });
    await expect(blob?.stream()).rejects.not.toBeInstanceOf(BlobDamaged);
  });

  it('waits for a silent store less than five seconds where a transaction waits with it', async () => {
    const hex = await put(Buffer.from('silent'));
    troubleFor(() => true, { kind: 'silence' });
    const startedAt = performance.now();
    await expect(store.open(hex)).rejects.toMatchObject({ reason: 'slow' });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  }, 20_000);

  it('lists more blobs than fit into one page', async () => {
    const { mkdir, writeFile } = await import('node:fs/promises');
    const hexes = Array.from({ length: 1_100 }, (_, n) =>
      createHash('sha512').update(`page ${n}`).digest('hex'),
    );
    for (const hex of hexes) {
      const file = s3.fileOf(`keyreeve/${blobKey(hex)}`);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, 'x');
    }
    const listed = new Set<string>();
    for await (const blob of store.list()) listed.add(blob.sha512Hex);
    expect(hexes.filter((hex) => !listed.has(hex))).toEqual([]);
    expect(s3.requests.filter((line) => line.includes('continuation-token')).length).toBeGreaterThan(0);
  }, 30_000);
});

describe('the start with an S3-compatible store', () => {
  it.each([
    ['a wrong secret', () => ({ AWS_SECRET_ACCESS_KEY: 'hush-wrong' })],
    ['an unknown key', () => ({ AWS_ACCESS_KEY_ID: 'nobody' })],
    ['no such bucket', () => ({ KEYREEVE_BLOB_URL: s3.blobUrl.replace(s3.bucket, 'elsewhere') })],
  ])('is refused with %s, in words that tell no secret', async (_name, change) => {
    const refusal: unknown = await open({ ...s3.environment, ...change() }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(BlobStoreRefused);
    expect(String(refusal)).toContain('KEYREEVE_BLOB_URL');
    expect(String(refusal)).not.toContain('hush');
  });

  it.each([
    ['may not write', isPut],
    ['may not read', isGet],
    ['may not remove', ({ method }: IncomingMessage) => method === 'DELETE'],
    ['may not list', ({ url }: IncomingMessage) => url?.includes('list-type') === true],
  ])('is refused with a key that %s', async (_name, fits) => {
    troubleFor(fits, { kind: 'status', status: 403, code: 'AccessDenied' });
    await expect(open()).rejects.toBeInstanceOf(BlobStoreRefused);
  });

  it('goes on when the store does not answer, for keys are verified all the same', async () => {
    const url = `s3://${s3.bucket}?endpoint=${encodeURIComponent('http://127.0.0.1:9')}`;
    const away = await open({ ...s3.environment, KEYREEVE_BLOB_URL: url });
    await expect(away.ping()).rejects.toMatchObject({ reason: 'unreachable' });
    await away.close();
  });
});

function loadS3Config() {
  const { blobs } = loadConfig({ ...s3.environment });
  if (blobs.kind !== 's3') throw new Error('The environment names an S3-compatible store.');
  return blobs;
}
