import { expect, expectNoAxeViolations, test } from './fixtures.ts';
import { dialogOf } from './key-dialog-steps.ts';
import { settleOwner } from './own-keys.ts';

const WORDS = {
  en: {
    edit: (name: string) => `Edit ${name}`,
    usage: (name: string) => `Usage of ${name}`,
    save: 'Save',
    requests: 'Requests',
    uses: /^Uses/,
    refill: 'Refilled',
    fault: 'Type a whole number from 1 to 1,000,000.',
    summary: '2 uses in 7 days, 50 % accepted',
    reason: 'Outside its scope 1',
    first: 'First refused since its last change',
    asked: /asked for orders:read/,
    rate: '5 requests within 1 minute',
    quota: '100 uses every month',
    left: /^99 left, refilled on /,
    months: '12 months',
    perDay: 'per day, UTC',
  },
  ja: {
    edit: (name: string) => `${name} を編集`,
    usage: (name: string) => `${name} の使用状況`,
    save: '保存',
    requests: 'リクエスト数',
    uses: /^使用できる/,
    refill: '回復',
    fault: '1〜1,000,000の整数を入力してください。',
    summary: '7日間で2回使用、50 % 許可',
    reason: 'スコープ外 1',
    first: '最後の変更後、最初の拒否',
    asked: /操作：orders:read/,
    rate: '1分に5リクエストまで',
    quota: '1か月に100回まで',
    left: /^残り99回、.*に回復$/,
    months: '12か月',
    perDay: '1日ごと・UTC',
  },
} as const;

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`a key that is counted, ${lang}`, () => {
    test.use({ lang });

    test('gets limits from its owner, and tells him what it was used for and what is left', async ({
      visit,
      town,
    }) => {
      const comment = `Counted ${lang}`;
      const owner = await settleOwner(town);
      const { apiKey, fullKey } = await owner.mint(comment, ['Acme.*']);
      const params = { path: { keyId: apiKey } };
      const page = await visit({ as: null, cookie: owner.cookie });
      await page.goto('/my-keys');
      await page.getByRole('button', { name: words.edit(comment), exact: true }).click();
      const dialog = dialogOf(page);
      await dialog.getByRole('textbox', { name: words.requests }).fill('many');
      await expect(dialog.getByText(words.fault)).toBeVisible();
      await dialog.getByRole('textbox', { name: words.requests }).fill('5');
      await dialog.getByRole('textbox', { name: words.uses }).fill('100');
      await dialog.getByRole('combobox', { name: words.refill }).selectOption('month');
      await expectNoAxeViolations(page);
      await dialog.getByRole('button', { name: words.save, exact: true }).click();
      await expect(dialog).toHaveCount(0);
      expect((await owner.api.GET('/v1/keys/{keyId}', { params })).data.limits).toEqual({
        rate: { requests: 5, windowSeconds: 60 },
        quota: { uses: 100, refill: { every: 'month', uses: null } },
      });

      const headers = { authorization: `Bearer ${fullKey}` };
      for (const question of ['action=package:push&resource=Acme.X', 'action=orders:read&resource=1'])
        await fetch(`${town.apiUrl}/v1/authorize?${question}`, { headers });
      const countActions = async () =>
        (await owner.api.GET('/v1/keys/{keyId}/usage', { params })).data.actions.length;
      await expect.poll(countActions).toBe(2);
      await page.reload();
      await page.getByRole('button', { name: words.usage(comment), exact: true }).click();
      for (const text of [words.summary, words.reason, words.first, words.rate, words.quota, words.left])
        await expect(dialog.getByText(text)).toBeVisible();
      await expect(dialog.getByText(words.asked)).toHaveCount(2);
      await expectNoAxeViolations(page);
      await dialog.getByText(words.months, { exact: true }).click();
      await expect(dialog.getByText(words.perDay)).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.getByRole('button', { name: words.usage(comment), exact: true })).toBeFocused();
    });
  });
}
