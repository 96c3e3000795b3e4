import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintKey, type Person, signIn } from '../console.ts';
import { openWorkplace, WITH_ADMIN } from '../server-process.ts';
import { expectSameJson } from './answers.ts';
import { openPage } from './doc-page.ts';

interface Message {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const place = openWorkplace();
let receiver: Server;
let message: Promise<Message>;
let admin: Person;

async function receiveOne(): Promise<Message> {
  const [request, answer] = (await once(receiver, 'request')) as [IncomingMessage, ServerResponse];
  const body = await text(request);
  answer.writeHead(204).end();
  return { headers: request.headers, body };
}

beforeAll(async () => {
  receiver = createServer().listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  message = receiveOne();
  const { port } = receiver.address() as AddressInfo;
  const server = await place.start({
    env: {
      ...WITH_ADMIN,
      KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1',
      KEYREEVE_WEBHOOK_PORTS: String(port),
    },
  });
  admin = await signIn(server.url);
});
afterAll(async () => {
  receiver.close();
  await place.close();
});

describe('docs/operations/webhooks.md', () => {
  it('shows a message as it is sent, and code that takes it and no forged one', async () => {
    const page = openPage('docs/operations/webhooks.md');
    const { port } = receiver.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    const { data } = await admin.api.POST('/v1/webhooks', { body: { url, eventTypes: ['key.created'] } });
    const scopes = [{ actions: ['package:push'], resources: ['AzureRM.*'] }];
    await mintKey(admin, admin.accountId, { comment: 'CI', access: 'scoped', scopes });
    const { headers, body } = await message;
    expectSameJson(page.claim('json').text, body);

    const sample = page.claim('js', 'readEvent').text;
    const module: unknown = await import(`data:text/javascript,${encodeURIComponent(sample)}`);
    const { readEvent } = module as {
      readEvent: (secret: string, headers: IncomingHttpHeaders, body: string) => unknown;
    };
    expect(readEvent(data.secret, headers, body)).toEqual(JSON.parse(body));
    expect(() => readEvent(data.secret, headers, `${body} `)).toThrow('not signed by Keyreeve');
    page.expectAllClaimed();
  });
});
