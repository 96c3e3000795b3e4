import { defineConfig } from 'vitest/config';

const MINUTES_MS = 60_000;
/** What measures time: a suite of its own, because nothing may run beside it. */
const TIMED = ['large', 'load-mix', 'load-revocation', 'slow-clients', 'timing', 'zip'].map(
  (name) => `proof/${name}.test.ts`,
);
const TIMED_FULL = [...TIMED, 'proof/timing.full.test.ts'];
/** What waits for nuget.exe most of the time: a suite of its own, so that it can run beside the others. */
const GALLERY = ['gallery-*.e2e.test.ts', 'second-seed.e2e.test.ts', 'blobs.e2e.test.ts'];

/**
 * Suites over the built product: slow, one at a time, each with real clients. Deadlines are there for what hangs: a slow
 * machine that runs three suites at a time takes two minutes for what takes half of one elsewhere.
 */
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
          exclude: GALLERY,
          testTimeout: 6 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'e2e-full',
          include: ['*.e2e.test.ts', 'docs/*.e2e.test.ts'],
          exclude: GALLERY,
          env: { FRESH_INSTALL: '1' },
          testTimeout: 6 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'e2e-gallery',
          include: GALLERY,
          testTimeout: 6 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'matrix',
          include: ['matrix/*.test.ts'],
          testTimeout: 5 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'matrix-full',
          include: ['matrix/*.test.ts'],
          env: { PROOF_FULL: '1' },
          testTimeout: 120 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'notices',
          include: ['notices/*.test.ts'],
          testTimeout: 10 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'notices-full',
          include: ['notices/*.test.ts'],
          env: { NOTICE_KEYS: '10000', NOTICE_CRASHES: '200' },
          testTimeout: 120 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'postfix',
          include: ['postfix/*.test.ts'],
          testTimeout: 6 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'nodes',
          include: ['nodes/*.test.ts'],
          exclude: ['nodes/*.full.test.ts'],
          testTimeout: 6 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'nodes-full',
          include: ['nodes/*.test.ts'],
          env: { NODES_FULL: '1' },
          testTimeout: 120 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'proof',
          include: ['proof/*.test.ts'],
          exclude: ['proof/*.full.test.ts', ...TIMED],
          testTimeout: 6 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'proof-full',
          include: ['proof/*.test.ts'],
          exclude: TIMED_FULL,
          env: { PROOF_FULL: '1' },
          testTimeout: 120 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'proof-timed',
          include: TIMED,
          testTimeout: 6 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'proof-timed-full',
          include: TIMED_FULL,
          env: { PROOF_FULL: '1' },
          testTimeout: 120 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'powercut',
          include: ['powercut/*.test.ts'],
          testTimeout: 20 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
      {
        test: {
          name: 'powercut-full',
          include: ['powercut/*.test.ts'],
          env: { POWER_CUTS: '200', PUSH_KILLS: '40' },
          testTimeout: 120 * MINUTES_MS,
          hookTimeout: 5 * MINUTES_MS,
        },
      },
    ],
  },
});
