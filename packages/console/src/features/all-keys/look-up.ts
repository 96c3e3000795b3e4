import { KeyreeveError, type VerifyAnswer } from '@keyreeve/sdk';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { readPastedKey } from '../../format/pasted-key.ts';
import { keyQuery } from '../keys/key-calls.ts';

/** What is known of the secret that was pasted: the answer of the server about it, or why there is none. */
export type SecretVerdict = Exclude<VerifyAnswer['code'], 'malformed' | 'not_found'> | 'wrong' | 'notGiven';

/** What a text turned out to be. Never the text itself, nor any secret. */
export type Finding =
  | { readonly kind: 'nothing' | 'notImported' }
  | { readonly kind: 'mistyped' | 'unknown'; readonly apiKey: string }
  | { readonly kind: 'found'; readonly apiKey: string; readonly secret: SecretVerdict };

async function isKnown(apiKey: string): Promise<boolean> {
  try {
    await queryClient.fetchQuery({ ...keyQuery(apiKey), staleTime: 0 });
    return true;
  } catch (error) {
    if (error instanceof KeyreeveError && error.status === 404) return false;
    throw error;
  }
}

/** Asks about the public half alone. */
export async function lookUpPublic(apiKey: string): Promise<Finding> {
  return (await isKnown(apiKey))
    ? { kind: 'found', apiKey, secret: 'notGiven' }
    : { kind: 'unknown', apiKey };
}

/**
 * Asks about a credential that may be one of another system, imported by its digest. The caller keeps no copy.
 */
export async function lookUpImported(credential: string): Promise<Finding> {
  const { data } = await api.POST('/v1/keys/verify', { body: { key: credential } });
  if (data.keyId === null || data.code === 'not_found' || data.code === 'malformed')
    return { kind: 'notImported' };
  await isKnown(data.keyId);
  return { kind: 'found', apiKey: data.keyId, secret: data.code };
}

async function judge(apiKey: string, fullKey: string): Promise<Finding> {
  // The key first: of one that does not exist no secret is sent.
  if (!(await isKnown(apiKey))) return { kind: 'unknown', apiKey };
  const { data } = await api.POST('/v1/keys/verify', { body: { key: fullKey } });
  const secret = data.code === 'not_found' || data.code === 'malformed' ? 'wrong' : data.code;
  return { kind: 'found', apiKey, secret };
}

/** Engines remember the text of the last match (`RegExp.lastMatch`); afterwards it is this one. */
function forgetLastMatch(): void {
  /^/.exec('');
}

/**
 * A copy of its own. What is cut out of a text may be no more than a pointer into it, and would keep the whole text,
 * its secret included, for as long as the piece is on the screen.
 */
function detach(piece: string): string {
  return Array.from({ length: piece.length }, (_, index) => piece.charAt(index)).join('');
}

/**
 * Recognises a pasted text, which is read here and kept nowhere. Nothing is sent for one that holds no key or a
 * mistyped one.
 */
export async function lookUpText(text: string): Promise<Finding> {
  const pasted = readPastedKey(text);
  forgetLastMatch();
  if (pasted.kind === 'unknown') return { kind: 'nothing' };
  const apiKey = detach(pasted.apiKey);
  if (pasted.kind === 'mistyped') return { kind: 'mistyped', apiKey };
  return pasted.kind === 'full' ? await judge(apiKey, pasted.fullKey) : await lookUpPublic(apiKey);
}

/** True for a text with a whole key in it: then there is nothing to wait for. */
export function holdsFullKey(text: string): boolean {
  const isFull = readPastedKey(text).kind === 'full';
  forgetLastMatch();
  return isFull;
}

/** True for a text that is recognised as a key of some kind, so that it must not stay in the field. */
export function isRecognised(text: string): boolean {
  const isKey = readPastedKey(text).kind !== 'unknown';
  forgetLastMatch();
  return isKey;
}
