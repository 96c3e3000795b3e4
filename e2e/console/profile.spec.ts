import type { Page } from '@playwright/test';
import { addMember } from '../console.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  MEMBER_EMAIL,
  pressTabTo,
  type Site,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Profile',
    displayName: 'Display name',
    firstName: 'First name',
    lastName: 'Last name',
    language: 'Language',
    save: 'Save',
    saved: 'Profile saved.',
    email: 'E-mail',
    userPage: 'Change it on your user page',
    empty: 'Must not be empty.',
    theme: 'Theme',
    dark: 'Dark',
    password: 'Password',
    current: 'Current password',
    next: 'New password',
    change: 'Change password',
    wrong: /^The current password is wrong\./,
    weak: /^The password has 9 characters; at least 12 are needed\./,
    done: 'The password is changed. All your other sessions have been signed out.',
    met: /12 characters or more\s*\(fulfilled\)/,
    sessions: 'Sessions',
    thisOne: 'this one',
    endOf: (device: string) => `End the session of ${device}`,
    ended: 'Session ended.',
    endOthers: 'Sign out all others',
    endedOthers: '2 other sessions were signed out.',
    endAll: 'Sign out everywhere',
    signIn: 'Sign in to Keyreeve',
    leave: 'Leave without saving?',
    back: 'Back',
    overview: 'Overview',
  },
  ja: {
    title: 'プロフィール',
    displayName: '表示名',
    firstName: '名',
    lastName: '姓',
    language: '言語',
    save: '保存',
    saved: 'プロフィールを保存しました。',
    email: 'メールアドレス',
    userPage: 'ユーザーページで変更',
    empty: '入力してください。',
    theme: 'テーマ',
    dark: 'ダーク',
    password: 'パスワード',
    current: '現在のパスワード',
    next: '新しいパスワード',
    change: 'パスワードを変更',
    wrong: /^現在のパスワードが/,
    weak: /^パスワードは9文字です。12文字以上必要です。/,
    done: 'パスワードを変更しました。ほかのセッションはすべてサインアウトしました。',
    met: /12文字以上\s*（満たしています）/,
    sessions: 'セッション',
    thisOne: 'この端末',
    endOf: (device: string) => `${device} のセッションを終了`,
    ended: 'セッションを終了しました。',
    endOthers: 'ほかをすべてサインアウト',
    endedOthers: 'ほかの2件のセッションをサインアウトしました。',
    endAll: 'すべての端末からサインアウト',
    signIn: 'Keyreeveにサインイン',
    leave: '保存せずに移動しますか？',
    back: '戻る',
    overview: '概要',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const OLD_PASSWORD = 'lantern orchard seventeen';
const NEW_PASSWORD = 'velvet ladder orbit';
const PHONE_AGENT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1';

const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const secret = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

/** A person of the test's own: what he does to himself concerns no other test. */
async function addPerson(site: Site, email: string): Promise<void> {
  await addMember(site.apiUrl, await site.signIn(), email, 'Ines Duarte');
}

/** A further session of the person, as another device would have it: its cookie. */
async function signInFrom(site: Site, email: string, userAgent: string): Promise<string> {
  const answer = await fetch(`${site.apiUrl}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': userAgent },
    body: JSON.stringify({ email, password: OLD_PASSWORD }),
  });
  expect(answer.status).toBe(200);
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

const isLive = async (site: Site, cookie: string): Promise<boolean> =>
  (await fetch(`${site.apiUrl}/v1/session`, { headers: { cookie } })).ok;

/** Opens the profile in a browser that signs in by itself, so that its session has a device. */
async function openOwn(page: Page, site: Site, email: string, words: Words): Promise<void> {
  await page.goto('/sign-in');
  await page.getByRole('textbox', { name: words.email, exact: true }).fill(email);
  await secret(page, words.password).fill(OLD_PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/overview$/);
  await page.goto(`${site.url}/profile`);
  await expect(page.getByRole('heading', { name: words.title, level: 1 })).toBeVisible();
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`the profile, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('keeps names and language, by keyboard alone', async ({ page, town }) => {
      const email = `names.${lang}@hayama.example`;
      await addPerson(town, email);
      await openOwn(page, town, email, words);
      await expect(button(page, words.save)).toBeDisabled();
      await expectNoAxeViolations(page);
      await pressTabTo(page, field(page, words.displayName));
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type('Inês “Nês” Duarte 🗝');
      await pressTabTo(page, field(page, lang === 'ja' ? words.lastName : words.firstName));
      await page.keyboard.type('Inês');
      await pressTabTo(page, page.getByRole('combobox', { name: words.language }));
      await page.keyboard.press('ArrowDown');
      await button(page, words.save).focus();
      await page.keyboard.press('Enter');
      // Accounts of Hayama begin in English; this one has chosen the other language, here and for its mails.
      const after = WORDS.ja;
      await expect(page.getByText(after.saved)).toBeVisible();
      await expect(page.getByRole('heading', { name: after.title, level: 1 })).toBeVisible();
      await page.reload();
      await expect(field(page, after.displayName)).toHaveValue('Inês “Nês” Duarte 🗝');
      await expect(page.getByRole('heading', { name: after.title, level: 1 })).toBeVisible();
    });

    test('says at the field what the server refuses, and keeps what was typed', async ({
      asMember: page,
    }) => {
      await page.goto('/profile');
      await field(page, words.displayName).fill('   ');
      await button(page, words.save).click();
      await expect(page.getByText(words.empty)).toBeVisible();
      await expect(field(page, words.displayName)).toBeFocused();
      await expectNoAxeViolations(page);
      await field(page, words.displayName).fill('Jonas L.');
      await page.getByRole('link', { name: words.overview }).click();
      const dialog = page.getByRole('dialog', { name: words.leave });
      await dialog.getByRole('button', { name: words.back }).click();
      await expect(field(page, words.displayName)).toHaveValue('Jonas L.');
    });

    test('changes the password, says what is wrong with one, and ends the other sessions', async ({
      page,
      town,
    }) => {
      const email = `password.${lang}@hayama.example`;
      await addPerson(town, email);
      const phone = await signInFrom(town, email, PHONE_AGENT);
      await openOwn(page, town, email, words);
      const panel = region(page, words.password);
      await secret(page, words.current).fill('seagull lantern coffee');
      await secret(page, words.next).fill(NEW_PASSWORD);
      await expect(panel.getByText(words.met)).toBeVisible();
      await button(page, words.change).click();
      await expect(panel.getByText(words.wrong)).toBeVisible();
      await expect(secret(page, words.current)).toBeFocused();
      await secret(page, words.current).fill(OLD_PASSWORD);
      await secret(page, words.next).fill('too short');
      await button(page, words.change).click();
      await expect(panel.getByText(words.weak)).toBeVisible();
      await expect(secret(page, words.next)).toBeFocused();
      await expectNoAxeViolations(page);
      expect(await isLive(town, phone)).toBe(true);
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type(NEW_PASSWORD);
      await page.keyboard.press('Enter');
      await expect(panel.getByRole('status')).toHaveText(words.done);
      await expect(secret(page, words.current)).toHaveValue('');
      expect(await isLive(town, phone)).toBe(false);
      await page.reload();
      await expect(page.getByRole('heading', { name: words.title, level: 1 })).toBeVisible();
    });

    test('lists one’s sessions and ends one, all others, or every one', async ({ page, town }) => {
      const email = `sessions.${lang}@hayama.example`;
      await addPerson(town, email);
      const phone = await signInFrom(town, email, PHONE_AGENT);
      const script = await signInFrom(town, email, 'curl/8.14.1');
      await openOwn(page, town, email, words);
      const table = page.getByRole('table', { name: words.sessions });
      // The one of `addPerson`, the two of other devices, and this one.
      await expect(table.getByRole('row')).toHaveCount(5);
      await expect(table.getByRole('row').filter({ hasText: words.thisOne })).toContainText('Chrome');
      await table.getByRole('button', { name: words.endOf('Safari 18, iOS') }).click();
      await expect(page.getByText(words.ended)).toBeVisible();
      await expect(table.getByRole('row')).toHaveCount(4);
      expect(await isLive(town, phone)).toBe(false);
      await button(page, words.endOthers).click();
      await expect(page.getByText(words.endedOthers)).toBeVisible();
      await expect(table.getByRole('row')).toHaveCount(2);
      await expect(button(page, words.endOthers)).toBeDisabled();
      expect(await isLive(town, script)).toBe(false);
      const again = await signInFrom(town, email, 'curl/8.14.1');
      await button(page, words.endAll).click();
      await expect(page.getByRole('heading', { name: words.signIn })).toBeVisible();
      expect(await isLive(town, again)).toBe(false);
    });

    test('leads administrators to where their address is changed, and remembers the theme', async ({
      visit,
      town,
    }) => {
      const page = await visit({ as: ADMIN_EMAIL, theme: null });
      await page.goto('/profile');
      await expect(page.getByRole('link', { name: words.userPage })).toHaveAttribute(
        'href',
        `/users/${town.accountId(ADMIN_EMAIL)}`,
      );
      await page.getByRole('radiogroup', { name: words.theme }).getByText(words.dark).click();
      await page.reload();
      await expect(page.getByRole('radio', { name: words.dark })).toBeChecked();
      await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
    });
  });
}

test('a member is offered no way to another address', async ({ asMember: page }) => {
  await page.goto('/profile');
  await expect(page.getByText(MEMBER_EMAIL).first()).toBeVisible();
  await expect(page.getByRole('link', { name: WORDS.en.userPage })).toHaveCount(0);
});
