import type { Page } from '@playwright/test';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { mintKey } from '../console.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  heapContains,
  readClipboard,
  type Site,
  secretLeaks,
  TOWN_PASSWORD,
  test,
  writeClipboard,
} from './fixtures.ts';
import { createKey, dialogOf, type FreshKey, KEY_WORDS, mintBy } from './fresh-key.ts';

const words = KEY_WORDS.en;
const OWNER = 'priya.raman@hayama.example';

const pageOf = (site: Site) => `/users/${site.accountId(OWNER)}`;

/** The two ways to a secret; each leaves the one-time window open. */
const WAYS = {
  create: async (page: Page, site: Site): Promise<FreshKey> => {
    await page.goto(pageOf(site));
    return await createKey(page, words, 'Secrets');
  },
  regenerate: async (page: Page, site: Site): Promise<FreshKey> => {
    const comment = `To regenerate ${Date.now()}`;
    const body = { comment, access: 'account' } as const;
    await mintKey(await site.signIn(), site.accountId(OWNER), body);
    await page.goto(pageOf(site));
    await page.getByRole('button', { name: words.regenerateOf(comment) }).click();
    const verb = page.getByRole('dialog').getByRole('button', { name: words.regenerate, exact: true });
    return await mintBy(page, () => verb.click());
  },
};
const TITLES = { create: words.created, regenerate: words.regenerated };

const reveal = async (page: Page) => {
  await page.getByRole('button', { name: words.reveal }).click();
  await expect(page.getByRole('button', { name: words.hide })).toBeVisible();
};
const copyValues = async (page: Page) => {
  await page.getByRole('button', { name: words.copySecretKey }).click();
  await page.getByRole('button', { name: words.copyFullKey }).click();
  await expect(page.getByText(words.onClipboard)).toBeVisible();
};
const copySnippets = async (page: Page) => {
  for (const tab of ['cURL', 'Publish-PSResource']) {
    await page.getByRole('tab', { name: tab }).click();
    await page.getByRole('button', { name: words.copySnippet }).click();
    await expect(page.getByText(words.onClipboard)).toBeVisible();
  }
};

/** What a person does with the open window before closing it, and whether he is asked then. */
const HANDLINGS: readonly {
  readonly name: string;
  readonly steps: readonly ((page: Page) => Promise<void>)[];
  readonly isAsked: boolean;
}[] = [
  { name: 'untouched', steps: [], isAsked: true },
  { name: 'revealed', steps: [reveal], isAsked: true },
  { name: 'copied', steps: [copyValues], isAsked: false },
  { name: 'copied in snippets', steps: [copySnippets], isAsked: false },
  { name: 'revealed and copied', steps: [reveal, copyValues], isAsked: false },
];

async function closeWindow(page: Page, title: string, isAsked: boolean): Promise<void> {
  await dialogOf(page, title).getByRole('button', { name: words.done }).click();
  if (isAsked) await dialogOf(page, words.leave).getByRole('button', { name: words.leaveAnyway }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** The secret, and its middle: a cut or joined copy would be found too. */
const needlesOf = ({ secretKey }: FreshKey) => [secretKey, secretKey.slice(8, 40)];

for (const way of ['create', 'regenerate'] as const) {
  test.describe(`after ${way}`, () => {
    test('the secret is nowhere in the page until Reveal, and not after Hide', async ({ asAdmin, town }) => {
      const fresh = await WAYS[way](asAdmin, town);
      const window = dialogOf(asAdmin, TITLES[way]);
      expect(await secretLeaks(asAdmin, fresh.secretKey)).toEqual([]);
      await window.getByRole('button', { name: words.reveal }).click();
      await expect(window.getByText(fresh.apiKey, { exact: true })).toBeVisible();
      await expect(window.getByText(fresh.secretKey, { exact: true })).toBeVisible();
      await window.getByRole('button', { name: words.hide }).click();
      await expect(window.getByText(fresh.secretKey)).toHaveCount(0);
      expect(await secretLeaks(asAdmin, fresh.secretKey)).toEqual([]);
    });

    for (const { name, steps, isAsked } of HANDLINGS) {
      test(`a secret that was ${name} is in no memory once the window is closed`, async ({
        asAdmin,
        town,
      }) => {
        const fresh = await WAYS[way](asAdmin, town);
        for (const step of steps) await step(asAdmin);
        expect(await heapContains(asAdmin, needlesOf(fresh)), 'the search sees a secret').not.toEqual([]);
        await closeWindow(asAdmin, TITLES[way], isAsked);
        expect(await heapContains(asAdmin, needlesOf(fresh))).toEqual([]);
        expect(await secretLeaks(asAdmin, fresh.secretKey)).toEqual([]);
      });
    }

    test('a reload and the way back bring nothing back', async ({ asAdmin: page, town }) => {
      const fresh = await WAYS[way](page, town);
      await page.getByRole('button', { name: words.reveal }).click();
      await page.reload();
      await expect(page.getByRole('heading', { name: 'Priya Raman', level: 1 })).toBeVisible();
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await page.goto('/packages');
      await page.goBack();
      await expect(page.getByRole('heading', { name: 'Priya Raman', level: 1 })).toBeVisible();
      expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);
      expect(await heapContains(page, needlesOf(fresh))).toEqual([]);
    });
  });
}

test.describe('the clipboard', () => {
  const COPIES = [
    ['apiKey', words.copyApiKey],
    ['secretKey', words.copySecretKey],
    ['fullKey', words.copyFullKey],
  ] as const;

  for (const isPlainHttp of [false, true]) {
    const place = isPlainHttp ? 'over plain http, where browsers hide it' : 'of a safe address';

    test(`gets each value, ${place}`, async ({ visit, startSite, town }) => {
      const at = isPlainHttp ? await startSite({ isPlainHttp }) : town;
      const page = await visit({ as: ADMIN_EMAIL, at });
      const fresh = await WAYS.create(page, at);
      expect(await page.evaluate(() => isSecureContext)).toBe(!isPlainHttp);
      for (const [kind, label] of COPIES) {
        await writeClipboard(page, 'before');
        await page.getByRole('button', { name: label, exact: true }).click();
        await expect.poll(() => readClipboard(page)).toBe(fresh[kind]);
      }
      await page.getByRole('button', { name: words.copySnippet }).click();
      await expect.poll(() => readClipboard(page)).toContain(`"secretkey": "${fresh.secretKey}"`);
      expect(await readClipboard(page)).toContain(`${at.url}/iam/login`);
      await page.getByText(words.fromEnvironment).click();
      await page.getByRole('button', { name: words.copySnippet }).click();
      await expect.poll(() => readClipboard(page)).toContain('$KEYREEVE_SECRET_KEY');
      expect(await readClipboard(page)).not.toContain(fresh.secretKey);
      expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);
    });
  }

  test('gets the secret over plain http without leaving it in memory', async ({ visit, startSite }) => {
    const at = await startSite({ isPlainHttp: true });
    const page = await visit({ as: ADMIN_EMAIL, at });
    const fresh = await WAYS.create(page, at);
    for (const step of [reveal, copyValues, copySnippets]) await step(page);
    await closeWindow(page, words.created, false);
    expect(await heapContains(page, needlesOf(fresh))).toEqual([]);
    expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);
  });
});

test.describe('leaving', () => {
  test('without having copied asks, and can copy first', async ({ asAdmin: page, town }) => {
    const fresh = await WAYS.create(page, town);
    const window = dialogOf(page, words.created);
    const question = dialogOf(page, words.leave);
    await window.getByRole('button', { name: words.copyApiKey }).click();
    await page.keyboard.press('Escape');
    await expect(question).toBeVisible();
    await expectNoAxeViolations(page);
    await page.keyboard.press('Escape');
    await expect(question).toHaveCount(0);
    await expect(window).toBeVisible();
    await window.getByRole('button', { name: words.done }).click();
    await question.getByRole('button', { name: words.copyAndClose }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect.poll(() => readClipboard(page)).toBe(fresh.secretKey);
    await expect(page.getByRole('button', { name: words.addAccess })).toBeFocused();
  });

  test('after having copied asks nothing', async ({ asAdmin: page, town }) => {
    await WAYS.create(page, town);
    await page.getByRole('button', { name: words.copySecretKey }).click();
    await expect(page.getByText(words.onClipboard)).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  test('by the way back after having copied asks nothing, and forgets', async ({ asAdmin: page }) => {
    await page.goto('/users');
    await page.getByRole('link', { name: 'Priya Raman' }).click();
    const fresh = await createKey(page, words, 'Way back, copied');
    await page.getByRole('button', { name: words.copyFullKey }).click();
    await expect(page.getByText(words.onClipboard)).toBeVisible();
    await page.evaluate(() => history.back());
    await expect(page.getByRole('heading', { name: 'Users', level: 1 })).toBeVisible();
    expect(await heapContains(page, needlesOf(fresh))).toEqual([]);
  });

  test('by the way back asks first, and forgets', async ({ asAdmin: page }) => {
    await page.goto('/users');
    await page.getByRole('link', { name: 'Priya Raman' }).click();
    const fresh = await createKey(page, words, 'Way back');
    await page.evaluate(() => history.back());
    const question = dialogOf(page, words.leave);
    await question.getByRole('button', { name: words.back }).click();
    await expect(dialogOf(page, words.created)).toBeVisible();
    expect(await heapContains(page, needlesOf(fresh))).not.toEqual([]);
    await page.evaluate(() => history.back());
    await question.getByRole('button', { name: words.leaveAnyway }).click();
    await expect(page.getByRole('heading', { name: 'Users', level: 1 })).toBeVisible();
    expect(await heapContains(page, needlesOf(fresh))).toEqual([]);
  });
});

test('ten minutes without input wipe the secret; input in between gives it ten more', async ({
  asAdmin: page,
  town,
}) => {
  await page.clock.install();
  const fresh = await WAYS.create(page, town);
  const window = dialogOf(page, words.created);
  await window.getByRole('button', { name: words.reveal }).click();
  await page.clock.fastForward('09:30');
  await expect(window.getByRole('timer')).toHaveText(/^0:(2|3)\d$/);
  await page.keyboard.press('Shift');
  await page.clock.fastForward('09:30');
  await expect(window.getByText(words.forgotten)).toHaveCount(0);
  await page.clock.fastForward('00:40');
  await expect(window.getByText(words.forgotten)).toBeVisible();
  await expect(window.getByRole('button', { name: words.copySecretKey })).toBeDisabled();
  await expect(window.getByRole('button', { name: words.reveal })).toHaveCount(0);
  await expectNoAxeViolations(page);
  expect(await secretLeaks(page, fresh.secretKey)).toEqual([]);
  expect(await heapContains(page, needlesOf(fresh))).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('after signing out no memory and no place of the page holds a secret that it has shown', async ({
  visit,
  town,
}) => {
  const page = await visit({ as: ADMIN_EMAIL, session: 'own' });
  const fresh = await WAYS.create(page, town);
  await reveal(page);
  const seen = await heapContains(page, needlesOf(fresh));
  recordControl(42, {
    name: 'a page that shows a secret at this moment',
    shown: `${seen.length} of 2 needles in its memory`,
    hasFailed: seen.length > 0,
  });
  expect(seen).not.toEqual([]);
  await closeWindow(page, TITLES.create, true);
  await page.getByRole('button', { name: 'Account menu' }).click();
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Sign in', level: 1 })).toBeVisible();
  const left = [
    ...(await heapContains(page, needlesOf(fresh))),
    ...(await secretLeaks(page, fresh.secretKey)),
    ...(await heapContains(page, [TOWN_PASSWORD])),
  ];
  recordFigure(42, {
    name: 'secrets in: memory of the page after signing out',
    reached: left.length,
    wanted: '0',
    isHeld: left.length === 0,
  });
  expect(left).toEqual([]);
});
