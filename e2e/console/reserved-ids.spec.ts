import type { Page } from '@playwright/test';
import { buildNupkg } from '../../packages/testkit/src/nupkg-builder.ts';
import { expect, expectNoAxeViolations, pressTabTo, test, unlessEnglish } from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Reserved ids',
    reserve: 'Reserve ids',
    pattern: 'Package ids',
    accounts: 'Reserved for',
    save: 'Save',
    changeOf: (pattern: string) => `Change the accounts of ${pattern}`,
    releaseOf: (pattern: string) => `Release ${pattern}`,
    release: 'Release',
    cancel: 'Cancel',
    nobody: 'Nobody',
    taken: 'The prefix is reserved already.',
    stale: 'Somebody else has changed it meanwhile; saved now: Release bot.',
    badPattern: 'Must be a package id, or the beginning of ids and a * at its end',
  },
  ja: {
    title: '予約済みID',
    reserve: 'IDを予約',
    pattern: 'パッケージID',
    accounts: '予約先',
    save: '保存',
    changeOf: (pattern: string) => `${pattern} のアカウントを変更`,
    releaseOf: (pattern: string) => `${pattern} の予約を解除`,
    release: '予約を解除',
    cancel: 'キャンセル',
    nobody: 'なし',
    taken: 'このプレフィックスはすでに予約されています。',
    stale: '別の場所で変更されました。保存済みの予約先は Release bot です。',
    badPattern: 'パッケージID、またはAzureRM.*のように',
  },
} as const;

const rowOf = (page: Page, title: string, pattern: string) =>
  page.getByRole('table', { name: title }).getByRole('row').filter({ hasText: pattern });

async function chooseAccount(page: Page, field: string, q: string, name: RegExp): Promise<void> {
  await page.getByRole('dialog').getByRole('combobox', { name: field }).fill(q);
  await page.getByRole('option', { name }).click();
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`reserved ids, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('are reserved for an account, handed to another and released', async ({ asAdmin: page, town }) => {
      const pattern = `Reserve.${lang}.*`;
      await page.goto('/packages');
      await page.getByRole('main').getByRole('link', { name: words.title }).click();
      await expect(page.getByRole('heading', { name: words.title, level: 1 })).toBeVisible();
      await page.getByRole('button', { name: words.reserve }).click();
      const dialog = page.getByRole('dialog', { name: words.reserve });
      await expect(dialog.getByRole('textbox', { name: words.pattern })).toBeFocused();
      await dialog.getByRole('textbox', { name: words.pattern }).fill(pattern);
      await expectNoAxeViolations(page);
      await chooseAccount(page, words.accounts, 'lindqvist', /Jonas Lindqvist/);
      await dialog.getByRole('button', { name: words.reserve }).click();
      const row = rowOf(page, words.title, pattern);
      await expect(row).toContainText('Jonas Lindqvist');

      await pressTabTo(page, row.getByRole('button', { name: words.changeOf(pattern) }));
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByRole('combobox', { name: words.accounts }).press('Backspace');
      await chooseAccount(page, words.accounts, 'release-bot', /Release bot/);
      await page.getByRole('dialog').getByRole('button', { name: words.save }).click();
      await expect(row).toContainText('Release bot');
      await expect(row).not.toContainText('Jonas Lindqvist');
      const { api } = await town.signIn();
      const { data } = await api.GET('/v1/package-prefixes', { params: { query: {} } });
      expect(data.items.find((item) => item.pattern === pattern)?.accounts.map(({ id }) => id)).toEqual([
        town.accountId('release-bot'),
      ]);

      await pressTabTo(page, row.getByRole('button', { name: words.releaseOf(pattern) }));
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog').getByRole('button', { name: words.cancel })).toBeFocused();
      await page.getByRole('dialog').getByRole('button', { name: words.release }).click();
      await expect(row).toHaveCount(0);
    });

    test('tell at the field what is reserved already, and what is no id', async ({ asAdmin: page }) => {
      await page.goto('/reserved-ids');
      await page.getByRole('button', { name: words.reserve }).click();
      const dialog = page.getByRole('dialog');
      const field = dialog.getByRole('textbox', { name: words.pattern });
      await field.fill('HAYAMA.edge*');
      await dialog.getByRole('button', { name: words.reserve }).click();
      await expect(field).toHaveAccessibleDescription(new RegExp(words.taken));
      await expect(field).toBeFocused();
      await field.fill('Hayama.*.Edge');
      await dialog.getByRole('button', { name: words.reserve }).click();
      await expect(field).toHaveAccessibleDescription(new RegExp(words.badPattern.replaceAll('*', '\\*')));
      await expect(field).toHaveAttribute('aria-invalid', 'true');
      await expectNoAxeViolations(page);
    });

    test('are never given to others over what somebody else has saved unseen', async ({
      asAdmin: page,
      town,
    }) => {
      const { api } = await town.signIn();
      const pattern = `Meanwhile.${lang}.*`;
      const { data: made } = await api.POST('/v1/package-prefixes', { body: { pattern, accountIds: [] } });
      await page.goto('/reserved-ids');
      const row = rowOf(page, words.title, pattern);
      await expect(row).toContainText(words.nobody);
      await pressTabTo(page, row.getByRole('button', { name: words.changeOf(pattern) }));
      await page.keyboard.press('Enter');
      await chooseAccount(page, words.accounts, 'lindqvist', /Jonas Lindqvist/);
      await api.PATCH('/v1/package-prefixes/{id}', {
        params: { path: { id: made.id } },
        headers: { 'if-match': '*' },
        body: { accountIds: [town.accountId('release-bot')] },
      });
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: words.save }).click();
      await expect(dialog.getByRole('alert')).toContainText(words.stale);
      await expect(row).toContainText('Release bot');
      await dialog.getByRole('button', { name: words.save }).click();
      await expect(row).toContainText('Jonas Lindqvist');
    });
  });
}

test('reserved ids are a page for administrators alone', async ({ asMember: page }) => {
  await page.goto('/packages');
  await expect(page.getByRole('heading', { name: 'Packages', level: 1 })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Reserved ids' })).toHaveCount(0);
  await page.goto('/reserved-ids');
  await expect(page.getByText('There is no such page')).toBeVisible();
  await expect(page.getByRole('table')).toHaveCount(0);
});

test('reserved ids of a push: another account is refused by the reservation of the console', async ({
  asAdmin: page,
  town,
}) => {
  await page.goto('/reserved-ids');
  await page.getByRole('button', { name: 'Reserve ids' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Package ids' }).fill('Hayama.Docs.Kept');
  await dialog.getByRole('button', { name: 'Reserve ids' }).click();
  await expect(rowOf(page, 'Reserved ids', 'Hayama.Docs.Kept')).toContainText('Nobody');
  const answer = await fetch(`${town.apiUrl}/api/v2/package`, {
    method: 'PUT',
    headers: { 'x-nuget-apikey': town.key('Release pipeline').secret },
    body: Buffer.from(buildNupkg({ id: 'Hayama.Docs.Kept', version: '1.0.0' })),
  });
  expect([answer.status, await answer.text()]).toEqual([
    409,
    expect.stringContaining('This package ID has been reserved (Hayama.Docs.Kept).'),
  ]);
});
