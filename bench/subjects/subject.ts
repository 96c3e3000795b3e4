import type { BenchServer } from '../servers.ts';
import type { Load } from '../wrk.ts';

/** What somebody presents: a key, the id and secret of a client, or a token. */
export interface Credential {
  readonly id: string;
  readonly secret: string;
}

/** One operation of one server, ours or a peer's. */
export interface Subject {
  /** Short and unique: the key of its figures. */
  readonly name: string;
  /** What is asked and done, in a few words. */
  readonly what: string;
  /** Where its data lies, and what survives a power cut. */
  readonly durability: string;
  readonly server: BenchServer;
  /** New credentials that are to be taken. */
  make(count: number): Promise<readonly Credential[]>;
  /** The request that is measured. */
  load(credential: Credential): Load;
  /** True for an answer that says yes. It reads the body. */
  saysYes(response: Response): Promise<boolean>;
  /** Ends it for good; null where the server has no way to. */
  readonly revoke: ((credential: Credential) => Promise<void>) | null;
  /** The same with another secret of the right form. */
  spoil(credential: Credential): Credential;
}

/** Another letter in the middle of the last third: at its end base64 has bits that nobody reads. */
export function changeLetter(secret: string): string {
  const at = Math.floor(secret.length * 0.8);
  return `${secret.slice(0, at)}${secret[at] === 'x' ? 'y' : 'x'}${secret.slice(at + 1)}`;
}

/** The same id with another secret. */
export function spoilSecret({ id, secret }: Credential): Credential {
  return { id, secret: changeLetter(secret) };
}

export function toBasic({ id, secret }: Credential): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

/** Sends the request of a load once. */
export async function send(url: string, { method, path, headers, body }: Load): Promise<Response> {
  return await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
}

/** Sends JSON and reads JSON. @throws Error for an answer that is not 2xx */
export async function requestJson<Answer>(
  url: string,
  method: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return (text === '' ? null : JSON.parse(text)) as Answer;
}
