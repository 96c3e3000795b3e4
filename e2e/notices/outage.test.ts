import { DAY_MS } from '@keyreeve/server';
import { type Company, call, type Harness, recordFigure, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SinkMode, type SmtpSink, startSmtpSink } from '../../packages/testkit/src/smtp-sink.ts';
import { readMail } from './read-mail.ts';

const KEYS = 60;
const STEP_MS = 10 * 60_000;
/** How the mail server fares over the day: it refuses connections, asks to come later, and breaks off. */
const WEATHER: readonly SinkMode[] = ['busy', 'greylist', 'busy', 'busy'];

let harness: Harness;
let sink: SmtpSink;
let company: Company;
let fullKey: string;

beforeAll(async () => {
  sink = await startSmtpSink();
  const environment = { KEYREEVE_SMTP_URL: sink.url, KEYREEVE_SMTP_ALLOW_PLAIN: '1' };
  harness = await startHarness({ environment });
  company = await seedCompany(harness);
  const { deps } = harness;
  await deps.settings.update(company.adminCaller, { maxKeysPerAccount: 1_000 }, null);
  for (let index = 0; index < KEYS; index += 1) {
    const minted = await deps.keys.create(company.memberCaller, company.member.id, {
      comment: `Key ${index}`,
      access: 'account',
      lifetimeDays: 90,
    });
    fullKey = minted.fullKey.reveal();
  }
  while ((await deps.notices.sendDue()) > 0);
});
afterAll(async () => {
  await harness.close();
  await sink.close();
});

it('a mail server that is away for a day costs no notice, doubles none, and holds no verification up', async () => {
  const { deps, clock } = harness;
  const before = sink.mails.length;
  clock.advance(80 * DAY_MS);
  sink.setMode('busy');
  expect(await deps.expirySweep.run()).toBe(KEYS);
  for (let passed = 0; passed < DAY_MS; passed += STEP_MS) {
    clock.advance(STEP_MS);
    sink.setMode(WEATHER[Math.floor((passed / DAY_MS) * WEATHER.length)] ?? 'busy');
    const sending = deps.notices.sendDue();
    const answer = await call(harness, 'GET', '/v1/authorize', { key: fullKey });
    expect(answer.statusCode).toBe(204);
    await sending;
    expect(await deps.expirySweep.run()).toBe(0);
  }
  sink.setMode('accept');
  for (let hour = 0; hour < 3; hour += 1) {
    clock.advance(DAY_MS / 24);
    while ((await deps.notices.sendDue()) > 0);
  }
  const told = sink.mails.slice(before).map((mail) => readMail(mail.raw));
  const lost = KEYS - new Set(told.map(({ keyId }) => keyId)).size;
  recordFigure(26, {
    name: 'mails lost or doubled over a day without a mail server',
    reached: `${lost} lost, ${told.length - KEYS + lost} doubled of ${KEYS}`,
    wanted: '0 and 0',
    isHeld: lost === 0 && told.length === KEYS,
  });
  expect(told).toHaveLength(KEYS);
  expect(new Set(told.map(({ keyId }) => keyId)).size).toBe(KEYS);
  expect(new Set(told.map(({ messageId }) => messageId)).size).toBe(KEYS);
});

it('a mail server that takes a mail and breaks off gets it again under the same Message-ID', async () => {
  const { deps, clock } = harness;
  const minted = await deps.keys.create(company.memberCaller, company.member.id, {
    comment: 'Twice',
    access: 'account',
    lifetimeDays: 1,
  });
  while ((await deps.notices.sendDue()) > 0);
  clock.advance(DAY_MS / 2);
  await deps.expirySweep.run();
  sink.setMode('drop');
  await deps.notices.sendDue();
  sink.setMode('accept');
  clock.advance(STEP_MS);
  while ((await deps.notices.sendDue()) > 0);
  const mails = sink.mails.filter((mail) => mail.raw.includes(minted.key.id) && /expire/.test(mail.raw));
  const ids = new Set(mails.map((mail) => readMail(mail.raw).messageId)).size;
  recordFigure(26, {
    name: 'copies of a mail whose answer was lost once',
    reached: `${mails.length - 1} under ${ids === 1 ? 'the same id' : `${ids} ids`}`,
    wanted: '1 under the same id',
    isHeld: mails.length === 2 && ids === 1,
  });
  expect(mails).toHaveLength(2);
  expect(ids).toBe(1);
});
