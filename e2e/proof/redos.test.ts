import { randomInt } from 'node:crypto';
import recheck from 'recheck';
import { describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { Dice } from './fuzz-dice.ts';
import { collectPatterns, listSources, type Pattern, readSources } from './redos-patterns.ts';
import { findSlowText, TEXT_CHARACTERS, TIME_MS_MAX } from './redos-run.ts';

const ITEM = 40;
const isFull = process.env['PROOF_FULL'] === '1';
const SEED = Number(process.env['REDOS_SEED'] ?? randomInt(1e9));
/** Of the short form, in which the checker, slow as it is, looks at some only. */
const SHORT_CHECKED = 6;
/** Several times what the slowest needs: a machine that is slow that day must leave none undecided. */
const CHECK_TIMEOUT_MS = 60_000;

interface Bound {
  readonly place: string;
  readonly charactersMax: number;
  readonly reason: string;
}

const OWN_ARGUMENTS = 'what somebody types after the name of the program, to himself';
const OWN_SENTENCES = 'sentences of our server, which cuts them at 512 characters (gallery.answer.ts)';

/** Patterns that are slow over long texts, and why they never meet one. */
const BOUNDS: readonly Bound[] = [
  { place: 'packages/cli/src/program.ts', charactersMax: 4_096, reason: OWN_ARGUMENTS },
  {
    place: 'packages/sdk/src/options.ts',
    charactersMax: 2_048,
    reason: 'the address of the server, from the configuration of the program',
  },
  { place: 'packages/console/src/errors/push-sentences.ts', charactersMax: 512, reason: OWN_SENTENCES },
  {
    place: 'packages/console/src/errors/detail-sentences.ts',
    charactersMax: 1_024,
    reason: 'sentences of our server, about one field',
  },
  { place: 'packages/console/src/errors/package-sentences.ts', charactersMax: 512, reason: OWN_SENTENCES },
  {
    place: 'packages/console/src/features/overview/verifications-layout.ts',
    charactersMax: 24,
    reason: 'a number with two decimals',
  },
  {
    place: 'packages/console/src/features/settings/settings-draft.ts',
    charactersMax: 254,
    reason: 'the length is looked at first',
  },
  {
    place: 'packages/server/src/features/audit/chain/chain-keys.ts',
    charactersMax: 44,
    reason: 'the base64 of a digest',
  },
  {
    place: 'packages/server/src/http/console.routes.ts',
    charactersMax: 255,
    reason: 'names of the files that the build has made',
  },
  {
    place: 'packages/server/src/http/openapi-examples.ts',
    charactersMax: 256,
    reason: 'examples of our own, when the document is made',
  },
];

/** Made of constants, or of the addresses of our own routes. */
const MADE_AT_RUN_TIME = [
  'packages/cli/src/scan/known-keys.ts',
  'packages/server/src/features/verification/question.ts',
  'packages/server/src/http/method-not-allowed.ts',
];

const fileOf = ({ place }: { readonly place: string }): string => place.replace(/:\d+$/, '');
const boundOf = (pattern: Pattern): number =>
  BOUNDS.find(({ place }) => place === fileOf(pattern))?.charactersMax ?? TEXT_CHARACTERS;

const { patterns, dynamic } = collectPatterns(readSources(listSources()));
const distinct = [...new Map(patterns.map((one) => [`${one.source}/${one.flags}`, one])).values()];
const dice = new Dice(SEED);
/** Planted as another file beside the sources, so that it is collected as they are. */
const PLANTED = 'export const isName = (text: string): boolean => /^([a-z]+)+$/.test(text);\n';
/** The second says the same in a way that leaves no choice of how to read a number. */
const PLANTED_BEHIND_WORD = `
  const slow = /\\bVersion\\/(\\d+)[\\d.]* Safari/;
  const fast = /\\bVersion\\/(\\d+)(?:\\.[\\d.]*)? Safari/;
`;

type Verdict = Awaited<ReturnType<typeof recheck.check>>;

function judge({ source, flags }: Pattern): Verdict {
  return recheck.checkSync(source, flags.replace('v', 'u'), { timeout: CHECK_TIMEOUT_MS });
}

describe('regular expressions of the sources', () => {
  it('are collected from everywhere; few are put together at run time, from nothing that a caller sends', () => {
    expect(distinct.length).toBeGreaterThan(300);
    expect([...new Set(dynamic.map(fileOf))].toSorted()).toEqual(MADE_AT_RUN_TIME.toSorted());
    for (const { place, reason } of BOUNDS) {
      expect(reason).not.toBe('');
      expect(
        patterns.some((one) => fileOf(one) === place),
        `${place} has no pattern any more`,
      ).toBe(true);
    }
  });

  it('take less than five milliseconds for the worst text that they can meet', () => {
    const slow = distinct.flatMap((pattern) => {
      const found = findSlowText(pattern, boundOf(pattern), isFull ? null : dice);
      return found === null
        ? []
        : [`${pattern.place} /${pattern.source}/ ${Math.round(found.ms)} ms: ${found.text}`];
    });
    recordFigure(ITEM, {
      name: 'patterns slower than 5 ms over 64 KiB, or over the longest text they meet',
      reached: `${slow.length} of ${distinct.length}`,
      wanted: '0',
      isHeld: slow.length === 0,
      seed: SEED,
    });
    expect(slow.join('\n')).toBe('');
  }, 300_000);

  it('are not vulnerable, unless the texts are bounded', () => {
    process.env['RECHECK_BACKEND'] = 'pure';
    const checked = isFull ? distinct : Array.from({ length: SHORT_CHECKED }, () => dice.pick(distinct));
    const verdicts = checked.map((pattern) => ({ pattern, verdict: judge(pattern) }));
    const unknown = verdicts.filter(({ verdict }) => verdict.status === 'unknown').length;
    const vulnerable = verdicts.flatMap(({ pattern, verdict }) => {
      if (verdict.status !== 'vulnerable') return [];
      const bound = boundOf(pattern);
      const attack = verdict.attack.string.slice(0, bound);
      const slow = findSlowText(
        pattern,
        bound,
        null,
        verdict.attack.pumps.map(({ pump }) => pump),
      );
      if (bound < TEXT_CHARACTERS && slow === null) return [];
      // The checker counts steps; what it finds may still be linear for the machine.
      if (slow === null && timeOf(pattern, attack) < TIME_MS_MAX) return [];
      return [
        `${pattern.place} /${pattern.source}/ ${verdict.complexity.summary}: ${verdict.attack.pattern}`,
      ];
    });
    recordFigure(ITEM, {
      name: 'patterns that the checker finds vulnerable',
      reached: `${vulnerable.length} of ${checked.length} (${unknown} undecided)`,
      wanted: '0',
      isHeld: vulnerable.length === 0,
      seed: SEED,
    });
    expect(vulnerable.join('\n')).toBe('');
  }, 1_200_000);

  it('would show a planted one, to the checker and by its time', () => {
    const [planted] = collectPatterns([{ name: 'planted.ts', text: PLANTED }]).patterns;
    if (planted === undefined) throw new Error('The planted pattern was not collected.');
    const verdict = judge(planted);
    const slow = findSlowText(planted, TEXT_CHARACTERS, null);
    recordControl(ITEM, {
      name: 'a planted pattern',
      shown: `${verdict.status}; ${slow === null ? 'fast' : `${Math.round(slow.ms)} ms for ${slow.characters} characters`}`,
      hasFailed: verdict.status === 'vulnerable' && slow !== null,
    });
    expect(verdict.status).toBe('vulnerable');
    expect(slow).not.toBeNull();
  });

  it('would show by its time also one that is slow only behind its first word', () => {
    const { patterns: behindWord } = collectPatterns([{ name: 'behind.ts', text: PLANTED_BEHIND_WORD }]);
    expect(behindWord.map((one) => findSlowText(one, TEXT_CHARACTERS, null) !== null)).toEqual([true, false]);
  });
});

function timeOf({ source, flags }: Pattern, text: string): number {
  const regex = new RegExp(source, flags);
  const started = performance.now();
  regex.test(text);
  return performance.now() - started;
}
