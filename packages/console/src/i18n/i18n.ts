import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export type Language = 'en' | 'ja';

const STORAGE_NAME = 'keyreeve.language';

function readStored(): Language | null {
  try {
    const stored = localStorage.getItem(STORAGE_NAME);
    return stored === 'en' || stored === 'ja' ? stored : null;
  } catch {
    return null; // Storage is blocked in some private windows; the browser's own language decides then.
  }
}

function preferredLanguage(): Language {
  const known = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'en' || tag === 'ja');
  return known === 'ja' ? 'ja' : 'en';
}

/** What the person has chosen on this device, or null: then account and browser decide. */
export const storedLanguage = readStored();

void i18next.use(initReactI18next).init({
  lng: storedLanguage ?? preferredLanguage(),
  fallbackLng: 'en',
  resources: {},
  // React escapes what it draws; escaping twice would show `&amp;`.
  interpolation: { escapeValue: false },
  returnNull: false,
  initAsync: false,
});

function markDocument(language: string): void {
  document.documentElement.lang = language;
}
markDocument(i18next.language);
i18next.on('languageChanged', markDocument);

export function currentLanguage(): Language {
  return i18next.language === 'ja' ? 'ja' : 'en';
}

/** Switches the language and remembers it on this device. */
export async function chooseLanguage(language: Language): Promise<void> {
  try {
    localStorage.setItem(STORAGE_NAME, language);
  } catch {
    // Not remembered, but switched.
  }
  await i18next.changeLanguage(language);
}

/** Switches without remembering: the account's own language on a device where nobody has chosen yet. */
export async function adoptLanguage(language: Language): Promise<void> {
  if (storedLanguage === null && language !== currentLanguage()) await i18next.changeLanguage(language);
}
