import { createHmac } from 'node:crypto';
import type { Random } from '../../../lib/random.ts';
import { Secret } from '../../../lib/secret.ts';

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/** A new secret as the Standard Webhooks specification spells it. */
export function newWebhookSecret(random: Random): Secret {
  return new Secret(`${SECRET_PREFIX}${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64')}`);
}

interface SignedMessage {
  /** The same over all tries; without a dot, which parts what is signed. */
  readonly id: string;
  /** Of this try. */
  readonly timestampSeconds: number;
  readonly body: string;
}

/** The headers by which a receiver knows that the message is ours, by each of the secrets that it may hold. */
export function signatureHeaders(
  { id, timestampSeconds, body }: SignedMessage,
  secrets: readonly Secret[],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  if (id.includes('.')) throw new Error(`The id ${id} has a dot; what is signed would have two readings.`);
  const signed = `${id}.${timestampSeconds}.${body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.reveal().slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  };
}
