const vitestOf = (project) => [
  'node',
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config',
  'e2e/vitest.config.ts',
  '--project',
  project,
];

const playwrightWith = (config) => [
  'node',
  'node_modules/@playwright/test/cli.js',
  'test',
  '--config',
  `e2e/console/${config}`,
];

/**
 * The suites of `npm test`. A suite with a `fullCommand` runs in a short form there and whole in
 * `npm run test:full`.
 *
 * Each closes with a line `N passed, N failed`; Vitest and Playwright write their totals to TEST_TOTALS_FILE
 * instead, one line per project. One that `isAlone` takes all cores, in this order; the others take one core at most
 * and run three at a time, the longest first. `needs` names a group of system packages in tools/debian.mjs. What a
 * suite that is `inMemory` writes for a while lies in a folder in memory where there is one: it proves nothing about
 * disks, and thousands of commits would wait for one. Suites about crashes and restarts use the disk.
 *
 * @type {{ name: string, command: string[], fullCommand?: string[], isAlone?: boolean, inMemory?: boolean, needs?: 'e2e' | 'notices' | 'bench' | 'powercut' | 'nodes' | 'browser' | 'proof' }[]}
 */
export const SUITES = [
  {
    name: 'vitest',
    command: ['node', 'node_modules/vitest/vitest.mjs', 'run'],
    fullCommand: ['node', 'node_modules/vitest/vitest.mjs', 'run', '--isolate'],
    isAlone: true,
    inMemory: true,
  },
  {
    name: 'console',
    command: playwrightWith('playwright.short.config.ts'),
    fullCommand: playwrightWith('playwright.config.ts'),
    isAlone: true,
    inMemory: true,
    needs: 'browser',
  },
  {
    name: 'proof timed',
    command: vitestOf('proof-timed'),
    fullCommand: vitestOf('proof-timed-full'),
    isAlone: true,
    needs: 'proof',
  },
  { name: 'e2e gallery', command: vitestOf('e2e-gallery'), needs: 'e2e' },
  { name: 'e2e', command: vitestOf('e2e'), fullCommand: vitestOf('e2e-full'), needs: 'e2e' },
  { name: 'matrix', command: vitestOf('matrix'), fullCommand: vitestOf('matrix-full'), inMemory: true },
  { name: 'proof', command: vitestOf('proof'), fullCommand: vitestOf('proof-full'), needs: 'proof' },
  { name: 'nodes', command: vitestOf('nodes'), fullCommand: vitestOf('nodes-full'), needs: 'nodes' },
  {
    name: 'power cut',
    command: vitestOf('powercut'),
    fullCommand: vitestOf('powercut-full'),
    needs: 'powercut',
  },
  {
    name: 'notices',
    command: vitestOf('notices'),
    fullCommand: vitestOf('notices-full'),
    inMemory: true,
    needs: 'notices',
  },
  { name: 'import rules', command: ['node', 'tools/mutate-imports.mjs'] },
];
