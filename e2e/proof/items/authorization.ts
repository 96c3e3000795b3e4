import type { ProofItem } from '../item.ts';

/** Who may do what, and who is who. */
export const AUTHORIZATION: readonly ProofItem[] = [
  {
    number: 27,
    title: 'authorization matrix over all routes',
    figures: ['cells that are not as the oracle says'],
    controls: [
      'a server with a mistake',
      'a new route without a policy',
      'a new route without a row in the oracle',
    ],
    suites: [{ name: 'matrix', files: ['e2e/matrix/matrix.test.ts'] }],
  },
  {
    number: 28,
    title: 'engine of rights against an oracle',
    figures: ['answers that differ from the oracle'],
    controls: ['an engine with a mistake'],
    suites: [{ name: 'proof', files: ['e2e/proof/policy.test.ts'] }],
  },
  {
    number: 29,
    title: 'rights never grow on any exchange',
    figures: ['exchanges on which rights have grown'],
    controls: ['an exchange that forgets what the token permits'],
    suites: [
      {
        name: 'vitest',
        projects: ['sqlite', 'postgres'],
        files: ['packages/server/src/features/verification/derived-rights.http.test.ts'],
      },
    ],
  },
  {
    number: 30,
    title: 'JWT attack set at every verifier',
    figures: ['forged tokens that were taken'],
    controls: ['a verifier without one of its checks'],
    suites: [
      { name: 'vitest', projects: ['sqlite'], files: ['packages/testkit/src/token-attacks.http.test.ts'] },
    ],
  },
  {
    number: 31,
    title: 'what works once, raced by fifty',
    figures: ['successes in a race for what works once'],
    controls: ['a link that is looked at first and used up afterwards'],
    suites: [
      {
        name: 'vitest',
        projects: ['sqlite', 'postgres'],
        files: ['packages/testkit/src/one-time.http.test.ts'],
      },
    ],
  },
  {
    number: 32,
    title: 'guesses at passwords, two hundred at once',
    figures: ['guesses judged from one connection', 'guesses judged from two hundred addresses'],
    controls: ['a server that believes the guesser where he is'],
    suites: [
      {
        name: 'vitest',
        projects: ['sqlite', 'postgres'],
        files: ['packages/server/src/features/sessions/brute-force.http.test.ts'],
      },
    ],
  },
  {
    number: 33,
    title: 'what the time of an answer tells',
    figures: ['answers that tell two cases apart by their time'],
    controls: ['a handler that works only for those whom it knows'],
    suites: [
      {
        name: 'proof timed',
        files: ['e2e/proof/timing.test.ts', 'e2e/proof/timing.full.test.ts'],
      },
    ],
  },
  {
    number: 47,
    title: 'key life against a model, and property tests',
    figures: ['lives of keys that differ from the model', 'properties that differ from a reference'],
    controls: ['a model with another rule', 'a property with a rule told wrongly'],
    suites: [
      { name: 'proof', files: ['e2e/proof/models.test.ts'] },
      {
        name: 'vitest',
        projects: ['sqlite', 'postgres'],
        files: ['packages/testkit/src/key-life.http.test.ts'],
      },
    ],
  },
];
