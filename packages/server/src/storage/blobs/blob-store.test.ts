import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flipByte, type S3Server, startS3Server } from '../../../../testkit/src/s3-server.ts';
import { loadConfig } from '../../config/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { BlobDamaged, BlobStoreFault } from './blob-errors.ts';
import { type BlobInfo, type BlobStore, blobKey, type StagedBlob } from './blob-store.ts';
import { openBlobStore } from './open-blob-store.ts';

const NOW_MS = Date.UTC(2027, 0, 1);
const HOUR_MS = 3_600_000;

/** A store as an operator configures it, and a way to the files behind it. */
interface Opened {
  readonly store: BlobStore;
  readonly stagingFolder: string;
  fileOf(hex: string): string;
  close(): Promise<void>;
}

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3Server();
});
afterAll(() => s3.close());

const damagedBlobs: string[] = [];
const clock = { ms: NOW_MS, now: () => clock.ms };

async function openStore(environment: Readonly<Record<string, string>>): Promise<[BlobStore, string]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'blobs-'));
  const store = await openBlobStore({
    config: loadConfig({ KEYREEVE_DATA_DIR: dataDir, ...environment }),
    clock,
    random: systemRandom,
    observer: { onDamaged: (hex) => damagedBlobs.push(hex), onFault: () => {} },
  });
  return [store, dataDir];
}

const KINDS = {
  'in a folder': async (): Promise<Opened> => {
    const [opened, dataDir] = await openStore({});
    const folder = join(dataDir, 'blobs');
    return {
      store: opened,
      stagingFolder: join(folder, 'staging'),
      fileOf: (hex) => join(folder, blobKey(hex) ?? ''),
      close: () => rm(dataDir, { recursive: true }),
    };
  },
  'in an S3-compatible store': async (): Promise<Opened> => {
    const [opened, dataDir] = await openStore(s3.environment);
    return {
      store: opened,
      stagingFolder: join(dataDir, 'blobs', 'staging'),
      fileOf: (hex) => s3.fileOf(`keyreeve/${blobKey(hex)}`),
      close: async () => {
        await opened.close();
        await rm(dataDir, { recursive: true });
        await rm(dirname(s3.fileOf('keyreeve/check')), { recursive: true, force: true });
      },
    };
  },
};

let opened: Opened;
let store: BlobStore;

const sha512 = (bytes: Uint8Array) => createHash('sha512').update(bytes).digest('hex');
const pathOf = (hex: string) => opened.fileOf(hex);

async function stageBytes(...chunks: Uint8Array[]): Promise<StagedBlob> {
  const staged = await store.stage();
  for (const chunk of chunks) await staged.write(chunk);
  await staged.finish();
  return staged;
}

async function put(bytes: Uint8Array): Promise<string> {
  const staged = await stageBytes(bytes);
  await staged.promote();
  return staged.sha512Hex;
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readAll(hex: string, start?: number, end?: number): Promise<Buffer> {
  const blob = await store.open(hex);
  if (blob === null) throw new Error('no such blob');
  return collect(await blob.stream(start, end));
}

async function listAll(): Promise<BlobInfo[]> {
  return gather(store);
}

async function gather(from: BlobStore): Promise<BlobInfo[]> {
  const listed: BlobInfo[] = [];
  for await (const blob of from.list()) listed.push(blob);
  return listed;
}

describe.each(Object.entries(KINDS))('blobs %s', (_name, open) => {
  beforeEach(async () => {
    clock.ms = NOW_MS;
    damagedBlobs.length = 0;
    s3.trouble = () => null;
    opened = await open();
    store = opened.store;
  });
  afterEach(() => opened.close());

  describe('a staged blob', () => {
    it('knows its size and hash, and is under its name after promoting', async () => {
      const bytes = Buffer.from('hello blob');
      const staged = await stageBytes(bytes.subarray(0, 5), new Uint8Array(), bytes.subarray(5));
      expect(staged).toMatchObject({ sizeBytes: 10, sha512Hex: sha512(bytes) });
      expect(await readFile(staged.path)).toEqual(bytes);
      expect(await store.open(staged.sha512Hex)).toBeNull();
      await staged.promote();
      expect(await readAll(staged.sha512Hex)).toEqual(bytes);
      expect(await readFile(pathOf(staged.sha512Hex))).toEqual(bytes);
      expect(await readdir(opened.stagingFolder)).toEqual([]);
    });

    it('may be empty', async () => {
      const hex = await put(new Uint8Array());
      expect((await store.open(hex))?.sizeBytes).toBe(0);
      expect(await readAll(hex)).toHaveLength(0);
    });

    it('may be larger than a chunk of the disk', async () => {
      const bytes = Buffer.alloc(1_000_000, 'abcdefg');
      expect(await readAll(await put(bytes))).toEqual(bytes);
    });

    it('leaves nothing behind when it is discarded, at any stage and more than once', async () => {
      const writing = await store.stage();
      await writing.write(Buffer.from('a'));
      const finished = await stageBytes(Buffer.from('b'));
      for (const staged of [writing, finished]) {
        await staged.discard();
        await staged.discard();
      }
      expect(await readdir(opened.stagingFolder)).toEqual([]);
      expect(await listAll()).toEqual([]);
    });

    it('stays when it is discarded after promoting', async () => {
      const staged = await stageBytes(Buffer.from('kept'));
      await staged.promote();
      await staged.discard();
      await staged.promote();
      expect(await readAll(staged.sha512Hex)).toEqual(Buffer.from('kept'));
    });

    it('refuses steps in the wrong order', async () => {
      const staged = await store.stage();
      expect(() => staged.sha512Hex).toThrow(/after finish/);
      await expect(staged.promote()).rejects.toThrow(/finish it first/);
      await staged.finish();
      await staged.finish();
      await expect(staged.write(Buffer.from('late'))).rejects.toThrow(/no more bytes/);
      await staged.discard();
      await expect(staged.promote()).rejects.toThrow(/discarded/);
      await expect(staged.finish()).rejects.toThrow(/discarded/);
    });
  });

  describe('the same bytes stored twice', () => {
    it('are one blob, also when both are promoted at once', async () => {
      const bytes = Buffer.from('twin');
      const twins = await Promise.all(Array.from({ length: 8 }, () => stageBytes(bytes)));
      await Promise.all(twins.map((twin) => twin.promote()));
      expect(await listAll()).toHaveLength(1);
      expect(await readAll(sha512(bytes))).toEqual(bytes);
    });

    it('heal a damaged blob and renew its date', async () => {
      const hex = await put(Buffer.from('healthy'));
      await writeFile(pathOf(hex), 'damaged');
      await utimes(pathOf(hex), 1, 1);
      await put(Buffer.from('healthy'));
      expect(await readAll(hex)).toEqual(Buffer.from('healthy'));
      expect((await listAll())[0]?.modifiedAt).toBeGreaterThan(1000);
    });
  });

  describe('reading', () => {
    it('fails on damaged bytes before the last of them are given out', async () => {
      for (const bytes of [Buffer.alloc(300_000, 'x'), Buffer.from('short')]) {
        const hex = await put(bytes);
        const damaged = Buffer.from(bytes);
        damaged[2] = 0;
        await writeFile(pathOf(hex), damaged);
        let given = 0;
        const blob = await store.open(hex);
        const reading = (async () => {
          const stream: AsyncIterable<Buffer> = (await blob?.stream()) ?? expect.fail();
          for await (const chunk of stream) given += chunk.length;
        })();
        await expect(reading).rejects.toBeInstanceOf(BlobDamaged);
        expect(given).toBeLessThan(bytes.length);
      }
    });

    it('fails when bytes are missing, or when the blob vanishes in between', async () => {
      const hex = await put(Buffer.from('a whole blob'));
      await writeFile(pathOf(hex), 'a who');
      await expect(readAll(hex)).rejects.toBeInstanceOf(BlobDamaged);
      const healthy = await put(Buffer.from('another blob'));
      const blob = await store.open(healthy);
      await store.remove(healthy);
      await expect(blob?.stream()).rejects.toBeInstanceOf(BlobStoreFault);
    });

    it('gives ranges: from start up to, but not including, end', async () => {
      const hex = await put(Buffer.from('0123456789'));
      expect((await readAll(hex, 2, 5)).toString()).toBe('234');
      expect((await readAll(hex, 7)).toString()).toBe('789');
      expect((await readAll(hex, 0, 1)).toString()).toBe('0');
      expect((await readAll(hex, 0, 99)).toString()).toBe('0123456789');
      expect(await readAll(hex, 5, 5)).toHaveLength(0);
      expect(await readAll(hex, 10)).toHaveLength(0);
    });

    it('gives out no part of a blob that is damaged anywhere, and tells of it', async () => {
      const hex = await put(Buffer.alloc(300_000, 'part'));
      flipByte(pathOf(hex), 250_000);
      await expect(readAll(hex, 2, 5)).rejects.toBeInstanceOf(BlobDamaged);
      expect(damagedBlobs).toEqual([hex]);
    });

    it('refuses a blob that is known to be damaged at once, and looks again after a minute', async () => {
      const bytes = Buffer.alloc(300_000, 'heal');
      const hex = await put(bytes);
      flipByte(pathOf(hex), 0);
      await expect(readAll(hex)).rejects.toBeInstanceOf(BlobDamaged);
      const again = await store.open(hex);
      await expect(again?.stream()).rejects.toBeInstanceOf(BlobDamaged);
      expect(damagedBlobs).toEqual([hex]);
      flipByte(pathOf(hex), 0);
      clock.ms += 60_000;
      expect(await readAll(hex)).toEqual(bytes);
    });

    it('verifies a blob once for all who ask for its parts at the same time', async () => {
      const hex = await put(Buffer.alloc(300_000, 'many'));
      flipByte(pathOf(hex), 0);
      const blob = (await store.open(hex)) ?? expect.fail();
      const parts = await Promise.allSettled(Array.from({ length: 20 }, (_, at) => blob.stream(at, at + 2)));
      expect(new Set(parts.map((part) => part.status))).toEqual(new Set(['rejected']));
      expect(damagedBlobs).toEqual([hex]);
    });

    it('finds nothing under a name that is no hash, wherever it may lead', async () => {
      const hex = await put(Buffer.from('x'));
      for (const name of ['', '..', `../${hex}`, hex.toUpperCase(), hex.slice(1), `${hex}0`, `${hex}\n`]) {
        expect(await store.open(name)).toBeNull();
        await store.remove(name);
      }
      expect(await readAll(hex)).toHaveLength(1);
      expect(await store.open(sha512(Buffer.from('other')))).toBeNull();
    });
  });

  describe('remove', () => {
    it('removes a blob, and is content when there is none', async () => {
      const hex = await put(Buffer.from('gone'));
      await store.remove(hex);
      await store.remove(hex);
      expect(await store.open(hex)).toBeNull();
      expect(await listAll()).toEqual([]);
    });
  });

  describe('list', () => {
    it('names every blob with its size and date, and nothing else', async () => {
      const hexes = await Promise.all(
        Array.from({ length: 30 }, (_, index) => put(Buffer.from(`blob ${index}`))),
      );
      await stageBytes(Buffer.from('staged only'));
      const [first = '', second = ''] = hexes;
      const suffix = basename(pathOf(first)).slice(first.length);
      await writeFile(join(dirname(pathOf(first)), `stray.tmp${suffix}`), 'x');
      await writeFile(join(dirname(pathOf(first)), `${second}${suffix}`), 'under the wrong folder');
      await utimes(pathOf(first), 1_700_000_000, 1_700_000_000);
      const listed = await listAll();
      expect(listed.map((blob) => blob.sha512Hex).toSorted()).toEqual(hexes.toSorted());
      const found = listed.find((blob) => blob.sha512Hex === first);
      expect(found).toEqual({ sha512Hex: first, sizeBytes: 6, modifiedAt: 1_700_000_000_000 });
    });
  });

  describe('sweepStaging', () => {
    it('removes what was last written longer ago, and nothing younger', async () => {
      const [old, young] = [await store.stage(), await stageBytes(Buffer.from('young'))];
      await old.write(Buffer.from('left behind by a crash'));
      await utimes(old.path, (NOW_MS - HOUR_MS - 1000) / 1000, (NOW_MS - HOUR_MS - 1000) / 1000);
      await utimes(young.path, (NOW_MS - HOUR_MS + 1000) / 1000, (NOW_MS - HOUR_MS + 1000) / 1000);
      const hex = await put(Buffer.from('stored'));
      await utimes(pathOf(hex), 1, 1);
      expect(await store.sweepStaging(HOUR_MS)).toBe(1);
      expect(await readdir(opened.stagingFolder)).toEqual([young.path.split('/').at(-1)]);
      expect(await readAll(hex)).toHaveLength(6);
      await old.discard();
    });
  });
});
