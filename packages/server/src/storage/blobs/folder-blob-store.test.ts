import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BlobInfo, type BlobStore, blobKey } from './blob-store.ts';
import { createFolderBlobStore, explainFolderFault } from './folder-blob-store.ts';

const NOW_MS = Date.UTC(2027, 0, 1);
let folder = '';
let store: BlobStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blobs-'));
  store = createFolderBlobStore({ folder, now: () => NOW_MS });
});
afterEach(() => rm(folder, { recursive: true }));

const pathOf = (hex: string) => join(folder, blobKey(hex) ?? '');

async function stageBytes(bytes: Uint8Array) {
  const staged = await store.stage();
  await staged.write(bytes);
  await staged.finish();
  return staged;
}

async function gather(from: BlobStore): Promise<BlobInfo[]> {
  const listed: BlobInfo[] = [];
  for await (const blob of from.list()) listed.push(blob);
  return listed;
}

describe('a folder of blobs', () => {
  it('can be read by nobody but the owner', async () => {
    const staged = await stageBytes(Buffer.from('secret'));
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await mode(staged.path)).toBe(0o600);
    expect(await mode(join(folder, 'staging'))).toBe(0o700);
    await staged.promote();
    const path = pathOf(staged.sha512Hex);
    expect(await mode(path)).toBe(0o600);
    expect(await mode(join(path, '..'))).toBe(0o700);
    expect(await mode(join(path, '..', '..'))).toBe(0o700);
  });

  it('never lets two uploads into one file', async () => {
    const random = { bytes: (count: number) => new Uint8Array(count) };
    const unlucky = createFolderBlobStore({ folder, now: () => NOW_MS, random });
    const first = await unlucky.stage();
    await expect(unlucky.stage()).rejects.toMatchObject({ code: 'EEXIST' });
    await first.discard();
  });

  it('finds nothing where another folder has the name', async () => {
    const staged = await stageBytes(Buffer.from('x'));
    await staged.promote();
    const hex = staged.sha512Hex;
    await store.remove(hex);
    await symlink(tmpdir(), pathOf(hex));
    expect(await store.open(hex)).toBeNull();
  });

  it('is empty before anything was stored', async () => {
    const nowhere = createFolderBlobStore({ folder: join(folder, 'not-yet'), now: () => NOW_MS });
    expect(await gather(nowhere)).toEqual([]);
    expect(await nowhere.sweepStaging(0)).toBe(0);
  });

  it('is refused at start where it cannot be made', async () => {
    await writeFile(join(folder, 'file'), 'x');
    const below = createFolderBlobStore({ folder: join(folder, 'file', 'blobs'), now: () => NOW_MS });
    await expect(below.check()).rejects.toMatchObject({ reason: 'denied' });
    await expect(below.ping()).rejects.toMatchObject({ reason: 'denied' });
  });

  it('answers a ping when it is there, and fails when it is not', async () => {
    await store.check();
    await store.ping();
    const gone = createFolderBlobStore({ folder: join(folder, 'gone'), now: () => NOW_MS });
    await expect(gone.ping()).rejects.toMatchObject({ reason: 'failed' });
  });

  it.each([
    ['ENOSPC', 'full', 'blob.full'],
    ['EDQUOT', 'full', 'blob.full'],
    ['EFBIG', 'full', 'blob.full'],
    ['EROFS', 'denied', 'blob.unavailable'],
    ['EIO', 'failed', 'blob.unavailable'],
  ])('tells %s of the disk as %s', (code, reason, errorCode) => {
    const fault = explainFolderFault(Object.assign(new Error(code), { code }));
    expect(fault).toMatchObject({ reason, code: errorCode, status: 503 });
    expect(fault).toHaveProperty(['headers', 'retry-after']);
  });

  it('leaves an error alone that has nothing to do with the disk', () => {
    const error = new TypeError('a bug');
    expect(explainFolderFault(error)).toBe(error);
  });
});
