import type { Locator, Page } from '@playwright/test';
import type { Key } from '../../packages/sdk/src/index.ts';
import { KEY_WORDS, type KeyWords, openCreateDialog } from './fresh-key.ts';
import type { Site } from './site.ts';
import { ADMIN_EMAIL } from './town-people.ts';

const en = KEY_WORDS.en;

/** The key as the server has it now. */
export async function readKey(site: Site, id: string): Promise<Key> {
  const { api } = await site.signIn();
  return (await api.GET('/v1/keys/{keyId}', { params: { path: { keyId: id } } })).data;
}

export async function addPattern(dialog: Locator, words: KeyWords, pattern: string): Promise<void> {
  const field = dialog.getByRole('textbox', { name: words.patterns });
  await field.fill(pattern);
  await field.press('Enter');
}

/** The dialog with a comment, scoped, push chosen: ready for patterns. */
export async function openScoped(page: Page, site: Site): Promise<Locator> {
  await page.goto(`/users/${site.accountId(ADMIN_EMAIL)}`);
  const dialog = await openCreateDialog(page, en);
  await dialog.getByRole('textbox', { name: en.comment }).fill('Typed');
  await dialog.getByRole('radio', { name: en.scoped }).check();
  await dialog.getByRole('checkbox', { name: en.push, exact: true }).check();
  return dialog;
}
