import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BodyOf, MintedKey } from '../packages/sdk/src/index.ts';
import { mintKey, type Person, signIn } from './console.ts';
import { openPage } from './docs/doc-page.ts';
import { FULL_KEY, fillIn, openShell } from './docs/shell.ts';
import { type Gateway, startCaddy, startHaproxy, startNginx } from './gateway-programs.ts';
import {
  askOverHttp2,
  type EchoService,
  sendOverWire,
  startEchoService,
  type WireAnswer,
  type WireRequest,
} from './gateway-wire.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN, type Workplace } from './server-process.ts';

type Headers = NonNullable<WireRequest['headers']>;

const GATEWAYS = [
  { name: 'nginx', page: 'docs/gateways/nginx.md', start: startNginx },
  { name: 'Caddy', page: 'docs/gateways/caddy.md', start: startCaddy },
  { name: 'HAProxy', page: 'docs/gateways/haproxy.md', start: startHaproxy },
];
const BODY_BYTES = 1_000_000;
const ALIAS_HOST = 'other.keys.test';

let workplace: Workplace;
let server: ServerProcess;
let service: EchoService;
const gateways = new Map<string, Gateway>();
let admin: Person;
let robotId: string;
/** May read and write orders, and nothing else. */
let key: MintedKey;
let reader: MintedKey;
let token: string;

const mint = (actions: string[], more: Partial<BodyOf<'createKey'>> = {}): Promise<MintedKey> =>
  mintKey(admin, robotId, {
    comment: 'behind a gateway',
    access: 'scoped',
    scopes: [{ actions, resources: ['/orders/*'] }],
    ...more,
  });

beforeAll(async () => {
  workplace = openWorkplace();
  service = await startEchoService();
  const env = { ...WITH_ADMIN, KEYREEVE_BASE_DOMAIN: 'keys.test', KEYREEVE_TRUST_PROXY: '127.0.0.1' };
  server = await workplace.start({ env });
  const neighbours = { keyreevePort: server.port, keyreeveHost: 'localhost', servicePort: service.port };
  // When one does not start, the others must be known to be stopped.
  const started = await Promise.allSettled(
    GATEWAYS.map(async ({ name, page, start }) => {
      const folder = path.join(workplace.folder, name);
      mkdirSync(folder);
      gateways.set(name, await start(page, folder, neighbours));
    }),
  );
  for (const { reason } of started.filter((one) => one.status === 'rejected')) throw reason;
  admin = await signIn(server.url);
  await admin.api.POST('/v1/workspaces', { body: { name: 'Other', subdomain: 'other' } });
  const grants = [{ actions: ['orders:*'], resources: ['*'] }];
  const robot = { technicalName: 'robot', displayName: 'Robot', grants };
  robotId = (await admin.api.POST('/v1/service-accounts', { body: robot })).data.id;
  key = await mint(['orders:read', 'orders:write']);
  reader = await mint(['orders:read']);
  const credentials = { auth_mode: 'apikey', apikey: key.apiKey, secretkey: key.secretKey };
  const login = await fetch(`${server.url}/iam/login`, { method: 'POST', body: JSON.stringify(credentials) });
  token = ((await login.json()) as { token: string }).token;
});
afterAll(async () => {
  await Promise.all([...gateways.values()].map((gateway) => gateway.stop()));
  service.close();
  await workplace.close();
});
beforeEach(() => void service.take());

const bearer = ({ fullKey }: MintedKey): Headers => [['Authorization', `Bearer ${fullKey}`]];
const basic = (user: string, password: string): Headers => [
  ['Authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`],
];

function sendTo(name: string, request: WireRequest): Promise<WireAnswer> {
  const gateway = gateways.get(name);
  if (gateway === undefined) throw new Error(`No gateway ${name} was started.`);
  return sendOverWire(gateway.port, request);
}

/** What a client could try so that a path is public, or an order, to the gateway and another to the service. */
const UNCLEAR_TARGETS = [
  '/public/../orders/1',
  '/public/..%2forders/1',
  '/public/..%2Forders/1',
  '/public/%2e%2e/orders/1',
  '/public/.%2e/orders/1',
  '/public/%252e%252e/orders/1',
  '/public/..;/orders/1',
  '/public/..;a=b/orders/1',
  '/public;/../orders/1',
  '/public/..%5corders/1',
  '/public/..\\orders/1',
  '/public/..%c0%aforders/1',
  '/public/%00/../../orders/1',
  '/public//orders/1',
  '//orders/1',
  '//public/x',
  '/./orders/1',
  '/orders//1',
  '/orders/1%00',
  '/orders/1%00.png',
  '/orders/1%0a',
  '/orders/1%0d%0aX-Injected:%20yes',
  '/orders/1%20HTTP/1.1%0d%0aHost:%20other.keys.test',
  '/orders/1;/../../admin',
  '/orders/..%2fadmin',
  '/orders/../admin',
  '/orders/%2e%2e/admin',
  '/orders%2f..%2fadmin',
  '/orders/1%3faction=orders:read',
  '/admin&resource=/orders/1',
  '/admin%26resource=/orders/1',
  '/admin%26resource%3d/orders/1',
  '/admin&action=orders:read&resource=/orders/1',
  '/admin+/orders/1',
  '/admin,/orders/1',
  '/admin%2c/orders/1',
  '/orders/*',
  '/orders/{path}',
  '/orders/$request_uri',
  '/orders/%[path]',
  '/orders/\u00e4',
  '/orders/1\u0001',
  '/orders/1#/../../admin',
  `/orders/${'a'.repeat(1100)}`,
  `/orders/${'a'.repeat(9000)}`,
  `/orders/${'a'.repeat(40_000)}`,
  `/orders/1?${'a'.repeat(40_000)}`,
];

describe.each(GATEWAYS)('$name, configured as $page says,', ({ name }) => {
  const send = (request: WireRequest) => sendTo(name, request);
  const only = () => {
    const [seen, ...more] = service.take();
    expect(more).toEqual([]);
    if (seen === undefined) throw new Error('The service got no request.');
    return seen;
  };

  it.each([
    ['no key', []],
    ['a malformed key', [['X-API-Key', 'kr_x']]],
    [
      'an unknown key',
      [['X-API-Key', 'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD']],
    ],
    ['a scheme that is none', [['Authorization', 'Digest x']]],
  ] as [string, Headers][])('answers %s with 401 and says how to authenticate', async (_what, headers) => {
    const answer = await send({ headers });
    expect(answer.status).toBe(401);
    expect(answer.header('WWW-Authenticate')).toBe(
      'Bearer realm="keyreeve", Basic realm="keyreeve", charset="UTF-8"',
    );
    expect(answer.header('X-Keyreeve-Reason')).toBe('invalid');
    expect(service.take()).toEqual([]);
  });

  it('lets a good key pass in each spelling, and tells the service whose it is, not what it is', async () => {
    const { apiKey, secretKey, fullKey } = key;
    const spellings: Headers[] = [
      bearer(key),
      basic(apiKey, secretKey),
      basic('token', fullKey),
      [['X-API-Key', fullKey]],
      [['X-NuGet-ApiKey', fullKey]],
      [['Authorization', `Bearer ${token}`]],
      [['X-API-Key', fullKey], ...basic(apiKey, secretKey)],
    ];
    for (const headers of spellings) {
      const answer = await send({ headers, target: '/orders/1?page=2&action=x' });
      expect(answer.status, JSON.stringify(headers)).toBe(200);
      const seen = only();
      expect(seen.target).toBe('/orders/1?page=2&action=x');
      expect(seen.headers).toMatchObject({
        'x-keyreeve-account': robotId,
        'x-keyreeve-account-kind': 'service',
        'x-keyreeve-account-login': 'robot',
        'x-keyreeve-key-id': apiKey,
        'x-keyreeve-workspace': expect.stringMatching(/^wsp_/),
      });
      const text = JSON.stringify(seen.headers);
      expect(text).not.toContain(secretKey);
      for (const gone of ['authorization', 'x-api-key', 'x-nuget-apikey'])
        expect(seen.headers).not.toHaveProperty(gone);
    }
  });

  // Keyreeve refuses requests with two of them, since programs disagree about which one counts.
  it('keeps cookies from Keyreeve and leaves them to the service', async () => {
    const cookies: Headers = [
      ['Cookie', 'first=1'],
      ['Cookie', 'second=2'],
    ];
    expect((await send({ headers: [...cookies, ...bearer(key)] })).status).toBe(200);
    expect(only().headers.cookie).toBe('first=1; second=2');
  });

  it('believes no client that says who it is', async () => {
    const spoofed: Headers = [
      ['X-Keyreeve-Account', 'acc_spoofed'],
      ['x-keyreeve-account-kind', 'spoofed'],
      ['X-KEYREEVE-ACCOUNT-LOGIN', 'spoofed'],
      ['X-Keyreeve-Key-Id', 'spoofed'],
      ['X-Keyreeve-Workspace', 'spoofed'],
      ['X-Keyreeve-Reason', 'spoofed'],
      ['X_Keyreeve_Account', 'spoofed'],
      ['X-Keyreeve_Account', 'spoofed'],
      ['X_Keyreeve-Account', 'spoofed'],
      // Programs that speak CGI make an underscore of more than the hyphen.
      ['X.Keyreeve.Account', 'spoofed'],
      ['X~Keyreeve~Account', 'spoofed'],
      ["X'Keyreeve'Account", 'spoofed'],
      ['Forwarded', 'for=spoofed'],
      ['X-Forwarded-For', '203.0.113.66'],
      ['X-Original-URL', '/spoofed'],
      ['X-Rewrite-URL', '/spoofed'],
      ['X-HTTP-Method-Override', 'SPOOFED'],
      ['X-HTTP-Method', 'SPOOFED'],
      ['X-Method-Override', 'SPOOFED'],
      ['X_HTTP_Method_Override', 'SPOOFED'],
      ['X.HTTP.Method.Override', 'SPOOFED'],
      ['X_Original_URL', '/spoofed'],
      ['X_Forwarded_For', '203.0.113.66'],
    ];
    expect((await send({ headers: [...spoofed, ...bearer(key)] })).status).toBe(200);
    const guarded = only().headers;
    expect(guarded['x-keyreeve-account']).toBe(robotId);
    expect(guarded['x-forwarded-for']).toBe('127.0.0.1');
    expect(JSON.stringify(guarded)).not.toMatch(/spoofed|203\.0\.113\.66/i);
    expect((await send({ headers: spoofed, target: '/public/x' })).status).toBe(200);
    const open = only().headers;
    expect(JSON.stringify(open)).not.toMatch(/spoofed|x-keyreeve|203\.0\.113\.66/i);
  });

  it('lets no client take out again what says who it is', async () => {
    for (const value of [
      'X-Keyreeve-Account',
      'close, x-keyreeve-account',
      'Keep-Alive,X-KEYREEVE-ACCOUNT',
    ]) {
      const answer = await send({
        headers: [['Connection', value], ...bearer(key), ['Connection', 'close']],
      });
      const seen = service.take();
      if (answer.status === 200) expect(seen[0]?.headers['x-keyreeve-account']).toBe(robotId);
      else expect([answer.status, seen]).toEqual([400, []]);
      expect(seen[0]?.headers.connection ?? '').not.toMatch(/keyreeve/i);
    }
  });

  // A service that takes up HTTP/2 on a connection answers what comes next on it, and no gateway reads that any more.
  it.each(['/orders/1', '/public/x'])(
    'lets nobody change the protocol behind its back, at %s',
    async (target) => {
      for (const upgrade of ['h2c', 'H2C', 'h2c, websocket', 'websocket, h2c', 'other', 'TLS/1.0']) {
        const headers: Headers = [
          ['Connection', 'Upgrade, HTTP2-Settings'],
          ['Upgrade', upgrade],
          ['HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA'],
          ['Connection', 'close'],
        ];
        await send({ target, headers: [...headers, ...bearer(key)] });
        for (const seen of service.take()) expect(seen.headers, upgrade).not.toHaveProperty('upgrade');
      }
    },
  );

  it('answers a key that may not do it with 403, whatever the method', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get']) {
      const answer = await send({ headers: bearer(reader), method });
      // Caddy and nginx know no lower-case methods; whoever refuses it is right.
      expect([400, 403, 405], method).toContain(answer.status);
      if (method !== 'get') expect(answer.header('X-Keyreeve-Reason')).toBe('insufficient_scope');
    }
    for (const target of ['/admin', '/', '/orders', '/admin?resource=/orders/1', '/admin?action=orders:read'])
      expect((await send({ headers: bearer(key), target })).status, target).toBe(403);
    const overridden = [...bearer(reader), ['X-HTTP-Method-Override', 'GET'] as const];
    expect((await send({ headers: overridden, method: 'DELETE' })).status).toBe(403);
    expect(service.take()).toEqual([]);
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    'lets %s pass as it is',
    async (method) => {
      expect((await send({ headers: bearer(key), method })).status).toBe(200);
      expect(only().method).toBe(method);
      expect((await send({ method })).status).toBe(401);
      expect(service.take()).toEqual([]);
    },
  );

  it('hands on a body of a megabyte whole', async () => {
    const body = randomBytes(BODY_BYTES);
    expect((await send({ headers: bearer(key), method: 'POST', body })).status).toBe(200);
    expect(only().bodyBytes).toBe(BODY_BYTES);
  });

  it.each([false, true])(
    'keeps a refused body back without the next requests waiting for it',
    async (isChunked) => {
      const body = randomBytes(100_000);
      expect((await send({ headers: bearer(reader), method: 'POST', body, isChunked })).status).toBe(403);
      expect(service.take()).toEqual([]);
      for (let count = 0; count < 3; count += 1)
        expect((await send({ headers: bearer(key), method: 'POST', body, isChunked })).status).toBe(200);
      expect(service.take().map((seen) => seen.bodyBytes)).toEqual([100_000, 100_000, 100_000]);
    },
  );

  it('refuses a revoked key at the very next request', async () => {
    const revoked = await mint(['orders:read']);
    expect((await send({ headers: bearer(revoked) })).status).toBe(200);
    await admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: revoked.apiKey } } });
    service.take();
    expect((await send({ headers: bearer(revoked) })).status).toBe(401);
    expect(service.take()).toEqual([]);
  });

  it('asks about no other path than the service gets, however it is spelt', async () => {
    for (const target of UNCLEAR_TARGETS) {
      for (const headers of [bearer(key), []]) {
        const { status } = await send({ target, headers });
        expect(Math.floor(status / 100), target.slice(0, 60)).toBe(4);
      }
      expect(service.take(), target.slice(0, 60)).toEqual([]);
    }
  });

  it('knows a path in the absolute form of an address for what it is', async () => {
    const statusOf = async (target: string) => (await send({ target, headers: bearer(key) })).status;
    expect([400, 403]).toContain(await statusOf('http://api.example.com/admin'));
    expect([400, 403]).toContain(await statusOf('http://api.example.com/admin?/orders/1'));
    await statusOf('http://orders/1');
    expect(service.take()).toEqual([]);
  });

  it('asks in the workspace of its configuration, whatever host the client names', async () => {
    const forwarded: Headers = [['X-Forwarded-Host', ALIAS_HOST], ...bearer(key)];
    expect((await send({ headers: forwarded })).status).toBe(200);
    const answer = await send({ headers: bearer(key), host: ALIAS_HOST });
    const reached = service.take().length;
    // Caddy serves the host of its configuration only, and answers others with nothing.
    expect([answer.status, reached]).toEqual([200, name === 'Caddy' ? 1 : 2]);
  });

  it('holds allow lists of addresses against the address of the client, not what the client says', async () => {
    const near = await mint(['orders:read'], { ipRanges: ['127.0.0.1'] });
    const far = await mint(['orders:read'], { ipRanges: ['203.0.113.0/24'] });
    const claim: Headers = [['X-Forwarded-For', '203.0.113.9']];
    expect((await send({ headers: [...claim, ...bearer(near)] })).status).toBe(200);
    const refused = await send({ headers: [...claim, ...bearer(far)] });
    expect([refused.status, refused.header('X-Keyreeve-Reason')]).toEqual([401, 'ip_not_allowed']);
  });

  it('refuses two different credentials with 400', async () => {
    const headers: Headers = [...bearer(key), ['X-API-Key', reader.fullKey]];
    expect((await send({ headers })).status).toBe(400);
    expect(service.take()).toEqual([]);
  });

  it('holds all that over HTTP/2 too', async () => {
    const port = gateways.get(name)?.http2Port ?? 0;
    const good = { 'x-api-key': key.fullKey };
    const spoofed = {
      'x-keyreeve-account': 'spoofed',
      'x.keyreeve.account': 'spoofed',
      'x-original-url': '/spoofed',
    };
    expect(await askOverHttp2(port, '/orders/1?q=1', { ...good, ...spoofed })).toBe(200);
    const seen = only();
    expect(seen).toMatchObject({ target: '/orders/1?q=1', headers: { 'x-keyreeve-account': robotId } });
    expect(JSON.stringify(seen.headers)).not.toContain('spoofed');
    expect(await askOverHttp2(port, '/orders/1')).toBe(401);
    expect(await askOverHttp2(port, '/orders/1', { 'x-api-key': reader.fullKey, ':method': 'DELETE' })).toBe(
      403,
    );
    const short = UNCLEAR_TARGETS.filter((target) => target.length < 100);
    for (const target of [...short, 'orders/1', '*', '/orders/1 HTTP/1.1\r\nX: y'])
      expect([400, 403, null], target).toContain(await askOverHttp2(port, target, good));
    expect(service.take()).toEqual([]);
  });

  it('leaves an error of the service as it is', async () => {
    const answer = await send({ headers: bearer(key), target: '/orders/broken' });
    expect([answer.status, answer.header('X-Service')]).toEqual([500, 'echo']);
  });
});

describe('the question of every gateway', () => {
  let keyreeve: EchoService;
  const asking: Gateway[] = [];

  beforeAll(async () => {
    keyreeve = await startEchoService();
    const host = { keyreevePort: keyreeve.port, keyreeveHost: 'keys.example.com', servicePort: service.port };
    for (const { name, page, start } of GATEWAYS) {
      const folder = path.join(workplace.folder, `${name}-asking`);
      mkdirSync(folder);
      asking.push(await start(page, folder, host));
    }
  });
  afterAll(async () => {
    await Promise.all(asking.map((gateway) => gateway.stop()));
    keyreeve.close();
  });

  /** What the programs add by themselves; Caddy hands on what it does not drop. */
  const more: Readonly<Record<string, readonly string[]>> = {
    nginx: [],
    Caddy: ['accept-encoding', 'x-forwarded-host', 'x-forwarded-method', 'x-forwarded-proto', 'x-other'],
    HAProxy: ['accept', 'user-agent'],
  };

  it.each(GATEWAYS.map(({ name }, index) => ({ name, index })))(
    'names the host of Keyreeve, and what $name has to hold back stays there',
    async ({ name, index }) => {
      const headers: Headers = [
        ['X-API-Key', 'kr_x'],
        ['Cookie', 'session=1'],
        ['X-Forwarded-Host', ALIAS_HOST],
        ['X-Forwarded-For', '203.0.113.66'],
        ['Expect', '100-continue'],
        ['X-Other', 'x'],
      ];
      const target = '/orders/1?action=orders:read&resource=x';
      const body = randomBytes(100);
      await sendOverWire(asking[index]?.port ?? 0, { method: 'POST', target, headers, body });
      // HAProxy looks at the health of Keyreeve as well.
      const [question, ...others] = keyreeve.take().filter((seen) => seen.target.startsWith('/v1/'));
      expect(others).toEqual([]);
      expect([...new URL(question?.target ?? '', 'http://x').searchParams]).toEqual([
        ['action', 'orders:write'],
        ['resource', '/orders/1'],
      ]);
      expect(question).toMatchObject({ method: 'GET', bodyBytes: 0 });
      const wanted = { host: 'keys.example.com', 'x-api-key': 'kr_x', 'x-forwarded-for': '127.0.0.1' };
      expect(question?.headers).toMatchObject(wanted);
      const names = Object.keys(question?.headers ?? {}).toSorted();
      expect(names).toEqual([...Object.keys(wanted), ...(more[name] ?? [])].toSorted());
    },
  );

  it('is all that programs beside HAProxy can send by its connections to Keyreeve', async () => {
    const lua = readFileSync(path.join(workplace.folder, 'HAProxy-asking/keyreeve.lua'), 'utf8');
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(lua)?.[1]);
    for (const target of [
      '/v1/keys',
      '/v1/authorize/../keys',
      '/iam/login',
      '//v1/authorize',
      '/v1/authorize/x',
    ])
      expect((await sendOverWire(port, { target })).status, target).toBe(403);
    expect(keyreeve.take().filter(({ target }) => target !== '/healthz')).toEqual([]);
  });
});

describe.each(GATEWAYS.filter(({ name }) => name !== 'Caddy'))(
  '$name, for ids that need escapes,',
  (each) => {
    let gateway: Gateway;
    const send = (target: string, headers: Headers) => sendOverWire(gateway.port, { target, headers });

    beforeAll(async () => {
      const folder = path.join(workplace.folder, `${each.name}-escapes`);
      mkdirSync(folder);
      const ports = { keyreevePort: server.port, servicePort: service.port };
      gateway = await each.start(each.page, folder, {
        ...ports,
        keyreeveHost: 'localhost',
        isForEscapes: true,
      });
    });
    afterAll(() => gateway.stop());

    it.each([
      'a%20b',
      'a%40b.example',
      'a%3Ab',
      'J%C3%BCrgen',
      '%e3%81%82',
      '%F0%9F%98%80/x',
      'x/J%c3%bc/y/',
      '17',
      '',
    ])('asks about /orders/%s, and hands it on as it came', async (id) => {
      expect((await send(`/orders/${id}?q=%2F`, bearer(key))).status).toBe(200);
      expect(service.take()[0]?.target).toBe(`/orders/${id}?q=%2F`);
      expect((await send(`/orders/${id}`, [])).status).toBe(401);
      expect((await send(`/admin/${id}`, bearer(key))).status).toBe(403);
      expect(service.take()).toEqual([]);
      expect((await send(`/public/${id}`, [])).status).toBe(200);
      service.take();
    });

    it('takes no right to a folder, nor to another id, for one to what lies in it', async () => {
      for (const resources of [['/orders/'], ['/*/'], ['/orders/a*'], ['/orders/a']]) {
        const narrow = await mint([], { scopes: [{ actions: ['orders:read'], resources }] });
        expect((await send('/orders/J%C3%BCrgen', bearer(narrow))).status, resources.join()).toBe(403);
      }
      expect(service.take()).toEqual([]);
    });

    it('still refuses what can be read in two ways', async () => {
      const overlong = [
        '%c0%af',
        '%c1%9c',
        '%e0%80%af',
        '%e0%9f%bf',
        '%f0%80%80%af',
        '%f8%80%80%80%af',
        '%c3',
        '%e3%81',
      ];
      const others = [
        '%',
        '%2',
        '%zz',
        '%u002f',
        '%7f',
        '%0d',
        '%23',
        '%3b',
        '%5c',
        '%2e',
        '%61',
        '%20..',
        '.%20',
        '%c3/%bc',
      ];
      const targets = [...overlong, ...others].map((text) => `/public/${text}/orders/1`);
      for (const target of [...UNCLEAR_TARGETS, ...targets]) {
        const { status } = await send(target, bearer(key));
        expect(Math.floor(status / 100), target.slice(0, 60)).toBe(4);
      }
      expect(service.take()).toEqual([]);
    });
  },
);

describe('docs/gateways/README.md', () => {
  it('shows commands that try a gateway, and what they answer', async () => {
    const page = openPage('docs/gateways/README.md');
    const folder = path.join(workplace.folder, 'reader');
    mkdirSync(folder);
    // What the name service would say of the name that the page uses.
    const port = gateways.get('nginx')?.port ?? 0;
    writeFileSync(path.join(folder, '.curlrc'), `connect-to = "api.example.com:80:127.0.0.1:${port}"\n`);
    const scopes = [{ actions: ['iam:*', 'orders:*'], resources: ['*'] }];
    const body = { technicalName: 'operator', displayName: 'Operator', grants: scopes };
    const { id } = (await admin.api.POST('/v1/service-accounts', { body })).data;
    const operator = await mintKey(admin, id, { comment: 'operator', access: 'scoped', scopes });
    const shell = openShell(folder, { KEYREEVE_URL: server.url, KEYREEVE_API_KEY: operator.fullKey });
    const block = page.claim('sh', 'keys create').text;
    const created = await shell.run(block.split('curl')[0] ?? '');
    const fullKey = FULL_KEY.exec(created.stdout)?.[0] ?? '';
    const requests = block.split('\n').filter((line) => line.startsWith('curl'));
    const tried = await shell.run(fillIn(requests.join('\n'), server.url, fullKey));
    const statuses = [...tried.stdout.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    expect(statuses, tried.output).toEqual(['200', '403', '401']);
    page.expectAllClaimed();
  });
});

// At the end: nothing answers afterwards.
describe('every gateway', () => {
  const askAll = async () =>
    await Promise.all(
      GATEWAYS.map(async ({ name }) => {
        const { status } = await sendTo(name, { headers: bearer(key) });
        return `${name} ${status}`;
      }),
    );

  it('lets nothing pass while Keyreeve hangs', async () => {
    expect(await askAll()).toEqual(['nginx 200', 'Caddy 200', 'HAProxy 200']);
    service.take();
    server.signal('SIGSTOP');
    const answers = await askAll();
    server.signal('SIGCONT');
    expect(answers).toEqual(['nginx 503', 'Caddy 504', 'HAProxy 503']);
    expect(service.take()).toEqual([]);
  });

  it('lets nothing pass while Keyreeve is away, and serves what needs no key', async () => {
    await server.stop();
    expect(await askAll()).toEqual(['nginx 503', 'Caddy 502', 'HAProxy 503']);
    expect(service.take()).toEqual([]);
    for (const { name } of GATEWAYS)
      expect((await sendTo(name, { target: '/public/x' })).status, name).toBe(200);
  });
});
