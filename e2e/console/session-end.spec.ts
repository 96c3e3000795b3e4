import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  TOWN_PASSWORD,
  test,
  unlessEnglish,
} from './fixtures.ts';
import { type Owner, settleOwner } from './own-keys.ts';

const WORDS = {
  en: {
    createKey: 'Create API key',
    comment: 'Comment',
    create: 'Create',
    close: 'Close',
    created: 'Key created.',
    again: 'Sign in again to continue',
    password: 'Password for ',
    signIn: 'Sign in',
    other: 'Sign in as somebody else',
    leaveTitle: 'Leave without saving?',
    typedIsLost: 'What you typed on this page and have not saved is lost.',
    leaveAnyway: 'Leave anyway',
    back: 'Back',
    signInTitle: 'Sign in to Keyreeve',
    otherTitle: 'Somebody else is signed in now',
    otherText: (name: string) => `This page was open for ${name}.`,
    load: 'Load again',
    account: 'Account menu',
    signOut: 'Sign out',
    signOutEverywhere: 'Sign out everywhere',
    displayName: 'Display name',
    exportCsv: 'Export CSV',
    offline: 'No connection to the server.',
  },
  ja: {
    createKey: 'APIキーを作成',
    comment: 'コメント',
    create: '作成',
    close: '閉じる',
    created: 'キーを作成しました。',
    again: '続けるには再度サインインしてください',
    password: 'のパスワード',
    signIn: 'サインイン',
    other: '別のアカウントでサインイン',
    leaveTitle: '保存せずに移動しますか？',
    typedIsLost: 'このページで入力して保存していない内容は失われます。',
    leaveAnyway: 'このまま移動',
    back: '戻る',
    signInTitle: 'Keyreeveにサインイン',
    otherTitle: '別のアカウントがサインインしています',
    otherText: (name: string) => `このページは${name}さんのために開かれていました。`,
    load: '再読み込み',
    account: 'アカウントメニュー',
    signOut: 'サインアウト',
    signOutEverywhere: 'すべての端末からサインアウト',
    displayName: '表示名',
    exportCsv: 'CSVを書き出す',
    offline: 'サーバーに接続できません。',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });
const dialogOf = (page: Page, name: string) => page.getByRole('dialog', { name });

/** Ends the session behind the back of the page. */
async function endSession(page: Page): Promise<void> {
  const status = await page.evaluate(() =>
    fetch('/v1/session', { method: 'DELETE' }).then((answer) => answer.status),
  );
  expect(status).toBe(204);
}

async function signInAgain(page: Page, words: Words): Promise<void> {
  const again = dialogOf(page, words.again);
  await again.getByLabel(words.password).fill(TOWN_PASSWORD);
  await again.getByRole('button', { name: words.signIn, exact: true }).click();
  await expect(again).toHaveCount(0);
}

/** Opens the form of a new key and types into it. */
async function draftKey(page: Page, words: Words, comment: string): Promise<Locator> {
  await page.goto('/my-keys');
  await page.getByRole('button', { name: words.createKey, exact: true }).first().click();
  const field = page.getByRole('dialog').getByRole('textbox', { name: words.comment });
  await field.fill(comment);
  return field;
}

async function commentsOf(owner: Owner): Promise<readonly string[]> {
  const path = { id: owner.accountId };
  const { data } = await owner.api.GET('/v1/accounts/{id}/keys', { params: { path } });
  return data.items.map(({ comment }) => comment);
}

/** What a sign-in in another tab does to this one: both have the same cookie. */
async function signInBeside(page: Page, email: string): Promise<void> {
  const data = { email, password: TOWN_PASSWORD };
  expect((await page.request.post('/v1/session', { data })).status()).toBe(200);
}

async function openAccountMenu(page: Page, words: Words): Promise<void> {
  await page.getByRole('button', { name: words.account }).click();
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`a session that has ended, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('is asked for again when the window comes back, over the form that is open', async ({
      visit,
      town,
    }) => {
      const owner = await settleOwner(town);
      const page = await visit({ as: owner.email, session: 'own' });
      await page.clock.install();
      const field = await draftKey(page, words, 'Typed before lunch');
      await endSession(page);
      await page.clock.fastForward('06:00');
      await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
      await expect(dialogOf(page, words.again)).toBeVisible();
      await signInAgain(page, words);
      await expect(field).toHaveValue('Typed before lunch');
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
      await expect(page.getByText(words.created)).toBeVisible();
    });

    test('takes nothing away in passing: only a clear yes leaves the page', async ({ visit, town }) => {
      const owner = await settleOwner(town);
      const page = await visit({ as: owner.email, session: 'own' });
      const field = await draftKey(page, words, 'Not lost');
      await endSession(page);
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
      const again = dialogOf(page, words.again);
      await expect(again.getByLabel(words.password)).toBeFocused();
      await page.keyboard.press('Escape');
      await page.mouse.click(5, 5);
      await expect(again).toBeVisible();
      await expect(again.getByRole('button', { name: words.close, exact: true })).toHaveCount(0);
      await again.getByRole('button', { name: words.other }).click();
      const question = dialogOf(page, words.leaveTitle);
      await expect(question).toContainText(words.typedIsLost);
      await expectNoAxeViolations(page);
      await question.getByRole('button', { name: words.back }).click();
      await signInAgain(page, words);
      await expect(page.getByText(words.created)).toBeVisible();
      await expect(field).toHaveCount(0);
      expect(await commentsOf(owner)).toEqual(['Not lost']);

      await draftKey(page, words, 'Given up');
      await endSession(page);
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
      await again.getByRole('button', { name: words.other }).click();
      await question.getByRole('button', { name: words.leaveAnyway }).click();
      await expect(heading(page, words.signInTitle)).toBeVisible();
    });
  });

  test.describe(`somebody else in another tab, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('gets nothing of what was typed here, and nothing is done in his name', async ({ visit, town }) => {
      const owner = await settleOwner(town);
      const page = await visit({ as: owner.email, session: 'own' });
      const field = await draftKey(page, words, 'Drawn for the owner');
      await signInBeside(page, ADMIN_EMAIL);
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
      await expect(heading(page, words.otherTitle)).toBeVisible();
      await expect(page.getByText(words.otherText((await nameOf(owner)).trim()))).toBeVisible();
      await expect(field).toHaveCount(0);
      await expectNoAxeViolations(page);
      expect(await commentsOf({ ...owner, ...(await town.signIn(owner.email)) })).toEqual([]);
      await page.getByRole('button', { name: words.load }).click();
      await expect(page.getByRole('button', { name: words.account })).toContainText('Mio Tachibana');
    });
  });
}

async function nameOf(owner: Owner): Promise<string> {
  // The owner's own session was left alone: it was another one that the tab has replaced.
  return (await owner.api.GET('/v1/session')).data.account.displayName;
}

test('the lists of one person go as soon as another opens a page in the same browser', async ({
  visit,
  town,
}) => {
  const words = WORDS.en;
  const owner = await settleOwner(town);
  await owner.mint('Private comment');
  const page = await visit({ as: owner.email, session: 'own' });
  await page.goto('/my-keys');
  await expect(page.getByRole('article', { name: 'Private comment' })).toBeVisible();
  await signInBeside(page, ADMIN_EMAIL);
  const beside = await page.context().newPage();
  await beside.goto('/profile');
  await expect(beside.getByRole('button', { name: words.account })).toContainText('Mio Tachibana');
  await expect(heading(page, words.otherTitle)).toBeVisible();
  await expect(page.getByText('Private comment')).toHaveCount(0);
});

test('a sign-in in another tab is one here too', async ({ visit, town }) => {
  const words = WORDS.en;
  const owner = await settleOwner(town);
  const page = await visit({ as: owner.email, session: 'own' });
  await draftKey(page, words, 'Signed in beside');
  await endSession(page);
  await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
  await expect(dialogOf(page, words.again)).toBeVisible();
  await signInBeside(page, owner.email);
  const beside = await page.context().newPage();
  await beside.goto('/my-keys');
  await expect(page.getByText(words.created)).toBeVisible();
});

test('signing out asks about unsaved changes before it ends the session', async ({ visit, town }) => {
  const words = WORDS.en;
  const owner = await settleOwner(town);
  const page = await visit({ as: owner.email, session: 'own' });
  const isSignedIn = () => page.evaluate(() => fetch('/v1/session').then((answer) => answer.ok));
  const questionsOfBrowser: string[] = [];
  page.on('dialog', (dialog) => {
    questionsOfBrowser.push(dialog.type());
    void dialog.accept();
  });
  await page.goto('/profile');
  const field = page.getByRole('textbox', { name: words.displayName });
  await field.fill('Unsaved name');
  await openAccountMenu(page, words);
  await page.getByRole('menuitem', { name: words.signOut, exact: true }).click();
  const question = dialogOf(page, words.leaveTitle);
  await question.getByRole('button', { name: words.back }).click();
  await expect(field).toHaveValue('Unsaved name');
  expect(await isSignedIn()).toBe(true);
  await openAccountMenu(page, words);
  await page.getByRole('menuitem', { name: words.signOut, exact: true }).click();
  await question.getByRole('button', { name: words.leaveAnyway }).click();
  await expect(heading(page, words.signInTitle)).toBeVisible();
  expect(await isSignedIn()).toBe(false);
  expect(questionsOfBrowser).toEqual([]);
});

test('signing out works when the session has ended already', async ({ visit, town }) => {
  const words = WORDS.en;
  const owner = await settleOwner(town);
  const page = await visit({ as: owner.email, session: 'own' });
  await page.goto('/my-keys');
  await expect(page.getByRole('button', { name: words.account })).toBeVisible();
  await endSession(page);
  await openAccountMenu(page, words);
  await page.getByRole('menuitem', { name: words.signOut, exact: true }).click();
  await expect(heading(page, words.signInTitle)).toBeVisible();
});

test('signing out everywhere asks for the password when only the session here has ended', async ({
  visit,
  town,
}) => {
  const words = WORDS.en;
  const owner = await settleOwner(town);
  const page = await visit({ as: owner.email, session: 'own' });
  await page.goto('/my-keys');
  await expect(page.getByRole('button', { name: words.account })).toBeVisible();
  await endSession(page);
  await openAccountMenu(page, words);
  await page.getByRole('menuitem', { name: words.signOutEverywhere }).click();
  await signInAgain(page, words);
  await expect(heading(page, words.signInTitle)).toBeVisible();
  await expect(owner.api.GET('/v1/session')).rejects.toMatchObject({ code: 'auth.session_ended' });
});

test('a file of the audit log is asked for with a living session only', async ({ visit, town }) => {
  const words = WORDS.en;
  await town.signIn();
  const page = await visit({ as: ADMIN_EMAIL, session: 'own' });
  await page.goto('/audit');
  const button = page.getByRole('button', { name: words.exportCsv });
  await expect(button).toBeVisible();
  // Otherwise what the page still asks for meets the ended session before the button does.
  await page.waitForLoadState('networkidle');
  await endSession(page);
  await button.click();
  const [download] = await Promise.all([page.waitForEvent('download'), signInAgain(page, words)]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
  expect(await readFile(await download.path(), 'utf8')).toContain('session.created');
});

test('a file of the audit log is not to be had while the server is silent', async ({
  startSite,
  visit,
  allowFault,
}) => {
  const words = WORDS.en;
  allowFault(/Failed to load resource|ERR_/);
  const site = await startSite();
  const page = await visit({ as: ADMIN_EMAIL, at: site });
  await page.goto('/audit');
  const button = page.getByRole('button', { name: words.exportCsv });
  await expect(button).toBeEnabled();
  // A server that stops still answers what it was asked before.
  await page.waitForLoadState('networkidle');
  await site.stop();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
  await expect(page.getByText(words.offline)).toBeVisible();
  await expect(button).toHaveAttribute('aria-disabled', 'true');
});
