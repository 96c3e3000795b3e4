import type { User } from '../../packages/sdk/src/index.ts';
import { HOSTILE_NAMES } from '../../packages/testkit/src/hostile-names.ts';
import { dialog, heading, makeUser, rowOf, table } from './account-steps.ts';
import { ACCOUNT_WORDS } from './account-words.ts';
import { PHONE } from './chromium.ts';
import { ADMIN_EMAIL, expect, expectNoAxeViolations, TOWN_PASSWORD, test } from './fixtures.ts';

const en = ACCOUNT_WORDS.en;

test.describe('the list', () => {
  test('shows who has a key in trouble, and keeps its state in the address', async ({ asAdmin: page }) => {
    await page.goto('/users');
    await expect(rowOf(page, 'Priya Raman')).toContainText(/2 in \d+ days/);
    await expect(rowOf(page, 'Élodie Garnier')).toContainText('1 expired');
    await expect(rowOf(page, 'Daniel O’Shea')).toContainText('Disabled');
    await page.getByRole('radiogroup', { name: 'Status' }).getByText('Keys need attention').click();
    await expect(rowOf(page, 'Amara Okafor')).toHaveCount(0);
    await table(page, en.users).getByRole('button', { name: 'Last connected' }).click();
    await page.getByRole('combobox', { name: 'Rows' }).selectOption('25');
    await expect(page).toHaveURL(/filter=attention/);
    await expect(page).toHaveURL(/sort=lastSeenAt/);
    await expect(page).toHaveURL(/rows=25/);
    await page.reload();
    await expect(page.getByRole('radio', { name: 'Keys need attention' })).toBeChecked();
    await expect(table(page, en.users).getByRole('columnheader', { name: 'Last connected' })).toHaveAttribute(
      'aria-sort',
      'ascending',
    );
    await page.goBack();
    await page.goBack();
    await expect(page.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
    await expectNoAxeViolations(page);
  });

  test('marks what was searched for, and Escape brings everybody back', async ({ asAdmin: page }) => {
    await page.goto('/users?q=tachi');
    // Parts of their own in the name and in the address.
    await expect(page.getByText('Tachi', { exact: true })).toHaveCount(1);
    await expect(page.getByText('tachi', { exact: true })).toHaveCount(1);
    await expectNoAxeViolations(page);
    await page.getByRole('searchbox', { name: en.searchUsers }).press('Escape');
    await expect(rowOf(page, 'Amara Okafor')).toBeVisible();
    await expect(page).toHaveURL(/\/users$/);
  });

  test('loses nothing that is typed while a search is under way', async ({ asAdmin: page }) => {
    await page.goto('/users');
    const search = page.getByRole('searchbox', { name: en.searchUsers });
    await search.pressSequentially('mio ');
    await expect(page).toHaveURL(/q=mio$/);
    await expect(page.getByText(en.matches(1, 'mio'))).toBeVisible();
    await search.pressSequentially('tachi');
    await expect(search).toHaveValue('mio tachi');
    await expect(page.getByText(en.matches(1, 'mio tachi'))).toBeVisible();
    await page.getByRole('link', { name: en.overview, exact: true }).click();
    await page.goBack();
    await expect(search).toHaveValue('mio tachi');
  });

  test('goes one page on for two impatient clicks, and keeps the page before on the screen', async ({
    startSite,
    visit,
  }) => {
    const site = await startSite();
    const { api } = await site.signIn();
    for (let index = 0; index < 50; index += 1) {
      const body = { email: `crowd.${index}@hayama.example`, displayName: `Crowd ${index}` };
      await api.POST('/v1/users', { body });
    }
    const page = await visit({ as: ADMIN_EMAIL, at: site });
    await page.goto('/users?rows=25');
    await expect(page.getByText('1–25 of 64')).toBeVisible();
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route(/\/v1\/users\?.*cursor=/, async (route) => {
      await promise;
      await route.continue();
    });
    await page.getByRole('button', { name: 'Next' }).dblclick();
    await expect(page.getByText('1–25 of 64')).toBeVisible();
    await expect(rowOf(page, 'Amara Okafor')).toBeVisible();
    resolve();
    await expect(page.getByText('26–50 of 64')).toBeVisible();
    await expect(rowOf(page, 'Amara Okafor')).toHaveCount(0);
    await page.getByRole('button', { name: 'Next' }).click();
    await expect(page.getByText('51–64 of 64')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Next' })).toBeDisabled();
  });

  test('says so when nobody matches, and when the server does not answer', async ({
    asAdmin: page,
    allowFault,
  }) => {
    await page.goto('/users?q=nobody@nowhere');
    await expect(page.getByText(en.noMatch('nobody@nowhere'))).toBeVisible();
    await expectNoAxeViolations(page);
    await page.getByRole('button', { name: 'Clear search' }).last().click();
    await expect(rowOf(page, 'Amara Okafor')).toBeVisible();
    allowFault(/net::ERR_FAILED/);
    await page.route(/\/v1\/users\?/, (route) => route.abort());
    await page.getByRole('radiogroup', { name: 'Status' }).getByText('Disabled').click();
    await expect(page.getByRole('alert')).toContainText('Nothing was changed.');
    await page.unroute(/\/v1\/users\?/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(rowOf(page, 'Daniel O’Shea')).toBeVisible();
  });

  test('comes along as CSV that no spreadsheet takes for a formula', async ({ town, asAdmin: page }) => {
    const user = await makeUser(town, { displayName: '=HYPERLINK("https://evil.example")' });
    await page.goto(`/users?q=${user.email}`);
    await expect(page.getByText(en.matches(1, user.email))).toBeVisible();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const lines = Buffer.concat(chunks).toString('utf8').split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain(`"'=HYPERLINK(""https://evil.example"")","${user.email}",Member`);
  });

  test('is a list of cards on a telephone, with a menu instead of icons', async ({ town, visit }) => {
    const user = await makeUser(town);
    const page = await visit({ as: ADMIN_EMAIL, viewport: PHONE });
    await page.goto(`/users?q=${user.email}`);
    await expect(page.getByText(en.matches(1, user.email))).toBeVisible();
    await expectNoAxeViolations(page);
    await page.getByRole('button', { name: `More actions: ${user.displayName}` }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await expect(heading(page, user.displayName)).toBeVisible();
    await expectNoAxeViolations(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
  });
});

test.describe('names that would do harm', () => {
  const PEOPLE = [
    '<img src=x onerror="globalThis.harmed=1">',
    '"><script>globalThis.harmed=1</script>',
    '{{constructor.constructor("globalThis.harmed=1")()}}',
    '\u200Fمرحبا admin\u200E',
    '👩‍👩‍👧‍👦 family & <b>friends</b>',
    'x'.repeat(256),
    ...HOSTILE_NAMES,
  ];

  const isHidden = (name: string) =>
    !name.isWellFormed() || name.trim() === '' || /[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/u.test(name);

  test('are drawn as text in list, page and dialogs, and run nothing', async ({ startSite, visit }) => {
    const site = await startSite();
    const { api } = await site.signIn();
    const kept: User[] = [];
    for (const [index, displayName] of PEOPLE.entries()) {
      const email = `hostile.${index}@hayama.example`;
      const body = { email, displayName, firstName: displayName.slice(0, 200), password: TOWN_PASSWORD };
      const answer = await api.POST('/v1/users', { body }).catch((error: unknown) => {
        expect(error).toMatchObject({ status: 400 });
        return null;
      });
      // What cannot be seen has no place in a name; all that is taken must be harmless.
      expect(answer !== null, displayName).toBe(!isHidden(displayName));
      if (answer !== null) kept.push(answer.data);
    }
    const page = await visit({ as: ADMIN_EMAIL, at: site });
    await page.goto('/users?q=hostile.&rows=100');
    await expect(page.getByText(en.matches(kept.length, 'hostile.'))).toBeVisible();
    for (const user of kept)
      await expect(page.getByRole('link').filter({ hasText: user.displayName }).first()).toBeAttached();
    for (const user of kept.slice(0, 6)) {
      await page.goto(`/users/${user.id}`);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(user.displayName);
      await page.getByRole('button', { name: 'Delete…' }).click();
      await expect(page.getByRole('dialog')).toContainText(user.displayName.slice(0, 40));
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= globalThis.innerWidth)).toBe(
        true,
      );
    }
    expect(await page.evaluate(() => 'harmed' in globalThis)).toBe(false);
  });

  test('that are too much are refused at their field', async ({ asAdmin: page }) => {
    await page.goto('/users');
    await page.getByRole('button', { name: en.newUser }).click();
    const form = dialog(page, en.newUser);
    await form.getByRole('textbox', { name: en.email }).fill('override@hayama.example');
    await form.getByRole('textbox', { name: en.displayName }).fill('\u202Egnp.exe');
    await form.getByRole('textbox', { name: en.password, exact: true }).fill('harbour lantern quilt');
    await form.getByRole('button', { name: en.create, exact: true }).click();
    await expect(form.getByRole('textbox', { name: en.displayName })).toBeFocused();
    await expect(form).toContainText(/text-direction characters/);
  });
});
