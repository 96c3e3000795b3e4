import type { Page } from '@playwright/test';
import type { PicturedPage } from './pages.ts';

const WORDS = {
  en: { again: 'Sign in again to continue', other: 'Sign in as somebody else', load: 'Load again' },
  ja: {
    again: '続けるには再度サインインしてください',
    other: '別のアカウントでサインイン',
    load: '再読み込み',
  },
} as const;

/** Answers for the server when the window comes back and the page asks who is signed in: the pictures share one. */
async function refuseSession(page: Page, status: number, code: string): Promise<void> {
  const problem = { type: 'about:blank', title: code, status, detail: code, code, instance: '0' };
  await page.route('**/v1/session', (route) =>
    route.fulfill({ status, contentType: 'application/problem+json', json: problem }),
  );
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
}

async function askForPassword(page: Page, language: 'en' | 'ja'): Promise<void> {
  await refuseSession(page, 401, 'auth.session_ended');
  await page.getByRole('dialog', { name: WORDS[language].again }).waitFor();
}

/** What covers a page whose session has ended, or is another person's by now. */
export const SESSION_PAGES: readonly PicturedPage[] = [
  { name: 'sign-in-again', path: '/my-keys', prepare: askForPassword },
  {
    name: 'sign-in-again-question',
    path: '/my-keys',
    prepare: async (page, language) => {
      await askForPassword(page, language);
      await page.getByRole('button', { name: WORDS[language].other }).click();
    },
  },
  {
    name: 'other-account',
    path: '/my-keys',
    prepare: async (page, language) => {
      await refuseSession(page, 409, 'auth.other_account');
      await page.getByRole('button', { name: WORDS[language].load }).waitFor();
    },
  },
];
