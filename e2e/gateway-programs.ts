import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openPage } from './docs/doc-page.ts';
import { startProgram } from './programs.ts';
import { freePort } from './server-process.ts';

/** Where the programs behind and beside a gateway listen. */
export interface Neighbours {
  readonly keyreevePort: number;
  /** What stands in the place of `keys.example.com`. */
  readonly keyreeveHost: string;
  readonly servicePort: number;
  /** With the part of the guide for paths that hold escapes. */
  readonly isForEscapes?: boolean;
}

export interface Gateway {
  readonly port: number;
  /** For HTTP/2 without TLS. */
  readonly http2Port: number;
  readonly stop: () => Promise<void>;
}

/** Starts a program of Debian with the configuration of its guide; what it keeps lies in the folder. */
export type StartGateway = (page: string, folder: string, neighbours: Neighbours) => Promise<Gateway>;

const GATEWAYS = path.resolve(import.meta.dirname, '../docs/gateways');
/** Some wait for connections that clients keep. */
const STOP_TIMEOUT_MS = 2_000;

/** Replaces each address, which must be there: a guide that names another one would run unchanged, and prove nothing. */
function replaceAddresses(text: string, addresses: Readonly<Record<string, string>>): string {
  let replaced = text;
  for (const [from, to] of Object.entries(addresses)) {
    if (!replaced.includes(from)) throw new Error(`The guide does not say "${from}".`);
    replaced = replaced.replaceAll(from, to);
  }
  return replaced;
}

/**
 * @param part What the second block of a guide takes the place of.
 * @returns the configuration of a guide with the addresses of this run
 */
function readConfiguration(
  page: string,
  language: string,
  addresses: Readonly<Record<string, string>>,
  part: RegExp | null = null,
): string {
  const guide = openPage(page);
  const [whole = '', other = ''] = guide.claimAll(language).map(({ text }) => text);
  guide.expectAllClaimed();
  if (part !== null && (other === '' || !part.test(whole))) throw new Error(`${page} has no ${part.source}.`);
  return replaceAddresses(part === null ? whole : whole.replace(part, () => other), addresses);
}

type Ports = Pick<Gateway, 'port' | 'http2Port'>;

/** Starts a gateway, and waits for its port. */
async function launch(
  { port, http2Port }: Ports,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Gateway> {
  const program = await startProgram(file, args, { port, env, stopTimeoutMs: STOP_TIMEOUT_MS });
  return { port, http2Port, stop: () => program.end('SIGTERM') };
}

export const startNginx: StartGateway = async (page, folder, neighbours) => {
  const { keyreevePort, keyreeveHost, servicePort, isForEscapes } = neighbours;
  const [port, http2Port] = [await freePort(), await freePort()];
  const addresses = {
    'keys.example.com': keyreeveHost,
    'listen 80;': `listen 127.0.0.1:${port}; listen 127.0.0.1:${http2Port} http2;`,
    'server 127.0.0.1:8080;': `server 127.0.0.1:${keyreevePort};`,
    'server 127.0.0.1:3000;': `server 127.0.0.1:${servicePort};`,
  };
  const part = isForEscapes === true ? /map \$request_uri [^}]*\}\n/ : null;
  const site = readConfiguration(page, 'nginx', addresses, part);
  writeFileSync(path.join(folder, 'api.conf'), site);
  // What Debian's own nginx.conf says around the file, without its log and its place for temporary files.
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const http = `http { access_log off; ${temporary.join(' ')} include ${folder}/api.conf; }`;
  const main = `daemon off; user root; pid ${folder}/nginx.pid; worker_processes 1; events {} ${http}\n`;
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, main);
  return await launch({ port, http2Port }, '/usr/sbin/nginx', ['-e', 'stderr', '-p', folder, '-c', file]);
};

export const startCaddy: StartGateway = async (page, folder, { keyreevePort, keyreeveHost, servicePort }) => {
  const [port, http2Port] = [await freePort(), await freePort()];
  const text = readConfiguration(page, 'caddyfile', {
    'keys.example.com': keyreeveHost,
    // With a name alone Caddy would ask for a certificate.
    'api.example.com {': `http://api.example.com:${port}, http://api.example.com:${http2Port} {`,
    '127.0.0.1:8080': `127.0.0.1:${keyreevePort}`,
    '127.0.0.1:3000': `127.0.0.1:${servicePort}`,
  });
  const file = path.join(folder, 'Caddyfile');
  // Not at the first port: there Caddy itself would take up `Upgrade: h2c`.
  const servers = `servers 127.0.0.1:${http2Port} {\n\t\tprotocols h1 h2c\n\t}`;
  writeFileSync(file, `{\n\tadmin off\n\tdefault_bind 127.0.0.1\n\t${servers}\n}\n${text}`);
  return await launch(
    { port, http2Port },
    '/usr/bin/caddy',
    ['run', '--config', file, '--adapter', 'caddyfile'],
    { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  );
};

export const startHaproxy: StartGateway = async (page, folder, neighbours) => {
  const { keyreevePort, keyreeveHost, servicePort, isForEscapes } = neighbours;
  const [port, http2Port, innerPort] = [await freePort(), await freePort(), await freePort()];
  const lua = path.join(folder, 'keyreeve.lua');
  const source = readFileSync(path.join(GATEWAYS, 'haproxy/keyreeve.lua'), 'utf8');
  writeFileSync(lua, replaceAddresses(source, { '127.0.0.1:8081': `127.0.0.1:${innerPort}` }));
  const addresses = {
    'keys.example.com': keyreeveHost,
    'bind :80\n': `bind 127.0.0.1:${port}\n    bind 127.0.0.1:${http2Port} proto h2\n`,
    '/etc/haproxy/keyreeve.lua': lua,
    '127.0.0.1:8081': `127.0.0.1:${innerPort}`,
    '127.0.0.1:8080': `127.0.0.1:${keyreevePort}`,
    '127.0.0.1:3000': `127.0.0.1:${servicePort}`,
    // Only root may become somebody else.
    ...(process.getuid?.() === 0
      ? {}
      : { '    chroot /var/lib/haproxy\n    user haproxy\n    group haproxy\n': '' }),
  };
  const part = isForEscapes === true ? /.*deny_status 400 unless \{ path .*\n/ : null;
  const text = readConfiguration(page, 'haproxy', addresses, part);
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, text);
  return await launch({ port, http2Port }, '/usr/sbin/haproxy', ['-db', '-f', file]);
};
