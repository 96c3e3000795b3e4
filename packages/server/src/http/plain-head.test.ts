import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPlainHead } from './plain-head.ts';

const head = (first: string, ...lines: readonly string[]) => `${[first, ...lines].join('\r\n')}\r\n\r\n`;
const GET = 'GET /v1/authorize?action=a:b HTTP/1.1';

describe('a plain head', () => {
  it('is read with its fields in lower case, and tells where the body begins', () => {
    const text = head('POST /x HTTP/1.1', 'Host: a', 'Content-Length: 2', 'X-Some: a  b');
    expect(readPlainHead(`${text}{}`)).toEqual({
      method: 'POST',
      url: '/x',
      headers: { host: 'a', 'content-length': '2', 'x-some': 'a  b' },
      bodyBytes: 2,
      endsAt: text.length,
    });
  });

  it.each([
    ['a part of a head', head(GET, 'Host: a').slice(0, -1)],
    ['a bare line feed', head(GET, 'Host: a').replaceAll('\r\n', '\n')],
    ['one bare line feed', head(GET, 'Host: a\nX: b')],
    ['a bare carriage return in a value', head(GET, 'Host: a\rX: b')],
    ['a null byte', head(GET, 'Host: a\0')],
    ['a field twice', head(GET, 'Host: a', 'X: 1', 'x: 2')],
    ['the length twice', head('POST /x HTTP/1.1', 'Content-Length: 1', 'content-length: 1')],
    ['a folded field', head(GET, 'Host: a', ' b')],
    ['a blank before the colon', head(GET, 'Host : a')],
    ['no blank after the colon', head(GET, 'Host:a')],
    ['a value that ends with a blank', head(GET, 'Host: a ')],
    ['a tab', head(GET, 'Host:\ta')],
    ['a value that is not ASCII', head(GET, 'Host: \xe4')],
    ['a name with an underscore', head(GET, 'X_Api: a')],
    ['a name of an object', head(GET, '__proto__: a')],
    ['an empty value', head(GET, 'Host: ')],
    ['a body that comes in chunks', head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked')],
    ['a body in chunks with a length', head('POST /x HTTP/1.1', 'Content-Length: 1', 'Transfer-Encoding: x')],
    ['a length with a sign', head('POST /x HTTP/1.1', 'Content-Length: +1')],
    ['a length with zeros before it', head('POST /x HTTP/1.1', 'Content-Length: 01')],
    ['two lengths in one field', head('POST /x HTTP/1.1', 'Content-Length: 1, 1')],
    ['a length beyond all limits', head('POST /x HTTP/1.1', 'Content-Length: 10000')],
    ['a GET with a length', head(GET, 'Content-Length: 1')],
    ['a POST without one', head('POST /x HTTP/1.1', 'Host: a')],
    ['the end of the connection', head(GET, 'Connection: close')],
    ['a field that is for the next hop only', head(GET, 'Connection: keep-alive, X-Some')],
    ['an upgrade', head(GET, 'Upgrade: h2c')],
    ['an expectation', head('POST /x HTTP/1.1', 'Content-Length: 1', 'Expect: 100-continue')],
    ['HTTP/1.0', head('GET /x HTTP/1.0')],
    ['HTTP/2', head('PRI * HTTP/2.0')],
    ['an absolute address', head('GET http://a/x HTTP/1.1')],
    ['two blanks in the first line', head('GET  /x HTTP/1.1')],
    ['another method', head('PUT /x HTTP/1.1')],
    ['an empty line before it', `\r\n${head(GET)}`],
    ['too many fields', head(GET, ...Array.from({ length: 65 }, (_, index) => `X-${index}: a`))],
  ])('is not %s', (_, text) => {
    expect(readPlainHead(text)).toBeNull();
  });
});

describe('whatever is taken for a plain head', () => {
  let port: number;
  const seen: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = [];
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    seen.push({ method: request.method, url: request.url, headers: { ...request.headers } });
    request.resume();
    response.end();
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server.close());

  const readByNode = async (text: string) => {
    const from = seen.length;
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.end(text, 'latin1');
    socket.resume();
    await once(socket, 'close');
    return seen.slice(from);
  };

  it('is the same to Node, with a body as long', async () => {
    const name = fc.oneof(
      fc.constantFrom('Host', 'host', 'Connection', 'Content-Length', 'Cookie', 'X-API-Key', 'TE', 'Age'),
      fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/),
    );
    const value = fc.oneof(
      fc.constantFrom('keep-alive', 'Keep-Alive', '0', '3', 'a, b', '"x\\"', 'a:b', 'x;y=1'),
      fc.stringMatching(/^[\t -~]{1,10}$/),
    );
    const target = fc.stringMatching(/^\/[!-~]{0,12}$/);
    const lines = fc.array(
      fc.tuple(name, fc.constantFrom(': ', ':', ' : '), value).map((parts) => parts.join('')),
      { maxLength: 5 },
    );
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST'),
        target,
        lines,
        fc.constantFrom('\r\n', '\r\n', '\r\n', '\n'),
        async (method, url, fields, newline) => {
          const length = method === 'POST' ? ['Content-Length: 3'] : [];
          const text = `${[`${method} ${url} HTTP/1.1`, ...length, ...fields].join(newline)}${newline}${newline}`;
          const plain = readPlainHead(text);
          if (plain === null) return;
          taken += 1;
          const { headers } = plain;
          const body = 'x'.repeat(plain.bodyBytes);
          expect(plain.endsAt).toBe(text.length);
          expect(await readByNode(text + body)).toEqual([{ method, url, headers }]);
        },
      ),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});
