import type { Dice } from './fuzz-dice.ts';
import type { Pattern } from './redos-patterns.ts';

/** What a text must not take longer than, whatever it says. */
export const TIME_MS_MAX = 5;
export const TEXT_CHARACTERS = 64 * 1024;
/** From short to long: what grows with the square is seen before it takes minutes, what doubles with each before hours. */
const SIZES = [24, 256, 2_048, 16_384, TEXT_CHARACTERS];
const PUMPS = [
  'a',
  'A',
  '0',
  ' ',
  '_',
  '-',
  '.',
  '/',
  ',',
  '"',
  '<',
  '%',
  '\t',
  '\n',
  '=',
  ':',
  'a.',
  'a-',
  ', ',
  'a0_',
];
const ENDS = ['', '\u0000'];
const TRIES = 3;
const SOME = 6;

export interface Slow {
  readonly ms: number;
  readonly characters: number;
  /** What was repeated, and what stood before it. */
  readonly text: string;
}

/**
 * The first text of up to `charactersMax` over which a pattern is slower than it may be.
 *
 * @param dice picks some of the texts; without it all are tried
 * @param more what else to repeat
 */
export function findSlowText(
  pattern: Pattern,
  charactersMax: number,
  dice: Dice | null,
  more: readonly string[] = [],
): Slow | null {
  const regex = new RegExp(pattern.source, pattern.flags);
  const starts = ['', readLiteralStart(pattern.source)];
  const all = [...PUMPS, ...readLiterals(pattern.source), ...more];
  const pumps = dice === null ? all : Array.from({ length: SOME }, () => dice.pick(all));
  const ends = dice === null ? ENDS : [dice.pick(ENDS)];
  const sizes = [...SIZES.filter((size) => size < charactersMax), charactersMax];
  for (const start of new Set(starts))
    for (const pump of new Set(pumps))
      for (const end of ends)
        for (const size of sizes) {
          const text =
            `${start}${pump.repeat(Math.ceil(size / pump.length))}`.slice(0, size - end.length) + end;
          const ms = measure(regex, text);
          if (ms > TIME_MS_MAX) return { ms, characters: size, text: `${start}(${pump})*${end}` };
        }
  return null;
}

/** The shortest of a few, so that somebody else's work on the machine is not taken for the pattern's. */
function measure(regex: RegExp, text: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let index = 0; index < TRIES && best > TIME_MS_MAX; index += 1) {
    regex.lastIndex = 0;
    const started = performance.now();
    regex.test(text);
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

/** Fixed words of the source: what gets a matcher past its beginning. */
function readLiterals(source: string): string[] {
  return [...source.matchAll(/[A-Za-z0-9 :"'-]{2,}/g)].map(([word]) => word).slice(0, 6);
}

function readLiteralStart(source: string): string {
  return (
    /^(?:\^|\\b)?((?:[A-Za-z0-9 :"'_-]|\\[/.])*)(?![*+?{|])/.exec(source)?.[1]?.replaceAll('\\', '') ?? ''
  );
}
