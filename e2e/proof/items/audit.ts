import type { ProofItem } from '../item.ts';

export const audit: readonly ProofItem[] = [
  {
    number: 43,
    title: 'the audit log tells of everything, and of its own changes',
    figures: [
      'changes and denials without a row of the audit log',
      'acknowledged changes without a row after kill -9, and broken chains',
      'forks and gaps when processes write at the same time',
      'tampers located at their first bad row',
    ],
    controls: ['a verifier that believes the hashes', 'an untampered copy with one row changed'],
    suites: [
      { name: 'matrix', files: ['e2e/matrix/matrix.test.ts'] },
      { name: 'proof', files: ['e2e/proof/audit.test.ts'] },
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
