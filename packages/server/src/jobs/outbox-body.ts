import { createSecretKey } from 'node:crypto';
import { openBytes, sealBytes } from '../lib/envelope.ts';
import type { Random } from '../lib/random.ts';
import type { Keyring, OutboxTable } from '../storage/index.ts';

const ROW_KEY_BYTES = 32;

type SealedBody = Pick<OutboxTable, 'row_key' | 'sealed_payload'>;

function placeOf(outboxId: string, column: 'row_key' | 'payload'): string {
  return `outbox/${outboxId}/${column}`;
}

/**
 * Encrypts what a mail says under a key of this one row. Once the mail has gone, key and text leave the row
 * together, and what a log, a dead row or a copy still holds of the text has lost its key.
 */
export function sealBody(keyring: Keyring, random: Random, outboxId: string, body: string): SealedBody {
  const rowKey = random.bytes(ROW_KEY_BYTES);
  const sealed = sealBytes(createSecretKey(rowKey), Buffer.from(body), placeOf(outboxId, 'payload'), random);
  return {
    row_key: keyring.seal(Buffer.from(rowKey).toString('base64url'), placeOf(outboxId, 'row_key')),
    sealed_payload: Buffer.from(sealed).toString('base64url'),
  };
}

/** @throws Error when the body is gone, or was altered or moved */
export function openBody(keyring: Keyring, row: SealedBody & Pick<OutboxTable, 'id'>): string {
  if (row.sealed_payload === null) throw new Error(`The mail ${row.id} has no payload any more.`);
  // A mail of a release before rows had keys of their own.
  if (row.row_key === null) return keyring.open(row.sealed_payload, placeOf(row.id, 'payload'));
  const rowKey = Buffer.from(keyring.open(row.row_key, placeOf(row.id, 'row_key')), 'base64url');
  const plain = openBytes(
    createSecretKey(rowKey),
    Buffer.from(row.sealed_payload, 'base64url'),
    placeOf(row.id, 'payload'),
  );
  if (plain === null) throw new Error(`The payload of the mail ${row.id} does not open: it was altered.`);
  return Buffer.from(plain).toString('utf8');
}
