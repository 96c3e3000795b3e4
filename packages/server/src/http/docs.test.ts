import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../errors/index.ts';
import { registerDocsRoutes } from './docs.routes.ts';
import { registerOpenApi } from './openapi.ts';

let app: FastifyInstance;
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

/** Addresses of all that the page loads. */
async function listAssets(): Promise<string[]> {
  const { body } = await get('/docs');
  return [...body.matchAll(/(?:src|href)="(\/docs\/assets\/[^"]+)"/g)].map((match) => match[1] ?? '');
}

beforeAll(async () => {
  app = Fastify();
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof AppError ? error.status : 500).send(),
  );
  await registerOpenApi(app);
  registerDocsRoutes(app);
  await app.ready();
});
afterAll(() => app.close());

describe('the reference at /docs', () => {
  it('runs nothing that stands in the page, and loads nothing from elsewhere', async () => {
    const { body, headers } = await get('/docs');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(body).not.toMatch(/<style|style=|<script(?![^>]* src="\/)|\son\w+=/i);
    expect(body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(await listAssets()).toHaveLength(4);
  });

  it('is in the language of the visitor, as far as the words are ours', async () => {
    const english = await get('/docs', { 'accept-language': 'fr, en;q=0.5' });
    const japanese = await get('/docs', { 'accept-language': 'ja-JP, en;q=0.5' });
    expect(english.body).toContain('<html lang="en">');
    expect(english.body).toContain('API reference');
    expect(japanese.body).toContain('<html lang="ja">');
    expect(japanese.body).toContain('APIリファレンス');
    expect(japanese.body).toContain('<div id="reference" lang="en">');
    expect(japanese.headers['vary']).toBe('accept-language');
  });

  it('leads to the plain list where there is no JavaScript', async () => {
    const { body } = await get('/docs');
    expect(body).toMatch(/<noscript>.*href="\/docs\/endpoints"/);
    expect((await get('/docs/endpoints')).body).toContain('<h1>Keyreeve API</h1>');
    expect((await get('/docs/errors')).statusCode).toBe(200);
  });

  it('may be kept for ever, each file under a name that changes with it', async () => {
    for (const url of await listAssets()) {
      const { headers, statusCode } = await get(url);
      expect([statusCode, headers['cache-control']], url).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ]);
      expect(url).toMatch(/-(?:[0-9a-f]{16}|\d+\.\d+\.\d+)\.(?:m?js|css)$/);
      expect(headers['content-type'], url).toMatch(/^text\/(?:javascript|css); charset=utf-8$/);
    }
  });

  it('comes compressed for those who take it', async () => {
    const [url = ''] = await listAssets();
    const plain = await get(url);
    const brotli = await get(url, { 'accept-encoding': 'gzip, br' });
    const zipped = await get(url, { 'accept-encoding': 'gzip, br;q=0' });
    expect([brotli.headers['content-encoding'], zipped.headers['content-encoding']]).toEqual(['br', 'gzip']);
    expect(brotliDecompressSync(brotli.rawPayload).equals(plain.rawPayload)).toBe(true);
    expect(gunzipSync(zipped.rawPayload).equals(plain.rawPayload)).toBe(true);
    expect(brotli.rawPayload.length * 4).toBeLessThan(plain.rawPayload.length);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers['vary']).toBe('accept-encoding');
  });

  it('answers HEAD with the headers of GET', async () => {
    const answer = await app.inject({ method: 'HEAD', url: '/docs' });
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect(answer.headers['content-security-policy']).toBe(
      (await get('/docs')).headers['content-security-policy'],
    );
  });

  it('hands out no other file of the library, nor of the disk', async () => {
    const names = [
      'swagger-ui.js',
      'package.json',
      '..%2fdocs-page.ts',
      '%2e%2e/openapi.ts',
      'index.html',
      '',
    ];
    for (const name of names) expect((await get(`/docs/assets/${name}`)).statusCode, name).toBe(404);
    expect((await get('/docs/errors/none.such')).statusCode).toBe(404);
    expect((await get('/docs/assets/swagger-ui-bundle.js.LICENSE.txt')).statusCode).toBe(200);
  });
});
