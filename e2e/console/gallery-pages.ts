import type { Page } from '@playwright/test';
import { PHONE } from './chromium.ts';
import type { PicturedPage } from './pages.ts';

const WORDS = {
  en: {
    addOwner: 'Add owner',
    deprecate: 'Deprecate',
    deprecateOf: 'Deprecate 2.0.1',
    more: 'More actions: 2.0.1',
  },
  ja: {
    addOwner: '所有者を追加',
    deprecate: '非推奨にする',
    deprecateOf: '2.0.1 を非推奨にする',
    more: 'その他の操作: 2.0.1',
  },
} as const;

/** Icons on a wide screen, a menu on a telephone. */
async function openDeprecation(page: Page, language: 'en' | 'ja'): Promise<void> {
  const words = WORDS[language];
  if (page.viewportSize()?.width === PHONE.width) {
    await page.getByRole('button', { name: words.more }).click();
    await page.getByRole('menuitem', { name: words.deprecate }).click();
  } else {
    await page.getByRole('button', { name: words.deprecateOf }).focus();
    await page.keyboard.press('Enter');
  }
  await page.getByRole('dialog').waitFor();
}

/** What people without an account see of an open gallery, and what a package says of itself. */
export const GALLERY_PAGES: readonly PicturedPage[] = [
  { name: 'gallery', path: '/packages', as: null },
  { name: 'gallery-search', path: '/packages?q=factory', as: null },
  { name: 'gallery-nothing', path: '/packages?q=nothing-of-this-name', as: null },
  { name: 'gallery-package', path: '/packages/hayama.datafactory', as: null },
  { name: 'gallery-module', path: '/packages/hayamadsc', as: null },
  { name: 'gallery-unlisted', path: '/packages/hayama.datafactory/3.7.3', as: null },
  { name: 'gallery-gone', path: '/packages/no.such.package', as: null },
  {
    name: 'package-deprecate',
    path: '/packages/hayama.edge',
    prepare: async (page, language) => {
      await openDeprecation(page, language);
    },
  },
  {
    name: 'package-add-owner',
    path: '/packages/hayama.edge.gateway',
    as: 'priya.raman@hayama.example',
    prepare: async (page, language) => {
      await page.getByRole('button', { name: WORDS[language].addOwner }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'package-stranger', path: '/packages/hayama.telemetry', as: 'weiling.chen@hayama.example' },
];
