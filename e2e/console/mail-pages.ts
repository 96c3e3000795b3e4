import type { Page } from '@playwright/test';
import type { PicturedPage } from './pages.ts';
import { MEMBER_EMAIL } from './town-people.ts';

const WORDS = {
  en: { open: /^Open “/, why: /^Why “/, kind: 'Mail', subject: 'Subject', opening: 'Opening' },
  ja: {
    open: /」を開く$/,
    why: /送信されていない理由$/,
    kind: 'メールの種類',
    subject: '件名',
    opening: '書き出し',
  },
} as const;

const mail = (id: number, more: Readonly<Record<string, unknown>>) => ({
  id: `out_${id}`,
  kind: 'key.expiring',
  to: { name: 'Priya Raman', address: 'priya.raman@hayama.example' },
  accountId: 'acc_1',
  subject: '[Keyreeve] API key “CI publish: DataFactory” is about to expire',
  locale: 'en',
  state: 'sent',
  attempts: 1,
  lastError: null,
  createdAt: new Date(Date.now() - id * 3_600_000).toISOString(),
  doneAt: new Date(Date.now() - id * 3_500_000).toISOString(),
  ...more,
});

/** As with a mail server that refuses one mail and is slow with another; Hayama has none. */
const MAILS = [
  mail(1, { state: 'pending', attempts: 0, doneAt: null }),
  mail(2, {
    state: 'pending',
    attempts: 3,
    lastError: 'EENVELOPE: 451 4.7.1 Greylisted, try again later',
    doneAt: null,
  }),
  mail(3, {
    state: 'failed',
    kind: 'account.invitation',
    to: { name: '渡辺 拓真', address: 'takuma.watanabe@hayama.example' },
    subject: '[Keyreeve] 渡辺 拓真 様へのご招待',
    lastError:
      'EENVELOPE: 550 5.1.1 <takuma.watanabe@hayama.example>: Recipient address rejected: User unknown',
  }),
  ...[4, 5, 6].map((id) => mail(id, {})),
];

async function serveMails(page: Page): Promise<void> {
  await page.route(
    (url) => url.pathname === '/v1/mailbox',
    (route) => {
      const state = new URL(route.request().url()).searchParams.get('state');
      const items = MAILS.filter((each) => state === null || each.state === state);
      return route.fulfill({ json: { items, nextCursor: null } });
    },
  );
  await page.route(
    (url) => url.pathname === '/v1/console',
    async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...((await answer.json()) as object), hasSmtp: true } });
    },
  );
  await page.reload();
  await page.getByRole('table').waitFor();
}

/** The mails, one that is open, one that was given up, and the words that a workspace gives them. */
export const MAIL_PAGES: readonly PicturedPage[] = [
  { name: 'mails', path: '/mails' },
  { name: 'mails-member', path: '/mails', as: MEMBER_EMAIL },
  { name: 'mails-none', path: '/mails?filter=sent' },
  {
    name: 'mail-open',
    path: '/mails',
    prepare: async (page, language) => {
      await page.getByRole('button', { name: WORDS[language].open }).first().click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'mails-failed', path: '/mails', prepare: serveMails },
  {
    name: 'mail-failed',
    path: '/mails',
    prepare: async (page, language) => {
      await serveMails(page);
      await page.getByRole('button', { name: WORDS[language].why }).last().click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'settings-mail-words',
    path: '/settings',
    prepare: async (page, language) => {
      const words = WORDS[language];
      await page.getByRole('combobox', { name: words.kind, exact: true }).selectOption('key.expired');
      await page
        .getByRole('textbox', { name: words.subject, exact: true })
        .fill('{name} has stopped working');
      await page
        .getByRole('textbox', { name: words.opening, exact: true })
        .fill('Hello,\n\na key has expired. The platform team helps on weekdays.');
    },
  },
];
