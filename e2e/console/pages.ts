import type { Page } from '@playwright/test';
import { ACCOUNT_WORDS } from './account-words.ts';
import { createKey, KEY_WORDS, openCreateDialog } from './fresh-key.ts';
import { GALLERY_PAGES } from './gallery-pages.ts';
import { KEY_PAGES } from './key-pages.ts';
import { MAIL_PAGES } from './mail-pages.ts';
import { SESSION_PAGES } from './session-pages.ts';
import type { Site, TownKind } from './site.ts';
import { ADMIN_EMAIL, MEMBER_EMAIL } from './town-people.ts';
import { WEBHOOK_PAGES } from './webhook-pages.ts';

/** A page of the console as `npm run screenshots` takes it. Authors of pages append theirs to the table. */
export interface PicturedPage {
  /** Of the files, lower case with hyphens. */
  readonly name: string;
  readonly path: string | ((site: Site) => string);
  /** E-mail of who looks; null: nobody has signed in. The administrator, unless told. */
  readonly as?: string | null;
  /** Hayama, unless told. */
  readonly town?: TownKind;
  /** Brings the page into the state of the picture: opens a dialog, types something. Roles and names only. */
  readonly prepare?: (page: Page, language: 'en' | 'ja') => Promise<void>;
}

/** The create dialog with scopes, on the page of an account. */
async function fillCreateDialog(
  page: Page,
  language: 'en' | 'ja',
  patterns: readonly string[],
): Promise<void> {
  const words = KEY_WORDS[language];
  const dialog = await openCreateDialog(page, words);
  await dialog.getByRole('radio', { name: words.scoped }).check();
  await dialog.getByRole('checkbox', { name: words.push, exact: true }).check();
  await dialog.getByRole('checkbox', { name: words.unlist }).check();
  const field = dialog.getByRole('textbox', { name: words.patterns });
  for (const pattern of patterns) {
    await field.fill(pattern);
    await field.press('Enter');
  }
  await dialog.getByRole('checkbox', { name: 'Hayama.DataFactory.Cli', checked: true }).waitFor();
}

const SETTINGS_WORDS = {
  en: {
    unit: 'Unit of the token lifetime',
    tokenLifetime: 'Token lifetime',
    longest: 'Longest lifetime',
    noticeDays: 'Days before expiry',
    showKeys: 'Show the keys',
    rotate: 'Rotate now',
    signingKeys: 'Signing keys',
  },
  ja: {
    unit: 'トークンの有効期間の単位',
    tokenLifetime: 'トークンの有効期間',
    longest: '最長の有効期間',
    noticeDays: '期限の何日前に送るか',
    showKeys: 'キーを表示',
    rotate: '今すぐ更新',
    signingKeys: '署名鍵',
  },
} as const;

const keyOwner = (site: Site) => `/users/${site.accountId('priya.raman@hayama.example')}`;

/** Somebody else saves the user whose page is open. */
async function saveElsewhere(page: Page, displayName: string): Promise<void> {
  const path = `/v1${new URL(page.url()).pathname}`;
  const answer = await page.request.get(path);
  const headers = { 'if-match': answer.headers()['etag'] ?? '' };
  const { tags } = (await answer.json()) as { readonly tags: readonly string[] };
  // Something else each time, because the pictures share a server.
  const data = { displayName, tags: tags.includes('night') ? ['web'] : ['web', 'night'] };
  await page.request.patch(path, { headers, data });
}

export const PAGES: readonly PicturedPage[] = [
  { name: 'sign-in', path: '/sign-in', as: null },
  { name: 'first-run', path: '/first-run', as: null, town: 'empty' },
  { name: 'forgot-password', path: '/forgot-password', as: null },
  { name: 'invitation', path: '/invitation#token', as: null },
  { name: 'password-reset', path: '/password-reset', as: null },
  { name: 'key-link', path: '/key-link#token', as: null },
  { name: 'docs', path: '/docs', as: null },
  {
    name: 'docs-operation',
    path: '/docs#/verification/authorizeGET',
    as: null,
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Try it out' }).click();
    },
  },
  {
    name: 'docs-authorize',
    path: '/docs',
    as: null,
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Authorize' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'overview', path: '/overview' },
  { name: 'my-keys', path: '/my-keys' },
  { name: 'my-keys-member', path: '/my-keys', as: MEMBER_EMAIL },
  { name: 'packages', path: '/packages' },
  { name: 'package', path: '/packages/Hayama.DataFactory' },
  { name: 'users', path: '/users' },
  { name: 'user', path: (site) => `/users/${site.accountId(ADMIN_EMAIL)}` },
  { name: 'users-search', path: '/users?q=an' },
  { name: 'users-nothing', path: '/users?q=tachi@' },
  { name: 'users-member', path: '/users', as: MEMBER_EMAIL },
  {
    name: 'new-user',
    path: '/users',
    prepare: async (page, language) => {
      const words = ACCOUNT_WORDS[language];
      await page.getByRole('button', { name: words.newUser }).click();
      await page.getByRole('textbox', { name: words.email, exact: true }).fill('not an address');
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
    },
  },
  {
    name: 'delete-user',
    path: (site) => `/users/${site.accountId('priya.raman@hayama.example')}`,
    prepare: async (page, language) => {
      await page.getByRole('button', { name: ACCOUNT_WORDS[language].deleteVerb }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'user-conflict',
    path: (site) => `/users/${site.accountId('weiling.chen@hayama.example')}`,
    prepare: async (page, language) => {
      const words = ACCOUNT_WORDS[language];
      await page.getByRole('textbox', { name: words.displayName, exact: true }).fill('Chen Wei-Ling');
      await saveElsewhere(page, 'Wei-Ling C.');
      await page.getByRole('button', { name: words.save, exact: true }).click();
      await page.getByRole('dialog', { name: words.conflict }).waitFor();
    },
  },
  {
    name: 'user-leave',
    path: (site) => `/users/${site.accountId('priya.raman@hayama.example')}`,
    prepare: async (page, language) => {
      const words = ACCOUNT_WORDS[language];
      await page.getByRole('textbox', { name: words.lastName, exact: true }).fill('Raman-Iyer');
      await page.getByRole('link', { name: words.users, exact: true }).last().click();
      await page.getByRole('dialog', { name: words.leave }).waitFor();
    },
  },
  { name: 'service-accounts', path: '/service-accounts' },
  {
    name: 'new-service-account',
    path: '/service-accounts',
    prepare: async (page, language) => {
      const words = ACCOUNT_WORDS[language];
      await page.getByRole('button', { name: words.newService }).click();
      await page.getByRole('textbox', { name: words.technicalName }).fill('Night Robot');
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
    },
  },
  {
    name: 'service-account-manager',
    path: (site) => `/service-accounts/${site.accountId('team-data')}`,
    as: MEMBER_EMAIL,
  },
  { name: 'service-account', path: (site) => `/service-accounts/${site.accountId('release-bot')}` },
  { name: 'all-keys', path: '/keys' },
  ...KEY_PAGES,
  ...SESSION_PAGES,
  ...MAIL_PAGES,
  ...WEBHOOK_PAGES,
  ...GALLERY_PAGES,
  { name: 'audit', path: '/audit' },
  {
    name: 'audit-detail',
    path: '/audit?period=all',
    prepare: async (page) => {
      const row = page.getByRole('row').filter({ hasText: 'settings.changed' }).first();
      await row.getByRole('button').click();
    },
  },
  { name: 'audit-nothing', path: '/audit?q=nothing-of-this-name' },
  { name: 'settings', path: '/settings' },
  {
    name: 'settings-changed',
    path: '/settings',
    prepare: async (page, language) => {
      const words = SETTINGS_WORDS[language];
      await page.getByRole('combobox', { name: words.unit }).selectOption({ index: 1 });
      await page.getByRole('textbox', { name: words.tokenLifetime }).fill('30');
      await page.getByRole('textbox', { name: words.longest }).fill('180');
      await page.getByRole('textbox', { name: words.noticeDays }).fill('30');
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: words.showKeys }).waitFor();
    },
  },
  {
    name: 'signing-keys-rotate',
    path: '/settings',
    prepare: async (page, language) => {
      await page.getByRole('button', { name: SETTINGS_WORDS[language].rotate }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'signing-keys-retire',
    path: '/settings',
    prepare: async (page, language) => {
      const table = page.getByRole('table', { name: SETTINGS_WORDS[language].signingKeys });
      await table.getByRole('button').first().click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'profile', path: '/profile' },
  {
    name: 'create-key',
    path: (site) => `/users/${site.accountId(ADMIN_EMAIL)}`,
    prepare: async (page, language) => {
      await fillCreateDialog(page, language, ['Hayama.DataFactory.*', 'Hayama.Edge*']);
      await page.getByRole('textbox', { name: KEY_WORDS[language].comment }).fill('CI publish: DataFactory');
    },
  },
  {
    name: 'create-key-limits',
    path: (site) => `/users/${site.accountId(ADMIN_EMAIL)}`,
    prepare: async (page, language) => {
      const words = KEY_WORDS[language];
      const dialog = await openCreateDialog(page, words);
      await dialog.getByRole('textbox', { name: words.comment }).fill('CI publish: DataFactory');
      await dialog.getByRole('textbox', { name: words.addresses }).fill('203.0.113.0/24\n2001:db8::/33x');
      await dialog.getByRole('checkbox', { name: words.limits }).check();
      await dialog.getByRole('textbox', { name: words.requests }).fill('many');
      await dialog.getByRole('checkbox', { name: words.sendMail }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'create-key-faults',
    path: (site) => `/users/${site.accountId(ADMIN_EMAIL)}`,
    prepare: async (page, language) => {
      await fillCreateDialog(page, language, ['Hayama.DataFactory*', 'Hayama.Dát*']);
      await page.getByRole('dialog').getByRole('button', { name: KEY_WORDS[language].create }).click();
    },
  },
  {
    name: 'key-result',
    path: keyOwner,
    prepare: async (page, language) => {
      await createKey(page, KEY_WORDS[language], 'CI publish: DataFactory');
    },
  },
  {
    name: 'key-result-copied',
    path: keyOwner,
    prepare: async (page, language) => {
      const words = KEY_WORDS[language];
      await createKey(page, words, 'CI publish: DataFactory');
      await page.getByRole('tab', { name: 'Publish-PSResource' }).click();
      await page.getByRole('button', { name: words.copySecretKey }).click();
      await page.getByText(words.onClipboard).waitFor();
    },
  },
  {
    name: 'key-result-leave',
    path: keyOwner,
    prepare: async (page, language) => {
      const words = KEY_WORDS[language];
      await createKey(page, words, 'CI publish: DataFactory');
      await page.getByRole('button', { name: words.done }).click();
      await page.getByRole('dialog', { name: words.leave }).waitFor();
    },
  },
  { name: 'not-found', path: '/users/acc_0000000000000000' },
];
