import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestCertificate } from '../../packages/testkit/src/smtp-sink.ts';
import { freePort, sleep } from '../server-process.ts';

/** Debian's Postfix, with nothing of the system's: folders, queue and port of its own. */
export interface Postfix {
  readonly port: number;
  /** The mails that have been delivered, as files. */
  readonly mailFiles: () => readonly string[];
  /** What it has logged. */
  readonly log: () => string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
/** Debian's `nobody`: Postfix delivers as nobody of importance, and never as root. */
const READER_ID = 65_534;

/** All mail to example.com goes into one Maildir; nothing ever leaves the machine. */
function mainCf(folder: string): string {
  const settings: Readonly<Record<string, string>> = {
    compatibility_level: '3.6',
    queue_directory: path.join(folder, 'queue'),
    data_directory: path.join(folder, 'data'),
    maillog_file: path.join(folder, 'postfix.log'),
    maillog_file_prefixes: folder,
    myhostname: 'mail.keyreeve.test',
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    default_transport: 'error:nothing leaves this machine',
    alias_maps: '',
    alias_database: '',
    virtual_mailbox_domains: 'example.com',
    virtual_mailbox_base: folder,
    virtual_mailbox_maps: 'static:mail/',
    virtual_uid_maps: `static:${READER_ID}`,
    virtual_gid_maps: `static:${READER_ID}`,
    // It asks names of the system, which here are those of a container.
    smtpd_peername_lookup: 'no',
    smtpd_tls_security_level: 'encrypt',
    smtpd_tls_received_header: 'yes',
    smtpd_tls_chain_files: path.join(folder, 'certificate.pem'),
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/** The services that a mail meets on its way from the port into the Maildir. */
function masterCf(port: number): string {
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'proxymap unix - - n - - proxymap',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'virtual unix - n n - - virtual',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ];
  return `${services.join('\n')}\n`;
}

function settingOf(name: string): string {
  const { stdout, status } = spawnSync('/usr/sbin/postconf', ['-d', '-h', name], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`postconf -d ${name} ended with ${status}.`);
  return stdout.trim();
}

function layOut(folder: string, port: number, certificate: TestCertificate): void {
  // The processes of Postfix and the reader are other users than the one that made the folder.
  chmodSync(folder, 0o755);
  for (const name of ['config', 'queue', 'data', 'mail']) mkdirSync(path.join(folder, name));
  const owner = settingOf('mail_owner');
  const { stdout } = spawnSync('id', ['-u', owner], { encoding: 'utf8' });
  chownSync(path.join(folder, 'data'), Number(stdout), 0);
  chownSync(path.join(folder, 'mail'), READER_ID, READER_ID);
  writeFileSync(path.join(folder, 'config', 'main.cf'), mainCf(folder));
  writeFileSync(path.join(folder, 'config', 'master.cf'), masterCf(port));
  writeFileSync(path.join(folder, 'certificate.pem'), certificate.key + certificate.cert, { mode: 0o600 });
}

/** True once something greets on the port as a mail server does. */
async function isGreeting(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [greeting] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    return greeting.toString().startsWith('220 ');
  } catch {
    return false; // Not yet, or never: the caller decides how long it asks.
  } finally {
    socket.destroy();
  }
}

async function waitUntilReady(child: ChildProcess, port: number, output: () => string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await isGreeting(port))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`Postfix did not start (exit ${child.exitCode}):\n${output()}`);
    await sleep(POLL_MS);
  }
}

/** Starts Postfix with STARTTLS required and this certificate. Needs root, as Postfix itself does. */
export async function startPostfix(certificate: TestCertificate): Promise<Postfix> {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-postfix-'));
  const port = await freePort();
  layOut(folder, port, certificate);
  const control = ['-c', path.join(folder, 'config')];
  const child = spawn('/usr/sbin/postfix', [...control, 'start-fg'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
    });
  const log = () => {
    const file = path.join(folder, 'postfix.log');
    return printed + (existsSync(file) ? readFileSync(file, 'utf8') : '');
  };
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = once(child, 'close', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
      spawnSync('/usr/sbin/postfix', [...control, 'stop'], { stdio: 'ignore' });
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(child, port, log);
  } catch (error) {
    await stop();
    throw error;
  }
  const inbox = path.join(folder, 'mail', 'new');
  return {
    port,
    log,
    stop,
    mailFiles: () => (existsSync(inbox) ? readdirSync(inbox).map((name) => path.join(inbox, name)) : []),
  };
}
