import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findErrorEntry, listErrorEntries, requestErrors } from '../errors/index.ts';
import { preferredLocale } from '../lib/accept-language.ts';
import { acceptsEncoding } from './accepts-encoding.ts';
import { type DocsAssets, type Encoding, openDocsAssets } from './docs-assets.ts';
import { renderReference } from './docs-page.ts';

const ROUTE = { config: { auth: { kinds: ['anonymous'], action: null } }, schema: { hide: true } } as const;
/** The library draws its icons from `data:`; scripts, styles and calls are from here alone, none of them inline. */
const REFERENCE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');
const FOR_EVER = 'public, max-age=31536000, immutable';
const STYLE = `body{font:16px/1.6 system-ui,"Hiragino Sans","Noto Sans JP",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#13181b;background:#fff}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em;overflow-wrap:anywhere}a{color:#0d6e7a}table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #dce0e3;padding:.4rem .6rem;text-align:left;vertical-align:top}
@media(max-width:40rem){tr{display:block;border-bottom:1px solid #dce0e3;padding:.4rem 0}td{display:block;border:0;padding:.1rem 0}}
@media(prefers-color-scheme:dark){body{color:#e6eaec;background:#111619}a{color:#66bcc8}td,th,tr{border-color:#31383c}}`;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Backticks are the only markup of the catalogue. */
function toHtml(text: string): string {
  return escapeHtml(text).replace(/`([^`]*)`/g, '<code>$1</code>');
}

function sendPage(reply: FastifyReply, title: string, body: string): FastifyReply {
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)} - Keyreeve</title><link rel="stylesheet" href="/docs/style.css"></head><body>${body}</body></html>`;
  return reply
    .type('text/html; charset=utf-8')
    .header(
      'content-security-policy',
      "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    )
    .header('cache-control', 'no-cache')
    .send(page);
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
}

function listOperations(paths: Record<string, Record<string, Operation>>): string {
  return Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) =>
          `<tr><td><code>${escapeHtml(method.toUpperCase())} ${escapeHtml(path)}</code></td><td>${toHtml(operation.summary ?? '')}<br><small>${toHtml(operation.description ?? '')}</small></td></tr>`,
      ),
    )
    .join('');
}

/** Without JavaScript, and for text browsers: each operation in a line. */
function registerEndpointsPage(app: FastifyInstance): void {
  app.get('/docs/endpoints', ROUTE, (_request, reply) => {
    const paths = (app.swagger().paths ?? {}) as Record<string, Record<string, Operation>>;
    return sendPage(
      reply,
      'API',
      `<h1>Keyreeve API</h1><p><a href="/docs">Reference</a> · <a href="/openapi.json">OpenAPI 3.1</a> · <a href="/docs/errors">Error codes</a></p><table>${listOperations(paths)}</table>`,
    );
  });
}

function registerErrorPages(app: FastifyInstance): void {
  app.get('/docs/errors', ROUTE, (_request, reply) => {
    const rows = listErrorEntries().map(
      (entry) =>
        `<tr><td><a href="/docs/errors/${entry.code}"><code>${entry.code}</code></a></td><td>${entry.status}</td><td>${toHtml(entry.title)}</td></tr>`,
    );
    return sendPage(reply, 'Errors', `<h1>Error codes</h1><table>${rows.join('')}</table>`);
  });
  app.get<{ Params: { code: string } }>('/docs/errors/:code', ROUTE, (request, reply) => {
    const entry = findErrorEntry(request.params.code);
    if (entry === undefined) throw requestErrors.not_found({ detail: 'There is no such error code.' });
    return sendPage(
      reply,
      entry.code,
      `<h1><code>${entry.code}</code></h1><p>HTTP ${entry.status}: ${toHtml(entry.title)}</p><h2>What to do</h2><p>${toHtml(entry.remedy)}</p><p><a href="/docs/errors">All error codes</a></p>`,
    );
  });
  app.get('/docs/style.css', ROUTE, (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=3600').send(STYLE),
  );
}

function chooseEncoding(request: FastifyRequest): Encoding {
  const accepted = request.headers['accept-encoding'];
  if (acceptsEncoding('br', accepted)) return 'br';
  return acceptsEncoding('gzip', accepted) ? 'gzip' : 'identity';
}

/** The interactive reference (Swagger UI), with everything it loads from this server. */
function registerReference(app: FastifyInstance, assets: DocsAssets): void {
  app.get('/docs', ROUTE, (request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', REFERENCE_POLICY)
      .header('cache-control', 'no-cache')
      .header('vary', 'accept-language')
      .send(renderReference(preferredLocale(request.headers['accept-language']), assets.addresses)),
  );
  app.get<{ Params: { name: string } }>('/docs/assets/:name', ROUTE, async (request, reply) => {
    const file = assets.files.get(request.params.name);
    if (file === undefined) throw requestErrors.not_found();
    const encoding = chooseEncoding(request);
    if (encoding !== 'identity') reply.header('content-encoding', encoding);
    return await reply
      .type(file.type)
      .header('vary', 'accept-encoding')
      .header('cache-control', FOR_EVER)
      .send(await file.body(encoding));
  });
}

/** Docs of this very server: the reference of its API, and each error code with its remedy. Problems link here. */
export function registerDocsRoutes(app: FastifyInstance): void {
  registerReference(app, openDocsAssets());
  registerEndpointsPage(app);
  registerErrorPages(app);
}
