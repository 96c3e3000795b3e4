import { addPattern, openScoped, readKey } from './create-key-steps.ts';
import { ADMIN_EMAIL, expect, TOWN_PASSWORD, test, writeClipboard } from './fixtures.ts';
import { createKey, dialogOf, KEY_WORDS, mintBy, openCreateDialog } from './fresh-key.ts';

const en = KEY_WORDS.en;

test.describe('patterns', () => {
  test('are typed, pasted and taken back, and the faulty one is named', async ({ asAdmin: page, town }) => {
    const dialog = await openScoped(page, town);
    const field = dialog.getByRole('textbox', { name: en.patterns });
    const pill = (pattern: string) => dialog.getByRole('button', { name: `Remove ${pattern}`, exact: true });
    await field.pressSequentially('Hayama.One*,');
    await expect(pill('Hayama.One*')).toBeVisible();
    await writeClipboard(page, 'Hayama.Two.*\nHayama.Three;hayama.one*\n');
    await field.focus();
    await page.keyboard.press('Control+V');
    await expect(pill('Hayama.Three')).toBeVisible();
    await expect(pill('hayama.one*')).toHaveCount(0);
    await field.pressSequentially('Hayama.Dát*');
    await dialog.getByRole('textbox', { name: en.comment }).fill('Left the field');
    await expect(pill('Hayama.Dát*')).toBeVisible();
    await expect(dialog.getByText('“Hayama.Dát*” contains “á”.')).toBeVisible();
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(field).toBeFocused();
    await page.keyboard.press('Backspace');
    await expect(pill('Hayama.Dát*')).toHaveCount(0);
    await expect(dialog.getByText('contains “á”')).toHaveCount(0);
    await pill('Hayama.One*').click();
    await expect(field).toBeFocused();
    const fresh = await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
    const { scopes } = await readKey(town, fresh.key.id);
    expect(scopes[0]?.resources).toEqual(['Hayama.Two.*', 'Hayama.Three']);
  });

  test('show what they match now; a hint cures the one that leaves out a package', async ({
    asAdmin: page,
    town,
  }) => {
    const dialog = await openScoped(page, town);
    const covered = dialog.getByRole('status').filter({ hasText: 'package' });
    const box = (name: string) => dialog.getByRole('checkbox', { name, exact: true });
    await addPattern(dialog, en, 'Hayama.DataFactory.*');
    await expect(covered).toHaveText('1 package');
    await dialog.getByRole('button', { name: 'Use Hayama.DataFactory*' }).click();
    await expect(covered).toHaveText('3 packages');
    await expect(box('Hayama.DataFactoryV2.NetCore')).toBeDisabled();
    await box('Hayama.Telemetry').focus();
    await page.keyboard.press('Space');
    await expect(covered).toHaveText('4 packages');
    await expect(box('Hayama.Telemetry')).toBeFocused();
    await expect(dialog.getByText('May push 4 packages and future Hayama.DataFactory*')).toBeVisible();
    await dialog.getByRole('searchbox', { name: en.find }).fill('otlp');
    await expect(box('Hayama.Telemetry')).toHaveCount(0);
    await expect(box('Hayama.Telemetry.Otlp')).not.toBeChecked();
    await page.keyboard.press('Escape');
    await expect(box('Hayama.Telemetry')).toBeChecked();
    await addPattern(dialog, en, 'Hayama.Telemetry*');
    await expect(box('Hayama.Telemetry')).toBeDisabled();
    const fresh = await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
    const { scopes } = await readKey(town, fresh.key.id);
    expect(scopes[0]?.resources).toEqual(['Hayama.DataFactory*', 'Hayama.Telemetry*']);
  });

  test('are at most a hundred', async ({ asAdmin: page, town }) => {
    const dialog = await openScoped(page, town);
    await writeClipboard(page, Array.from({ length: 101 }, (_, index) => `Hayama.Many${index}*`).join(' '));
    await dialog.getByRole('textbox', { name: en.patterns }).focus();
    await page.keyboard.press('Control+V');
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(dialog.getByText('A key has at most 100 patterns and packages.')).toBeVisible();
    await expect(dialog.getByRole('textbox', { name: en.patterns })).toBeFocused();
  });
});

test.describe('what was typed', () => {
  test('stays after refusals, each shown at its field', async ({ asAdmin: page, town }) => {
    const dialog = await openScoped(page, town);
    await addPattern(dialog, en, 'Hayama.First*');
    await addPattern(dialog, en, 'Hayama.Second*');
    const refuse = (errors: readonly { field: string; message: string }[], code = 'request.invalid') =>
      page.route('**/keys', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill({
              status: 400,
              contentType: 'application/problem+json',
              body: JSON.stringify({
                type: 'about:blank',
                title: 'Refused',
                status: 400,
                code,
                detail: 'Refused',
                errors,
              }),
            })
          : route.fallback(),
      );
    await refuse([
      { field: 'scopes[0].resources[1]', message: '"Hayama.Second*" is longer than 128 characters' },
    ]);
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(dialog.getByText('"Hayama.Second*" is longer than 128 characters')).toBeVisible();
    await expect(dialog.getByRole('textbox', { name: en.patterns })).toBeFocused();
    await page.unroute('**/keys');
    await refuse([], 'key.too_many');
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(dialog.getByRole('alert')).toBeVisible();
    await page.unroute('**/keys');
    await expect(dialog.getByRole('textbox', { name: en.comment })).toHaveValue('Typed');
    const fresh = await mintBy(page, () => dialog.getByRole('button', { name: en.create }).click());
    expect(fresh.key.comment).toBe('Typed');
  });

  test('stays when the dialog is closed by accident, and goes with Cancel', async ({
    asAdmin: page,
    town,
  }) => {
    const dialog = await openScoped(page, town);
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    await openCreateDialog(page, en);
    await expect(dialog.getByRole('textbox', { name: en.comment })).toHaveValue('Typed');
    await dialog.getByRole('button', { name: en.cancel }).click();
    await expect(page.getByRole('button', { name: en.addAccess })).toBeFocused();
    await openCreateDialog(page, en);
    await expect(dialog.getByRole('textbox', { name: en.comment })).toHaveValue('');
  });

  test('stays when the session ends in the middle, and the key is made after the sign-in', async ({
    visit,
    town,
  }) => {
    const page = await visit({ as: ADMIN_EMAIL, session: 'own' });
    const dialog = await openScoped(page, town);
    await addPattern(dialog, en, 'Hayama.Later*');
    await page.context().clearCookies();
    await dialog.getByRole('button', { name: en.create }).click();
    const again = dialogOf(page, 'Sign in again to continue');
    await again.getByLabel(`Password for ${ADMIN_EMAIL}`).fill(TOWN_PASSWORD);
    const fresh = await mintBy(page, () =>
      again.getByRole('button', { name: 'Sign in', exact: true }).click(),
    );
    await expect(dialogOf(page, en.created)).toContainText('Typed');
    expect((await readKey(town, fresh.key.id)).scopes[0]?.resources).toEqual(['Hayama.Later*']);
  });

  test('is text, whatever it looks like', async ({ asAdmin: page, town }) => {
    const comment = `<img src=x onerror=alert(1)> "'\`}}{{comment}} $t(ui:close) ${'👩‍💻'.repeat(20)}`;
    await page.goto(`/users/${town.accountId(ADMIN_EMAIL)}`);
    await createKey(page, en, comment);
    await expect(dialogOf(page, en.created).getByText(comment)).toBeVisible();
    await expect(page.getByRole('img', { name: 'x' })).toHaveCount(0);
    await page.getByRole('button', { name: en.copySecretKey }).click();
    await page.getByRole('button', { name: en.done }).click();
    const dialog = await openCreateDialog(page, en);
    await dialog.getByRole('textbox', { name: en.comment }).fill('right \u202e left');
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(dialog.getByText('text-direction characters')).toBeVisible();
    await dialog.getByRole('textbox', { name: en.comment }).fill('a'.repeat(257));
    await dialog.getByRole('button', { name: en.create }).click();
    await expect(dialog.getByText('Say where the key is used, 1 to 256 characters.')).toBeVisible();
  });
});
