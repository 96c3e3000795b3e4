import { hash } from 'node:crypto';
import type { CryptoKey } from 'jose';
import { isWithinLife, type TokenClaims } from './claims.ts';
import { readKeyId, readToken, type TokenExpectations } from './token-text.ts';

/** A token of ours that is no forgery and has not run out. */
export interface CheckedToken {
  /** The id of the key that signed it. */
  readonly kid: string;
  readonly claims: TokenClaims;
  /** What the guard of the storage told before the token was looked for among those that have ended; null before that. */
  lastingUnder: number | null;
}

interface Kept extends CheckedToken {
  readonly publicKey: CryptoKey;
  /** For whom it was found good. */
  readonly audiences: string;
}

export interface CheckedTokens {
  /** As `readToken`, which is asked once for each token: whoever shows one mostly shows it again and again. */
  read(text: string, expected: TokenExpectations): Promise<CheckedToken | null>;
}

// A token takes some 2 KB with its claims.
const TOKENS_MAX = 2_000;

/**
 * Remembers tokens by their SHA-256, since to check a signature takes longer than all else. What may change is looked
 * at each time: the life of the token, and the keys that signed it and those that it came from. Whoever keeps nothing
 * but good tokens cannot be made to remember anything by those who have none.
 */
export function createCheckedTokens(tokensMax = TOKENS_MAX): CheckedTokens {
  const kept = new Map<string, Kept>();
  return {
    read: async (text, expected) => {
      // Stryker disable next-line StringLiteral: any spelling of a hash is a name
      const name = hash('sha256', text, 'base64');
      const audiences = JSON.stringify(expected.audiences);
      const known = kept.get(name);
      if (known?.audiences === audiences && (await isStillGood(known, expected))) return known;
      const claims = await readToken(text, expected);
      if (claims === null) return null;
      const kid = readKeyId(text);
      const key = await expected.findKey(kid);
      if (key === null) return null;
      const made: Kept = { kid, claims, publicKey: key.publicKey, audiences, lastingUnder: null };
      kept.set(name, made);
      const oldest = kept.keys().next().value;
      // Stryker disable next-line ConditionalExpression: there is an oldest, which the compiler cannot know
      if (kept.size > tokensMax && oldest !== undefined) kept.delete(oldest);
      return made;
    },
  };
}

async function isStillGood(
  { kid, claims, publicKey }: Kept,
  { issuer, workspaceId, now, findKey }: TokenExpectations,
): Promise<boolean> {
  if (claims.iss !== issuer || claims.workspace !== workspaceId || !isWithinLife(claims, now)) return false;
  if ((await findKey(kid))?.publicKey !== publicKey) return false;
  for (const other of claims.anckid ?? []) if ((await findKey(other)) === null) return false;
  return true;
}
