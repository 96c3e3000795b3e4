import type { Page } from '@playwright/test';
import { startSmtpSink } from '../../packages/testkit/src/smtp-sink.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  MEMBER_EMAIL,
  pressTabTo,
  type Site,
  secretLeaks,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Mails',
    titleOwn: 'My mails',
    table: 'Mails of the last 30 days',
    filter: 'State of the mails',
    kept: 'Kept here',
    givenUp: 'Given up',
    onItsWay: 'On its way',
    noSmtp: /No mail server is set up, so mails stay on this server\./,
    open: /^Open “/,
    why: /^Why “.+” was not sent$/,
    text: 'Text of the mail',
    masked: /Links and keys are masked\./,
    maskedNobody: /Links and keys are masked for everybody\./,
    close: 'Close',
    someFailed: /mails? (?:was|were) given up/,
    showThem: 'Show them',
    failedTitle: 'This mail was given up',
    refused: 'The mail server refused it for good.',
    remedy: /^Check the address with its owner/,
    answer: /550/,
    waitingTitle: 'This mail has not been sent yet',
    unreachable: 'The mail server could not be reached.',
    keepsTrying: /tried again by itself/,
    none: 'No mails in this state',
    showAll: 'Show all mails',
    empty: 'No mails yet',
    notLoaded: 'This could not be loaded',
    tryAgain: 'Try again',
    invitation: 'Invitation',
    reset: 'Password reset',
    askAdmin: 'Administrators can see the reason.',
  },
  ja: {
    title: 'メール',
    titleOwn: '自分のメール',
    table: '過去30日間のメール',
    filter: 'メールの状態',
    kept: 'サーバーに保管',
    givenUp: '送信を断念',
    onItsWay: '送信待ち',
    noSmtp: /メールサーバーが未設定のため、メールはこのサーバーに残ります。/,
    open: /^「.+」を開く$/,
    why: /^「.+」が送信されていない理由$/,
    text: 'メールの本文',
    masked: /リンクとキーは伏せてあります。/,
    maskedNobody: /リンクとキーは誰にも表示されません。/,
    close: '閉じる',
    someFailed: /メールの送信を断念しました/,
    showThem: '表示する',
    failedTitle: 'このメールは送信を断念しました',
    refused: 'メールサーバーが受け取りを拒否しました。',
    remedy: /^アドレスを本人に確認して直し/,
    answer: /550/,
    waitingTitle: 'このメールはまだ送信されていません',
    unreachable: 'メールサーバーに接続できませんでした。',
    keepsTrying: /自動的に再試行します。$/,
    none: 'この状態のメールはありません',
    showAll: 'すべてのメールを表示',
    empty: 'メールはまだありません',
    notLoaded: '読み込めませんでした',
    tryAgain: '再試行',
    invitation: '招待',
    reset: 'パスワードの再設定',
    askAdmin: '理由は管理者が確認できます。',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const MASK = '••••';
const PROBLEM = {
  type: 'about:blank',
  title: 'Not possible',
  status: 400,
  detail: 'Not possible',
  code: 'request.invalid',
  instance: '0',
};

const MAIL = {
  id: 'out_1',
  kind: 'key.expired',
  to: { name: 'Jonas', address: MEMBER_EMAIL },
  accountId: 'acc_1',
  subject: 'A key has expired',
  locale: 'en',
  state: 'sent',
  attempts: 1,
  lastError: null,
  createdAt: '2026-11-20T10:00:00Z',
  doneAt: '2026-11-20T10:00:00Z',
};

/** The list has one mail, as from a server in a state that takes long to come. */
async function serveMail(page: Page, more: Readonly<Record<string, unknown>>): Promise<void> {
  await page.route(
    (url) => url.pathname === '/v1/mailbox',
    (route) => route.fulfill({ json: { items: [{ ...MAIL, ...more }], nextCursor: null } }),
  );
}

const table = (page: Page, words: Words) => page.getByRole('table', { name: words.table });
const mailTo = (page: Page, words: Words, address: string) =>
  table(page, words).getByRole('row').filter({ hasText: address });

async function open(page: Page, words: Words): Promise<void> {
  await page.goto('/mails');
  await expect(page.getByRole('heading', { name: words.title, level: 1 })).toBeVisible();
}

/** Invites somebody, which writes a mail with a link; resolves once the mail has come to rest. */
async function invite(site: Site, email: string, displayName: string): Promise<void> {
  const { api } = await site.signIn();
  await api.POST('/v1/users', { body: { email, displayName, role: 'member' } });
  await waitForMail(site, email);
}

/** The sender comes every two seconds, and takes the mails of the town first. */
async function waitForMail(site: Site, address: string): Promise<void> {
  const { api } = await site.signIn();
  await expect
    .poll(
      async () => {
        const { data } = await api.GET('/v1/mailbox', { params: { query: { limit: 200 } } });
        return data.items.filter(({ to }) => to.address === address).map(({ state }) => state);
      },
      { timeout: 30_000 },
    )
    .not.toContain('pending');
}

/** Asks for a link that sets a new password: a mail to the person alone. */
async function askForReset(site: Site, email: string): Promise<void> {
  const answer = await fetch(`${site.apiUrl}/v1/password/request`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email }),
  });
  expect(answer.ok).toBe(true);
  await waitForMail(site, email);
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`mails, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('that stay on the server are read there, links of others masked, by keyboard alone', async ({
      asAdmin: page,
      town,
    }) => {
      const address = `masked.${lang}@hayama.example`;
      await invite(town, address, 'Ines Duarte');
      await open(page, words);
      await expect(page.getByText(words.noSmtp)).toBeVisible();
      const row = mailTo(page, words, address);
      await expect(row).toContainText(words.kept);
      await expect(row).toContainText(words.invitation);
      await expectNoAxeViolations(page);
      const opener = row.getByRole('button', { name: words.open });
      await opener.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await expect(dialog.getByText(words.masked)).toBeVisible();
      await expect(dialog.getByRole('region', { name: words.text })).toContainText(`#${MASK}`);
      await expectNoAxeViolations(page);
      await page.keyboard.press('Escape');
      await expect(dialog).toHaveCount(0);
      await expect(opener).toBeFocused();
    });

    test('to oneself are whole, reached from the profile, and gone once they are closed', async ({
      visit,
      town,
    }) => {
      await askForReset(town, MEMBER_EMAIL);
      await invite(town, `foreign.${lang}@hayama.example`, 'Somebody Else');
      const page = await visit({ as: MEMBER_EMAIL });
      await page.goto('/profile');
      await pressTabTo(page, page.getByRole('link', { name: words.titleOwn }));
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { name: words.titleOwn, level: 1 })).toBeVisible();
      await expect(mailTo(page, words, `foreign.${lang}@hayama.example`)).toHaveCount(0);
      const reset = table(page, words).getByRole('row').filter({ hasText: words.reset });
      await reset.getByRole('button', { name: words.open }).first().click();
      const dialog = page.getByRole('dialog');
      const link = dialog.getByRole('region', { name: words.text }).getByRole('link');
      await expect(link).toHaveAttribute('href', /\/password-reset#\S{20,}$/);
      await expect(dialog.getByText(words.masked)).toHaveCount(0);
      const href = (await link.getAttribute('href')) ?? '';
      await expectNoAxeViolations(page);
      await dialog.getByRole('button', { name: words.close }).last().click();
      await expect(dialog).toHaveCount(0);
      expect(await secretLeaks(page, href.split('#')[1] ?? '')).toEqual([]);
    });

    test('to an address of no account are masked for everybody', async ({ asAdmin: page, town }) => {
      const { api } = await town.signIn();
      const email = `bots.${lang}@hayama.example`;
      const { data: bot } = await api.POST('/v1/service-accounts', {
        body: { technicalName: `mailed-${lang}`, displayName: `Mailed ${lang}` },
      });
      await api.POST('/v1/accounts/{id}/keys', {
        params: { path: { id: bot.id } },
        body: { comment: 'Night job', lifetimeDays: 90, access: 'account', sendMail: true, mailTo: email },
      });
      await waitForMail(town, email);
      await open(page, words);
      await mailTo(page, words, email).getByRole('button', { name: words.open }).first().click();
      await expect(page.getByRole('dialog').getByText(words.maskedNobody)).toBeVisible();
    });

    test('that were given up are told of at a glance, with reason and remedy', async ({
      startSite,
      visit,
    }) => {
      const sink = await startSmtpSink({ mode: 'reject' });
      try {
        const at = await startSite({
          env: {
            KEYREEVE_SMTP_URL: sink.url,
            KEYREEVE_SMTP_ALLOW_PLAIN: '1',
            KEYREEVE_MAIL_FROM: 'keys@hayama.example',
          },
        });
        await invite(at, 'gone@nowhere.example', 'Nobody Home');
        const page = await visit({ as: ADMIN_EMAIL, at });
        await open(page, words);
        await expect(page.getByRole('status').filter({ hasText: words.someFailed })).toBeVisible();
        const link = page.getByRole('link', { name: words.title });
        await expect(link).toHaveAccessibleName(words.someFailed);
        await page.getByRole('link', { name: words.showThem }).click();
        await expect(page.getByRole('combobox', { name: words.filter })).toHaveValue('failed');
        const row = mailTo(page, words, 'gone@nowhere.example');
        await expect(row).toContainText(words.givenUp);
        await expect(row).toContainText(words.refused);
        await expectNoAxeViolations(page);
        await row.getByRole('button', { name: words.why }).click();
        const dialog = page.getByRole('dialog', { name: words.failedTitle });
        await expect(dialog.getByText(words.answer)).toBeVisible();
        await expect(dialog.getByText(words.remedy)).toBeVisible();
        await expectNoAxeViolations(page);
        await page.keyboard.press('Escape');
        await expect(row.getByRole('button', { name: words.why })).toBeFocused();
      } finally {
        await sink.close();
      }
    });

    test('that wait for a server that is away say what is wrong with it', async ({ asAdmin: page }) => {
      await serveMail(page, {
        state: 'pending',
        attempts: 3,
        lastError: 'ESOCKET: connect ECONNREFUSED 192.0.2.1:587',
        doneAt: null,
      });
      await page.goto('/mails');
      const row = mailTo(page, words, MAIL.to.address);
      await expect(row).toContainText(words.onItsWay);
      await row.getByRole('button', { name: words.why }).click();
      const dialog = page.getByRole('dialog', { name: words.waitingTitle });
      await expect(dialog.getByText(words.unreachable)).toBeVisible();
      await expect(dialog.getByText('connect ECONNREFUSED 192.0.2.1:587')).toBeVisible();
      await expect(dialog.getByText(words.keepsTrying)).toBeVisible();
      await expectNoAxeViolations(page);
    });

    test('that are none, of a state or at all, say so; a list that did not come can be asked for again', async ({
      asAdmin: page,
    }) => {
      await page.goto('/mails?filter=sent');
      await expect(page.getByText(words.none)).toBeVisible();
      await expectNoAxeViolations(page);
      await page.getByRole('button', { name: words.showAll }).click();
      await expect(table(page, words)).toBeVisible();
      const isList = (url: URL) => url.pathname === '/v1/mailbox';
      await page.route(isList, (route) => route.fulfill({ json: { items: [], nextCursor: null } }));
      await page.reload();
      await expect(page.getByText(words.empty)).toBeVisible();
      await page.unroute(isList);
      await page.route(isList, (route) =>
        route.fulfill({ status: 400, contentType: 'application/problem+json', json: PROBLEM }),
      );
      await page.reload();
      await expect(page.getByText(words.notLoaded)).toBeVisible();
      await expectNoAxeViolations(page);
      await page.unroute(isList);
      await page.getByRole('button', { name: words.tryAgain }).click();
      await expect(table(page, words)).toBeVisible();
    });
  });
}

test('members see that a mail to them was given up, and not what the mail server said', async ({
  asMember: page,
}) => {
  const words = WORDS.en;
  const subject = 'A key of <b>Jonas</b> has expired';
  await serveMail(page, { state: 'failed', subject });
  await page.goto('/mails');
  await expect(page.getByRole('link', { name: words.title, exact: true })).toHaveCount(0);
  await expect(page.getByText(subject)).toBeVisible();
  await page.getByRole('button', { name: words.why }).click();
  await expect(page.getByRole('dialog').getByText(words.askAdmin)).toBeVisible();
});

test('what a mail says is text, and only addresses of the workspace in it are links', async ({
  asAdmin: page,
  town,
}) => {
  const words = WORDS.en;
  const served = {
    to: { name: '<img src=x onerror=alert(1)>', address: 'evil@hayama.example' },
    subject: '\u202e<script>alert(1)</script>',
    locale: 'ja',
    state: 'mailbox',
  };
  // Names come first in a Japanese line: one that looks like an address must not become a way out of here.
  const text = `Hello <b>you</b>\n\njavascript:alert(1)\nhttps://evil.example/a 様\nhttps://evil.example/b\n${town.url}/ の\n${town.url}.evil.example/c\n${town.url}/x#1\nhttp://[\n`;
  await serveMail(page, served);
  await page.route(
    (url) => url.pathname === `/v1/mailbox/${MAIL.id}`,
    (route) => route.fulfill({ json: { ...MAIL, ...served, text, html: '<p>Hello</p>', isMasked: true } }),
  );
  await page.goto('/mails');
  await page.getByRole('button', { name: words.open }).click();
  const region = page.getByRole('region', { name: words.text });
  await expect(region).toContainText('Hello <b>you</b>');
  await expect(region).toContainText('http://[');
  await expect(region).toContainText('https://evil.example/a 様');
  await expect(region.getByRole('link')).toHaveCount(1);
  await expect(region.getByRole('link')).toHaveAttribute('href', `${town.url}/x#1`);
});
