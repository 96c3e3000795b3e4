import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { settleOwner } from './own-keys.ts';

const next = (page: Page) => page.getByRole('button', { name: 'Next' });
const rowsOf = (page: Page, table: string) => page.getByRole('table', { name: table }).getByRole('row');

/** Holds back the answers to requests like that until the test lets them go. */
async function holdBack(page: Page, url: RegExp): Promise<{ readonly asked: string[]; release(): void }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked: string[] = [];
  await page.route(url, async (route) => {
    asked.push(route.request().url());
    await promise;
    await route.continue();
  });
  return { asked, release: resolve };
}

test.describe('a list', () => {
  test('of keys goes one page on for two impatient clicks', async ({ asAdmin: page }) => {
    await page.goto('/keys?rows=25');
    await expect(page.getByText('1–25', { exact: true })).toBeVisible();
    const second = await holdBack(page, /\/v1\/keys\?.*cursor=/);
    await next(page).dblclick();
    await expect(page.getByText('1–25', { exact: true })).toBeVisible();
    second.release();
    await expect(page.getByText(/^26–\d+$/)).toBeVisible();
    await page.getByRole('button', { name: 'Previous' }).click();
    await expect(page.getByText('1–25', { exact: true })).toBeVisible();
  });

  test('of keys asks for no page of the list that was left for another', async ({ asAdmin: page }) => {
    await page.goto('/keys?rows=25');
    await expect(rowsOf(page, 'All keys')).toHaveCount(26);
    const wanted = await holdBack(page, /\/v1\/keys\?.*status=expired/);
    await page.getByRole('combobox', { name: 'State' }).selectOption('Expired');
    await next(page).click();
    wanted.release();
    await expect(page.getByText(/^1–\d$/)).toBeVisible();
    expect(wanted.asked.filter((url) => url.includes('cursor='))).toEqual([]);
  });

  for (const { path, table } of [
    { path: '/keys', table: 'All keys' },
    { path: '/packages?account=all', table: 'Packages' },
  ])
    test(`${path} takes no number of rows that cannot be chosen`, async ({ asAdmin: page }) => {
      await page.goto(`${path}${path.includes('?') ? '&' : '?'}rows=5000`);
      await expect(rowsOf(page, table).nth(2)).toBeVisible();
      await expect(page.getByRole('combobox', { name: 'Rows' })).toHaveValue('50');
    });

  for (const { path, table, url } of [
    { path: '/users', table: 'Users', url: /\/v1\/users\?/ },
    { path: '/packages?account=all', table: 'Packages', url: /\/v1\/packages\?/ },
  ])
    test(`${path} keeps its rows when the server falls silent`, async ({ asAdmin: page, allowFault }) => {
      await page.clock.install();
      await page.goto(path);
      await expect(rowsOf(page, table).nth(2)).toBeVisible();
      const before = await rowsOf(page, table).count();
      allowFault(/net::ERR_FAILED/);
      let failures = 0;
      await page.route(url, async (route) => {
        failures += 1;
        await route.abort();
      });
      await page.clock.fastForward(20_000);
      await page.evaluate(() => globalThis.dispatchEvent(new Event('visibilitychange')));
      const waitOn = async () => {
        await page.clock.runFor(1_000);
        return failures;
      };
      // The console asks three times before it gives up.
      await expect.poll(waitOn).toBe(3);
      await waitOn();
      await expect(page.getByText('No connection to the server.')).toBeVisible();
      await expect(rowsOf(page, table)).toHaveCount(before);
    });
});

test.describe('the list of packages', () => {
  test('says that none is unlisted, and leads back to the others', async ({ visit, town }) => {
    const owner = await settleOwner(town, ['Unlisted.Not']);
    const page = await visit({ as: owner.email });
    await page.goto('/packages?filter=unlisted');
    await expect(page.getByText('No package here is unlisted')).toBeVisible();
    await page.getByRole('button', { name: 'Show listed and unlisted ones' }).click();
    await expect(page.getByRole('link', { name: 'Unlisted.Not' })).toBeVisible();
  });

  test('shows no number before it knows one', async ({ asAdmin: page }) => {
    const summary = await holdBack(page, /\/v1\/package-summary/);
    await page.goto('/packages');
    const whose = page.getByRole('radiogroup', { name: 'Whose packages' });
    await expect(whose.getByRole('radio', { name: 'Mine', exact: true })).toHaveCount(1);
    summary.release();
    await expect(whose.getByRole('radio', { name: /^Mine \d+$/ })).toHaveCount(1);
  });
});

test('all versions of a package can be reached, page by page', async ({ asAdmin: page, town }) => {
  const { api } = await town.signIn();
  const { data } = await api.GET('/v1/packages/{id}', { params: { path: { id: 'hayama.datafactory' } } });
  expect(data.versions.length).toBeGreaterThan(4);
  // A page of the console is a tenth of itself here: nobody has to push hundreds of versions.
  await page.route(/\/v1\/packages\/hayama\.datafactory\?/, async (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set('limit', '2');
    await route.continue({ url: url.href });
  });
  await page.goto('/packages/hayama.datafactory');
  const rows = rowsOf(page, 'Versions');
  await expect(rows).toHaveCount(3);
  const more = page.getByRole('button', { name: 'Show more versions' });
  for (let shown = 2; shown < data.versions.length; shown += 2) {
    await more.click();
    await expect(rows).toHaveCount(1 + Math.min(shown + 2, data.versions.length));
  }
  await expect(more).toHaveCount(0);
});

test('a service account says when one of its keys was last used, in the list and as CSV', async ({
  asAdmin: page,
  town,
}) => {
  const { api } = await town.signIn();
  const { data } = await api.GET('/v1/service-accounts', { params: { query: {} } });
  const used = data.items.find(({ keys }) => keys?.lastUsedAt != null);
  const unused = data.items.find(({ keys }) => keys?.lastUsedAt === null);
  if (used === undefined || unused === undefined) throw new Error('Hayama has programs of both kinds.');
  await page.goto('/service-accounts');
  const table = page.getByRole('table', { name: 'Service accounts' });
  await expect(table.getByRole('columnheader', { name: 'Last connected' })).toBeVisible();
  await expect(table.getByRole('row').filter({ hasText: unused.technicalName })).toContainText('Never');
  await expect(table.getByRole('row').filter({ hasText: used.technicalName })).not.toContainText('Never');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download CSV' }).click(),
  ]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  const line = Buffer.concat(chunks)
    .toString('utf8')
    .split('\r\n')
    .find((each) => each.includes(used.technicalName));
  expect(line).toContain(used.keys?.lastUsedAt);
});
