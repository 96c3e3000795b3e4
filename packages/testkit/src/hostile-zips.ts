import { Buffer } from 'node:buffer';
import { crc32, deflateRawSync } from 'node:zlib';
import { HOSTILE_NAMES } from './hostile-names.ts';
import { buildNupkg, buildNuspec } from './nupkg-builder.ts';
import {
  DOS_DATE_2099,
  endRecord,
  extraField,
  type RawEntry,
  type RawZipOptions,
  writeRawZip,
  zip64Sizes,
} from './raw-zip.ts';

/** An archive that no gallery may accept, and the code with which the package reader refuses it. */
export interface HostileZip {
  name: string;
  reason: string;
  /** Makes the bytes anew; the large ones take a moment. */
  build: () => Uint8Array;
}

const NUSPEC_TEXT = buildNuspec({ id: 'Evil.Package', version: '1.0.0' });
const NUSPEC: RawEntry = { name: 'Evil.Package.nuspec', data: NUSPEC_TEXT };
const FILE: RawEntry = { name: 'lib/a.txt', data: 'payload' };
const MADE_BY_UNIX = (3 << 8) | 20;
const HUGE_BYTES = 200 * 1024 * 1024;

/** Every archive with the trick that it plays. */
export function hostileZips(): HostileZip[] {
  return [
    ...badNames(),
    ...badEntries(),
    ...badSizes(),
    ...bombs(),
    ...badLayouts(),
    ...badLists(),
    ...badHeaders(),
    ...badManifests(),
  ];
}

function raw(
  name: string,
  reason: string,
  entries: readonly RawEntry[],
  options?: RawZipOptions,
): HostileZip {
  return { name, reason, build: () => writeRawZip(entries, options) };
}

function whole(name: string, reason: string, build: () => Uint8Array): HostileZip {
  return { name, reason, build };
}

function named(entryName: string | Uint8Array, title?: string): HostileZip {
  const shown = title ?? JSON.stringify(entryName);
  return raw(`an entry named ${shown}`, 'entry_name', [NUSPEC, { ...FILE, name: entryName }]);
}

function badNames(): HostileZip[] {
  return [
    ...HOSTILE_NAMES.map((name) => named(name)),
    named('', 'nothing'),
    named(`lib/${'a'.repeat(257)}`, 'with 261 characters'),
    named(Buffer.from([0x6c, 0xff, 0xfe, 0x62]), 'with bytes that are not UTF-8'),
    raw('a Unicode path beside the plain name', 'entry_header', [
      NUSPEC,
      { ...FILE, extra: unicodePath('lib/a.txt', '../evil') },
    ]),
    raw('a Unicode path in the local header only', 'entry_header', [
      NUSPEC,
      { ...FILE, local: { extra: unicodePath('lib/a.txt', '../evil') } },
    ]),
  ];
}

function badEntries(): HostileZip[] {
  const twice = (a: string, b: string) =>
    raw(`the files ${JSON.stringify(a)} and ${JSON.stringify(b)}`, 'entry_duplicate', [
      NUSPEC,
      { ...FILE, name: a },
      { ...FILE, name: b },
    ]);
  return [
    twice('lib/a.txt', 'lib/a.txt'),
    twice('lib/a.txt', 'LIB/A.TXT'),
    twice('lib/caf\u00E9', 'lib/cafe\u0301'),
    twice('lib/a b', 'lib/a%20b'),
    raw('a file and a folder of one name', 'entry_duplicate', [
      NUSPEC,
      FILE,
      { name: 'lib/a.txt/', method: 0 },
    ]),
    raw('one manifest in two spellings', 'entry_duplicate', [
      NUSPEC,
      { ...NUSPEC, name: 'EVIL.PACKAGE.NUSPEC' },
    ]),
    raw('two manifests', 'nuspec_duplicate', [NUSPEC, { ...NUSPEC, name: 'Other.NuSpec' }]),
    raw('a second manifest behind an escaped dot', 'nuspec_duplicate', [
      NUSPEC,
      { ...NUSPEC, name: 'Other%2Enuspec' },
    ]),
    raw('no manifest', 'nuspec_missing', [FILE]),
    raw('a manifest in a folder only', 'nuspec_missing', [{ ...NUSPEC, name: 'lib/Evil.Package.nuspec' }]),
    raw('a symbolic link', 'entry_type', [
      NUSPEC,
      {
        name: 'lib/link',
        data: '/etc/passwd',
        madeBy: MADE_BY_UNIX,
        externalAttributes: (0o120777 << 16) >>> 0,
      },
    ]),
    raw('a symbolic link that claims to come from DOS', 'entry_type', [
      NUSPEC,
      { name: 'lib/link', data: '/etc/passwd', externalAttributes: (0o120777 << 16) >>> 0 },
    ]),
    raw('a device', 'entry_type', [
      NUSPEC,
      { name: 'lib/dev', madeBy: MADE_BY_UNIX, externalAttributes: (0o020666 << 16) >>> 0 },
    ]),
    raw('a folder that holds data', 'entry_type', [NUSPEC, { name: 'lib/', data: 'payload', method: 0 }]),
    raw('an encrypted file', 'entry_encrypted', [NUSPEC, { ...FILE, flags: 1 }]),
    raw('a strongly encrypted file', 'not_a_zip', [NUSPEC, { ...FILE, flags: 0x41 }]),
    raw('masked headers', 'entry_encrypted', [NUSPEC, { ...FILE, flags: 0x2000 }]),
    raw('a file packed by bzip2', 'entry_method', [
      NUSPEC,
      { ...FILE, method: 12, packed: Buffer.from('BZh9') },
    ]),
    raw('a file packed by AES', 'entry_method', [NUSPEC, { ...FILE, method: 99 }]),
    raw('a file dated 2099', 'entry_future_date', [NUSPEC, { ...FILE, dosDate: DOS_DATE_2099 }]),
  ];
}

function badSizes(): HostileZip[] {
  const stored: RawEntry = { name: 'lib/a.bin', data: 'payload', method: 0 };
  const nuspecBytes = Buffer.byteLength(NUSPEC_TEXT);
  return [
    raw('a stored file that states a smaller size', 'entry_size', [NUSPEC, { ...stored, sizeBytes: 3 }]),
    raw('a manifest that states a smaller size', 'nuspec_damaged', [{ ...NUSPEC, sizeBytes: 10 }]),
    raw('a manifest that states a larger size', 'nuspec_damaged', [
      { ...NUSPEC, sizeBytes: nuspecBytes + 1 },
    ]),
    raw('a manifest with a wrong checksum', 'nuspec_damaged', [{ ...NUSPEC, crc32: 1 }]),
    raw('a manifest that unpacks to 8 MiB but states 500 bytes', 'nuspec_damaged', [
      { ...NUSPEC, packed: deflateRawSync(Buffer.alloc(8 * 1024 * 1024)), sizeBytes: 500 },
    ]),
    raw('a manifest with bytes after its deflate stream', 'nuspec_damaged', [
      { ...NUSPEC, packed: Buffer.concat([deflateRawSync(Buffer.from(NUSPEC_TEXT)), Buffer.from('hidden')]) },
    ]),
    raw('a manifest that is no deflate stream', 'nuspec_damaged', [
      { ...NUSPEC, packed: Buffer.from([0xff, 0xff, 0xff]) },
    ]),
    raw('a manifest of 2 MiB', 'nuspec_too_large', [
      { ...NUSPEC, data: NUSPEC_TEXT.padEnd(2 ** 21, 'x'), method: 0 },
    ]),
    raw('a size in the local header that differs', 'entry_size', [
      NUSPEC,
      { ...FILE, local: { sizeBytes: 8 } },
    ]),
    raw('a packed size in the local header that differs', 'entry_size', [
      NUSPEC,
      { ...FILE, local: { compressedBytes: 1 } },
    ]),
    raw('a size behind the data that differs', 'entry_size', [
      NUSPEC,
      {
        ...FILE,
        flags: 8,
        local: { sizeBytes: 0, compressedBytes: 0, crc32: 0 },
        after: descriptorFor('payload', 8),
      },
    ]),
    raw('a file of 5 bytes that states 0 packed', 'entry_size', [
      NUSPEC,
      { ...FILE, packed: new Uint8Array() },
    ]),
  ];
}

function bombs(): HostileZip[] {
  return [
    raw('files of 600 MB in all', 'archive_too_large', [
      NUSPEC,
      ...Array.from({ length: 3 }, (_, index) => ({
        ...FILE,
        name: `lib/${index}`,
        sizeBytes: HUGE_BYTES,
        packed: Buffer.alloc(1100000),
      })),
    ]),
    {
      name: 'a bomb of 200 MB of zeros',
      reason: 'compression_ratio',
      build: () => writeRawZip([NUSPEC, { name: 'lib/zeros.bin', data: Buffer.alloc(HUGE_BYTES) }]),
    },
    {
      name: 'a bomb of 30 MB behind data that do not pack',
      reason: 'compression_ratio',
      build: () =>
        writeRawZip([
          NUSPEC,
          { name: 'lib/zeros.bin', data: Buffer.alloc(30_000_000) },
          { name: 'lib/noise.bin', data: Buffer.alloc(1_000_000, 'noise'), method: 0 },
        ]),
    },
    raw('many small bombs', 'compression_ratio', [
      NUSPEC,
      ...Array.from({ length: 40 }, (_, index) => ({
        name: `lib/${index}`,
        data: Buffer.alloc(1024 * 1024),
      })),
    ]),
  ];
}

function badLayouts(): HostileZip[] {
  const good = () => buildNupkg({ id: 'Evil.Package', version: '1.0.0', files: { 'lib/a.txt': 'a' } });
  return [
    whole('an empty file', 'not_a_zip', () => new Uint8Array()),
    whole('a text', 'not_a_zip', () => Buffer.from('This is not a package. '.repeat(100))),
    whole('a megabyte of end signatures', 'archive_layout', () =>
      Buffer.from('PK\u0005\u0006'.repeat(262_144), 'latin1'),
    ),
    raw('an empty archive', 'archive_empty', []),
    whole('a package cut off in its file list', 'not_a_zip', () => good().slice(0, -30)),
    whole('a package cut off in the middle', 'not_a_zip', () => good().slice(0, 200)),
    whole('a package without its first byte', 'archive_layout', () => good().slice(1)),
    whole('junk before the package', 'archive_layout', () =>
      Buffer.concat([Buffer.from('#!/bin/sh\n'), good()]),
    ),
    raw('junk before the first file, with right offsets', 'archive_layout', [{ ...NUSPEC, localOffset: 5 }], {
      prefix: Buffer.from('junk!'),
      end: { directoryOffset: 5 + localBytes(NUSPEC) },
    }),
    whole('junk after the package', 'archive_layout', () => Buffer.concat([good(), Buffer.from('junk')])),
    whole('a second end record that lists nothing', 'archive_layout', () =>
      Buffer.concat([good(), endRecord(0, 0, 0)]),
    ),
    whole('a second end record behind the first', 'archive_layout', () => {
      const bytes = good();
      return Buffer.concat([bytes, endRecord(0, 0, bytes.length)]);
    }),
    raw('an end record in the comment', 'archive_layout', [NUSPEC], {
      comment: endRecord(0, 0, 0, { comment: Buffer.from('x') }),
    }),
    raw('a comment that is longer than stated', 'archive_layout', [NUSPEC], {
      comment: Buffer.from('abc'),
      end: { commentBytes: 2 },
    }),
    raw('bytes between two files', 'archive_layout', [{ ...NUSPEC, after: Buffer.from('hidden') }, FILE]),
    raw('bytes before the file list', 'archive_layout', [NUSPEC], { gap: Buffer.from('hidden') }),
    raw('bytes after the file list', 'archive_layout', [NUSPEC], { beforeEnd: Buffer.from('hidden') }),
    raw('a file list with fewer entries than there are', 'archive_layout', [NUSPEC, FILE], {
      end: { entryCount: 1 },
    }),
    raw('a file list with more entries than there are', 'not_a_zip', [NUSPEC, FILE], {
      end: { entryCount: 3 },
    }),
    raw('several disks', 'archive_layout', [NUSPEC], { end: { disk: 1 } }),
    raw('two entries over the same bytes', 'archive_layout', [NUSPEC, { ...FILE, localOffset: 0 }]),
    raw('an entry inside another', 'archive_layout', [
      NUSPEC,
      { name: 'lib/outer.zip', method: 0, data: writeRawZip([FILE]) },
      { ...FILE, localOffset: localBytes(NUSPEC) + 30 + 'lib/outer.zip'.length },
    ]),
    raw('an entry that overlaps the next', 'archive_layout', [{ ...NUSPEC, compressedBytes: 5000 }, FILE]),
    raw('an entry with a data descriptor that overlaps the next', 'archive_layout', [
      { ...NUSPEC, compressedBytes: 5000, flags: 8 },
      FILE,
    ]),
    raw('a local header beyond the end', 'archive_layout', [NUSPEC, { ...FILE, localOffset: 0x7fffffff }]),
  ];
}

function badLists(): HostileZip[] {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `e/${index}`, method: 0 }));
  return [
    raw('bytes in the file list after its last entry', 'archive_layout', [NUSPEC], {
      beforeEnd: Buffer.from('hidden'),
      end: { directoryBytes: 46 + NUSPEC.name.length + 6 },
    }),
    raw('65,535 entries by number alone', 'too_many_entries', [NUSPEC], { end: { entryCount: 0xffff } }),
    raw('a zip64 locator', 'archive_zip64', [NUSPEC], { beforeEnd: zip64Locator() }),
    raw('zip64 sizes in the file list', 'archive_zip64', [
      NUSPEC,
      { ...FILE, extra: zip64Sizes(7, 9), sizeBytes: 0xffffffff, compressedBytes: 0xffffffff },
    ]),
    whole('20,001 empty entries', 'too_many_entries', () => writeRawZip(many(20_001))),
    whole('70,000 empty entries', 'too_many_entries', () =>
      writeRawZip(many(70_000), { end: { entryCount: 0xffff } }),
    ),
    whole('70,000 empty entries counted in 16 bits', 'archive_layout', () => writeRawZip(many(70_000))),
    whole('a file list of 5 MiB', 'directory_too_large', () =>
      writeRawZip([NUSPEC, ...many(100).map((entry) => ({ ...entry, comment: Buffer.alloc(52_429) }))]),
    ),
  ];
}

function badHeaders(): HostileZip[] {
  return [
    raw('another name in the local header', 'entry_header', [
      NUSPEC,
      { ...FILE, local: { name: '../evil!!' } },
    ]),
    raw('a longer name in the local header', 'entry_header', [
      NUSPEC,
      { ...FILE, local: { name: 'lib/a.txt.exe' } },
    ]),
    raw('another method in the local header', 'entry_header', [NUSPEC, { ...FILE, local: { method: 0 } }]),
    raw('encryption in the local header only', 'entry_header', [NUSPEC, { ...FILE, local: { flags: 1 } }]),
    raw('another checksum in the local header', 'entry_header', [NUSPEC, { ...FILE, local: { crc32: 7 } }]),
    raw('a broken extra field', 'not_a_zip', [NUSPEC, { ...FILE, extra: Buffer.from([1, 0, 255, 0, 0]) }]),
    raw('a broken extra field in the local header', 'not_a_zip', [
      NUSPEC,
      { ...FILE, local: { extra: Buffer.from([1, 0, 255, 0, 0]) } },
    ]),
    raw('a data descriptor that is announced but missing', 'archive_layout', [
      NUSPEC,
      { ...FILE, flags: 8 },
      NUSPEC_2,
    ]),
  ];
}

const NUSPEC_2: RawEntry = { name: 'lib/b.txt', data: 'b' };

function badManifests(): HostileZip[] {
  const manifest = (name: string, reason: string, data: string | Uint8Array) =>
    raw(`a manifest with ${name}`, reason, [{ ...NUSPEC, data }]);
  const doctype = '<!DOCTYPE package [<!ENTITY x "boom"><!ENTITY y SYSTEM "file:///etc/passwd">]>';
  return [
    manifest('a DOCTYPE', 'doctype', NUSPEC_TEXT.replace('<package', `${doctype}<package`)),
    manifest(
      'an external DOCTYPE',
      'doctype',
      NUSPEC_TEXT.replace('<package', '<!DOCTYPE a SYSTEM "http://127.0.0.1/"><package'),
    ),
    manifest('an undefined entity', 'nuspec_xml', NUSPEC_TEXT.replace('Test Author', '&x;')),
    manifest('200,000 levels', 'nuspec_too_complex', '<a>'.repeat(200_000)),
    manifest(
      '100,000 attributes',
      'nuspec_too_complex',
      `<package ${Array.from({ length: 100_000 }, (_, i) => `a${i}=""`).join(' ')}/>`,
    ),
    manifest('100,000 elements', 'nuspec_too_complex', `<package>${'<a/>'.repeat(100_000)}</package>`),
    manifest('100,000 comments', 'nuspec_too_complex', `<package>${'<!---->'.repeat(100_000)}</package>`),
  ];
}

function localBytes(entry: RawEntry): number {
  return writeRawZip([entry]).length - 22 - 46 - entry.name.length;
}

function unicodePath(rawName: string, name: string): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt8(1, 0);
  head.writeUInt32LE(crc32(rawName), 1);
  return extraField(0x7075, Buffer.concat([head, Buffer.from(name)]));
}

function descriptorFor(text: string, sizeBytes: number): Uint8Array {
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(crc32(text), 4);
  descriptor.writeUInt32LE(deflateRawSync(Buffer.from(text)).length, 8);
  descriptor.writeUInt32LE(sizeBytes, 12);
  return descriptor;
}

function zip64Locator(): Uint8Array {
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeUInt32LE(1, 16);
  return locator;
}
