import { requestErrors } from '../../errors/index.ts';
import type { Secret } from '../../lib/secret.ts';
import { accountErrors } from '../accounts/index.ts';
import { COMMON_PASSWORDS } from './common-passwords.ts';

const PASSWORD_CHARACTERS_MIN = 12;
/** Bounds the work that an unknown caller can cause; a passphrase of 1024 bytes is longer than anybody types. */
const PASSWORD_BYTES_MAX = 1024;

const PRODUCT = 'keyreeve';
/** Characters that must remain when everything that a guessing program tries first is taken away. */
const UNGUESSED_MIN = 4;
const CONTEXT_CHARACTERS_MIN = 3;
const RUN_CHARACTERS_MIN = 3;
const REPEATED_UNIT_MAX = 5;

const KEYBOARD = [
  'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1q2w3e4r5t6y7u8i9o0p',
  'qazwsxedcrfvtgbyhnujmikolp',
  '!@#$%^&*()_+',
];
const RUNS = [...KEYBOARD, ...KEYBOARD.map((run) => run.split('').toReversed().join(''))];
const YEAR = /^(?:19|20)\d\d/;
// "P@ssw0rd" is no harder to guess than "password": programs try these replacements by themselves.
const LOOK_ALIKES: readonly ReadonlyMap<string, string>[] = [
  new Map([
    ['@', 'a'],
    ['4', 'a'],
    ['3', 'e'],
    ['1', 'i'],
    ['!', 'i'],
    ['0', 'o'],
    ['$', 's'],
    ['5', 's'],
    ['7', 't'],
  ]),
  new Map([
    ['@', 'a'],
    ['4', 'a'],
    ['3', 'e'],
    ['1', 'l'],
    ['!', 'l'],
    ['0', 'o'],
    ['$', 's'],
    ['5', 's'],
    ['7', 't'],
  ]),
];

type GuessKind = 'common' | 'context' | 'run';

/**
 * The password in the form that is hashed and judged: NFC, so that the same text typed on two systems (é as one
 * or as two code points) is the same password. Nothing is cut off or trimmed.
 *
 * @throws request.invalid when it is longer than 1024 bytes or not well-formed Unicode
 */
export function toPasswordText(password: Secret): string {
  const text = password.reveal().normalize('NFC');
  if (!text.isWellFormed())
    throw requestErrors.invalid({
      detail: 'The password contains half of a character (an unpaired surrogate).',
    });
  if (Buffer.byteLength(text) > PASSWORD_BYTES_MAX) {
    throw requestErrors.invalid({
      detail: `The password is longer than ${PASSWORD_BYTES_MAX} bytes; use a shorter one.`,
    });
  }
  return text;
}

/**
 * Refuses passwords that are too short or that a guessing program finds early. No kind of character is required
 * (NIST SP 800-63B-4): length and being unexpected are what counts.
 *
 * @param contextWords e-mail address, display name and other words that an attacker knows of this account
 * @throws account.password_weak saying why; never with any part of the password
 */
export function judgePassword(password: Secret, contextWords: readonly string[]): void {
  const text = toPasswordText(password);
  const characters = Array.from(text);
  if (characters.length < PASSWORD_CHARACTERS_MIN) {
    throw accountErrors.password_weak({
      detail: `The password has ${characters.length} characters; at least ${PASSWORD_CHARACTERS_MIN} are needed. A few unrelated words make a good one.`,
    });
  }
  if (isRepetition(characters))
    throw accountErrors.password_weak({
      detail: 'The password repeats the same few characters. A few unrelated words make a good one.',
    });
  const guessed = findGuessedParts(text.toLowerCase(), toContext(contextWords));
  if (guessed.size === 0) return;
  const parts = [
    guessed.has('common') ? 'widely known passwords' : null,
    guessed.has('context') ? 'the name or address of the account or of this product' : null,
    guessed.has('run') ? 'runs like 1234, qwerty or a year' : null,
  ].filter((part) => part !== null);
  throw accountErrors.password_weak({
    detail: `The password is little more than ${parts.join(', ')}. Add something unrelated: a few more words will do.`,
  });
}

function isRepetition(characters: readonly string[]): boolean {
  for (let unit = 1; unit <= REPEATED_UNIT_MAX; unit += 1) {
    if (characters.every((character, index) => index < unit || character === characters[index - unit]))
      return true;
  }
  return false;
}

function toContext(contextWords: readonly string[]): ReadonlySet<string> {
  const words = [...contextWords, PRODUCT].flatMap((text) => {
    const parts = text
      .normalize('NFC')
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u);
    return [...parts, parts.join('')];
  });
  return new Set(words.filter((word) => word.length >= CONTEXT_CHARACTERS_MIN));
}

/** The kinds of guessable parts, when hardly anything but them is there; otherwise none. */
function findGuessedParts(text: string, context: ReadonlySet<string>): ReadonlySet<GuessKind> {
  const variants = [
    text,
    ...LOOK_ALIKES.map((map) => text.replace(/[@4310$57!]/g, (character) => map.get(character) ?? character)),
  ];
  const longest = Math.max(...[...COMMON_PASSWORDS, ...context].map((word) => word.length));
  const kinds = new Set<GuessKind>();
  let unguessed = 0;
  for (let at = 0; at < text.length; ) {
    const found = findGuess(text, variants, at, longest, context);
    if (found === null) {
      unguessed += 1;
      // Most passwords end here, after a few characters.
      if (unguessed >= UNGUESSED_MIN) return new Set();
      at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    } else {
      kinds.add(found.kind);
      at += found.length;
    }
  }
  return kinds;
}

/** The longest guessable part that begins here. */
function findGuess(
  text: string,
  variants: readonly string[],
  at: number,
  longest: number,
  context: ReadonlySet<string>,
): { kind: GuessKind; length: number } | null {
  const run = lengthOfRun(text, at);
  for (
    let length = Math.min(longest, text.length - at);
    length >= CONTEXT_CHARACTERS_MIN && length > run;
    length -= 1
  ) {
    const parts = variants.map((variant) => variant.slice(at, at + length));
    if (parts.some((part) => COMMON_PASSWORDS.has(part))) return { kind: 'common', length };
    if (parts.some((part) => context.has(part))) return { kind: 'context', length };
  }
  return run === 0 ? null : { kind: 'run', length: run };
}

/** How far a walk along the alphabet or the keyboard, a repeated character or a year goes from here; 0 for none. */
function lengthOfRun(text: string, at: number): number {
  let length = RUN_CHARACTERS_MIN;
  while (at + length <= text.length && isRun(text.slice(at, at + length))) length += 1;
  const run = length - 1;
  if (run >= RUN_CHARACTERS_MIN) return run;
  return YEAR.test(text.slice(at, at + 4)) ? 4 : 0;
}

function isRun(part: string): boolean {
  return RUNS.some((run) => run.includes(part)) || part === (part[0] ?? '').repeat(part.length);
}
