import { createTransport, type NodemailerError, type SMTPTransportOptions } from 'nodemailer';
import type { Config } from '../../config/index.ts';

/** One mail, ready to go. Names and texts are clean already; the transport knows nothing of notices. */
export interface OutgoingMail {
  /** With its angle brackets, the same over all tries. */
  readonly messageId: string;
  readonly toName: string;
  readonly toAddress: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Milliseconds; what the `Date` header says. */
  readonly sentAt: number;
}

export type SendOutcome =
  | { readonly kind: 'sent' }
  /** The server refuses this mail or this recipient, and will refuse it again. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Not now. `isServerDown`: the next mail would fare no better, so there is no point in trying it at once. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isServerDown: boolean };

/** Why the SMTP server cannot be used at all, and at what point that showed. */
export interface MailRefusal {
  readonly kind: 'login' | 'tls' | 'connection';
  readonly reason: string;
}

export interface MailTransport {
  /** Connects, begins TLS and signs in as for a mail, and sends none. Null when all of that works. Never throws. */
  verify(): Promise<MailRefusal | null>;
  /** Hands a mail to the SMTP server. Never throws; takes at most 45 seconds. */
  send(mail: OutgoingMail): Promise<SendOutcome>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const GREETING_TIMEOUT_MS = 5_000;
const SOCKET_TIMEOUT_MS = 20_000;
/**
 * For the whole conversation: a server that sends one byte every few seconds never trips the timeouts above.
 * It ends well before the lease on the mail (60 s), or another process would send it too.
 */
const SEND_DEADLINE_MS = 45_000;
const REASON_CHARACTERS_MAX = 300;
const SENDER_NAME = 'Keyreeve';
/** Answers to these are about the mail itself; a 5xx to anything earlier is about the server or our settings. */
const COMMANDS_ABOUT_THE_MAIL = ['RCPT TO', 'DATA'];

/** The parts of the SMTP address. Its query is not read: it could switch the checks below off. */
function connectionOptions(url: URL): SMTPTransportOptions {
  const isSecure = url.protocol === 'smtps:';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isSecure ? 465 : 587) : Number(url.port),
    secure: isSecure,
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
  };
}

/**
 * TLS with a verified certificate, always for `smtps://` and by STARTTLS for `smtp://`. Only where the
 * operator allows plain text, TLS is used when offered and its certificate does not matter: that is never
 * worse than the plain text that he allows.
 */
function tlsOptions(url: URL, allowPlain: boolean): SMTPTransportOptions {
  if (url.protocol === 'smtps:') return { tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true } };
  if (allowPlain) return { tls: { rejectUnauthorized: false } };
  return { requireTLS: true, tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true } };
}

/**
 * What went wrong, for the log and for administrators. Servers quote from the mail they refuse, so anything
 * that is long enough to be a secret or a token is cut out.
 */
function describe(error: NodemailerError): string {
  const said = error.response ?? error.message;
  const text = `${error.code ?? 'error'}: ${said}`
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[A-Za-z0-9_-]{32,}/g, '[…]');
  return text.slice(0, REASON_CHARACTERS_MAX).toWellFormed();
}

function toOutcome(error: NodemailerError): SendOutcome {
  const code = error.responseCode ?? 0;
  const isAboutTheMail = COMMANDS_ABOUT_THE_MAIL.includes(error.command ?? '');
  // 503 says that the conversation, not the mail, was out of order.
  const isPermanent = code >= 500 && code < 600 && code !== 503;
  if (isAboutTheMail && isPermanent) return { kind: 'refused', reason: describe(error) };
  const isAnswered = isAboutTheMail && code >= 400 && code !== 421;
  // ESTREAM: the mail could not be put together; the server has nothing to do with it.
  return { kind: 'failed', reason: describe(error), isServerDown: !isAnswered && error.code !== 'ESTREAM' };
}

function toRefusal(error: NodemailerError): MailRefusal {
  const { code = '', message } = error;
  const isTls = code === 'ETLS' || /certificate|self-signed|altname|SSL|TLS/i.test(message);
  const kind = code === 'EAUTH' ? 'login' : isTls ? 'tls' : 'connection';
  return { kind, reason: describe(error) };
}

/** The way to the SMTP server of the configuration, or null when there is none. */
export function createMailTransport(
  config: Pick<Config, 'smtpUrl' | 'smtpAllowPlain' | 'mailFrom'>,
  sendDeadlineMs = SEND_DEADLINE_MS,
): MailTransport | null {
  if (config.smtpUrl === null) return null;
  const url = new URL(config.smtpUrl.reveal());
  const transport = createTransport({
    ...connectionOptions(url),
    ...tlsOptions(url, config.smtpAllowPlain),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    verify: async () => {
      try {
        await transport.verify();
        return null;
      } catch (error) {
        return toRefusal(error as NodemailerError);
      }
    },
    send: async (mail) => {
      try {
        await transport.sendMail({
          // Objects, never strings: a string is parsed, and has been read as other recipients than meant.
          from: { name: SENDER_NAME, address: config.mailFrom },
          to: { name: mail.toName, address: mail.toAddress },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: mail.messageId,
          date: new Date(mail.sentAt),
          // RFC 3834: holiday answers to a machine help nobody.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(sendDeadlineMs),
        });
        return { kind: 'sent' };
      } catch (error) {
        return toOutcome(error as NodemailerError);
      }
    },
  };
}
