import {
  type BrowserContext,
  type BrowserContextOptions,
  test as base,
  expect,
  type Page,
} from '@playwright/test';
import { type Guard, watchContext } from './guard.ts';
import { remember } from './memory.ts';
import { openSite, type Site, type SiteOptions } from './site.ts';
import { ADMIN_EMAIL, MEMBER_EMAIL } from './town-people.ts';

export { expect } from '@playwright/test';
export { expectNoAxeViolations } from './axe.ts';
export { readClipboard, writeClipboard } from './clipboard.ts';
export { pressTabTo } from './keyboard.ts';
export { heapContains, secretLeaks } from './secret-search.ts';
export type { Site } from './site.ts';
export { ADMIN_EMAIL, MEMBER_EMAIL, TOWN_PASSWORD } from './town-people.ts';

/** What only `npm run test:full` runs. */
const FULL_RUN = { tag: '@full' } as const;

/** For tests in both languages, of which `npm test` runs the English ones; it has the flows of the seeds in both. */
export function unlessEnglish(lang: 'en' | 'ja'): { readonly tag?: '@full' } {
  return lang === 'en' ? {} : FULL_RUN;
}

/** Who comes, and what the browser remembers from the last time. */
export interface Visit {
  /** An e-mail of somebody in Hayama, or nobody. */
  readonly as?: string | null;
  /** The session of somebody who was made by the test, in place of `as`. */
  readonly cookie?: string;
  /** Null: the console has to choose by itself. */
  readonly lang?: 'en' | 'ja' | null;
  readonly theme?: 'light' | 'dark' | null;
  /** The town of the worker, unless told. */
  readonly at?: Site;
  /** `own`: a session that the test may end. `shared` is the same for all tests of the worker. */
  readonly session?: 'shared' | 'own';
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly context?: BrowserContextOptions;
}

interface TestFixtures {
  readonly lang: 'en' | 'ja';
  readonly theme: 'light' | 'dark';
  /** Opens a page in a browser of its own: nothing is shared with the other pages of the test. */
  readonly visit: (visit?: Visit) => Promise<Page>;
  /** Faults that the test provokes on purpose are allowed here, for all of its pages. */
  readonly allowFault: (pattern: RegExp) => void;
  /** Another server than that of the worker: empty, with other settings, or one that the test may stop. */
  readonly startSite: (options?: SiteOptions) => Promise<Site>;
  readonly allowedFaults: RegExp[];
  readonly sites: Site[];
  readonly asAdmin: Page;
  readonly asMember: Page;
}

interface WorkerFixtures {
  /** Hayama. All tests of the worker share it: what a test changes, it makes for itself first. */
  readonly town: Site;
  readonly sharedCookie: (site: Site, email: string) => Promise<string>;
}

async function cookieFor(
  { as = null, cookie, session = 'shared' }: Visit,
  at: Site,
  sharedCookie: WorkerFixtures['sharedCookie'],
): Promise<string | null> {
  if (cookie !== undefined) return cookie;
  if (as === null) return null;
  return session === 'own' ? (await at.signIn(as)).cookie : await sharedCookie(at, as);
}

/** True while the session behind the cookie lives; a test may have ended it. */
async function isLive(site: Site, cookie: string): Promise<boolean> {
  return (await fetch(`${site.apiUrl}/v1/session`, { headers: { cookie } })).ok;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  lang: ['en', { option: true }],
  theme: ['light', { option: true }],
  town: [
    async ({}, use) => {
      const site = await openSite();
      await use(site);
      await site.close();
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  sharedCookie: [
    async ({}, use) => {
      const cookies = new Map<string, string>();
      await use(async (site, email) => {
        const name = `${site.apiUrl} ${email}`;
        const known = cookies.get(name);
        if (known !== undefined && (await isLive(site, known))) return known;
        const { cookie } = await site.signIn(email);
        cookies.set(name, cookie);
        return cookie;
      });
    },
    { scope: 'worker' },
  ],
  allowedFaults: async ({}, use) => {
    await use([]);
  },
  allowFault: async ({ allowedFaults }, use) => {
    await use((pattern) => {
      allowedFaults.push(pattern);
    });
  },
  // Pages need it too, and so close before their server does.
  sites: async ({}, use) => {
    const sites: Site[] = [];
    await use(sites);
    for (const site of sites) await site.close();
  },
  startSite: async ({ sites }, use) => {
    await use(async (options = {}) => {
      const site = await openSite(options);
      sites.push(site);
      return site;
    });
  },
  visit: async ({ browser, town, sites, sharedCookie, lang, theme, allowedFaults }, use) => {
    const visits: { readonly context: BrowserContext; readonly guard: Guard }[] = [];
    await use(async (options = {}) => {
      const { at = town } = options;
      if (at !== town && !sites.includes(at)) throw new Error('Sites of a test come from `startSite`.');
      const memory = {
        language: options.lang === undefined ? lang : options.lang,
        theme: options.theme === undefined ? theme : options.theme,
      };
      const context = await browser.newContext({
        baseURL: at.url,
        permissions: ['clipboard-read', 'clipboard-write'],
        ...(options.viewport === undefined ? {} : { viewport: options.viewport }),
        ...options.context,
      });
      await remember(context, at, await cookieFor(options, at, sharedCookie), memory);
      visits.push({ context, guard: await watchContext(context, [at.url, at.apiUrl]) });
      return await context.newPage();
    });
    const seen = await Promise.all(visits.map(({ guard }) => guard.faults()));
    for (const { context } of visits) await context.close();
    const faults = seen.flat().filter((fault) => !allowedFaults.some((pattern) => pattern.test(fault)));
    expect(faults, 'what no page may do').toEqual([]);
  },
  page: async ({ visit }, use) => {
    await use(await visit());
  },
  asAdmin: async ({ visit }, use) => {
    await use(await visit({ as: ADMIN_EMAIL }));
  },
  asMember: async ({ visit }, use) => {
    await use(await visit({ as: MEMBER_EMAIL }));
  },
});
