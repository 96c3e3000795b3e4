import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import { buildNupkg } from '../../packages/testkit/src/nupkg-builder.ts';
import { addPattern, openScoped, readKey } from './create-key-steps.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  MEMBER_EMAIL,
  pressTabTo,
  readClipboard,
  type Site,
  test,
  unlessEnglish,
} from './fixtures.ts';
import { createKey, dialogOf, KEY_WORDS, mintBy, openCreateDialog } from './fresh-key.ts';

const en = KEY_WORDS.en;

/** First seed: the pair is exchanged for a token. */
async function login(site: Site, apikey: string, secretkey: string): Promise<number> {
  const body = JSON.stringify({ auth_mode: 'apikey', apikey, secretkey });
  const answer = await fetch(`${site.apiUrl}/iam/login`, { method: 'POST', body });
  await answer.arrayBuffer();
  return answer.status;
}

/** Second seed: a package is pushed with the full key. */
async function push(site: Site, fullKey: string, id: string, version: string): Promise<number> {
  const form = new FormData();
  form.append('package', new Blob([Buffer.from(buildNupkg({ id, version }))]), 'package.nupkg');
  const headers = { 'X-NuGet-ApiKey': fullKey };
  const answer = await fetch(`${site.apiUrl}/api/v2/package`, { method: 'PUT', headers, body: form });
  await answer.arrayBuffer();
  return answer.status;
}

async function mailedTo(site: Site, address: string): Promise<number> {
  const { api } = await site.signIn();
  const { data } = await api.GET('/v1/mailbox', { params: { query: { limit: 200 } } });
  return data.items.filter((mail) => mail.kind === 'key.delivery' && mail.to.address === address).length;
}

/** Presses Copy and gives what is on the clipboard then: the value that the server has made. */
async function copy(page: Page, label: string, value: string): Promise<string> {
  await page.getByRole('button', { name: label, exact: true }).click();
  await expect.poll(() => readClipboard(page)).toBe(value);
  return value;
}

/** A name that no other test takes; package ids compare without case. */
function freshName(about: string): string {
  const digest = createHash('sha256').update(`${about} ${process.hrtime.bigint()}`).digest('hex');
  return `Hayama.${about}${digest.slice(0, 10)}`;
}

for (const lang of ['en', 'ja'] as const) {
  const words = KEY_WORDS[lang];
  test.describe(`making a key, ${lang}`, () => {
    test.use({ lang });

    test('for a user: lifetime, addresses and mail; the copied pair gets a token', async ({
      asAdmin: page,
      town,
    }) => {
      const email = 'weiling.chen@hayama.example';
      await page.goto('/users');
      await page.getByRole('searchbox').fill('wei-ling');
      await expect(page).toHaveURL(/q=wei-ling/);
      await page.getByRole('link', { name: 'Wei-Ling Chen' }).click();
      const dialog = await openCreateDialog(page, words);
      await dialog.getByRole('textbox', { name: words.comment }).fill('Notebook server');
      await dialog.getByText(lang === 'en' ? '90 days' : '90日', { exact: true }).click();
      await dialog.getByRole('checkbox', { name: words.sendMail }).check();
      const addresses = dialog.getByRole('textbox', { name: words.addresses });
      await addresses.fill('127.0.0.0/8\n10.0.0.256');
      await dialog.getByRole('button', { name: words.create }).click();
      await expect(addresses).toBeFocused();
      await expect(addresses).toHaveAccessibleDescription(/10\.0\.0\.256/);
      await addresses.fill('127.0.0.0/8, ::1');
      await expect(addresses).not.toHaveAccessibleDescription(/10\.0\.0\.256/);
      const before = await mailedTo(town, email);
      const fresh = await mintBy(page, () => dialog.getByRole('button', { name: words.create }).click());
      await expect(dialogOf(page, words.created)).toContainText('Notebook server');
      const apiKey = await copy(page, words.copyApiKey, fresh.apiKey);
      const secretKey = await copy(page, words.copySecretKey, fresh.secretKey);
      expect(await login(town, apiKey, secretKey)).toBe(200);
      await page.getByRole('button', { name: words.done }).click();
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await expect(page.getByRole('cell', { name: fresh.apiKey }).first()).toBeVisible();
      const key = await readKey(town, fresh.key.id);
      expect([key.access, key.lifetimeDays, key.comment]).toEqual(['account', 90, 'Notebook server']);
      expect(key.ipRanges).toEqual(['127.0.0.0/8', '::1']);
      expect(await mailedTo(town, email)).toBe(before + 1);
    });

    test('for a service account without address: asks for one before anything is made', async ({
      asAdmin: page,
      town,
    }) => {
      const address = `ops-${lang}@hayama.example`;
      await page.goto('/service-accounts');
      await page.getByRole('link', { name: 'Mobile CI' }).click();
      const dialog = await openCreateDialog(page, words);
      await dialog.getByRole('textbox', { name: words.comment }).fill('Crash symbols');
      await dialog.getByRole('checkbox', { name: words.sendMail }).check();
      const keysBefore = await countKeys(town, 'mobile-ci');
      await dialog.getByRole('button', { name: words.create }).click();
      await expect(dialog.getByRole('textbox', { name: words.mailTo })).toBeFocused();
      expect(await countKeys(town, 'mobile-ci')).toBe(keysBefore);
      await dialog.getByRole('textbox', { name: words.mailTo }).fill('nowhere');
      await dialog.getByRole('button', { name: words.create }).click();
      await expect(dialog.getByRole('textbox', { name: words.mailTo })).toBeFocused();
      await dialog.getByRole('textbox', { name: words.mailTo }).fill(address);
      const fresh = await mintBy(page, () => dialog.getByRole('button', { name: words.create }).click());
      const pair = [
        await copy(page, words.copyApiKey, fresh.apiKey),
        await copy(page, words.copySecretKey, fresh.secretKey),
      ] as const;
      expect(await login(town, ...pair)).toBe(200);
      expect(await mailedTo(town, address)).toBe(1);
    });

    test('with scopes: preview, single packages, and a push with the copied key', async ({
      asMember: page,
      town,
    }) => {
      const name = freshName('Made');
      await page.goto('/my-keys');
      const open = lang === 'en' ? 'Publish packages' : 'パッケージを公開する';
      await page.getByRole('button', { name: open }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: words.comment }).fill('Release of notebooks');
      await expect(dialog.getByRole('checkbox', { name: words.push, exact: true })).toBeChecked();
      await dialog.getByRole('checkbox', { name: words.unlist }).check();
      await addPattern(dialog, words, `${name}*`);
      await addPattern(dialog, words, 'Hayama.Notebook*');
      const held = dialog.getByRole('checkbox', { name: 'Hayama.Notebook', exact: true });
      await expect(held).toBeChecked();
      await expect(held).toBeDisabled();
      await expectNoAxeViolations(page);
      const fresh = await mintBy(page, () => dialog.getByRole('button', { name: words.create }).click());
      expect((await readKey(town, fresh.key.id)).scopes).toEqual([
        { actions: ['package:push', 'package:unlist'], resources: [`${name}*`, 'Hayama.Notebook*'] },
      ]);
      const fullKey = await copy(page, words.copyFullKey, fresh.fullKey);
      expect(await push(town, fullKey, `${name}.Core`, '1.0.0')).toBe(201);
      expect(await push(town, fullKey, freshName('Other'), '1.0.0')).toBe(403);
    });

    test('by keyboard alone', async ({ asAdmin: page, town }) => {
      const name = freshName('Keyboard');
      await page.goto(`/users/${town.accountId(MEMBER_EMAIL)}`);
      await pressTabTo(page, page.getByRole('button', { name: words.addAccess }));
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await expect(dialog.getByRole('textbox', { name: words.comment })).toBeFocused();
      await page.keyboard.type('By keyboard');
      await page.keyboard.press('Tab');
      await expect(
        dialog.getByRole('radiogroup', { name: words.lifetime }).getByRole('radio').last(),
      ).toBeFocused();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('Tab');
      await page.keyboard.press('ArrowRight');
      await expect(dialog.getByRole('radio', { name: words.scoped })).toBeChecked();
      await pressTabTo(page, dialog.getByRole('checkbox', { name: words.push, exact: true }));
      await page.keyboard.press('Space');
      await page.keyboard.press('Tab');
      await page.keyboard.press('ArrowDown');
      await expect(dialog.getByRole('radio', { name: words.pushNew })).toBeChecked();
      await pressTabTo(page, dialog.getByRole('textbox', { name: words.patterns }));
      await page.keyboard.type(`${name}.*`);
      await page.keyboard.press('Enter');
      await pressTabTo(page, dialog.getByRole('button', { name: words.create }));
      const fresh = await mintBy(page, () => page.keyboard.press('Enter'));
      await expect(page.getByRole('button', { name: words.copySecretKey })).toBeFocused();
      await page.keyboard.press('Enter');
      await expect(page.getByText(words.onClipboard)).toBeVisible();
      expect(await readClipboard(page)).toBe(fresh.secretKey);
      await pressTabTo(page, page.getByRole('button', { name: words.done }));
      await page.keyboard.press('Enter');
      await expect(page.getByRole('button', { name: words.addAccess })).toBeFocused();
      const key = await readKey(town, fresh.key.id);
      expect(key.lifetimeDays).toBe(270);
      expect(key.scopes).toEqual([{ actions: ['package:pushnew'], resources: [`${name}.*`] }]);
    });
  });

  test.describe(`dialog and window, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('each state of the dialog passes axe', async ({ asAdmin: page, town }) => {
      await page.goto(`/users/${town.accountId(ADMIN_EMAIL)}`);
      const dialog = await openCreateDialog(page, words);
      await expectNoAxeViolations(page);
      await dialog.getByRole('radio', { name: words.scoped }).check();
      await dialog.getByRole('checkbox', { name: words.push, exact: true }).check();
      await addPattern(dialog, words, 'Hayama.Dát*');
      await dialog.getByRole('button', { name: words.create }).click();
      await expect(dialog.getByRole('textbox', { name: words.comment })).toBeFocused();
      await expectNoAxeViolations(page);
      await dialog.getByRole('textbox', { name: words.patterns }).press('Backspace');
      await addPattern(dialog, words, 'Hayama.DataFactory.*');
      await dialog.getByRole('textbox', { name: words.comment }).fill('For axe');
      await expect(dialog.getByRole('checkbox', { name: 'Hayama.DataFactory.Cli' })).toBeChecked();
      await expectNoAxeViolations(page);
    });

    test('each state of the one-time window passes axe', async ({ asAdmin: page, town }) => {
      await page.goto(`/users/${town.accountId(ADMIN_EMAIL)}`);
      await createKey(page, words, 'For axe');
      await expectNoAxeViolations(page);
      await page.getByRole('button', { name: words.reveal }).click();
      await page.getByRole('button', { name: words.copySecretKey }).click();
      await expect(page.getByText(words.onClipboard)).toBeVisible();
      await expectNoAxeViolations(page);
    });
  });
}

test.describe('the choices of the dialog', () => {
  test('offer the three kinds of push, which exclude each other', async ({ asMember: page, town }) => {
    await page.goto(`/my-keys`);
    const kinds = [
      [en.pushBoth, 'package:push'],
      [en.pushNew, 'package:pushnew'],
      [en.pushVersion, 'package:pushversion'],
    ] as const;
    for (const [label, action] of kinds) {
      await page.getByRole('button', { name: 'Publish packages' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: en.comment }).fill(`Kind ${action}`);
      await dialog.getByRole('radio', { name: label }).check();
      await addPattern(dialog, en, 'Hayama.Kinds.*');
      const fresh = await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
      await expect(page.getByRole('dialog')).toHaveCount(0);
      const { scopes } = await readKey(town, fresh.key.id);
      expect(scopes).toEqual([{ actions: [action], resources: ['Hayama.Kinds.*'] }]);
    }
  });

  test('let a key act for a service account that its account manages', async ({ asMember: page, town }) => {
    await page.goto(`/my-keys`);
    await page.getByRole('button', { name: 'Publish packages' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: en.comment }).fill('Team part');
    await dialog.getByRole('combobox', { name: en.owner }).click();
    await page.getByRole('option', { name: 'Team data' }).click();
    await addPattern(dialog, en, 'Hayama.Team.*');
    const fresh = await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
    expect((await readKey(town, fresh.key.id)).ownerId).toBe(town.accountId('team-data'));
  });

  test('offer the other grants of the account, each with its own resources', async ({
    asAdmin: page,
    town,
  }) => {
    await page.goto(`/service-accounts/${town.accountId('edge-gateway')}`);
    const dialog = await openCreateDialog(page, en);
    await dialog.getByRole('textbox', { name: en.comment }).fill('Gateway');
    await dialog.getByRole('radio', { name: en.scoped }).check();
    await dialog.getByRole('button', { name: en.addOther }).click();
    await dialog.getByRole('combobox', { name: en.action }).click();
    await page.getByRole('option', { name: 'iam:keys:verify' }).click();
    await expect(dialog.getByText('May iam:keys:verify until')).toBeVisible();
    const fresh = await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
    const { scopes } = await readKey(town, fresh.key.id);
    expect(scopes).toEqual([{ actions: ['iam:keys:verify'], resources: ['*'] }]);
  });

  test('offer another lifetime, and the mail with the values, where the settings say so', async ({
    visit,
    startSite,
  }) => {
    const at = await startSite({
      env: { KEYREEVE_SMTP_URL: 'smtp://127.0.0.1:9', KEYREEVE_MAIL_FROM: 'keys@hayama.example' },
    });
    const { api } = await at.signIn();
    await api.PATCH('/v1/settings', {
      body: { customLifetimes: true, maxLifetimeDays: 400, keyMail: 'value' },
      headers: { 'if-match': '*' },
    });
    const page = await visit({ as: MEMBER_EMAIL, at });
    await page.goto('/my-keys');
    await page.getByRole('button', { name: 'Act as my account' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByText(`API key and secret key to ${MEMBER_EMAIL}`)).toBeVisible();
    await dialog.getByRole('textbox', { name: en.comment }).fill('Forty-five days');
    await dialog.getByText('Other', { exact: true }).click();
    const days = dialog.getByRole('textbox', { name: 'Days, 1 to 400' });
    await days.fill('1e2');
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(days).toBeFocused();
    await days.fill('401');
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(dialog.getByText('Must be a whole number from 1 to 400.')).toBeVisible();
    await expect(days).toBeFocused();
    await days.fill('45');
    const fresh = await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
    expect((await readKey(at, fresh.key.id)).lifetimeDays).toBe(45);
  });
});

test('on a telephone dialog and window fit', async ({ visit, town }) => {
  const page = await visit({ as: ADMIN_EMAIL, viewport: { width: 390, height: 844 } });
  const dialog = await openScoped(page, town);
  await addPattern(dialog, en, 'Hayama.DataFactory*');
  await expect(dialog.getByRole('checkbox', { name: 'Hayama.DataFactory.Cli' })).toBeChecked();
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
  await expect(dialogOf(page, en.created)).toBeVisible();
  expect(await overflow()).toBeLessThanOrEqual(0);
  await expectNoAxeViolations(page, ['light']);
});

async function countKeys(site: Site, technicalName: string): Promise<number> {
  const { api } = await site.signIn();
  const path = { id: site.accountId(technicalName) };
  return (await api.GET('/v1/accounts/{id}/keys', { params: { path } })).data.items.length;
}
