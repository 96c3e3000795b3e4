import { crc32 } from 'node:zlib';

const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_SIGNATURE = 0x06054b50;
const ZIP_VERSION = 20;
// 1 January 2024, 00:00, as MS-DOS writes it; packages of the demo have no better date.
const DOS_DATE = ((2024 - 1980) << 9) | (1 << 5) | 1;

interface Entry {
  readonly name: string;
  readonly text: string;
}

/** The fields that local and central header share. */
function sharedFields(entry: Entry): Buffer {
  const bytes = Buffer.from(entry.text);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(ZIP_VERSION, 0);
  fields.writeUInt16LE(DOS_DATE, 8);
  fields.writeUInt32LE(crc32(bytes), 10);
  fields.writeUInt32LE(bytes.length, 14);
  fields.writeUInt32LE(bytes.length, 18);
  fields.writeUInt16LE(entry.name.length, 22);
  return fields;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A stored (not compressed) zip: enough for packages that hold a few lines of text. */
function writeStoredZip(entries: readonly Entry[]): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const local = Buffer.concat([
      uint32(LOCAL_SIGNATURE),
      sharedFields(entry),
      name,
      Buffer.from(entry.text),
    ]);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(ZIP_VERSION);
    centrals.push(
      Buffer.concat([
        uint32(CENTRAL_SIGNATURE),
        madeBy,
        sharedFields(entry),
        Buffer.alloc(10),
        uint32(offset),
        name,
      ]),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END_SIGNATURE, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** A package for the demo: a manifest and a read-me. */
export function writeTinyNupkg(id: string, version: string, description: string): Uint8Array {
  const manifest = `<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
<id>${id}</id><version>${version}</version><authors>Aozora Works</authors><description>${description}</description><tags>PSModule demo</tags>
</metadata></package>`;
  return writeStoredZip([
    { name: `${id}.nuspec`, text: manifest },
    { name: 'README.md', text: `# ${id}\n\n${description}\n` },
  ]);
}
