import { defineConfig } from '@playwright/test';
import { DESKTOP, LAUNCH } from './chromium.ts';

/** The console in a real browser, against the built server on a real database. */
export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../../test-results/console',
  globalSetup: './global-setup.ts',
  workers: 1,
  retries: 0,
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
