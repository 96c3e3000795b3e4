import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
// The header of Mantine's dialogs is a <header>, which these two rules take for a second banner of the page.
const RULES_OFF = ['landmark-no-duplicate-banner', 'landmark-unique'];
const SCHEME = 'data-mantine-color-scheme';

export type ColorScheme = 'light' | 'dark';

/** Shows the page in the other colours without touching what it remembers. */
async function paint(page: Page, scheme: ColorScheme): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.evaluate(
    ([name, value]) => {
      if (document.documentElement.hasAttribute(name)) document.documentElement.setAttribute(name, value);
    },
    [SCHEME, scheme] as const,
  );
  // Colours fade into each other; half-way a text may have too little contrast. Loaders turn without an end.
  await page.evaluate(async () => {
    const ending = document
      .getAnimations()
      .filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map((each) => each.finished));
  });
}

async function findViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).disableRules(RULES_OFF).analyze();
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id} (${help}): ${target.join(' ')}\n${failureSummary ?? ''}`,
    ),
  );
}

/** What WCAG 2.2 AA and axe's own good practice find, in the given colours (both, unless told). */
export async function findAxeViolations(
  page: Page,
  schemes: readonly ColorScheme[] = ['light', 'dark'],
): Promise<string[]> {
  const before = await page.evaluate((name) => document.documentElement.getAttribute(name), SCHEME);
  const found: string[] = [];
  for (const scheme of schemes) {
    await paint(page, scheme);
    found.push(...(await findViolations(page)).map((violation) => `${scheme}: ${violation}`));
  }
  await paint(page, before === 'dark' ? 'dark' : 'light');
  return found;
}

export async function expectNoAxeViolations(page: Page, schemes?: readonly ColorScheme[]): Promise<void> {
  expect(await findAxeViolations(page, schemes), `axe on ${page.url()}`).toEqual([]);
}
