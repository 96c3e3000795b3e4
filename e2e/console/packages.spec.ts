import type { Page } from '@playwright/test';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  pressTabTo,
  readClipboard,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Packages',
    search: 'Search packages',
    all: 'All',
    whose: 'Whose packages',
    versions: 'Versions',
    unlist: 'Unlist 3.7.1',
    relist: 'Relist 3.7.1',
    unlisted: 'Unlisted',
    listed: 'Listed',
    undo: 'Undo',
    keys: 'Keys that can push',
    owners: 'Owners',
    how: 'How to push',
    pushTitle: 'Push a package',
    copySnippet: 'Copy snippet',
    addOwner: 'Add owner',
    account: 'Account',
    add: 'Add',
    cancel: 'Cancel',
    remove: 'Remove owner',
    removeOf: (name: string) => `Remove ${name}`,
    lastOwner: 'The last owner cannot be removed. Add another one first.',
    nothing: 'No package matches “zzz”',
    clear: 'Clear search',
  },
  ja: {
    title: 'パッケージ',
    search: 'パッケージを検索',
    all: 'すべて',
    whose: '所有者で絞り込み',
    versions: 'バージョン',
    unlist: '3.7.1 を一覧から外す',
    relist: '3.7.1 を一覧に戻す',
    unlisted: '非掲載',
    listed: '掲載中',
    undo: '元に戻す',
    keys: 'プッシュできるキー',
    owners: '所有者',
    how: 'プッシュの方法',
    pushTitle: 'パッケージをプッシュする',
    copySnippet: 'スニペットをコピー',
    addOwner: '所有者を追加',
    account: 'アカウント',
    add: '追加',
    cancel: 'キャンセル',
    remove: '所有者から外す',
    removeOf: (name: string) => `${name} を外す`,
    lastOwner: '最後の所有者は外せません。先に別の所有者を追加してください。',
    nothing: '「zzz」に一致するパッケージはありません',
    clear: '検索をクリア',
  },
} as const;

const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const versionRow = (page: Page, words: (typeof WORDS)['en' | 'ja'], version: string) =>
  page.getByRole('table', { name: words.versions }).getByRole('row').filter({ hasText: version });

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`packages, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('are found as one types, and opened', async ({ asAdmin: page }) => {
      await page.goto('/packages');
      await page.getByRole('searchbox', { name: words.search }).fill('gateway');
      const rows = page.getByRole('table', { name: words.title }).getByRole('row');
      await expect(rows).toHaveCount(2);
      await page.getByRole('link', { name: 'Hayama.Edge.Gateway' }).click();
      await expect(page.getByRole('heading', { name: 'Hayama.Edge.Gateway', level: 1 })).toBeVisible();
      await expect(region(page, words.owners).getByRole('listitem').first()).toBeVisible();
    });

    test('say so when nothing is found, and lead back', async ({ asAdmin: page }) => {
      await page.goto('/packages?q=zzz');
      await expect(page.getByText(words.nothing)).toBeVisible();
      await page.getByRole('button', { name: words.clear }).last().click();
      await expect(page.getByRole('link', { name: 'Hayama.DataFactory', exact: true })).toBeVisible();
    });

    test('have versions that are unlisted and relisted, by keyboard, with a way back', async ({
      asAdmin: page,
      town,
    }) => {
      await page.goto('/packages/hayama.datafactory');
      const row = versionRow(page, words, '3.7.1');
      await pressTabTo(page, page.getByRole('button', { name: words.unlist }));
      await page.keyboard.press('Enter');
      await expect(row).toContainText(words.unlisted);
      const { api } = await town.signIn();
      const isListed = async () => {
        const params = { path: { id: 'hayama.datafactory' } };
        const { data } = await api.GET('/v1/packages/{id}', { params });
        return data.versions.find(({ version }) => version === '3.7.1')?.listed;
      };
      expect(await isListed()).toBe(false);
      await page.getByRole('button', { name: words.undo }).click();
      await expect(row).not.toContainText(words.unlisted);
      await expect.poll(isListed).toBe(true);
    });

    test('get and lose an owner, but never the last one', async ({ asAdmin: page }) => {
      await page.goto('/packages/hayama.telemetry');
      const owners = region(page, words.owners);
      const only = owners.getByRole('button', { name: words.removeOf('Mio Tachibana') });
      await expect(only).toBeDisabled();
      await owners.getByRole('button', { name: words.addOwner }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('combobox', { name: words.account }).fill('lindqvist');
      await page.getByRole('option', { name: /Jonas Lindqvist/ }).click();
      await dialog.getByRole('button', { name: words.add, exact: true }).click();
      await expect(owners.getByRole('listitem').filter({ hasText: 'Jonas Lindqvist' })).toBeVisible();
      await owners.getByRole('button', { name: words.removeOf('Jonas Lindqvist') }).click();
      await expect(dialog.getByRole('button', { name: words.cancel })).toBeFocused();
      await dialog.getByRole('button', { name: words.remove }).click();
      await expect(owners.getByRole('listitem')).toHaveCount(1);
    });

    test('tell which keys can push them now', async ({ asAdmin: page }) => {
      await page.goto('/packages/hayama.datafactory');
      const keys = region(page, words.keys);
      await expect(keys.getByRole('listitem').filter({ hasText: 'CI publish: DataFactory' })).toContainText(
        'Hayama.DataFactory*',
      );
    });

    test('tell how to push to this very server, without any secret', async ({ asAdmin: page, town }) => {
      await page.goto('/packages');
      await page.getByRole('button', { name: words.how }).click();
      const dialog = page.getByRole('dialog', { name: words.pushTitle });
      await dialog.getByRole('button', { name: words.copySnippet }).click();
      const copied = await readClipboard(page);
      expect(copied).toContain(`${town.url}/api/v2/package`);
      expect(copied).not.toMatch(/kr_[0-9A-Za-z]{16}/);
      await expectNoAxeViolations(page);
    });

    test('are pages that everybody can use', async ({ asAdmin: page }) => {
      await page.goto('/packages');
      await expect(page.getByRole('table', { name: words.title })).toBeVisible();
      await expectNoAxeViolations(page);
      await page.goto('/packages/hayama.datafactory');
      await expect(region(page, words.keys)).toBeVisible();
      await expectNoAxeViolations(page);
    });
  });
}

test('a stranger to a package sees neither its keys nor a way to change it', async ({ visit }) => {
  const page = await visit({ as: 'weiling.chen@hayama.example' });
  await page.goto('/packages/hayama.telemetry');
  await expect(page.getByRole('heading', { name: 'Hayama.Telemetry', level: 1 })).toBeVisible();
  await expect(region(page, WORDS.en.keys)).toHaveCount(0);
  await expect(page.getByRole('button', { name: WORDS.en.addOwner })).toHaveCount(0);
});

test('a package that is not there is said to be gone', async ({ asAdmin: page, allowFault }) => {
  allowFault(/404/);
  await page.goto('/packages/no.such.package');
  await expect(page.getByText('There is no such package, or you may not see it.')).toBeVisible();
});

test('a version is deprecated with a reason that visitors read, and freed of it again', async ({
  startSite,
  visit,
}) => {
  const site = await startSite();
  const page = await visit({ at: site, as: ADMIN_EMAIL });
  await page.goto('/packages/hayama.datafactory');
  await page.getByRole('button', { name: 'Deprecate 3.8.0', exact: true }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Deprecate version 3.8.0' });
  await dialog.getByRole('checkbox', { name: 'It has critical bugs' }).check();
  await dialog.getByRole('textbox', { name: 'Message' }).fill('Loses data. <b>Do not use</b>');
  await dialog.getByRole('textbox', { name: 'Use instead' }).fill('no.such.package');
  await dialog.getByRole('button', { name: 'Deprecate', exact: true }).click();
  await expect(dialog.getByRole('textbox', { name: 'Use instead' })).toHaveAttribute('aria-invalid', 'true');
  await expectNoAxeViolations(page);
  await dialog.getByRole('textbox', { name: 'Use instead' }).fill('hayama.edge');
  await dialog.getByRole('textbox', { name: 'Version' }).fill('2.0.3');
  await dialog.getByRole('button', { name: 'Deprecate', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect(versionRow(page, WORDS.en, '3.8.0').filter({ hasText: 'deprecated' })).toHaveCount(1);
  const visitor = await visit({ at: site });
  await visitor.goto('/packages/hayama.datafactory/3.8.0');
  await expect(visitor.getByText('Loses data. <b>Do not use</b>')).toBeVisible();
  await expect(visitor.getByRole('link', { name: 'Hayama.Edge 2.0.3', exact: true })).toBeVisible();
  await expectNoAxeViolations(visitor);
  const { api } = await site.signIn();
  const alternativeOf = async () => {
    const params = { path: { id: 'hayama.datafactory' } };
    const { versions } = (await api.GET('/v1/packages/{id}', { params })).data;
    return versions.find(({ version }) => version === '3.8.0')?.deprecation?.alternatePackage;
  };
  expect(await alternativeOf()).toEqual({ id: 'Hayama.Edge', version: '2.0.3' });

  // Whoever changes the message alone changes nothing of what is to be used instead.
  await page.getByRole('button', { name: 'Deprecate 3.8.0', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('textbox', { name: 'Version' })).toHaveValue('2.0.3');
  await dialog.getByRole('textbox', { name: 'Message' }).fill('Loses data at midnight.');
  await dialog.getByRole('button', { name: 'Deprecate', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  expect(await alternativeOf()).toEqual({ id: 'Hayama.Edge', version: '2.0.3' });

  await page.getByRole('button', { name: 'Deprecate 3.8.0', exact: true }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Not deprecated any more' }).click();
  await expect(versionRow(page, WORDS.en, '3.8.0').filter({ hasText: 'deprecated' })).toHaveCount(0);
});
