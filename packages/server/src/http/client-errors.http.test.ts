import { connect } from 'node:net';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let harness: Harness;
let port = 0;

beforeAll(async () => {
  harness = await startHarness();
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  const address = harness.app.server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});
afterAll(() => harness.close());

interface WireAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Everything that comes until the server ends the connection. */
async function send(bytes: string): Promise<WireAnswer> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write(bytes);
  await new Promise<void>((resolve) => socket.on('error', () => {}).on('close', () => resolve()));
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head: head.toLowerCase(), body };
}

const MALFORMED: readonly [string, string][] = [
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['a version that there is not', 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n'],
  ['a header without a colon', 'GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n'],
  ['a blank before the colon', 'GET / HTTP/1.1\r\nHost : localhost\r\n\r\n'],
  [
    'two lengths',
    'POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
  ],
  [
    'a length and chunks',
    'POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
  ],
  ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
];

describe('bytes that are no request', () => {
  it.each(MALFORMED)('are answered as a problem: %s', async (_name, bytes) => {
    const { status, head, body } = await send(bytes);
    expect(status, head).toBe(400);
    expect(head).toContain('content-type: application/problem+json; charset=utf-8');
    expect(head).toContain('x-content-type-options: nosniff');
    expect(head).toContain('cache-control: no-store');
    expect(head).toContain('connection: close');
    // RFC 9110 6.6.1: every answer of a server with a clock has it.
    expect(head).toMatch(/\r\ndate: \w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} gmt(?:\r\n|$)/);
    const problem = JSON.parse(body) as Record<string, unknown>;
    expect(problem).toMatchObject({ status: 400, code: 'request.malformed' });
    expect(problem['type']).toBe(`${harness.deps.defaultWorkspace.url}/docs/errors/request.malformed`);
    expect(head).toContain(`x-request-id: ${String(problem['instance'])}`);
  });

  it('name the limit of headers that are too large', async () => {
    const { status, head, body } = await send(
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
    );
    expect([status, JSON.parse(body)]).toMatchObject([
      431,
      { status: 431, code: 'request.headers_too_large', detail: expect.stringContaining('16384') },
    ]);
    expect(head).toContain('content-type: application/problem+json');
  });

  it.each([
    ['headers that are too large', 431, `X-Long: ${'x'.repeat(20_000)}`],
    ['a header without a colon', 400, 'no colon'],
  ])('are answered without content when a HEAD has %s', async (_name, wanted, header) => {
    const request = (method: string) => `${method} /healthz HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`;
    const [asHead, asGet] = [await send(request('HEAD')), await send(request('GET'))];
    expect([asHead.status, asHead.body]).toEqual([wanted, '']);
    expect(asHead.head).toContain(`content-length: ${asGet.body.length}`);
  });

  it('tell nothing that was sent, and stop nobody else', async () => {
    const { head, body } = await send(
      'GET /?token=secret-of-ada HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n',
    );
    expect(head + body).not.toContain('secret-of-ada');
    const { status } = await send('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(status).toBe(200);
  });
});
