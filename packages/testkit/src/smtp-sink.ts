import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/**
 * How the sink behaves. `hang`: takes the connection and says nothing. `busy`: 421 as its greeting.
 * `greylist`: 451 to the first try of each recipient. `reject`: 550 to every recipient. `reject-data`: 554
 * after the mail. `drop`: takes the whole mail, then breaks the connection without an answer.
 */
export type SinkMode = 'accept' | 'hang' | 'busy' | 'greylist' | 'reject' | 'reject-data' | 'drop';

/** A mail that arrived whole, whatever the sink answered to it. */
export interface SunkMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire, headers and all. */
  readonly raw: string;
  readonly isSecure: boolean;
  /** The user who had signed in, or null. */
  readonly user: string | null;
}

export interface SmtpSink {
  readonly port: number;
  /** `smtp://127.0.0.1:{port}`, or `smtps://` when the sink speaks TLS from the first byte. */
  readonly url: string;
  readonly mails: readonly SunkMail[];
  /** Every address of a RCPT command, refused ones too. */
  readonly recipients: readonly string[];
  readonly connectionCount: number;
  setMode(mode: SinkMode): void;
  close(): Promise<void>;
}

export interface SinkOptions {
  readonly mode?: SinkMode;
  /** Offers STARTTLS (`starttls`) or speaks TLS from the first byte (`tls`) with this certificate. */
  readonly tls?: { readonly kind: 'starttls' | 'tls'; readonly certificate: TestCertificate };
  /** Demands this login. */
  readonly login?: { readonly user: string; readonly password: string };
}

function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

function toSunkMail(session: SMTPServerSession, raw: string): SunkMail {
  const { mailFrom, rcptTo } = session.envelope;
  return {
    from: mailFrom === false ? '' : mailFrom.address,
    to: rcptTo.map((recipient) => recipient.address),
    raw,
    isSecure: session.secure,
    user: typeof session.user === 'string' ? session.user : null,
  };
}

/** A real SMTP server on a free loopback port that keeps what it gets and misbehaves on request. */
export async function startSmtpSink(options: SinkOptions = {}): Promise<SmtpSink> {
  let mode = options.mode ?? 'accept';
  let connectionCount = 0;
  const mails: SunkMail[] = [];
  const recipients: string[] = [];
  const sockets = new Map<number, Socket>();
  const server = createServer(options, {
    mode: () => mode,
    onConnect: () => {
      connectionCount += 1;
    },
    isKnown: (address) => recipients.includes(address),
    onRecipient: (address) => recipients.push(address),
    onMail: (mail) => mails.push(mail),
    onDrop: (remotePort) => sockets.get(remotePort)?.destroy(),
  });
  // Clients that break off in the middle are what the tests are about.
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort ?? 0, socket));
  const listener = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return {
    port: address.port,
    url: `${options.tls?.kind === 'tls' ? 'smtps' : 'smtp'}://127.0.0.1:${address.port}`,
    mails,
    recipients,
    get connectionCount() {
      return connectionCount;
    },
    setMode: (next) => {
      mode = next;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

interface Hooks {
  mode(): SinkMode;
  onConnect(): void;
  isKnown(address: string): boolean;
  onRecipient(address: string): void;
  onMail(mail: SunkMail): void;
  onDrop(remotePort: number): void;
}

/** Greets at once: smtp-server waits 100 ms before each greeting, to catch clients that talk too soon. */
class PromptServer extends SMTPServer {
  override connect(...args: Parameters<SMTPServer['connect']>): void {
    super.connect(...args);
    const connection = [...this.connections].at(-1);
    if (connection === undefined) return;
    connection.connectionReady();
    // What its timer calls: it would greet a second time.
    connection.connectionReady = () => {};
  }
}

function createServer(options: SinkOptions, hooks: Hooks): SMTPServer {
  const { tls, login } = options;
  const disabledCommands = [
    ...(tls === undefined ? ['STARTTLS'] : []),
    ...(login === undefined ? ['AUTH'] : []),
  ];
  const server = new PromptServer({
    logger: false,
    disableReverseLookup: true,
    closeTimeout: 100,
    disabledCommands,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    secure: tls?.kind === 'tls',
    ...(tls === undefined ? {} : tls.certificate),
    onAuth: (given, _session, callback) => {
      const isRight = given.username === login?.user && given.password === login?.password;
      if (isRight) callback(null, { user: given.username });
      else callback(smtpError(535, 'Wrong user or password'));
    },
    onConnect: (_session, callback) => {
      hooks.onConnect();
      if (hooks.mode() === 'busy') callback(smtpError(421, 'Too busy, come back later'));
      else if (hooks.mode() !== 'hang') callback();
    },
    onRcptTo: ({ address }, _session, callback) => {
      const isNew = !hooks.isKnown(address);
      hooks.onRecipient(address);
      if (hooks.mode() === 'reject') callback(smtpError(550, 'No such user here'));
      else if (hooks.mode() === 'greylist' && isNew) callback(smtpError(451, 'Greylisted, try again later'));
      else callback();
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        hooks.onMail(toSunkMail(session, Buffer.concat(chunks).toString('latin1')));
        if (hooks.mode() === 'reject-data') callback(smtpError(554, 'Refused'));
        else if (hooks.mode() === 'drop') hooks.onDrop(session.remotePort);
        else callback();
      });
    },
  });
  return server;
}

/** A certificate for 127.0.0.1 and localhost that nobody trusts until told to. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes a self-signed Ed25519 certificate (RFC 5280, RFC 8410), valid from 2020 to 2049. */
export function createTestCertificate(): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const algorithm = der(0x30, der(0x06, Buffer.from([0x2b, 0x65, 0x70])));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    algorithm,
    commonName('localhost'),
    der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('490101000000Z'))),
    commonName('localhost'),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, alternativeNames())),
  );
  const certificate = der(0x30, body, algorithm, bitString(sign(null, body, privateKey)));
  return { cert: toPem('CERTIFICATE', certificate), key: exportPem(privateKey) };
}

/** One DER value: tag, length, content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const lengthBytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

function bitString(content: Uint8Array): Buffer {
  return der(0x03, Buffer.from([0]), content);
}

function commonName(name: string): Buffer {
  return der(
    0x30,
    der(0x31, der(0x30, der(0x06, Buffer.from([0x55, 0x04, 0x03])), der(0x0c, Buffer.from(name)))),
  );
}

function alternativeNames(): Buffer {
  const names = der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  return der(0x30, der(0x06, Buffer.from([0x55, 0x1d, 0x11])), der(0x04, names));
}

function toPem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function exportPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
