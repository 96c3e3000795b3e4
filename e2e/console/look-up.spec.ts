import type { Page } from '@playwright/test';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  heapContains,
  pressTabTo,
  secretLeaks,
  test,
  unlessEnglish,
  writeClipboard,
} from './fixtures.ts';
import { settleOwner, works } from './own-keys.ts';
import { IMPORTED } from './town-keys.ts';

const WORDS = {
  en: {
    title: 'Whose key is this?',
    field: 'Key, or a text with a key in it',
    lookUp: 'Look up',
    right: 'The secret is right.',
    disabledToo: /The secret is right, but the key is disabled/,
    wrong: 'The secret is wrong,',
    publicOnly: 'Only the API key was given,',
    mistyped: 'This key is mistyped',
    alone: (apiKey: string) => `Look up ${apiKey} alone`,
    unknown: 'No such key',
    nothing: 'There is no key in this text',
    askImported: 'Check whether it was imported',
    notImported: 'No imported key is like that',
    disableOf: (name: string) => `Disable ${name}`,
    disableTitle: (name: string) => `Disable “${name}”?`,
    disable: 'Disable',
    deleteOf: (name: string) => `Delete ${name}`,
    deleteTitle: (name: string) => `Delete “${name}”?`,
    deleteKey: 'Delete key',
    gone: 'The key was deleted',
    disabled: 'Disabled',
    close: 'Close',
  },
  ja: {
    title: 'このキーの持ち主を調べる',
    field: 'キー、またはキーを含むテキスト',
    lookUp: '調べる',
    right: 'シークレットは正しいものです。',
    disabledToo: /シークレットは正しいものですが、キーは停止中です/,
    wrong: 'シークレットが違います。',
    publicOnly: 'APIキー（公開してよい値）だけです。',
    mistyped: 'キーに入力ミスがあります',
    alone: (apiKey: string) => `${apiKey} だけで調べる`,
    unknown: '該当するキーはありません',
    nothing: 'キーが見つかりません',
    askImported: '取り込んだキーか確認する',
    notImported: '該当する取り込みキーはありません',
    disableOf: (name: string) => `${name} を停止`,
    disableTitle: (name: string) => `「${name}」を停止しますか？`,
    disable: '停止',
    deleteOf: (name: string) => `${name} を削除`,
    deleteTitle: (name: string) => `「${name}」を削除しますか？`,
    deleteKey: 'キーを削除',
    gone: 'キーは削除されました',
    disabled: '停止中',
    close: '閉じる',
  },
} as const;

type Words = (typeof WORDS)['en' | 'ja'];

const boxOf = (page: Page, words: Words) => page.getByRole('dialog', { name: words.title });
const fieldOf = (page: Page, words: Words) => boxOf(page, words).getByRole('textbox', { name: words.field });

async function openBox(page: Page, words: Words): Promise<void> {
  await page.goto('/keys');
  await page.getByRole('button', { name: words.title }).click();
  await expect(fieldOf(page, words)).toBeFocused();
}

/**
 * As people do it: copied on another page, which is closed again, so that the text came into this one by the paste
 * alone. The clipboard is emptied afterwards.
 */
async function paste(page: Page, words: Words, text: string): Promise<void> {
  const elsewhere = await page.context().newPage();
  await elsewhere.goto('/healthz');
  await writeClipboard(elsewhere, text);
  await elsewhere.close();
  await page.bringToFront();
  await fieldOf(page, words).focus();
  await page.keyboard.press('ControlOrMeta+v');
  await writeClipboard(page, '-');
}

/** Requests of the page to the API from now on, as `METHOD path`. */
function watchCalls(page: Page): string[] {
  const calls: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/v1/')) calls.push(`${request.method()} ${pathname}`);
  });
  return calls;
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`whose key is this, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('a leaked key is recognised in a line of a log and disabled on the spot', async ({
      town,
      asAdmin: page,
    }) => {
      const comment = `Leaked ${lang}`;
      const owner = await settleOwner(town);
      const { fullKey } = await owner.mint(comment);
      await openBox(page, words);
      await paste(page, words, `14:05 GET /feed "X-NuGet-ApiKey: ${fullKey}" 200`);
      const box = boxOf(page, words);
      await expect(box).toContainText(words.right);
      await expect(box).toContainText(comment);
      await expect(fieldOf(page, words)).toHaveValue('');
      await box.getByRole('button', { name: words.disableOf(comment) }).click();
      const dialog = page.getByRole('dialog', { name: words.disableTitle(comment) });
      await dialog.getByRole('button', { name: words.disable, exact: true }).click();
      await expect(box).toContainText(words.disabled);
      expect(await works(town, fullKey)).toBe(false);
      await paste(page, words, fullKey);
      await expect(box).toContainText(words.disabledToo);
    });

    test('deleting it asks first, and says that it is gone', async ({ town, asAdmin: page }) => {
      const comment = `To delete ${lang}`;
      const owner = await settleOwner(town);
      const { fullKey } = await owner.mint(comment);
      await openBox(page, words);
      await paste(page, words, fullKey);
      await boxOf(page, words)
        .getByRole('button', { name: words.deleteOf(comment) })
        .click();
      const dialog = page.getByRole('dialog', { name: words.deleteTitle(comment) });
      await dialog.getByRole('button', { name: words.deleteKey }).click();
      await expect(boxOf(page, words)).toContainText(words.gone);
      expect(await works(town, fullKey)).toBe(false);
    });

    test('of a mistyped key nothing is sent, unless its public half is asked for', async ({
      town,
      asAdmin: page,
    }) => {
      const comment = `Mistyped ${lang}`;
      const owner = await settleOwner(town);
      const { apiKey, fullKey } = await owner.mint(comment);
      await openBox(page, words);
      const calls = watchCalls(page);
      const last = fullKey.at(-1) === 'a' ? 'b' : 'a';
      await paste(page, words, `${fullKey.slice(0, -1)}${last}`);
      const box = boxOf(page, words);
      await expect(box).toContainText(words.mistyped);
      await expect(box).toContainText(apiKey);
      await expect(fieldOf(page, words)).toHaveValue('');
      expect(calls).toEqual([]);
      await box.getByRole('button', { name: words.alone(apiKey) }).click();
      await expect(box).toContainText(words.publicOnly);
      await expect(box).toContainText(comment);
      expect(calls).toEqual([`GET /v1/keys/${apiKey}`]);
    });

    test('an older secret is told from the right one', async ({ town, asAdmin: page }) => {
      const owner = await settleOwner(town);
      const { apiKey, fullKey } = await owner.mint(`Older ${lang}`);
      const params = { path: { keyId: apiKey } };
      await owner.api.POST('/v1/keys/{keyId}/regenerate', { params, body: {} });
      await openBox(page, words);
      await paste(page, words, fullKey);
      await expect(boxOf(page, words)).toContainText(words.wrong);
      await expect(boxOf(page, words)).toContainText(`Older ${lang}`);
    });

    test('a text without a key and a key of another server are told as what they are', async ({
      asAdmin: page,
    }) => {
      await openBox(page, words);
      const calls = watchCalls(page);
      const box = boxOf(page, words);
      await fieldOf(page, words).fill('not a key');
      await page.keyboard.press('Enter');
      await expect(box).toContainText(words.nothing);
      expect(calls).toEqual([]);
      // Right in itself, and nobody's: its secret is not sent either.
      await paste(page, words, `kr_zzzzzzzzzzzzzzzz_${'0'.repeat(43)}4VVbKv`);
      await expect(box).toContainText(words.unknown);
      expect(calls).toEqual(['GET /v1/keys/kr_zzzzzzzzzzzzzzzz']);
    });

    test('a key that was imported is found when that is asked for', async ({ asAdmin: page }) => {
      await openBox(page, words);
      const box = boxOf(page, words);
      await paste(page, words, IMPORTED.credential);
      await box.getByRole('button', { name: words.lookUp, exact: true }).click();
      await box.getByRole('button', { name: words.askImported }).click();
      await expect(box).toContainText(words.right);
      await expect(box).toContainText(IMPORTED.comment);
      await expect(fieldOf(page, words)).toHaveValue('');
      await paste(page, words, 'oy2-something-else');
      await box.getByRole('button', { name: words.lookUp, exact: true }).click();
      await box.getByRole('button', { name: words.askImported }).click();
      await expect(box).toContainText(words.notImported);
    });

    test('all of it is done by keyboard alone', async ({ town, asAdmin: page }) => {
      const comment = `Keyboard ${lang}`;
      const owner = await settleOwner(town);
      const { apiKey, fullKey } = await owner.mint(comment);
      await page.goto('/keys');
      const opener = page.getByRole('button', { name: words.title });
      await pressTabTo(page, opener);
      await page.keyboard.press('Enter');
      await expect(fieldOf(page, words)).toBeFocused();
      await page.keyboard.type(apiKey);
      await page.keyboard.press('Enter');
      const disable = boxOf(page, words).getByRole('button', { name: words.disableOf(comment) });
      await pressTabTo(page, disable);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog', { name: words.disableTitle(comment) })).toBeVisible();
      await page.keyboard.press('Enter');
      await expect(boxOf(page, words)).toContainText(words.disabled);
      expect(await works(town, fullKey)).toBe(false);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await expect(opener).toBeFocused();
    });
  });
}

test.describe('whose key is this', () => {
  const words = WORDS.en;

  test('a pasted secret stays nowhere, whatever becomes of it', async ({ town, asAdmin: page }) => {
    test.slow();
    const owner = await settleOwner(town);
    const right = await owner.mint('Forgotten');
    const unknown = `kr_zzzzzzzzzzzzzzzz_${'0'.repeat(43)}4VVbKv`;
    const mistyped = `${right.fullKey.slice(0, -6)}AAAAAA`;
    await openBox(page, words);
    await paste(page, words, `Bearer ${right.fullKey}`);
    await expect(boxOf(page, words)).toContainText('Forgotten');
    // While the box is still open: the key is on the screen, its secret is not.
    expect(await secretLeaks(page, right.secretKey)).toEqual([]);
    expect(await heapContains(page, [right.secretKey, right.secretKey.slice(4, 40)])).toEqual([]);
    await paste(page, words, unknown);
    await expect(boxOf(page, words)).toContainText(words.unknown);
    await paste(page, words, mistyped);
    await expect(boxOf(page, words)).toContainText(words.mistyped);
    const pieces = [right.secretKey.slice(4, 40), `${'0'.repeat(43)}4VVbKv`];
    expect(await heapContains(page, pieces)).toEqual([]);
    await boxOf(page, words).getByRole('button', { name: words.close }).last().click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    for (const piece of pieces) expect(await secretLeaks(page, piece)).toEqual([]);
  });

  test('a full key that was typed or dropped is recognised too, and taken out of the field', async ({
    town,
    asAdmin: page,
  }) => {
    const owner = await settleOwner(town);
    const { fullKey, secretKey } = await owner.mint('Typed');
    await openBox(page, words);
    await fieldOf(page, words).fill(`key=${fullKey}`);
    await expect(boxOf(page, words)).toContainText('Typed');
    await expect(fieldOf(page, words)).toHaveValue('');
    expect(await secretLeaks(page, secretKey)).toEqual([]);
  });

  test('works over plain http, where the clipboard interface is missing', async ({ visit, startSite }) => {
    const site = await startSite({ isPlainHttp: true });
    const { secret } = site.key('Data lake ingest');
    const page = await visit({ as: ADMIN_EMAIL, at: site });
    await openBox(page, words);
    await paste(page, words, secret);
    await expect(boxOf(page, words)).toContainText('Jonas Lindqvist');
    await expect(boxOf(page, words)).toContainText(words.right);
  });

  test('looking a key up leaves the trace of its last use alone', async ({ visit, startSite }) => {
    const site = await startSite();
    const { id, secret } = site.key('Data lake ingest');
    const { api } = await site.signIn();
    const lastUse = async () =>
      (await api.GET('/v1/keys/{keyId}', { params: { path: { keyId: id } } })).data.lastUsedAt;
    const before = await lastUse();
    const page = await visit({ as: ADMIN_EMAIL, at: site });
    await openBox(page, words);
    await paste(page, words, secret);
    await expect(boxOf(page, words)).toContainText(words.right);
    // Stopping writes everything that was gathered.
    await site.stop();
    await site.start();
    const params = { path: { keyId: id } };
    const after = await (await site.signIn()).api.GET('/v1/keys/{keyId}', { params });
    expect(after.data.lastUsedAt).toBe(before);
  });

  test('a server that fails is not taken for a key that was deleted', async ({
    town,
    asAdmin: page,
    allowFault,
  }) => {
    const owner = await settleOwner(town);
    const { fullKey, key } = await owner.mint('Leaked');
    await page.clock.install();
    await openBox(page, words);
    await paste(page, words, fullKey);
    await expect(boxOf(page, words)).toContainText('Leaked');
    allowFault(/503/);
    let failures = 0;
    await page.route(`**/v1/keys/${key.id}`, async (route) => {
      failures += 1;
      await route.fulfill({ status: 503 });
    });
    // Whoever comes back to the page has the key asked about again, three times.
    await page.clock.fastForward(20_000);
    await page.evaluate(() => globalThis.dispatchEvent(new Event('visibilitychange')));
    const waitOn = async () => {
      await page.clock.runFor(1_000);
      return failures;
    };
    await expect.poll(waitOn).toBe(3);
    await waitOn();
    await expect(boxOf(page, words)).toContainText('Leaked');
    await expect(boxOf(page, words).getByRole('button', { name: 'Disable Leaked' })).toBeVisible();
    await expect(boxOf(page, words)).not.toContainText('was deleted');
  });

  for (const width of [1440, 390]) {
    test(`neither an answer nor a refusal has a fault that axe finds, ${width} wide`, async ({
      visit,
      town,
    }) => {
      const { secret } = town.key('Data lake ingest');
      const page = await visit({ as: ADMIN_EMAIL, viewport: { width, height: 900 } });
      await page.goto('/keys?q=Data%20lake');
      await page.getByRole('button', { name: words.title }).click();
      await paste(page, words, secret);
      await expect(boxOf(page, words)).toContainText(words.right);
      await expectNoAxeViolations(page);
      await paste(page, words, `${secret}x`);
      await expect(boxOf(page, words)).toContainText(words.mistyped);
      await expectNoAxeViolations(page);
    });
  }
});
