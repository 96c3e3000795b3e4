import type { Page } from '@playwright/test';
import type { Site } from './site.ts';
import { ADMIN_EMAIL, MEMBER_EMAIL } from './town-people.ts';

/** A page of the console as `npm run screenshots` takes it. Authors of pages append theirs to the table. */
export interface PicturedPage {
  /** Of the files, lower case with hyphens. */
  readonly name: string;
  readonly path: string | ((site: Site) => string);
  /** E-mail of who looks; null: nobody has signed in. The administrator, unless told. */
  readonly as?: string | null;
  /** Brings the page into the state of the picture: opens a dialog, types something. Roles and names only. */
  readonly prepare?: (page: Page, language: 'en' | 'ja') => Promise<void>;
}

export const PAGES: readonly PicturedPage[] = [
  { name: 'sign-in', path: '/sign-in', as: null },
  { name: 'invitation', path: '/invitation', as: null },
  { name: 'my-keys', path: '/my-keys' },
  { name: 'my-keys-member', path: '/my-keys', as: MEMBER_EMAIL },
  { name: 'user', path: (site) => `/users/${site.accountId(ADMIN_EMAIL)}` },
];
