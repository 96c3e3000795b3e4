import { defineConfig } from 'vitest/config';

const MINUTES_MS = 60_000;

/** Suites over the built product: slow, one at a time, each with real clients. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    maxWorkers: 1,
    fileParallelism: false,
    reporters: ['default', '../tools/vitest-summary.mjs'],
    projects: [
      {
        test: {
          name: 'e2e',
          include: ['*.e2e.test.ts', 'docs/*.e2e.test.ts'],
          testTimeout: 2 * MINUTES_MS,
          hookTimeout: 2 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'matrix',
          include: ['matrix/*.test.ts'],
          testTimeout: 5 * MINUTES_MS,
          hookTimeout: 2 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'notices',
          include: ['notices/*.test.ts'],
          testTimeout: 10 * MINUTES_MS,
          hookTimeout: 2 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'notices-full',
          include: ['notices/*.test.ts'],
          env: { NOTICE_KEYS: '10000', NOTICE_CRASHES: '200' },
          testTimeout: 60 * MINUTES_MS,
          hookTimeout: 2 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'postfix',
          include: ['postfix/*.test.ts'],
          testTimeout: 2 * MINUTES_MS,
          hookTimeout: 3 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'powercut',
          include: ['powercut/*.test.ts'],
          testTimeout: 20 * MINUTES_MS,
          hookTimeout: 2 * MINUTES_MS,
        },
      },
    ],
  },
});
