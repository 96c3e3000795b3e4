import { expect, type Locator, type Page } from '@playwright/test';

const TABS_MAX = 100;

function hasFocus(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => element === document.activeElement);
}

/** Goes to an element as people without a mouse do, forwards. Fails when it is not on the way. */
export async function pressTabTo(page: Page, locator: Locator, tabsMax = TABS_MAX): Promise<void> {
  await expect(locator).toBeVisible();
  for (let tabs = 0; tabs < tabsMax; tabs += 1) {
    if (await hasFocus(locator)) return;
    await page.keyboard.press('Tab');
  }
  expect(await hasFocus(locator), `${locator.toString()} has the focus after ${tabsMax} tabs`).toBe(true);
}
