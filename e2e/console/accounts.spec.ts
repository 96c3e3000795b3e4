import { ifMatch } from '../../packages/sdk/src/index.ts';
import { signIn } from '../console.ts';
import {
  dialog,
  field,
  findUser,
  heading,
  makeKey,
  makeService,
  makeUser,
  readUser,
  rowOf,
  table,
} from './account-steps.ts';
import { ACCOUNT_WORDS } from './account-words.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  MEMBER_EMAIL,
  pressTabTo,
  readClipboard,
  test,
  unlessEnglish,
} from './fixtures.ts';

const en = ACCOUNT_WORDS.en;

for (const lang of ['en', 'ja'] as const) {
  const words = ACCOUNT_WORDS[lang];
  test.describe(`giving somebody access, ${lang}`, () => {
    test.use({ lang });

    test('finds a user by the search, opens him, and starts a key for him', async ({
      town,
      asAdmin: page,
    }) => {
      const user = await makeUser(town);
      await page.goto('/overview');
      await page.getByRole('link', { name: words.users, exact: true }).click();
      await expect(heading(page, words.users)).toBeVisible();
      await findUser(page, words, user);
      const panel = page.getByRole('region', { name: words.apiAccess });
      await expect(panel.getByText(words.noKeys)).toBeVisible();
      await expectNoAxeViolations(page);
      await panel.getByRole('button', { name: words.addAccess }).click();
      await expect(dialog(page, words.createKey)).toBeVisible();
    });

    test('does the same for a service account', async ({ town, asAdmin: page }) => {
      const robot = await makeService(town);
      await page.goto('/service-accounts');
      await page.getByRole('searchbox', { name: words.searchServices }).fill(robot.technicalName);
      await page.getByRole('link', { name: robot.displayName, exact: true }).click();
      await expect(heading(page, robot.displayName)).toBeVisible();
      await expect(field(page, words.technicalName)).toHaveValue(robot.technicalName);
      await expect(field(page, words.technicalName)).not.toBeEditable();
      await expectNoAxeViolations(page);
      await page.getByRole('button', { name: words.addAccess }).click();
      await expect(dialog(page, words.createKey)).toBeVisible();
    });
  });

  test.describe(`managing users, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('makes a user with a password, who then signs in', async ({ town, asAdmin: page }) => {
      await page.goto('/users');
      await page.getByRole('button', { name: words.newUser }).click();
      const email = `new.${lang}@hayama.example`;
      const form = dialog(page, words.newUser);
      await form.getByRole('textbox', { name: words.email }).fill(email);
      await form.getByRole('textbox', { name: words.firstName, exact: true }).fill('Ada');
      await form.getByRole('textbox', { name: words.lastName, exact: true }).fill('Lovelace');
      const name = lang === 'ja' ? 'Lovelace Ada' : 'Ada Lovelace';
      await expect(form.getByRole('textbox', { name: words.displayName })).toHaveValue(name);
      const password = form.getByRole('textbox', { name: words.password, exact: true });
      await password.fill('password');
      await form.getByRole('button', { name: words.create, exact: true }).click();
      await expect(password).toBeFocused();
      await expect(password).toHaveAttribute('aria-invalid', 'true');
      await expectNoAxeViolations(page);
      await password.fill('harbour lantern quilt');
      await form.getByRole('button', { name: words.create, exact: true }).click();
      await expect(heading(page, name)).toBeVisible();
      const { accountId } = await signIn(town.apiUrl, { email, password: 'harbour lantern quilt' });
      expect((await readUser(town, accountId)).locale).toBe('en');
    });

    test('asks for first and last name in the order of the language', async ({ asAdmin: page }) => {
      await page.goto('/users');
      await page.getByRole('button', { name: words.newUser }).click();
      const first = field(page, words.firstName);
      const last = field(page, words.lastName);
      const [before, after] = lang === 'ja' ? [last, first] : [first, last];
      await before.focus();
      await page.keyboard.press('Tab');
      await expect(after).toBeFocused();
    });

    test('disables with a reason, and takes it back', async ({ town, asAdmin: page }) => {
      const user = await makeUser(town);
      await page.goto(`/users/${user.id}`);
      await page.getByRole('switch', { name: words.userActive }).press('Space');
      await page.getByRole('textbox', { name: words.reason }).fill('On leave');
      await expectNoAxeViolations(page);
      await page.getByRole('button', { name: words.disable, exact: true }).click();
      await expect(page.getByText(words.userDisabled)).toBeVisible();
      expect(await readUser(town, user.id)).toMatchObject({ state: 'disabled', disabledReason: 'On leave' });
      await page.getByRole('button', { name: words.undo }).click();
      await expect(page.getByText(words.userEnabled)).toBeVisible();
      await expect(page.getByRole('switch', { name: words.userActive })).toBeChecked();
      expect(await readUser(town, user.id)).toMatchObject({ state: 'active', disabledReason: null });
    });

    test('deletes only once the name has been typed', async ({ town, asAdmin: page }) => {
      const user = await makeUser(town);
      await makeKey(town, user.id, 'Doomed');
      await page.goto(`/users?q=${user.email}`);
      await rowOf(page, user.displayName).hover();
      await page.getByRole('button', { name: words.deleteOf(user.displayName) }).click();
      const asked = dialog(page, words.deleteTitle(user.displayName));
      const verb = asked.getByRole('button', { name: words.deleteUser });
      await expect(verb).toBeDisabled();
      const name = asked.getByRole('textbox', { name: words.typeName(user.displayName) });
      await name.fill(user.displayName.slice(0, -1));
      await expect(verb).toBeDisabled();
      await name.fill(user.displayName);
      await expectNoAxeViolations(page);
      await verb.click();
      await expect(page.getByText(words.deleted(user.displayName))).toBeVisible();
      await expect(page.getByText(words.noMatch(user.email))).toBeVisible();
      await expect(town.signIn(user.email)).rejects.toThrow();
    });

    test('tells the second of two tabs that the user was changed', async ({ town, asAdmin: page, visit }) => {
      const user = await makeUser(town, { tags: ['web'] });
      const other = await visit({ as: ADMIN_EMAIL });
      await page.goto(`/users/${user.id}`);
      await other.goto(`/users/${user.id}`);
      await expect(heading(other, user.displayName)).toBeVisible();
      await field(page, words.displayName).fill('First Tab');
      await page.getByRole('button', { name: words.save, exact: true }).click();
      await expect(heading(page, 'First Tab')).toBeVisible();
      await field(other, words.displayName).fill('Second Tab');
      await other.getByRole('button', { name: words.save, exact: true }).click();
      const conflict = dialog(other, words.conflict);
      await expect(conflict).toContainText('First Tab');
      await expect(conflict).toContainText('Second Tab');
      await expectNoAxeViolations(other);
      expect((await readUser(town, user.id)).displayName).toBe('First Tab');
      await conflict.getByRole('button', { name: words.saveMine }).click();
      await expect(heading(other, 'Second Tab')).toBeVisible();
      expect(await readUser(town, user.id)).toMatchObject({ displayName: 'Second Tab', tags: ['web'] });
    });

    test('asks before unsaved changes are left behind', async ({ town, asAdmin: page }) => {
      const user = await makeUser(town);
      await page.goto(`/users/${user.id}`);
      const save = page.getByRole('button', { name: words.save, exact: true });
      await expect(save).toBeDisabled();
      await field(page, words.firstName).fill('Somebody');
      await expect(save).toBeEnabled();
      await field(page, words.firstName).fill('');
      await expect(save).toBeDisabled();
      await field(page, words.firstName).fill('Somebody');
      await page.getByRole('link', { name: words.overview, exact: true }).click();
      const question = dialog(page, words.leave);
      await expectNoAxeViolations(page);
      await question.getByRole('button', { name: words.back, exact: true }).click();
      await expect(field(page, words.firstName)).toHaveValue('Somebody');
      await page.getByRole('link', { name: words.overview, exact: true }).click();
      await question.getByRole('button', { name: words.saveAndLeave }).click();
      await expect(heading(page, words.overview)).toBeVisible();
      expect((await readUser(town, user.id)).firstName).toBe('Somebody');
    });
  });
}

test.describe('with the keyboard alone', () => {
  test('finds a user, opens him and starts a key', async ({ town, asAdmin: page }) => {
    const user = await makeUser(town);
    await page.goto('/users');
    await expect(table(page, en.users)).toBeVisible();
    await page.keyboard.press('/');
    await expect(page.getByRole('searchbox', { name: en.searchUsers })).toBeFocused();
    await page.keyboard.type(user.email);
    await expect(page.getByText(en.matches(1, user.email))).toBeVisible();
    await pressTabTo(page, page.getByRole('link', { name: user.displayName, exact: true }));
    await page.keyboard.press('Enter');
    await expect(heading(page, user.displayName)).toBeVisible();
    const add = page.getByRole('button', { name: en.addAccess });
    await pressTabTo(page, add);
    await page.keyboard.press('Enter');
    await expect(dialog(page, en.createKey)).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(dialog(page, en.createKey)).toBeHidden();
    await expect(add).toBeFocused();
  });

  test('reaches the icons of a row, deletes by name, and finds the list again', async ({
    town,
    asAdmin: page,
  }) => {
    const user = await makeUser(town);
    await page.goto(`/users?q=${user.email}`);
    const trash = page.getByRole('button', { name: en.deleteOf(user.displayName) });
    await pressTabTo(page, trash);
    await page.keyboard.press('Enter');
    const name = page.getByRole('textbox', { name: en.typeName(user.displayName) });
    await expect(name).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(trash).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(name).toBeFocused();
    await page.keyboard.type(user.displayName);
    await pressTabTo(page, page.getByRole('button', { name: en.deleteUser }));
    await page.keyboard.press('Enter');
    await expect(page.getByText(en.noMatch(user.email))).toBeVisible();
    await expect(page.getByRole('region', { name: en.users })).toBeFocused();
  });

  test('copies an API key, disables by the switch, and saves the form', async ({ town, asAdmin: page }) => {
    const user = await makeUser(town);
    const apiKey = await makeKey(town, user.id, 'Copied by hand');
    await page.goto(`/users/${user.id}`);
    await pressTabTo(page, page.getByRole('button', { name: `Copy API key ${apiKey}` }));
    await page.keyboard.press('Enter');
    await expect.poll(() => readClipboard(page)).toBe(apiKey);
    await pressTabTo(page, field(page, en.lastName));
    await page.keyboard.type('Typed');
    await page.keyboard.press('Enter');
    await expect(page.getByText(en.saved)).toBeVisible();
    expect((await readUser(town, user.id)).lastName).toBe('Typed');
    const active = page.getByRole('switch', { name: en.userActive });
    await pressTabTo(page, active);
    await page.keyboard.press('Space');
    await expect(page.getByRole('textbox', { name: en.reason })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByText(en.userDisabled)).toBeVisible();
    await expect(active).not.toBeChecked();
    await expect(active).toBeFocused();
  });
});

test.describe('rules of the server', () => {
  test('the last administrator cannot be disabled', async ({ startSite, visit }) => {
    const site = await startSite();
    const { api } = await site.signIn();
    const path = { id: site.accountId('amara.okafor@hayama.example') };
    const { data: amara } = await api.GET('/v1/users/{id}', { params: { path } });
    const body = { state: 'disabled' as const };
    await api.PATCH('/v1/users/{id}', { params: { path }, headers: ifMatch(amara.version), body });
    const page = await visit({ as: ADMIN_EMAIL, at: site });
    await page.goto(`/users/${site.accountId(ADMIN_EMAIL)}`);
    await page.getByRole('switch', { name: en.userActive }).press('Space');
    await page.getByRole('button', { name: en.disable, exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('This is the last active administrator.');
    await page.getByRole('button', { name: en.cancel }).click();
    await expect(page.getByRole('switch', { name: en.userActive })).toBeChecked();
    expect((await readUser(site, site.accountId(ADMIN_EMAIL))).state).toBe('active');
  });

  test('names the packages that an account owns alone', async ({ town, asAdmin: page }) => {
    await page.goto(`/service-accounts/${town.accountId('release-bot')}`);
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('textbox', { name: en.typeName('Release bot') }).fill('Release bot');
    await page.getByRole('button', { name: 'Delete service account' }).click();
    await expect(page.getByRole('alert')).toContainText('Packages without another owner:');
    await expect(page.getByRole('alert').getByRole('listitem').first()).toContainText('Hayama.');
  });

  test('says at the right place what is wrong with a right', async ({ town, asAdmin: page }) => {
    const user = await makeUser(town);
    await page.goto(`/users/${user.id}`);
    await page.getByRole('button', { name: 'Add right' }).click();
    const right = page.getByRole('listitem', { name: 'Right 2' });
    await right
      .getByRole('combobox', { name: 'Actions' })
      .or(right.getByRole('textbox', { name: 'Actions' }))
      .fill('Not An Action');
    await page.keyboard.press('Enter');
    await right.getByRole('textbox', { name: 'Resources' }).fill('invoices/*');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: en.save, exact: true }).click();
    await expect(right).toContainText('must look like service:verb', { ignoreCase: true });
    await expect(page.getByRole('listitem', { name: 'Right 1' })).not.toContainText('Must look like');
    await expectNoAxeViolations(page);
    await page.getByRole('button', { name: 'Remove right 2' }).click();
    await expect(page.getByRole('button', { name: en.save, exact: true })).toBeDisabled();
  });

  test('an administrator changes rights, managers and tags of a service account', async ({
    town,
    asAdmin: page,
  }) => {
    const robot = await makeService(town, { managers: [] });
    await page.goto(`/service-accounts/${robot.id}`);
    await page.getByRole('combobox', { name: 'Managers' }).or(field(page, 'Managers')).fill('lindq');
    await page.getByRole('option', { name: /Jonas Lindqvist/ }).click();
    await page.keyboard.press('Escape');
    await page
      .getByRole('textbox', { name: 'Tags' })
      .or(page.getByRole('combobox', { name: 'Tags' }))
      .fill('night');
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Resources' }).fill('Hayama.*');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove *', exact: true }).click();
    await page.getByRole('button', { name: en.save, exact: true }).click();
    await expect(page.getByText(en.saved)).toBeVisible();
    const { api } = await town.signIn();
    const { data } = await api.GET('/v1/service-accounts/{id}', { params: { path: { id: robot.id } } });
    expect(data).toMatchObject({
      managers: [town.accountId(MEMBER_EMAIL)],
      tags: ['night'],
      grants: [{ actions: ['package:*'], resources: ['Hayama.*'] }],
    });
  });
});

test.describe('members', () => {
  test('are told that users are for administrators', async ({ asMember: page }) => {
    await page.goto('/overview');
    await expect(page.getByRole('link', { name: en.users, exact: true })).toHaveCount(0);
    await page.goto('/users');
    await expect(page.getByText('Users are managed by administrators')).toBeVisible();
    await expectNoAxeViolations(page);
    await page.getByRole('button', { name: 'To my API keys' }).click();
    await expect(heading(page, 'My API keys')).toBeVisible();
  });

  test('cannot tell a foreign user from one that does not exist', async ({ town, asMember: page }) => {
    for (const id of [town.accountId(ADMIN_EMAIL), 'acc_0000000000000000']) {
      await page.goto(`/users/${id}`);
      await expect(heading(page, 'There is no such user')).toBeVisible();
    }
    await expectNoAxeViolations(page);
  });

  test('describe the service accounts that they manage, and read their rights', async ({
    town,
    asMember: page,
  }) => {
    const robot = await makeService(town, { managers: [town.accountId(MEMBER_EMAIL)] });
    await page.goto('/service-accounts');
    await expect(page.getByRole('button', { name: en.newService })).toHaveCount(0);
    await page.getByRole('link', { name: robot.displayName, exact: true }).click();
    await expect(page.getByText('Administrators set these.')).toBeVisible();
    await expect(page.getByRole('switch')).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Delete…' })).toHaveCount(0);
    await field(page, en.description).fill('Runs at night.');
    await page.getByRole('button', { name: en.save, exact: true }).click();
    await expect(page.getByText(en.saved)).toBeVisible();
    await expect(page.getByRole('button', { name: en.addAccess })).toBeEnabled();
    await expectNoAxeViolations(page);
  });
});
