import type { ProofItem } from '../item.ts';

export const durability: readonly ProofItem[] = [
  {
    number: 1,
    title: 'acknowledged writes survive kill -9',
    figures: ['acknowledged writes lost', 'torn changes and damaged pages', 'restart to ready'],
    controls: ['a server that answers before it commits'],
    suites: [{ name: 'proof', files: ['e2e/proof/kill.test.ts'] }],
  },
  {
    number: 2,
    title: 'acknowledged writes survive a power cut',
    figures: ['acknowledged writes lost', 'torn changes and damaged pages'],
    controls: ['a server with synchronous=NORMAL'],
    suites: [{ name: 'power cut', files: ['e2e/powercut/powercut.test.ts'] }],
  },
];
