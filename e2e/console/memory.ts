import type { BrowserContext } from '@playwright/test';
import type { Site } from './site.ts';

const LANGUAGE_ITEM = 'keyreeve.language';
const THEME_ITEM = 'mantine-color-scheme-value';

/** What a browser remembers of its last visit; null is nothing. */
export interface Memory {
  readonly language: 'en' | 'ja' | null;
  readonly theme: 'light' | 'dark' | null;
}

const SET_MARK = 'keyreeve.test.memory';

/**
 * Lets a new context remember a session and choices as from an earlier visit. The choices are put in by the first page
 * itself: Playwright's own way opens a page more for each context, which took a fifth of the time of a test.
 */
export async function remember(
  context: BrowserContext,
  site: Site,
  cookie: string | null,
  { language, theme }: Memory,
): Promise<void> {
  const [name = '', value = ''] = cookie?.split('=') ?? [];
  const domain = new URL(site.url).hostname;
  const kept = { domain, path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Strict' } as const;
  if (cookie !== null) await context.addCookies([{ name, value, ...kept }]);
  const items = [
    [LANGUAGE_ITEM, language],
    [THEME_ITEM, theme],
  ].filter((item): item is [string, string] => item[1] !== null);
  await context.addInitScript(
    ([mark, origin, choices]) => {
      // Only once: what the page chooses later is its own memory.
      if (location.origin !== origin || localStorage.getItem(mark) !== null) return;
      localStorage.setItem(mark, '1');
      for (const [item, chosen] of choices) localStorage.setItem(item, chosen);
    },
    [SET_MARK, site.url, items] as const,
  );
}
