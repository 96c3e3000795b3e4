import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../../jobs/index.ts';
import { systemClock } from '../../../lib/clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import { newWebhookSecret, signatureHeaders } from './signature.ts';

const PAGE = readFileSync(
  path.join(import.meta.dirname, '../../../../../../docs/operations/webhooks.md'),
  'utf8',
);
type ReadEvent = (secret: string, headers: Readonly<Record<string, string>>, body: string) => unknown;

async function loadSample(): Promise<ReadEvent> {
  const code = /^```js\n([\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? '';
  const module: unknown = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return (module as { readEvent: ReadEvent }).readEvent;
}

describe('docs/operations/webhooks.md', () => {
  it('shows code that takes our messages and no others', async () => {
    const readEvent = await loadSample();
    const [old, fresh, foreign] = [1, 2, 3].map(() => newWebhookSecret(systemRandom));
    if (old === undefined || fresh === undefined || foreign === undefined) throw new Error('no secrets');
    const body = JSON.stringify({ type: 'key.expired', data: '芽衣' });
    const timestampSeconds = Math.floor(systemClock.now() / 1_000);
    const headers = signatureHeaders({ id: 'evt_1', timestampSeconds, body }, [fresh, old]);
    expect(readEvent(fresh.reveal(), headers, body)).toEqual(JSON.parse(body));
    expect(readEvent(old.reveal(), headers, body)).toEqual(JSON.parse(body));
    expect(() => readEvent(foreign.reveal(), headers, body)).toThrow('not signed');
    expect(() => readEvent(old.reveal(), headers, `${body} `)).toThrow('not signed');
    expect(() => readEvent(old.reveal(), { ...headers, 'webhook-id': 'evt_2' }, body)).toThrow('not signed');
    const stale = { id: 'evt_1', timestampSeconds: timestampSeconds - 600, body };
    expect(() => readEvent(old.reveal(), signatureHeaders(stale, [old]), body)).toThrow('too old');
  });

  it('names every type of event', () => {
    for (const type of EVENT_TYPES) expect(PAGE).toContain(`\`${type}\``);
  });
});
