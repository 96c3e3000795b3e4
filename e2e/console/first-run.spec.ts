import type { Page } from '@playwright/test';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  pressTabTo,
  type Site,
  TOWN_PASSWORD,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    setUp: 'Set up Keyreeve',
    code: 'Setup code',
    printed: /printed once, at first start/,
    name: 'Display name',
    email: 'E-mail',
    password: 'Password',
    length: /12 characters or more\s*\(fulfilled\)/,
    names: /not your name or e-mail\s*\(fulfilled\)/,
    create: 'Create administrator',
    wrongCode: /^The setup code is wrong\./,
    weak: /^The password is little more than /,
    account: 'Account menu',
    signInTitle: 'Sign in to Keyreeve',
    signIn: 'Sign in',
    disabled: /The account is disabled\. The password is right\./,
    throttled: /There were too many failed tries\. Try again in (\d+ seconds?|\d+ minutes?.*)\./,
    keys: 'All keys',
    help: 'platform@hayama.example',
  },
  ja: {
    setUp: 'Keyreeveの初期設定',
    code: 'セットアップコード',
    printed: /初回起動時に一度だけ表示/,
    name: '表示名',
    email: 'メールアドレス',
    password: 'パスワード',
    length: /12文字以上\s*（満たしています）/,
    names: /名前やメールアドレスを含まない\s*（満たしています）/,
    create: '管理者を作成',
    wrongCode: /^セットアップコードが違います。/,
    weak: /^パスワードのほとんどが/,
    account: 'アカウントメニュー',
    signInTitle: 'Keyreeveにサインイン',
    signIn: 'サインイン',
    disabled: /アカウントは停止中です。 パスワードは正しく入力されています。/,
    throttled: /\d+(秒|分.*)後に再試行してください。/,
    keys: 'すべてのキー',
    help: 'platform@hayama.example',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const PASSWORD = 'velvet ladder orbit';

const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const secret = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });

/** The code as the server has printed it; nobody else knows it. */
function codeOf(site: Site): string {
  const code = /^ {2}Set-up code \(works once\): (\S+)$/m.exec(site.server().output())?.[1];
  if (code === undefined) throw new Error(`The server has printed no code:\n${site.server().output()}`);
  return code;
}

async function signIn(page: Page, words: Words, email: string, password: string): Promise<void> {
  await field(page, words.email).fill(email);
  await secret(page, words.password).fill(password);
  await page.getByRole('button', { name: words.signIn, exact: true }).click();
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`the first run, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('makes the first administrator with the code of the server, once', async ({ startSite, visit }) => {
      const at = await startSite({ town: 'empty' });
      const page = await visit({ at });
      await page.goto('/');
      await expect(heading(page, words.setUp)).toBeVisible();
      await expect(page.getByText(words.printed)).toBeVisible();
      await expect(field(page, words.code)).toBeFocused();
      await expectNoAxeViolations(page);
      await field(page, words.code).fill(`${codeOf(at)}x`);
      await field(page, words.name).fill('橘 美緒');
      await field(page, words.email).fill('mio.tachibana@hayama.example');
      await secret(page, words.password).fill('mio.tachibana');
      await expect(page.getByText(words.length)).toBeVisible();
      await expect(page.getByText(words.names)).toHaveCount(0);
      await page.getByRole('button', { name: words.create }).click();
      await expect(page.getByText(words.weak)).toBeVisible();
      await expect(secret(page, words.password)).toBeFocused();
      await secret(page, words.password).fill(PASSWORD);
      await expect(page.getByText(words.names)).toBeVisible();
      await page.getByRole('button', { name: words.create }).click();
      await expect(page.getByText(words.wrongCode)).toBeVisible();
      await expect(field(page, words.code)).toBeFocused();
      await expectNoAxeViolations(page);
      await field(page, words.code).fill(` ${codeOf(at)} `);
      await page.keyboard.press('Enter');
      await expect(page).toHaveURL(/\/overview$/);
      await expect(page.getByRole('button', { name: words.account })).toContainText('橘 美緒');
      const stranger = await visit({ at });
      await stranger.goto('/first-run');
      await expect(heading(stranger, words.signInTitle)).toBeVisible();
      await expect(stranger).toHaveURL(/\/sign-in$/);
    });

    test('can be gone through with the keyboard alone', async ({ startSite, visit }) => {
      const at = await startSite({ town: 'empty' });
      const page = await visit({ at });
      await page.goto('/overview');
      await expect(heading(page, words.setUp)).toBeVisible();
      await page.keyboard.type(codeOf(at));
      await page.keyboard.press('Tab');
      await expect(field(page, words.name)).toBeFocused();
      await page.keyboard.type('<b>Ada</b>');
      await page.keyboard.press('Tab');
      await page.keyboard.type('ada@example.com');
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await pressTabTo(page, page.getByRole('button', { name: words.create }));
      await page.keyboard.press('Enter');
      await expect(page.getByRole('button', { name: words.account })).toContainText('<b>Ada</b>');
    });
  });

  test.describe(`signing in, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('leads back to where one wanted to go, query and all, and nowhere else', async ({ visit, town }) => {
      const page = await visit({});
      await page.goto('/keys?over=365');
      await expect(page).toHaveURL(/\/sign-in\?to=/);
      await signIn(page, words, ADMIN_EMAIL, TOWN_PASSWORD);
      await expect(heading(page, words.keys)).toBeVisible();
      await expect(page).toHaveURL(`${town.url}/keys?over=365`);
      await page.goto(`/sign-in?to=${encodeURIComponent('/audit?action=key.created')}`);
      await expect(page).toHaveURL(`${town.url}/audit?action=key.created`);
    });

    test('never leads to another server', async ({ visit, town }) => {
      for (const to of [
        '//evil.example/',
        '/\\evil.example',
        '/\t/evil.example',
        '/.//evil.example',
        'evil.example',
      ]) {
        const page = await visit({});
        await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
        await signIn(page, words, ADMIN_EMAIL, TOWN_PASSWORD);
        await expect(page, to).toHaveURL(`${town.url}/overview`);
        await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
        await expect(page, to).toHaveURL(`${town.url}/overview`);
        await page.close();
      }
    });

    test('tells the holder of the password that the account is disabled, and whom to ask', async ({
      page,
    }) => {
      await page.goto('/sign-in');
      await signIn(page, words, 'daniel.oshea@contract.example', TOWN_PASSWORD);
      await expect(page.getByRole('alert')).toHaveText(words.disabled);
      await expect(secret(page, words.password)).toBeFocused();
      await expect(page.getByRole('link', { name: words.help })).toHaveAttribute('href', /^mailto:platform/);
      await expectNoAxeViolations(page);
    });

    test('says how long to wait after too many tries', async ({ page }) => {
      await page.goto('/sign-in');
      const answered = () => page.waitForResponse((answer) => answer.url().endsWith('/v1/session'));
      await field(page, words.email).fill(`guessed.${lang}@hayama.example`);
      for (let tries = 0; ; tries += 1) {
        await secret(page, words.password).fill(`seagull lantern ${tries}`);
        const [answer] = await Promise.all([
          answered(),
          page.getByRole('button', { name: words.signIn, exact: true }).click(),
        ]);
        if (answer.status() === 429) break;
        expect(tries, 'failures before the first pause').toBeLessThan(6);
      }
      await expect(page.getByRole('alert')).toHaveText(words.throttled);
    });
  });
}
