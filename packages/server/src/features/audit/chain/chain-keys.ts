import { createPrivateKey, createPublicKey, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { macParts } from '../../../lib/mac.ts';
import type { Random } from '../../../lib/random.ts';
import type { Executor, Keyring, Tx } from '../../../storage/index.ts';
import { insertAuditKey, listAuditKeys } from './chain.repo.ts';

/** What a row, a head and a checkpoint are authenticated with. */
export interface AuditKey {
  /** The fingerprint of the public half. */
  readonly id: string;
  readonly mac: KeyObject;
  readonly sign: KeyObject;
  /** 32 bytes, base64url, as in a JWK of RFC 8037. */
  readonly publicKey: string;
}

/** Without the keys of the log, or the note of when it was begun, it can neither be written nor verified. */
export class AuditKeysMissing extends Error {
  /** False where no server has begun the chain yet. */
  readonly isBegun: boolean;

  constructor(isBegun: boolean) {
    super(
      isBegun
        ? 'The keys of the audit log, or the note of when it was begun, are gone from the database (audit_keys, meta.audit_chain). Somebody has deleted them; restore a backup.'
        : 'No server has begun the chain of this audit log yet. Start the server of this release once.',
    );
    this.name = 'AuditKeysMissing';
    this.isBegun = isBegun;
  }
}

/** The newest is the first. */
export type AuditKeys = readonly [AuditKey, ...AuditKey[]];

// RFC 8410: what stands before the 32 bytes of an Ed25519 key in PKCS #8 and in SubjectPublicKeyInfo.
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;

/** `SHA256:` and base64 of the hash of the 32 bytes, as ssh writes it: for people to compare and to note down. */
export function fingerprintOf(publicKey: string): string {
  const digest = hash('sha256', Buffer.from(publicKey, 'base64url'), 'base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/** @returns null when these are not 32 bytes */
export function importPublicKey(publicKey: string): KeyObject | null {
  const bytes = Buffer.from(publicKey, 'base64url');
  if (bytes.length !== KEY_BYTES) return null;
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: 'der', type: 'spki' });
}

function toAuditKey(macBytes: Uint8Array, signBytes: Uint8Array): AuditKey {
  const sign = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, signBytes]),
    format: 'der',
    type: 'pkcs8',
  });
  const der = createPublicKey(sign).export({ format: 'der', type: 'spki' });
  const publicKey = der.subarray(SPKI_HEAD.length).toString('base64url');
  return { id: fingerprintOf(publicKey), mac: createSecretKey(macBytes), sign, publicKey };
}

const placeOf = (id: string) => `audit_keys/${id}`;

/** Makes a key and stores both halves, sealed under the data keys and so under the master key. */
export async function createAuditKey(
  tx: Tx,
  deps: { readonly keyring: Keyring; readonly random: Random; readonly now: number },
): Promise<AuditKey> {
  const [mac, sign] = [deps.random.bytes(KEY_BYTES), deps.random.bytes(KEY_BYTES)];
  const key = toAuditKey(mac, sign);
  const plain = [mac, sign].map((bytes) => Buffer.from(bytes).toString('base64url')).join('.');
  const sealed = deps.keyring.seal(plain, placeOf(key.id));
  await insertAuditKey(tx, { id: key.id, sealed, created_at: deps.now });
  return key;
}

/** @throws Error when one does not open, or is not the one that its row says */
export async function readAuditKeys(exec: Executor, keyring: Keyring): Promise<AuditKeys | null> {
  const keys = (await listAuditKeys(exec)).map(({ id, sealed }) => {
    const [mac = '', sign = ''] = keyring.open(sealed, placeOf(id)).split('.');
    return toAuditKey(Buffer.from(mac, 'base64url'), Buffer.from(sign, 'base64url'));
  });
  const [newest, ...older] = keys;
  return newest === undefined ? null : [newest, ...older];
}

/** Whether one of the keys made this. */
export function isMacOf(keys: AuditKeys, mac: unknown, make: (key: KeyObject) => string): boolean {
  return keys.some((key) => make(key.mac) === mac);
}

/** What anybody may know of a key: enough to check what it has signed. */
export interface PublicKeyView {
  readonly keyId: string;
  readonly algorithm: 'Ed25519';
  readonly publicKey: string;
}

export function presentPublicKey({ id, publicKey }: AuditKey): PublicKeyView {
  return { keyId: id, algorithm: 'Ed25519', publicKey };
}

/** When chaining began here, and until when rows that are not chained may still be taken for those of older nodes. */
export interface ChainStart {
  readonly at: number;
  /** The last row that there was. */
  readonly seq: number;
  readonly adoptsUntil: number;
}

export function macStart(key: KeyObject, { at, seq, adoptsUntil }: ChainStart): string {
  return macParts(key, ['audit start', at, seq, adoptsUntil]);
}
