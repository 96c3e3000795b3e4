import { randomBytes } from 'node:crypto';

/** The one source of randomness. Tests hand in a source with known bytes to reach edge cases. */
export interface Random {
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = { bytes: (count) => randomBytes(count) };
