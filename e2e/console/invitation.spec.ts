import type { Page } from '@playwright/test';
import { type SmtpSink, startSmtpSink } from '../../packages/testkit/src/smtp-sink.ts';
import { mintKey } from '../console.ts';
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
    welcome: 'Welcome to Keyreeve',
    reset: 'Set a new password',
    yourKey: 'Your API key',
    next: 'New password',
    show: 'Show the password',
    set: /^Set the (new )?password$/,
    weak: /Choose another password\. The password has 5 characters; at least 12 are needed\./,
    unusable: 'This link cannot be used.',
    missing: 'The link is missing here.',
    account: 'Account menu',
    toDark: 'Switch to dark theme',
    forgot: 'Forgot the password?',
    email: 'E-mail',
    send: 'Send the link',
    sent: /the mail is on its way/,
    showKey: 'Show the key',
    secretKey: 'Secret key',
  },
  ja: {
    welcome: 'Keyreeveへようこそ',
    reset: 'パスワードの再設定',
    yourKey: 'APIキーの受け取り',
    next: '新しいパスワード',
    show: 'パスワードを表示',
    set: /^(新しい)?パスワードを設定$/,
    weak: /別のパスワードを入力してください。 パスワードは5文字です。12文字以上必要です。/,
    unusable: 'このリンクは使用できません。',
    missing: 'リンクの情報がありません。',
    account: 'アカウントメニュー',
    toDark: 'ダークテーマに切り替え',
    forgot: 'パスワードを忘れた場合',
    email: 'メールアドレス',
    send: 'リンクを送信',
    sent: /メールを送信しました/,
    showKey: 'キーを表示',
    secretKey: 'シークレットキー',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const PASSWORD = 'velvet ladder orbit';

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });
// Not exact: the label holds the words of both languages, one of them hidden.
const password = (page: Page, words: Words) => page.getByLabel(words.next);

let sink: SmtpSink;
let site: Site | null = null;
test.beforeAll(async () => {
  sink = await startSmtpSink();
});
test.afterAll(async () => {
  await sink.close();
});

/** The texts of the mails to an address, the oldest first, their transfer encoding undone. */
function mailsTo(address: string): string[] {
  return sink.mails.filter((mail) => mail.to.includes(address)).map(({ raw }) => textOf(raw));
}

function textOf(raw: string): string {
  const part =
    /Content-Type: text\/plain[^\r]*\r\nContent-Transfer-Encoding: (\S+)\r\n\r\n([\s\S]*?)\r\n--/.exec(raw);
  const [, encoding, body = ''] = part ?? [];
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  const bytes = body
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The link that the mail brings, once it has come; mails of servers that other tests have had are older. */
async function linkIn(at: Site, address: string, path: string): Promise<string> {
  // The dots and slashes of an address need no escaping here: they match themselves too.
  const pattern = new RegExp(`${at.url}/${path}#\\S+`);
  // Other mails may come behind it: of keys that are about to expire, and of the sign-in itself.
  const find = () => mailsTo(address).findLast((text) => pattern.test(text)) ?? '';
  await expect.poll(find).toMatch(pattern);
  return pattern.exec(find())?.[0] ?? '';
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`mailed links, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });
    test.beforeEach(async ({ startSite }) => {
      site = await startSite({
        env: {
          KEYREEVE_SMTP_URL: sink.url,
          KEYREEVE_SMTP_ALLOW_PLAIN: '1',
          KEYREEVE_MAIL_FROM: 'keys@hayama.example',
        },
      });
    });
    const at = (): Site => {
      if (site === null) throw new Error('The server has not been started.');
      return site;
    };

    test('an invitation becomes a password and leads into the console', async ({ visit }) => {
      const email = `invited.${lang}@hayama.example`;
      const { api } = await at().signIn();
      await api.POST('/v1/users', { body: { email, displayName: 'Inês Duarte', locale: lang } });
      const link = await linkIn(at(), email, 'invitation');
      const page = await visit({ at: at(), theme: null });
      await page.goto(link);
      await expect(heading(page, words.welcome)).toBeVisible();
      expect(page.url()).not.toContain('#');
      await expectNoAxeViolations(page);
      await password(page, words).fill('short');
      await page.getByRole('button', { name: words.set }).click();
      await expect(page.getByRole('alert')).toHaveText(words.weak, { useInnerText: true });
      await expect(password(page, words)).toBeFocused();
      await expectNoAxeViolations(page);
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type(PASSWORD);
      await pressTabTo(page, page.getByRole('button', { name: words.show }));
      await page.keyboard.press('Enter');
      await expect(password(page, words)).toHaveAttribute('type', 'text');
      await pressTabTo(page, page.getByRole('button', { name: words.set }));
      await page.keyboard.press('Enter');
      await expect(page).toHaveURL(/\/overview$/);
      await expect(page.getByRole('button', { name: words.account })).toContainText('Inês Duarte');
      await page.goto(link);
      await password(page, words).fill(PASSWORD);
      await page.getByRole('button', { name: words.set }).click();
      await expect(page.getByText(words.unusable)).toBeVisible();
      await expectNoAxeViolations(page);
    });

    test('a forgotten password is set anew, and other sessions end', async ({ visit }) => {
      const email = 'weiling.chen@hayama.example';
      const other = await at().signIn(email);
      const page = await visit({ at: at() });
      await page.goto('/sign-in');
      await page.getByRole('link', { name: words.forgot }).click();
      await expectNoAxeViolations(page);
      await page.getByRole('textbox', { name: words.email }).fill(email);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('status').filter({ hasText: words.sent })).toBeVisible();
      await page.goto(await linkIn(at(), email, 'password-reset'));
      await expect(heading(page, words.reset)).toBeVisible();
      await password(page, words).fill(PASSWORD);
      await page.keyboard.press('Enter');
      await expect(page).toHaveURL(/\/overview$/);
      await expect(page.getByRole('button', { name: words.account })).toContainText('Wei-Ling Chen');
      const answer = await fetch(`${at().apiUrl}/v1/session`, { headers: { cookie: other.cookie } });
      expect(answer.status).toBe(401);
    });

    test('language and theme chosen on such a page are those of the console', async ({ visit }) => {
      const page = await visit({ at: at(), lang: null, theme: null });
      await page.goto('/invitation');
      await expect(page.getByText(WORDS.en.missing)).toBeVisible();
      await page.getByRole('button', { name: lang === 'ja' ? '日本語' : 'English' }).click();
      await expect(page.getByText(words.missing)).toBeVisible();
      await page.getByRole('button', { name: words.toDark }).click();
      await expectNoAxeViolations(page, ['dark']);
      await page.goto('/sign-in');
      await expect(page.getByRole('link', { name: words.forgot })).toBeVisible();
      await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
    });

    test('a mailed key is shown once, on a page of the same look', async ({ visit }) => {
      const admin = await at().signIn(ADMIN_EMAIL);
      const body = {
        comment: `By mail, ${lang}`,
        access: 'account',
        lifetimeDays: 90,
        sendMail: true,
      } as const;
      const minted = await mintKey(admin, admin.accountId, body);
      const page = await visit({ at: at(), theme: null });
      await page.goto(await linkIn(at(), ADMIN_EMAIL, 'key-link'));
      await expect(heading(page, words.yourKey)).toBeVisible();
      await expectNoAxeViolations(page);
      await page.getByRole('button', { name: words.showKey }).click();
      await expect(page.getByRole('textbox', { name: words.secretKey })).toHaveValue(minted.secretKey);
      await expectNoAxeViolations(page);
      await page.reload();
      await expect(page.getByText(words.missing)).toBeVisible();
      expect(await page.content()).not.toContain(minted.secretKey);
    });
  });
}
