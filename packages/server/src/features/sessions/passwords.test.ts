import { describe, expect, it } from 'vitest';
import { hasErrorCode } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { createPasswords } from './passwords.ts';

const PASSWORD = 'velvet ladder orbit';

describe('stored passwords', () => {
  const passwords = createPasswords({ random: systemRandom });

  it('are argon2id with at least 46 MiB, and salted', async () => {
    const [first, second] = await Promise.all([
      passwords.hash(new Secret(PASSWORD), []),
      passwords.hash(new Secret(PASSWORD), []),
    ]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(first).not.toBe(second);
  });

  it('are verified whole: the last of a thousand bytes counts, and so do case and blanks', async () => {
    const long = `${'velvet ladder '.repeat(72)}x`;
    const stored = await passwords.hash(new Secret(long), []);
    expect(await passwords.verify(stored, new Secret(long))).toBe(true);
    expect(await passwords.verify(stored, new Secret(`${long.slice(0, -1)}y`))).toBe(false);
    expect(await passwords.verify(stored, new Secret(`${long} `))).toBe(false);
    expect(await passwords.verify(stored, new Secret(`V${long.slice(1)}`))).toBe(false);
  });

  it('are the same however a system spells an accent', async () => {
    const stored = await passwords.hash(new Secret('crème brûlée trois fois'.normalize('NFD')), []);
    expect(await passwords.verify(stored, new Secret('crème brûlée trois fois'.normalize('NFC')))).toBe(true);
  });

  it('that do not exist match nothing and cost as much as one that does', async () => {
    const stored = await passwords.hash(new Secret(PASSWORD), []);
    const timeOf = async (hash: string | null): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 7; round += 1) {
        const started = performance.now();
        expect(await passwords.verify(hash, new Secret('something else here'))).toBe(false);
        times.push(performance.now() - started);
      }
      return times.toSorted((a, b) => a - b)[3] ?? 0;
    };
    const [known, unknown] = [await timeOf(stored), await timeOf(null)];
    expect(unknown / known).toBeGreaterThan(0.2);
    expect(unknown / known).toBeLessThan(5);
  });

  it('are not hashed when they are weak', async () => {
    await expect(passwords.hash(new Secret('password1234'), [])).rejects.toSatisfy((error) =>
      hasErrorCode(error, 'account.password_weak'),
    );
  });

  it.each([
    ['one', { cores: 1 }],
    ['one, and a core is left to verifications,', { cores: 2 }],
    ['two', { cores: 4 }],
    ['one in each of several workers', { cores: 4, workers: 2 }],
  ])(
    'are checked %s at a time with 32 waiting; the others are told when to come again',
    async (many, machine) => {
      const own = createPasswords({ random: systemRandom, ...machine });
      const stored = await own.hash(new Secret(PASSWORD), []);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, () => own.verify(stored, new Secret(PASSWORD))),
      );
      const refused = outcomes
        .filter((outcome) => outcome.status === 'rejected')
        .map((outcome) => outcome.reason as unknown);
      expect(outcomes.length - refused.length).toBe(many === 'two' ? 34 : 33);
      for (const error of refused) {
        expect(
          hasErrorCode(error, 'request.too_many') && Number(error.headers['retry-after']),
        ).toBeGreaterThan(0);
      }
      expect(await own.verify(stored, new Secret(PASSWORD))).toBe(true);
    },
  );
});
