import type { Page } from '@playwright/test';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  MEMBER_EMAIL,
  pressTabTo,
  TOWN_PASSWORD,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Sign in to Keyreeve',
    email: 'E-mail',
    password: 'Password',
    signIn: 'Sign in',
    wrong: 'E-mail or password is wrong.',
    account: 'Account menu',
    signOut: 'Sign out',
    signOutEverywhere: 'Sign out everywhere',
    overview: 'Overview',
    myKeys: 'My API keys',
    users: 'Users',
    serviceAccounts: 'Service accounts',
    toDark: 'Switch to dark theme',
    toLight: 'Switch to light theme',
  },
  ja: {
    title: 'Keyreeveにサインイン',
    email: 'メールアドレス',
    password: 'パスワード',
    signIn: 'サインイン',
    wrong: 'メールアドレスまたはパスワードが違います。',
    account: 'アカウントメニュー',
    signOut: 'サインアウト',
    signOutEverywhere: 'すべての端末からサインアウト',
    overview: '概要',
    myKeys: '自分のAPIキー',
    users: 'ユーザー',
    serviceAccounts: 'サービスアカウント',
    toDark: 'ダークテーマに切り替え',
    toLight: 'ライトテーマに切り替え',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

async function fillSignIn(page: Page, words: Words, email: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: words.email, exact: true }).fill(email);
  await page.getByLabel(words.password, { exact: true }).fill(password);
  await page.getByRole('button', { name: words.signIn, exact: true }).click();
}

async function openAccountMenu(page: Page, words: Words): Promise<void> {
  await page.getByRole('button', { name: words.account }).click();
}

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`signing in, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('leads to the page that was asked for', async ({ page }) => {
      await page.goto('/my-keys');
      await expect(heading(page, words.title)).toBeVisible();
      await fillSignIn(page, words, MEMBER_EMAIL, TOWN_PASSWORD);
      await expect(heading(page, words.myKeys)).toBeVisible();
      expect(new URL(page.url()).pathname).toBe('/my-keys');
      await expect(page.getByRole('button', { name: words.account })).toContainText('Jonas Lindqvist');
    });

    test('says that a password is wrong, and keeps the address', async ({ page }) => {
      await page.goto('/sign-in');
      // Failures slow down the next tries of the same person, who therefore does nothing else in this suite.
      const email = 'lananh.nguyen@hayama.example';
      await fillSignIn(page, words, email, 'not the password at all');
      await expect(page.getByRole('alert')).toContainText(words.wrong);
      await expect(page.getByRole('textbox', { name: words.email, exact: true })).toHaveValue(email);
      await expect(heading(page, words.title)).toBeVisible();
    });

    test('works with the keyboard alone', async ({ page }) => {
      await page.goto('/sign-in');
      await pressTabTo(page, page.getByRole('textbox', { name: words.email, exact: true }));
      await page.keyboard.type(ADMIN_EMAIL);
      await pressTabTo(page, page.getByLabel(words.password, { exact: true }));
      await page.keyboard.type(TOWN_PASSWORD);
      await page.keyboard.press('Enter');
      await expect(heading(page, words.overview)).toBeVisible();
    });

    test('is a page that everybody can use', async ({ page }) => {
      await page.goto('/sign-in');
      await expect(heading(page, words.title)).toBeVisible();
      await expectNoAxeViolations(page);
    });
  });

  test.describe(`signing out, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('ends the session, also for whoever goes back', async ({ visit, town }) => {
      const page = await visit({ as: MEMBER_EMAIL, session: 'own' });
      await page.goto('/my-keys');
      const [session] = await page.context().cookies();
      await openAccountMenu(page, words);
      await page.getByRole('menuitem', { name: words.signOut, exact: true }).click();
      await expect(heading(page, words.title)).toBeVisible();
      const cookie = `${session?.name}=${session?.value}`;
      expect((await fetch(`${town.apiUrl}/v1/session`, { headers: { cookie } })).status).toBe(401);
      await page.goto('/my-keys');
      await expect(heading(page, words.title)).toBeVisible();
    });
  });
}

test('signing out everywhere ends the sessions on other devices', async ({ visit }) => {
  const [words, email] = [WORDS.en, 'weiling.chen@hayama.example'];
  const here = await visit({ as: email, session: 'own' });
  const there = await visit({ as: email, session: 'own' });
  await here.goto('/my-keys');
  await there.goto('/my-keys');
  await expect(heading(there, words.myKeys)).toBeVisible();
  await openAccountMenu(here, words);
  await here.getByRole('menuitem', { name: words.signOutEverywhere }).click();
  await expect(heading(here, words.title)).toBeVisible();
  await there.goto('/my-keys');
  await expect(heading(there, words.title)).toBeVisible();
});

test('members see no doors to what only administrators may do', async ({ asMember, asAdmin }) => {
  const link = (page: Page, name: string) =>
    page.getByRole('navigation').getByRole('link', { name, exact: true });
  await asAdmin.goto('/my-keys');
  await expect(link(asAdmin, WORDS.en.users)).toBeVisible();
  await asMember.goto('/my-keys');
  await expect(link(asMember, WORDS.en.serviceAccounts)).toBeVisible();
  await expect(link(asMember, WORDS.en.users)).toHaveCount(0);
});

test.describe('what the browser remembers', () => {
  test('is the language, before and after a sign-in', async ({ visit }) => {
    const page = await visit({ as: MEMBER_EMAIL, lang: null });
    await page.goto('/my-keys');
    await page.getByRole('radiogroup', { name: 'Language' }).getByText('日本語').click();
    await expect(heading(page, WORDS.ja.myKeys)).toBeVisible();
    await page.reload();
    await expect(heading(page, WORDS.ja.myKeys)).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'ja');
  });

  test('is the theme', async ({ visit }) => {
    const page = await visit({ theme: null });
    await page.goto('/sign-in');
    await page.getByRole('button', { name: WORDS.en.toDark }).click();
    await expect(page.getByRole('button', { name: WORDS.en.toLight })).toBeVisible();
    await page.reload();
    await expect(page.getByRole('button', { name: WORDS.en.toLight })).toBeVisible();
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
  });
});

test('the language of the browser decides where nobody has chosen yet', async ({ visit }) => {
  const page = await visit({ lang: null, context: { locale: 'ja-JP' } });
  await page.goto('/sign-in');
  await expect(heading(page, WORDS.ja.title)).toBeVisible();
});

test('a banner warns while the console is served over plain http', async ({ startSite, visit, town }) => {
  const site = await startSite({ isPlainHttp: true });
  const warned = await visit({ at: site });
  await warned.goto('/sign-in');
  await expect(warned.getByRole('note')).toContainText('plain http');
  await expectNoAxeViolations(warned);
  const calm = await visit({ at: town });
  await calm.goto('/sign-in');
  await expect(heading(calm, WORDS.en.title)).toBeVisible();
  await expect(calm.getByRole('note')).toHaveCount(0);
});
