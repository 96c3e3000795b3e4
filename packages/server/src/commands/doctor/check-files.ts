import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { openConfiguredBlobs } from '../operator-tools.ts';
import { type Check, type Finding, fault, messageOf, warning } from './check.ts';

const SECRET_FILES = [
  'keyreeve.db',
  'keyreeve.db-wal',
  'keyreeve.db-shm',
  'usage.db',
  'usage.db-wal',
  'usage.db-shm',
  'master.key',
  'master.key.next',
];
/** Hold no secret, but the server must be able to write them. */
const OWN_FILES = ['lock.db', 'master-key-lock.db', 'blobs'];
const OTHERS = 0o077;

/** Who may read and change what the server keeps. */
export const dataFolderCheck: Check = {
  name: 'data folder',
  run: async ({ config }) => {
    const folder = path.resolve(config.dataDir);
    if (!existsSync(folder)) {
      if (config.database.engine === 'postgres') return 'it is made when the first package comes';
      const remedy = 'Check KEYREEVE_DATA_DIR, or start the server once to make it.';
      return [fault('data.missing', `There is no folder ${folder}.`, remedy)];
    }
    if (process.platform === 'win32') return 'modes mean nothing on Windows';
    const info = statSync(folder);
    // Root looks after the folders of others: then everything must belong to whom the folder belongs to.
    const me = process.getuid?.() ?? 0;
    const owner = me === 0 ? info.uid : me;
    const findings = judgeOwner(folder, info, owner);
    if ((info.mode & OTHERS) !== 0) {
      findings.push(
        fault(
          'data.folder_open',
          `Others on this machine may enter ${folder} (mode ${formatMode(info)}).`,
          `chmod 700 ${folder}`,
        ),
      );
    }
    for (const name of SECRET_FILES) {
      const file = path.join(folder, name);
      if (existsSync(file)) findings.push(...judgeFile(file, statSync(file), owner));
    }
    for (const name of OWN_FILES) {
      const file = path.join(folder, name);
      if (existsSync(file)) findings.push(...judgeOwner(file, statSync(file), owner));
    }
    if (existsSync(path.join(folder, 'restore.part'))) {
      findings.push(
        warning(
          'data.restore_left',
          'A restore was cut short and has left a folder restore.part.',
          'Run keyreeve restore again, or remove the folder.',
        ),
      );
    }
    return findings;
  },
};

function judgeOwner(file: string, info: Stats, owner: number): Finding[] {
  if (info.uid === owner) return [];
  return [
    fault(
      'data.foreign_owner',
      `${file} belongs to the user ${info.uid}, not to the user ${owner} as whom the server runs.`,
      `chown ${owner} ${file}, or run keyreeve doctor as the user of the server.`,
    ),
  ];
}

function judgeFile(file: string, info: Stats, owner: number): Finding[] {
  const findings = judgeOwner(file, info, owner);
  if ((info.mode & OTHERS) === 0) return findings;
  const isKey = path.basename(file).startsWith('master.key');
  const found = `Others on this machine may read ${file} (mode ${formatMode(info)}).`;
  findings.push(
    isKey
      ? fault(
          'master_key.file_open',
          found,
          `chmod 600 ${file}. If others have used the machine, rotate the master key.`,
        )
      : fault('data.file_open', found, `chmod 600 ${file}`),
  );
  return findings;
}

function formatMode({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

/** There, and of the right length; whether it is the right one only the database can say. */
export const masterKeyFileCheck: Check = {
  name: 'master key',
  run: async ({ config }) => {
    if (config.masterKey !== null) return [];
    const file = path.join(path.resolve(config.dataDir), 'master.key');
    if (!existsSync(path.join(config.dataDir, 'keyreeve.db')) && !existsSync(file))
      return 'nothing was made yet';
    const remedy = `Put it back from where you keep it; see docs/operations/master-key.md. Without it no key can be verified.`;
    if (!existsSync(file))
      return [fault('master_key.missing', `There is neither KEYREEVE_MASTER_KEY nor ${file}.`, remedy)];
    try {
      const isKey = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64').length === 32;
      return isKey
        ? []
        : [fault('master_key.malformed', `${file} does not hold 32 bytes in base64.`, remedy)];
    } catch (error) {
      return [
        fault(
          'master_key.unreadable',
          `${file} cannot be read: ${messageOf(error)}.`,
          `chmod 600 ${file}, and its owner the user of the server.`,
        ),
      ];
    }
  },
};

const SPACE_FAULT_BYTES = 200_000_000;
const SPACE_WARNING_BYTES = 1_000_000_000;
const INODES_MIN = 1_000;
/** Magic numbers of statfs(2): file systems whose locks SQLite must not trust. */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x65735546: 'FUSE',
};

interface FileSystem {
  readonly type: number;
  readonly bsize: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** What a file system says of itself, judged. */
export function judgeFileSystem(folder: string, info: FileSystem, holdsSqlite: boolean): Finding[] {
  const findings: Finding[] = [];
  const freeBytes = info.bavail * info.bsize;
  const found = `${folder} has ${Math.floor(freeBytes / 1_000_000)} MB left.`;
  const remedy = 'Make room: without it nothing can be written, and keys cannot be changed or revoked.';
  if (freeBytes < SPACE_FAULT_BYTES) findings.push(fault('disk.full', found, remedy));
  else if (freeBytes < SPACE_WARNING_BYTES) findings.push(warning('disk.low', found, remedy));
  // Some file systems have no fixed number of inodes, and say 0.
  if (info.files > 0 && info.ffree < INODES_MIN)
    findings.push(
      fault(
        'disk.inodes',
        `${folder} has room for ${info.ffree} more files.`,
        'Remove files that nobody needs.',
      ),
    );
  const network = NETWORK_FILE_SYSTEMS[info.type];
  if (holdsSqlite && network !== undefined) {
    findings.push(
      fault(
        'sqlite.network_file_system',
        `${folder} lies on ${network}. SQLite needs locks that such file systems do not keep; it can lose data there.`,
        'Move the data folder to a local disk, or use PostgreSQL.',
      ),
    );
  }
  return findings;
}

export const diskCheck: Check = {
  name: 'disk',
  run: async ({ config }) => {
    const isSqlite = config.database.engine === 'sqlite';
    const folders = [path.resolve(config.dataDir)];
    if (config.blobs.kind === 'folder') folders.push(path.resolve(config.blobs.folder));
    const findings = new Map<string, Finding>();
    for (const [index, folder] of folders.entries()) {
      if (!existsSync(folder)) continue;
      for (const finding of judgeFileSystem(folder, await statfs(folder), isSqlite && index === 0))
        findings.set(finding.code, findings.get(finding.code) ?? finding);
    }
    return [...findings.values()];
  },
};

export const packageFilesCheck: Check = {
  name: 'package files',
  run: async ({ config }) => {
    const { blobs } = config;
    const remedy = 'Check KEYREEVE_BLOB_URL, its rights and its disk; see docs/operations/blobs.md.';
    if (blobs.kind === 'folder') {
      const folder = path.resolve(blobs.folder);
      if (!existsSync(folder)) return 'the folder is made at the first start';
      try {
        if (!statSync(folder).isDirectory()) throw new Error('it is not a folder');
        await access(folder, constants.W_OK | constants.X_OK);
        return [];
      } catch (error) {
        return [fault('blobs.unusable', `${folder} cannot be written: ${messageOf(error)}.`, remedy)];
      }
    }
    try {
      // Opening tries the store as a start does, with the object that nobody sees.
      const store = await openConfiguredBlobs(config);
      try {
        await store.ping();
      } finally {
        await store.close();
      }
      return [];
    } catch (error) {
      const detail: unknown =
        error instanceof Error ? (Reflect.get(error, 'internal') ?? error.message) : error;
      return [
        fault('blobs.unusable', `The store of the package files cannot be used: ${String(detail)}`, remedy),
      ];
    }
  },
};
