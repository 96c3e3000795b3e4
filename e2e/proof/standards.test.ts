import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import { type Company, call, getToken, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dumpRows } from '../../packages/testkit/src/database-files.ts';
import { createTestCertificate } from '../../packages/testkit/src/smtp-sink.ts';

/** Requirements of standards that no other test holds; docs/security/asvs.md and standards.md name each. */
const ROOT = path.resolve(import.meta.dirname, '../..');
/** As a proxy that ends TLS hands requests on. */
const HOST = { host: 'keys.test', 'x-forwarded-proto': 'https' };
const METRICS_TOKEN = 'token-of-whoever-reads-the-metrics';
const OPEN_PATHS = [
  '/',
  '/sign-in',
  '/key-link',
  '/docs',
  '/docs/errors',
  '/docs/style.css',
  '/healthz',
  '/openapi.json',
  '/.well-known/jwks.json',
  '/v1/console',
  '/v3/index.json',
  '/api/v2',
  '/nowhere',
  '/v1/keys/self',
];

let harness: Harness;
let company: Company;
beforeAll(async () => {
  harness = await startHarness({
    environment: {
      KEYREEVE_PUBLIC_URL: 'https://keys.test',
      KEYREEVE_METRICS_TOKEN: METRICS_TOKEN,
      KEYREEVE_TRUST_PROXY: '127.0.0.1',
    },
  });
  company = await seedCompany(harness);
});
afterAll(() => harness.close());

/** Production code below a folder, by file. */
function readSources(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => [name, readFileSync(path.join(ROOT, folder, name), 'utf8')] as const);
  expect(files.length).toBeGreaterThan(2);
  return new Map(files);
}
const filesWith = (folder: string, pattern: RegExp): string[] =>
  [...readSources(folder)].filter(([, text]) => pattern.test(text)).map(([name]) => name);
const get = (url: string, headers: Record<string, string> = {}) =>
  harness.app.inject({ url, headers: { ...HOST, ...headers } });

describe('answers', () => {
  it('every answer over https carries HSTS for a year and subdomains', async () => {
    for (const url of [...OPEN_PATHS, '/v1/keys?limit=x'])
      expect((await get(url)).headers['strict-transport-security'], url).toBe(
        'max-age=31536000; includeSubDomains',
      );
  });

  it('every text of every open route names its character set', async () => {
    for (const url of OPEN_PATHS) {
      const type = String((await get(url)).headers['content-type']);
      expect(type, url).toMatch(/^(text|application)\/[\w.+-]+; ?charset=utf-8/i);
    }
  });

  it('answers an API call over http without a redirect', async () => {
    for (const url of ['/v1/keys/self', '/v1/authorize', '/oauth2/token', '/iam/login', '/v3/index.json']) {
      const headers = { host: 'keys.test', 'x-forwarded-proto': 'http' };
      const answers = [
        await harness.app.inject({ url, headers }),
        await harness.app.inject({ method: 'POST', url, headers }),
      ];
      for (const { statusCode } of answers) expect(statusCode < 300 || statusCode >= 400, url).toBe(true);
    }
  });

  it('TRACE and other methods that nobody needs are refused', async () => {
    for (const method of ['TRACE', 'PROPFIND', 'SEARCH', 'LOCK'] as const)
      for (const url of OPEN_PATHS) {
        const { statusCode, body } = await harness.app.inject({
          method,
          url,
          headers: { ...HOST, 'x-echo': 'me' },
        });
        expect([404, 405, 501], `${method} ${url}`).toContain(statusCode);
        expect(body).not.toContain('x-echo');
      }
  });

  it('files of the repository and of the disk are not served', async () => {
    const paths = [
      '.git/config',
      '.env',
      'package.json',
      'node_modules/fastify/package.json',
      'master.key',
      'data/keyreeve.db',
    ];
    for (const name of [
      ...paths,
      '..%2fpackage.json',
      '%2e%2e/package.json',
      'assets/console/..%2f..%2fpackage.json',
    ])
      expect([400, 404], name).toContain((await get(`/${name}`)).statusCode);
  });

  it('metrics are for the machine itself or for whoever has the token', async () => {
    expect((await get('/metrics')).statusCode).toBe(404);
    expect((await get('/metrics', { authorization: `Bearer ${METRICS_TOKEN}` })).statusCode).toBe(200);
    expect((await get('/metrics', { authorization: 'Bearer wrong' })).statusCode).toBe(404);
  });

  it('a GET of every route changes no row but those that count it', async () => {
    const { paths = {} } = harness.app.swagger() as { paths?: Record<string, Record<string, unknown>> };
    const urls = Object.keys(paths)
      // A stream, which ends when its reader leaves.
      .filter((url) => paths[url]?.['get'] !== undefined && url !== '/v1/revocations')
      .map((url) => url.replaceAll(/\{[^}]+\}/g, company.member.id));
    expect(urls.length).toBeGreaterThan(50);
    const crawl = async () => {
      for (const url of urls) await call(harness, 'GET', url, { key: company.adminKey, headers: HOST });
      // An export is written down, and uses are counted.
      const isCounted = /^(audit|refusal|usage|key_usage|key_use|counters|outbox|sessions|key_facts|meta)/;
      return (await dumpRows(harness))
        .split(/\n(?=[a-z_]+(?:\n|$))/)
        .filter((table) => !isCounted.test(table));
    };
    const before = await crawl();
    expect(before.length).toBeGreaterThan(10);
    expect(await crawl()).toEqual(before);
  });

  it('client credentials get no refresh token', async () => {
    const minted = await call(harness, 'POST', `/v1/accounts/${company.member.id}/keys`, {
      key: company.adminKey,
      headers: HOST,
      body: { comment: 'client', access: 'account' },
    });
    const form = 'grant_type=client_credentials';
    const { apiKey, secretKey } = minted.json<{ apiKey: string; secretKey: string }>();
    const answer = await harness.app.inject({
      method: 'POST',
      url: '/oauth2/token',
      headers: {
        ...HOST,
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString('base64')}`,
      },
      payload: form,
    });
    expect(Object.keys(answer.json<object>()).toSorted()).toEqual(
      expect.not.arrayContaining(['refresh_token']) as string[],
    );
    expect(answer.statusCode, typeof getToken).toBe(200);
  });

  it('an administrator may start a reset and not set a password', async () => {
    const answer = await call(harness, 'PATCH', `/v1/users/${company.member.id}`, {
      key: company.adminKey,
      headers: { ...HOST, 'if-match': '"1"' },
      body: { password: 'lantern orchard seventeen' },
    });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'request.invalid']);
  });

  it('a line in the log cannot be made by what a caller sends', async () => {
    const before = harness.logLines.length;
    const hostile = '\n{"level":60,"msg":"forged"}\u001b[31m';
    await get(`/v1/keys/${encodeURIComponent(hostile)}`, {
      authorization: `Bearer ${encodeURIComponent(hostile)}`,
    });
    await get(`/nowhere/${encodeURIComponent(hostile)}?${encodeURIComponent(hostile)}`);
    const lines = harness.logLines.slice(before);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(line.trimEnd()).not.toMatch(/[\n\u001b]/);
      expect(JSON.parse(line)).not.toMatchObject({ msg: 'forged' });
    }
  });
});

it('TLS below 1.2 is refused', async () => {
  const { cert, key } = createTestCertificate();
  const { createServer } = await import('node:https');
  // As http-server.ts makes it.
  const server = createServer({ cert, key, minVersion: 'TLSv1.2' }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const port = (server.address() as { port: number }).port;
  const outcome = await new Promise<string>((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    socket.once('secureConnect', () => resolve(socket.getProtocol() ?? ''));
    socket.once('error', (error: Error) => resolve(`refused: ${error.message}`));
  });
  server.close();
  expect(outcome).toMatch(/^refused/);
  expect(filesWith('packages/server/src', /minVersion: 'TLSv1(?:\.1)?'|secureProtocol|SECLEVEL/)).toEqual([]);
});

describe('the sources', () => {
  it('no file of the server starts a program but the server itself', () => {
    expect(
      filesWith('packages/server/src', /child_process|\beval\(|new Function\(|runInNewContext\((?!'gc'\))/),
    ).toEqual([]);
    expect(filesWith('packages/server/src', /node:cluster/)).not.toEqual([]);
  });

  it('nothing of the server takes chance or time from elsewhere than its one source', () => {
    expect(filesWith('packages/server/src', /Math\.random\(/)).toEqual([]);
    for (const folder of ['features', 'http', 'jobs', 'storage'])
      expect(filesWith(`packages/server/src/${folder}`, /\bDate\.now\(/)).toEqual([]);
  });

  it('cryptography names no weak algorithm', () => {
    const weak =
      /(?:createHash|createHmac|createCipheriv|createSign|hash)\(\s*['"](?:md5|sha1|sha-1|des|rc4|aes-\d+-(?:ecb|cbc)|rsa-md5)/i;
    expect(filesWith('packages/server/src', weak)).toEqual([]);
    expect(filesWith('packages/server/src', /createCipheriv\(\s*'aes-256-gcm'/)).not.toEqual([]);
  });

  it('cryptography comes from Node.js, argon2 and jose alone', () => {
    const { dependencies } = JSON.parse(
      readFileSync(path.join(ROOT, 'packages/server/package.json'), 'utf8'),
    ) as {
      dependencies: Record<string, string>;
    };
    const names = Object.keys(dependencies).filter((name) =>
      /crypt|argon|jose|jwt|sodium|nacl|forge|elliptic|hash|ssh/.test(name),
    );
    expect(names.toSorted()).toEqual(['@node-rs/argon2', 'jose']);
  });

  it('the console listens to no messages of other windows', () => {
    const pattern =
      /(?:window|globalThis|self)\.(?:addEventListener\(\s*'message'|onmessage)|window\.opener|\.parent\.postMessage/;
    expect(filesWith('packages/console/src', pattern)).toEqual([]);
  });

  it('password fields are masked and take what is pasted', () => {
    const fields = filesWith('packages/console/src', /autoComplete=["{']*(?:new|current)-password/);
    expect(fields.length).toBeGreaterThan(1);
    const sources = readSources('packages/console/src');
    for (const name of fields) expect(sources.get(name), name).toMatch(/PasswordInput|PasswordField/);
    for (const name of fields)
      expect(sources.get(name), name).not.toMatch(/onPaste|preventDefault\(\).*paste/);
  });
});

describe('the document of the API', () => {
  const names = (pattern: RegExp): string[] => {
    const document = readFileSync(path.join(ROOT, 'docs/api/openapi.json'), 'utf8');
    return [...document.matchAll(/"([A-Za-z]\w*)":\s*\{/g)]
      .map(([, name = '']) => name)
      .filter((name) => pattern.test(name));
  };

  it('no schema asks for hints or questions', () => {
    expect(names(/^hint$|passwordHint|secretQuestion|securityQuestion/i)).toEqual([]);
    expect(names(/^password$/)).not.toEqual([]);
  });

  it('no setting makes passwords expire', () => {
    expect(names(/^(?:maxPassword|password)(?:Lifetime|Max|Age|Expiry)\w*$/)).toEqual([]);
    expect(filesWith('packages/server/src/features/settings', /password\w*(?:days|age|expir)/i)).toEqual([]);
  });
});
