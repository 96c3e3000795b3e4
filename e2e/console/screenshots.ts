/**
 * `npm run screenshots`: every page of e2e/console/pages.ts in both languages, both widths and both colours, and one
 * sheet with all of them, into the folder `screenshots`. Fails when text is cut, sticks out or lies outside.
 *
 * `npm run screenshots -- user keys` takes only the pages whose name contains one of the words.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test';
import { closingLine } from '../../tools/totals.mjs';
import { sleep } from '../server-process.ts';
import { DESKTOP, LAUNCH, PHONE } from './chromium.ts';
import { watchContext } from './guard.ts';
import { remember } from './memory.ts';
import { PAGES, type PicturedPage } from './pages.ts';
import { openSite, prepareTowns, type Site, type TownKind } from './site.ts';
import { findTextFaults } from './text-faults.ts';
import { ADMIN_EMAIL } from './town-people.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../screenshots');
const LANGUAGES = ['en', 'ja'] as const;
const THEMES = ['light', 'dark'] as const;
const VIEWPORTS = [DESKTOP, PHONE];
const QUIET_MS = 150;
const SETTLE_TIMEOUT_MS = 20_000;

interface Look {
  readonly language: (typeof LANGUAGES)[number];
  readonly theme: (typeof THEMES)[number];
  readonly viewport: (typeof VIEWPORTS)[number];
}

interface Picture {
  readonly page: string;
  readonly file: string;
  readonly look: Look;
  readonly faults: readonly string[];
}

interface Studio {
  readonly browser: Browser;
  readonly siteOf: (town: TownKind) => Promise<Site>;
  readonly signIn: (site: Site, email: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

const LOOKS: readonly Look[] = LANGUAGES.flatMap((language) =>
  VIEWPORTS.flatMap((viewport) => THEMES.map((theme) => ({ language, theme, viewport }))),
);

/** What the console shows while something is on its way, and a page that has not been drawn yet. */
const BUSY =
  '.mantine-Skeleton-root[data-visible], .mantine-Loader-root, [aria-busy="true"], body:not(:has(h1))';

/** Waits until nothing is asked for any more and everything that a page shows is there. */
function watchSettling(context: BrowserContext): (page: Page) => Promise<void> {
  const requests = { open: 0, begun: 0 };
  context.on('request', () => {
    requests.open += 1;
    requests.begun += 1;
  });
  const end = () => {
    requests.open -= 1;
  };
  context.on('requestfinished', end);
  context.on('requestfailed', end);
  return async (page) => {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    for (;;) {
      const { begun } = requests;
      await sleep(QUIET_MS);
      // What an answer sets off runs before the page is idle, and may ask for more.
      await page.evaluate(() => new Promise((done) => requestIdleCallback(done, { timeout: 5_000 })));
      const isBusy = await page.evaluate((selector) => document.querySelector(selector) !== null, BUSY);
      if (requests.open === 0 && requests.begun === begun && !isBusy) return;
      if (performance.now() > deadline) throw new Error('The page is still busy.');
    }
  };
}

/** Everything of a page, not only what fits into the window; a dialog lies over the window alone. */
async function shoot(page: Page, file: string): Promise<void> {
  const hasDialog = (await page.getByRole('dialog').count()) > 0;
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  await page.screenshot({
    path: path.join(FOLDER, file),
    fullPage: !hasDialog,
    animations: 'disabled',
    caret: 'hide',
  });
}

/** One server for each town, and one session for each person, are enough for all of the pictures. */
function openStudio(browser: Browser): Studio {
  const sites = new Map<TownKind, Site>();
  const cookies = new Map<string, string>();
  return {
    browser,
    siteOf: async (town) => {
      const site = sites.get(town) ?? (await openSite({ town }));
      sites.set(town, site);
      return site;
    },
    signIn: async (site, email) => {
      const name = `${site.url} ${email}`;
      const cookie = cookies.get(name) ?? (await site.signIn(email)).cookie;
      cookies.set(name, cookie);
      return cookie;
    },
    close: async () => {
      await browser.close();
      for (const site of sites.values()) await site.close();
    },
  };
}

async function takePicture(studio: Studio, pictured: PicturedPage, look: Look): Promise<Picture> {
  const { browser } = studio;
  const site = await studio.siteOf(pictured.town ?? 'hayama');
  const { language, theme, viewport } = look;
  const email = pictured.as === undefined ? ADMIN_EMAIL : pictured.as;
  const cookie = email === null ? null : await studio.signIn(site, email);
  const context = await browser.newContext({
    baseURL: site.url,
    viewport,
    colorScheme: theme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: language === 'ja' ? 'ja-JP' : 'en-US',
  });
  await remember(context, site, cookie, { language, theme });
  const file = `${pictured.name}-${language}-${theme}-${viewport.width}.png`;
  const faults: string[] = [];
  try {
    const guard = await watchContext(context, [site.url]);
    const settle = watchSettling(context);
    const page = await context.newPage();
    await page.goto(typeof pictured.path === 'string' ? pictured.path : pictured.path(site));
    await settle(page);
    await pictured.prepare?.(page, language);
    await settle(page);
    await shoot(page, file);
    faults.push(...(await findTextFaults(page)), ...(await guard.faults()));
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  } finally {
    await context.close();
  }
  return { page: pictured.name, file, look, faults };
}

const escapeHtml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function writeSheet(pictures: readonly Picture[]): string {
  const figure = ({ file, look, faults }: Picture) =>
    `<figure class="w${look.viewport.width}"><a href="${file}"><img src="${file}" alt=""></a>` +
    `<figcaption>${look.language} ${look.theme} ${look.viewport.width}` +
    `${faults.map((fault) => `<br><b>${escapeHtml(fault)}</b>`).join('')}</figcaption></figure>`;
  const names = [...new Set(pictures.map(({ page }) => page))];
  const section = (name: string) =>
    `<h2>${name}</h2><div>${pictures
      .filter(({ page }) => page === name)
      .map(figure)
      .join('')}</div>`;
  const style = `body{font:14px Inter,sans-serif;margin:24px;background:#ddd;color:#111}div{display:flex;flex-wrap:wrap;gap:16px;align-items:start}
figure{margin:0}img{display:block;width:100%;border:1px solid #999}.w1440{width:480px}.w390{width:130px}figcaption{padding:4px 0;overflow-wrap:anywhere}b{color:#b00}`;
  const file = path.join(FOLDER, 'contact-sheet.html');
  const html = `<!doctype html><meta charset="utf-8"><title>Keyreeve console</title><style>${style}</style>${names.map(section).join('')}`;
  writeFileSync(file, html);
  return file;
}

async function shootSheet(browser: Browser, file: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 2640, height: 1000 } });
  await page.goto(pathToFileURL(file).href);
  await page.screenshot({ path: path.join(FOLDER, 'contact-sheet.png'), fullPage: true });
  await page.close();
}

async function main(words: readonly string[]): Promise<void> {
  const wanted = PAGES.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  if (wanted.length === 0) throw new Error(`No page is called ${words.join(' or ')}.`);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const removeTowns = await prepareTowns();
  const studio = openStudio(await chromium.launch(LAUNCH));
  const pictures: Picture[] = [];
  try {
    for (const pictured of wanted) {
      for (const look of LOOKS) pictures.push(await takePicture(studio, pictured, look));
      const taken = pictures.filter(({ page }) => page === pictured.name);
      for (const { file, faults } of taken) for (const fault of faults) console.log(`${file}: ${fault}`);
      console.log(`${pictured.name}: ${taken.length} pictures`);
    }
    await shootSheet(studio.browser, writeSheet(pictures));
  } finally {
    await studio.close();
    removeTowns();
  }
  const failed = pictures.filter(({ faults }) => faults.length > 0).length;
  console.log(closingLine([{ passed: pictures.length - failed, failed, skipped: 0 }]));
  process.exitCode = failed === 0 ? 0 : 1;
}

await main(process.argv.slice(2));
