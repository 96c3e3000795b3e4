/** What all pages share: the language, the parts that are shown, the token of the address, one request. */

const root = document.documentElement;

// The names under which the console remembers the same on this device.
const LANGUAGE = 'keyreeve.language';
const THEME = 'mantine-color-scheme-value';

function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // Storage is blocked in some private windows; the browser's own wishes decide then.
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Not remembered, but switched.
  }
}

function setLanguage(language) {
  root.lang = language;
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === language));
  }
  const heading = document.querySelector('h1');
  const words = [...heading.querySelectorAll('[lang]')].find((part) => part.lang === language)?.textContent;
  if (words !== undefined) document.title = words.includes('Keyreeve') ? words : `${words} · Keyreeve`;
  document.dispatchEvent(new Event('languagechange'));
}

const darkSystem = matchMedia('(prefers-color-scheme: dark)');

function showTheme() {
  const chosen = recall(THEME);
  const isChosen = chosen === 'light' || chosen === 'dark';
  root.dataset.theme = isChosen ? chosen : darkSystem.matches ? 'dark' : 'light';
}

for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => {
    remember(LANGUAGE, button.dataset.language);
    setLanguage(button.dataset.language);
  });
}
document.querySelector('#theme').addEventListener('click', () => {
  const theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  remember(THEME, theme);
  root.dataset.theme = theme;
});
darkSystem.addEventListener('change', showTheme);
showTheme();
const chosenLanguage = recall(LANGUAGE);
setLanguage(chosenLanguage === 'en' || chosenLanguage === 'ja' ? chosenLanguage : root.lang);
document.querySelector('#host').textContent = location.host;

/** The token behind `#`, which leaves the address at once: it must stay in no history and no screenshot. */
export function takeToken() {
  const token = location.hash.slice(1);
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  return token;
}

/** Shows one section, and takes readers of the page there when it is not the first. */
export function showState(name) {
  for (const section of document.querySelectorAll('[data-state]'))
    section.hidden = section.dataset.state !== name;
  showMessage(null);
  if (name === 'ready') return;
  const heading = document.querySelector('h1');
  heading.tabIndex = -1;
  heading.focus();
}

/** Shows one of the messages below the sections, or none. */
export function showMessage(id) {
  for (const message of document.querySelectorAll('.announcements .message'))
    message.hidden = message.id !== id;
  if (id !== null) document.querySelector(`#${id}`).scrollIntoView({ block: 'nearest' });
}

/**
 * Sends a body and returns the status with the answer; status 0 when there was none. `credentials` as for
 * `fetch`: whether cookies go with it, and may come back.
 */
export async function post(path, body, credentials) {
  try {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials,
      cache: 'no-store',
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
  } catch {
    return { status: 0, body: {} };
  }
}
