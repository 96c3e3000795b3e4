import type { Page } from '@playwright/test';
import type { Site, TownKind } from './site.ts';
import { ADMIN_EMAIL, MEMBER_EMAIL } from './town-people.ts';

/** A page of the console as `npm run screenshots` takes it. Authors of pages append theirs to the table. */
export interface PicturedPage {
  /** Of the files, lower case with hyphens. */
  readonly name: string;
  readonly path: string | ((site: Site) => string);
  /** E-mail of who looks; null: nobody has signed in. The administrator, unless told. */
  readonly as?: string | null;
  /** Hayama, unless told. */
  readonly town?: TownKind;
  /** Brings the page into the state of the picture: opens a dialog, types something. Roles and names only. */
  readonly prepare?: (page: Page, language: 'en' | 'ja') => Promise<void>;
}

export const PAGES: readonly PicturedPage[] = [
  { name: 'sign-in', path: '/sign-in', as: null },
  { name: 'first-run', path: '/first-run', as: null, town: 'empty' },
  { name: 'forgot-password', path: '/forgot-password', as: null },
  { name: 'invitation', path: '/invitation', as: null },
  { name: 'overview', path: '/overview' },
  { name: 'my-keys', path: '/my-keys' },
  { name: 'my-keys-member', path: '/my-keys', as: MEMBER_EMAIL },
  { name: 'packages', path: '/packages' },
  { name: 'package', path: '/packages/Hayama.DataFactory' },
  { name: 'users', path: '/users' },
  { name: 'user', path: (site) => `/users/${site.accountId(ADMIN_EMAIL)}` },
  { name: 'service-accounts', path: '/service-accounts' },
  { name: 'service-account', path: (site) => `/service-accounts/${site.accountId('release-bot')}` },
  { name: 'all-keys', path: '/keys' },
  { name: 'audit', path: '/audit' },
  { name: 'settings', path: '/settings' },
  { name: 'profile', path: '/profile' },
  { name: 'not-found', path: '/users/acc_0000000000000000' },
];
