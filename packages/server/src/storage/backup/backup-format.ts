import { createHmac, hkdfSync } from 'node:crypto';
import type { SchemaVersions } from '../migrate.ts';
import type { StoreName } from './catalog.ts';

/**
 * A backup is a zstd stream of lines (docs/operations/backup.md). A line that begins with `{` says what follows, one
 * that begins with `[` is a row; the bytes of a package stand behind a line that says how many they are.
 *
 *     {"keyreeveBackup":1, …}                      what this is: the manifest
 *     {"table":"accounts","store":"main","columns":[…]}
 *     ["acc_…", …]                                 a row
 *     {"tableEnd":"accounts","rows":12,"sha256":…}
 *     {"package":"<sha512>","bytes":3000}
 *     {"chunk":3000}                               and 3000 bytes
 *     {"packageEnd":"<sha512>","isWhole":true}
 *     {"end":{"rows":…,"packages":…,"missing":[…],"sha256":…,"mac":…}}
 */
export const FORMAT_VERSION = 1;

/** Longer lines are no backup of ours: a few bytes of a hostile file can unfold to any length. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024;
export const CHUNK_BYTES_MAX = 4 * 1024 * 1024;

/** The first line. */
export interface Manifest {
  readonly keyreeveBackup: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly engine: 'sqlite' | 'postgres';
  readonly schema: SchemaVersions;
  /** Tells whether a master key is the right one, and nothing about it. */
  readonly masterKeyCheck: string;
  /** Hosts and names, for people who look at a file. The configuration keeps the address of the default one. */
  readonly workspaces: readonly { readonly name: string; readonly subdomain: string | null }[];
  readonly publicUrl: string;
  readonly hasPackages: boolean;
}

export interface TableLine {
  readonly table: string;
  readonly store: StoreName;
  readonly columns: readonly string[];
}

/** The last line: what the file must have held. */
export interface Ending {
  readonly rows: number;
  readonly packages: number;
  readonly packageBytes: number;
  /** SHA-512 of package files that versions name and that could not be read. */
  readonly missing: readonly string[];
  /** Of everything before this line. */
  readonly sha256: string;
  /** HMAC of that under the master key: whoever changes a file cannot sign it again. */
  readonly mac: string;
}

/** The file is not, or no longer, a backup as this program wrote it. */
export class BackupDamaged extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'BackupDamaged';
  }
}

/** A key of its own is derived, so that the master key does one thing only. */
export function signEnding(masterKey: Uint8Array, sha256: string): string {
  const key = hkdfSync('sha256', masterKey, '', 'keyreeve backup', 32);
  return createHmac('sha256', Buffer.from(key)).update(sha256).digest('base64url');
}
