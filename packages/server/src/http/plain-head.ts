import type { IncomingHttpHeaders } from 'node:http';

/** The head of a request of which no reader could think otherwise. */
export interface PlainHead {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** 0 where the head tells of none. */
  readonly bodyBytes: number;
  /** Where the head ends and the body begins. */
  readonly endsAt: number;
}

const REQUEST_LINE = /(GET|POST) (\/[!-~]*) HTTP\/1\.1\r\n/y;
/** Of the many ways of writing a field line (RFC 9112, 5) the one that all programs use. */
const FIELD_LINE = /([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)\r\n/y;
const LENGTH = /^[1-9]\d{0,3}$/;
const FIELDS_MAX = 64;

/** Fields that say how the connection or the body goes on, or that a server answers by itself. */
const UNPLAIN_FIELDS = new Set([
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Reads a head that is written in the one plain way, each field once: HTTP/1.1, printable ASCII, one blank after the
 * colon, CRLF, no body that comes in chunks. Null for every other text, also for a part of a head: it was not looked
 * at then, and Node's parser, which knows all ways, is given the same bytes. What is taken here is never passed on to
 * another reader, so there is nobody with whom it could disagree (RFC 9112, 11.2).
 *
 * @param text Latin-1, from the first byte of a request
 */
export function readPlainHead(text: string): PlainHead | null {
  REQUEST_LINE.lastIndex = 0;
  const [line, method, url] = REQUEST_LINE.exec(text) ?? [];
  if (line === undefined || url === undefined) return null;
  const headers: Record<string, string> = {};
  let fields = 0;
  FIELD_LINE.lastIndex = line.length;
  for (;;) {
    const at = FIELD_LINE.lastIndex;
    const field = FIELD_LINE.exec(text);
    if (field === null) {
      const isEnd = text.startsWith('\r\n', at);
      return isEnd ? finish(method as PlainHead['method'], url, headers, at + 2) : null;
    }
    fields += 1;
    const [, spelled = '', value = ''] = field;
    const name = spelled.toLowerCase();
    if (fields > FIELDS_MAX || Object.hasOwn(headers, name) || UNPLAIN_FIELDS.has(name)) return null;
    headers[name] = value;
  }
}

function finish(
  method: PlainHead['method'],
  url: string,
  headers: Record<string, string>,
  endsAt: number,
): PlainHead | null {
  const { connection, 'content-length': length } = headers;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null;
  if (length === undefined) return method === 'GET' ? { method, url, headers, bodyBytes: 0, endsAt } : null;
  if (method === 'GET' || !LENGTH.test(length)) return null;
  return { method, url, headers, bodyBytes: Number(length), endsAt };
}
