/** A request that is to be read in one way or not at all. Lines end as they are written; nothing is added. */
export interface Vector {
  readonly name: string;
  /** Statuses of a server that is asked directly. */
  readonly wanted: readonly number[];
  readonly build: (target: Target) => string;
}

export interface Target {
  /** Takes POST with JSON. */
  readonly path: string;
  readonly host: string;
  /** A second request, for whoever takes the end of the first one to be elsewhere. */
  readonly smuggled: string;
}

const REFUSED = [400];

/** A POST with these further header lines and this body, written as they are. */
function post(lines: readonly string[], body: (target: Target) => string): Vector['build'] {
  return (target) =>
    `${[`POST ${target.path} HTTP/1.1`, `Host: ${target.host}`, 'Content-Type: application/json', ...lines].join('\r\n')}\r\n\r\n${body(target)}`;
}

/** A GET with these header lines after the host. */
function get(lines: readonly string[], address = '/v1/authorize'): Vector['build'] {
  return ({ host }) => `${[`GET ${address} HTTP/1.1`, `Host: ${host}`, ...lines].join('\r\n')}\r\n\r\n`;
}

const second = ({ smuggled, host }: Target): string => `GET ${smuggled} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
/** No JSON by either reading, so that nothing good comes of it. */
const chunkedThenSecond = (target: Target): string => `0\r\n\r\n${second(target)}`;
const lengthen = (build: (length: number) => string, text: string): string =>
  build(Buffer.byteLength(text, 'latin1'));

/** Messages whose length two readers may take for two different ones (RFC 9112 6.3, 11.2). */
const FRAMING: readonly Vector[] = [
  {
    name: 'a length and chunks',
    wanted: REFUSED,
    build: (target) =>
      lengthen(
        (length) =>
          post([`Content-Length: ${length}`, 'Transfer-Encoding: chunked'], chunkedThenSecond)(target),
        chunkedThenSecond(target),
      ),
  },
  {
    name: 'chunks and a length',
    wanted: REFUSED,
    build: (target) =>
      lengthen(
        (length) =>
          post(['Transfer-Encoding: chunked', `Content-Length: ${length}`], chunkedThenSecond)(target),
        chunkedThenSecond(target),
      ),
  },
  {
    name: 'two lengths',
    wanted: REFUSED,
    build: (target) =>
      lengthen(
        (length) => post(['Content-Length: 0', `Content-Length: ${length}`], second)(target),
        second(target),
      ),
  },
  {
    name: 'two lengths in one line',
    wanted: REFUSED,
    build: (target) =>
      lengthen((length) => post([`Content-Length: 0, ${length}`], second)(target), second(target)),
  },
  ...[
    ['chunks of another spelling', 'Transfer-Encoding: xchunked'],
    ['chunks in quotes', 'Transfer-Encoding: "chunked"'],
    ['a coding behind the chunks', 'Transfer-Encoding: chunked, identity'],
    ['chunks behind a blank and a colon', 'Transfer-Encoding : chunked'],
    ['chunks in a folded line', 'Transfer-Encoding:\r\n chunked'],
    ['chunks behind a tab', 'Transfer-Encoding:\tchunked'],
    ['chunks behind a vertical tab', 'Transfer-Encoding: \u000bchunked'],
    ['chunks behind NUL', 'Transfer-Encoding: chunked\u0000'],
    ['chunks in two lines', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'],
  ].map(
    ([name = '', line = '']): Vector => ({
      name,
      wanted: [400, 501],
      build: (target) =>
        lengthen(
          (length) => post([line, `Content-Length: ${length}`], chunkedThenSecond)(target),
          chunkedThenSecond(target),
        ),
    }),
  ),
  ...['-1', '+5', '0x5', '5 5', '1e1', '99999999999999999999', ''].map(
    (length): Vector => ({
      name: `the length "${length}"`,
      wanted: REFUSED,
      build: post([`Content-Length: ${length}`], second),
    }),
  ),
  ...[
    ['a chunk that is larger than a number', 'FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n'],
    ['a chunk of negative size', '-1\r\n{}\r\n0\r\n\r\n'],
    ['a chunk in hexadecimal with a sign', '0x2\r\n{}\r\n0\r\n\r\n'],
    ['a chunk without its end', '2\r\n{}XX0\r\n\r\n'],
    ['a chunk that ends with a line feed', '2\n{}\n0\n\n'],
    ['a chunk with an extension of 20 kB', `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
    ['a chunk with a line feed in its extension', '2;\nxx\r\n{}\r\n0\r\n\r\n'],
  ].map(
    ([name = '', body = '']): Vector => ({
      name,
      wanted: [400, 413, 431],
      build: post(['Transfer-Encoding: chunked'], (target) => `${body}${second(target)}`),
    }),
  ),
];

/** Heads that two readers may take for two different ones. */
const HEADS: readonly Vector[] = [
  {
    name: 'lines that end with a line feed',
    wanted: REFUSED,
    build: (target) => post(['Content-Length: 2'], () => '{}')(target).replaceAll('\r\n', '\n'),
  },
  { name: 'a line that ends with a carriage return', wanted: REFUSED, build: get(['X-A: 1\rX-B: 2']) },
  { name: 'a blank before the colon', wanted: REFUSED, build: get(['X-A : 1']) },
  { name: 'a folded line', wanted: REFUSED, build: get(['X-A: 1', ' 2']) },
  {
    name: 'a blank before the first header',
    wanted: REFUSED,
    build: ({ host }) => `GET /v1/authorize HTTP/1.1\r\n Host: ${host}\r\n\r\n`,
  },
  { name: 'NUL in a header', wanted: REFUSED, build: get(['X-A: 1\u00002']) },
  { name: 'a header without a name', wanted: REFUSED, build: get([': 1']) },
  { name: 'a header without a colon', wanted: REFUSED, build: get(['X-A']) },
  { name: 'a control character in a name', wanted: REFUSED, build: get(['X\u0001A: 1']) },
  { name: 'two hosts', wanted: REFUSED, build: get(['Host: other.keys.test']) },
  { name: 'no host', wanted: REFUSED, build: () => 'GET /v1/authorize HTTP/1.1\r\nX-A: 1\r\n\r\n' },
  {
    name: 'another host in the address',
    wanted: [400, 421],
    build: get([], 'http://other.example/v1/authorize'),
  },
  {
    name: 'a host that is none of ours',
    wanted: [421],
    build: () => 'GET /v1/authorize HTTP/1.1\r\nHost: evil.example\r\n\r\n',
  },
  {
    name: 'two credentials in two lines',
    wanted: REFUSED,
    build: get(['Authorization: Bearer a', 'Authorization: Bearer b']),
  },
  { name: 'two package keys', wanted: REFUSED, build: get(['X-NuGet-ApiKey: a', 'X-NuGet-ApiKey: b']) },
  { name: 'a header of 17 kB', wanted: [431], build: get([`X-A: ${'x'.repeat(17_000)}`]) },
  {
    name: '2,001 headers',
    wanted: [431],
    build: get(Array.from({ length: 2_001 }, (_, index) => `X-${index}: 1`)),
  },
  {
    name: 'a version that there is not',
    wanted: [400, 505],
    build: ({ host }) => `GET /v1/authorize HTTP/3.7\r\nHost: ${host}\r\n\r\n`,
  },
  { name: 'no version', wanted: REFUSED, build: ({ host }) => `GET /v1/authorize\r\nHost: ${host}\r\n\r\n` },
  { name: 'a blank in the address', wanted: REFUSED, build: get([], '/v1/authorize x') },
  {
    name: 'a method of lower case',
    wanted: [400, 405],
    build: ({ host }) => `get /v1/authorize HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  },
];

/** Sign-ins that break the schema. One that were looked at all the same would get 401: nobody has this address. */
const BODIES: readonly (readonly [what: string, body: string])[] = [
  ['a list for a text', '{"email":["a@b.example"],"password":"x"}'],
  ['a number for a text', '{"email":"a@b.example","password":1}'],
  ['an object for a text', '{"email":{"a":1},"password":"x"}'],
  ['a member too many', '{"email":"a@b.example","password":"x","role":"admin"}'],
  ['a member that is given twice', '{"email":"a@b.example","email":"c@d.example","password":"x"}'],
  ['a member __proto__', '{"email":"a@b.example","password":"x","__proto__":{"role":"admin"}}'],
  ['a member constructor', '{"email":"a@b.example","password":"x","constructor":{"prototype":{"role":1}}}'],
];
/** Ways to write the type of JSON, by some of which servers were led past their schemas. */
const TYPES: readonly (readonly [type: string, line: string])[] = [
  ['JSON', 'application/json'],
  ['JSON in capitals', 'APPLICATION/JSON'],
  ['JSON behind blanks', '  application/json'],
  ['JSON before a tab', 'application/json\t;charset=utf-8'],
];

/** What is well-formed, and has to be refused all the same; where a caller is needed, before its body is looked at. */
const MEANINGS: readonly Vector[] = [
  {
    name: 'dot segments that are escaped',
    wanted: [400, 404],
    build: get([], '/docs/%2e%2e/%2e%2e/etc/passwd'),
  },
  { name: 'a slash that is escaped in an id', wanted: [400, 401, 404], build: get([], '/v1/users/a%2fb') },
  { name: 'NUL that is escaped', wanted: REFUSED, build: get([], '/v1/users/a%00b') },
  {
    name: 'a parameter that is given twice',
    wanted: [400, 401],
    build: get([], '/v1/authorize?action=a:b&action=c:d'),
  },
  {
    name: 'text instead of JSON',
    wanted: [401, 415],
    build: ({ path, host }) =>
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`,
  },
  {
    name: 'a type behind a tab',
    wanted: [400, 401, 415],
    build: ({ path, host }) =>
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\t;x\r\nContent-Length: 2\r\n\r\n{}`,
  },
  ...['TRACE', 'OPTIONS', 'PROPFIND'].map(
    (method): Vector => ({
      name: `the method ${method}`,
      wanted: [405],
      build: ({ host }) => `${method} /v1/settings HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    }),
  ),
  {
    name: 'a backslash that is escaped in an id',
    wanted: [400, 401, 404],
    build: get([], '/v1/users/a%5cb'),
  },
  ...BODIES.flatMap(([what, body]) =>
    TYPES.map(
      ([type, line]): Vector => ({
        name: `${what}, as ${type}`,
        wanted: [400, 415],
        build: ({ host }) =>
          `POST /v1/session HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${line}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      }),
    ),
  ),
  { name: 'a body of 2 MB', wanted: [401, 413], build: post(['Content-Length: 2000000'], () => '{') },
];

export const VECTORS: readonly Vector[] = [...FRAMING, ...HEADS, ...MEANINGS];
/** Not all of the second part is for every reader: a proxy may set right what it hands on. */
export const FRAMING_NAMES: ReadonlySet<string> = new Set(FRAMING.map(({ name }) => name));
