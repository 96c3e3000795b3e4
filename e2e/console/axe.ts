import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
// The header of Mantine's dialogs is a <header>, which these two rules take for a second banner of the page.
const RULES_OFF = ['landmark-no-duplicate-banner', 'landmark-unique'];
/** The rules whose answer depends on colours. */
const COLOR_RULES = ['color-contrast', 'link-in-text-block'];
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

async function findViolations(page: Page, isColorOnly: boolean): Promise<string[]> {
  // Legacy mode: the other one opens a page more for each question, to join frames of other origins, which we lack.
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  const { violations } = await (isColorOnly
    ? axe.withRules(COLOR_RULES)
    : axe.withTags(TAGS).disableRules(RULES_OFF)
  ).analyze();
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id} (${help}): ${target.join(' ')}\n${failureSummary ?? ''}`,
    ),
  );
}

/**
 * What WCAG 2.2 AA and axe's own good practice find, in the given colours (both, unless told). In the short form of
 * the suite the second colours are asked about colours alone.
 */
export async function findAxeViolations(
  page: Page,
  schemes: readonly ColorScheme[] = ['light', 'dark'],
): Promise<string[]> {
  const before = await page.evaluate((name) => document.documentElement.getAttribute(name), SCHEME);
  const isShort = test.info().config.metadata['isShort'] === true;
  const found: string[] = [];
  for (const [index, scheme] of schemes.entries()) {
    await paint(page, scheme);
    const violations = await findViolations(page, isShort && index > 0);
    found.push(...violations.map((violation) => `${scheme}: ${violation}`));
  }
  await paint(page, before === 'dark' ? 'dark' : 'light');
  return found;
}

export async function expectNoAxeViolations(page: Page, schemes?: readonly ColorScheme[]): Promise<void> {
  expect(await findAxeViolations(page, schemes), `axe on ${page.url()}`).toEqual([]);
}
