import { mintKey } from '../console.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  heapContains,
  pressTabTo,
  readClipboard,
  secretLeaks,
  test,
  writeClipboard,
} from './fixtures.ts';
import { mintBy } from './fresh-key.ts';
import { addPattern, cardOf, cards, regenerate, verbOf, WORDS } from './my-keys-steps.ts';
import { settleOwner, works } from './own-keys.ts';

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`one's own keys, ${lang}`, () => {
    test.use({ lang });

    test('a banner lists what no longer works and what stops next, and mends it', async ({
      visit,
      startSite,
    }) => {
      const site = await startSite();
      const page = await visit({ as: ADMIN_EMAIL, at: site });
      await page.goto('/my-keys');
      const dead = page.getByRole('alert').filter({ hasText: words.dead });
      const line = (name: string) => dead.getByRole('listitem').filter({ hasText: name });
      await expect(line('Nightly export')).toContainText(words.refused);
      await expect(line('Release bot 2025')).toContainText(words.noCalls);
      const dying = page.getByRole('status').filter({ hasText: words.dying });
      await expect(dying.getByRole('listitem')).toContainText('CI publish: DataFactory');

      await dead.getByRole('button', { name: words.regenerateOf('Nightly export') }).click();
      const fresh = await mintBy(page, () => verbOf(page, words.regenerate).click());
      await expect(line('Nightly export')).toHaveCount(0);
      await expect(cards(page).first()).toHaveAccessibleName('Nightly export');
      await expect(cards(page).first()).toContainText(words.valid);
      await expect(page.getByRole('button', { name: words.copySecret })).toBeFocused();
      expect(await works(site, fresh.fullKey)).toBe(true);
    });

    test('a regenerated key is copied from its card, and from nowhere once the page is left', async ({
      visit,
      town,
    }) => {
      const owner = await settleOwner(town);
      const old = await owner.mint('Docs site');
      const page = await visit({ as: owner.email });
      await page.goto('/my-keys');
      const fresh = await regenerate(page, words, 'Docs site');
      const card = cardOf(page, 'Docs site');
      await expect(card).toContainText(words.ready);
      expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);
      await writeClipboard(page, 'before');
      await card.getByRole('button', { name: words.copySecret }).click();
      await expect(page.getByText(words.copied)).toBeVisible();
      expect(await readClipboard(page)).toBe(fresh.secretKey);
      await card.getByRole('button', { name: words.copyFull }).click();
      await expect.poll(() => readClipboard(page)).toBe(fresh.fullKey);
      expect([await works(town, fresh.fullKey), await works(town, old.fullKey)]).toEqual([true, false]);
      expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);

      await page.getByRole('link', { name: words.packages, exact: true }).click();
      await page.goBack();
      await expect(card).toBeVisible();
      await expect(page.getByRole('button', { name: words.copySecret })).toHaveCount(0);
      expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);
      expect(await heapContains(page, [fresh.secretKey, fresh.secretKey.slice(8, 40)])).toEqual([]);
    });

    test('a key for publishing is made from its card, and publishes what its pattern matches', async ({
      visit,
      town,
    }) => {
      const owner = await settleOwner(town);
      const page = await visit({ as: owner.email });
      await page.goto('/my-keys');
      await page.getByRole('button', { name: words.publish }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: words.comment }).fill('Nightly build');
      const name = `${lang}.Nightly.${Date.now()}`;
      await addPattern(dialog, words, `${name}*`);
      const fresh = await mintBy(page, () => verbOf(page, words.create).click());
      const card = cardOf(page, 'Nightly build');
      await expect(card).toContainText(words.created);
      await expect(card).toContainText(words.pushes);
      expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);
      await card.getByRole('button', { name: words.copyFull }).click();
      await expect.poll(() => readClipboard(page)).toBe(fresh.fullKey);
      expect(await owner.push(fresh.fullKey, `${name}.Tools`)).toBe(201);
      expect(await owner.push(fresh.fullKey, 'Something.Else')).toBe(403);
    });

    test('patterns and single packages of a key are edited', async ({ visit, town }) => {
      const stem = `Edit${Date.now()}${lang}`;
      const owner = await settleOwner(town, [`${stem}.Core`, `${stem}.Cli`, `${stem}Tools`]);
      const minted = await owner.mint('Release', [`${stem}.C*`], ['package:push', 'package:unlist']);
      const page = await visit({ as: owner.email });
      await page.goto('/my-keys');
      await expect(cardOf(page, 'Release')).toContainText(words.matches(2));
      await page.getByRole('button', { name: words.editOf('Release') }).click();
      const dialog = page.getByRole('dialog');
      const save = dialog.getByRole('button', { name: words.save });
      await expect(save).toBeDisabled();
      await dialog.getByRole('button', { name: new RegExp(`${stem}\\.C\\*`) }).click();
      await addPattern(dialog, words, `${stem}.Co*`);
      await dialog.getByRole('searchbox', { name: words.find }).fill('tools');
      await dialog.getByRole('checkbox', { name: `${stem}Tools` }).check();
      await save.click();
      await expect(dialog).toHaveCount(0);
      const card = cardOf(page, 'Release');
      await expect(card.getByRole('listitem')).toHaveText([`${stem}.Co*`, `${stem}Tools`]);
      await expect(card).toContainText(words.matches(2));
      const pushed = async (id: string) => await owner.push(minted.fullKey, id, '2.0.0');
      expect([
        await pushed(`${stem}.Core`),
        await pushed(`${stem}Tools`),
        await pushed(`${stem}.Cli`),
      ]).toEqual([201, 201, 403]);
    });

    test('deleting names the key and who would notice; disabling instead can be undone', async ({
      visit,
      town,
    }) => {
      const owner = await settleOwner(town);
      const minted = await owner.mint('Build agents');
      await works(town, minted.fullKey);
      const page = await visit({ as: owner.email });
      const open = async () => {
        await page.getByRole('button', { name: words.deleteOf('Build agents') }).click();
        return page.getByRole('dialog', { name: words.deleteTitle('Build agents') });
      };
      await expect(async () => {
        await page.goto('/my-keys');
        await expect(cardOf(page, 'Build agents')).toContainText(/just now|たった今/, { timeout: 500 });
      }).toPass();
      const dialog = await open();
      await expect(dialog).toContainText(/In use\.|使用中です。/);
      await expect(dialog.getByRole('button', { name: words.cancel })).toBeFocused();
      await page.keyboard.press('Enter');
      await expect(dialog).toHaveCount(0);
      await expect(page.getByRole('button', { name: words.deleteOf('Build agents') })).toBeFocused();
      expect(await works(town, minted.fullKey)).toBe(true);

      await (await open()).getByRole('button', { name: words.instead }).click();
      await expect(cardOf(page, 'Build agents')).toContainText(words.disabled);
      expect(await works(town, minted.fullKey)).toBe(false);
      await page.getByRole('button', { name: words.undo }).click();
      await expect(cardOf(page, 'Build agents')).toContainText(words.valid);
      expect(await works(town, minted.fullKey)).toBe(true);

      await (await open()).getByRole('button', { name: words.deleteKey }).click();
      await expect(cards(page)).toHaveCount(0);
      expect(await works(town, minted.fullKey)).toBe(false);
    });

    test('the list is cut short, filtered and sorted', async ({ asAdmin: page }) => {
      await page.goto('/my-keys');
      await expect(cards(page)).toHaveCount(5);
      await expect(page.getByText(words.shown)).toBeVisible();
      await page.getByRole('button', { name: words.showAll }).click();
      await expect(cards(page)).toHaveCount(7);
      await page.getByRole('combobox', { name: words.sortBy }).selectOption({ label: words.byName });
      await expect(cards(page).first()).toHaveAccessibleName('Build agents, eu-west');
      await page.getByRole('radio', { name: words.attention }).press('Space');
      await expect(cards(page)).toHaveCount(3);
      await expect(cardOf(page, 'Build agents, eu-west')).toHaveCount(0);
      await page.getByRole('radio', { name: words.all }).press('Space');
      await expect(cards(page)).toHaveCount(7);
    });

    test('a full-access key is marked and can be replaced, not regenerated', async ({ visit, startSite }) => {
      const old = 'Imported from the old gallery';
      const site = await startSite();
      const page = await visit({ as: ADMIN_EMAIL, at: site });
      await page.goto('/my-keys');
      await page.getByRole('button', { name: words.showAll }).click();
      const card = cardOf(page, old);
      await expect(card).toContainText(words.full);
      await expect(card).toContainText(words.notRecreated);
      await expect(card.getByRole('button', { name: words.regenerateOf(old) })).toHaveCount(0);
      await card.getByRole('button', { name: words.replaceOf(old) }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: words.comment }).fill('Gallery, scoped');
      await addPattern(dialog, words, 'Hayama.*');
      await mintBy(page, () => verbOf(page, words.create).click());
      const offer = page.getByRole('status').filter({ hasText: words.replaces('Gallery, scoped', old) });
      await offer.getByRole('button', { name: words.replaceNow }).click();
      await verbOf(page, words.disable).click();
      await expect(offer).toHaveCount(0);
      await expect(card).toContainText(words.disabled);
    });

    test('everything is done by keyboard alone', async ({ visit, town }) => {
      const stem = `Keys${Date.now()}${lang}`;
      const owner = await settleOwner(town, [`${stem}.Core`]);
      await owner.mint('By hand', [`${stem}.X*`]);
      const page = await visit({ as: owner.email });
      await page.goto('/my-keys');
      const press = async (name: string) => {
        await pressTabTo(page, page.getByRole('button', { name, exact: true }));
        await page.keyboard.press('Enter');
      };
      await press(words.editOf('By hand'));
      const dialog = page.getByRole('dialog');
      await expect(dialog.getByRole('textbox', { name: words.comment })).toBeFocused();
      await page.keyboard.type(', changed');
      await pressTabTo(page, dialog.getByRole('textbox', { name: words.patterns }));
      await page.keyboard.press('Backspace');
      await page.keyboard.type(`${stem}.Core*`);
      await page.keyboard.press('Enter');
      await pressTabTo(page, dialog.getByRole('button', { name: words.save }));
      await page.keyboard.press('Enter');
      const comment = 'By hand, changed';
      await expect(cardOf(page, comment).getByRole('listitem')).toHaveText([`${stem}.Core*`]);
      await expect(page.getByRole('button', { name: words.editOf(comment) })).toBeFocused();

      await press(words.regenerateOf(comment));
      const fresh = await mintBy(page, async () => {
        await pressTabTo(page, verbOf(page, words.regenerate));
        await page.keyboard.press('Enter');
      });
      await expect(page.getByRole('button', { name: words.copySecret })).toBeFocused();
      await page.keyboard.press('Enter');
      await expect.poll(() => readClipboard(page)).toBe(fresh.secretKey);

      await press(words.deleteOf(comment));
      await expect(verbOf(page, words.cancel)).toBeFocused();
      await pressTabTo(page, verbOf(page, words.deleteKey));
      await page.keyboard.press('Enter');
      await expect(cardOf(page, comment)).toHaveCount(0);
    });
  });
}

test.describe("one's own keys", () => {
  const words = WORDS.en;

  test('a fresh secret is gone after ten idle minutes, and after a reload', async ({ visit, town }) => {
    const owner = await settleOwner(town);
    await owner.mint('Idle');
    const page = await visit({ as: owner.email });
    await page.clock.install();
    await page.goto('/my-keys');
    const first = await regenerate(page, words, 'Idle');
    const copy = page.getByRole('button', { name: words.copySecret });
    await expect(copy).toBeVisible();
    await page.clock.fastForward('10:01');
    await expect(copy).toHaveCount(0);
    const second = await regenerate(page, words, 'Idle');
    await expect(copy).toBeVisible();
    page.once('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await expect(cardOf(page, 'Idle')).toBeVisible();
    await expect(copy).toHaveCount(0);
    for (const { secretKey } of [first, second]) expect(await secretLeaks(page, secretKey)).toEqual([]);
  });

  test('a key about to stop does so in no less than a day, and is asked about when it has', async ({
    visit,
    town,
  }) => {
    const owner = await settleOwner(town);
    await mintKey(owner, owner.accountId, { comment: 'Last day', access: 'account', lifetimeDays: 1 });
    const page = await visit({ as: owner.email });
    await page.clock.install();
    await page.goto('/my-keys');
    const told = page.getByText('1 key stops working in 1 day');
    await expect(told).toBeVisible();
    const asked = page.waitForRequest(/\/v1\/accounts\/[^/]+\/keys/);
    // The clock of the server goes on as it does, so that to it the key still works.
    await page.clock.fastForward('25:00:00');
    await asked;
    await expect(told).toBeVisible();
  });

  test('leaving with a secret that nobody has copied asks once', async ({ visit, town }) => {
    const owner = await settleOwner(town);
    await owner.mint('Leaving');
    const page = await visit({ as: owner.email });
    await page.goto('/my-keys');
    await regenerate(page, words, 'Leaving');
    const away = page.getByRole('link', { name: words.packages, exact: true });
    await away.click();
    const question = page.getByRole('dialog', { name: words.leave });
    await page.keyboard.press('Escape');
    await expect(question).toHaveCount(0);
    await expect(page.getByRole('button', { name: words.copySecret })).toBeVisible();
    await away.click();
    await question.getByRole('button', { name: words.leaveAnyway }).click();
    await expect(page).toHaveURL(/\/packages$/);
  });

  test('the one-time window with the snippets opens from the card, and takes the secret with it', async ({
    visit,
    town,
  }) => {
    const owner = await settleOwner(town);
    await owner.mint('Snippets');
    const page = await visit({ as: owner.email });
    await page.goto('/my-keys');
    const fresh = await regenerate(page, words, 'Snippets');
    await page.getByRole('button', { name: words.useIt }).click();
    const window = page.getByRole('dialog');
    await window.getByRole('button', { name: words.copySecret }).click();
    await window.getByRole('button', { name: 'Done' }).click();
    await expect(page.getByRole('button', { name: words.copySecret })).toHaveCount(0);
    expect(await readClipboard(page)).toBe(fresh.secretKey);
    expect(await heapContains(page, [fresh.secretKey])).toEqual([]);
  });

  test('hostile comments are drawn as text, whole and in their direction', async ({ visit, town }) => {
    const owner = await settleOwner(town);
    const hostile = [
      '<img src=x onerror="document.title=1">{{t}} $t(title)',
      'مفتاح "النشر" <b>x</b>',
      `😀${'長'.repeat(253)}`,
      '%3Cscript%3Ealert(1)%3C/script%3E',
    ];
    for (const comment of hostile) await owner.mint(comment);
    const page = await visit({ as: owner.email });
    await page.goto('/my-keys');
    for (const comment of hostile) {
      await expect(page.getByRole('heading', { name: comment, exact: true })).toBeVisible();
      await page.getByRole('button', { name: `Delete ${comment}`, exact: true }).click();
      await expect(page.getByRole('dialog', { name: `Delete “${comment}”?`, exact: true })).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    }
    await expect(page).toHaveTitle(/^My API keys/);
    const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(width).toBeLessThanOrEqual(0);
  });

  test('more than five dead keys fold into a line that opens', async ({ visit, startSite }) => {
    const site = await startSite();
    const owner = await settleOwner(site);
    for (let index = 1; index <= 8; index += 1) {
      const body = { comment: `Short ${index}`, access: 'account', lifetimeDays: 1 } as const;
      await owner.api.POST('/v1/accounts/{id}/keys', { params: { path: { id: owner.accountId } }, body });
    }
    await site.stop();
    await site.start({ clockAheadMs: 25 * 3_600_000 });
    const page = await visit({ as: owner.email, at: site, session: 'own' });
    await page.goto('/my-keys');
    const banner = page.getByRole('alert');
    await expect(banner.getByRole('listitem')).toHaveCount(5);
    await banner.getByRole('button', { name: 'and 3 more' }).click();
    await expect(banner.getByRole('listitem')).toHaveCount(8);
  });

  test('someone without keys is shown what a key is for', async ({ visit, town }) => {
    const owner = await settleOwner(town);
    const page = await visit({ as: owner.email });
    await page.goto('/my-keys');
    await expect(page.getByText('No API keys yet')).toBeVisible();
    await expectNoAxeViolations(page);
  });

  test('neither the page nor a card with a fresh secret has a fault that axe finds', async ({
    visit,
    town,
  }) => {
    const owner = await settleOwner(town, [`Axe.${Date.now()}`]);
    await owner.mint('Axe', ['Axe.*'], ['package:pushversion', 'package:unlist']);
    const page = await visit({ as: owner.email });
    await page.goto('/my-keys');
    await expect(cardOf(page, 'Axe')).toBeVisible();
    await regenerate(page, words, 'Axe');
    await expectNoAxeViolations(page);
  });

  test('the town’s page has no fault that axe finds, wide and narrow', async ({ visit }) => {
    for (const width of [1440, 390]) {
      const page = await visit({ as: ADMIN_EMAIL, viewport: { width, height: 900 } });
      await page.goto('/my-keys');
      await expect(cards(page)).toHaveCount(5);
      await expectNoAxeViolations(page);
    }
  });
});
