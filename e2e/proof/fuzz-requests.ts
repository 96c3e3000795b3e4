import { Buffer } from 'node:buffer';
import { fuzzBody, fuzzUpload } from './fuzz-bodies.ts';
import type { Dice } from './fuzz-dice.ts';
import type { ApiDocument, Operation, Parameter } from './fuzz-document.ts';
import { makeHostile, makeValid, NAUGHTY, type Pools, RawJson, toJsonText } from './fuzz-values.ts';
import type { WireRequest } from './fuzz-wire.ts';

export interface Credential {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Who may send what about which things. */
export interface Stage {
  readonly pools: Pools;
  /** They get far, so they are sent more often than the rest. */
  readonly strong: readonly Credential[];
  readonly all: readonly Credential[];
}

export interface FuzzRequest extends WireRequest {
  readonly operation: Operation;
  /** By another method than that of the operation. */
  readonly isOtherMethod: boolean;
  readonly credential: string;
}

/** How well-behaved a request is meant to be. */
export type Mood = 'valid' | 'near' | 'hostile';

export interface Making {
  readonly dice: Dice;
  readonly pools: Pools;
  readonly resolve: ApiDocument['resolve'];
}

/** A request to an operation: of ten about five as the document says, three with something wrong, two of any kind. */
export function makeRequest(api: ApiDocument, operation: Operation, stage: Stage, dice: Dice): FuzzRequest {
  const making: Making = { dice, pools: stage.pools, resolve: api.resolve };
  const mood = dice.pick<Mood>([
    'valid',
    'valid',
    'valid',
    'valid',
    'valid',
    'near',
    'near',
    'near',
    'hostile',
    'hostile',
  ]);
  const credential = dice.pick(dice.chance(mood === 'valid' ? 85 : 60) ? stage.strong : stage.all);
  const upload = fuzzUpload(operation, making);
  const sent = upload ?? fuzzBody(operation, making, mood);
  const isOtherMethod = dice.chance(2);
  const method = isOtherMethod ? otherMethod(operation, dice) : operation.method;
  return {
    operation,
    isOtherMethod,
    credential: credential.name,
    method,
    target: makeTarget(operation, making, mood),
    headers: [
      ...Object.entries(credential.headers),
      ...sent.headers,
      ...makeHeaders(operation, making, mood),
    ],
    body: sent.body,
  };
}

/** As one line that another program could send again. */
export function describeRequest({ method, target, headers, body, credential }: FuzzRequest): string {
  const shown =
    body === null ? '' : ` body(latin1)=${JSON.stringify(body.toString('latin1').slice(0, 4_000))}`;
  const lines = headers.map(([name, value]) => `${name}: ${value}`).join(' | ');
  return `${method} ${target.slice(0, 4_000)} as ${credential} [${lines.slice(0, 4_000)}]${shown}`;
}

function otherMethod({ method }: Operation, dice: Dice): string {
  if (method === 'GET' && dice.chance(50)) return 'HEAD';
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'];
  return dice.pick(methods.filter((each) => each !== method));
}

const POOL_OF_PATH: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/(users|service-accounts|accounts)\//, 'accountId'],
  [/^\/v1\/webhooks\//, 'webhookId'],
  [/^\/v1\/mailbox\//, 'mailId'],
  [/^\/v1\/sessions\//, 'sessionId'],
  [/^\/v1\/feed-links\//, 'feedLinkId'],
  [/^\/v1\/package-prefixes\//, 'prefixId'],
  [/package|gallery|^\/v3\//, 'packageId'],
];
const POOL_OF_PARAMETER: Readonly<Record<string, string>> = {
  token: 'feedToken',
  lower: 'version',
  upper: 'version',
};

function poolOf({ path }: Operation, name: string): string {
  if (name === 'id') return POOL_OF_PATH.find(([pattern]) => pattern.test(path))?.[1] ?? 'packageId';
  return POOL_OF_PARAMETER[name] ?? name;
}

/** Below `/api/v2` one operation has many addresses, of which its text tells. */
const FEED_ADDRESSES = [
  '/$metadata',
  '/Packages()',
  '/Packages',
  '/Packages()/$count',
  "/Packages(Id='{id}',Version='{version}')",
  "/FindPackagesById()?id='{id}'",
  "/Search()?searchTerm='{text}'&targetFramework=''&includePrerelease=true",
  "/Search()/$count?searchTerm='{text}'",
  "/GetUpdates()?packageIds='{id}'&versions='{version}'&includePrerelease=false&includeAllVersions=true",
  '/package/{id}',
  '/items/psscript/Packages()',
  '/{text}',
];
const ODATA_OPTIONS = [
  '$filter',
  '$orderby',
  '$skip',
  '$top',
  '$select',
  'semVerLevel',
  '$inlinecount',
  '$skiptoken',
  '$format',
  'x',
];
const FILTERS = [
  'IsLatestVersion',
  "Id eq '{id}' and IsPrerelease eq false",
  "tolower(Id) eq '{id}' or substringof('{text}',Description)",
  "startswith(Id,'{text}') and not (Version eq '{version}')",
  'DownloadCount gt 9223372036854775808',
  "Created gt datetime'2020-01-01T00:00:00'",
  `${'('.repeat(60)}IsLatestVersion${')'.repeat(60)}`,
  `${'Id eq 1 or '.repeat(80)}true`,
  "Id eq '",
  'Id eq',
  '{text}',
];

function makeTarget(operation: Operation, making: Making, mood: Mood): string {
  const { dice } = making;
  const path = operation.path.replace(/\{(\w+)\}/g, (_match, name: string) =>
    encodeText(dice, makePathText(operation, making, mood, name)),
  );
  const query = [
    ...operation.parameters
      .filter((parameter) => parameter.in === 'query' && (parameter.required === true || dice.chance(35)))
      .flatMap((parameter) => makeQueryPairs(parameter, making, mood)),
    ...(mood === 'hostile' && dice.chance(50)
      ? [`${encodeText(dice, dice.pick(NAUGHTY))}=${encodeText(dice, dice.pick(NAUGHTY))}`]
      : []),
    ...(mood === 'near' && dice.chance(20)
      ? [dice.pick(['x=1', '%', 'a=%zz', '=', '&&', '%00=1', 'limit[]=1', 'q=%c3%28', '?'])]
      : []),
  ];
  const address = operation.id === 'readPackageFeed' ? `${path}${makeFeedAddress(making)}` : path;
  const dryRun = operation.id === 'pushPackage' && dice.chance(30) ? ['dryRun=true'] : [];
  const all = [...query, ...dryRun].join('&');
  return all === '' ? address : `${address}${address.includes('?') ? '&' : '?'}${all}`;
}

function makePathText(operation: Operation, { dice, pools }: Making, mood: Mood, name: string): string {
  const pick = (pool: string) => dice.pick(pools.get(pool) ?? ['x']);
  if (mood === 'hostile' || dice.chance(8)) return dice.pick(NAUGHTY).slice(0, 400) || 'x';
  if (name === 'file') {
    const id = pick('packageId').toLowerCase();
    return dice.pick([`${id}.1.0.0.nupkg`, `${id}.nuspec`, `${id}.1.0.0.nupkg.sha512`, 'icon', 'readme']);
  }
  if (name === 'leaf') return dice.pick(['index.json', `${pick('version')}.json`]);
  const id = pick(poolOf(operation, name));
  return dice.chance(8) ? `${id.slice(0, -4)}Zz9Z` : id;
}

function makeQueryPairs(parameter: Parameter, making: Making, mood: Mood): string[] {
  const { dice } = making;
  const isSpoiled = mood === 'hostile' || (mood === 'near' && dice.chance(50));
  const value = isSpoiled ? makeHostile(making) : makeValid(making, parameter.schema, parameter.name);
  const pair = `${parameter.name}=${encodeText(dice, toParameterText(value))}`;
  return mood !== 'valid' && dice.chance(15) ? [pair, pair] : [pair];
}

function toParameterText(value: unknown): string {
  return typeof value === 'string' ? value : value instanceof RawJson ? value.text : toJsonText(value);
}

function makeFeedAddress(making: Making): string {
  const { dice, pools } = making;
  const fill = (template: string) =>
    template.replace(/\{(id|version|text)\}/g, (_match, name: string) => {
      const text =
        name === 'text' || dice.chance(15)
          ? dice.pick(NAUGHTY)
          : dice.pick(pools.get(name === 'id' ? 'packageId' : 'version') ?? ['x']);
      return encodeText(dice, text.replaceAll("'", "''").slice(0, 300));
    });
  const address = fill(dice.pick(FEED_ADDRESSES));
  const options = Array.from({ length: dice.pick([0, 1, 1, 2]) }, () => {
    const name = dice.pick(ODATA_OPTIONS);
    const value =
      name === '$filter'
        ? fill(dice.pick(FILTERS)).replaceAll(' ', '%20')
        : encodeText(
            dice,
            toParameterText(
              dice.chance(50)
                ? makeHostile(making)
                : dice.pick(['Id', 'Version desc', '0', '40', '2.0.0', 'Id,Version']),
            ),
          );
    return `${name}=${value}`;
  });
  const query = options.join('&');
  return query === '' ? address : `${address}${address.includes('?') ? '&' : '?'}${query}`;
}

/** Percent-encoded UTF-8; of a lone surrogate its three bytes, which are no UTF-8, and sometimes with a stray `%`. */
function encodeText(dice: Dice, text: string): string {
  const encoded = text.isWellFormed()
    ? encodeURIComponent(text)
    : encodeURIComponent(text.toWellFormed()).replaceAll('%EF%BF%BD', '%ED%A0%80');
  const limited = encoded.slice(0, 6_000).replace(/%[0-9A-F]?$/, '');
  return dice.chance(1) ? `${limited}%` : limited;
}

const ODD_HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['Accept', ['*/*', 'text/html', 'application/xml;q=0.9', '', 'text/event-stream;q=0', ';;;,,,']],
  ['Accept-Encoding', ['gzip', 'identity;q=0', 'br, gzip;q=1.0, *;q=0', '', 'gzip;q=abc', ',']],
  ['Accept-Language', ['ja', 'en;q=0.5, ja', '*', 'xx-'.repeat(200), ';q=']],
  ['If-None-Match', ['*', '"1"', 'W/"x", "y"', '"', ',,,']],
  ['If-Modified-Since', ['Thu, 01 Jan 1970 00:00:00 GMT', 'x']],
  [
    'Range',
    [
      'bytes=0-1',
      'bytes=-1',
      'bytes=9999999-',
      'bytes=0-0,2-3',
      'bytes=5-2',
      'x=1',
      'bytes=99999999999999999999-',
    ],
  ],
  ['If-Range', ['"x"', 'Thu, 01 Jan 1970 00:00:00 GMT']],
  ['X-Forwarded-For', ['203.0.113.7', '203.0.113.7, 10.0.0.1', 'x', '::1', ',,', '1'.repeat(300)]],
  ['X-Forwarded-Proto', ['https', 'http', 'javascript', 'https,http']],
  ['X-Forwarded-Host', ['evil.example', 'localhost', '']],
  ['Forwarded', ['for=1.1.1.1;host=evil.example']],
  ['Origin', ['https://evil.example', 'null', 'http://localhost:8080', 'x']],
  ['Sec-Fetch-Site', ['same-origin', 'cross-site', 'none', 'x']],
  ['Keyreeve-Expected-Account', ['acc_x', '']],
  ['X-HTTP-Method-Override', ['DELETE', 'PUT']],
  ['User-Agent', ['', 'NuGet Command Line/5.8.0', 'x'.repeat(3_000), '\u00ff\u0080']],
  ['X-NuGet-Protocol-Version', ['4.1.0', 'x']],
  ['Traceparent', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x']],
  ['Expect', ['100-continue']],
  ['Idempotency-Key', ['x']],
];

function makeHeaders(operation: Operation, making: Making, mood: Mood): [string, string][] {
  const { dice } = making;
  const headers: [string, string][] = [];
  const takesIfMatch = operation.parameters.some(({ in: place }) => place === 'header');
  if (takesIfMatch && dice.chance(90))
    headers.push(['If-Match', dice.pick(['*', '*', '"1"', '"2"', 'W/"1"', '"x"', '*, "1"', ''])]);
  const count = mood === 'valid' ? dice.pick([0, 0, 0, 1]) : dice.pick([0, 1, 2, 3]);
  for (let index = 0; index < count; index += 1) {
    const [name, values] = dice.pick(ODD_HEADERS);
    const value = dice.chance(80) ? dice.pick(values) : toHeaderText(dice.pick(NAUGHTY));
    // Whoever announces that he waits is answered before he goes on; what then comes is the body all the same.
    headers.push([name, name === 'Expect' ? '100-continue' : value]);
  }
  // An answer that does not end would be waited for; the stream has tests of its own.
  return operation.id === 'watchRevocations'
    ? headers.filter(([name, value]) => name !== 'Accept' || !value.includes('event-stream'))
    : headers;
}

/** What may stand in a header at all; bytes that may not are for the table of raw requests. */
function toHeaderText(text: string): string {
  return Buffer.from(text.slice(0, 1_000))
    .toString('latin1')
    .replace(/[\u0000-\u001f\u007f]/g, ' ')
    .trim();
}
