import type { Page } from '@playwright/test';
import { choosePackage, packageFile } from './choose-package.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  pressTabTo,
  type Site,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    open: 'Check a package',
    file: 'Package file',
    key: 'Push with',
    check: 'Check',
    stop: 'Stop',
    stopped: 'Stopped. Nothing was stored.',
    sending: 'Sending the package',
    steps: 'What a push is asked',
    contents: 'What would be stored',
    another: 'Check another',
    done: 'Done',
    publish: 'A push would publish Hayama.Docs.Guide 1.0.0 as a new package.',
    add: 'A push would add 9.0.0 to Hayama.Telemetry.',
    refused: 'A push would be refused.',
    nothing: 'Nothing was stored.',
    scope: 'The key may push new packages that match Hayama.Docs*',
    outside: 'that match Hayama.Docs*; Hayama.Other does not match',
    exists: "version '4.2.0' already exists",
    reserved: 'This package ID has been reserved (System.*).',
    unreadable: 'The package cannot be read.',
    full: 'of 1 packages',
    tooLarge: 'a package may have at most',
    notAsked: 'not asked',
  },
  ja: {
    open: 'パッケージを確認',
    file: 'パッケージファイル',
    key: 'プッシュに使うキー',
    check: '確認',
    stop: '中止',
    stopped: '中止しました。何も保存されていません。',
    sending: 'パッケージを送信中',
    steps: 'プッシュで検査すること',
    contents: '保存される内容',
    another: '別のパッケージを確認',
    done: '完了',
    publish: 'プッシュすると、Hayama.Docs.Guide 1.0.0 が新しいパッケージとして公開されます。',
    add: 'プッシュすると、Hayama.Telemetry に 9.0.0 が追加されます。',
    refused: 'プッシュは拒否されます。',
    nothing: '何も保存されていません。',
    scope: 'このキーは Hayama.Docs* に一致する新しいパッケージをプッシュできます',
    outside:
      '新しいパッケージのプッシュができるのは、Hayama.Docs* に一致するものだけです。Hayama.Other は一致しません。',
    exists: 'Hayama.Telemetry 4.2.0 はすでに存在し、変更できません。',
    reserved: 'このパッケージIDは予約されています（System.*）。',
    unreadable: 'パッケージを読み取れません。',
    full: '上限の1件',
    tooLarge: 'パッケージの上限は',
    notAsked: '未検査',
  },
} as const;

const DOCS_KEY = 'Docs site deploy';
const FACTORY_KEY = 'CI publish: DataFactory';

async function openDialog(page: Page, words: (typeof WORDS)['en' | 'ja']) {
  await page.goto('/packages');
  await pressTabTo(page, page.getByRole('button', { name: words.open }));
  await page.keyboard.press('Enter');
  return page.getByRole('dialog');
}

async function check(
  page: Page,
  words: (typeof WORDS)['en' | 'ja'],
  file: Parameters<typeof choosePackage>[2],
  key: string,
): Promise<void> {
  await choosePackage(page, words, file, key);
  await page.getByRole('dialog').getByRole('button', { name: words.check, exact: true }).click();
}

async function countPackages(town: Site): Promise<number> {
  const { api } = await town.signIn();
  return (await api.GET('/v1/package-summary', { params: { query: {} } })).data.all;
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`the check of a package, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('says what a push would do and what would be stored, and stores nothing', async ({
      asAdmin: page,
      town,
    }) => {
      const before = await countPackages(town);
      const dialog = await openDialog(page, words);
      await expectNoAxeViolations(page);
      const guide = packageFile({
        id: 'Hayama.Docs.Guide',
        version: '1.0',
        description: 'How to <script>globalThis.wasHere = 1</script>',
        tags: 'docs',
      });
      await check(page, words, guide, DOCS_KEY);
      await expect(dialog.getByRole('status')).toContainText(words.publish);
      await expect(dialog.getByRole('status')).toContainText(words.nothing);
      await expect(dialog.getByRole('status')).toBeFocused();
      const steps = dialog.getByRole('region', { name: words.steps });
      await expect(steps).toContainText(words.scope);
      await expect(steps).not.toContainText(words.notAsked);
      await expect(dialog.getByRole('region', { name: words.contents })).toContainText('<script>');
      expect(await page.evaluate(() => (globalThis as { wasHere?: number }).wasHere)).toBeUndefined();
      await expectNoAxeViolations(page);
      await dialog.getByRole('button', { name: words.another }).click();
      await check(page, words, packageFile({ id: 'Hayama.Telemetry', version: '9.0.0' }), FACTORY_KEY);
      await expect(dialog.getByRole('status')).toContainText(words.add);
      await dialog.getByRole('button', { name: words.done }).click();
      await expect(page.getByRole('button', { name: words.open })).toBeFocused();
      expect(await countPackages(town)).toBe(before);
    });

    for (const [cause, spec, key] of [
      ['outside', { id: 'Hayama.Other', version: '1.0.0' }, DOCS_KEY],
      ['exists', { id: 'Hayama.Telemetry', version: '4.2.0' }, FACTORY_KEY],
      ['reserved', { id: 'System.Text', version: '1.0.0' }, 'Laptop'],
    ] as const) {
      test(`names the cause of a refusal: ${cause}`, async ({ asAdmin: page, town }) => {
        const { api } = await town.signIn();
        if (key === 'Laptop') {
          const body = { comment: `Laptop ${lang}`, access: 'account', lifetimeDays: 90 } as const;
          const id = town.accountId(ADMIN_EMAIL);
          await api.POST('/v1/accounts/{id}/keys', { params: { path: { id } }, body });
        }
        const dialog = await openDialog(page, words);
        await check(page, words, packageFile(spec), key === 'Laptop' ? `Laptop ${lang}` : key);
        await expect(dialog.getByRole('status')).toContainText(words.refused);
        await expect(dialog.getByRole('region', { name: words.steps })).toContainText(words[cause]);
        await expect(dialog.getByRole('region', { name: words.steps })).toContainText(words.notAsked);
        await expectNoAxeViolations(page);
      });
    }

    test('names a quota that is used up', async ({ startSite, visit }) => {
      const site = await startSite();
      const { api } = await site.signIn();
      await api.PATCH('/v1/settings', { headers: { 'if-match': '*' }, body: { maxPackagesPerAccount: 1 } });
      const page = await visit({ at: site, as: ADMIN_EMAIL });
      const dialog = await openDialog(page, words);
      await check(page, words, packageFile({ id: 'Hayama.Docs.Full', version: '1.0.0' }), DOCS_KEY);
      await expect(dialog.getByRole('region', { name: words.steps })).toContainText(words.full);
    });

    test('takes no file that is no package, or too large', async ({ asAdmin: page }) => {
      const dialog = await openDialog(page, words);
      const notes = { ...packageFile({ id: 'X', version: '1.0.0' }), buffer: Buffer.from('notes') };
      await check(page, words, notes, FACTORY_KEY);
      await expect(dialog.getByRole('status')).toContainText(words.unreadable);
      await dialog.getByRole('button', { name: words.another }).click();
      await page.evaluate(() => {
        // A file of this size takes longer to make than all of the tests.
        Object.defineProperty(File.prototype, 'size', { get: () => 300 * 2 ** 20 });
      });
      await choosePackage(page, words, packageFile({ id: 'X', version: '1.0.0' }), FACTORY_KEY);
      await expect(dialog.getByText(words.tooLarge)).toBeVisible();
      await expect(dialog.getByRole('button', { name: words.check, exact: true })).toBeDisabled();
    });

    test('tells how far it is, and can be stopped', async ({ asAdmin: page }) => {
      const dialog = await openDialog(page, words);
      // The answer is held back, as a slow line does.
      const held = Promise.withResolvers<void>();
      await page.route('**/v1/packages/dry-run/package*', async (route) => {
        await held.promise;
        await route.continue();
      });
      await check(page, words, packageFile({ id: 'Hayama.Docs.Slow', version: '1.0.0' }), DOCS_KEY);
      await expect(dialog.getByRole('progressbar', { name: words.sending })).toBeVisible();
      await dialog.getByRole('button', { name: words.stop }).click();
      await expect(dialog.getByText(words.stopped)).toBeVisible();
      held.resolve();
      await expect(dialog.getByRole('button', { name: words.check, exact: true })).toBeEnabled();
    });
  });
}

test('the check of a package offers a member the keys that are his', async ({ asMember: page }) => {
  const dialog = await openDialog(page, WORDS.en);
  await dialog.getByRole('combobox', { name: 'Push with' }).click();
  await expect(page.getByRole('option', { name: /Notebook server/ })).toBeVisible();
  await expect(page.getByRole('option', { name: /CI publish: DataFactory/ })).toHaveCount(0);
});
