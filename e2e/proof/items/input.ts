import type { ProofItem } from '../item.ts';

export const input: readonly ProofItem[] = [
  {
    number: 35,
    title: 'every answer to a random request is as the published document says',
    figures: [
      'requests',
      'operations asked',
      'answers of 5xx',
      'kinds of answers against the document',
      'JSON texts judged wrongly',
    ],
    controls: [
      'a server with broken operations',
      'a lost key and a row of nobody',
      'a parser that lets a last comma pass',
    ],
    suites: [{ name: 'proof', files: ['e2e/proof/fuzz.test.ts'] }],
  },
  {
    number: 36,
    title: 'bytes on a connection are read in one way or not at all',
    figures: [
      'rows of the table as wanted, asked directly',
      'rows without a fault behind nginx',
      'rows without a fault behind HAProxy',
    ],
    controls: ['a bare server with a lenient parser'],
    suites: [{ name: 'proof', files: ['e2e/proof/raw.test.ts'] }],
  },
  {
    number: 37,
    title: 'hostile packages are refused at once, and whole ones come back as they were',
    figures: [
      'valid packages that come back as they were',
      'hostile packages refused',
      'slowest refusal',
      'growth of resident memory by one',
    ],
    controls: ['yauzl alone'],
    suites: [
      { name: 'proof timed', files: ['e2e/proof/zip.test.ts'] },
      {
        name: 'vitest',
        files: ['packages/server/src/features/gallery/nupkg/read-nupkg.test.ts'],
        projects: ['unit'],
      },
    ],
  },
  {
    number: 38,
    title: 'webhooks connect to nothing inside',
    figures: ['connections made'],
    controls: ['a plain fetch', 'a check before a second question'],
    suites: [
      {
        name: 'vitest',
        files: ['packages/server/src/features/notices/webhooks/transport.test.ts'],
        projects: ['unit'],
      },
    ],
  },
  {
    number: 40,
    title: 'no text makes a regular expression slow',
    figures: [
      'patterns slower than 5 ms over 64 KiB, or over the longest text they meet',
      'patterns that the checker finds vulnerable',
    ],
    controls: ['a planted pattern'],
    suites: [{ name: 'proof', files: ['e2e/proof/redos.test.ts'] }],
  },
];
