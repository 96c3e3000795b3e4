import { defineConfig } from 'vitest/config';

/** Tests that need a database: they run once on each engine, from the same files. */
const DATABASE_TESTS = [
  'packages/server/src/**/*.storage.test.ts',
  'packages/server/src/**/*.http.test.ts',
  'packages/testkit/src/**/*.http.test.ts',
];

/**
 * Files of a worker share the modules that they have loaded: to load the server anew takes longer than most files.
 * No module keeps what one test could leave to another, and no file mocks a module; in `npm run test:full` each file
 * loads its own, so that nothing passes by what was left.
 */
const SHARED = { isolate: false } as const;

/** In the long form of the board a test may do a thousand times what it does in the short one. */
const deadlineMs = (usualMs: number) => (process.env['PROOF_FULL'] === '1' ? 120 * 60_000 : usualMs);

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './tools/vitest-summary.mjs'],
    projects: [
      {
        test: {
          name: 'unit',
          ...SHARED,
          include: ['packages/*/src/**/*.test.ts', 'bench/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.storage.test.ts', '**/*.http.test.ts'],
          testTimeout: deadlineMs(30_000),
        },
      },
      {
        test: {
          name: 'sqlite',
          ...SHARED,
          include: DATABASE_TESTS,
          env: { TEST_DATABASE: 'sqlite' },
          testTimeout: deadlineMs(30_000),
          hookTimeout: deadlineMs(30_000),
        },
      },
      {
        // The gallery once more with its files in an S3-compatible store instead of a folder.
        test: {
          name: 's3',
          ...SHARED,
          include: ['packages/server/src/features/gallery/{gallery.*,v3/*}.{storage,http}.test.ts'],
          env: { TEST_DATABASE: 'sqlite', TEST_BLOBS: 's3' },
          testTimeout: deadlineMs(60_000),
          hookTimeout: deadlineMs(60_000),
        },
      },
      {
        test: {
          name: 'postgres',
          ...SHARED,
          include: DATABASE_TESTS,
          // It speaks to the server through the API only: which engine is behind that makes no difference.
          exclude: [
            '**/node_modules/**',
            'packages/testkit/src/cli.http.test.ts',
            // Forged tokens never get as far as a database.
            'packages/testkit/src/token-attacks.http.test.ts',
            // Its rounds restore into new folders; backups of PostgreSQL are in backup.http.test.ts.
            'packages/server/src/commands/backup-load.http.test.ts',
          ],
          env: { TEST_DATABASE: 'postgres' },
          globalSetup: ['packages/testkit/src/postgres-global-setup.ts'],
          testTimeout: deadlineMs(30_000),
          hookTimeout: deadlineMs(30_000),
        },
      },
    ],
  },
});
