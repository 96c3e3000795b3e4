import { describe, expect, it } from 'vitest';
import { AppError } from '../../errors/index.ts';
import { Secret } from '../../lib/secret.ts';
import { judgePassword } from './password-rules.ts';

const ACCOUNT = ['hopper@navy.example', 'Grace Hopper'];

/** Null when the password is taken, otherwise the reason. */
function refusalOf(password: string, context = ACCOUNT): string | null {
  try {
    judgePassword(new Secret(password), context);
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.code}: ${error.detail}`;
  }
}

describe('a new password', () => {
  it.each([
    ['four unrelated words', 'velvet ladder orbit mustard'],
    ['a word and what nobody expects', 'Tintenfass-Q7w'],
    ['what a generator makes', 'x9V!kq2#Lm0Zr'],
    ['twelve characters exactly', 'hplqvmzrtbdw'],
    ['Japanese text', '夕焼けの電車で二時間ねむる'],
    ['64 different emoji and blanks', ' 🦊🌲🚲🧵'.repeat(2) + '🪐🥕🎻🧊🐙🪵🧭🪁'.repeat(7)],
    ['1024 bytes', 'kf83'.repeat(3) + 'velvet ladder '.repeat(72) + 'abcd'],
    ['a common word in a long sentence', 'my dragon eats seventeen lampshades'],
  ])('may be %s', (_case, password) => {
    expect(refusalOf(password)).toBeNull();
  });

  it('needs twelve characters, counted as people count them', () => {
    expect(refusalOf('hplqvmzrtbd')).toContain('has 11 characters; at least 12');
    expect(refusalOf('🦊🌲🚲🧵🪐🥕🎻🧊🐙🪵🧭')).toContain('has 11 characters');
    expect(refusalOf('🦊🌲🚲🧵🪐🥕🎻🧊🐙🪵🧭🪁')).toBeNull();
  });

  it('may not be longer than 1024 bytes, whatever the number of characters', () => {
    expect(refusalOf('夕'.repeat(342))).toContain('request.invalid');
    expect(refusalOf('x'.repeat(1025))).toContain('longer than 1024 bytes');
  });

  it('may not contain half a character, which would be hashed as something else', () => {
    expect(refusalOf('velvet ladder \ud83e')).toContain('unpaired surrogate');
  });

  it.each(['aaaaaaaaaaaa', 'abcabcabcabcabc', 'xyxyxyxyxyxyx', '🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊'])(
    'may not repeat itself: %s',
    (password) => {
      expect(refusalOf(password)).toContain('repeats');
    },
  );

  it.each([
    'password1234',
    'Password123!',
    'P@ssw0rd2024!',
    'correcthorsebatterystaple',
    'correct horse battery staple',
    'iloveyouforever',
    'Welcome-2024-!',
    'Summer2026!!',
    'princess princess',
    'l3tm31n-1234',
    'passwordpassword',
  ])('may not be little more than what everybody tries: %s', (password) => {
    expect(refusalOf(password)).toContain('widely known');
  });

  it.each([
    '123456789012',
    'abcdefghijkl',
    'qwertyuiop[]',
    'poiuytrewq12',
    '1q2w3e4r5t6y',
    'zyxwvu987654',
    '111222333444',
  ])('may not be a walk over the keyboard: %s', (password) => {
    expect(refusalOf(password)).toContain('runs like');
  });

  it.each(['gracehopper1', 'Hopper-Grace-1', 'keyreeve2026', 'KeyReeve-navy!', 'h0pper@navy.example'])(
    'may not be made of what is known of the account: %s',
    (password) => {
      expect(refusalOf(password)).toContain('name or address');
    },
  );

  it('is fine with the name of somebody else', () => {
    expect(refusalOf('gracehopper1', ['turing@example.com', 'Alan Turing'])).toBeNull();
  });

  it('never stands in the reason', () => {
    expect(refusalOf('gracehopper1')).not.toContain('gracehopper1');
    expect(refusalOf('short-Zq7')).not.toContain('Zq7');
  });

  it('is judged quickly, however it is made', () => {
    const started = performance.now();
    for (let count = 0; count < 20; count += 1)
      refusalOf('passwordqwertz2024hopper'.repeat(42).slice(0, 1000));
    expect((performance.now() - started) / 20).toBeLessThan(500);
  });
});
