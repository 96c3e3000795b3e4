import type { ProofItem } from '../item.ts';

export const PLANTED_ITEMS: readonly ProofItem[] = [
  {
    number: 48,
    title: 'the board finds planted faults',
    figures: [],
    controls: [],
    longFigures: ['planted faults caught'],
    longControls: ['the copy without a fault'],
    suites: [{ name: 'proof', files: ['e2e/proof/planted-faults.full.test.ts'] }],
  },
];
