import {
  type CallOptions,
  type Company,
  call,
  type Harness,
  seedCompany,
  startHarness,
} from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction } from '../../../storage/index.ts';

const URL_GIVEN = 'https://hooks.example/services/T000/s3cr3t-part-of-the-path';

interface WebhookBody {
  readonly id: string;
  readonly version: number;
  readonly state: string;
}

let harness: Harness;
let company: Company;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterEach(async () => {
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('webhook_deliveries').execute();
    await tx.deleteFrom('webhooks').execute();
  });
});
afterAll(() => harness.close());

async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options: CallOptions = {}) {
  return await call(harness, method, `/v1/webhooks${path}`, { key: company.adminKey, ...options });
}

async function create(body: Record<string, unknown> = {}): Promise<{ webhook: WebhookBody; secret: string }> {
  const answer = await ask('POST', '', { body: { url: URL_GIVEN, ...body } });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json();
}

async function auditRows(): Promise<{ action: string; detail: unknown }[]> {
  const answer = await call(harness, 'GET', '/v1/audit?limit=200', { key: company.adminKey });
  const { items } = answer.json<{ items: { action: string; detail: unknown; target: { kind: string } }[] }>();
  return items.filter(({ target }) => target.kind === 'webhook');
}

describe('a new webhook', () => {
  it('comes with its secret, once', async () => {
    const answer = await ask('POST', '', {
      body: { url: URL_GIVEN, description: 'Chat', eventTypes: ['key.expired'] },
    });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['etag']).toBe('"1"');
    const { webhook, secret } = answer.json<{ webhook: WebhookBody; secret: string }>();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(webhook).toEqual({
      id: expect.stringMatching(/^whk_[0-9A-Za-z]{20}$/) as string,
      url: URL_GIVEN,
      description: 'Chat',
      eventTypes: ['key.expired'],
      state: 'active',
      disabledReason: null,
      oldSecretUntil: null,
      createdAt: '2027-03-01T09:00:00.000Z',
      createdBy: company.admin.id,
      updatedAt: '2027-03-01T09:00:00.000Z',
      version: 1,
    });
    const shown = (await ask('GET', '')).body + (await ask('GET', `/${webhook.id}`)).body;
    expect(JSON.parse((await ask('GET', `/${webhook.id}`)).body)).toEqual(webhook);
    expect(shown).not.toContain(secret);
    expect(shown).not.toMatch(/secret"|sealed/i);
  });

  it.each([
    ['http://hooks.example/', 'must start with https://'],
    ['hooks.example', 'must be an address like https://hooks.example.com/keyreeve'],
    ['https://user:word@hooks.example/', 'must have no user, password or fragment'],
    ['https://hooks.example:8443/', 'has a port that webhooks may not go to'],
    ['https://127.0.0.1/', 'leads to an address that webhooks may not go to'],
    ['https://[::ffff:10.0.0.1]/', 'leads to an address that webhooks may not go to'],
    [`https://hooks.example/${'é'.repeat(200)}`, 'is longer than 512 characters'],
  ])('is refused with the address %s', async (url, message) => {
    const answer = await ask('POST', '', { body: { url } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'request.invalid', errors: [{ field: 'url', message }] });
  });

  it.each([
    ['url', { url: `https://hooks.example/${'a'.repeat(512)}` }],
    ['url', { url: '' }],
    ['description', { description: 'a'.repeat(257) }],
    ['description', { description: 'a\u202eb' }],
    ['eventTypes', { eventTypes: ['key.created', 'key.created'] }],
    ['eventTypes', { eventTypes: ['key.unheard_of'] }],
    ['eventTypes', { eventTypes: ['webhook.test'] }],
    ['secret', { secret: 'whsec_AAAA' }],
  ])('is refused with a faulty %s', async (field, change) => {
    const answer = await ask('POST', '', { body: { url: URL_GIVEN, ...change } });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain(field);
  });

  it('is refused when there are twenty', async () => {
    for (let count = 1; count <= 20; count += 1) await create();
    const answer = await ask('POST', '', { body: { url: URL_GIVEN } });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'webhook.too_many' });
    const pages = await ask('GET', '?limit=15');
    const { items, nextCursor } = pages.json<{ items: WebhookBody[]; nextCursor: string }>();
    const rest = (await ask('GET', `?limit=15&cursor=${nextCursor}`)).json<{ items: WebhookBody[] }>();
    expect(new Set([...items, ...rest.items].map(({ id }) => id))).toHaveLength(20);
  });
});

describe('an edit', () => {
  it('needs the version that its author has seen', async () => {
    const { webhook } = await create();
    const body = { description: 'Changed' };
    expect((await ask('PATCH', `/${webhook.id}`, { body })).statusCode).toBe(428);
    const stale = await ask('PATCH', `/${webhook.id}`, { body, headers: { 'if-match': '"7"' } });
    expect(stale.statusCode).toBe(412);
    const changed = await ask('PATCH', `/${webhook.id}`, { body, headers: { 'if-match': '"1"' } });
    expect(changed.json()).toMatchObject({ description: 'Changed', url: URL_GIVEN, version: 2 });
    expect(changed.headers['etag']).toBe('"2"');
  });

  it('disables and enables, and says who did', async () => {
    const { webhook } = await create();
    const patch = async (state: string) =>
      (
        await ask('PATCH', `/${webhook.id}`, { body: { state }, headers: { 'if-match': '*' } })
      ).json<object>();
    expect(await patch('disabled')).toMatchObject({ state: 'disabled', disabledReason: 'manual' });
    expect(await patch('active')).toMatchObject({ state: 'active', disabledReason: null });
  });

  it('leads to no address that a new webhook may not have', async () => {
    const { webhook } = await create();
    const answer = await ask('PATCH', `/${webhook.id}`, {
      body: { url: 'https://169.254.169.254/' },
      headers: { 'if-match': '*' },
    });
    expect(answer.statusCode).toBe(400);
  });
});

describe('a rotation', () => {
  it('answers with the new secret, once, and tells how long the old one signs', async () => {
    const { webhook, secret } = await create();
    const answer = await ask('POST', `/${webhook.id}/rotate-secret`, { body: {} });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const rotated = answer.json<{ secret: string; webhook: WebhookBody }>();
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(rotated.secret).not.toBe(secret);
    expect(rotated.webhook).toMatchObject({ oldSecretUntil: '2027-03-02T09:00:00.000Z', version: 2 });
    const atOnce = await ask('POST', `/${webhook.id}/rotate-secret`, { body: { overlapHours: 0 } });
    expect(atOnce.json()).toMatchObject({ webhook: { oldSecretUntil: null } });
    const tooLong = await ask('POST', `/${webhook.id}/rotate-secret`, { body: { overlapHours: 169 } });
    expect(tooLong.statusCode).toBe(400);
  });
});

describe('the log of deliveries', () => {
  it('shows a test, newest first, page by page', async () => {
    const { webhook } = await create();
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const answer = await ask('POST', `/${webhook.id}/test`);
      expect(answer.statusCode).toBe(202);
      ids.push(answer.json<{ id: string }>().id);
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await ask('GET', `/${webhook.id}/deliveries?limit=2${query}`);
      const body = page.json<{ items: { id: string }[]; nextCursor: string | null }>();
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    expect(seen).toHaveLength(5);
    expect(new Set(seen)).toEqual(new Set(ids));
    expect((await ask('GET', `/${webhook.id}/deliveries?limit=1`)).json()).toMatchObject({
      items: [
        {
          eventId: expect.stringMatching(/^evt_/) as string,
          eventType: 'webhook.test',
          state: 'pending',
          attempts: 0,
          lastStatus: null,
          lastError: null,
          lastAttemptAt: null,
          nextAttemptAt: '2027-03-01T09:00:00.000Z',
          doneAt: null,
        },
      ],
    });
  });

  it('replays only what has ended, to a webhook that is active', async () => {
    const { webhook } = await create();
    const { id } = (await ask('POST', `/${webhook.id}/test`)).json<{ id: string }>();
    const pending = await ask('POST', `/${webhook.id}/deliveries/${id}/replay`);
    expect(pending.statusCode).toBe(409);
    expect(pending.json()).toMatchObject({ code: 'webhook.delivery_pending' });
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx.updateTable('webhook_deliveries').set({ state: 'failed', attempts: 3, done_at: 1 }).execute();
    });
    const replayed = await ask('POST', `/${webhook.id}/deliveries/${id}/replay`);
    expect(replayed.statusCode).toBe(202);
    expect(replayed.json()).toMatchObject({ id, state: 'pending', attempts: 3, doneAt: null });
    const body = { state: 'disabled' };
    await ask('PATCH', `/${webhook.id}`, { body, headers: { 'if-match': '*' } });
    for (const path of [`/${webhook.id}/deliveries/${id}/replay`, `/${webhook.id}/test`])
      expect((await ask('POST', path)).json(), path).toMatchObject({ code: 'webhook.disabled' });
  });

  it('of one webhook holds nothing of another', async () => {
    const [one, other] = [await create(), await create()];
    const { id } = (await ask('POST', `/${one.webhook.id}/test`)).json<{ id: string }>();
    expect((await ask('GET', `/${other.webhook.id}/deliveries`)).json()).toMatchObject({ items: [] });
    expect((await ask('POST', `/${other.webhook.id}/deliveries/${id}/replay`)).statusCode).toBe(404);
  });
});

describe('webhooks', () => {
  it('are told in the audit log, each change, without the path of the address', async () => {
    const { webhook } = await create({ description: 'Chat' });
    const path = `/${webhook.id}`;
    const patch = { url: 'https://other.example/new-s3cr3t', state: 'disabled' };
    await ask('POST', `${path}/test`);
    await ask('POST', `${path}/rotate-secret`, { body: { overlapHours: 1 } });
    await ask('PATCH', path, { body: patch, headers: { 'if-match': '*' } });
    await ask('DELETE', path);
    const rows = (await auditRows()).slice(0, 5);
    expect(rows).toMatchObject([
      { action: 'webhook.deleted' },
      {
        action: 'webhook.changed',
        detail: {
          host: { from: 'hooks.example', to: 'other.example' },
          state: { from: 'active', to: 'disabled' },
        },
      },
      { action: 'webhook.secret_rotated', detail: { overlapHours: 1 } },
      { action: 'webhook.tested' },
      { action: 'webhook.created', target: { id: webhook.id, name: 'hooks.example' } },
    ]);
    expect(JSON.stringify(rows)).not.toContain('s3cr3t');
    expect(harness.logLines.join('\n')).not.toContain('s3cr3t');
  });

  it('that are deleted are there no more', async () => {
    const { webhook } = await create();
    expect((await ask('DELETE', `/${webhook.id}`)).statusCode).toBe(204);
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['GET', '/deliveries', undefined],
      ['DELETE', '', undefined],
      ['POST', '/test', undefined],
      ['POST', '/rotate-secret', {}],
    ] as const)
      expect((await ask(method, `/${webhook.id}${path}`, { body })).statusCode, path).toBe(404);
  });

  it('are for keys that name their action', async () => {
    const mint = async (actions: string[]) => {
      const scopes = [{ actions, resources: ['*'] }];
      const wish = { comment: 'CI', access: 'scoped', scopes } as const;
      return (await harness.deps.keys.create(company.adminCaller, company.admin.id, wish)).fullKey.reveal();
    };
    const reader = await mint(['iam:webhooks:read']);
    const other = await mint(['iam:settings:write', 'iam:accounts:write']);
    expect((await ask('GET', '', { key: reader })).statusCode).toBe(200);
    expect((await ask('POST', '', { key: reader, body: { url: URL_GIVEN } })).statusCode).toBe(403);
    expect((await ask('GET', '', { key: other })).statusCode).toBe(403);
    expect((await call(harness, 'GET', '/v1/webhooks')).statusCode).toBe(401);
  });
});
