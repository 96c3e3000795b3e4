import type { Page } from '@playwright/test';
import { expect, expectNoAxeViolations, test, unlessEnglish } from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Signing keys',
    rotate: 'Rotate now',
    rotateTitle: 'Rotate the signing key?',
    rotated: 'The new key is published. It signs in 20 minutes.',
    isWaiting: 'The next key is published already.',
    waiting: 'Waits',
    signing: 'Signs',
    retired: 'Retired',
    retire: 'Retire at once',
    retireTitle: 'Retire this signing key at once?',
    tokensEnd: 'All tokens that it has signed end now.',
    noTokenEnds: 'It has signed nothing yet, so no token ends.',
    done: 'The signing key is retired.',
    cancel: 'Cancel',
  },
  ja: {
    title: '署名鍵',
    rotate: '今すぐ更新',
    rotateTitle: '署名鍵を更新しますか？',
    rotated: '新しい鍵を公開しました。20分後に署名を始めます。',
    isWaiting: '次の鍵はすでに公開されています。',
    waiting: '待機中',
    signing: '署名中',
    retired: '廃止済み',
    retire: 'ただちに廃止',
    retireTitle: 'この署名鍵をただちに廃止しますか？',
    tokensEnd: 'この鍵で署名したトークンはすべて、今すぐ無効になります。',
    noTokenEnds: 'まだ署名に使われていないため、無効になるトークンはありません。',
    done: '署名鍵を廃止しました。',
    cancel: 'キャンセル',
  },
} as const;

const rowsOf = (page: Page, title: string) =>
  page
    .getByRole('table', { name: title })
    .getByRole('row')
    .filter({ has: page.getByRole('cell') });

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`signing keys, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('are shown with what they do, rotated, and retired at once after what breaks was told', async ({
      asAdmin: page,
    }) => {
      await page.goto('/settings');
      const section = page.getByRole('region', { name: words.title });
      const rows = rowsOf(page, words.title);
      const signing = rows.filter({ hasText: words.signing, hasNotText: words.waiting }).first();
      await expect(signing).toBeVisible();

      await section.getByRole('button', { name: words.rotate }).click();
      const asking = page.getByRole('dialog', { name: words.rotateTitle });
      await expectNoAxeViolations(page);
      await asking.getByRole('button', { name: words.rotate }).click();
      await expect(page.getByText(words.rotated)).toBeVisible();
      await expect(section.getByText(words.isWaiting)).toBeVisible();
      await expect(section.getByRole('button', { name: words.rotate })).toBeDisabled();

      // What ends tokens says so; the town's own are spared.
      const leaving = page.getByRole('dialog', { name: words.retireTitle });
      await signing.getByRole('button').click();
      await expect(leaving.getByText(words.tokensEnd)).toBeVisible();
      await leaving.getByRole('button', { name: words.cancel }).click();

      const waiting = rows.filter({ hasText: words.waiting });
      await waiting.getByRole('button').click();
      await expect(leaving.getByText(words.noTokenEnds)).toBeVisible();
      await leaving.getByRole('button', { name: words.retire }).click();
      await expect(page.getByText(words.done)).toBeVisible();
      await expect(waiting).toHaveCount(0);
      await expect(rows.filter({ hasText: words.retired }).first()).toBeVisible();
      await expect(section.getByRole('button', { name: words.rotate })).toBeEnabled();
    });
  });
}
