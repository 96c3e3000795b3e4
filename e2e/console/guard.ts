import type { BrowserContext, ConsoleMessage, Page } from '@playwright/test';

/** Watches a context for what no page of ours may do. */
export interface Guard {
  /** What was seen so far. */
  faults(): Promise<readonly string[]>;
}

const consoleTexts = new WeakMap<Page, string[]>();

/** Everything that a page has written to the browser's console so far, of any level. */
export function consoleOf(page: Page): readonly string[] {
  return consoleTexts.get(page) ?? [];
}

const BINDING = 'reportToGuard';
const ANSWERED_4XX = /^Failed to load resource: the server responded with a status of 4\d\d\b/;

/** Chromium writes a line for each refused request; for the API a refusal is an answer like any other. */
function isAnswerOfApi(message: ConsoleMessage): boolean {
  const { url } = message.location();
  return ANSWERED_4XX.test(message.text()) && URL.canParse(url) && new URL(url).pathname.startsWith('/v1/');
}

function isForeign(url: string, origins: readonly string[]): boolean {
  const { protocol, origin } = new URL(url);
  return /^(https?|wss?):$/.test(protocol) && !origins.includes(origin.replace(/^ws/, 'http'));
}

/** `origins` are the addresses of the server; a request to any other is a fault. */
export async function watchContext(context: BrowserContext, origins: readonly string[]): Promise<Guard> {
  const faults: string[] = [];
  context.on('console', (message) => {
    const page = message.page();
    if (page !== null) consoleTexts.set(page, [...(consoleTexts.get(page) ?? []), message.text()]);
    const type = message.type();
    if ((type !== 'error' && type !== 'warning') || isAnswerOfApi(message)) return;
    faults.push(`console ${type}: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => faults.push(`uncaught: ${error.error().stack ?? String(error.error())}`));
  context.on('request', (request) => {
    if (isForeign(request.url(), origins)) faults.push(`foreign host: ${request.method()} ${request.url()}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 500)
      faults.push(`answer ${response.status()}: ${response.request().method()} ${response.url()}`);
  });
  context.on('page', (page) => page.on('crash', () => faults.push(`crash: ${page.url()}`)));
  await context.exposeBinding(BINDING, (_source, report: string) => {
    faults.push(`content security policy: ${report}`);
  });
  await context.addInitScript((binding) => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = `${event.violatedDirective} refused ${event.blockedURI} ${event.sample} (${event.documentURI})`;
      (globalThis as unknown as Record<string, (text: string) => void>)[binding]?.(report);
    });
  }, BINDING);
  return {
    faults: async () => {
      // An answer from each page comes after all events that it sent before.
      await Promise.allSettled(context.pages().map((page) => page.evaluate(() => document.readyState)));
      return faults;
    },
  };
}
