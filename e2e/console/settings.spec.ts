import type { Page } from '@playwright/test';
import type { Settings } from '../../packages/sdk/src/index.ts';
import { expect, expectNoAxeViolations, pressTabTo, type Site, test, unlessEnglish } from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Settings',
    tokenLifetime: 'Token lifetime',
    unit: 'Unit of the token lifetime',
    was1Hour: 'was 1 hour',
    effect: /^A token issued .+ stops .+ Tokens already issued keep their time\.$/,
    tokenRange: 'Must be 1 minute to 24 hours.',
    longest: 'Longest lifetime',
    was730: 'was 730 days',
    longLived: (count: number) => `${count} keys live longer than 180 days.`,
    showKeys: 'Show the keys',
    perAccount: 'Keys per account',
    unsaved: (count: number) => `${count} unsaved ${count === 1 ? 'change' : 'changes'}`,
    save: 'Save',
    discard: 'Discard',
    saved: 'Settings saved.',
    choices: 'Lifetimes offered',
    add: 'Add',
    newChoice: 'New lifetime in days',
    makeDefault: '30 days: make it the default',
    isDefault: '30 days default',
    removeDay: 'Remove 1 day',
    choicesWere: 'was 1 day, 90 days, 180 days, 270 days, 365 days; default 365 days',
    contradiction: /^270 days: Is more than the longest lifetime \(180\)\.$/,
    noticeDays: 'Days before expiry',
    noticeLine: 'Mails before expiry: 30 days, 10 days, 1 day. One more when the key has expired.',
    noticeTwice: '10 days is in the list already.',
    removeNotice: 'Remove 30 days',
    keyMailLink: /One-time link/,
    keyMailValue: /API key and secret key in the mail/,
    noSmtp: /no mail server is set up/,
    resources: 'Token resources',
    resource: 'Address of a service',
    resourceInvalid: 'Write an address like https://api.example.com.',
    requireAction: 'Refuse questions without an action',
    supportEmail: 'Support e-mail',
    supportUrl: 'Support page',
    notAnEmail: '“helpdesk” is not an e-mail address.',
    leave: 'Leave without saving?',
    leaveAnyway: 'Leave anyway',
    back: 'Back',
    saveAndLeave: 'Save and leave',
    overview: 'Overview',
    changedMeanwhile: 'The settings were changed meanwhile.',
    was2Hours: 'was 2 hours',
    notFound: 'There is no such page',
  },
  ja: {
    title: '設定',
    tokenLifetime: 'トークンの有効期間',
    unit: 'トークンの有効期間の単位',
    was1Hour: '変更前：1時間',
    effect: /に発行したトークンは.+に失効します。発行済みのトークンは変わりません。$/,
    tokenRange: '1分から24時間までにしてください。',
    longest: '最長の有効期間',
    was730: '変更前：730日',
    longLived: (count: number) => `${count}件のキーは180日より長い期限です。`,
    showKeys: 'キーを表示',
    perAccount: 'アカウントごとのキー数',
    unsaved: (count: number) => `未保存の変更が${count}件`,
    save: '保存',
    discard: '破棄',
    saved: '設定を保存しました。',
    choices: '選べる有効期間',
    add: '追加',
    newChoice: '新しい有効期間（日数）',
    makeDefault: '30日：既定にする',
    isDefault: '30日 既定',
    removeDay: '1日を外す',
    choicesWere: '変更前：1日, 90日, 180日, 270日, 365日、既定は365日',
    contradiction: /^270日：最長の有効期間（180日）を超えています。$/,
    noticeDays: '期限の何日前に送るか',
    noticeLine: '期限前のメール：30日前, 10日前, 1日前。期限切れのときにもう1通送ります。',
    noticeTwice: '10日はすでに一覧にあります。',
    removeNotice: '30日前を外す',
    keyMailLink: /ワンタイムリンク/,
    keyMailValue: /APIキーとシークレットキーをメールに記載/,
    noSmtp: /メールサーバー（KEYREEVE_SMTP_URL）が未設定/,
    resources: 'トークンのリソース',
    resource: 'サービスのアドレス',
    resourceInvalid: 'https://api.example.com のようなアドレスを入力してください。',
    requireAction: '操作の指定がない問い合わせを拒否する',
    supportEmail: 'サポートのメールアドレス',
    supportUrl: 'サポートページ',
    notAnEmail: '「helpdesk」はメールアドレスではありません。',
    leave: '保存せずに移動しますか？',
    leaveAnyway: 'このまま移動',
    back: '戻る',
    saveAndLeave: '保存して移動',
    overview: '概要',
    changedMeanwhile: '設定は別の場所で変更されました。',
    was2Hours: '変更前：2時間',
    notFound: 'ページが見つかりません',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function readSettings(site: Site): Promise<Settings> {
  const { api } = await site.signIn();
  return (await api.GET('/v1/settings')).data;
}

async function changeSettings(site: Site, body: Partial<Settings>): Promise<void> {
  const { api } = await site.signIn();
  await api.PATCH('/v1/settings', { body, headers: { 'if-match': '*' } });
}

async function open(page: Page, words: Words): Promise<void> {
  await page.goto('/settings');
  await expect(page.getByRole('heading', { name: words.title, level: 1 })).toBeVisible();
}

async function halveTokenLifetime(page: Page, words: Words): Promise<void> {
  await page.getByRole('combobox', { name: words.unit }).selectOption({ index: 1 });
  await field(page, words.tokenLifetime).fill('30');
}

/** Does what saves, and says what was sent. */
async function sentBy(page: Page, act: () => Promise<unknown>): Promise<unknown> {
  const isSaving = (url: URL) => url.pathname === '/v1/settings';
  const [request] = await Promise.all([
    page.waitForRequest((sent) => sent.method() === 'PATCH' && isSaving(new URL(sent.url()))),
    act(),
  ]);
  return request.postDataJSON() as unknown;
}

// The town belongs to all tests of the worker: its settings are put back after each.
let before: Settings;
test.beforeEach(async ({ town }) => {
  before = await readSettings(town);
});
test.afterEach(async ({ town }) => {
  await changeSettings(town, before);
});

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`settings, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('tell what was changed and what it was and does, and send the changes alone', async ({
      asAdmin: page,
      town,
    }) => {
      await open(page, words);
      await expect(button(page, words.save)).toBeDisabled();
      await halveTokenLifetime(page, words);
      await expect(page.getByText(words.was1Hour)).toBeVisible();
      await expect(page.getByText(words.effect)).toBeVisible();
      await field(page, words.perAccount).fill('80');
      await expect(page.getByRole('status').filter({ hasText: words.unsaved(2) })).toBeVisible();
      await expectNoAxeViolations(page);
      const sent = await sentBy(page, () => button(page, words.save).click());
      expect(sent).toEqual({ tokenLifetimeSeconds: 1_800, maxKeysPerAccount: 80 });
      await expect(page.getByText(words.saved)).toBeVisible();
      await expect(button(page, words.save)).toBeDisabled();
      expect(await readSettings(town)).toMatchObject({ tokenLifetimeSeconds: 1_800, maxKeysPerAccount: 80 });
    });

    test('name a contradiction that the server finds at its very entry', async ({ asAdmin: page, town }) => {
      await open(page, words);
      await field(page, words.longest).fill('180');
      await expect(page.getByText(words.was730)).toBeVisible();
      const { api } = await town.signIn();
      const { data } = await api.GET('/v1/keys', {
        params: { query: { lifetimeOverDays: 180, limit: 200 } },
      });
      await expect(page.getByText(words.longLived(data.items.length))).toBeVisible();
      await expect(page.getByRole('link', { name: words.showKeys })).toHaveAttribute(
        'href',
        '/keys?over=180',
      );
      await button(page, words.save).click();
      const group = page.getByRole('group', { name: words.choices });
      await expect(group.getByRole('alert')).toHaveText(words.contradiction);
      await expectNoAxeViolations(page);
      await button(page, words.discard).click();
      await expect(group.getByRole('alert')).toHaveCount(0);
      await expect(field(page, words.longest)).toHaveValue('730');
    });

    test('offer lifetimes that are added, made the default and removed, by keyboard', async ({
      asAdmin: page,
      town,
    }) => {
      await open(page, words);
      const group = page.getByRole('group', { name: words.choices });
      await pressTabTo(page, group.getByRole('button', { name: words.add, exact: true }));
      await page.keyboard.press('Enter');
      await expect(field(page, words.newChoice)).toBeFocused();
      await page.keyboard.type('30');
      await page.keyboard.press('Enter');
      await expect(group.getByRole('button', { name: words.add, exact: true })).toBeFocused();
      await group.getByRole('button', { name: words.makeDefault }).focus();
      await page.keyboard.press('Enter');
      await expect(group.getByRole('button', { name: words.isDefault })).toHaveAttribute(
        'aria-pressed',
        'true',
      );
      await group.getByRole('button', { name: words.removeDay }).focus();
      await page.keyboard.press('Enter');
      await expect(group.getByText(words.choicesWere)).toBeVisible();
      await button(page, words.save).focus();
      await page.keyboard.press('Enter');
      await expect(page.getByText(words.saved)).toBeVisible();
      expect(await readSettings(town)).toMatchObject({
        lifetimeChoicesDays: [30, 90, 180, 270, 365],
        defaultLifetimeDays: 30,
      });
    });

    test('draw the notices on a line, and refuse a day that is there already', async ({
      asAdmin: page,
      town,
    }) => {
      await open(page, words);
      const days = field(page, words.noticeDays);
      for (const count of ['1', '30']) {
        await days.fill(count);
        await days.press('Enter');
      }
      await expect(page.getByRole('img', { name: words.noticeLine })).toBeVisible();
      await days.fill('10');
      await days.press('Enter');
      await expect(page.getByText(words.noticeTwice)).toBeVisible();
      await expect(days).toHaveAttribute('aria-invalid', 'true');
      await expectNoAxeViolations(page);
      await days.fill('');
      await page.getByRole('button', { name: words.removeNotice }).click();
      await button(page, words.save).click();
      await expect(page.getByText(words.saved)).toBeVisible();
      expect((await readSettings(town)).expiryNoticeDays).toEqual([10, 1]);
    });

    test('say why the key itself cannot be mailed while there is no mail server', async ({
      asAdmin: page,
    }) => {
      await open(page, words);
      await expect(page.getByRole('radio', { name: words.keyMailLink })).toBeChecked();
      const value = page.getByRole('radio', { name: words.keyMailValue });
      await expect(value).toBeDisabled();
      await expect(value).toHaveAccessibleName(words.noSmtp);
    });

    test('lead to the first field that cannot be sent, and take no script for an address', async ({
      asAdmin: page,
    }) => {
      await open(page, words);
      await field(page, words.supportUrl).fill('javascript:alert(1)');
      await field(page, words.supportEmail).fill('helpdesk');
      await button(page, words.save).click();
      await expect(field(page, words.supportEmail)).toBeFocused();
      await expect(page.getByText(words.notAnEmail)).toBeVisible();
      await expect(field(page, words.supportUrl)).toHaveAttribute('aria-invalid', 'true');
      await field(page, words.tokenLifetime).fill('25');
      await expect(page.getByText(words.tokenRange)).toBeVisible();
      await field(page, words.resource).fill('javascript:alert(1)');
      await field(page, words.resource).press('Enter');
      await expect(page.getByText(words.resourceInvalid)).toBeVisible();
      await expectNoAxeViolations(page);
      await button(page, words.discard).click();
    });

    test('keep addresses of services and the rule for gateways', async ({ asAdmin: page, town }) => {
      await open(page, words);
      await field(page, words.resource).fill('https://billing.hayama.example/api');
      await field(page, words.resource).press('Enter');
      // One that was typed and left counts too: whoever goes on to Save means it.
      await field(page, words.resource).fill('https://orders.hayama.example/api');
      await page.getByRole('switch', { name: words.requireAction }).check();
      await button(page, words.save).click();
      await expect(page.getByText(words.saved)).toBeVisible();
      expect(await readSettings(town)).toMatchObject({
        tokenResources: ['https://billing.hayama.example/api', 'https://orders.hayama.example/api'],
        requireAction: true,
      });
    });

    test('are not left behind unsaved without a question', async ({ asAdmin: page, town }) => {
      await open(page, words);
      await halveTokenLifetime(page, words);
      const overview = page.getByRole('link', { name: words.overview });
      await overview.click();
      const dialog = page.getByRole('dialog', { name: words.leave });
      await expect(dialog.getByRole('button', { name: words.back })).toBeFocused();
      await expectNoAxeViolations(page);
      await dialog.getByRole('button', { name: words.back }).click();
      await expect(page).toHaveURL(/\/settings$/);
      await expect(field(page, words.tokenLifetime)).toHaveValue('30');
      await overview.click();
      await dialog.getByRole('button', { name: words.saveAndLeave }).click();
      await expect(page).toHaveURL(/\/overview$/);
      expect((await readSettings(town)).tokenLifetimeSeconds).toBe(1_800);
      await open(page, words);
      await field(page, words.tokenLifetime).fill('20');
      await overview.click();
      await dialog.getByRole('button', { name: words.leaveAnyway }).click();
      await expect(page).toHaveURL(/\/overview$/);
      expect((await readSettings(town)).tokenLifetimeSeconds).toBe(1_800);
    });

    test('that somebody else has saved meanwhile are told before they are overwritten', async ({
      asAdmin: page,
      town,
    }) => {
      await open(page, words);
      await halveTokenLifetime(page, words);
      await changeSettings(town, { tokenLifetimeSeconds: 7_200 });
      await button(page, words.save).click();
      await expect(page.getByRole('alert').filter({ hasText: words.changedMeanwhile })).toBeFocused();
      await expect(page.getByText(words.was2Hours)).toBeVisible();
      await expect(field(page, words.tokenLifetime)).toHaveValue('30');
      await expectNoAxeViolations(page);
      expect((await readSettings(town)).tokenLifetimeSeconds).toBe(7_200);
      await button(page, words.save).click();
      await expect(page.getByText(words.saved)).toBeVisible();
      expect((await readSettings(town)).tokenLifetimeSeconds).toBe(1_800);
    });

    test('are no page for members', async ({ asMember: page }) => {
      await page.goto('/settings');
      await expect(page.getByText(words.notFound)).toBeVisible();
      await expect(page.getByRole('link', { name: words.title, exact: true })).toHaveCount(0);
    });
  });
}

test('with a mail server the key itself may be mailed', async ({ startSite, visit }) => {
  const words = WORDS.en;
  const at = await startSite({
    env: { KEYREEVE_SMTP_URL: 'smtp://127.0.0.1:9', KEYREEVE_MAIL_FROM: 'keys@hayama.example' },
  });
  const page = await visit({ as: 'mio.tachibana@hayama.example', at });
  await open(page, words);
  await page.getByRole('radio', { name: words.keyMailValue }).check();
  expect(await sentBy(page, () => button(page, words.save).click())).toEqual({ keyMail: 'value' });
  await expect(page.getByText(words.saved)).toBeVisible();
});
