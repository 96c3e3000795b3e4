import { FoundKey, type Hit, type Spot } from './found-key.ts';
import { bondOfApiKey, bondOfSecretKey } from './key-shape.ts';

/** Candidates of each kind that one text may have; more are not looked at, and the report says so. */
export const CANDIDATES_MAX = 100_000;
/**
 * Up to so many pairs of one text, each API key is held against each secret. A checksum of 32 bits lets one pair of
 * 4,294,967,296 pass by chance, so that a list of 100,000 keys beside 100,000 random strings would show some.
 */
const PAIRS_MAX = 4_000_000;
/** In larger texts, a secret belongs to one of so many API keys before it or after it. */
const NEIGHBOURS_MAX = 16;

/** Something that may be half of a key. */
export interface Candidate {
  readonly text: string;
  readonly spot: Spot;
}

function countBefore(candidates: readonly Candidate[], offset: number): number {
  let [low, high] = [0, candidates.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((candidates[middle]?.spot.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The API keys and secrets of one text that belong together, by the checksum. */
export function joinPairs(apiKeys: readonly Candidate[], secrets: readonly Candidate[]): Hit[] {
  const ordered = apiKeys.toSorted((one, other) => one.spot.offset - other.spot.offset);
  const isSmall = ordered.length * secrets.length <= PAIRS_MAX;
  const byBond = new Map<number, number[]>();
  for (const [index, { text }] of ordered.entries()) {
    const bond = bondOfApiKey(text);
    const before = byBond.get(bond);
    if (before === undefined) byBond.set(bond, [index]);
    else before.push(index);
  }
  return secrets.flatMap((secret): Hit[] => {
    const matches = byBond.get(bondOfSecretKey(secret.text) ?? -1);
    if (matches === undefined) return [];
    const rank = countBefore(ordered, secret.spot.offset);
    // The index before and the index after the secret are as far from it as each other.
    const distanceOf = (index: number) => (index < rank ? rank - index : index - rank + 1);
    const nearest = matches.reduce((best, index) => (distanceOf(index) < distanceOf(best) ? index : best));
    const apiKey = ordered[nearest];
    if (apiKey === undefined || (!isSmall && distanceOf(nearest) > NEIGHBOURS_MAX)) return [];
    const key = new FoundKey(apiKey.text, secret.text);
    return [{ key, spelling: 'pair', spot: secret.spot, apiKeySpot: apiKey.spot }];
  });
}
