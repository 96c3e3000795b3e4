import { readdirSync } from 'node:fs';
import path from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preferredLocale } from '../../lib/accept-language.ts';
import { registerPageRoutes } from './pages.routes.ts';

const PAGES = ['/key-link', '/invitation', '/password-reset'];
const FOLDER = path.join(import.meta.dirname, 'pages');

let app: FastifyInstance;

beforeAll(() => {
  app = Fastify();
  registerPageRoutes(app);
});
afterAll(() => app.close());

async function get(url: string, headers: Record<string, string> = {}) {
  return await app.inject({ method: 'GET', url, headers });
}

/** Addresses of scripts, styles and modules that a text refers to. */
function assetsIn(text: string): string[] {
  const linked = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? '');
  const imported = [...text.matchAll(/from '\.\/([^']+)'|import '\.\/([^']+)'/g)].map(
    (match) => `/assets/pages/${match[1] ?? match[2] ?? ''}`,
  );
  return [...linked, ...imported];
}

describe('the pages of mailed links', () => {
  it.each(PAGES)(
    'run nothing but the own files of the server, send nothing elsewhere and stand in no frame: %s',
    async (url) => {
      const answer = await get(url);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
      );
      // What the policy forbids would silently not work: inline scripts, styles and handlers, and pictures.
      expect(answer.body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|<img|https?:/i);
      expect(answer.body).not.toMatch(/%[A-Z]+%/);
    },
  );

  it.each(PAGES)('find every file that they refer to: %s', async (url) => {
    const toFetch = assetsIn((await get(url)).body);
    expect(toFetch.length).toBeGreaterThanOrEqual(2);
    for (const asset of toFetch) {
      const answer = await get(asset);
      expect(answer.statusCode, asset).toBe(200);
      expect(answer.headers['content-type']).toMatch(
        asset.endsWith('.css') ? /^text\/css/ : /^text\/javascript/,
      );
      toFetch.push(...assetsIn(answer.body).filter((found) => !toFetch.includes(found)));
    }
  });

  it.each(PAGES)('speak the language of the browser, and tell caches so: %s', async (url) => {
    const english = await get(url, { 'accept-language': 'en-GB' });
    const japanese = await get(url, { 'accept-language': 'ja-JP,ja;q=0.9,en;q=0.8' });
    expect(english.body).toContain('<html lang="en">');
    expect(japanese.body).toContain('<html lang="ja">');
    expect(japanese.headers['vary']).toBe('accept-language');
    expect(japanese.headers['etag']).not.toBe(english.headers['etag']);
  });

  it.each(PAGES)('say everything in both languages: %s', async (url) => {
    const { body } = await get(url);
    const words = body.replace(/<span[^>]* data-always[^>]*>[^<]*<\/span>/g, '');
    const count = (lang: string) => words.split(`<span lang="${lang}">`).length - 1;
    expect(count('en')).toBe(count('ja'));
    // Text outside of both would be read in the wrong language.
    const rest = words
      .replace(/<head>[\s\S]*<\/head>/, '')
      .replace(/<span lang="(?:en|ja)">(?:<code>[^<]*<\/code>|[^<])*<\/span>/g, '')
      .replace(/<code>[^<]*<\/code>|<[^>]*>/g, '');
    expect(rest.replace(/[\s·]/g, '')).toBe('');
  });

  it('are sent again only when they changed', async () => {
    for (const url of [...PAGES, '/assets/pages/page.css', '/assets/pages/key-link.mjs']) {
      const first = await get(url);
      expect(first.headers['cache-control']).toBe('no-cache');
      const second = await get(url, { 'if-none-match': `"other", W/${String(first.headers['etag'])}` });
      expect(second.statusCode).toBe(304);
      expect(second.body).toBe('');
    }
  });
});

describe('the files of the pages', () => {
  it.each([
    '/assets/pages/',
    '/assets/pages/shell.html',
    '/assets/pages/../pages.routes.ts',
    '/assets/pages/..%2fpages.routes.ts',
    '/assets/pages/page.css%00',
    '/assets/pages/PAGE.CSS',
  ])('are a fixed list; nothing else of the disk is reached: %s', async (url) => {
    expect((await get(url)).statusCode).toBe(404);
  });

  it('all serve a page', async () => {
    for (const name of readdirSync(FOLDER).filter((file) => !file.endsWith('.html'))) {
      expect((await get(`/assets/pages/${name}`)).statusCode, name).toBe(200);
    }
  });
});

describe('the language of a browser', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['ja', 'ja'],
    ['en-US,en;q=0.9', 'en'],
    ['ja-JP', 'ja'],
    ['fr-FR,fr;q=0.9,ja;q=0.3', 'ja'],
    ['fr', 'en'],
    ['en;q=0.5,ja;q=0.8', 'ja'],
    ['en;q=0.8, ja;q=0.8', 'en'],
    ['ja;q=0.8, en;q=0.8', 'ja'],
    ['ja;q=0', 'en'],
    ['JA', 'ja'],
    ['jaa, jam', 'en'],
    [`${'x,'.repeat(600)}ja`, 'en'],
  ])('%j is answered with %s', (header, locale) => {
    expect(preferredLocale(header)).toBe(locale);
  });
});
