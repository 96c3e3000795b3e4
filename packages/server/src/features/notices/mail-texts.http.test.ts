import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type SmtpSink, startSmtpSink } from '../../../../testkit/src/smtp-sink.ts';
import type { Settings } from '../settings/index.ts';

let harness: Harness;
let company: Company;
let sink: SmtpSink;

beforeAll(async () => {
  sink = await startSmtpSink();
  harness = await startHarness({
    environment: { KEYREEVE_SMTP_URL: sink.url, KEYREEVE_SMTP_ALLOW_PLAIN: '1' },
  });
  company = await seedCompany(harness);
  await sendAll();
});
afterEach(async () => {
  await harness.deps.settings.update(company.adminCaller, { mailTexts: [] }, null);
});
afterAll(async () => {
  await harness.close();
  await sink.close();
});

async function sendAll(): Promise<void> {
  while ((await harness.deps.notices.sendDue()) > 0);
}

async function putTexts(mailTexts: readonly unknown[]) {
  return await call(harness, 'PATCH', '/v1/settings', {
    key: company.adminKey,
    headers: { 'if-match': '*' },
    body: { mailTexts },
  });
}

/** Makes a key for the member, and returns the mail that tells of it, as it came over the wire. */
async function mailOfNewKey(comment: string): Promise<string> {
  const before = sink.mails.length;
  await harness.deps.keys.create(company.memberCaller, company.member.id, { comment, access: 'account' });
  await sendAll();
  const [mail, ...others] = sink.mails.slice(before);
  expect(others).toEqual([]);
  return mail?.raw.replaceAll('=\r\n', '').replaceAll('=20', ' ') ?? '';
}

const OWN = {
  kind: 'key.created',
  locale: 'en',
  subject: '[Hayama] New key: {name}',
  intro: 'Hello,\n\n{name} was made. The platform team helps on weekdays.',
} as const satisfies Settings['mailTexts'][number];

describe('the words of a workspace', () => {
  it('take the place of the usual subject and opening, and of nothing else, until they are taken back', async () => {
    expect((await putTexts([OWN])).statusCode).toBe(200);
    const own = await mailOfNewKey('CI');
    expect(own).toContain('\r\nSubject: [Hayama] New key: CI\r\n');
    expect(own).toContain('CI was made. The platform team helps on weekdays.');
    expect(own).not.toContain('was created');
    expect(own).toContain('API key: kr_');
    expect((await putTexts([])).statusCode).toBe(200);
    expect(await mailOfNewKey('CI')).not.toContain('Hayama');
  });

  it('are those of one language and one kind alone', async () => {
    await putTexts([
      { ...OWN, locale: 'ja' },
      { ...OWN, kind: 'key.deleted' },
    ]);
    expect(await mailOfNewKey('CI')).not.toContain('Hayama');
  });

  it('get a name as text: no markup, no second placeholder', async () => {
    await putTexts([OWN]);
    const mail = await mailOfNewKey('<i>{name}</i> $&');
    expect(mail).toContain('\r\nSubject: [Hayama] New key: <i>{name}</i> $&\r\n');
    expect(mail).toContain('&#60;i&#62;{name}&#60;/i&#62; $&#38; was made.');
    expect(mail).not.toContain('<p style=3D"margin:0 0 16px"><i>');
  });

  it.each([
    ['two for the same mail', [OWN, { ...OWN, subject: 'Other' }], 'mailTexts[1]'],
    ['a line end in a subject', [{ ...OWN, subject: 'New\nBcc: eve@evil.test' }], 'mailTexts[0].subject'],
    ['a subject that turns its direction', [{ ...OWN, subject: 'Key \u202egnp' }], 'mailTexts[0].subject'],
    [
      'a subject without a visible character',
      [{ ...OWN, subject: ' \u3000\u200b ' }],
      'mailTexts[0].subject',
    ],
    ['an opening with controls', [{ ...OWN, intro: 'Hello\u0007' }], 'mailTexts[0].intro'],
    ['an opening without a visible character', [{ ...OWN, intro: ' \n\n\u00a0' }], 'mailTexts[0].intro'],
    ['an empty subject', [{ ...OWN, subject: '' }], 'mailTexts[0].subject'],
    ['a subject of 201 characters', [{ ...OWN, subject: 'x'.repeat(201) }], 'mailTexts[0].subject'],
    ['an opening of 2001 characters', [{ ...OWN, intro: 'x'.repeat(2001) }], 'mailTexts[0].intro'],
    ['a kind that there is not', [{ ...OWN, kind: 'key.sold' }], 'mailTexts[0].kind'],
    ['a language that there is not', [{ ...OWN, locale: 'fr' }], 'mailTexts[0].locale'],
  ])('are refused with the place of the fault: %s', async (_name, texts, field) => {
    const answer = await putTexts(texts);
    expect(answer.statusCode).toBe(400);
    const { errors } = answer.json<{ errors: { field: string }[] }>();
    expect(errors.map((error) => error.field)).toContain(field);
    expect((await harness.deps.settings.get(harness.deps.defaultWorkspace.id)).mailTexts).toEqual([]);
  });
});
