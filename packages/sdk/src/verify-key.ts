import type { KeyreeveClient } from './client.ts';
import { KeyreeveTransportError } from './errors.ts';
import type { components } from './generated/api.ts';

/** `valid` and `code`; who it is (`keyId`, `account`, `scopes`, `expiresAt`) only when the secret was right. */
export type VerifyAnswer = components['schemas']['VerifyAnswer'];

/** A key in one of its two spellings, and what it wants to do. */
export type VerifyQuestion = (
  | { readonly key: string }
  | { readonly apiKey: string; readonly secretKey: string }
) & {
  /** `service:verb` or `service:resource:verb`. Without one, the answer says only whether the key is good. */
  readonly action?: string;
  /** What the action is done to; without it, the action must be held on everything (`*`). */
  readonly resource?: string;
  /** Address of the end client, for keys with an IP allow list. */
  readonly ip?: string;
};

/** An answer, and whether it may be used for the same question again. */
export interface KeyAnswer {
  readonly answer: VerifyAnswer;
  readonly isKeepable: boolean;
}

/** With the value `none` the server says that the answer is for this one question, as answers that count are. */
const KEEP_HEADER = 'keyreeve-cache';

/** Whoever lets somebody in by an answer must not do so by a text that another server sent. */
function isAnswer(value: unknown): value is VerifyAnswer {
  if (typeof value !== 'object' || value === null) return false;
  const { valid, code, keyId, account, expiresAt } = value as Partial<Record<string, unknown>>;
  if (typeof valid !== 'boolean' || typeof code !== 'string' || valid !== (code === 'valid')) return false;
  const isExpiryFit =
    expiresAt === null || (typeof expiresAt === 'string' && !Number.isNaN(Date.parse(expiresAt)));
  if (!isExpiryFit) return false;
  return !valid || (typeof keyId === 'string' && typeof account === 'object' && account !== null);
}

/** @throws as {@link verifyKey} */
export async function askAboutKey(
  client: KeyreeveClient,
  question: VerifyQuestion,
  signal?: AbortSignal,
): Promise<KeyAnswer> {
  const options = signal === undefined ? {} : { signal };
  const { data, response } = await client.POST('/v1/keys/verify', { ...options, body: question });
  if (isAnswer(data)) return { answer: data, isKeepable: response.headers.get(KEEP_HEADER) !== 'none' };
  throw new KeyreeveTransportError(
    'client.malformed_answer',
    'The answer is none about a key. Is it the address of a Keyreeve server?',
  );
}

/**
 * Asks whether a key that somebody presented is good and may do something (`POST /v1/keys/verify`). A key that
 * is not good is an answer, not an error: look at `valid`, and at `code` for the reason.
 *
 * @param client its credential must hold the action `iam:keys:verify`
 * @throws KeyreeveError `auth.*` when the client itself may not ask, `request.invalid` for a malformed question
 * @throws KeyreeveTransportError when no answer comes: then refuse the key, and say that it was not checked
 */
export async function verifyKey(
  client: KeyreeveClient,
  question: VerifyQuestion,
  options: { readonly signal?: AbortSignal } = {},
): Promise<VerifyAnswer> {
  return (await askAboutKey(client, question, options.signal)).answer;
}
