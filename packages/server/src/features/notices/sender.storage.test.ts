import { countTurns, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SmtpSink, startSmtpSink } from '../../../../testkit/src/smtp-sink.ts';
import { createOutboxQueue, type NoticeRecipient } from '../../jobs/index.ts';
import type { NoticeInput } from '../../jobs/outbox.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction, openStorage, type Storage } from '../../storage/index.ts';
import { createMailTransport, type MailTransport } from './mail-transport.ts';
import { createNoticeSender, type NoticeSender } from './sender.service.ts';

const SECRET_KEY = 'sEcReTsEcReTsEcReTsEcReTsEcReTsEcReTsEcReTs0z0dhD';

let harness: Harness;
let sink: SmtpSink;
let sender: NoticeSender;
const storages: Storage[] = [];

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());
beforeEach(async () => {
  sink = await startSmtpSink();
  sender = createSender();
});
afterEach(async () => {
  await Promise.all(storages.splice(0).map((storage) => storage.close()));
  await sink.close();
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
});

function transportToSink(): MailTransport | null {
  return createMailTransport({
    smtpUrl: new Secret(sink.url),
    smtpAllowPlain: true,
    mailFrom: 'keys@keys.test',
  });
}

function createSender(parts: { transport?: MailTransport | null; storage?: Storage } = {}): NoticeSender {
  const { deps } = harness;
  const storage = parts.storage ?? deps.storage;
  const transport = parts.transport === undefined ? transportToSink() : parts.transport;
  return createNoticeSender({ ...deps, storage, transport, queue: createOutboxQueue({ ...deps, storage }) });
}

/** A sender with connections of its own, as another process on the same database has them. */
function createSenderOfAnotherProcess(): NoticeSender {
  const storage = openStorage(harness.deps.config, harness.deps.logger);
  storages.push(storage);
  return createSender({ storage });
}

const ADA: NoticeRecipient = {
  accountId: null,
  name: 'Ada Lovelace',
  address: 'ada@example.com',
  locale: 'en',
  timeZone: null,
};

async function append({
  to,
  ...changes
}: Partial<Omit<NoticeInput<'key.delivery'>, 'to'>> & {
  readonly to?: Partial<NoticeRecipient>;
} = {}): Promise<string> {
  const { deps } = harness;
  return await inTransaction(deps.storage, (tx) =>
    deps.outbox.append(tx, {
      workspaceId: deps.defaultWorkspace.id,
      kind: 'key.delivery',
      to: { ...ADA, ...to },
      keyId: null,
      payload: {
        accountName: 'Ada Lovelace',
        keyId: 'kr_0123456789ABCDEF',
        comment: 'CI',
        expiresAt: null,
        linkUrl: null,
        linkExpiresAt: null,
        secretKey: SECRET_KEY,
      },
      ...changes,
    }),
  );
}

async function rowOf(id: string) {
  return await harness.deps.storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}

function messageIdsOf(mails: SmtpSink['mails']): string[] {
  return mails.map((mail) => /^Message-ID: (\S+)\r$/m.exec(mail.raw)?.[1] ?? 'none');
}

describe('sending notices', () => {
  it('[keys 167] brings the mail to its one recipient and wipes the secret from the database', async () => {
    const id = await append();
    expect((await rowOf(id)).sealed_payload).not.toBeNull();
    expect(await sender.sendDue()).toBe(1);
    expect(sink.recipients).toEqual(['ada@example.com']);
    // Quoted-printable breaks long lines with "=".
    expect(sink.mails[0]?.raw.replaceAll('=\r\n', '')).toContain(SECRET_KEY);
    expect(await rowOf(id)).toMatchObject({
      state: 'sent',
      sealed_payload: null,
      last_error: null,
      done_at: harness.clock.now(),
    });
    const rows = await harness.deps.storage.read.selectFrom('outbox').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(SECRET_KEY);
    expect(harness.logLines.join('\n')).not.toContain(SECRET_KEY);
    expect(await sender.sendDue()).toBe(0);
  });

  it('sends each mail once, however many processes send at the same time', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 24; count += 1)
      ids.push(await append({ to: { address: `user${count}@example.com` } }));
    const senders = [
      sender,
      createSenderOfAnotherProcess(),
      createSenderOfAnotherProcess(),
      createSenderOfAnotherProcess(),
    ];
    const handled = await Promise.all(senders.map((other) => other.sendDue()));
    expect(handled.reduce((sum, count) => sum + count, 0)).toBe(24);
    expect(sink.mails).toHaveLength(24);
    expect(new Set(sink.mails.flatMap((mail) => mail.to))).toEqual(
      new Set(ids.map((_id, index) => `user${index}@example.com`)),
    );
    for (const id of ids) expect(await rowOf(id)).toMatchObject({ state: 'sent', attempts: 1 });
  });

  it('keeps a name with line ends and addresses in it from adding recipients or headers', async () => {
    await append({ to: { name: 'Ada\r\nBcc: eve@evil.test\r\nRCPT TO:<eve@evil.test>, "<eve@evil.test>"' } });
    await sender.sendDue();
    expect(sink.recipients).toEqual(['ada@example.com']);
    // Of the headers: a line of the text may begin with anything.
    const [headers = ''] = (sink.mails[0]?.raw ?? '').split('\r\n\r\n');
    expect(headers).toContain('Message-ID:');
    expect(headers).not.toMatch(/^bcc:/im);
  });

  it.each([
    'ada@example.com\r\nRCPT TO:<eve@evil.test>',
    '"ada@evil.test x"@example.com',
    'ada@example.com, eve@evil.test',
    'group: ada@example.com;',
  ])('refuses an address that is not one plain address: %j', async (toAddress) => {
    const id = await append({ to: { address: toAddress } });
    await sender.sendDue();
    expect(sink.connectionCount).toBe(0);
    expect(await rowOf(id)).toMatchObject({ state: 'failed', sealed_payload: null });
  });

  it('writes in the language of the addressee, with the support of the workspace', async () => {
    const { deps } = harness;
    const admin = await harness.createAccount({
      kind: 'user',
      email: 'root@example.com',
      displayName: 'Root',
      role: 'admin',
    });
    await deps.settings.update(await harness.callerOf(admin), { supportEmail: 'help@example.com' }, null);
    await append({ to: { locale: 'ja' } });
    await sender.sendDue();
    const raw = sink.mails[0]?.raw ?? '';
    const text =
      /Content-Type: text\/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n([\s\S]*?)\r\n--/.exec(
        raw,
      )?.[1] ?? '';
    expect(Buffer.from(text, 'base64').toString('utf8')).toMatch(
      /APIキーをお知らせします[\s\S]*help@example\.com/,
    );
  });

  it('ends a round early when it is told to stop', async () => {
    await append();
    const stop = new AbortController();
    stop.abort();
    expect(await sender.sendDue(stop.signal)).toBe(0);
    expect(sink.connectionCount).toBe(0);
  });
});

describe('failures', () => {
  it('are tried again by the schedule, under the same Message-ID', async () => {
    sink.setMode('drop');
    const id = await append();
    for (const pause of [10_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS]) {
      expect(await sender.sendDue()).toBe(1);
      expect(await rowOf(id)).toMatchObject({
        state: 'pending',
        next_attempt_at: harness.clock.now() + pause,
      });
      harness.clock.advance(pause - 1);
      expect(await sender.sendDue()).toBe(0);
      harness.clock.advance(1);
    }
    sink.setMode('accept');
    await sender.sendDue();
    expect(await rowOf(id)).toMatchObject({ state: 'sent', sealed_payload: null, attempts: 6 });
    expect(sink.mails).toHaveLength(6);
    expect(new Set(messageIdsOf(sink.mails))).toEqual(new Set([`<${id}@localhost>`]));
  });

  it('cost one duplicate at most when the answer to a whole mail is lost once', async () => {
    sink.setMode('drop');
    const id = await append();
    await sender.sendDue();
    sink.setMode('accept');
    harness.clock.advance(10_000);
    await sender.sendDue();
    expect(sink.mails).toHaveLength(2);
    expect(new Set(messageIdsOf(sink.mails)).size).toBe(1);
    expect((await rowOf(id)).state).toBe('sent');
  });

  it('by greylisting pass with the second try', async () => {
    sink.setMode('greylist');
    const id = await append();
    await sender.sendDue();
    expect(await rowOf(id)).toMatchObject({
      state: 'pending',
      last_error: expect.stringContaining('451') as string,
    });
    harness.clock.advance(10_000);
    await sender.sendDue();
    expect((await rowOf(id)).state).toBe('sent');
    expect(sink.mails).toHaveLength(1);
  });

  it('that are final give up at once, and the audit log says so', async () => {
    sink.setMode('reject');
    const id = await append();
    await sender.sendDue();
    expect(await rowOf(id)).toMatchObject({ state: 'failed', sealed_payload: null, attempts: 1 });
    const entries = await harness.deps.storage.read
      .selectFrom('audit')
      .select(['action', 'detail'])
      .where('target_id', '=', id)
      .execute();
    expect(entries).toMatchObject([
      { action: 'mail.failed', detail: expect.stringContaining('550') as string },
    ]);
    harness.clock.advance(DAY_MS);
    await sender.sendDue();
    expect(sink.recipients).toHaveLength(1);
  });

  it('of the server leave the rest of the queue its tries', async () => {
    sink.setMode('busy');
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) ids.push(await append());
    expect(await sender.sendDue()).toBe(5);
    const attempts = await Promise.all(ids.map(async (id) => (await rowOf(id)).attempts));
    expect(attempts.filter((count) => count === 0)).toHaveLength(7);
  });

  it('of one mail do not keep the others from their recipients', async () => {
    const broken = await append();
    await inTransaction(harness.deps.storage, (tx) =>
      tx.updateTable('outbox').set({ sealed_payload: 'dk_x:AAAA' }).where('id', '=', broken).execute(),
    );
    const id = await append();
    await sender.sendDue();
    expect((await rowOf(id)).state).toBe('sent');
    expect(await rowOf(broken)).toMatchObject({
      state: 'pending',
      last_error: expect.stringContaining('could not be prepared') as string,
    });
  });

  it('that outlast the link end the mail: it would lead nowhere', async () => {
    const linkExpiresAt = harness.clock.now() + HOUR_MS;
    const payload = {
      accountName: 'Ada',
      keyId: 'kr_0123456789ABCDEF',
      comment: 'CI',
      expiresAt: null,
      linkUrl: 'https://keys.test/key-link#t',
      linkExpiresAt,
      secretKey: null,
    };
    const id = await append({ payload });
    harness.clock.set(linkExpiresAt);
    await sender.sendDue();
    expect(sink.mails).toEqual([]);
    expect((await rowOf(id)).state).toBe('failed');
  });
});

describe('without an SMTP server', () => {
  it('mails stay in the local mailbox, sealed', async () => {
    const id = await append();
    expect(await createSender({ transport: null }).sendDue()).toBe(1);
    const row = await rowOf(id);
    expect(row).toMatchObject({ state: 'mailbox', done_at: harness.clock.now() });
    expect(row.sealed_payload).not.toBeNull();
    expect(JSON.stringify(row)).not.toContain(SECRET_KEY);
    expect(await sender.sendDue()).toBe(0);
  });

  it('many of them leave the event loop to others between few', async () => {
    for (let count = 0; count < 60; count += 1) await append();
    const turns = countTurns();
    expect(await createSender({ transport: null }).sendDue()).toBe(60);
    expect(turns.stop()).toBeGreaterThanOrEqual(12);
  });

  it('they are deleted after 30 days', async () => {
    const id = await append();
    await createSender({ transport: null }).sendDue();
    harness.clock.advance(30 * DAY_MS + 1);
    expect(await sender.sweepOldRows()).toBe(1);
    await expect(rowOf(id)).rejects.toThrow();
  });
});
