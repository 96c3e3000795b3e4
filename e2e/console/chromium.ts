import type { LaunchOptions } from '@playwright/test';

/** A name that is not the machine itself: over plain http browsers keep the clipboard from its pages. */
export const PLAIN_HTTP_HOST = 'keys.test';

/** Debian's Chromium. No name but our two resolves, so that a page that asks a foreign host fails and is seen. */
export const LAUNCH: LaunchOptions = {
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  // In containers, and as root, Chromium cannot build its own.
  chromiumSandbox: false,
  args: [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--font-render-hinting=none',
    `--host-resolver-rules=MAP ${PLAIN_HTTP_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`,
    // Otherwise a heap snapshot holds the first 1,024 characters of each string, and a search in it is blind.
    '--js-flags=--heap-snapshot-string-limit=10000000',
  ],
};

export const DESKTOP = { width: 1440, height: 1000 };
export const PHONE = { width: 390, height: 844 };
