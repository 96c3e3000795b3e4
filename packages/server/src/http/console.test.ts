import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../errors/index.ts';
import { systemRandom } from '../lib/random.ts';
import { registerConsoleRoutes } from './console.routes.ts';
import { CONSOLE_PATHS, type ConsoleFiles } from './console-files.ts';

const SCRIPT = 'console.log("a script long enough to shrink when it is compressed");'.repeat(20);
const FILES: ConsoleFiles = {
  page: '<!doctype html><meta name="csp-nonce" content="__CSP_NONCE__"><div id="root"></div>',
  assets: new Map([
    [
      'index-a1B2c3D4.js',
      {
        type: 'text/javascript; charset=utf-8',
        body: Buffer.from(SCRIPT),
        brotli: brotliCompressSync(SCRIPT),
        gzip: gzipSync(SCRIPT),
      },
    ],
    ['apple-touch-icon.png', { type: 'image/png', body: Buffer.from('png'), brotli: null, gzip: null }],
    ['icon.svg', { type: 'image/svg+xml', body: Buffer.from('<svg/>'), brotli: null, gzip: null }],
  ]),
};

let app: FastifyInstance;

function start(files: ConsoleFiles | null): FastifyInstance {
  app = Fastify();
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof AppError ? error.status : 500).send(),
  );
  registerConsoleRoutes(app, { files, random: systemRandom });
  return app;
}

afterEach(() => app.close());

describe('the console as it is served', () => {
  it.each(CONSOLE_PATHS)(
    'is one and the same page under every address that a person may open: %s',
    async (address) => {
      const answer = await start(FILES).inject({
        url: address.replace(':id', 'acc_1').replace(':version', '1.0.0'),
      });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.body).toContain('<div id="root">');
    },
  );

  it('is served under every address that its router knows, and under no other', () => {
    const folder = path.resolve(import.meta.dirname, '../../../console/src');
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => readFileSync(path.join(folder, name), 'utf8'));
    const routes = sources.flatMap((source) => source.split('createRoute(').slice(1));
    const addresses = routes.flatMap((route) => /^ {2}path: '([^']+)'/m.exec(route)?.[1] ?? []);
    expect(addresses.map((address) => address.replaceAll('$', ':')).toSorted()).toEqual(
      CONSOLE_PATHS.toSorted(),
    );
    // The frame around the pages is the one route without an address.
    expect(routes.length - addresses.length).toBe(1);
  });

  it('has a nonce of its own in every answer, the same in policy and page, and is never kept by a cache', async () => {
    const server = start(FILES);
    const nonces = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const answer = await server.inject({ url: '/users' });
      const inPolicy = /'nonce-([^']+)'/.exec(String(answer.headers['content-security-policy']))?.[1];
      const inPage = /content="([^"]+)"/.exec(answer.body)?.[1];
      expect(inPage).toBe(inPolicy);
      expect(Buffer.from(inPage ?? '', 'base64')).toHaveLength(16);
      expect(answer.headers['cache-control']).toBe('no-store');
      nonces.add(inPage ?? '');
    }
    expect(nonces.size).toBe(3);
  });

  it('may run its own scripts alone, talk to its own server alone, write no markup and stand in no frame', async () => {
    const answer = await start(FILES).inject({ url: '/' });
    const policy = String(answer.headers['content-security-policy']);
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      expect.stringMatching(/^style-src 'self' 'nonce-[A-Za-z0-9+/]{22}=='$/),
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "manifest-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types default',
    ]);
  });

  it('sends a file whose name holds its digest for ever, and any other for an hour', async () => {
    const server = start(FILES);
    const hashed = await server.inject({ url: '/assets/console/index-a1B2c3D4.js' });
    expect(hashed.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const icon = await server.inject({ url: '/assets/console/icon.svg' });
    expect(icon.headers['cache-control']).toBe('public, max-age=3600');
    expect(icon.headers['content-type']).toBe('image/svg+xml');
    const named = await server.inject({ url: '/assets/console/apple-touch-icon.png' });
    expect(named.headers['cache-control']).toBe('public, max-age=3600');
  });

  it('sends the small twin to whoever can read it, and the whole file to everybody else', async () => {
    const server = start(FILES);
    const url = '/assets/console/index-a1B2c3D4.js';
    const packed = await server.inject({ url, headers: { 'accept-encoding': 'gzip, deflate' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.rawPayload).toString()).toBe(SCRIPT);
    const whole = await server.inject({ url });
    expect(whole.headers['content-encoding']).toBeUndefined();
    expect(whole.headers['vary']).toBe('accept-encoding');
    expect(whole.body).toBe(SCRIPT);
  });

  it.each([
    ['gzip, deflate, br', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['BR;Q=0.000 , GZIP;q=0.5', 'gzip'],
    ['br; q=0.001', 'br'],
    ['gzip;q=0', undefined],
    ['brotli, zgzip', undefined],
    ['identity', undefined],
  ])('sends no form of a file that the client forbids: %s', async (accepted, sent) => {
    const server = start(FILES);
    const url = '/assets/console/index-a1B2c3D4.js';
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await server.inject({ method, url, headers: { 'accept-encoding': accepted } });
      expect(answer.headers['content-encoding']).toBe(sent);
      if (method === 'HEAD') expect(answer.rawPayload).toHaveLength(0);
    }
  });

  it.each([
    '/assets/console/nothing.js',
    '/assets/console/..%2f..%2fpackage.json',
    '/assets/console/__proto__',
  ])('knows no file but those of the build: %s', async (url) => {
    expect((await start(FILES).inject({ url })).statusCode).toBe(404);
  });

  it('says how to build it when it has not been built', async () => {
    const answer = await start(null).inject({ url: '/' });
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('npm start');
  });
});
