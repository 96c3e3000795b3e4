import { chromium, type Page } from '@playwright/test';
import { LAUNCH } from './chromium.ts';

export interface ScriptBytes {
  /** As they travel: compressed. */
  readonly bytes: number;
  readonly scripts: number;
}

/** Opens a page and adds up the scripts that the browser fetched before it was at rest. */
export async function countScripts(page: Page, path: string): Promise<ScriptBytes> {
  const sizes: Promise<number>[] = [];
  page.on('response', (response) => {
    if (!response.url().endsWith('.js')) return;
    sizes.push(
      response
        .request()
        .sizes()
        .then(({ responseBodySize }) => responseBodySize),
    );
  });
  await page.goto(path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  return { bytes, scripts: sizes.length };
}

/**
 * The same in a browser of its own, which has never been there.
 *
 * @param cookie `name=value` of a session, or null for somebody who has not signed in
 */
export async function countScriptsOfVisitor(
  url: string,
  path: string,
  cookie: string | null,
): Promise<ScriptBytes> {
  const browser = await chromium.launch(LAUNCH);
  try {
    const context = await browser.newContext({ baseURL: url });
    const [name = '', value = ''] = cookie?.split('=') ?? [];
    if (cookie !== null) await context.addCookies([{ name, value, url }]);
    return await countScripts(await context.newPage(), path);
  } finally {
    await browser.close();
  }
}
