import type { Locator, Page } from '@playwright/test';
import { buildNupkg, buildNuspec } from '../../packages/testkit/src/nupkg-builder.ts';
import { ADMIN_EMAIL, expect, expectNoAxeViolations, MEMBER_EMAIL, test, unlessEnglish } from './fixtures.ts';
import type { Site } from './site.ts';
import { drawIcon } from './town-icons.ts';

const WORDS = {
  en: {
    packages: 'Packages',
    usage: 'Packages and room',
    of: (used: number, limit: number) => `${used} of ${limit}`,
    left: '8 left',
    full: 'Full: new ones are refused.',
    noLimit: 'no limit',
    settings: 'settings',
    toGallery: 'to the gallery',
    downloads: 'Downloads of all versions',
  },
  ja: {
    packages: 'パッケージ',
    usage: 'パッケージと容量',
    of: (used: number, limit: number) => `${used} / ${limit}`,
    left: '残り8',
    full: '上限に達しました。新しいものは受け付けません。',
    noLimit: '上限なし',
    settings: '設定',
    toGallery: 'ギャラリーへ',
    downloads: '全バージョンのダウンロード',
  },
} as const;

const ANY = { 'if-match': '*' };

/** The picture is decorative, and so it is found as the only one of its place. */
const pictureOf = (place: Locator) => place.locator('img');

async function areDrawn(place: Locator): Promise<boolean> {
  return await pictureOf(place).evaluateAll((pictures) =>
    (pictures as HTMLImageElement[]).every(({ complete, naturalWidth }) => complete && naturalWidth > 0),
  );
}

async function isDrawn(place: Locator): Promise<boolean> {
  return (await pictureOf(place).count()) === 1 && (await areDrawn(place));
}

const listed = (page: Page, title: string, id: string) =>
  page
    .getByRole('list', { name: title })
    .getByRole('listitem')
    .filter({ has: page.getByRole('link', { name: id, exact: true }) });

async function pushWithIcon(town: Site, id: string, fields: string, files: Record<string, Uint8Array>) {
  const spec = { id, version: '1.0.0' };
  const nuspecXml = buildNuspec(spec).replace('</metadata>', `${fields}</metadata>`);
  const answer = await fetch(`${town.apiUrl}/api/v2/package`, {
    method: 'PUT',
    headers: { 'x-nuget-apikey': town.key('Release pipeline').secret },
    body: Buffer.from(buildNupkg({ ...spec, nuspecXml, files })),
  });
  expect(answer.status, await answer.text()).toBe(201);
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`the use of the gallery, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('is told on the page of an account and in the own profile, with what is left', async ({
      startSite,
      visit,
    }) => {
      const site = await startSite();
      const { api } = await site.signIn();
      await api.PATCH('/v1/settings', { headers: ANY, body: { maxPackagesPerAccount: 9 } });
      const member = await visit({ at: site, as: MEMBER_EMAIL });
      await member.goto('/profile');
      const own = member.getByRole('region', { name: words.usage });
      await expect(own).toContainText(words.of(1, 9));
      await expect(own).toContainText(words.left);
      await expect(own).toContainText(words.noLimit);
      await expect(own.getByRole('link')).toHaveCount(0);
      await expectNoAxeViolations(member);

      await api.PATCH('/v1/settings', { headers: ANY, body: { maxPackagesPerAccount: 1 } });
      const admin = await visit({ at: site, as: ADMIN_EMAIL });
      await admin.goto(`/users/${site.accountId(MEMBER_EMAIL)}`);
      const usage = admin.getByRole('region', { name: words.usage });
      await expect(usage).toContainText(words.of(1, 1));
      await expect(usage).toContainText(words.full);
      await expectNoAxeViolations(admin);
      await usage.getByRole('link', { name: words.settings }).click();
      await expect(admin).toHaveURL(/\/settings$/);
      await admin.goto(`/service-accounts/${site.accountId('release-bot')}`);
      await expect(usage).toContainText(words.packages);
    });

    test('begins at the sign-in page, as long as the gallery is open', async ({ startSite, visit }) => {
      const site = await startSite();
      const page = await visit({ at: site });
      await page.goto('/sign-in');
      await expectNoAxeViolations(page);
      await page.getByRole('link', { name: words.toGallery }).click();
      await expect(page.getByRole('heading', { name: words.packages, level: 1 })).toBeVisible();
      // What is still on its way when the gallery closes is refused.
      await expect(pictureOf(page.getByRole('main'))).toHaveCount(7);
      await expect.poll(() => areDrawn(page.getByRole('main'))).toBe(true);
      const { api } = await site.signIn();
      await api.PATCH('/v1/settings', { headers: ANY, body: { galleryRead: 'authenticated' } });
      await page.goto('/sign-in');
      await expect(page.getByRole('textbox').first()).toBeVisible();
      await expect(page.getByRole('link', { name: words.toGallery })).toHaveCount(0);
    });

    test('is counted by what programs have fetched', async ({ page }) => {
      await page.goto('/packages/hayama.telemetry');
      await expect(page.getByText(words.downloads)).toBeVisible();
      await expect(page.getByRole('definition').filter({ hasText: /^366$/ })).toBeVisible();
    });
  });
}

test.describe('the icon of a package', () => {
  test('is drawn in the lists and on the page, from this server', async ({ page, visit }) => {
    await page.goto('/packages');
    const edge = listed(page, 'Packages', 'Hayama.Edge');
    await expect.poll(() => isDrawn(edge)).toBe(true);
    await expect(pictureOf(listed(page, 'Packages', 'Hayama.Identity'))).toHaveCount(0);
    await page.goto('/packages/hayama.edge');
    await expect(page.getByRole('heading', { name: 'Hayama.Edge', level: 1 })).toBeVisible();
    await expect.poll(() => isDrawn(page.getByRole('main'))).toBe(true);
    const admin = await visit({ as: ADMIN_EMAIL });
    await admin.goto('/packages');
    const row = admin
      .getByRole('row')
      .filter({ has: admin.getByRole('link', { name: 'Hayama.Edge', exact: true }) });
    await expect.poll(() => isDrawn(row)).toBe(true);
  });

  test('is drawn in a private gallery for whoever may read the package', async ({ startSite, visit }) => {
    const site = await startSite();
    const { api } = await site.signIn();
    await api.PATCH('/v1/settings', { headers: ANY, body: { galleryRead: 'authenticated' } });
    const member = await visit({ at: site, as: MEMBER_EMAIL });
    await member.goto('/packages?account=all&q=telemetry');
    const row = member
      .getByRole('row')
      .filter({ has: member.getByRole('link', { name: 'Hayama.Telemetry', exact: true }) });
    await expect.poll(() => isDrawn(row)).toBe(true);
    const address = `${site.apiUrl}/v3/flat/hayama.telemetry/4.2.0/icon`;
    expect((await fetch(address)).status).toBe(401);
  });

  test('gives way to that of its kind when no browser draws it, and comes from no other host', async ({
    page,
    town,
    allowFault,
  }) => {
    // What the package does not hold is not there; the browser says so in its console.
    allowFault(/status of 404 .*\/icon\)$/);
    await pushWithIcon(town, 'Hayama.Icon.Text', '<icon>icon.png</icon>', {
      'icon.png': Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis.wasHere = 1"/>'),
    });
    await pushWithIcon(town, 'Hayama.Icon.Missing', '<icon>not-there.png</icon>', {});
    await pushWithIcon(town, 'Hayama.Icon.Abroad', '<iconUrl>https://spy.example/pixel.png</iconUrl>', {});
    await pushWithIcon(town, 'Hayama.Icon.Good', '<icon>pics\\icon.png</icon>', {
      'pics/icon.png': drawIcon('wave'),
    });
    await page.goto('/packages?q=hayama.icon');
    await expect.poll(() => isDrawn(listed(page, 'Packages', 'Hayama.Icon.Good'))).toBe(true);
    for (const id of ['Hayama.Icon.Text', 'Hayama.Icon.Missing', 'Hayama.Icon.Abroad']) {
      await expect(pictureOf(listed(page, 'Packages', id))).toHaveCount(0);
      await expect(listed(page, 'Packages', id)).toContainText('NuGet package');
    }
    expect(await page.evaluate(() => (globalThis as { wasHere?: number }).wasHere)).toBeUndefined();
    await expectNoAxeViolations(page);
  });
});
