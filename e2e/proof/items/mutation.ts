import type { ProofItem } from '../item.ts';

export const mutation: readonly ProofItem[] = [
  {
    number: 34,
    title: 'small changes of what decides are noticed by tests',
    figures: [
      'score of each module',
      'survivors on conditions that deny',
      'mutated files that have changed since they were measured',
    ],
    // A whole run takes hours; until there has been one, the long form says what is missing.
    longFigures: ['files of the modules that are not measured'],
    controls: ['rights, with tests of something else'],
    suites: [{ name: 'proof', files: ['e2e/proof/mutation.test.ts'] }],
  },
];
