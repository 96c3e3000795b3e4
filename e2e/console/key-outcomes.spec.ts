import type { Page, Route } from '@playwright/test';
import { expect, expectNoAxeViolations, heapContains, test, unlessEnglish } from './fixtures.ts';
import { createKey, dialogOf, type FreshKey, KEY_WORDS } from './fresh-key.ts';
import { settleOwner } from './own-keys.ts';

const WORDS = {
  en: { createKey: 'Create API key', unknown: 'It may have been done: look in the list of keys first.' },
  ja: {
    createKey: 'APIキーを作成',
    unknown: '処理は完了している可能性があります。先にキーの一覧を確認してください。',
  },
} as const;
const REGENERATE = /\/v1\/keys\/[^/]+\/regenerate$/;
const KEYS_OF_ACCOUNT = /\/v1\/accounts\/[^/]+\/keys/;

/** Lets the request through to the server and keeps its answer back. */
async function holdAnswer(page: Page, address: RegExp) {
  const [isAsked, asked] = [Promise.withResolvers<FreshKey>(), Promise.withResolvers<undefined>()];
  await page.route(address, async (route) => {
    const answer = await route.fetch();
    isAsked.resolve((await answer.json()) as FreshKey);
    await asked.promise;
    await route.fulfill({ response: answer });
  });
  return { made: isAsked.promise, release: () => asked.resolve(undefined) };
}

/** The server does it, and the answer is lost on the way. */
async function loseAnswer(route: Route): Promise<void> {
  if (route.request().method() !== 'POST') return await route.fallback();
  await route.fetch();
  await route.abort();
}

const needlesOf = ({ secretKey }: FreshKey) => [secretKey, secretKey.slice(8, 40)];

test('a regeneration that runs cannot be closed in passing: its secret would be lost', async ({
  visit,
  town,
}) => {
  const words = KEY_WORDS.en;
  const owner = await settleOwner(town);
  await owner.mint('Held back');
  const page = await visit({ as: owner.email });
  await page.goto('/keys');
  await page.getByRole('button', { name: words.regenerateOf('Held back') }).click();
  const { made, release } = await holdAnswer(page, REGENERATE);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: words.regenerate, exact: true }).click();
  await made;
  await expect(dialog.getByRole('button', { name: words.cancel, exact: true })).toBeDisabled();
  await page.keyboard.press('Escape');
  await page.mouse.click(5, 5);
  release();
  await expect(dialogOf(page, words.regenerated)).toBeVisible();
});

test('a secret that comes after the page was left is forgotten at once', async ({ visit, town }) => {
  const words = KEY_WORDS.en;
  const owner = await settleOwner(town);
  await owner.mint('Left behind');
  const page = await visit({ as: owner.email });
  await page.goto('/packages');
  await page.getByRole('navigation').getByRole('link', { name: 'My API keys' }).click();
  await page.getByRole('button', { name: words.regenerateOf('Left behind') }).click();
  const { made, release } = await holdAnswer(page, REGENERATE);
  await page.getByRole('dialog').getByRole('button', { name: words.regenerate, exact: true }).click();
  const fresh = await made;
  await page.evaluate(() => history.back());
  await expect(page.getByRole('heading', { name: 'Packages', level: 1 })).toBeVisible();
  // The page reads the keys anew as the last thing that it does about the answer.
  const reread = page.waitForResponse((response) => KEYS_OF_ACCOUNT.test(response.url()));
  release();
  await reread;
  expect(await heapContains(page, needlesOf(fresh))).toEqual([]);
});

for (const lang of ['en', 'ja'] as const) {
  test.describe(`an answer that is lost on the way, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    for (const way of ['create', 'regenerate'] as const) {
      test(`after ${way} sends the person to the list first`, async ({ visit, town, allowFault }) => {
        allowFault(/ERR_FAILED/);
        const words = KEY_WORDS[lang];
        const owner = await settleOwner(town);
        await owner.mint('Was there');
        const page = await visit({ as: owner.email });
        await page.goto('/my-keys');
        const name = way === 'create' ? WORDS[lang].createKey : words.regenerateOf('Was there');
        await page.getByRole('button', { name, exact: true }).first().click();
        const dialog = page.getByRole('dialog');
        if (way === 'create') await dialog.getByRole('textbox', { name: words.comment }).fill('Made unseen');
        await page.route(way === 'create' ? KEYS_OF_ACCOUNT : REGENERATE, loseAnswer);
        await dialog.getByRole('button', { name: words[way], exact: true }).click();
        await expect(dialog.getByRole('alert')).toContainText(WORDS[lang].unknown);
        await expectNoAxeViolations(page);
        await dialog.getByRole('button', { name: words.cancel, exact: true }).click();
        if (way === 'create') await expect(page.getByRole('article', { name: 'Made unseen' })).toBeVisible();
      });
    }
  });
}

test('a fresh secret can be copied although the list of keys cannot be read', async ({ visit, town }) => {
  const words = KEY_WORDS.en;
  const owner = await settleOwner(town);
  const page = await visit({ as: owner.email });
  await page.route(KEYS_OF_ACCOUNT, async (route) => {
    if (route.request().method() !== 'GET') return await route.fallback();
    const body = { type: 'about:blank', title: 'Not permitted', status: 403, code: 'auth.forbidden' };
    await route.fulfill({ status: 403, contentType: 'application/problem+json', json: body });
  });
  await page.goto('/my-keys');
  await page.getByRole('button', { name: WORDS.en.createKey, exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: words.comment }).fill('Seen all the same');
  await dialog.getByRole('button', { name: words.create, exact: true }).click();
  const card = page.getByRole('article', { name: 'Seen all the same' });
  await expect(card.getByRole('button', { name: words.copySecretKey })).toBeVisible();
});

test('only the whole revealed secret counts as copied', async ({ asAdmin: page, town }) => {
  const words = KEY_WORDS.en;
  await page.goto(`/users/${town.accountId('priya.raman@hayama.example')}`);
  const fresh = await createKey(page, words, 'One letter');
  await page.getByRole('button', { name: words.reveal }).click();
  const revealed = page.getByText(fresh.secretKey, { exact: true });
  const copyFirst = async (characters: number) => {
    await revealed.evaluate((element, end) => {
      const text = element.firstChild;
      if (text !== null) getSelection()?.setBaseAndExtent(text, 0, text, end);
    }, characters);
    await page.keyboard.press('Control+c');
  };
  await copyFirst(1);
  await expect(page.getByText(words.onClipboard)).toHaveCount(0);
  await page.keyboard.press('Escape');
  const question = dialogOf(page, words.leave);
  await question.getByRole('button', { name: words.back }).click();
  await copyFirst(fresh.secretKey.length);
  await expect(page.getByText(words.onClipboard)).toBeVisible();
});
