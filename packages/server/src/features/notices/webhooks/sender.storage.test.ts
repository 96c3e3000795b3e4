import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { Webhook as ReferenceWebhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ReceivedMessage,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../../../../../testkit/src/webhook-receiver.ts';
import type { EventType } from '../../../jobs/index.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../lib/clock.ts';
import { inTransaction, openStorage, type Storage } from '../../../storage/index.ts';
import { deleteDeliveries, listOldDeliveryIds, listStrandedIds } from './deliveries.repo.ts';
import {
  createAddressRules,
  createDeliveryQueue,
  createFanOut,
  createWebhookSender,
  createWebhookTransport,
} from './index.ts';
import type { WebhookInput } from './webhooks.service.ts';

let harness: Harness;
let company: Company;
let receiver: WebhookReceiver;
const storages: Storage[] = [];

beforeAll(async () => {
  receiver = await startWebhookReceiver();
  harness = await startHarness({
    environment: {
      KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      KEYREEVE_WEBHOOK_PORTS: `443,${receiver.port}`,
    },
  });
  company = await seedCompany(harness);
  await clear();
});
afterEach(async () => {
  await Promise.all(storages.splice(0).map((storage) => storage.close()));
  receiver.reset();
  await clear();
});
afterAll(async () => {
  await harness.close();
  await receiver.close();
});

async function clear(): Promise<void> {
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('webhook_deliveries').execute();
    await tx.deleteFrom('webhooks').execute();
    await tx.deleteFrom('events').execute();
  });
}

/** What another process on the same database has. */
function processOf(parts: { readonly isKilledBeforeMark?: boolean } = {}) {
  const { deps } = harness;
  const storage = openStorage(deps.config, deps.logger);
  storages.push(storage);
  const own = { ...deps, storage };
  const queue = createDeliveryQueue(own);
  const rules = createAddressRules({ ...deps.config.webhooks, own: deps.config });
  return {
    fanOut: createFanOut(own),
    sender: createWebhookSender({
      ...own,
      transport: createWebhookTransport({ rules }),
      queue: {
        claimDue: (limit, freeOf) => queue.claimDue(limit, freeOf),
        endStranded: () => queue.endStranded(),
        settle: (tx, delivery, outcome) =>
          parts.isKilledBeforeMark === true
            ? Promise.reject(new Error('killed'))
            : queue.settle(tx, delivery, outcome),
      },
    }),
  };
}

async function createWebhook(path = '', input: Partial<WebhookInput> = {}) {
  const { deps } = harness;
  const created = await deps.webhooks.create(company.adminCaller, {
    url: `${receiver.url}${path}`,
    ...input,
  });
  return { id: created.webhook.id, secret: created.secret.reveal() };
}

async function emit(type: EventType = 'key.created', detail: Record<string, unknown> = {}): Promise<void> {
  const { deps } = harness;
  const account = { id: company.member.id, kind: 'user', displayName: '芽衣' };
  await inTransaction(deps.storage, (tx) =>
    deps.events.emit(tx, {
      workspaceId: deps.defaultWorkspace.id,
      type,
      data: {
        key: { id: 'kr_0123456789ABCDEF', comment: 'CI', access: 'account', expiresAt: null, account },
        actor: null,
        detail,
      },
    }),
  );
}

/** One event, on its way to all webhooks. */
async function emitAndFanOut(type?: EventType): Promise<void> {
  await emit(type);
  await harness.deps.fanOut.run();
}

async function sendDue(): Promise<number> {
  return await harness.deps.webhookSender.sendDue();
}

async function deliveries() {
  return await harness.deps.storage.read
    .selectFrom('webhook_deliveries')
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

async function onlyDelivery() {
  const [row, ...others] = await deliveries();
  if (row === undefined || others.length > 0) throw new Error('There is not exactly one delivery.');
  return row;
}

async function webhookState(id: string): Promise<{ state: string; reason: string | null }> {
  const webhook = await harness.deps.webhooks.get(company.adminCaller, id);
  return { state: webhook.state, reason: webhook.disabledReason };
}

function idsOf(messages: readonly ReceivedMessage[]): string[] {
  return messages.map(({ headers }) => headers['webhook-id'] ?? 'none');
}

/** Throws unless the reference library, at the time of the test, takes the message for ours. */
function verify(message: ReceivedMessage | undefined, secret: string): unknown {
  if (message === undefined) throw new Error('No message came.');
  vi.useFakeTimers({ now: harness.clock.now(), toFake: ['Date'] });
  try {
    return new ReferenceWebhook(secret).verify(message.body, message.headers);
  } finally {
    vi.useRealTimers();
  }
}

describe('an event', () => {
  it('comes to every webhook that wants its type, signed by the secret of each', async () => {
    const all = await createWebhook('all');
    const some = await createWebhook('some', { eventTypes: ['key.created', 'key.deleted'] });
    await createWebhook('other', { eventTypes: ['key.expired'] });
    await emitAndFanOut();
    expect(await sendDue()).toBe(2);
    const byPath = new Map(receiver.messages.map((message) => [message.path, message]));
    expect([...byPath.keys()].toSorted()).toEqual(['/all', '/some']);
    for (const [path, { secret }] of [
      ['/all', all],
      ['/some', some],
    ] as const)
      expect(verify(byPath.get(path), secret)).toMatchObject({
        type: 'key.created',
        data: { key: { id: 'kr_0123456789ABCDEF', account: { displayName: '芽衣' } } },
      });
    expect(() => verify(byPath.get('/all'), some.secret)).toThrow();
    expect(byPath.get('/all')?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Keyreeve',
      'webhook-id': expect.stringMatching(/^evt_[0-9A-Za-z]{20}$/) as string,
      'webhook-timestamp': String(Math.floor(harness.clock.now() / 1_000)),
    });
  });

  it('of a change of a key comes over the whole way, without the secret of the key', async () => {
    const { secret } = await createWebhook();
    const minted = await harness.deps.keys.create(company.memberCaller, company.member.id, {
      comment: 'CI',
      access: 'account',
    });
    await harness.deps.fanOut.run();
    await sendDue();
    expect(verify(receiver.messages[0], secret)).toMatchObject({
      type: 'key.created',
      data: { key: { id: minted.key.id } },
    });
    expect(receiver.messages[0]?.body).not.toContain(minted.secretKey.reveal());
  });

  it('is given out once by processes that do it side by side', async () => {
    await createWebhook('a');
    await createWebhook('b');
    for (let count = 0; count < 120; count += 1) await emit();
    const others = [processOf(), processOf()];
    const handled = await Promise.all([
      harness.deps.fanOut.run(),
      ...others.map(({ fanOut }) => fanOut.run()),
    ]);
    expect(handled.reduce((sum, count) => sum + count, 0)).toBe(120);
    const rows = await deliveries();
    expect(rows).toHaveLength(240);
    expect(new Set(rows.map((row) => `${row.event_id} ${row.webhook_id}`))).toHaveLength(240);
    expect(await harness.deps.fanOut.run()).toBe(0);
  });

  it('without a webhook to go to is done with, and does not come to one made later', async () => {
    await emitAndFanOut();
    await createWebhook();
    await harness.deps.fanOut.run();
    expect(await deliveries()).toEqual([]);
  });

  it('longer than receivers must take comes without its detail', async () => {
    const { secret } = await createWebhook();
    await emit('key.changed', { from: 'x'.repeat(15_000), to: 'y'.repeat(15_000) });
    await harness.deps.fanOut.run();
    await sendDue();
    expect(Buffer.byteLength(receiver.messages[0]?.body ?? '')).toBeLessThan(20_000);
    expect(verify(receiver.messages[0], secret)).toMatchObject({ data: { detail: { isShortened: true } } });
  });
});

describe('a delivery that failed', () => {
  it('is tried again under the same id, with the time of each try', async () => {
    const { secret } = await createWebhook();
    receiver.answerWith((response) =>
      response.writeHead(receiver.messages.length <= 3 ? 500 : 200).end('<h1>inside</h1>'),
    );
    await emitAndFanOut();
    for (let tries = 1; tries <= 4; tries += 1) {
      await sendDue();
      verify(receiver.messages.at(-1), secret);
      harness.clock.set(Math.max(harness.clock.now(), (await onlyDelivery()).next_attempt_at));
    }
    expect(receiver.messages).toHaveLength(4);
    expect(new Set(idsOf(receiver.messages))).toHaveLength(1);
    expect(new Set(receiver.messages.map((message) => message.body))).toHaveLength(1);
    expect(new Set(receiver.messages.map((message) => message.headers['webhook-timestamp']))).toHaveLength(4);
    expect(await onlyDelivery()).toMatchObject({
      state: 'sent',
      attempts: 4,
      last_status: 200,
      last_error: null,
    });
  });

  it('is tried after the pauses of the specification, then given up, and its webhook disabled', async () => {
    const { id } = await createWebhook();
    receiver.answerWith((response) => response.writeHead(500).end());
    await emitAndFanOut();
    const pauses: number[] = [];
    for (let tries = 1; tries <= 10; tries += 1) {
      expect(await sendDue()).toBe(1);
      const row = await onlyDelivery();
      expect(row).toMatchObject({ attempts: tries, last_status: 500, last_error: 'status' });
      if (row.state !== 'pending') break;
      pauses.push(row.next_attempt_at - harness.clock.now());
      harness.clock.set(row.next_attempt_at - 1);
      expect(await sendDue()).toBe(0);
      harness.clock.advance(1);
    }
    const proposed = [
      5_000,
      5 * MINUTE_MS,
      30 * MINUTE_MS,
      ...[2, 5, 10, 14, 20, 24].map((h) => h * HOUR_MS),
    ];
    expect(pauses).toHaveLength(proposed.length);
    for (const [index, pause] of pauses.entries()) {
      const least = proposed[index] ?? 0;
      expect(pause).toBeGreaterThanOrEqual(least);
      expect(pause).toBeLessThanOrEqual(least * 1.1);
    }
    expect(await onlyDelivery()).toMatchObject({ state: 'failed', attempts: 10 });
    expect(await webhookState(id)).toEqual({ state: 'disabled', reason: 'failures' });
    const audit = await call(harness, 'GET', '/v1/audit?action=webhook.disabled', { key: company.adminKey });
    expect(audit.json()).toMatchObject({ items: [{ target: { id }, detail: { reason: 'failures' } }] });
  });

  it.each([429, 502, 503, 504])('of a busy receiver (%i) waits as long as that asks for', async (status) => {
    await createWebhook();
    await emitAndFanOut();
    receiver.answerWith((response) => response.writeHead(status, { 'retry-after': '900' }).end());
    await sendDue();
    expect((await onlyDelivery()).next_attempt_at).toBe(harness.clock.now() + 900_000);
  });

  it.each([
    ['a date', () => new Date(harness.clock.now() + HOUR_MS).toUTCString(), HOUR_MS, HOUR_MS],
    ['more than a day', () => '9999999', DAY_MS, DAY_MS],
    ['less than our own pause', () => '1', 5_000, 5_500],
    ['nonsense', () => 'soon', 5_000, 5_500],
    ['the past', () => new Date(0).toUTCString(), 5_000, 5_500],
  ])('of a receiver that asks for %s comes in good time', async (_name, header, least, most) => {
    // A date has no milliseconds.
    harness.clock.set(Math.ceil(harness.clock.now() / 1_000) * 1_000);
    await createWebhook();
    await emitAndFanOut();
    receiver.answerWith((response) => response.writeHead(503, { 'retry-after': header() }).end());
    await sendDue();
    const pause = (await onlyDelivery()).next_attempt_at - harness.clock.now();
    expect(pause).toBeGreaterThanOrEqual(least);
    expect(pause).toBeLessThanOrEqual(most);
  });

  it('because the receiver is gone ends, and with it the webhook and all that waits for it', async () => {
    const { id } = await createWebhook();
    receiver.answerWith((response) => response.writeHead(410).end());
    await emitAndFanOut();
    await sendDue();
    expect(await webhookState(id)).toEqual({ state: 'disabled', reason: 'gone' });
    expect(await onlyDelivery()).toMatchObject({ state: 'failed', attempts: 1, last_status: 410 });
    await emitAndFanOut();
    expect(await deliveries()).toHaveLength(1);
    harness.clock.advance(DAY_MS);
    expect(await sendDue()).toBe(0);
    expect(receiver.messages).toHaveLength(1);
  });

  it('by a redirect counts as any other, and nobody follows it', async () => {
    await createWebhook();
    receiver.answerWith((response) => response.writeHead(307, { location: `${receiver.url}other` }).end());
    await emitAndFanOut();
    await sendDue();
    expect(receiver.messages).toHaveLength(1);
    expect(await onlyDelivery()).toMatchObject({ state: 'pending', last_status: 307, last_error: 'status' });
  });

  it('because of where it leads makes no connection, though the address was once accepted', async () => {
    const { id } = await createWebhook();
    const url = `https://169.254.169.254:${receiver.port}/latest/meta-data`;
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx.updateTable('webhooks').set({ url }).where('id', '=', id).execute();
    });
    await emitAndFanOut();
    await sendDue();
    expect(await onlyDelivery()).toMatchObject({ last_status: null, last_error: 'refused_address' });
    expect(receiver.connectionCount).toBe(0);
  });
});

describe('a webhook that the server has disabled', () => {
  beforeEach(async () => {
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx.deleteFrom('outbox').execute();
    });
  });

  async function mails() {
    const { storage, queue } = harness.deps;
    const rows = await storage.read.selectFrom('outbox').selectAll().orderBy('to_address').execute();
    return rows.map((row) => ({
      kind: row.kind,
      to: row.to_address,
      about: row.about,
      payload: queue.open(row).payload,
    }));
  }

  it('is told to every administrator, once, with where to enable it and without the path of its address', async () => {
    const { accounts, defaultWorkspace } = harness.deps;
    const second = await harness.createAccount({
      kind: 'user',
      email: 'grace@example.com',
      displayName: 'Grace',
      role: 'admin',
    });
    const { id } = await createWebhook('s3cr3t-path', { description: 'Chat' });
    receiver.answerWith((response) => response.writeHead(410).end());
    await emit();
    await emitAndFanOut();
    await sendDue();
    expect(await webhookState(id)).toEqual({ state: 'disabled', reason: 'gone' });
    const told = await mails();
    expect(told.map(({ to }) => to)).toEqual(['ada@example.com', 'grace@example.com']);
    expect(told[0]).toEqual({
      kind: 'webhook.disabled',
      to: 'ada@example.com',
      about: `127.0.0.1:${receiver.port}`,
      payload: {
        host: `127.0.0.1:${receiver.port}`,
        description: 'Chat',
        reason: 'gone',
        at: harness.clock.now(),
        lastStatus: 410,
        pageUrl: `${defaultWorkspace.url}/webhooks/${id}`,
      },
    });
    expect(JSON.stringify(told)).not.toContain('s3cr3t-path');
    await accounts.remove(company.adminCaller, 'user', second.id);
  });

  it('after the last of many tries is told too, with what went wrong at the end', async () => {
    await createWebhook();
    receiver.answerWith((response) => response.writeHead(503).end());
    await emitAndFanOut();
    for (let tries = 1; tries <= 10; tries += 1) {
      expect(await mails()).toEqual([]);
      await sendDue();
      harness.clock.set(Math.max(harness.clock.now(), (await onlyDelivery()).next_attempt_at));
    }
    expect(await mails()).toMatchObject([
      { to: 'ada@example.com', payload: { reason: 'failures', lastStatus: 503 } },
    ]);
  });

  it('is no news of an address that was replaced while it said that it is gone: the new one stays active', async () => {
    const { webhooks } = harness.deps;
    const { id } = await createWebhook('old');
    receiver.answerWith((response) => {
      const change = { url: `${receiver.url}new` };
      void webhooks.update(company.adminCaller, id, change, null).then(() => response.writeHead(410).end());
    });
    await emitAndFanOut();
    await sendDue();
    expect(await webhookState(id)).toEqual({ state: 'active', reason: null });
    expect(await mails()).toEqual([]);
  });

  it('is no news when a person has disabled it, or a test has failed', async () => {
    const { id } = await createWebhook();
    receiver.answerWith((response) => response.writeHead(500).end());
    await harness.deps.webhooks.test(company.adminCaller, id);
    await sendDue();
    await harness.deps.webhooks.update(company.adminCaller, id, { state: 'disabled' }, null);
    await sendDue();
    expect(await mails()).toEqual([]);
  });
});

describe('several processes', () => {
  it('send each delivery once', async () => {
    await createWebhook('a');
    await createWebhook('b');
    for (let count = 0; count < 15; count += 1) await emit();
    await harness.deps.fanOut.run();
    const tries = await Promise.all([sendDue(), processOf().sender.sendDue(), processOf().sender.sendDue()]);
    expect(tries.reduce((sum, count) => sum + count, 0)).toBe(30);
    const received = receiver.messages.map(({ path, headers }) => `${path} ${headers['webhook-id']}`);
    expect(new Set(received)).toHaveLength(30);
    expect(received).toHaveLength(30);
  });

  it('take from many webhooks at once, however differently they begin, and none fails', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await createWebhook(name);
    for (let count = 0; count < 20; count += 1) await emit();
    await harness.deps.fanOut.run();
    const senders = [harness.deps.webhookSender, ...Array.from({ length: 4 }, () => processOf().sender)];
    const tries = await Promise.all(senders.map((sender) => sender.sendDue()));
    expect(tries.reduce((sum, count) => sum + count, 0)).toBe(100);
    const received = receiver.messages.map(({ path, headers }) => `${path} ${headers['webhook-id']}`);
    expect(new Set(received)).toHaveLength(100);
    expect(received).toHaveLength(100);
  });

  it('send again what one of them had sent when it was killed, later and under the same id', async () => {
    await createWebhook();
    await emitAndFanOut();
    await expect(processOf({ isKilledBeforeMark: true }).sender.sendDue()).rejects.toThrow('killed');
    expect(receiver.messages).toHaveLength(1);
    expect(await sendDue()).toBe(0);
    harness.clock.advance(MINUTE_MS);
    expect(await sendDue()).toBe(1);
    expect(receiver.messages).toHaveLength(2);
    expect(new Set(idsOf(receiver.messages))).toHaveLength(1);
    expect(await onlyDelivery()).toMatchObject({ state: 'sent', attempts: 2 });
  });
});

describe('a process with fewer places than webhooks', () => {
  it('gives each of them its turn, and takes rows in the order of their ids wherever it begins', async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.push((await createWebhook(name)).id);
    for (let count = 0; count < 3; count += 1) await emit();
    await harness.deps.fanOut.run();
    const leased: string[] = [];
    const { storage } = harness.deps;
    const write = storage.write.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => {
        const [row] = result.rows;
        if (row !== undefined && 'leased_until' in row) leased.push(String(row['id']));
        return Promise.resolve(result);
      },
    });
    const queue = createDeliveryQueue({ ...harness.deps, storage: { ...storage, write } });
    const claim = async (limit: number) => {
      const claimed = await queue.claimDue(limit, () => limit);
      return claimed.map(({ webhook }) => webhook.id);
    };
    const [first, second, third] = ids.toSorted();
    expect([await claim(1), await claim(1)]).toEqual([[first], [second]]);
    leased.splice(0);
    // It begins behind the second now, and comes to the others after that.
    const rest = await claim(7);
    expect(new Set(rest)).toEqual(new Set(ids));
    expect(rest.slice(0, 3)).toEqual([third, third, third]);
    expect(leased).toHaveLength(7);
    expect(leased).toEqual(leased.toSorted());
  });
});

describe('a slow receiver', () => {
  it('holds up only itself, and has at most two messages at once', async () => {
    await createWebhook('slow');
    await createWebhook('fast');
    for (let count = 0; count < 10; count += 1) await emit();
    await harness.deps.fanOut.run();
    const held: (() => void)[] = [];
    let slowAtOnce = 0;
    const isFastDone = new Promise<void>((resolve) => {
      receiver.answerWith((response, { path }) => {
        const end = () => response.writeHead(204).end();
        if (path === '/fast') {
          end();
          if (receiver.messages.filter((message) => message.path === '/fast').length === 10) resolve();
          return;
        }
        held.push(end);
        slowAtOnce = Math.max(slowAtOnce, held.length);
      });
    });
    const sending = sendDue();
    await isFastDone;
    expect(held.length).toBeLessThanOrEqual(2);
    const release = setInterval(() => {
      for (const end of held.splice(0)) end();
    }, 5);
    expect(await sending).toBe(20);
    clearInterval(release);
    expect(slowAtOnce).toBeLessThanOrEqual(2);
  });
});

describe('a rotated secret', () => {
  it('signs beside the old one until the overlap is over, then alone', async () => {
    const { deps, clock } = harness;
    const { id, secret: old } = await createWebhook();
    const rotated = await deps.webhooks.rotateSecret(company.adminCaller, id, 24);
    const fresh = rotated.secret.reveal();
    await emitAndFanOut();
    await sendDue();
    verify(receiver.messages[0], old);
    verify(receiver.messages[0], fresh);
    clock.advance(24 * HOUR_MS);
    await emitAndFanOut();
    await sendDue();
    verify(receiver.messages[1], fresh);
    expect(() => verify(receiver.messages[1], old)).toThrow();
    await deps.fanOut.sweep();
    expect(await deps.webhooks.get(company.adminCaller, id)).toMatchObject({
      sealedOldSecret: null,
      oldSecretUntil: null,
    });
  });

  it('without overlap signs alone at once; a second rotation ends the oldest', async () => {
    const { deps } = harness;
    const { id, secret: first } = await createWebhook();
    const second = (await deps.webhooks.rotateSecret(company.adminCaller, id, 24)).secret.reveal();
    const third = (await deps.webhooks.rotateSecret(company.adminCaller, id, 24)).secret.reveal();
    await emitAndFanOut();
    await sendDue();
    verify(receiver.messages[0], second);
    verify(receiver.messages[0], third);
    expect(() => verify(receiver.messages[0], first)).toThrow();
    const fourth = (await deps.webhooks.rotateSecret(company.adminCaller, id, 0)).secret.reveal();
    await emitAndFanOut();
    await sendDue();
    verify(receiver.messages[1], fourth);
    expect(() => verify(receiver.messages[1], third)).toThrow();
  });

  it('lies in the database as nobody can read it, like all others', async () => {
    const { id, secret } = await createWebhook();
    const fresh = (await harness.deps.webhooks.rotateSecret(company.adminCaller, id, 24)).secret.reveal();
    const rows = await harness.deps.storage.read.selectFrom('webhooks').selectAll().execute();
    const audit = await harness.deps.storage.read.selectFrom('audit').selectAll().execute();
    const written = JSON.stringify([rows, audit]) + harness.logLines.join('\n');
    for (const text of [secret, fresh]) expect(written).not.toContain(text.slice('whsec_'.length));
  });
});

describe('what waits for a webhook', () => {
  it('is given up when that is disabled, and can be replayed under the same id', async () => {
    const { deps } = harness;
    const { id } = await createWebhook();
    receiver.answerWith((response) => response.writeHead(500).end());
    await emitAndFanOut();
    await sendDue();
    await deps.webhooks.update(company.adminCaller, id, { state: 'disabled' }, null);
    await sendDue();
    const given = await onlyDelivery();
    expect(given).toMatchObject({ state: 'failed', last_error: 'disabled', attempts: 1 });
    receiver.answerWith((response) => response.writeHead(204).end());
    await deps.webhooks.update(company.adminCaller, id, { state: 'active' }, null);
    harness.clock.advance(DAY_MS);
    expect(await sendDue()).toBe(0);
    await deps.webhooks.replay(company.adminCaller, id, given.id);
    expect(await sendDue()).toBe(1);
    expect(await onlyDelivery()).toMatchObject({ state: 'sent', attempts: 2 });
    expect(new Set(idsOf(receiver.messages))).toHaveLength(1);
  });

  it('has all its tries again once it is replayed', async () => {
    const { deps } = harness;
    const { id } = await createWebhook();
    await emitAndFanOut();
    await sendDue();
    const { id: deliveryId } = await onlyDelivery();
    receiver.answerWith((response) => response.writeHead(500).end());
    await deps.webhooks.replay(company.adminCaller, id, deliveryId);
    await sendDue();
    const row = await onlyDelivery();
    expect(row).toMatchObject({ state: 'pending', attempts: 2 });
    expect(row.next_attempt_at - harness.clock.now()).toBeLessThanOrEqual(5_500);
  });

  it('is kept when the webhook is active again before it could be given up', async () => {
    const { storage } = harness.deps;
    const { id } = await createWebhook();
    await emitAndFanOut();
    const waiting = () => listStrandedIds(storage.read, id, harness.clock.now(), 10);
    expect(await waiting()).toEqual([]);
    await harness.deps.webhooks.update(company.adminCaller, id, { state: 'disabled' }, null);
    expect(await waiting()).toEqual([(await onlyDelivery()).id]);
  });

  it('is given up with a webhook that is deleted', async () => {
    const { id } = await createWebhook();
    await emitAndFanOut();
    await harness.deps.webhooks.remove(company.adminCaller, id);
    expect(await sendDue()).toBe(0);
    expect(await onlyDelivery()).toMatchObject({ state: 'failed', last_error: 'disabled' });
    expect(receiver.connectionCount).toBe(0);
  });

  it('goes where the webhook leads now', async () => {
    const { id } = await createWebhook('before');
    await emitAndFanOut();
    await harness.deps.webhooks.update(company.adminCaller, id, { url: `${receiver.url}after` }, null);
    await sendDue();
    expect(receiver.messages.map((message) => message.path)).toEqual(['/after']);
  });

  it('is left alone once the process is told to stop', async () => {
    await createWebhook();
    await emitAndFanOut();
    expect(await harness.deps.webhookSender.sendDue(AbortSignal.abort())).toBe(0);
    expect(await onlyDelivery()).toMatchObject({ state: 'pending', attempts: 0 });
  });
});

describe('a test event', () => {
  it('comes once, whatever types the webhook wants, and never disables it by failing', async () => {
    const { deps } = harness;
    const { id, secret } = await createWebhook('', { eventTypes: ['key.expired'] });
    receiver.answerWith((response) => response.writeHead(500).end());
    await deps.webhooks.test(company.adminCaller, id);
    await harness.deps.fanOut.run();
    expect(await sendDue()).toBe(1);
    expect(verify(receiver.messages[0], secret)).toMatchObject({
      type: 'webhook.test',
      data: { webhook: { id }, actor: { displayName: 'Ada' } },
    });
    expect(await onlyDelivery()).toMatchObject({ state: 'failed', last_status: 500 });
    expect(await webhookState(id)).toEqual({ state: 'active', reason: null });
  });
});

describe('the log', () => {
  it('forgets after 30 days, and keeps what is still under way', async () => {
    const { fanOut, storage } = harness.deps;
    const { id } = await createWebhook();
    await emitAndFanOut();
    await sendDue();
    await emitAndFanOut('key.deleted');
    await inTransaction(storage, async (tx) => {
      const inTwoMonths = harness.clock.now() + 60 * DAY_MS;
      await tx
        .updateTable('webhook_deliveries')
        .set({ next_attempt_at: inTwoMonths })
        .where('state', '=', 'pending')
        .execute();
    });
    harness.clock.advance(30 * DAY_MS);
    expect(await fanOut.sweep()).toBe(0);
    harness.clock.advance(1);
    expect(await fanOut.sweep()).toBe(2);
    expect(await onlyDelivery()).toMatchObject({ event_type: 'key.deleted', state: 'pending' });
    expect(await storage.read.selectFrom('events').select('type').execute()).toEqual([
      { type: 'key.deleted' },
    ]);
    expect(await webhookState(id)).toEqual({ state: 'active', reason: null });
  });

  it('keeps a delivery that is replayed while the old ones are being deleted', async () => {
    const { storage, fanOut, webhooks } = harness.deps;
    const { id } = await createWebhook();
    await emitAndFanOut();
    await sendDue();
    harness.clock.advance(31 * DAY_MS);
    const old = await onlyDelivery();
    const before = harness.clock.now() - 30 * DAY_MS;
    expect(await listOldDeliveryIds(storage.read, before, 10)).toEqual([old.id]);
    await webhooks.replay(company.adminCaller, id, old.id);
    await inTransaction(storage, (tx) => deleteDeliveries(tx, [old.id], before));
    expect(await onlyDelivery()).toMatchObject({ id: old.id, state: 'pending' });
    expect(await sendDue()).toBe(1);
    await fanOut.sweep();
  });
});
