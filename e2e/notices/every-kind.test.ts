import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Caller, DAY_MS } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JobRunner, type Locale, NOTICE_KINDS } from '../../packages/server/src/jobs/index.ts';
import { createDeploymentJobs, createProcessJobs } from '../../packages/server/src/process-jobs.ts';
import { createTestCertificate, type SmtpSink, startSmtpSink } from '../../packages/testkit/src/smtp-sink.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../packages/testkit/src/webhook-receiver.ts';
import { type ParsedMail, parseMails } from '../parsed-mail.ts';
import { sleep } from '../server-process.ts';
import { type ExpectedMail, NoticedLife, READERS } from './kinds.ts';

const LOCALES = ['en', 'ja'] as const satisfies readonly Locale[];
const LOGIN = { user: 'keyreeve', password: 'bread & butter/7' };
const ADDRESSES: readonly string[] = LOCALES.map((locale) => READERS[locale].email);
const JOBS_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

let sink: SmtpSink;
let receiver: WebhookReceiver;
let harness: Harness;
let jobs: readonly JobRunner[] = [];
let folder: string;
const lives: NoticedLife[] = [];
/** What came to the readers: as it was parsed, and as it came over the wire. */
const received: (ParsedMail & { readonly raw: string })[] = [];

/** Waits for the jobs of the running process to have done something. */
async function until(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + JOBS_TIMEOUT_MS;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error(`It has not happened in time: ${what}`);
    await sleep(POLL_MS);
  }
}

async function everythingSent(): Promise<void> {
  await until('all mails are sent', async () => {
    const outbox = harness.deps.storage.read.selectFrom('outbox');
    return (await outbox.select('id').where('state', '=', 'pending').execute()).length === 0;
  });
}

/** A webhook whose receiver says that it is gone, at the next event. */
async function loseWebhook(admin: Caller, keyId: string): Promise<void> {
  const { deps } = harness;
  receiver.answerWith((response) => response.writeHead(410).end());
  const wish = { url: `${receiver.url}chat`, description: 'Chat <b>bot</b>' };
  const { webhook } = await deps.webhooks.create(admin, wish);
  // Of this change programs hear, and people do not.
  await deps.keys.endOverlap(admin, keyId);
  await until('the webhook is disabled', async () => {
    const { state } = await deps.webhooks.get(admin, webhook.id);
    return state === 'disabled';
  });
  const { host } = new URL(receiver.url);
  for (const life of lives) await life.loseWebhook({ id: webhook.id, host });
}

async function readReceived(): Promise<void> {
  const mails = sink.mails.filter((mail) => mail.to.some((address) => ADDRESSES.includes(address)));
  const files = mails.map((mail, index) => {
    const file = path.join(folder, `${index}.eml`);
    writeFileSync(file, mail.raw, 'latin1');
    return file;
  });
  for (const [index, mail] of (await parseMails(files)).entries())
    received.push({ ...mail, raw: mails[index]?.raw ?? '' });
}

beforeAll(async () => {
  const certificate = createTestCertificate();
  setDefaultCACertificates([...getCACertificates(), certificate.cert]);
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-mails-'));
  sink = await startSmtpSink({ tls: { kind: 'starttls', certificate }, login: LOGIN });
  receiver = await startWebhookReceiver();
  harness = await startHarness({
    environment: {
      KEYREEVE_PUBLIC_URL: 'https://keys.example.com',
      KEYREEVE_SMTP_URL: `smtp://${LOGIN.user}:${encodeURIComponent(LOGIN.password)}@127.0.0.1:${sink.port}`,
      KEYREEVE_MAIL_FROM: 'keyreeve@example.com',
      KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      KEYREEVE_WEBHOOK_PORTS: `443,${receiver.port}`,
    },
  });
  const { deps, clock } = harness;
  const grace = {
    kind: 'user',
    email: 'grace@example.com',
    displayName: 'Grace Hopper',
    role: 'admin',
  } as const;
  const admin = await harness.callerOf(await harness.createAccount(grace));
  jobs = [createProcessJobs(deps), createDeploymentJobs(deps)];
  for (const runner of jobs) runner.start();
  const begun = [];
  for (const locale of LOCALES) {
    const life = new NoticedLife(harness, admin, locale, everythingSent);
    lives.push(life);
    begun.push({ life, key: await life.begin() });
  }
  await loseWebhook(admin, begun.at(-1)?.key.keyId ?? '');
  // The links in them live shorter than the keys.
  await everythingSent();
  for (const [kind, daysBefore] of [
    ['key.expiring', 10],
    ['key.expired', 0],
  ] as const) {
    for (const { life, key } of begun) {
      clock.set(key.expiresAt - daysBefore * DAY_MS);
      await deps.expirySweep.run();
      await life.stop(kind, key);
    }
  }
  await everythingSent();
  await readReceived();
});
afterAll(async () => {
  await Promise.all(jobs.map((runner) => runner.stop()));
  await harness?.close();
  await sink?.close();
  await receiver?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** `2027-03-01 09:00`, by another way than the product's. */
function clockFace(ms: number, timeZone: string): string {
  return new Date(ms).toLocaleString('sv-SE', { timeZone }).slice(0, 16);
}

function told(ms: number, locale: Locale): string {
  const { timeZone } = READERS[locale];
  const [there, utc] = [clockFace(ms, timeZone), clockFace(ms, 'UTC')];
  if (locale === 'en') return `${there} ${timeZone} (${utc} UTC)`;
  const [thereJa, utcJa] = [there, utc].map((face) =>
    face.replace(/^(\d+)-0?(\d+)-0?(\d+) /, '$1年$2月$3日 '),
  );
  return `${thereJa}（${timeZone}）／${utcJa}（UTC）`;
}

/** What somebody sees of an HTML mail. */
function shownText(html: string): string {
  return html
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/<[^>]+>/g, '\n')
    .replace(/&#(\d+);/g, (_all, code: string) => String.fromCodePoint(Number(code)));
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/<a\s[^>]*?href="([^"]*)"/g)].map(([, url = '']) => url);
}

function checkMail(expected: ExpectedMail, mail: ParsedMail): void {
  const { locale, address, instants, link, secretKey } = expected;
  expect(mail.defects).toEqual([]);
  expect(mail.type).toBe('multipart/alternative');
  expect(mail.subject).toBe(expected.subject);
  expect(mail.from).toBe('Keyreeve <keyreeve@example.com>');
  expect(mail.to).toEqual([{ name: READERS[locale].name, address }]);
  expect(mail.autoSubmitted).toBe('auto-generated');
  expect(mail.html).toContain(`<html lang="${locale}">`);
  const parts = [mail.text, shownText(mail.html)];
  for (const part of parts) {
    if (locale === 'ja') expect(part).toMatch(/[ぁ-ん]/);
    else expect(part).not.toMatch(/[ぁ-んァ-ン一-龠]/);
    for (const fact of expected.tells) expect(part).toContain(fact);
    for (const instant of instants) expect(part).toContain(told(instant, locale));
    if (secretKey !== null) expect(part).toContain(secretKey);
  }
  const urls = linksOf(mail.html);
  expect(urls).toHaveLength(link === null ? 0 : 1);
  for (const url of urls) {
    expect(url).toMatch(link ?? /^$/);
    expect(mail.text.split('\n')).toContain(url);
  }
}

describe.each(LOCALES)('in the language %s', (locale) => {
  it.each(NOTICE_KINDS)('%s is sent, arrives and says what it must', (kind) => {
    const expected = lives.flatMap((life) => life.expected);
    const ofKind = expected.filter((mail) => mail.kind === kind && mail.locale === locale);
    // A kind that nothing brings about here is a kind that nobody has seen arrive.
    expect(ofKind.length).toBeGreaterThan(0);
    for (const mail of ofKind) {
      const [parsed, ...others] = received.filter(({ messageId }) => messageId === mail.messageId);
      expect(others, mail.name).toEqual([]);
      if (parsed === undefined) throw new Error(`It did not arrive: ${mail.name}`);
      checkMail(mail, parsed);
    }
  });
});

it('a key mail comes by link and by value', () => {
  for (const { expected } of lives) {
    const deliveries = expected.filter(({ kind }) => kind === 'key.delivery');
    expect(deliveries.map(({ secretKey }) => secretKey !== null)).toEqual([false, true]);
  }
});

it('nothing else arrives, and nothing twice', () => {
  const expected = lives.flatMap((life) => life.expected.map(({ messageId }) => messageId));
  expect(received.map(({ messageId }) => messageId).toSorted()).toEqual(expected.toSorted());
});

it('no secret is in any mail but in the one that was asked for by value', () => {
  const secrets = lives.flatMap((life) => life.secrets);
  expect(secrets).toHaveLength(8);
  const byId = new Map(lives.flatMap((life) => life.expected.map((mail) => [mail.messageId, mail])));
  for (const { messageId, text, html, subject, raw } of received) {
    const expected = byId.get(messageId);
    const whole = [text, html, subject, raw].join('\n');
    for (const secret of secrets)
      expect(whole.includes(secret), expected?.name).toBe(secret === expected?.secretKey);
  }
});

it('the headers are plain ASCII in short lines, whatever language the subject is in', () => {
  for (const { raw } of received) {
    const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
    expect(head).toMatch(/^[\x20-\x7e\r\n\t]+$/);
    expect(Math.max(...head.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  }
});

it('each went over TLS, by somebody who had signed in, at the first try', async () => {
  for (const mail of sink.mails) expect(mail).toMatchObject({ isSecure: true, user: LOGIN.user });
  const rows = await harness.deps.storage.read
    .selectFrom('outbox')
    .select(['state', 'attempts', 'sealed_payload'])
    .execute();
  expect(rows).toEqual(rows.map(() => ({ state: 'sent', attempts: 1, sealed_payload: null })));
});
