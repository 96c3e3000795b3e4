import type { Page } from '@playwright/test';

/** Runs on a page that may use the clipboard: over plain http that is one of the same server as `localhost`. */
async function onSecurePage<Result>(page: Page, run: (secure: Page) => Promise<Result>): Promise<Result> {
  if (await page.evaluate(() => isSecureContext)) return await run(page);
  const secure = await page.context().newPage();
  try {
    await secure.goto(`http://localhost:${new URL(page.url()).port}/healthz`);
    return await run(secure);
  } finally {
    await secure.close();
  }
}

/** What the next paste would give. */
export async function readClipboard(page: Page): Promise<string> {
  return await onSecurePage(page, (secure) => secure.evaluate(() => navigator.clipboard.readText()));
}

/** So that what a test finds there afterwards is its own. */
export async function writeClipboard(page: Page, text: string): Promise<void> {
  await onSecurePage(page, (secure) =>
    secure.evaluate((value) => navigator.clipboard.writeText(value), text),
  );
}
