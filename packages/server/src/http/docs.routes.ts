import type { FastifyInstance, FastifyReply } from 'fastify';
import { findErrorEntry, listErrorEntries, requestErrors } from '../errors/index.ts';

const ANYBODY = { auth: { kinds: ['anonymous'], action: null } } as const;
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

/** Readable docs of this very server: each endpoint, and each error code with its remedy. Problems link here. */
export function registerDocsRoutes(app: FastifyInstance): void {
  app.get('/docs', { config: ANYBODY, schema: { hide: true } }, (_request, reply) => {
    const paths = (app.swagger().paths ?? {}) as Record<string, Record<string, Operation>>;
    return sendPage(
      reply,
      'API',
      `<h1>Keyreeve API</h1><p><a href="/openapi.json">OpenAPI 3.1</a> · <a href="/docs/errors">Error codes</a></p><table>${listOperations(paths)}</table>`,
    );
  });
  app.get('/docs/errors', { config: ANYBODY, schema: { hide: true } }, (_request, reply) => {
    const rows = listErrorEntries().map(
      (entry) =>
        `<tr><td><a href="/docs/errors/${entry.code}"><code>${entry.code}</code></a></td><td>${entry.status}</td><td>${toHtml(entry.title)}</td></tr>`,
    );
    return sendPage(reply, 'Errors', `<h1>Error codes</h1><table>${rows.join('')}</table>`);
  });
  app.get<{ Params: { code: string } }>(
    '/docs/errors/:code',
    { config: ANYBODY, schema: { hide: true } },
    (request, reply) => {
      const entry = findErrorEntry(request.params.code);
      if (entry === undefined) throw requestErrors.not_found({ detail: 'There is no such error code.' });
      return sendPage(
        reply,
        entry.code,
        `<h1><code>${entry.code}</code></h1><p>HTTP ${entry.status}: ${toHtml(entry.title)}</p><h2>What to do</h2><p>${toHtml(entry.remedy)}</p><p><a href="/docs/errors">All error codes</a></p>`,
      );
    },
  );
  app.get('/docs/style.css', { config: ANYBODY, schema: { hide: true } }, (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=3600').send(STYLE),
  );
}
