import { readdirSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { DESKTOP, LAUNCH } from './chromium.ts';

/** It measures how long the page is held up, so nothing else may run beside it. */
const ALONE = 'long-list.spec.ts';
const shared = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.spec.ts') && name !== ALONE);

/** The console in a real browser, against the built server on a real database. */
export default defineConfig({
  testDir: '.',
  // A project for each file: each has a town of its own, so that no file meets what another has changed there.
  projects: [
    ...shared.map((name) => ({ name, testMatch: name })),
    { name: ALONE, testMatch: ALONE, dependencies: shared },
  ],
  outputDir: '../../test-results/console',
  globalSetup: './global-setup.ts',
  workers: 2,
  // Two cores run server, browser and tests; a second try tells a busy machine from a fault, and is reported.
  retries: 1,
  timeout: 60_000,
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
