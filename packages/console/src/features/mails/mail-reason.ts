/** Why a mail is not sent, as far as its words tell. Each has a reason and a remedy in both languages. */
export type MailReason =
  | 'Address'
  | 'LinkEnded'
  | 'Unprepared'
  | 'Workspace'
  | 'Refused'
  | 'Later'
  | 'Login'
  | 'Tls'
  | 'Unreachable'
  | 'Other';

/** The server's own sentences; everything else begins with the code of its mail library. */
const OWN_SENTENCES: readonly (readonly [RegExp, MailReason])[] = [
  [/^The address is not one plain/, 'Address'],
  [/^The link in the mail ended/, 'LinkEnded'],
  [/^The mail could not be prepared/, 'Unprepared'],
  [/^The workspace is gone/, 'Workspace'],
];
const CODES: Readonly<Record<string, MailReason | undefined>> = {
  EAUTH: 'Login',
  ETLS: 'Tls',
  ECONNECTION: 'Unreachable',
  ETIMEDOUT: 'Unreachable',
  ESOCKET: 'Unreachable',
  EDNS: 'Unreachable',
  ECONNREFUSED: 'Unreachable',
};

export interface ToldReason {
  readonly reason: MailReason;
  /** What the mail server or the connection said; null when the reason says it all. */
  readonly said: string | null;
}

/** Sorts what the server has kept of the last try. */
export function readReason(lastError: string): ToldReason {
  const own = OWN_SENTENCES.find(([pattern]) => pattern.test(lastError));
  if (own !== undefined) return { reason: own[1], said: null };
  const code = /^(\w+): /.exec(lastError)?.[1] ?? '';
  const said = lastError.slice(code === '' ? 0 : code.length + 2);
  if (/certificate|\bTLS\b|\bSSL\b/i.test(said)) return { reason: 'Tls', said };
  const known = CODES[code];
  if (known !== undefined) return { reason: known, said };
  const status = /^[45]\d\d\b/.exec(said)?.[0] ?? '';
  if (status !== '') return { reason: status.startsWith('5') ? 'Refused' : 'Later', said };
  return { reason: 'Other', said };
}
