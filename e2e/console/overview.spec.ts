import type { Page } from '@playwright/test';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  MEMBER_EMAIL,
  pressTabTo,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Overview',
    expiring: 'expire within 10 days',
    next: 'Next to stop',
    expiry: 'Keys expiring per day, next 60 days',
    verifications: 'Verifications per hour',
    refusals: 'Refusals by reason',
    expired: 'Expired',
    month: '30 days',
    period: 'Period',
    keys: 'All keys',
  },
  ja: {
    title: '概要',
    expiring: '10日以内に期限切れ',
    next: '次に止まるキー',
    expiry: '1日ごとに期限が切れるキー（今後60日）',
    verifications: '1時間ごとの検証数',
    refusals: '理由別の拒否',
    expired: '期限切れ',
    month: '30日間',
    period: '期間',
    keys: 'すべてのキー',
  },
} as const;

const region = (page: Page, name: string) => page.getByRole('region', { name });

/** The sums of the columns of a table that stands behind a chart. */
async function sumColumns(page: Page, name: string): Promise<number[]> {
  const rows = page.getByRole('table', { name }).getByRole('row');
  const texts = await rows.evaluateAll((all) =>
    all
      .slice(1)
      .map((row) => [...row.querySelectorAll('td')].slice(1).map((cell) => Number(cell.textContent))),
  );
  return texts.reduce((sums, row) => row.map((value, index) => value + (sums[index] ?? 0)), [] as number[]);
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`the overview, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('shows the numbers that the server has counted', async ({ asAdmin: page, town }) => {
      await page.goto('/overview');
      await expect(region(page, words.next)).toBeVisible();
      const { api } = await town.signIn(ADMIN_EMAIL);
      const { data } = await api.GET('/v1/overview', { params: { query: { hours: 168 } } });
      await expect(page.getByRole('link', { name: words.expiring })).toContainText(
        String(data.keys.expiring),
      );
      const [expiring] = await sumColumns(page, words.expiry);
      expect(expiring).toBe(data.expiringByDay.reduce((sum, { count }) => sum + count, 0));
      expect(expiring).toBeGreaterThan(0);
      const [accepted, refused] = await sumColumns(page, words.verifications);
      expect(accepted).toBeGreaterThanOrEqual(
        data.verifications.reduce((sum, each) => sum + each.accepted, 0),
      );
      expect(refused).toBeGreaterThan(0);
      await expect(
        region(page, words.refusals).getByRole('listitem').filter({ hasText: 'expired' }),
      ).toContainText(words.expired);
      for (const { comment } of data.nextToStop)
        await expect(
          region(page, words.next).getByRole('link', { name: comment, exact: true }),
        ).toBeVisible();
    });

    test('leads from a number to the keys that it counts, with the keyboard alone', async ({
      asAdmin: page,
      town,
    }) => {
      await page.goto('/overview');
      const figure = page.getByRole('link', { name: words.expiring });
      await pressTabTo(page, figure);
      const { api } = await town.signIn(ADMIN_EMAIL);
      const { data } = await api.GET('/v1/overview', { params: { query: { hours: 168 } } });
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { name: words.keys, level: 1 })).toBeVisible();
      await expect(page.getByRole('table').getByRole('row')).toHaveCount(data.keys.expiring + 1);
    });

    test('is a page that everybody can use', async ({ asAdmin: page }) => {
      await page.goto('/overview');
      await expect(region(page, words.next)).toBeVisible();
      await expectNoAxeViolations(page);
    });
  });
}

test('each number leads to as many keys as it says, for the period that is chosen', async ({
  asAdmin: page,
  town,
}) => {
  const { api } = await town.signIn(ADMIN_EMAIL);
  const { data } = await api.GET('/v1/overview', { params: { query: { hours: 24 } } });
  const { keys } = data;
  const figures = [
    [/expired, still called/, keys.expiredStillCalled],
    [/expire within/, keys.expiring],
    [/working keys/, keys.working],
    [/never used/, keys.neverUsed],
    [/unused for 90 days/, keys.unusedFor90Days],
  ] as const;
  for (const [name, count] of figures) {
    await page.goto('/overview');
    await page.getByRole('radiogroup', { name: 'Period' }).getByText('24 hours').click();
    const figure = page.getByRole('main').getByRole('link', { name });
    await expect(figure).toContainText(String(count));
    await figure.click();
    await expect(page.getByRole('heading', { name: 'All keys', level: 1 })).toBeVisible();
    if (count === 0) await expect(page.getByText('No key is like that')).toBeVisible();
    else await expect(page.getByRole('table').getByRole('row')).toHaveCount(count + 1);
  }
});

test('the chart counts by the days of UTC, wherever one is', async ({ visit, town }) => {
  const page = await visit({ as: ADMIN_EMAIL, context: { timezoneId: 'Pacific/Auckland' } });
  const { api } = await town.signIn(ADMIN_EMAIL);
  const { data } = await api.GET('/v1/overview', { params: { query: { hours: 168 } } });
  const [top] = data.expiringByDay.toSorted((one, other) => other.count - one.count);
  if (top === undefined) throw new Error('In Hayama keys expire.');
  const day = new Date(`${top.day}T00:00:00Z`).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  });
  await page.goto('/overview');
  await expect(page.getByText(`${top.count} keys on one day`)).toContainText(`${day} `);
  await expect(page.getByText('days are those of UTC')).toBeVisible();
});

test('another period is asked for and drawn', async ({ asAdmin: page }) => {
  await page.goto('/overview');
  const hours = page.getByRole('table', { name: WORDS.en.verifications }).getByRole('row');
  await expect(hours).not.toHaveCount(0);
  const before = await hours.count();
  await page.getByRole('radiogroup', { name: WORDS.en.period }).getByText(WORDS.en.month).click();
  await expect.poll(() => hours.count()).toBeGreaterThan(before);
});

test('a member sees the numbers of his own keys alone', async ({ asMember: page, town }) => {
  await page.goto('/overview');
  const mine = await (await town.signIn(MEMBER_EMAIL)).api.GET('/v1/overview', {
    params: { query: { hours: 168 } },
  });
  const all = await (await town.signIn(ADMIN_EMAIL)).api.GET('/v1/overview', {
    params: { query: { hours: 168 } },
  });
  expect(mine.data.keys.working).toBeLessThan(all.data.keys.working);
  await expect(page.getByRole('link', { name: 'working keys' })).toContainText(
    String(mine.data.keys.working),
  );
});
