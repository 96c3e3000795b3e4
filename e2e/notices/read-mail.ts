/** What the tests read of a mail as it came over the wire. */
export interface ReadMail {
  readonly messageId: string;
  readonly keyId: string;
  readonly kind: 'key.expiring' | 'key.expired';
  /** Milliseconds. */
  readonly sentAt: number;
}

const SUBJECTS = [
  [/is about to expire/, 'key.expiring'],
  [/有効期限が近づいています/, 'key.expiring'],
  [/has expired/, 'key.expired'],
  [/有効期限が切れました/, 'key.expired'],
] as const;

function headerOf(raw: string, name: string): string {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  const line = head.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line?.slice(name.length + 1).trim() ?? '';
}

/** RFC 2047, in the two spellings that mailers use. */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([BQ])\?([^?]*)\?=/gi, (_all, encoding: string, body: string) => {
      if (encoding.toUpperCase() === 'B') return Buffer.from(body, 'base64').toString('latin1');
      return body
        .replaceAll('_', ' ')
        .replace(/=([0-9A-F]{2})/gi, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    });
}

function subjectOf(raw: string): string {
  const words = headerOf(raw, 'Subject');
  return /=\?utf-8\?/i.test(words) ? Buffer.from(decodeWords(words), 'latin1').toString('utf8') : words;
}

/** The bodies, with their transfer encoding undone as far as an API key needs it. */
function textOf(raw: string): string {
  const unwrapped = raw.replaceAll('=\r\n', '');
  const decoded = [...raw.matchAll(/Content-Transfer-Encoding: base64\r\n\r\n([A-Za-z0-9+/=\r\n]+)/gi)].map(
    ([, body = '']) => Buffer.from(body, 'base64').toString('utf8'),
  );
  return [unwrapped, ...decoded].join('\n');
}

export function readMail(raw: string): ReadMail {
  const subject = subjectOf(raw);
  const kind = SUBJECTS.find(([pattern]) => pattern.test(subject))?.[1];
  const keyId = /kr_[0-9A-Za-z]{16}/.exec(textOf(raw))?.[0];
  if (kind === undefined || keyId === undefined) throw new Error(`No notice of an expiry: ${subject}`);
  return {
    messageId: headerOf(raw, 'Message-ID'),
    keyId,
    kind,
    sentAt: Date.parse(headerOf(raw, 'Date')),
  };
}
