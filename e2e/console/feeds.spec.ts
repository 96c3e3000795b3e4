import type { Page } from '@playwright/test';
import { addMember } from '../console.ts';
import {
  expect,
  expectNoAxeViolations,
  readClipboard,
  type Site,
  secretLeaks,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    feeds: 'Feeds of coming expiries',
    none: 'No feed links yet.',
    newLink: 'New feed link',
    own: 'My keys',
    workspace: 'All keys of the workspace',
    fresh: 'Feed link created',
    copyCalendar: 'Copy calendar address',
    copyAtom: 'Copy Atom address',
    reveal: 'Reveal secret',
    done: 'Done',
    leave: 'Close without copying the secret?',
    closeAnyway: 'Close anyway',
    delete: /^Delete the feed link “My keys” of /,
    deleteVerb: 'Delete feed link',
    deleted: 'Feed link deleted.',
    notYet: 'not yet',
    limit: /^At most 10 links\./,
  },
  ja: {
    feeds: '期限のフィード',
    none: 'フィードのリンクはまだありません。',
    newLink: 'フィードのリンクを作成',
    own: '自分のキー',
    workspace: 'ワークスペースのすべてのキー',
    fresh: 'フィードのリンクを作成しました',
    copyCalendar: 'カレンダーのアドレスをコピー',
    copyAtom: 'Atomのアドレスをコピー',
    reveal: 'シークレットを表示',
    done: '完了',
    leave: 'シークレットをコピーせずに閉じますか？',
    closeAnyway: 'このまま閉じる',
    delete: /^フィードのリンク「自分のキー」（.+）を削除$/,
    deleteVerb: 'リンクを削除',
    deleted: 'フィードのリンクを削除しました。',
    notYet: 'まだありません',
    limit: /^リンクは10件までです。/,
  },
} as const;

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** A person of the test's own, and a browser in which he has signed in. */
async function addPerson(site: Site, lang: 'en' | 'ja', name: string) {
  const person = await addMember(site.apiUrl, await site.signIn(), `${name}.${lang}@hayama.example`, name);
  return { person, cookie: person.cookie };
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`feed links, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('are made, copied once, read by programs and deleted', async ({ town, visit }) => {
      const { cookie } = await addPerson(town, lang, 'feeds');
      const page = await visit({ cookie });
      await page.goto('/profile');
      const panel = page.getByRole('region', { name: words.feeds });
      await expect(panel.getByText(words.none)).toBeVisible();
      await button(page, words.newLink).click();
      const dialog = page.getByRole('dialog', { name: words.fresh });
      await expect(dialog.getByRole('button', { name: words.copyCalendar })).toBeFocused();
      await expectNoAxeViolations(page);
      await dialog.getByRole('button', { name: words.copyCalendar }).click();
      const calendar = await readClipboard(page);
      await dialog.getByRole('button', { name: words.copyAtom }).click();
      const atom = await readClipboard(page);
      await dialog.getByRole('button', { name: words.reveal }).click();
      await expect(dialog.getByText(calendar, { exact: true })).toBeVisible();
      await expect(dialog.getByText(atom, { exact: true })).toBeVisible();
      await button(page, words.done).click();
      await expect(dialog).toHaveCount(0);
      expect(await secretLeaks(page, new URL(calendar).pathname.split('/')[2] ?? '')).toEqual([]);
      expect(await (await fetch(calendar)).text()).toContain('BEGIN:VCALENDAR');
      expect(await (await fetch(atom)).text()).toContain('<feed');
      const row = panel.getByRole('row').filter({ hasText: words.own });
      await row.getByRole('button', { name: words.delete }).click();
      await expectNoAxeViolations(page);
      await button(page, words.deleteVerb).click();
      await expect(page.getByText(words.deleted)).toBeVisible();
      await expect(panel.getByText(words.none)).toBeVisible();
      expect((await fetch(calendar)).status).toBe(404);
    });

    test('that were not copied are asked about; of ten no more can be made', async ({ town, visit }) => {
      const { person, cookie } = await addPerson(town, lang, 'ten');
      for (let count = 0; count < 9; count += 1)
        await person.api.POST('/v1/feed-links', { body: { scope: 'own' } });
      const page = await visit({ cookie });
      await page.goto('/profile');
      await button(page, words.newLink).click();
      await button(page, words.done).click();
      await page
        .getByRole('dialog', { name: words.leave })
        .getByRole('button', { name: words.closeAnyway })
        .click();
      const panel = page.getByRole('region', { name: words.feeds });
      await expect(panel.getByText(words.limit)).toBeVisible();
      await expect(panel.getByText(words.notYet)).toHaveCount(10);
      await expect(button(page, words.newLink)).toBeDisabled();
    });

    test('of administrators may tell of the whole workspace', async ({ asAdmin: page, town }) => {
      await page.goto('/profile');
      await button(page, words.newLink).click();
      await page.getByRole('menuitem', { name: words.workspace }).click();
      await page.getByRole('button', { name: words.copyAtom }).click();
      await button(page, words.done).click();
      const { api } = await town.signIn();
      const { data } = await api.GET('/v1/feed-links');
      expect(data.items).toMatchObject([{ scope: 'workspace' }]);
      await api.DELETE('/v1/feed-links/{id}', { params: { path: { id: data.items[0]?.id ?? '' } } });
    });
  });
}
