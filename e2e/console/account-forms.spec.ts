import type { Page, Route } from '@playwright/test';
import { ACCOUNT_WORDS } from './account-words.ts';
import { expect, expectNoAxeViolations, TOWN_PASSWORD, test, unlessEnglish } from './fixtures.ts';
import type { Site } from './site.ts';

const LOST = {
  en: 'What you have typed is lost; nothing has been created.',
  ja: '入力した内容は失われます。まだ何も作成されていません。',
} as const;
const CLOSE = { en: 'Close', ja: '閉じる' } as const;

const dialog = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true });

async function makeUser(site: Site, email: string, displayName: string) {
  const { api } = await site.signIn();
  const body = { email, displayName, role: 'member', password: TOWN_PASSWORD } as const;
  return (await api.POST('/v1/users', { body })).data;
}

/** Holds back what is sent until the test lets it go. */
async function holdBack(
  page: Page,
  path: string,
): Promise<{ readonly sent: Promise<void>; release(): void }> {
  const sent = Promise.withResolvers<void>();
  const free = Promise.withResolvers<void>();
  await page.route(path, async (route: Route) => {
    if (route.request().method() === 'POST') {
      sent.resolve();
      await free.promise;
    }
    await route.continue();
  });
  return { sent: sent.promise, release: free.resolve };
}

for (const lang of ['en', 'ja'] as const) {
  const words = ACCOUNT_WORDS[lang];
  const kinds = [
    { list: '/users', open: words.newUser, field: words.email },
    { list: '/service-accounts', open: words.newService, field: words.technicalName },
  ];
  test.describe(`a form for a new account, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    for (const { list, open, field } of kinds)
      test(`${list}: asks before it loses what was typed`, async ({ asAdmin: page }) => {
        await page.goto(list);
        const form = dialog(page, open);
        const opener = page.getByRole('button', { name: open, exact: true });
        await opener.click();
        await expect(form).toBeVisible();
        await page.keyboard.press('Escape');
        await expect(form).toHaveCount(0);
        await opener.click();
        await form.getByRole('textbox', { name: field, exact: true }).fill('somebody');
        const question = dialog(page, words.leave);
        await page.keyboard.press('Escape');
        await expect(question).toContainText(LOST[lang]);
        await expectNoAxeViolations(page);
        await page.keyboard.press('Enter');
        await expect(question).toHaveCount(0);
        await expect(form.getByRole('textbox', { name: field, exact: true })).toHaveValue('somebody');
        await form.getByRole('button', { name: CLOSE[lang], exact: true }).click();
        await question.getByRole('button', { name: words.leaveAnyway }).click();
        await expect(form).toHaveCount(0);
        await expect(opener).toBeFocused();
      });
  });
}

test.describe('a new user that is being created', () => {
  const words = ACCOUNT_WORDS.en;
  const fill = async (page: Page, email: string, name: string) => {
    await page.goto('/overview');
    await page.getByRole('link', { name: words.users, exact: true }).click();
    await page.getByRole('button', { name: words.newUser, exact: true }).click();
    const form = dialog(page, words.newUser);
    await form.getByRole('textbox', { name: words.email, exact: true }).fill(email);
    await form.getByRole('textbox', { name: words.displayName, exact: true }).fill(name);
    await form.getByLabel(words.password, { exact: true }).fill('velvet ladder orbit');
    await form.getByRole('button', { name: words.create, exact: true }).click();
    return form;
  };

  test('keeps its form until the answer is there', async ({ asAdmin: page }) => {
    const post = await holdBack(page, '**/v1/users');
    const form = await fill(page, 'held.back@hayama.example', 'Held Back');
    await post.sent;
    await page.keyboard.press('Escape');
    await expect(form).toBeVisible();
    await expect(dialog(page, words.leave)).toHaveCount(0);
    post.release();
    await expect(page.getByRole('heading', { name: 'Held Back', level: 1 })).toBeVisible();
  });

  test('takes nobody along who has left meanwhile', async ({ asAdmin: page }) => {
    const post = await holdBack(page, '**/v1/users');
    await fill(page, 'left.alone@hayama.example', 'Left Alone');
    await post.sent;
    await page.goBack();
    await expect(page.getByRole('heading', { name: words.overview, level: 1 })).toBeVisible();
    post.release();
    await expect(page.getByText('Left Alone')).toBeVisible();
    await expect(page).toHaveURL(/\/overview$/);
  });
});

test('an account is deleted whose name no keyboard can type as it is', async ({ asAdmin: page, town }) => {
  const words = ACCOUNT_WORDS.en;
  const name = 'Zoe\u0308\u00a0Ng\u200f';
  const user = await makeUser(town, 'zoe.ng@hayama.example', name);
  await page.goto(`/users?q=${user.email}`);
  await page.getByRole('button', { name: /^Delete Zo/ }).click();
  const question = page.getByRole('dialog', { name: /^Delete “Zo/ });
  await question.getByRole('button', { name: 'Copy name' }).click();
  const typed = question.getByRole('textbox');
  const verb = question.getByRole('button', { name: words.deleteUser });
  await typed.fill('Zoë N');
  await expect(verb).toBeDisabled();
  await typed.fill('Zoë Ng');
  await verb.click();
  await expect(question).toHaveCount(0);
  const { api } = await town.signIn();
  expect((await api.GET('/v1/users', { params: { query: { q: user.email } } })).data.items).toEqual([]);
});

test('saving over somebody else’s change says so when that change cannot be read', async ({
  asAdmin: page,
  town,
  allowFault,
}) => {
  const words = ACCOUNT_WORDS.en;
  const user = await makeUser(town, 'reload.fails@hayama.example', 'Reload Fails');
  await page.goto(`/users/${user.id}`);
  await page.getByRole('textbox', { name: words.lastName, exact: true }).fill('Mine');
  const { api } = await town.signIn();
  await api.PATCH('/v1/users/{id}', {
    params: { path: { id: user.id } },
    headers: { 'if-match': `"${user.version}"` },
    body: { displayName: 'Theirs' },
  });
  allowFault(/412|503/);
  await page.route(`**/v1/users/${user.id}`, (route) =>
    route.request().method() === 'GET' ? route.fulfill({ status: 503 }) : route.continue(),
  );
  await page.getByRole('button', { name: words.save, exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: /server/i })).toBeVisible();
  await page.unroute(`**/v1/users/${user.id}`);
  await page.getByRole('button', { name: words.save, exact: true }).click();
  await expect(dialog(page, words.conflict)).toContainText('Theirs');
});
