import { ADMIN_EMAIL, expect, test } from './fixtures.ts';

/** The budget of the design, in kilobytes as they travel. */
const INITIAL_SCRIPT_BYTES_MAX = 250_000;

for (const [name, path, as] of [
  ['the sign-in page', '/sign-in', null],
  ['the first page behind the sign-in', '/overview', ADMIN_EMAIL],
] as const) {
  test(`${name} loads less than 250 kB of compressed JavaScript`, async ({ visit }) => {
    const page = await visit({ as });
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
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.waitForLoadState('networkidle');
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    console.log(`    ${path}: ${total} bytes in ${sizes.length} scripts`);
    // A number of nothing, or of files that travelled as they are, would prove nothing.
    expect(total).toBeGreaterThan(100_000);
    expect(total).toBeLessThan(INITIAL_SCRIPT_BYTES_MAX);
  });
}
