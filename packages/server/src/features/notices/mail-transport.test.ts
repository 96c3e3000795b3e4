import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createTestCertificate,
  type SinkOptions,
  type SmtpSink,
  startSmtpSink,
} from '../../../../testkit/src/smtp-sink.ts';
import { Secret } from '../../lib/secret.ts';
import { createMailTransport, type MailTransport, type OutgoingMail } from './mail-transport.ts';

const MAIL: OutgoingMail = {
  messageId: '<out_1@keys.test>',
  toName: 'Ada Lovelace',
  toAddress: 'ada@example.com',
  subject: 'An API key',
  text: 'Hello',
  html: '<p>Hello</p>',
  sentAt: Date.UTC(2027, 2, 1, 9, 0, 0),
};

const sinks: SmtpSink[] = [];

async function startSink(options: SinkOptions = {}): Promise<SmtpSink> {
  const sink = await startSmtpSink(options);
  sinks.push(sink);
  return sink;
}

function transportTo(url: string, smtpAllowPlain = true, sendDeadlineMs?: number): MailTransport {
  const config = { smtpUrl: new Secret(url), smtpAllowPlain, mailFrom: 'keys@keys.test' };
  const transport = createMailTransport(config, sendDeadlineMs);
  if (transport === null) throw new Error('There is an SMTP server.');
  return transport;
}

afterEach(async () => {
  setDefaultCACertificates([]);
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
});

describe('the way to the SMTP server', () => {
  it('is none without an SMTP server in the configuration', () => {
    expect(
      createMailTransport({ smtpUrl: null, smtpAllowPlain: false, mailFrom: 'keys@keys.test' }),
    ).toBeNull();
  });

  it('hands over text and HTML with the given Message-ID and date, marked as sent by a machine', async () => {
    const sink = await startSink();
    expect(await transportTo(sink.url).send(MAIL)).toEqual({ kind: 'sent' });
    const [mail] = sink.mails;
    expect(mail).toMatchObject({ from: 'keys@keys.test', to: ['ada@example.com'] });
    expect(mail?.raw).toContain('Message-ID: <out_1@keys.test>\r\n');
    expect(mail?.raw).toContain('Date: Mon, 01 Mar 2027 09:00:00 +0000\r\n');
    expect(mail?.raw).toContain('From: Keyreeve <keys@keys.test>\r\n');
    expect(mail?.raw).toContain('To: Ada Lovelace <ada@example.com>\r\n');
    expect(mail?.raw).toContain('Auto-Submitted: auto-generated\r\n');
    expect(mail?.raw).toMatch(/Content-Type: text\/plain[\s\S]*Content-Type: text\/html/);
  });

  it.each([
    ['a header in the name', { toName: 'Ada\r\nBcc: eve@evil.test' }],
    ['a list in the name', { toName: 'Ada, eve@evil.test' }],
    ['an address in the name', { toName: 'Ada <eve@evil.test>' }],
    ['a quote in the name', { toName: 'Ada" <eve@evil.test>, "' }],
    ['a header in the subject', { subject: 'Key\r\nBcc: eve@evil.test\r\n\r\nbody' }],
    ['a header in the message id', { messageId: '<a@b>\r\nBcc: eve@evil.test' }],
  ])('sends to exactly one recipient with %s', async (_name, hostile) => {
    const sink = await startSink();
    expect(await transportTo(sink.url).send({ ...MAIL, ...hostile })).toEqual({ kind: 'sent' });
    expect(sink.recipients).toEqual(['ada@example.com']);
    expect(sink.mails[0]?.raw).not.toMatch(/^bcc:/im);
  });

  it('reads no file and no address on behalf of a mail', async () => {
    const sink = await startSink();
    const hostile = { path: '/etc/hostname' } as unknown as string;
    expect(await transportTo(sink.url).send({ ...MAIL, text: hostile })).toMatchObject({
      kind: 'failed',
      isServerDown: false,
      reason: expect.stringContaining('File access rejected') as string,
    });
    expect(sink.mails).toEqual([]);
  });

  it('signs in with the user and password of the address, percent signs undone', async () => {
    const sink = await startSink({ login: { user: 'mailer@keys.test', password: 'p@ss:w/rd' } });
    const url = sink.url.replace('smtp://', `smtp://mailer%40keys.test:${encodeURIComponent('p@ss:w/rd')}@`);
    expect(await transportTo(url).send(MAIL)).toEqual({ kind: 'sent' });
    expect(sink.mails[0]?.user).toBe('mailer@keys.test');
  });
});

describe('transport security', () => {
  it('refuses a server without STARTTLS, before anything of the mail has gone out', async () => {
    const sink = await startSink();
    const outcome = await transportTo(sink.url, false).send(MAIL);
    expect(outcome).toMatchObject({ kind: 'failed', isServerDown: true });
    expect(sink.recipients).toEqual([]);
  });

  it.each(['starttls', 'tls'] as const)(
    'refuses a certificate that nobody vouches for (%s)',
    async (kind) => {
      const sink = await startSink({ tls: { kind, certificate: createTestCertificate() } });
      const outcome = await transportTo(sink.url, false).send(MAIL);
      expect(outcome).toMatchObject({
        kind: 'failed',
        isServerDown: true,
        reason: expect.stringMatching(/self-signed/i) as string,
      });
      expect(sink.recipients).toEqual([]);
    },
  );

  it('refuses an unknown certificate over smtps:// even where plain text is allowed', async () => {
    const sink = await startSink({ tls: { kind: 'tls', certificate: createTestCertificate() } });
    expect(await transportTo(sink.url, true).send(MAIL)).toMatchObject({ kind: 'failed' });
    expect(sink.recipients).toEqual([]);
  });

  it('does not let the address switch the checks off', async () => {
    const sink = await startSink({ tls: { kind: 'tls', certificate: createTestCertificate() } });
    expect(await transportTo(`${sink.url}/?tls.rejectUnauthorized=false`, false).send(MAIL)).toMatchObject({
      kind: 'failed',
    });
  });

  it.each(['starttls', 'tls'] as const)(
    'sends encrypted to a server whose certificate is trusted (%s)',
    async (kind) => {
      const certificate = createTestCertificate();
      setDefaultCACertificates([certificate.cert]);
      const sink = await startSink({ tls: { kind, certificate } });
      expect(await transportTo(sink.url, false).send(MAIL)).toEqual({ kind: 'sent' });
      expect(sink.mails[0]?.isSecure).toBe(true);
    },
  );

  it('uses STARTTLS when it is offered where plain text would be allowed', async () => {
    const sink = await startSink({ tls: { kind: 'starttls', certificate: createTestCertificate() } });
    expect(await transportTo(sink.url, true).send(MAIL)).toEqual({ kind: 'sent' });
    expect(sink.mails[0]?.isSecure).toBe(true);
  });
});

describe('what a failure means', () => {
  it('is final when the server refuses the recipient or the mail for good', async () => {
    const sink = await startSink({ mode: 'reject' });
    expect(await transportTo(sink.url).send(MAIL)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('550') as string,
    });
    sink.setMode('reject-data');
    expect(await transportTo(sink.url).send(MAIL)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('554') as string,
    });
  });

  it('is passing when the server asks to come back, and says nothing about the next mail', async () => {
    const sink = await startSink({ mode: 'greylist' });
    expect(await transportTo(sink.url).send(MAIL)).toMatchObject({ kind: 'failed', isServerDown: false });
    expect(await transportTo(sink.url).send(MAIL)).toEqual({ kind: 'sent' });
  });

  it('is passing when our login is wrong: the operator mends it, and no mail is lost', async () => {
    const sink = await startSink({ login: { user: 'mailer', password: 'right' } });
    const url = sink.url.replace('smtp://', 'smtp://mailer:very-secret-wrong-password@');
    const outcome = await transportTo(url).send(MAIL);
    expect(outcome).toMatchObject({ kind: 'failed', isServerDown: true });
    expect(JSON.stringify(outcome)).not.toContain('very-secret');
  });

  it.each(['busy', 'drop'] as const)('is passing when the server is %s', async (mode) => {
    const sink = await startSink({ mode });
    expect(await transportTo(sink.url).send(MAIL)).toMatchObject({ kind: 'failed', isServerDown: true });
  });

  it('is passing when nobody listens', async () => {
    const sink = await startSmtpSink();
    await sink.close();
    expect(await transportTo(sink.url).send(MAIL)).toMatchObject({ kind: 'failed', isServerDown: true });
  });

  it('comes after five seconds from a server that takes the connection and says nothing', async () => {
    const sink = await startSink({ mode: 'hang' });
    const start = performance.now();
    expect(await transportTo(sink.url).send(MAIL)).toMatchObject({ kind: 'failed', isServerDown: true });
    expect(performance.now() - start).toBeGreaterThan(4_000);
    expect(performance.now() - start).toBeLessThan(8_000);
  });

  it.each([
    ['the greeting', '', '220-welcome\r\n'],
    ['an answer', '220 ready\r\n', '250-an extension\r\n'],
  ])(
    'comes at the deadline from a server that never ends %s but says a little all the time',
    async (_what, begin, drip) => {
      const timers: NodeJS.Timeout[] = [];
      const sockets: Socket[] = [];
      const server = createServer((socket: Socket) => {
        sockets.push(socket.on('error', () => undefined));
        socket.write(begin);
        timers.push(setInterval(() => socket.write(drip), 20));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      // Long enough for a busy machine to have taken the connection before.
      const slow = transportTo(`smtp://127.0.0.1:${port}`, true, 1_500);
      expect(await slow.send(MAIL)).toMatchObject({ kind: 'failed', isServerDown: true });
      expect(sockets).toHaveLength(1);
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  );
});
