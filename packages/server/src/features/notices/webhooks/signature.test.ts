import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../lib/clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import { toWireBody } from './event-body.ts';
import { newWebhookSecret, signatureHeaders } from './signature.ts';

function nowSeconds(): number {
  return Math.floor(systemClock.now() / 1_000);
}

describe('the signature of a message', () => {
  it('is accepted by the reference library, whatever the body', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^evt_[0-9A-Za-z]{20}$/), (text, id) => {
        const secret = newWebhookSecret(systemRandom);
        const body = JSON.stringify({ type: 'key.created', data: text });
        const headers = signatureHeaders({ id, timestampSeconds: nowSeconds(), body }, [secret]);
        expect(new Webhook(secret.reveal()).verify(body, headers)).toEqual(JSON.parse(body));
      }),
    );
  });

  it('is the one that the reference library makes', () => {
    const secret = newWebhookSecret(systemRandom);
    const timestampSeconds = nowSeconds();
    const headers = signatureHeaders({ id: 'evt_1', timestampSeconds, body: '{"a":1}' }, [secret]);
    expect(headers['webhook-signature']).toBe(
      new Webhook(secret.reveal()).sign('evt_1', new Date(timestampSeconds * 1_000), '{"a":1}'),
    );
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature', 'body'] as const)(
    'does not hold for another %s',
    (changed) => {
      const secret = newWebhookSecret(systemRandom);
      const timestampSeconds = nowSeconds();
      const headers = signatureHeaders({ id: 'evt_1', timestampSeconds, body: '{"a":1}' }, [secret]);
      const others = {
        'webhook-id': 'evt_2',
        'webhook-timestamp': String(timestampSeconds - 1),
        'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
        body: '{"a":2}',
      };
      const forged = changed === 'body' ? headers : { ...headers, [changed]: others[changed] };
      const body = changed === 'body' ? others.body : '{"a":1}';
      expect(() => new Webhook(secret.reveal()).verify(body, forged)).toThrow();
    },
  );

  it('is made by both secrets of a rotation, and holds for each alone', () => {
    const [old, fresh, foreign] = [1, 2, 3].map(() => newWebhookSecret(systemRandom));
    if (old === undefined || fresh === undefined || foreign === undefined) throw new Error('no secrets');
    const message = { id: 'evt_1', timestampSeconds: nowSeconds(), body: '{}' };
    const headers = signatureHeaders(message, [fresh, old]);
    expect(headers['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of [old, fresh])
      expect(() => new Webhook(secret.reveal()).verify('{}', headers)).not.toThrow();
    expect(() => new Webhook(foreign.reveal()).verify('{}', headers)).toThrow();
  });

  it('is never made of an id with a dot, which would have two readings', () => {
    const secret = newWebhookSecret(systemRandom);
    expect(() => signatureHeaders({ id: 'a.1', timestampSeconds: 1, body: '' }, [secret])).toThrow('dot');
  });

  it('is made by a secret of 32 bytes in the spelling of the specification', () => {
    const secret = newWebhookSecret(systemRandom).reveal();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
    expect(newWebhookSecret(systemRandom).reveal()).not.toBe(secret);
  });
});

describe('the body of a message', () => {
  const event = (detail: unknown) =>
    JSON.stringify({ type: 'key.changed', timestamp: 'now', data: { key: { id: 'kr_1' }, detail } });

  it('is the event as it was written down', () => {
    expect(toWireBody(event({ comment: 'x' }))).toBe(event({ comment: 'x' }));
  });

  it('stays below 20 kB, also when many long patterns were edited', () => {
    const patterns = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(128, 'パ'));
    const body = toWireBody(event({ scopes: { from: patterns, to: patterns } }));
    expect(Buffer.byteLength(body)).toBeLessThan(20_000);
    expect(JSON.parse(body)).toEqual({
      type: 'key.changed',
      timestamp: 'now',
      data: { key: { id: 'kr_1' }, detail: { isShortened: true } },
    });
  });
});
