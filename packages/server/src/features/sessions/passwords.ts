import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import type { Random } from '../../lib/random.ts';
import type { Secret } from '../../lib/secret.ts';
import { createLane } from './lane.ts';
import { judgePassword, toPasswordText } from './password-rules.ts';

/** argon2id as OWASP ASVS 5.0 (appendix C) asks for at least: 46 MiB, one pass, one thread. */
const ARGON2_COST = { memoryCost: 47_104, timeCost: 1, parallelism: 1, outputLen: 32 } as const;
const SALT_BYTES = 16;

// Each hash holds a thread of the pool that files and name look-ups share, a core, and 46 MiB. Two at once leave half
// of the pool free, and 32 in the queue are answered within two seconds.
const LIMITS = { runningMax: 2, waitingMax: 32, retryAfterSeconds: 2 };

/**
 * With a hash on every core, verifications would wait for their turn on one. Several workers have one hash each, because
 * nobody counts over processes: whoever wants a core left starts one worker less than there are cores.
 */
function countAtOnce({ workers = 1, cores = availableParallelism() }: PasswordsDeps): number {
  return workers > 1 ? 1 : Math.max(1, Math.min(LIMITS.runningMax, cores - 1));
}

interface PasswordsDeps {
  readonly random: Random;
  /** Processes on this machine, default 1. */
  readonly workers?: number;
  /** Default those that the process may use. */
  readonly cores?: number;
}

export interface Passwords {
  /**
   * Judges and hashes a new password.
   *
   * @throws account.password_weak, request.invalid, request.too_many
   */
  hash(password: Secret, contextWords: readonly string[]): Promise<string>;
  /**
   * Whether the password is the one of the stored hash. Without a stored hash the same work is done for nothing,
   * so that the time of the answer does not tell whether there is an account.
   *
   * @throws request.invalid, request.too_many
   */
  verify(stored: string | null, password: Secret): Promise<boolean>;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}

/** A hash at today's cost that no password has: random bytes in the place of salt and result. */
function newDummyHash(random: Random): string {
  const { memoryCost, timeCost, parallelism, outputLen } = ARGON2_COST;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${base64(random.bytes(SALT_BYTES))}$${base64(random.bytes(outputLen))}`;
}

export function createPasswords(deps: PasswordsDeps): Passwords {
  const lane = createLane({ ...LIMITS, runningMax: countAtOnce(deps) });
  const dummyHash = newDummyHash(deps.random);
  return {
    hash: async (password, contextWords) => {
      judgePassword(password, contextWords);
      const text = toPasswordText(password);
      return await lane.run(() => hash(text, { ...ARGON2_COST, salt: deps.random.bytes(SALT_BYTES) }));
    },
    verify: async (stored, password) => {
      const text = toPasswordText(password);
      const isRight = await lane.run(() => verify(stored ?? dummyHash, text));
      return stored !== null && isRight;
    },
  };
}
