import { type Company, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SmtpSink, type SunkMail, startSmtpSink } from '../../../../testkit/src/smtp-sink.ts';
import { HOUR_MS } from '../../lib/clock.ts';

let harness: Harness;
let company: Company;
let sink: SmtpSink;

beforeAll(async () => {
  sink = await startSmtpSink();
  const environment = {
    KEYREEVE_SMTP_URL: sink.url,
    KEYREEVE_SMTP_ALLOW_PLAIN: '1',
    KEYREEVE_MAIL_FROM: 'keys@keys.test',
  };
  harness = await startHarness({ environment });
  company = await seedCompany(harness);
  // What seeding itself had to tell.
  await harness.deps.notices.sendDue();
});
afterAll(async () => {
  await harness.close();
  await sink.close();
});

/** The text of a mail, its transfer encoding undone. */
function textOf(mail: SunkMail | undefined): string {
  const raw = mail?.raw ?? '';
  const part =
    /Content-Type: text\/plain[^\r]*\r\nContent-Transfer-Encoding: (\S+)\r\n\r\n([\s\S]*?)\r\n--/.exec(raw);
  const [, encoding, body = ''] = part ?? [];
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  const bytes = body
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

async function openLink(token: string) {
  return await harness.app.inject({ method: 'POST', url: '/v1/key-links/open', payload: { token } });
}

describe('a key sent by mail', () => {
  it('comes as a link that shows the key once, over the whole way', async () => {
    const { deps } = harness;
    const minted = await deps.keys.create(company.memberCaller, company.member.id, {
      comment: 'CI',
      access: 'account',
      sendMail: true,
    });
    expect(await deps.notices.sendDue()).toBe(1);
    expect(sink.recipients.at(-1)).toBe('mei@example.com');
    const text = textOf(sink.mails.at(-1));
    expect(text).toContain(minted.key.id);
    expect(sink.mails.at(-1)?.raw).not.toContain(minted.secretKey.reveal());
    const token = /\/key-link#(\S+)/.exec(text)?.[1] ?? '';
    const opened = await openLink(token);
    expect(opened.json()).toMatchObject({
      apiKey: minted.key.id,
      secretKey: minted.secretKey.reveal(),
      fullKey: minted.fullKey.reveal(),
    });
    expect((await openLink(token)).statusCode).toBe(404);
  });

  it('comes as API key and secret key when the workspace wants it so, to the address given for a service account', async () => {
    const { deps } = harness;
    await deps.settings.update(company.adminCaller, { keyMail: 'value' }, null);
    harness.clock.advance(HOUR_MS);
    const minted = await deps.keys.create(company.memberCaller, company.robot.id, {
      comment: 'CI',
      access: 'account',
      mailTo: 'ops@example.com',
    });
    // The key to the given address; that there is a key, without the key, to the administrators.
    expect(await deps.notices.sendDue()).toBe(2);
    expect(sink.recipients.slice(-2).toSorted()).toEqual(['ada@example.com', 'ops@example.com']);
    const told = sink.mails.findLast(({ to }) => to.includes('ada@example.com'));
    expect(textOf(told)).toContain(minted.key.id);
    expect(textOf(told)).not.toContain(minted.secretKey.reveal());
    const text = textOf(sink.mails.findLast(({ to }) => to.includes('ops@example.com')));
    expect(text).toContain(minted.key.id);
    expect(text).toContain(minted.secretKey.reveal());
    const rows = await deps.storage.read
      .selectFrom('outbox')
      .select('sealed_payload')
      .where('sealed_payload', 'is not', null)
      .execute();
    expect(rows).toEqual([]);
    expect(harness.logLines.join('\n')).not.toContain(minted.secretKey.reveal());
  });
});
