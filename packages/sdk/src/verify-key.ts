import type { KeyreeveClient } from './client.ts';
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
  const { data } = await client.POST('/v1/keys/verify', { ...options, body: question });
  return data;
}
