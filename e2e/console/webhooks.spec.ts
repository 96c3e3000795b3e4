import type { Page } from '@playwright/test';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  pressTabTo,
  readClipboard,
  type Site,
  secretLeaks,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Webhooks',
    empty: 'No webhooks yet',
    newWebhook: 'New webhook',
    address: 'Address',
    description: 'Description',
    some: 'Only these',
    every: 'All, also those of later releases',
    created: 'Key created',
    create: 'Create',
    cancel: 'Cancel',
    secretTitle: 'Webhook created',
    copySecret: 'Copy secret',
    done: 'Done',
    leave: 'Close without copying the secret?',
    back: 'Back',
    https: 'Must start with https://.',
    network: 'leads to an address that webhooks may not go to',
    sendTest: 'Send test event',
    testEvent: 'Test event',
    deliveries: 'Deliveries',
    failed: 'Given up',
    unreachable: 'Not reached',
    again: /^Send again: “Test event” of /,
    replayed: 'Sent again, under the same id.',
    active: 'Webhook active',
    disableTitle: 'Disable this webhook?',
    disable: 'Disable',
    byAdmin: 'By an administrator',
    gone: 'The receiver answered “410 Gone”',
    stopped: /1 webhook was stopped by the server\./,
    rotate: 'Rotate secret…',
    rotateVerb: 'Rotate secret',
    oldSecret: /^The old secret signs too until /,
    newSecret: 'New secret',
    save: 'Save',
    saved: 'Saved.',
    conflict: 'This webhook was changed meanwhile',
    discardMine: 'Discard mine',
    delete: 'Delete…',
    deleteVerb: 'Delete webhook',
    noSuch: 'There is no such webhook',
    notFound: 'There is no such page',
  },
  ja: {
    title: 'Webhook',
    empty: 'Webhookはまだありません',
    newWebhook: 'Webhookを作成',
    address: 'アドレス',
    description: '説明',
    some: '次のものだけ',
    every: 'すべて（今後追加されるものを含む）',
    created: 'キーの作成',
    create: '作成',
    cancel: 'キャンセル',
    secretTitle: 'Webhookを作成しました',
    copySecret: 'シークレットをコピー',
    done: '完了',
    leave: 'シークレットをコピーせずに閉じますか？',
    back: '戻る',
    https: 'https:// で始めてください。',
    network: 'Webhookの送信先に使えないネットワークのアドレスです。',
    sendTest: 'テストを送信',
    testEvent: 'テストイベント',
    deliveries: '配信',
    failed: '断念',
    unreachable: '接続できませんでした',
    again: /^.+の「テストイベント」を再送$/,
    replayed: '同じIDで再送しました。',
    active: 'Webhookを有効にする',
    disableTitle: 'このWebhookを停止しますか？',
    disable: '停止',
    byAdmin: '管理者が停止',
    gone: '受信側が「410 Gone」を返しました',
    stopped: /サーバーが1件のWebhookを停止しました。/,
    rotate: 'シークレットを更新…',
    rotateVerb: 'シークレットを更新',
    oldSecret: /^旧シークレットでも.+まで署名します。$/,
    newSecret: '新しいシークレット',
    save: '保存',
    saved: '保存しました。',
    conflict: 'このWebhookは別の場所で変更されました',
    discardMine: '自分の変更を破棄',
    delete: '削除…',
    deleteVerb: 'Webhookを削除',
    noSuch: 'Webhookが見つかりません',
    notFound: 'ページが見つかりません',
  },
} as const;
type Words = (typeof WORDS)['en' | 'ja'];

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });
const deliveries = (page: Page, words: Words) => page.getByRole('table', { name: words.deliveries });

/** Nobody listens there, and nothing of a test leaves the machine. */
const ADDRESS = 'https://127.0.0.1/keyreeve';

async function makeWebhook(site: Site, description: string): Promise<string> {
  const { api } = await site.signIn();
  const body = { url: 'https://hooks.example.com/keyreeve', description };
  return (await api.POST('/v1/webhooks', { body })).data.webhook.id;
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`webhooks, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('are made with a secret that is copied once, tested and sent again, by keyboard', async ({
      startSite,
      visit,
    }) => {
      const at = await startSite({ env: { KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' } });
      const page = await visit({ as: ADMIN_EMAIL, at });
      await page.goto('/webhooks');
      await expect(page.getByText(words.empty)).toBeVisible();
      await expectNoAxeViolations(page);
      await pressTabTo(page, button(page, words.newWebhook));
      await page.keyboard.press('Enter');
      await expect(field(page, words.address)).toBeFocused();
      await page.keyboard.type(ADDRESS);
      await field(page, words.description).fill('Night <b>shift</b>');
      await page.getByRole('radio', { name: words.some }).check();
      await page.getByRole('checkbox', { name: words.created, exact: true }).uncheck();
      await expectNoAxeViolations(page);
      await button(page, words.create).click();
      const dialog = page.getByRole('dialog', { name: words.secretTitle });
      await expect(dialog.getByRole('button', { name: words.copySecret })).toBeFocused();
      await expectNoAxeViolations(page);
      await button(page, words.done).click();
      await page.getByRole('dialog', { name: words.leave }).getByRole('button', { name: words.back }).click();
      await dialog.getByRole('button', { name: words.copySecret }).click();
      const secret = await readClipboard(page);
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      await button(page, words.done).click();
      await expect(heading(page, '127.0.0.1')).toBeVisible();
      expect(await secretLeaks(page, secret)).toEqual([]);
      await button(page, words.sendTest).click();
      const row = deliveries(page, words).getByRole('row').filter({ hasText: words.testEvent });
      await expect(row).toContainText(words.failed);
      await expect(row).toContainText(words.unreachable);
      await expectNoAxeViolations(page);
      await row.getByRole('button', { name: words.again }).click();
      await expect(page.getByText(words.replayed)).toBeVisible();
      const { api } = await at.signIn();
      const { data } = await api.GET('/v1/webhooks');
      expect(data.items).toMatchObject([{ url: ADDRESS, description: 'Night <b>shift</b>' }]);
      expect(data.items[0]?.eventTypes).not.toContain('key.created');
    });

    test('whose address may not be used are refused at the field, and nothing typed is lost', async ({
      asAdmin: page,
    }) => {
      await page.goto('/webhooks');
      await button(page, words.newWebhook).click();
      const create = page.getByRole('dialog').getByRole('button', { name: words.create, exact: true });
      await field(page, words.address).fill('http://hooks.example.com');
      await create.click();
      await expect(page.getByText(words.https)).toBeVisible();
      await expect(field(page, words.address)).toBeFocused();
      await field(page, words.address).fill('https://169.254.169.254/latest');
      await create.click();
      await expect(page.getByText(words.network)).toBeVisible();
      await expectNoAxeViolations(page);
      await button(page, words.cancel).click();
    });

    test('are changed, disabled, rotated and deleted', async ({ asAdmin: page, town }) => {
      const id = await makeWebhook(town, `Change ${lang}`);
      const { api } = await town.signIn();
      await page.goto(`/webhooks/${id}`);
      await expect(heading(page, 'hooks.example.com')).toBeVisible();
      await field(page, words.description).fill('Mine');
      await api.PATCH('/v1/webhooks/{id}', {
        params: { path: { id } },
        headers: { 'if-match': '*' },
        body: { description: 'Theirs' },
      });
      await button(page, words.save).click();
      const conflict = page.getByRole('dialog', { name: words.conflict });
      await expect(conflict.getByText('Theirs')).toBeVisible();
      await expectNoAxeViolations(page);
      await conflict.getByRole('button', { name: words.discardMine }).click();
      await expect(field(page, words.description)).toHaveValue('Theirs');
      await field(page, words.description).fill('Mine after all');
      await button(page, words.save).click();
      await expect(page.getByText(words.saved, { exact: true })).toBeVisible();
      const state = page.getByRole('switch', { name: words.active });
      await state.press('Space');
      await page
        .getByRole('dialog', { name: words.disableTitle })
        .getByRole('button', { name: words.disable })
        .click();
      await expect(state).not.toBeChecked();
      await expect(page.getByText(words.byAdmin)).toBeVisible();
      await expect(button(page, words.sendTest)).toBeDisabled();
      await state.press('Space');
      await expect(state).toBeChecked();
      await expect(button(page, words.sendTest)).toBeEnabled();
      await button(page, words.rotate).click();
      await button(page, words.rotateVerb).click();
      const fresh = page.getByRole('dialog', { name: words.newSecret });
      await fresh.getByRole('button', { name: words.copySecret }).click();
      await button(page, words.done).click();
      await expect(page.getByText(words.oldSecret)).toBeVisible();
      await button(page, words.delete).click();
      await button(page, words.deleteVerb).click();
      await expect(heading(page, words.title)).toBeVisible();
      await page.goto(`/webhooks/${id}`);
      await expect(heading(page, words.noSuch)).toBeVisible();
      await expectNoAxeViolations(page);
    });

    test('that the server has stopped are told of at a glance', async ({ asAdmin: page, town }) => {
      const id = await makeWebhook(town, `Stopped ${lang}`);
      await page.route(
        (url) => url.pathname === '/v1/webhooks',
        async (route) => {
          const answer = await route.fetch();
          const list = (await answer.json()) as { readonly items: readonly { readonly id: string }[] };
          const items = list.items.map((item) =>
            item.id === id ? { ...item, state: 'disabled', disabledReason: 'gone' } : item,
          );
          await route.fulfill({ json: { ...list, items } });
        },
      );
      await page.goto('/webhooks');
      await expect(page.getByRole('status').filter({ hasText: words.stopped })).toBeVisible();
      const row = page.getByRole('row').filter({ hasText: `Stopped ${lang}` });
      await expect(row).toContainText(words.gone);
      await expectNoAxeViolations(page);
    });

    test('are no page for members', async ({ asMember: page }) => {
      for (const path of ['/webhooks', '/webhooks/whk_1']) {
        await page.goto(path);
        await expect(page.getByText(words.notFound)).toBeVisible();
      }
      await expect(page.getByRole('link', { name: words.title, exact: true })).toHaveCount(0);
    });
  });
}
