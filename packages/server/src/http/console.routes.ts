import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requestErrors } from '../errors/index.ts';
import type { Random } from '../lib/random.ts';
import { acceptsEncoding } from './accepts-encoding.ts';
import { CONSOLE_PATHS, type ConsoleFile, type ConsoleFiles } from './console-files.ts';

const ROUTE = { config: { auth: { kinds: ['anonymous'], action: null } }, schema: { hide: true } } as const;
const NONCE_BYTES = 16;
// The names of assets hold eight characters of the digest of their content, all but the icon.
const FOR_EVER = 'public, max-age=31536000, immutable';
const SHORTLY = 'public, max-age=3600';
const HASHED_NAME = /-[\w-]{8}\.\w+$/;

const NOT_BUILT = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Keyreeve</title></head>
<body><p>The console has not been built. Stop the server and run <code>npm start</code>, which builds it. The API works: <a href="/docs">/docs</a></p></body>
</html>
`;

/**
 * Scripts and connections come from here alone; style elements need the nonce of this very answer. Trusted Types
 * let no text become markup. No page may frame the console.
 */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types default',
  ].join('; ');
}

function sendAsset(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  file: ConsoleFile,
): FastifyReply {
  reply
    .type(file.type)
    .header('vary', 'accept-encoding')
    .header('cache-control', HASHED_NAME.test(name) ? FOR_EVER : SHORTLY);
  const accepted = request.headers['accept-encoding'];
  if (file.brotli !== null && acceptsEncoding('br', accepted))
    return reply.header('content-encoding', 'br').send(file.brotli);
  if (file.gzip !== null && acceptsEncoding('gzip', accepted))
    return reply.header('content-encoding', 'gzip').send(file.gzip);
  return reply.send(file.body);
}

/** The console: one page under every address that a person may open, and the files that it loads. */
export function registerConsoleRoutes(
  app: FastifyInstance,
  deps: { readonly files: ConsoleFiles | null; readonly random: Random },
): void {
  const { files, random } = deps;
  for (const path of CONSOLE_PATHS) {
    app.get(path, ROUTE, (_request, reply) => {
      const nonce = Buffer.from(random.bytes(NONCE_BYTES)).toString('base64');
      reply
        .type('text/html; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('content-security-policy', contentSecurityPolicy(nonce));
      if (files === null) return reply.code(503).send(NOT_BUILT);
      return reply.send(files.page.replaceAll('__CSP_NONCE__', nonce));
    });
  }
  app.get<{ Params: { name: string } }>('/assets/console/:name', ROUTE, (request, reply) => {
    const { name } = request.params;
    const file = files?.assets.get(name);
    if (file === undefined) throw requestErrors.not_found();
    return sendAsset(request, reply, name, file);
  });
}
