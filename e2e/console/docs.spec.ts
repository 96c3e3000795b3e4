import type { Page } from '@playwright/test';
import { findAxeViolations } from './axe.ts';
import { expect, MEMBER_EMAIL, pressTabTo, test } from './fixtures.ts';

/**
 * What Swagger UI itself breaks, and no setting of it mends: each head of an operation is a button with a link and a
 * lock in it, and the sections of all operations have the same names.
 */
const OF_LIBRARY = /^\w+: (?:nested-interactive|landmark-unique) /;

async function openReference(page: Page): Promise<void> {
  await page.goto('/docs');
  await page.getByRole('heading', { name: 'Keyreeve API' }).waitFor();
}

async function expectAccessible(page: Page): Promise<void> {
  const violations = await findAxeViolations(page);
  expect(violations.filter((violation) => !OF_LIBRARY.test(violation))).toEqual([]);
}

/** Opens an operation, sends it as it stands, and returns what is shown of the answer. */
async function execute(page: Page, tag: string, operationId: string) {
  const section = page.locator(`#operations-tag-${tag}`);
  if ((await section.getAttribute('data-is-open')) !== 'true') await section.click();
  const operation = page.locator(`#operations-${tag}-${operationId}`);
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  return operation.locator('.live-responses-table');
}

test('the reference calls this server with a key, which it shows nowhere and forgets', async ({
  town,
  visit,
}) => {
  const key = town.key('CI publish: DataFactory');
  const page = await visit({ lang: null, context: { locale: 'en-US' } });
  await openReference(page);
  const open = page.getByRole('button', { name: 'Authorize' });
  await pressTabTo(page, open);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Credentials' });
  // Not the last of the credentials, as the library has it: the dialog would open at its end.
  await expect(dialog.getByRole('textbox').first()).toBeFocused();
  await expectAccessible(page);
  const bearer = dialog.locator('.auth-container', { hasText: 'http, Bearer' });
  await bearer.getByRole('textbox').fill(key.secret);
  await bearer.getByRole('button', { name: 'Authorize' }).click();
  await dialog.getByRole('button', { name: 'Close' }).first().click();

  const answer = await execute(page, 'keys', 'getOwnKey');
  await expect(answer.getByRole('cell', { name: '200', exact: true })).toBeVisible();
  await expect(answer).toContainText(`"id": "${key.id}"`);
  await expect(page.getByText('Authorization: Bearer <full key or token>')).toBeVisible();
  await expectAccessible(page);
  expect(await page.content()).not.toContain(key.secret);
  expect(page.url()).not.toContain(key.secret);
  const kept = await page.evaluate(() => [Object.values(localStorage), Object.values(sessionStorage)]);
  expect(JSON.stringify(kept)).not.toContain(key.secret);

  await page.goto('/docs/errors');
  await openReference(page);
  const refused = await execute(page, 'keys', 'getOwnKey');
  await expect(refused.getByRole('cell', { name: '401', exact: true })).toBeVisible();
});

test('the reference calls this server with the session of the console, by its rules', async ({
  visit,
  allowFault,
}) => {
  allowFault(/^console error: Failed to load resource: .* 429 /);
  const page = await visit({ as: MEMBER_EMAIL, session: 'own', lang: null, context: { locale: 'ja-JP' } });
  await page.route('/openapi.json', (route) => route.fulfill({ status: 429, json: { status: 429 } }), {
    times: 1,
  });
  await page.goto('/docs');
  await expect(page.getByRole('alert')).toHaveText(
    'リファレンスを読み込めませんでした。ページを再読み込みしてください。 (/openapi.json: 429)',
  );
  await openReference(page);
  await expect(page.getByRole('navigation', { name: 'ドキュメント' })).toBeVisible();
  await expect(await execute(page, 'sessions', 'getSession')).toContainText(MEMBER_EMAIL);
  const ended = await execute(page, 'sessions', 'endOtherSessions');
  await expect(ended.getByRole('cell', { name: '200', exact: true })).toBeVisible();
});
