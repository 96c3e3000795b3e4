import type { Page } from '@playwright/test';
import type { PicturedPage } from './pages.ts';

const WORDS = {
  en: {
    newWebhook: 'New webhook',
    create: 'Create',
    address: 'Address',
    some: 'Only these',
    newLink: 'New feed link',
    own: 'My keys',
  },
  ja: {
    newWebhook: 'Webhookを作成',
    create: '作成',
    address: 'アドレス',
    some: '次のものだけ',
    newLink: 'フィードのリンクを作成',
    own: '自分のキー',
  },
} as const;

const HOUR_MS = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();

const webhook = (id: number, more: Readonly<Record<string, unknown>>) => ({
  id: `whk_${id}`,
  url: 'https://hooks.hayama.example/keyreeve',
  description: 'Tells the chat of the platform team',
  eventTypes: [],
  state: 'active',
  disabledReason: null,
  oldSecretUntil: null,
  createdAt: ago(24 * 40 * id),
  createdBy: null,
  updatedAt: ago(24),
  version: 1,
  ...more,
});

const WEBHOOKS = [
  webhook(1, { oldSecretUntil: ago(-20) }),
  webhook(2, {
    url: 'https://inventory.internal.hayama.example/api/v3/integrations/keyreeve/incoming-events?tenant=hayama',
    description: '在庫システムとの連携',
    eventTypes: ['key.created', 'key.deleted', 'key.expired'],
    state: 'disabled',
    disabledReason: 'failures',
  }),
  webhook(3, {
    url: 'https://old.hayama.example/hook',
    description: '',
    state: 'disabled',
    disabledReason: 'manual',
  }),
];

const delivery = (id: number, more: Readonly<Record<string, unknown>>) => ({
  id: `dlv_${id}`,
  eventId: `evt_${'0123456789ABCDEF'.slice(id)}${id}`,
  eventType: 'key.regenerated',
  state: 'sent',
  attempts: 1,
  lastStatus: 204,
  lastError: null,
  createdAt: ago(id * 7),
  lastAttemptAt: ago(id * 7),
  nextAttemptAt: null,
  doneAt: ago(id * 7),
  ...more,
});

const DELIVERIES = [
  delivery(1, { state: 'pending', attempts: 0, lastStatus: null, doneAt: null, nextAttemptAt: ago(0) }),
  delivery(2, {
    eventType: 'key.expiring',
    state: 'pending',
    attempts: 4,
    lastStatus: 503,
    lastError: 'status',
    doneAt: null,
    nextAttemptAt: ago(-1),
  }),
  delivery(3, { eventType: 'webhook.test', state: 'failed', lastStatus: null, lastError: 'tls' }),
  ...[4, 5, 6].map((id) => delivery(id, {})),
];

/** As after some weeks with receivers of every kind; Hayama has none. */
async function serveWebhooks(page: Page): Promise<void> {
  const answers: Readonly<Record<string, unknown>> = {
    '/v1/webhooks': { items: WEBHOOKS, nextCursor: null },
    '/v1/webhooks/whk_1': WEBHOOKS[0],
    '/v1/webhooks/whk_2': WEBHOOKS[1],
    '/v1/webhooks/whk_1/deliveries': { items: DELIVERIES, nextCursor: null },
    '/v1/webhooks/whk_2/deliveries': { items: [], nextCursor: null },
  };
  await page.route(
    (url) => url.pathname in answers,
    (route) => route.fulfill({ json: answers[new URL(route.request().url()).pathname] }),
  );
  await page.reload();
  await page.getByRole('table').or(page.getByRole('switch')).first().waitFor();
}

/** Webhooks in their states, a new one, and its secret; a fresh feed link. */
export const WEBHOOK_PAGES: readonly PicturedPage[] = [
  { name: 'webhooks-none', path: '/webhooks' },
  { name: 'webhooks', path: '/webhooks', prepare: serveWebhooks },
  { name: 'webhook', path: '/webhooks/whk_1', prepare: serveWebhooks },
  { name: 'webhook-stopped', path: '/webhooks/whk_2', prepare: serveWebhooks },
  {
    name: 'new-webhook',
    path: '/webhooks',
    prepare: async (page, language) => {
      const words = WORDS[language];
      await page.getByRole('button', { name: words.newWebhook }).click();
      await page.getByRole('textbox', { name: words.address, exact: true }).fill('http://hooks.example.com');
      await page.getByRole('radio', { name: words.some }).check();
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
    },
  },
  {
    name: 'new-webhook-secret',
    path: '/webhooks',
    prepare: async (page, language) => {
      const words = WORDS[language];
      await page.route('**/v1/webhooks', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill({ status: 201, json: { webhook: WEBHOOKS[0], secret: `whsec_${'A'.repeat(43)}=` } })
          : route.continue(),
      );
      await page.getByRole('button', { name: words.newWebhook }).click();
      await page
        .getByRole('textbox', { name: words.address, exact: true })
        .fill('https://hooks.hayama.example/keyreeve');
      await page.getByRole('dialog').getByRole('button', { name: words.create, exact: true }).click();
      await page.getByRole('timer').waitFor();
    },
  },
  {
    name: 'feed-link',
    path: '/profile',
    prepare: async (page, language) => {
      const words = WORDS[language];
      const id = 'fdl_1';
      const link = { id, scope: 'own', createdAt: ago(1), lastUsedAt: null };
      const address = `http://localhost/feeds/${'A'.repeat(43)}`;
      const made = { ...link, calendarUrl: `${address}/expiries.ics`, atomUrl: `${address}/expiries.atom` };
      await page.route('**/v1/feed-links', (route) =>
        route.fulfill(
          route.request().method() === 'POST'
            ? { status: 201, json: made }
            : { json: { items: [link], nextCursor: null } },
        ),
      );
      await page.getByRole('button', { name: words.newLink }).click();
      await page.getByRole('menuitem', { name: words.own }).click();
      await page.getByRole('timer').waitFor();
    },
  },
];
