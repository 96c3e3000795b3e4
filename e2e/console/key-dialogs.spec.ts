import { mintKey } from '../console.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  pressTabTo,
  readClipboard,
  TOWN_PASSWORD,
  test,
  unlessEnglish,
} from './fixtures.ts';
import { mintBy } from './fresh-key.ts';
import {
  addPattern,
  dialogOf,
  openEdit,
  openKeys,
  request,
  resourcesOf,
  rowOf,
  verbOf,
  WORDS,
} from './key-dialog-steps.ts';
import { settleOwner, works } from './own-keys.ts';

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`keys, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('an edit in a second tab is told of the first, and overwrites nothing unseen', async ({
      visit,
      town,
      asAdmin,
    }) => {
      const comment = `Two tabs ${lang}`;
      const owner = await settleOwner(town);
      const { apiKey } = await owner.mint(comment, ['Start*']);
      await openEdit(asAdmin, words, comment);
      // Somebody else has the same key open, and is slower. He sees who was faster only as an administrator.
      const slower = await visit({ as: ADMIN_EMAIL });
      await openEdit(slower, words, comment);
      await addPattern(asAdmin, words, 'Theirs*');
      await verbOf(asAdmin, words.save).click();
      await expect(dialogOf(asAdmin)).toHaveCount(0);

      await addPattern(slower, words, 'Mine*');
      await verbOf(slower, words.save).click();
      const conflict = slower.getByRole('dialog', { name: words.staleTitle });
      await expect(conflict).toBeVisible();
      const table = conflict.getByRole('table', { name: words.compared });
      await expect(table.getByRole('listitem')).toHaveText(['Start*', 'Theirs*', 'Start*', 'Mine*']);
      expect(await resourcesOf(owner, apiKey)).toEqual(['Start*', 'Theirs*']);
      await expectNoAxeViolations(slower);
      await conflict.getByRole('button', { name: words.saveMine }).click();
      await expect(slower.getByText(words.saved)).toBeVisible();
      expect(await resourcesOf(owner, apiKey)).toEqual(['Start*', 'Mine*']);
    });

    test('one’s own change is given up when somebody else’s is kept', async ({ visit, town, asAdmin }) => {
      const comment = `Given up ${lang}`;
      const owner = await settleOwner(town);
      const { apiKey } = await owner.mint(comment, ['Start*']);
      const page = await visit({ as: owner.email });
      await openEdit(page, words, comment);
      await openEdit(asAdmin, words, comment);
      await addPattern(asAdmin, words, 'Theirs*');
      await verbOf(asAdmin, words.save).click();
      await expect(asAdmin.getByText(words.saved)).toBeVisible();
      await dialogOf(page).getByRole('textbox', { name: words.comment }).fill('Another comment');
      await verbOf(page, words.save).click();
      await page
        .getByRole('dialog', { name: words.staleTitle })
        .getByRole('button', { name: words.discardMine })
        .click();
      await expect(dialogOf(page)).toHaveCount(0);
      await expect(rowOf(page, comment)).toBeVisible();
      expect(await resourcesOf(owner, apiKey)).toEqual(['Start*', 'Theirs*']);
    });

    test('a session that ends in the middle of an edit costs a password and nothing else', async ({
      visit,
      town,
    }) => {
      const comment = `Session ${lang}`;
      const owner = await settleOwner(town);
      const { apiKey } = await owner.mint(comment, ['Start*']);
      const page = await visit({ as: owner.email, session: 'own' });
      await openEdit(page, words, comment);
      await addPattern(page, words, 'Later*');
      // Otherwise what the page still asks for meets the ended session before Save does.
      await page.waitForLoadState('networkidle');
      const ended = await page.evaluate(() =>
        fetch('/v1/session', { method: 'DELETE' }).then((answer) => answer.status),
      );
      expect(ended).toBe(204);
      await verbOf(page, words.save).click();
      const again = page.getByRole('dialog', { name: words.again });
      await again.getByLabel(words.password).fill(TOWN_PASSWORD);
      await again.getByRole('button', { name: words.signIn, exact: true }).click();
      await expect(page.getByText(words.saved)).toBeVisible();
      await expect(dialogOf(page)).toHaveCount(0);
      expect(await resourcesOf(owner, apiKey)).toEqual(['Start*', 'Later*']);
    });

    test('an edit outlives a restart of the server', async ({ visit, startSite, allowFault }) => {
      allowFault(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
      const comment = `Restart ${lang}`;
      const site = await startSite();
      const owner = await settleOwner(site);
      const { apiKey } = await owner.mint(comment, ['Start*']);
      const page = await visit({ as: owner.email, at: site });
      await openEdit(page, words, comment);
      await addPattern(page, words, 'Later*');
      const offline = page.getByRole('status').filter({ hasText: words.offline });
      await site.stop();
      // The preview asks for what is typed next, and finds nobody.
      await addPattern(page, words, 'Evenlater*');
      await expect(offline).toBeVisible();
      await expect(dialogOf(page).getByRole('textbox', { name: words.comment })).toHaveValue(comment);
      await expect(verbOf(page, words.save)).toHaveAttribute('aria-disabled', 'true');
      await site.start();
      await expect(offline).toHaveCount(0, { timeout: 15_000 });
      await verbOf(page, words.save).click();
      await expect(page.getByText(words.saved)).toBeVisible();
      expect(await resourcesOf(owner, apiKey)).toEqual(['Start*', 'Later*', 'Evenlater*']);
    });

    test('regenerating with an overlap keeps the old secret until it is ended', async ({
      town,
      asAdmin: page,
    }) => {
      const comment = `Changeover ${lang}`;
      const owner = await settleOwner(town);
      const old = await owner.mint(comment);
      await openKeys(page, comment);
      await request(page, words, 'regenerate', comment);
      await dialogOf(page).getByRole('radio', { name: words.hours24 }).press('Space');
      const fresh = await mintBy(page, () => verbOf(page, words.regenerate).click());
      const window = page.getByRole('dialog', { name: words.regenerated });
      await expect(window).toContainText(words.oldUntil);
      await window.getByRole('button', { name: words.copyFull }).click();
      await expect.poll(() => readClipboard(page)).toBe(fresh.fullKey);
      await window.getByRole('button', { name: words.done }).click();
      await expect(rowOf(page, comment)).toContainText(words.overlap);
      expect([await works(town, old.fullKey), await works(town, fresh.fullKey)]).toEqual([true, true]);

      await request(page, words, 'endOverlap', comment);
      await verbOf(page, words.endOverlap).click();
      await expect(rowOf(page, comment)).not.toContainText(words.overlap);
      expect([await works(town, old.fullKey), await works(town, fresh.fullKey)]).toEqual([false, true]);
    });

    test('disabling takes a reason, shows it, and is undone by enabling', async ({ town, asAdmin: page }) => {
      const comment = `Disabling ${lang}`;
      const owner = await settleOwner(town);
      const { fullKey } = await owner.mint(comment);
      await openKeys(page, comment);
      await request(page, words, 'disable', comment);
      await dialogOf(page).getByRole('textbox', { name: words.reason }).fill(words.because);
      await page.keyboard.press('Enter');
      await expect(rowOf(page, comment)).toContainText(words.disabled);
      await expect(rowOf(page, comment)).toContainText(words.because);
      expect(await works(town, fullKey)).toBe(false);
      await request(page, words, 'enable', comment);
      await expect(dialogOf(page)).toContainText(words.because);
      await verbOf(page, words.enable).click();
      await expect(rowOf(page, comment)).toContainText(words.valid);
      expect(await works(town, fullKey)).toBe(true);
    });
  });
}

test.describe('the edit dialog', () => {
  const words = WORDS.en;

  test('refuses what no key may be, names the culprit and goes there', async ({ town, asAdmin: page }) => {
    const owner = await settleOwner(town);
    await owner.mint('Faults', ['Start*']);
    await openEdit(page, words, 'Faults');
    const dialog = dialogOf(page);
    const comment = dialog.getByRole('textbox', { name: words.comment });
    await comment.fill('   ');
    await verbOf(page, words.save).click();
    await expect(dialog.getByText('Say where the key is used, 1 to 256 characters.')).toBeVisible();
    await expect(comment).toBeFocused();
    await comment.fill('Faults');

    await dialog.getByRole('button', { name: 'Remove Start*' }).click();
    await verbOf(page, words.save).click();
    await expect(dialog.getByText('Type a pattern or tick a package; write * for everything.')).toBeVisible();
    await expect(dialog.getByRole('textbox', { name: words.patterns })).toBeFocused();
    await addPattern(page, words, 'Hayama.Dát*');
    await expect(dialog.getByText(/“Hayama.Dát\*” contains “á”/)).toBeVisible();
    await expectNoAxeViolations(page);
    await dialog.getByRole('button', { name: 'Remove Hayama.Dát*' }).click();
    await addPattern(page, words, 'Hayama.Dat*');

    await dialog.getByRole('textbox', { name: words.addresses }).fill('192.0.2.1\nnot-an-address');
    await verbOf(page, words.save).click();
    await expect(dialog.getByText(/“not-an-address”/)).toBeVisible();
    await expect(dialog.getByRole('textbox', { name: words.addresses })).toBeFocused();
    await dialog.getByRole('textbox', { name: words.addresses }).fill('192.0.2.0/24');
    await verbOf(page, words.save).click();
    await expect(page.getByText(words.saved)).toBeVisible();
  });

  test('keeps what cannot be changed out of reach, and scopes of other services editable', async ({
    town,
    asAdmin: page,
  }) => {
    const owner = await settleOwner(town);
    const admin = await town.signIn();
    const path = { id: owner.accountId };
    const { data: account } = await admin.api.GET('/v1/users/{id}', { params: { path } });
    const grants = [
      { actions: ['package:*'], resources: ['*'] },
      { actions: ['stock:read'], resources: ['eu/*'] },
    ];
    const headers = { 'if-match': `"${account.version}"` };
    await admin.api.PATCH('/v1/users/{id}', { params: { path }, headers, body: { grants } });
    const { apiKey } = await owner.mint('Stock', ['eu/1', 'eu/2*'], ['stock:read']);
    await openEdit(page, words, 'Stock');
    const dialog = dialogOf(page);
    await expect(dialog.getByRole('region', { name: 'Fixed after creation' })).toContainText('stock:read');
    await dialog.getByRole('button', { name: 'Remove eu/1' }).click();
    await verbOf(page, words.save).click();
    await expect(page.getByText(words.saved)).toBeVisible();
    expect(await resourcesOf(owner, apiKey)).toEqual(['eu/2*']);
  });

  test('asks before a stray Escape throws changes away', async ({ town, asAdmin: page }) => {
    const owner = await settleOwner(town);
    await owner.mint('Stray', ['Start*']);
    await openEdit(page, words, 'Stray');
    await addPattern(page, words, 'Later*');
    await page.keyboard.press('Escape');
    const question = page.getByRole('dialog', { name: 'Leave without saving?' });
    await expect(question).toContainText('1 change has not been saved.');
    await page.keyboard.press('Escape');
    await expect(question).toHaveCount(0);
    await expect(dialogOf(page).getByRole('button', { name: 'Remove Later*' })).toBeVisible();
    await page.keyboard.press('Escape');
    await question.getByRole('button', { name: 'Leave anyway' }).click();
    await expect(dialogOf(page)).toHaveCount(0);
  });

  test('is usable on a telephone', async ({ visit, town }) => {
    const owner = await settleOwner(town);
    const { apiKey } = await owner.mint('Telephone', ['Start*']);
    const page = await visit({ as: owner.email, viewport: { width: 390, height: 844 } });
    await page.goto('/my-keys');
    await page.getByRole('button', { name: 'More actions: Telephone' }).click();
    await page.getByRole('menuitem', { name: words.edit }).click();
    await addPattern(page, words, 'Later*');
    await expectNoAxeViolations(page);
    await verbOf(page, words.save).click();
    await expect(page.getByText(words.saved)).toBeVisible();
    await expect(page.getByRole('button', { name: 'More actions: Telephone' })).toBeFocused();
    expect(await resourcesOf(owner, apiKey)).toEqual(['Start*', 'Later*']);
  });
});

test.describe('regenerating', () => {
  const words = WORDS.en;

  test('mails the new secret when asked to', async ({ town, asAdmin: page }) => {
    const owner = await settleOwner(town);
    await owner.mint('Mailed');
    await openKeys(page, 'Mailed');
    await request(page, words, 'regenerate', 'Mailed');
    await dialogOf(page).getByRole('checkbox', { name: 'Send the key by e-mail' }).check();
    await expect(dialogOf(page)).toContainText(`One-time link to ${owner.email}`);
    const [sent] = await Promise.all([
      page.waitForRequest((call) => call.url().endsWith('/regenerate')),
      verbOf(page, words.regenerate).click(),
    ]);
    expect(sent.postDataJSON()).toEqual({ overlapHours: 0, sendMail: true });
    await expect(page.getByRole('dialog', { name: words.regenerated })).toBeVisible();
  });

  test('asks for an address where the service account has none', async ({ town, asAdmin: page }) => {
    const comment = 'Mailed to somebody';
    await mintKey(await town.signIn(), town.accountId('mobile-ci'), { comment, access: 'account' });
    await openKeys(page, comment);
    await request(page, words, 'regenerate', comment);
    const dialog = dialogOf(page);
    await dialog.getByRole('checkbox', { name: 'Send the key by e-mail' }).check();
    await verbOf(page, words.regenerate).click();
    const address = dialog.getByRole('textbox', { name: 'Send to' });
    await expect(dialog.getByText('Name the address that the key is sent to.')).toBeVisible();
    await expect(address).toBeFocused();
    await expectNoAxeViolations(page);
    await address.fill('nobody');
    await verbOf(page, words.regenerate).click();
    await expect(address).toHaveAttribute('aria-invalid', 'true');
    await address.fill('mobile@hayama.example');
    await verbOf(page, words.regenerate).click();
    await expect(page.getByRole('dialog', { name: words.regenerated })).toBeVisible();
  });
});

test.describe('every dialog of a key', () => {
  for (const kind of ['Edit', 'Regenerate', 'Disable', 'Delete'] as const) {
    test(`${kind} has no fault that axe finds, closes with Escape and gives the focus back`, async ({
      town,
      asAdmin: page,
    }) => {
      const owner = await settleOwner(town);
      const comment = `For ${kind}`;
      await owner.mint(comment, ['Start*']);
      await openKeys(page, comment);
      const opener = page.getByRole('button', { name: `${kind} ${comment}`, exact: true });
      await pressTabTo(page, opener);
      await page.keyboard.press('Enter');
      await expect(dialogOf(page)).toBeVisible();
      await expectNoAxeViolations(page);
      await page.keyboard.press('Escape');
      await expect(dialogOf(page)).toHaveCount(0);
      await expect(opener).toBeFocused();
    });
  }

  test('all keys are found, filtered and sorted; the address keeps it', async ({ asAdmin: page }) => {
    await page.goto('/keys');
    const rows = page.getByRole('table', { name: 'All keys' }).getByRole('row');
    await page.getByRole('combobox', { name: 'State', exact: true }).selectOption('Expired');
    await expect(page).toHaveURL(/filter=expired/);
    await expect(rows.filter({ hasText: 'Expired' })).not.toHaveCount(0);
    await expect(rows.filter({ hasText: 'Valid' })).toHaveCount(0);
    await page.getByRole('searchbox', { name: 'Search comment or key' }).fill('nightly');
    await expect(rows).toHaveCount(2);
    await page.reload();
    await expect(rows).toHaveCount(2);
    await expect(rows.nth(1)).toContainText('Nightly export');
    await page.goto('/keys?over=180&sort=expiresAt');
    await expect(page.getByText('Lifetime over 180 days')).toBeVisible();
    await expect(page.getByRole('columnheader', { name: /Expires/ })).toHaveAttribute(
      'aria-sort',
      'ascending',
    );
    await page.getByRole('button', { name: 'Remove filter: Lifetime over 180 days' }).click();
    await expect(page).not.toHaveURL(/over=/);
    await page.goto('/keys?q=zzzz');
    await expect(page.getByText('No key matches “zzzz”')).toBeVisible();
    await expectNoAxeViolations(page);
  });

  test('members see the keys that they may reach, and no look-up', async ({ asMember: page }) => {
    await page.goto('/keys');
    const table = page.getByRole('table', { name: 'All keys' });
    await expect(table.getByRole('row').filter({ hasText: 'Data lake ingest' })).toBeVisible();
    await expect(table.getByRole('row').filter({ hasText: 'Pipeline 01' })).toBeVisible();
    await expect(table.getByRole('row').filter({ hasText: 'Nightly export' })).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Whose key is this?' })).toHaveCount(0);
    await expectNoAxeViolations(page);
  });
});
