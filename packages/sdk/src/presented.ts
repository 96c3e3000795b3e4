/** What a request presents, before anybody has looked whether it is any good. */
export type Presented =
  /** A full key, a token, or a foreign credential. */
  | { readonly kind: 'bearer'; readonly value: string }
  | { readonly kind: 'pair'; readonly apiKey: string; readonly secretKey: string };

/** Why the headers cannot be taken: two callers in one request, or a header that cannot be read. */
export type PresentedFault = 'ambiguous_credentials' | 'invalid_credential';

/** All values of a header, each as it was sent: one for each time that it stands in the request. */
export type ReadHeader = (name: string) => readonly string[];

const KEY_HEADERS = ['x-api-key', 'x-nuget-apikey'] as const;
const CREDENTIAL_CHARACTERS_MAX = 8_192;

/** Node.js keeps the first of some repeated headers and joins others; only its raw list tells. */
export function readRawHeaders(rawHeaders: readonly string[]): ReadHeader {
  return (name) =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/**
 * `Headers` joins repeated headers by a comma and a blank, which no credential contains: a value with a comma is
 * taken for several.
 */
export function readFetchHeaders(headers: Headers): ReadHeader {
  return (name) => headers.get(name)?.split(',') ?? [];
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** An IPv4 or IPv6 address, also with a zone (`fe80::1%eth0`). No other text comes from the network itself. */
export function isIpAddress(text: string): boolean {
  const [, address = ''] = /^([0-9a-f:.]{2,45})(?:%[\w.-]{1,32})?$/i.exec(text) ?? [];
  return IPV4.test(text) || (address.includes(':') && URL.canParse(`http://[${address}]`));
}

/** Three parts of base64url that start like `{"`: nothing that a server mints as a key looks so. */
export function isToken(text: string): boolean {
  return /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/.test(text);
}

function decodeBasic(base64: string): { user: string; password: string } | null {
  try {
    const binary = atob(base64.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, ''));
    const text = new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
    const colon = text.indexOf(':');
    return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return null;
  }
}

/** A key in two halves, or a full key in the place of the password (what package clients can send). */
function fromPair(user: string, password: string): Presented {
  const isWhole = user === '' || !/^[0-9A-Za-z]{49}$/.test(password);
  return isWhole ? { kind: 'bearer', value: password } : { kind: 'pair', apiKey: user, secretKey: password };
}

function fromAuthorization(header: string): Presented | null | PresentedFault {
  const bearer = /^bearer +(\S{1,8192}) *$/i.exec(header)?.[1];
  if (bearer !== undefined) return { kind: 'bearer', value: bearer };
  const basic = /^basic +([A-Za-z0-9+/=_-]{1,8192}) *$/i.exec(header)?.[1];
  const pair = basic === undefined ? null : decodeBasic(basic);
  if (pair === null) return 'invalid_credential';
  // What package clients send to whoever asks for Basic when they have nothing to send.
  return pair.user === '' && pair.password === '' ? null : fromPair(pair.user, pair.password);
}

function spell(credential: Presented): string {
  return credential.kind === 'pair' ? `${credential.apiKey}_${credential.secretKey}` : credential.value;
}

/**
 * The one credential of a request by the rules of the server, null when it brings none, or why it cannot be taken.
 * `Authorization` (Bearer or Basic), `X-API-Key` and `X-NuGet-ApiKey`, each at most once; the same credential in two
 * of them is one. Cookies are not looked at: they are sent by whatever page a browser shows.
 */
export function readPresented(readHeader: ReadHeader): Presented | null | PresentedFault {
  const values = ['authorization', ...KEY_HEADERS].map((name) => ({ name, all: readHeader(name) }));
  if (values.some(({ all }) => all.length > 1)) return 'ambiguous_credentials';
  const found: Presented[] = [];
  for (const { name, all } of values) {
    const value = all[0]?.trim() ?? '';
    if (value === '') continue;
    const one =
      name === 'authorization'
        ? fromAuthorization(value)
        : ({ kind: 'bearer', value: value.slice(0, CREDENTIAL_CHARACTERS_MAX) } as const);
    if (typeof one === 'string') return one;
    if (one !== null) found.push(one);
  }
  const [first] = found;
  if (first === undefined) return null;
  if (found.some((other) => spell(other) !== spell(first))) return 'ambiguous_credentials';
  return found.find((other) => other.kind === 'pair') ?? first;
}
