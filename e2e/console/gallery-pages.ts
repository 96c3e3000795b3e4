import type { Page } from '@playwright/test';
import { choosePackage, packageFile } from './choose-package.ts';
import { PHONE } from './chromium.ts';
import type { PicturedPage } from './pages.ts';

const WORDS = {
  en: {
    addOwner: 'Add owner',
    deprecate: 'Deprecate',
    deprecateOf: 'Deprecate 2.0.1',
    more: 'More actions: 2.0.1',
    reserve: 'Reserve ids',
    pattern: 'Package ids',
    changeOf: 'Change the accounts of Hayama.Edge*',
    change: 'Change accounts',
    moreOf: 'More actions: Hayama.Edge*',
    open: 'Check a package',
    file: 'Package file',
    key: 'Push with',
    check: 'Check',
    steps: 'What a push is asked',
  },
  ja: {
    addOwner: '所有者を追加',
    deprecate: '非推奨にする',
    deprecateOf: '2.0.1 を非推奨にする',
    more: 'その他の操作: 2.0.1',
    reserve: 'IDを予約',
    pattern: 'パッケージID',
    changeOf: 'Hayama.Edge* のアカウントを変更',
    change: 'アカウントを変更',
    moreOf: 'その他の操作: Hayama.Edge*',
    open: 'パッケージを確認',
    file: 'パッケージファイル',
    key: 'プッシュに使うキー',
    check: '確認',
    steps: 'プッシュで検査すること',
  },
} as const;

/** Sends a package to be checked with a key of the administrator, and waits for what a push would get. */
async function checkPackage(
  page: Page,
  language: 'en' | 'ja',
  id: string,
  keyComment: string,
): Promise<void> {
  const words = WORDS[language];
  await page.getByRole('button', { name: words.open }).click();
  const file = packageFile({
    id,
    version: '4.0.0-rc.1',
    description: 'Reads the line, checks, keeps.',
    tags: 'factory pipelines',
  });
  await choosePackage(page, words, file, keyComment);
  await page.getByRole('dialog').getByRole('button', { name: words.check, exact: true }).click();
  await page.getByRole('region', { name: words.steps }).waitFor();
}

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
  { name: 'reserved-ids', path: '/reserved-ids' },
  {
    name: 'reserved-ids-taken',
    path: '/reserved-ids',
    prepare: async (page, language) => {
      const words = WORDS[language];
      await page.getByRole('button', { name: words.reserve }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: words.pattern }).fill('hayama.edge*');
      await dialog.getByRole('button', { name: words.reserve }).click();
      await dialog.locator('[aria-invalid=true]').waitFor();
    },
  },
  {
    name: 'reserved-ids-change',
    path: '/reserved-ids',
    prepare: async (page, language) => {
      const words = WORDS[language];
      if (page.viewportSize()?.width === PHONE.width) {
        await page.getByRole('button', { name: words.moreOf }).click();
        await page.getByRole('menuitem', { name: words.change }).click();
      } else {
        await page.getByRole('button', { name: words.changeOf }).focus();
        await page.keyboard.press('Enter');
      }
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'push-check',
    path: '/packages',
    prepare: async (page, language) => {
      const words = WORDS[language];
      await page.getByRole('button', { name: words.open }).click();
      const file = packageFile({ id: 'Hayama.DataFactory', version: '4.0.0-rc.1' });
      await choosePackage(page, words, file, 'CI publish: DataFactory');
    },
  },
  {
    name: 'push-check-passed',
    path: '/packages',
    prepare: (page, language) =>
      checkPackage(page, language, 'Hayama.DataFactory', 'CI publish: DataFactory'),
  },
  {
    name: 'push-check-refused',
    path: '/packages',
    prepare: (page, language) =>
      checkPackage(page, language, 'Hayama.Edge.Station', 'CI publish: DataFactory'),
  },
  { name: 'package-stranger', path: '/packages/hayama.telemetry', as: 'weiling.chen@hayama.example' },
];
