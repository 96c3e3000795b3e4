import path from 'node:path';
import { type Company, describeOn, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dumpRows, searchDatabaseFiles } from '../../../../testkit/src/database-files.ts';
import { findNeedles, type Needle, searchFolder, toNeedle } from '../../../../testkit/src/needles.ts';
import { type SmtpSink, startSmtpSink } from '../../../../testkit/src/smtp-sink.ts';
import { createOutbox, type Notice } from '../../jobs/index.ts';
import { inTransaction } from '../../storage/index.ts';

let harness: Harness;
let sink: SmtpSink;
let company: Company;

beforeEach(async () => {
  sink = await startSmtpSink();
  harness = await startHarness({
    environment: { KEYREEVE_SMTP_URL: sink.url, KEYREEVE_SMTP_ALLOW_PLAIN: '1' },
  });
  company = await seedCompany(harness);
});
afterEach(async () => {
  await harness.close();
  await sink.close();
});

/** Mails with a secret key, with an invitation and with the link to a key; the secrets that their readers get. */
async function fillOutbox(): Promise<Needle[]> {
  const { deps } = harness;
  const { adminCaller, member } = company;
  const create = (comment: string) =>
    deps.keys.create(adminCaller, member.id, { comment, access: 'account', sendMail: true });
  const byLink = await create('by link');
  await deps.settings.update(adminCaller, { keyMail: 'value' }, null);
  const byValue = await create('by value');
  await inTransaction(deps.storage, async (tx) => {
    await deps.passwordLinks.send(tx, adminCaller, 'invitation', member);
    await deps.passwordLinks.send(tx, adminCaller, 'password_reset', member);
  });
  const rows = await deps.storage.read.selectFrom('outbox').selectAll().execute();
  const links = rows.flatMap((row) => tokenOf(deps.queue.open(row)) ?? []);
  expect(links).toHaveLength(3);
  return [
    toNeedle('secret key by link', byLink.secretKey.reveal()),
    toNeedle('secret key by value', byValue.secretKey.reveal()),
    ...links.map((token, index) => toNeedle(`link ${index}`, token)),
  ];
}

function tokenOf({ payload }: Notice): string | null {
  const url = 'linkUrl' in payload ? payload.linkUrl : null;
  return url?.split('#')[1] ?? null;
}

async function sendAll(): Promise<void> {
  while ((await harness.deps.notices.sendDue()) > 0);
  const states = await harness.deps.storage.read.selectFrom('outbox').select('state').distinct().execute();
  expect(states).toEqual([{ state: 'sent' }]);
}

describe('a secret in a mail', () => {
  it('reaches its reader, and is in no row and no file before it is sent nor afterwards', async () => {
    const needles = await fillOutbox();
    const searchAll = async () => {
      const files = await searchDatabaseFiles(harness, needles);
      expect(files.filesRead).toBeGreaterThan(3);
      return [...files.found, ...findNeedles(Buffer.from(await dumpRows(harness)), needles)];
    };
    expect(await searchAll()).toEqual([]);
    await sendAll();
    // The key by link is in the page behind it, and in no mail.
    const sent = sink.mails.map(({ raw }) => decodeMail(raw)).join('\n');
    expect(findNeedles(Buffer.from(sent), needles)).toEqual(
      needles.map(({ name }) => name).filter((name) => name !== 'secret key by link'),
    );
    expect(await searchAll()).toEqual([]);
    const rows = await harness.deps.storage.read.selectFrom('outbox').selectAll().execute();
    expect(rows.filter((row) => row.row_key !== null || row.sealed_payload !== null)).toEqual([]);
  });

  it('is sealed under a key of its row that is nowhere in clear', async () => {
    const { deps } = harness;
    const drawn: Buffer[] = [];
    const random = {
      bytes: (count: number) => {
        const bytes = deps.random.bytes(count);
        if (count === 32) drawn.push(Buffer.from(bytes));
        return bytes;
      },
    };
    const outbox = createOutbox({ ...deps, random, mailDomain: 'keys.test' });
    await inTransaction(deps.storage, async (tx) => {
      // Tried again after a conflict with another transaction, it draws new ones.
      drawn.length = 0;
      const { id, workspaceId, email } = company.member;
      for (let count = 0; count < 5; count += 1)
        await outbox.append(tx, {
          workspaceId,
          kind: 'account.invitation',
          to: { accountId: id, name: 'Mei', address: email ?? '', locale: 'ja', timeZone: null },
          keyId: null,
          payload: {
            accountName: 'Mei',
            linkUrl: 'https://keys.test/#t',
            linkExpiresAt: deps.clock.now() + 1_000,
          },
        });
    });
    expect(new Set(drawn.map((key) => key.toString('hex'))).size).toBe(5);
    const needles = drawn.map((key, index) => ({
      name: `row key ${index}`,
      spellings: [
        key,
        ...(['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(key.toString(encoding))),
      ],
    }));
    expect((await searchDatabaseFiles(harness, needles)).found).toEqual([]);
    await sendAll();
    expect((await searchDatabaseFiles(harness, needles)).found).toEqual([]);
  });
});

/** Quoted-printable parts with their soft line ends undone, and base64 parts decoded. */
function decodeMail(raw: string): string {
  const parts = raw.split(/^--/m).map((part) => {
    const [head = '', ...body] = part.split('\r\n\r\n');
    const text = body.join('\r\n\r\n');
    return /base64/i.test(head) ? Buffer.from(text, 'base64').toString('utf8') : text;
  });
  return parts.join('\n').replaceAll('=\r\n', '');
}

describeOn('sqlite', 'the sealed text of a sent mail', () => {
  it('is gone from the database, its log, and from every backup made from then on', async () => {
    await fillOutbox();
    const { storage } = harness.deps;
    const pending = await storage.read.selectFrom('outbox').select(['row_key', 'sealed_payload']).execute();
    const needles = pending.flatMap(({ row_key: rowKey, sealed_payload: payload }, index) => [
      { name: `row key ${index}`, spellings: [Buffer.from(rowKey ?? '')] },
      { name: `payload ${index}`, spellings: [Buffer.from(payload ?? '')] },
    ]);
    const { dataDir } = harness.database;
    expect(searchFolder(dataDir, needles).found).not.toEqual([]);
    await sendAll();
    await sql`pragma wal_checkpoint(truncate)`.execute(storage.write);
    await sql`vacuum into ${path.join(dataDir, 'backup.db')}`.execute(storage.write);
    expect(searchFolder(dataDir, needles).found).toEqual([]);
  });
});
