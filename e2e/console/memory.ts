import type { Site } from './site.ts';

const LANGUAGE_ITEM = 'keyreeve.language';
const THEME_ITEM = 'mantine-color-scheme-value';

/** What a browser remembers of its last visit; null is nothing. */
export interface Memory {
  readonly language: 'en' | 'ja' | null;
  readonly theme: 'light' | 'dark' | null;
}

/** The cookie and the stored choices, as Playwright puts them into a new context. */
export function memoryOf(site: Site, cookie: string | null, { language, theme }: Memory) {
  const [name = '', value = ''] = cookie?.split('=') ?? [];
  const domain = new URL(site.url).hostname;
  const kept = { domain, path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Strict' } as const;
  const items = [
    { name: LANGUAGE_ITEM, value: language },
    { name: THEME_ITEM, value: theme },
  ];
  return {
    cookies: cookie === null ? [] : [{ name, value, ...kept }],
    origins: [
      {
        origin: site.url,
        localStorage: items.flatMap((item) =>
          item.value === null ? [] : [{ name: item.name, value: item.value }],
        ),
      },
    ],
  };
}
