const vitestOf = (project) => [
  'node',
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config',
  'e2e/vitest.config.ts',
  '--project',
  project,
];

/**
 * The suites of `npm test`, in this order; `npm run test:full` adds the long ones.
 *
 * Each closes with a line `N passed, N failed`; Vitest and Playwright write their totals to TEST_TOTALS_FILE
 * instead, one line per project. `needs` names a group of system packages in tools/debian.mjs.
 *
 * @type {{ name: string, command: string[], long: boolean, needs?: 'e2e' | 'bench' | 'powercut' | 'browser' }[]}
 */
export const SUITES = [
  { name: 'import rules', command: ['node', 'tools/mutate-imports.mjs'], long: false },
  { name: 'vitest', command: ['node', 'node_modules/vitest/vitest.mjs', 'run'], long: false },
  { name: 'matrix', command: vitestOf('matrix'), long: false },
  { name: 'e2e', command: vitestOf('e2e'), long: false, needs: 'e2e' },
  {
    name: 'console',
    command: [
      'node',
      'node_modules/@playwright/test/cli.js',
      'test',
      '--config',
      'e2e/console/playwright.config.ts',
    ],
    long: false,
    needs: 'browser',
  },
  { name: 'power cut', command: vitestOf('powercut'), long: false, needs: 'powercut' },
];
