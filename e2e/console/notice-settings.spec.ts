import type { Page } from '@playwright/test';
import type { Settings } from '../../packages/sdk/src/index.ts';
import { addMember, addServiceAccount } from '../console.ts';
import { expect, expectNoAxeViolations, pressTabTo, type Site, test, unlessEnglish } from './fixtures.ts';

const WORDS = {
  en: {
    settings: 'Settings',
    timeZone: 'Time zone',
    asWorkspace: 'As the workspace',
    asWorkspaceZone: 'As the workspace (UTC)',
    noZone: 'No such time zone',
    now: /There it is \d+ \w+ \d{4}, \d\d:\d\d (?:JST|GMT\+9) now\./,
    expiring: 'before a key expires',
    expired: 'when a key has expired',
    security: /^Mails about security are always sent/,
    noAddress: /^It has no contact address/,
    ownChoice: 'Each user chooses this in the profile.',
    save: 'Save',
    saved: 'Saved.',
    profileSaved: 'Profile saved.',
    settingsSaved: 'Settings saved.',
    conflict: /was changed meanwhile$/,
    saveMine: 'Review and save mine',
    defaultZone: 'Default time zone of mails',
    wasUtc: 'was UTC',
    kind: 'Mail',
    language: 'Language of the mail',
    subject: 'Subject',
    opening: 'Opening',
    usual: 'All mails have the usual words.',
    list: 'Mails with words of your own',
    created: 'Key created',
    preview: 'For example: A key for Build agents',
    edit: 'Edit the words of “Key created”, English',
    remove: 'Back to the usual words of “Key created”, English',
    again: 'Back to the usual words',
    was1: 'was 1 mail with words of your own',
    wasNone: 'was none',
    unsaved: '1 unsaved change',
    oneLine: 'Must be one line of visible text.',
    changedMeanwhile: 'The settings were changed meanwhile.',
  },
  ja: {
    settings: '設定',
    timeZone: 'タイムゾーン',
    asWorkspace: 'ワークスペースと同じ',
    asWorkspaceZone: 'ワークスペースと同じ（UTC）',
    noZone: '該当するタイムゾーンはありません',
    now: /現地の現在時刻：\d{4}年\d+月\d+日 \d\d:\d\d JST/,
    expiring: 'キーの期限が近いとき',
    expired: 'キーの期限が切れたとき',
    security: /^安全に関するメールは必ず送られます。/,
    noAddress: /^連絡先アドレスがないため/,
    ownChoice: 'ユーザー本人がプロフィールで選びます。',
    save: '保存',
    saved: '保存しました。',
    profileSaved: 'プロフィールを保存しました。',
    settingsSaved: '設定を保存しました。',
    conflict: /別の場所で変更されました$/,
    saveMine: '確認して保存',
    defaultZone: 'メールの既定のタイムゾーン',
    wasUtc: '変更前：UTC',
    kind: 'メールの種類',
    language: 'メールの言語',
    subject: '件名',
    opening: '書き出し',
    usual: 'すべてのメールが標準の文面です。',
    list: '文面を変えたメール',
    created: 'キーの作成',
    preview: '例：A key for Build agents',
    edit: '「キーの作成」（English）の文面を編集',
    remove: '「キーの作成」（English）を標準の文面に戻す',
    again: '標準の文面に戻す',
    was1: '変更前：文面を変えたメールは1件',
    wasNone: '変更前：なし',
    unsaved: '未保存の変更が1件',
    oneLine: '目に見える文字で、1行で入力してください。',
    changedMeanwhile: '設定は別の場所で変更されました。',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const zoneField = (page: Page, name: string) => page.getByRole('combobox', { name, exact: true });
const wish = (page: Page, name: string) => page.getByRole('checkbox', { name, exact: true });

async function readSettings(site: Site): Promise<Settings> {
  const { api } = await site.signIn();
  return (await api.GET('/v1/settings')).data;
}

async function changeSettings(site: Site, body: Partial<Settings>): Promise<void> {
  const { api } = await site.signIn();
  await api.PATCH('/v1/settings', { body, headers: { 'if-match': '*' } });
}

async function openSettings(page: Page, words: Words): Promise<void> {
  await page.goto('/settings');
  await expect(page.getByRole('heading', { name: words.settings, level: 1 })).toBeVisible();
}

async function chooseMail(page: Page, words: Words): Promise<void> {
  await page.getByRole('combobox', { name: words.kind, exact: true }).selectOption('key.created');
  await page.getByRole('radiogroup', { name: words.language }).getByText('English').click();
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
  test.describe(`which mails one gets and whose clock they tell, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('is chosen in the profile, by keyboard alone', async ({ town, visit }) => {
      const email = `zone.${lang}@hayama.example`;
      const member = await addMember(town.apiUrl, await town.signIn(), email, 'Ines Duarte');
      const page = await visit({ cookie: member.cookie });
      await page.goto('/profile');
      await expect(page.getByText(words.security)).toBeVisible();
      const zone = zoneField(page, words.timeZone);
      await expect(zone).toHaveValue(words.asWorkspace);
      await expectNoAxeViolations(page);
      await pressTabTo(page, zone);
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type('nowhere at all');
      await expect(page.getByText(words.noZone)).toBeVisible();
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type('asia tok');
      await expect(page.getByRole('listbox').getByRole('option')).toHaveText(['Asia/Tokyo']);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await expect(zone).toHaveValue('Asia/Tokyo');
      await expect(page.getByText(words.now)).toBeVisible();
      await pressTabTo(page, wish(page, words.expired));
      await page.keyboard.press('Space');
      await expect(wish(page, words.expiring)).toBeChecked();
      await button(page, words.save).focus();
      await page.keyboard.press('Enter');
      await expect(page.getByText(words.profileSaved)).toBeVisible();
      const { data } = await member.api.GET('/v1/users/{id}', { params: { path: { id: member.accountId } } });
      expect(data).toMatchObject({ timeZone: 'Asia/Tokyo', mutedNotices: ['key.expired'] });
      await page.reload();
      await expect(zone).toHaveValue('Asia/Tokyo');
      await zone.click();
      await page.getByRole('option', { name: words.asWorkspace }).click();
      await button(page, words.save).click();
      await expect(page.getByText(words.profileSaved).last()).toBeVisible();
      await expect(button(page, words.save)).toBeDisabled();
      const { data: after } = await member.api.GET('/v1/users/{id}', {
        params: { path: { id: member.accountId } },
      });
      expect(after.timeZone).toBeNull();
    });

    test('is chosen for a service account, and both versions are shown when two do so', async ({
      asAdmin: page,
      town,
    }) => {
      const admin = await town.signIn();
      const robot = await addServiceAccount(admin, `clock-${lang}`);
      await page.goto(`/service-accounts/${robot.id}`);
      await expect(page.getByText(words.noAddress)).toBeVisible();
      await expect(zoneField(page, words.timeZone)).toHaveValue(words.asWorkspaceZone);
      await zoneField(page, words.timeZone).fill('tokyo');
      await page.getByRole('option', { name: 'Asia/Tokyo' }).click();
      await wish(page, words.expiring).uncheck();
      await expectNoAxeViolations(page);
      await admin.api.PATCH('/v1/service-accounts/{id}', {
        params: { path: { id: robot.id } },
        headers: { 'if-match': '*' },
        body: { timeZone: 'Europe/Paris', mutedNotices: ['key.expired'] },
      });
      await button(page, words.save).click();
      const dialog = page.getByRole('dialog', { name: words.conflict });
      for (const text of ['Europe/Paris', 'Asia/Tokyo', words.expired, words.expiring])
        await expect(dialog.getByText(text)).toBeVisible();
      await dialog.getByRole('button', { name: words.saveMine }).click();
      await expect(page.getByText(words.saved, { exact: true })).toHaveCount(0);
      await expect(dialog).toHaveCount(0);
      const { data } = await admin.api.GET('/v1/service-accounts/{id}', {
        params: { path: { id: robot.id } },
      });
      expect(data).toMatchObject({ timeZone: 'Asia/Tokyo', mutedNotices: ['key.expiring'] });
    });

    test('is seen by administrators, who set the time zone; what is muted is for the user alone', async ({
      asAdmin: page,
      town,
    }) => {
      const email = `seen.${lang}@hayama.example`;
      const admin = await town.signIn();
      const member = await addMember(town.apiUrl, admin, email, 'Ines Duarte');
      const path = { id: member.accountId };
      await member.api.PATCH('/v1/users/{id}', {
        params: { path },
        headers: { 'if-match': '*' },
        body: { mutedNotices: ['key.expired'] },
      });
      await page.goto(`/users/${member.accountId}`);
      await expect(wish(page, words.expiring)).toBeChecked();
      await expect(wish(page, words.expired)).not.toBeChecked();
      await expect(wish(page, words.expired)).toBeDisabled();
      await expect(page.getByText(words.ownChoice)).toBeVisible();
      await expect(zoneField(page, words.timeZone)).toHaveValue(words.asWorkspaceZone);
      await zoneField(page, words.timeZone).fill('tokyo');
      await page.getByRole('option', { name: 'Asia/Tokyo' }).click();
      await expectNoAxeViolations(page);
      await button(page, words.save).click();
      await expect(page.getByText(words.saved, { exact: true })).toBeVisible();
      const { data } = await admin.api.GET('/v1/users/{id}', { params: { path } });
      expect(data).toMatchObject({ timeZone: 'Asia/Tokyo', mutedNotices: ['key.expired'] });
    });

    test('has a default in the settings', async ({ asAdmin: page, town }) => {
      await openSettings(page, words);
      const zone = zoneField(page, words.defaultZone);
      await expect(zone).toHaveValue('UTC');
      await zone.fill('tokyo');
      await page.getByRole('option', { name: 'Asia/Tokyo' }).click();
      await expect(page.getByText(words.wasUtc)).toBeVisible();
      await expect(page.getByText(words.now)).toBeVisible();
      await button(page, words.save).click();
      await expect(page.getByText(words.settingsSaved)).toBeVisible();
      expect((await readSettings(town)).defaultTimeZone).toBe('Asia/Tokyo');
    });
  });

  test.describe(`words of mails, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('are written for a kind and a language, and taken back', async ({ asAdmin: page, town }) => {
      await openSettings(page, words);
      await expect(page.getByText(words.usual)).toBeVisible();
      await chooseMail(page, words);
      await field(page, words.subject).fill('A key for {name}');
      await expect(page.getByText(words.preview)).toBeVisible();
      await field(page, words.opening).fill('Hello,\n\na key for {name} was made.');
      await expect(page.getByRole('status').filter({ hasText: words.unsaved })).toBeVisible();
      await expect(page.getByText(words.wasNone)).toBeVisible();
      await expectNoAxeViolations(page);
      await button(page, words.save).click();
      await expect(page.getByText(words.settingsSaved)).toBeVisible();
      expect((await readSettings(town)).mailTexts).toEqual([
        {
          kind: 'key.created',
          locale: 'en',
          subject: 'A key for {name}',
          intro: 'Hello,\n\na key for {name} was made.',
        },
      ]);
      await page.reload();
      const list = page.getByRole('list', { name: words.list });
      await expect(list.getByRole('listitem')).toContainText(words.created);
      await button(page, words.edit).focus();
      await page.keyboard.press('Enter');
      await expect(field(page, words.subject)).toBeFocused();
      await expect(field(page, words.subject)).toHaveValue('A key for {name}');
      await button(page, words.again).click();
      await expect(page.getByText(words.was1)).toBeVisible();
      await expect(page.getByText(words.usual)).toBeVisible();
      await button(page, words.save).click();
      await expect(page.getByText(words.settingsSaved).last()).toBeVisible();
      await expect(button(page, words.save)).toBeDisabled();
      expect((await readSettings(town)).mailTexts).toEqual([]);
    });

    test('that hide something are refused at their field', async ({ asAdmin: page }) => {
      await openSettings(page, words);
      await chooseMail(page, words);
      await field(page, words.subject).fill('Key \u202eevil');
      // Another mail is in hand by the time of saving: the refused one comes back.
      await page.getByRole('combobox', { name: words.kind, exact: true }).selectOption('key.deleted');
      await button(page, words.save).click();
      await expect(page.getByText(words.oneLine).first()).toBeVisible();
      await expect(field(page, words.subject)).toBeFocused();
      await expect(field(page, words.subject)).toHaveAttribute('aria-invalid', 'true');
      await expectNoAxeViolations(page);
      await button(page, words.remove).click();
      await expect(button(page, words.save)).toBeDisabled();
    });

    test('that somebody else has saved meanwhile are not overwritten unseen', async ({
      asAdmin: page,
      town,
    }) => {
      await openSettings(page, words);
      await chooseMail(page, words);
      await field(page, words.subject).fill('Mine');
      const theirs = { kind: 'key.created', locale: 'en', subject: 'Theirs', intro: null } as const;
      await changeSettings(town, { mailTexts: [theirs] });
      await button(page, words.save).click();
      await expect(page.getByRole('alert').filter({ hasText: words.changedMeanwhile })).toBeFocused();
      await expect(field(page, words.subject)).toHaveValue('Mine');
      await expect(page.getByText(words.was1)).toBeVisible();
      expect((await readSettings(town)).mailTexts).toEqual([theirs]);
      await button(page, words.save).click();
      await expect(page.getByText(words.settingsSaved)).toBeVisible();
      expect((await readSettings(town)).mailTexts).toMatchObject([{ subject: 'Mine' }]);
    });
  });
}
