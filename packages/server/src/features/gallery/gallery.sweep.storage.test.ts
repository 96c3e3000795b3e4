import { utimesSync } from 'node:fs';
import { createTestClock, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';

const HOUR_MS = 3_600_000;

let harness: Harness;
let gallery: Gallery;

beforeAll(async () => {
  // Files carry the time of the machine, so here the clock must as well.
  harness = await startHarness({
    clock: createTestClock(Math.trunc(performance.timeOrigin + performance.now())),
  });
  gallery = await seedGallery(harness);
});
afterAll(() => harness.close());

async function putBlob(bytes: Uint8Array): Promise<string> {
  const staged = await harness.deps.blobs.stage();
  await staged.write(bytes);
  await staged.finish();
  await staged.promote();
  return staged.sha512Hex;
}

function makeOld(sha512: string): void {
  const seconds = (harness.clock.now() - 2 * HOUR_MS) / 1_000;
  utimesSync(harness.blobFile(sha512), seconds, seconds);
}

const sweep = async () => await harness.deps.blobSweeper.sweepOrphanBlobs(HOUR_MS);

describe('the sweep of package files', () => {
  it('removes old files that no version names, and keeps young ones and those in use', async () => {
    const old = await putBlob(new Uint8Array([1]));
    const young = await putBlob(new Uint8Array([2]));
    makeOld(old);
    await gallery.publish(gallery.keys.push, 'Acme.Used');
    const { versions } = await harness.deps.packages.get(gallery.adminCaller, 'Acme.Used', { limit: 1 });
    const used = versions.items[0]?.sha512 ?? '';
    makeOld(used);
    expect(await sweep()).toEqual({ blobs: 1, staged: 0 });
    expect(await harness.deps.blobs.open(old)).toBeNull();
    expect(await harness.deps.blobs.open(young)).not.toBeNull();
    expect((await gallery.send('GET', '/api/v2/package/Acme.Used/1.0.0')).statusCode).toBe(200);
  });

  it('removes what uploads left in the staging place', async () => {
    const staged = await harness.deps.blobs.stage();
    await staged.write(new Uint8Array([3]));
    await staged.finish();
    const seconds = (harness.clock.now() - 2 * HOUR_MS) / 1_000;
    utimesSync(staged.path, seconds, seconds);
    expect(await sweep()).toEqual({ blobs: 0, staged: 1 });
  });

  it('never takes the file of a push that brings the bytes of an orphan again', async () => {
    for (let round = 0; round < 15; round += 1) {
      const id = `Acme.Again${round}`;
      const bytes = buildNupkg({ id, version: '1.0.0' });
      makeOld(await putBlob(bytes));
      const sweeps = Promise.all([sweep(), sweep(), sweep()]);
      const pushed = await gallery.push(gallery.keys.push, bytes);
      await sweeps;
      const download = await gallery.send('GET', `/api/v2/package/${id}/1.0.0`);
      // Either the push won, or it was told to come back and wrote nothing; never a version without its file.
      expect([201, 503]).toContain(pushed.statusCode);
      expect(download.statusCode).toBe(pushed.statusCode === 201 ? 200 : 404);
    }
  });

  it('tells a push to come back when its file was swept before the version was written', async () => {
    const { blobs } = harness.deps;
    const bytes = buildNupkg({ id: 'Acme.Swept', version: '1.0.0' });
    const stage = blobs.stage.bind(blobs);
    const removeAfterPromote: typeof blobs.stage = async () => {
      const staged = await stage();
      const promote = staged.promote.bind(staged);
      staged.promote = async () => {
        await promote();
        await blobs.remove(staged.sha512Hex);
      };
      return staged;
    };
    Object.assign(blobs, { stage: removeAfterPromote });
    expect((await gallery.push(gallery.keys.push, bytes)).statusCode).toBe(503);
    Object.assign(blobs, { stage });
    expect((await gallery.send('GET', '/api/v2/package/Acme.Swept/1.0.0')).statusCode).toBe(404);
    expect((await gallery.push(gallery.keys.push, bytes)).statusCode).toBe(201);
  });

  it('waits for a push that has already looked for its file, and then leaves it alone', async () => {
    const { blobs } = harness.deps;
    const bytes = buildNupkg({ id: 'Acme.Waiting', version: '1.0.0' });
    const open = blobs.open.bind(blobs);
    const sweeps: ReturnType<typeof sweep>[] = [];
    const sweepMeanwhile: typeof blobs.open = async (sha512) => {
      const found = await open(sha512);
      makeOld(sha512);
      sweeps.push(sweep());
      await new Promise((resolve) => setTimeout(resolve, 300));
      return found;
    };
    Object.assign(blobs, { open: sweepMeanwhile });
    const pushed = await gallery.push(gallery.keys.push, bytes);
    Object.assign(blobs, { open });
    expect(pushed.statusCode).toBe(201);
    expect(await Promise.all(sweeps)).toEqual([{ blobs: 0, staged: 0 }]);
    expect((await gallery.send('GET', '/api/v2/package/Acme.Waiting/1.0.0')).statusCode).toBe(200);
  });
});
