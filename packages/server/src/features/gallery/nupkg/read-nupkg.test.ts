import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yauzl, { type Entry } from 'yauzl';
import { hostileZips } from '../../../../../testkit/src/hostile-zips.ts';
import { buildNupkg, buildNuspec, buildStreamedNupkg } from '../../../../../testkit/src/nupkg-builder.ts';
import { recordControl } from '../../../../../testkit/src/proof.ts';
import {
  type RawEntry,
  type RawZipOptions,
  writeRawZip,
  zip64Sizes,
} from '../../../../../testkit/src/raw-zip.ts';
import { realPackages } from '../../../../../testkit/src/real-packages.ts';
import { NupkgFault, UNREADABLE } from './fault.ts';
import { type ReadNupkgOptions, readNupkg } from './read-nupkg.ts';

const NOW_MS = Date.UTC(2027, 0, 1);
const SPEC = { id: 'Acme.Tools', version: '1.2.3-beta' };
const NUSPEC: RawEntry = { name: 'Acme.Tools.nuspec', data: buildNuspec(SPEC) };

let folder = '';
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nupkg-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(bytes: Uint8Array, options: Partial<ReadNupkgOptions> = {}) {
  files += 1;
  const path = join(folder, `${files}.nupkg`);
  await writeFile(path, bytes);
  return readNupkg(path, { nowMs: NOW_MS, ...options });
}

async function faultOf(bytes: Uint8Array, options: Partial<ReadNupkgOptions> = {}): Promise<NupkgFault> {
  const fault = await read(bytes, options).catch((error: unknown) => error);
  if (fault instanceof NupkgFault) return fault;
  throw new Error(`accepted, or failed otherwise: ${fault instanceof Error ? fault.stack : 'accepted'}`);
}

/** Reads the list and each file in it, as programs do that trust what they read. */
async function isTakenByPlainReader(bytes: Uint8Array): Promise<boolean> {
  return await new Promise((resolve) => {
    yauzl.fromBuffer(Buffer.from(bytes), { lazyEntries: true }, (fault, zip) => {
      if (fault !== null) return resolve(false);
      zip.on('error', () => resolve(false)).on('end', () => resolve(true));
      zip.on('entry', (entry: Entry) => {
        zip.openReadStream(entry, (error, stream) => {
          if (error !== null) return resolve(false);
          stream.on('error', () => resolve(false)).on('end', () => zip.readEntry());
          stream.resume();
        });
      });
      zip.readEntry();
    });
  });
}

/** Runs a task, and counts how often other work had its turn meanwhile; a time would depend on the machine. */
async function watchTurns<T>(task: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const result = await task();
  isDone = true;
  return { result, turns };
}

describe('readNupkg refuses', () => {
  it.each(hostileZips().map((hostile) => [hostile.name, hostile] as const))('%s', async (_name, hostile) => {
    const bytes = hostile.build();
    const startedAt = performance.now();
    const fault = await faultOf(bytes);
    expect(fault.reason).toBe(hostile.reason);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(fault.message).toMatch(/^[ -~]{20,512}$/);
    expect(fault.message).not.toMatch(/40\d|Api|API|Evil/);
  });

  it('what a plain reader of zip files takes', async () => {
    // The large ones hide nothing from it that the others do not.
    const small = hostileZips().filter(({ name }) => !/\d{2},\d{3}|MB|MiB|megabyte|many small/.test(name));
    const taken = await Promise.all(small.map(async ({ build }) => await isTakenByPlainReader(build())));
    const count = taken.filter(Boolean).length;
    recordControl(37, {
      name: 'yauzl alone',
      shown: `takes ${count} of ${small.length} hostile packages`,
      hasFailed: count > 0,
    });
    expect(count).toBeGreaterThan(0);
  });

  it('says of a file that is no package what nuget.org says', async () => {
    expect((await faultOf(Buffer.from('no package'))).message).toBe(UNREADABLE);
  });

  it('a package that is cut off anywhere', async () => {
    const bytes = buildNupkg({ ...SPEC, files: { 'lib/a.txt': 'hello' } });
    for (let length = 0; length < bytes.length; length += 7) await faultOf(bytes.subarray(0, length));
  });

  it('or reads the same manifest, whichever bytes of the package are changed; and never fails otherwise', async () => {
    const bytes = buildNupkg({ ...SPEC, files: { 'lib/a.txt': 'hello' } });
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const changed = bytes.slice();
        for (const [at, value] of changes) changed[at] = value;
        const result = await read(changed).catch((error: unknown) => error);
        if (!(result instanceof NupkgFault))
          expect(result).toMatchObject({ id: SPEC.id, versionText: SPEC.version });
      }),
      { numRuns: 500 },
    );
  });

  it('a package whose reading takes longer than the deadline', async () => {
    expect((await faultOf(buildNupkg(SPEC), { deadlineMs: 0 })).reason).toBe('deadline');
  });

  it('a manifest that unpacks to more than it states, without unpacking the rest', async () => {
    const packed = deflateRawSync(Buffer.alloc(400 * 1024 * 1024));
    const bytes = writeRawZip([{ ...NUSPEC, packed, sizeBytes: 500 }]);
    const startedAt = performance.now();
    expect((await faultOf(bytes)).reason).toBe('nuspec_damaged');
    // Unpacking all of it takes several times as long.
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('a package larger than the limit it is given', async () => {
    const bytes = buildNupkg({ ...SPEC, files: { 'lib/a.txt': 'a'.repeat(5000) } });
    expect((await faultOf(bytes, { maxUncompressedBytes: 5000 })).reason).toBe('archive_too_large');
    expect((await read(bytes, { maxUncompressedBytes: 10_000 })).id).toBe('Acme.Tools');
  });

  it('files dated more than a day in the future, and no others', async () => {
    const bytes = buildNupkg(SPEC);
    const dated = Date.UTC(2020, 0, 1, 12);
    expect((await faultOf(bytes, { nowMs: dated - 86_400_001 })).reason).toBe('entry_future_date');
    expect((await read(bytes, { nowMs: dated - 86_400_000 })).id).toBe('Acme.Tools');
  });

  it('nothing by itself when the file cannot be read: that is no fault of the package', async () => {
    await expect(readNupkg(join(folder, 'missing'), { nowMs: NOW_MS })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('readNupkg accepts', () => {
  const raw = (entries: readonly RawEntry[], options?: RawZipOptions) =>
    writeRawZip([NUSPEC, ...entries], options);
  const file: RawEntry = { name: 'lib/a.txt', data: 'hello' };
  const unixFile = (0o100644 << 16) >>> 0;
  const unixFolder = (0o040755 << 16) >>> 0;
  const zip64Local = { sizeBytes: 0xffffffff, compressedBytes: 0xffffffff, extra: zip64Sizes(5, 7) };

  it.each<[string, () => Uint8Array]>([
    ['a package as nuget pack makes it', () => buildNupkg({ ...SPEC, files: { 'lib/net8.0/a.dll': 'MZ' } })],
    [
      'a package streamed by fflate, with data descriptors',
      () => buildStreamedNupkg({ ...SPEC, files: { 'lib/a.txt': 'a', 'lib/_._': '', 'lib/b': '' } }),
    ],
    ['a manifest alone', () => raw([])],
    ['a stored manifest', () => writeRawZip([{ ...NUSPEC, method: 0 }])],
    ['a manifest in capitals', () => writeRawZip([{ ...NUSPEC, name: 'ACME.NUSPEC' }])],
    ['a second nuspec file below the root', () => raw([{ name: 'content/other.nuspec', data: 'x' }])],
    ['data descriptors of 12 bytes', () => raw([{ ...file, descriptor: 12 }])],
    ['data descriptors of 16 bytes', () => raw([{ ...file, descriptor: 16 }])],
    ['data descriptors of 20 bytes', () => raw([{ ...file, descriptor: 20 }])],
    ['data descriptors of 24 bytes', () => raw([{ ...file, descriptor: 24 }])],
    ['a data descriptor on the manifest', () => writeRawZip([{ ...NUSPEC, descriptor: 16 }, file])],
    ['folders', () => raw([{ name: 'lib/', method: 0, externalAttributes: 0x10 }, file])],
    ['folders that are deflated', () => raw([{ name: 'lib/', method: 8 }, file])],
    [
      'modes of Unix',
      () =>
        raw([
          { ...file, madeBy: 0x0314, externalAttributes: unixFile },
          { name: 'lib/', method: 0, externalAttributes: unixFolder },
        ]),
    ],
    ['a signature', () => raw([file, { name: '.signature.p7s', data: 'sig', method: 0 }])],
    [
      'a signature before everything else',
      () => writeRawZip([{ name: '.signature.p7s', data: 'sig', method: 0 }, NUSPEC]),
    ],
    [
      'another order in the file than in the list',
      () => raw([file, { name: 'b', data: 'b' }], { localOrder: [2, 0, 1] }),
    ],
    ['sizes of the local header in zip64', () => raw([{ ...file, local: zip64Local }])],
    [
      'extra fields and comments',
      () => raw([{ ...file, extra: Buffer.from([0x55, 0x54, 1, 0, 0]), comment: Buffer.from('c') }]),
    ],
    ['a comment of the archive', () => raw([], { comment: Buffer.from('made by hand') })],
    ['names in other scripts', () => raw([{ ...file, name: 'lib/\u65E5\u672C\u8A9E.txt', flags: 0x800 }])],
    ['names with escapes, brackets and dots', () => raw([{ ...file, name: 'lib/a%20b+[c].x..y%' }])],
    [
      'names that only begin like reserved ones',
      () => raw([{ ...file, name: 'lib/console/nullable.com10' }]),
    ],
    ['a name of 260 characters', () => raw([{ ...file, name: `lib/${'a'.repeat(256)}` }])],
    [
      'empty files',
      () =>
        raw([
          { name: 'lib/_._', method: 0 },
          { name: 'lib/x', method: 8 },
        ]),
    ],
    ['a stored archive inside', () => raw([{ name: 'tools/x.zip', method: 0, data: writeRawZip([file]) }])],
    [
      'a small file that packs well',
      () =>
        raw([
          { name: 'lib/zeros', data: Buffer.alloc(1024 * 1024) },
          { name: 'r', method: 0, data: Buffer.alloc(9000, 'r') },
        ]),
    ],
  ])('%s', async (_name, build) => {
    expect(await read(build())).toMatchObject({ id: 'Acme.Tools', versionText: '1.2.3-beta' });
  });

  it.each(realPackages.map(({ name, bytes }) => [name, bytes] as const))(
    'a package by %s',
    async (_name, bytes) => {
      expect(await read(bytes)).toMatchObject({
        id: 'Demo.Pack',
        versionText: '1.2.0-beta',
        sizeBytes: bytes.length,
      });
    },
  );

  it('and tells what the container holds', async () => {
    const contents = await read(raw([file, { name: '.signature.p7s', data: 'sig', method: 0 }]));
    expect(contents).toMatchObject({ entryCount: 3, isSigned: true });
    expect(contents.uncompressedBytes).toBe(contents.nuspecBytes.length + 8);
    expect(contents.nuspecBytes.toString()).toBe(NUSPEC.data);
    expect((await read(raw([]))).isSigned).toBe(false);
  });

  it('20,000 files, without holding the event loop', async () => {
    const entries = Array.from({ length: 19_999 }, (_, index) => ({
      name: `lib/folder-${index % 97}/${index}.txt`,
      method: 0,
    }));
    const bytes = raw(entries);
    const { result, turns } = await watchTurns(() => read(bytes));
    expect(result.entryCount).toBe(20_000);
    expect(turns).toBeGreaterThan(40);
  });

  it('the same specification always makes the same package', () => {
    const spec = {
      ...SPEC,
      tags: 'a',
      dependencies: [{ id: 'B', version: '1.0', targetFramework: 'net8.0' }],
    };
    expect(buildNupkg(spec)).toEqual(buildNupkg(spec));
  });

  it('dependencies as the builder writes them', async () => {
    const dependencies = [{ id: 'B', version: '[1.0,2.0)', targetFramework: 'net8.0' }, { id: 'C' }];
    const { dependencyGroups } = await read(buildNupkg({ ...SPEC, dependencies }));
    expect(dependencyGroups.map((group) => group.targetFramework)).toEqual(['net8.0', null]);
  });
});
