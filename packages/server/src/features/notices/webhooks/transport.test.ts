import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../../../../testkit/src/proof.ts';
import { startRebindingDns } from '../../../../../testkit/src/rebinding-dns.ts';
import { createTestCertificate } from '../../../../../testkit/src/smtp-sink.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../../../testkit/src/webhook-receiver.ts';
import { createAddressRules } from './address-rules.ts';
import { createWebhookTransport, type PostResult } from './transport.ts';

const CERTIFICATE = createTestCertificate();
const HEADERS = { 'content-type': 'application/json', 'webhook-id': 'evt_1' };
const OWN = { host: '127.0.0.1', port: 1 };
/** So that plain http is no reason by itself to refuse; nothing of these tests lies in it. */
const ELSEWHERE = ['192.0.2.0/24'];

let plain: WebhookReceiver;
let secure: WebhookReceiver;

beforeAll(async () => {
  plain = await startWebhookReceiver();
  secure = await startWebhookReceiver({ certificate: CERTIFICATE });
});
afterAll(() => Promise.all([plain.close(), secure.close()]));
afterEach(() => {
  plain.reset();
  secure.reset();
});

interface Wish {
  readonly allowed?: readonly string[];
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly ca?: string;
  readonly timeoutMs?: number;
  readonly ports?: readonly number[];
  readonly own?: { readonly host: string; readonly port: number };
}

async function post(url: string, wish: Wish = {}, body = '{}'): Promise<PostResult> {
  const { allowed = ['127.0.0.0/8'], names, ports = [plain.port, secure.port], own = OWN, ...rest } = wish;
  const rules = createAddressRules({ allowedNetworks: allowed, ports, own });
  const lookup = names && (async (host: string) => await Promise.resolve(names[host] ?? []));
  const transport = createWebhookTransport({ rules, ...(lookup && { lookup }), ...rest });
  return await transport.post(url, HEADERS, body);
}

const failed = (error: string) => ({ kind: 'failed', error });

const HOSTS = [
  '127.0.0.1',
  '0x7f.1',
  '2130706433',
  '0177.0.0.1',
  '127.1',
  '①②⑦.⓪.⓪.①',
  '0',
  'localhost',
  '[::ffff:127.0.0.1]',
  '0x7f000001',
  '017700000001',
  '0300.0250.0.1',
  '127.0.0.1.',
  '[::ffff:7f00:1]',
  '[::ffff:10.0.0.1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '255.255.255.255',
  '[::]',
  '[::1]',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '100.100.100.200',
];
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'localhost.': ['127.0.0.1'],
  '127.0.0.1.nip.io': ['127.0.0.1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  '6to4.test': ['2002:7f00:1::'],
  'scoped.test': ['fe80::1%lo'],
  'any.test': ['0.0.0.0'],
  'metadata.test': ['169.254.169.254'],
  // One bad address among good ones, in either order.
  'mixed.test': ['127.0.0.1', '203.0.114.1'],
  'last.test': ['203.0.114.1', '2606:4700::1111', '127.0.0.1'],
};

/** Hosts that any program on this machine would reach itself by, so that what connects to them is seen. */
const LOOPBACK_HOSTS = HOSTS.slice(0, 13);
const ITEM = 38;

describe('all of these at once', () => {
  it('make no connection; asking with a plain fetch does', async () => {
    const origins = [...HOSTS, ...Object.keys(NAMES)].flatMap((host) => [
      `http://${host}`,
      `https://${host}`,
    ]);
    const wish = { allowed: ELSEWHERE, names: NAMES, ca: CERTIFICATE.cert };
    for (const origin of origins) {
      const { port } = origin.startsWith('https') ? secure : plain;
      await post(`${origin}:${port}/`, wish);
    }
    const users = ['user@', 'user:word@', ':word@', 'hooks.example@', 'https%3A%2F%2Fhooks.example@'];
    const schemes = ['ftp:', 'file:', 'gopher:', 'ws:', 'unix:', 'javascript:'];
    for (const user of users) await post(`http://${user}127.0.0.1:${plain.port}/`);
    for (const scheme of schemes) await post(`${scheme}//127.0.0.1:${plain.port}/`);
    const dns = await startRebindingDns(['127.0.0.2', '127.0.0.1']);
    const rules = createAddressRules({ allowedNetworks: ['127.0.0.2/32'], ports: [plain.port], own: OWN });
    const rebound = createWebhookTransport({ rules, lookup: (name) => dns.lookUp(name) });
    expect(await rebound.post(`http://rebind.test:${plain.port}/`, HEADERS, '{}')).toEqual(
      failed('unreachable'),
    );
    expect(dns.questionCount).toBe(1);
    await dns.close();
    const count = plain.connectionCount + secure.connectionCount;
    const vectors = origins.length + users.length + schemes.length + 1;
    recordFigure(ITEM, {
      name: 'connections made',
      reached: `${count} for ${vectors} vectors, a name that is bound anew among them`,
      wanted: '0 for at least 60',
      isHeld: count === 0 && vectors >= 60,
    });
    expect(count).toBe(0);
    expect(vectors).toBeGreaterThanOrEqual(60);
    for (const host of LOOPBACK_HOSTS)
      await fetch(`http://${host}:${plain.port}/`, { signal: AbortSignal.timeout(1_000) }).catch(
        () => undefined,
      );
    recordControl(ITEM, {
      name: 'a plain fetch',
      shown: `${plain.connectionCount} connections for ${LOOPBACK_HOSTS.length} of them`,
      hasFailed: plain.connectionCount > 0,
    });
    expect(plain.connectionCount).toBeGreaterThan(0);
  });

  it('include a name whose address is another when it is asked for again, which leads a second question astray', async () => {
    const dns = await startRebindingDns(['127.0.0.2', '127.0.0.1']);
    const rules = createAddressRules({ allowedNetworks: ['127.0.0.2/32'], ports: [plain.port], own: OWN });
    const target = rules.read(`http://rebind.test:${plain.port}/`);
    const [checked = ''] = await dns.lookUp('rebind.test');
    expect(typeof target !== 'string' && rules.mayConnect(target, checked)).toBe(true);
    const [asked = ''] = await dns.lookUp('rebind.test');
    await fetch(`http://${asked}:${plain.port}/`);
    await dns.close();
    recordControl(ITEM, {
      name: 'a check before a second question',
      shown: `${plain.messages.length} request to ${asked} after ${checked} was checked`,
      hasFailed: plain.messages.length === 1,
    });
    expect(plain.messages.length).toBe(1);
  });
});

describe('an address inside', () => {
  it.each(HOSTS.flatMap((host) => [`http://${host}`, `https://${host}`]))(
    'is not connected to as %s',
    async (origin) => {
      const { port } = origin.startsWith('https') ? secure : plain;
      expect(await post(`${origin}:${port}/`, { allowed: ELSEWHERE })).toEqual(failed('refused_address'));
      expect(plain.connectionCount + secure.connectionCount).toBe(0);
    },
  );

  it.each(Object.keys(NAMES))('is not connected to by the name %s', async (name) => {
    const wish = { allowed: ELSEWHERE, names: NAMES, ca: CERTIFICATE.cert };
    expect(await post(`http://${name}:${plain.port}/`, wish)).toEqual(failed('refused_address'));
    expect(await post(`https://${name}:${secure.port}/`, wish)).toEqual(failed('refused_address'));
    expect(plain.connectionCount + secure.connectionCount).toBe(0);
  });

  it('is not connected to behind a backslash, where parsers differ', async () => {
    const wish = { allowed: ELSEWHERE, names: { 'evil.test': [] } };
    expect(await post(`http://evil.test:${plain.port}\\@127.0.0.1:${plain.port}/`, wish)).toEqual(
      failed('unreachable'),
    );
    expect(plain.connectionCount).toBe(0);
  });

  it('is connected to when the operator allows it: what counts connections does count', async () => {
    expect(await post(plain.url)).toEqual({ kind: 'answered', status: 204, retryAfter: null });
    expect(plain.connectionCount).toBe(1);
  });

  it.each(['user@', 'user:word@', ':word@', 'hooks.example@', 'https%3A%2F%2Fhooks.example@'])(
    'is not connected to behind the user part %s',
    async (user) => {
      expect(await post(`http://${user}127.0.0.1:${plain.port}/`)).toEqual(failed('refused_address'));
      expect(plain.connectionCount).toBe(0);
    },
  );

  it.each(['ftp:', 'file:', 'gopher:', 'ws:', 'unix:', 'javascript:'])(
    'is not connected to by the scheme %s',
    async (scheme) => {
      expect(await post(`${scheme}//127.0.0.1:${plain.port}/`)).toEqual(failed('refused_address'));
      expect(plain.connectionCount).toBe(0);
    },
  );

  it('that is this server itself is not connected to, though its network is allowed', async () => {
    const own = { host: '127.0.0.1', port: plain.port };
    expect(await post(plain.url, { own })).toEqual(failed('refused_address'));
    expect(await post(`http://localhost:${plain.port}/`, { own })).toEqual(failed('refused_address'));
    expect(plain.connectionCount).toBe(0);
  });

  it.each(['22', '25', '5432'])('is not connected to at port %s', async (port) => {
    expect(await post(`http://127.0.0.1:${port}/`)).toEqual(failed('refused_address'));
  });
});

describe('the name of a receiver', () => {
  it('is asked for once: the connection goes to the very address that was checked', async () => {
    const asked: string[] = [];
    const rules = createAddressRules({ allowedNetworks: ['127.0.0.1/32'], ports: [plain.port], own: OWN });
    const lookup = async (host: string) => {
      asked.push(host);
      // Whoever asked a second time would be led astray.
      return await Promise.resolve(asked.length === 1 ? ['127.0.0.1'] : ['127.0.0.2']);
    };
    const result = await createWebhookTransport({ rules, lookup }).post(
      `http://hooks.test:${plain.port}/`,
      HEADERS,
      '{}',
    );
    expect(result).toMatchObject({ status: 204 });
    expect(asked).toEqual(['hooks.test']);
    expect(plain.messages[0]?.headers['host']).toBe(`hooks.test:${plain.port}`);
  });

  it('is the one that the certificate must be for', async () => {
    const names = { localhost: ['127.0.0.1'], 'other.test': ['127.0.0.1'] };
    const wish = { names, ca: CERTIFICATE.cert };
    expect(await post(`https://localhost:${secure.port}/`, wish)).toMatchObject({ status: 204 });
    expect(await post(`https://other.test:${secure.port}/`, wish)).toEqual(failed('tls'));
    expect(secure.messages).toHaveLength(1);
  });

  it.each(['http', 'https'])('is not handed to a proxy of the environment, over %s', async (scheme) => {
    const { url, port } = scheme === 'http' ? plain : secure;
    const proxy = await startWebhookReceiver();
    const script = `
      import { createAddressRules } from './address-rules.ts';
      import { createWebhookTransport } from './transport.ts';
      const rules = createAddressRules({ allowedNetworks: ['127.0.0.0/8'], ports: [${port}], own: { host: 'x', port: 1 } });
      console.log(JSON.stringify(await createWebhookTransport({ rules, ca: process.env.CA }).post('${url}', {}, '{}')));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module-typescript', '--eval', script],
      {
        cwd: import.meta.dirname,
        env: {
          CA: CERTIFICATE.cert,
          NODE_USE_ENV_PROXY: '1',
          ALL_PROXY: proxy.url,
          HTTP_PROXY: proxy.url,
          HTTPS_PROXY: proxy.url,
          http_proxy: proxy.url,
          https_proxy: proxy.url,
        },
      },
    );
    await proxy.close();
    expect(JSON.parse(stdout)).toMatchObject({ status: 204 });
    expect(plain.connectionCount + secure.connectionCount).toBe(1);
    expect(proxy.connectionCount).toBe(0);
  });
});

describe('an answer', () => {
  it.each([301, 302, 303, 307, 308])('that redirects with %i is not followed', async (status) => {
    plain.answerWith((response) => response.writeHead(status, { location: `${plain.url}inside` }).end());
    expect(await post(plain.url)).toMatchObject({ kind: 'answered', status });
    expect(plain.connectionCount).toBe(1);
    expect(plain.messages.map((message) => message.path)).toEqual(['/']);
  });

  it('that never ends is cut, and its status counts', async () => {
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      plain.answerWith((response) => {
        response.writeHead(200);
        response.on('close', resolve);
        const chunk = Buffer.alloc(16_384);
        const more = () => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
          response.once('drain', more);
        };
        more();
      });
    });
    expect(await post(plain.url)).toMatchObject({ kind: 'answered', status: 200 });
    await closed;
    // What the system had buffered on both sides beside the 64 KiB that were read.
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  it('that trickles is cut at the deadline, and its status counts', async () => {
    plain.answerWith((response) => response.writeHead(200).write('a'));
    expect(await post(plain.url, { timeoutMs: 300 })).toMatchObject({ kind: 'answered', status: 200 });
  });

  it('that does not come is a timeout', async () => {
    plain.answerWith(() => undefined);
    expect(await post(plain.url, { timeoutMs: 300 })).toEqual(failed('timeout'));
  });

  it('tells when to come again', async () => {
    plain.answerWith((response) => response.writeHead(429, { 'retry-after': '120' }).end());
    expect(await post(plain.url)).toEqual({ kind: 'answered', status: 429, retryAfter: '120' });
  });

  it('that breaks off, or is no HTTP at all, is no answer', async () => {
    plain.answerWith((response) => response.destroy());
    expect(await post(plain.url)).toEqual(failed('unreachable'));
    const { url, close } = await listenRaw((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(await post(url, { ports: [portOf(url)] })).toEqual(failed('unreachable'));
    await close();
  });

  it('that is not over but switches the protocol is no answer', async () => {
    const { url, close } = await listenRaw((socket) =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    );
    expect(await post(url, { ports: [portOf(url)] })).toEqual(failed('unreachable'));
    await close();
  });
});

describe('a failure to connect', () => {
  it('looks the same for a closed port, an unknown name and one that takes its time', async () => {
    const free = await listenRaw(() => undefined);
    const port = portOf(free.url);
    await free.close();
    expect(await post(free.url, { ports: [port] })).toEqual(failed('unreachable'));
    expect(await post(`http://unknown.test:${port}/`, { ports: [port], names: {} })).toEqual(
      failed('unreachable'),
    );
    const rules = createAddressRules({ allowedNetworks: ['127.0.0.0/8'], ports: [port], own: OWN });
    const lookup = () => new Promise<never>(() => undefined);
    const slow = createWebhookTransport({ rules, lookup, timeoutMs: 100 });
    expect(await slow.post(`http://slow.test:${port}/`, HEADERS, '{}')).toEqual(failed('unreachable'));
  });

  it('leaves the line of those who ask for a name when its time is over, and is never asked for later', async () => {
    const asked: string[] = [];
    const slow: (() => void)[] = [];
    const rules = createAddressRules({ allowedNetworks: ['127.0.0.0/8'], ports: [plain.port], own: OWN });
    const lookup = async (host: string) => {
      asked.push(host);
      if (host.startsWith('slow')) await new Promise<void>((resolve) => slow.push(resolve));
      return ['127.0.0.1'];
    };
    const transport = createWebhookTransport({ rules, lookup, timeoutMs: 500 });
    const send = (url: string) => transport.post(url, HEADERS, '{}');
    const urls = ['slow-1', 'slow-2', 'late-1', 'late-2'].map((name) => `http://${name}.test:${plain.port}/`);
    const results = await Promise.all(urls.map(send));
    expect(results).toEqual(urls.map(() => failed('unreachable')));
    for (const end of slow) end();
    expect(await send(`http://next.test:${plain.port}/`)).toMatchObject({ status: 204 });
    expect(asked).toEqual(['slow-1.test', 'slow-2.test', 'next.test']);
    expect(plain.connectionCount).toBe(1);
  });

  it('over TLS is told apart only once something answers', async () => {
    expect(await post(secure.url)).toEqual(failed('tls'));
    expect(await post(plain.url.replace('http:', 'https:'))).toEqual(failed('tls'));
    expect(secure.messages).toHaveLength(0);
    const { url, close } = await listenRaw(() => undefined);
    const silent = { ports: [portOf(url)], timeoutMs: 200 };
    expect(await post(url.replace('http:', 'https:'), silent)).toEqual(failed('timeout'));
    await close();
  });
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}

async function listenRaw(onConnection: (socket: Socket) => void): Promise<{
  url: string;
  close: () => Promise<void>;
}> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
