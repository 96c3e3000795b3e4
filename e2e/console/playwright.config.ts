import { readdirSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { DESKTOP, LAUNCH } from './chromium.ts';

/** It measures how long the page is held up, so nothing else may run beside it. */
const ALONE = 'long-list.spec.ts';
/** What they promise must hold each time: a secret that was seen once has been seen. */
const STRICT = ['secrets.spec.ts', 'look-up.spec.ts', 'bench.spec.ts'];
const shared = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.spec.ts') && name !== ALONE);

/** The console in a real browser, against the built server on a real database. */
export default defineConfig({
  testDir: '.',
  // A project for each file: each has a town of its own, so that no file meets what another has changed there.
  // Two cores run server, browser and tests; a second try tells a busy machine from a fault, and is reported.
  projects: [
    ...shared.map((name) => ({ name, testMatch: name, retries: STRICT.includes(name) ? 0 : 1 })),
    { name: ALONE, testMatch: ALONE, dependencies: shared, retries: 1 },
  ],
  outputDir: '../../test-results/console',
  globalSetup: './global-setup.ts',
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 10_000 },
  // In the gate a forgotten `.only` would leave the others out without a word.
  forbidOnly: process.env['TEST_TOTALS_FILE'] !== undefined,
  reporter: [['list'], ['../../tools/playwright-summary.mjs']],
  use: {
    launchOptions: LAUNCH,
    viewport: DESKTOP,
    locale: 'en-US',
    timezoneId: 'UTC',
    colorScheme: 'light',
    contextOptions: { reducedMotion: 'reduce' },
    screenshot: 'only-on-failure',
  },
});
