import { expect, type Page } from '@playwright/test';
import type { BodyOf, ServiceAccount, User } from '../../packages/sdk/src/index.ts';
import type { AccountWords } from './account-words.ts';
import type { Site } from './site.ts';
import { TOWN_PASSWORD } from './town-people.ts';

let made = 0;

/** A user of one test's own; what a test changes must not be Hayama's. */
export async function makeUser(site: Site, more: Partial<BodyOf<'createUser'>> = {}): Promise<User> {
  made += 1;
  const { api } = await site.signIn();
  const body = {
    email: `guest.${made}@hayama.example`,
    displayName: `Guest ${made}`,
    role: 'member' as const,
  };
  return (await api.POST('/v1/users', { body: { ...body, password: TOWN_PASSWORD, ...more } })).data;
}

export async function makeService(
  site: Site,
  more: Partial<BodyOf<'createServiceAccount'>> = {},
): Promise<ServiceAccount> {
  made += 1;
  const { api } = await site.signIn();
  const body = { technicalName: `robot-${made}`, displayName: `Robot ${made}` };
  return (await api.POST('/v1/service-accounts', { body: { ...body, ...more } })).data;
}

export async function makeKey(site: Site, accountId: string, comment: string): Promise<string> {
  const { api } = await site.signIn();
  const body = { comment, access: 'account' as const };
  return (await api.POST('/v1/accounts/{id}/keys', { params: { path: { id: accountId } }, body })).data
    .apiKey;
}

export async function readUser(site: Site, id: string): Promise<User> {
  const { api } = await site.signIn();
  return (await api.GET('/v1/users/{id}', { params: { path: { id } } })).data;
}

export const heading = (page: Page, name: string) =>
  page.getByRole('heading', { name, level: 1, exact: true });
export const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
export const table = (page: Page, name: string) => page.getByRole('table', { name, exact: true });
export const dialog = (page: Page, name: string) => page.getByRole('dialog', { name });
/** Names on the screen carry a mark before them, so a row is found by the text of its link. */
export const rowOf = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });

export async function findUser(
  page: Page,
  words: AccountWords,
  user: { displayName: string; email: string },
) {
  await page.goto('/users');
  await page.getByRole('searchbox', { name: words.searchUsers }).fill(user.email);
  await expect(page.getByText(words.matches(1, user.email))).toBeVisible();
  await page.getByRole('link', { name: user.displayName, exact: true }).click();
  await expect(heading(page, user.displayName)).toBeVisible();
}
