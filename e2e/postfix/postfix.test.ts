import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { inTransaction } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { renderMail } from '../../packages/server/src/features/notices/templates/render.ts';
import { SAMPLES } from '../../packages/server/src/features/notices/templates/samples.ts';
import { aboutOf } from '../../packages/server/src/jobs/index.ts';
import { createTestCertificate } from '../../packages/testkit/src/smtp-sink.ts';
import { type ParsedMail, parseMails } from '../parsed-mail.ts';
import { sleep } from '../server-process.ts';
import { type Postfix, startPostfix } from './postfix.ts';

const DELIVERY_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
const NAMES = { en: 'Ada "the First" Lovelace, Countess', ja: '山田　太郎 👩‍💻' } as const;
const CASES = SAMPLES.flatMap((sample) =>
  (['en', 'ja'] as const).map((locale) => ({ ...sample, locale })),
).map((each, index) => ({ ...each, address: `reader+${index}@example.com` }));
type Case = (typeof CASES)[number];

let postfix: Postfix;
let harness: Harness;
const received = new Map<string, ParsedMail>();
const messageIds = new Map<string, string>();

async function putIntoOutbox({ notice, locale, address }: Case): Promise<void> {
  const { deps } = harness;
  const to = { accountId: null, name: NAMES[locale], address, locale, timeZone: 'Asia/Tokyo' };
  await inTransaction(deps.storage, async (tx) => {
    const workspaceId = deps.defaultWorkspace.id;
    const id = await deps.outbox.append(tx, { ...notice, workspaceId, to, keyId: null });
    messageIds.set(address, `<${id}@example.com>`);
  });
}

async function waitForMails(count: number): Promise<readonly string[]> {
  const deadline = performance.now() + DELIVERY_TIMEOUT_MS;
  while (postfix.mailFiles().length < count) {
    if (performance.now() > deadline)
      throw new Error(`${postfix.mailFiles().length} of ${count} mails arrived:\n${postfix.log()}`);
    await sleep(POLL_MS);
  }
  return postfix.mailFiles();
}

beforeAll(async () => {
  const certificate = createTestCertificate();
  setDefaultCACertificates([...getCACertificates(), certificate.cert]);
  postfix = await startPostfix(certificate);
  harness = await startHarness({
    environment: {
      KEYREEVE_SMTP_URL: `smtp://localhost:${postfix.port}`,
      KEYREEVE_MAIL_FROM: 'keyreeve@example.com',
    },
  });
  for (const each of CASES) await putIntoOutbox(each);
  while ((await harness.deps.notices.sendDue()) > 0);
  const files = await waitForMails(CASES.length);
  for (const mail of await parseMails(files)) received.set(mail.deliveredTo ?? '', mail);
});
afterAll(async () => {
  await harness?.close();
  await postfix?.stop();
});

it('every notice arrives once, and is sent for the outbox', async () => {
  expect(postfix.mailFiles()).toHaveLength(CASES.length);
  expect([...received.keys()].toSorted()).toEqual(CASES.map(({ address }) => address).toSorted());
  const rows = await harness.deps.storage.read.selectFrom('outbox').select(['state', 'attempts']).execute();
  expect(rows).toEqual(CASES.map(() => ({ state: 'sent', attempts: 1 })));
});

it.each(CASES)('a mail is read as it was written: $name, $locale', ({ notice, locale, address }) => {
  const mail = received.get(address);
  const name = NAMES[locale].replace('\u3000', ' ');
  const expected = renderMail(notice, locale, {
    toName: name,
    about: aboutOf(notice, name),
    timeZone: 'Asia/Tokyo',
    mailTexts: [],
    workspaceUrl: harness.deps.defaultWorkspace.url,
    supportEmail: null,
    supportUrl: null,
  });
  expect(mail?.defects).toEqual([]);
  expect(mail?.type).toBe('multipart/alternative');
  expect(mail?.subject).toBe(expected.subject);
  expect(mail?.text).toBe(expected.text);
  expect(mail?.html).toBe(expected.html);
  expect(mail?.html).toContain(`<html lang="${locale}">`);
  expect(mail?.text).toMatch(locale === 'ja' ? /[ぁ-ん]/ : /^[^ぁ-ん]+$/);
  expect(mail?.messageId).toBe(messageIds.get(address));
  expect(mail?.from).toBe('Keyreeve <keyreeve@example.com>');
  expect(mail?.to).toEqual([{ name, address }]);
  expect(mail?.autoSubmitted).toBe('auto-generated');
  expect(Date.parse(mail?.sentAt ?? '')).toBe(harness.clock.now());
});

it('the way to Postfix is encrypted', () => {
  for (const mail of received.values())
    expect(mail.received?.join('\n')).toMatch(/\(using TLSv1\.[23] with cipher /);
});
