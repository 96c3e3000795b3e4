import type { ProofItem } from '../item.ts';

export const audit: readonly ProofItem[] = [
  {
    number: 43,
    title: 'acknowledged changes are in the audit log, and whatever is done to it is found',
    figures: [
      'acknowledged changes without a row after kill -9, and broken chains',
      'forks and gaps when processes write at the same time',
      'changes and denials of the matrix without a row',
      'tampers located at their first bad row',
    ],
    controls: [
      'a verifier that believes the hashes',
      'a copy with one row changed',
      'a server whose log is silent, or tells what has not happened',
    ],
    suites: [
      { name: 'proof', files: ['e2e/proof/audit.test.ts'] },
      { name: 'matrix', files: ['e2e/matrix/matrix.test.ts'] },
      {
        name: 'vitest',
        files: [
          'packages/server/src/features/audit/chain/tampers.storage.test.ts',
          'packages/server/src/features/audit/chain/chain.storage.test.ts',
        ],
        projects: ['sqlite', 'postgres'],
      },
    ],
  },
];
