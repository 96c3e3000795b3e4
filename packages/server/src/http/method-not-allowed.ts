import type { FastifyInstance } from 'fastify';
import { requestErrors } from '../errors/index.ts';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Answers 404, or 405 with `Allow` when the address exists for other methods (RFC 9110 15.5.6). */
export function registerMethodNotAllowed(app: FastifyInstance): void {
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', (route) => {
    const known = paths.get(route.url) ?? { pattern: toPattern(route.url), methods: new Set() };
    for (const method of [route.method].flat()) known.methods.add(method);
    paths.set(route.url, known);
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?')[0] ?? '';
    const methods = new Set(
      [...paths.values()].filter((known) => known.pattern.test(path)).flatMap((known) => [...known.methods]),
    );
    if (methods.size === 0) throw requestErrors.not_found({ detail: 'There is nothing at this address.' });
    throw requestErrors.method_not_allowed({ headers: { allow: [...methods].toSorted().join(', ') } });
  });
}

function toPattern(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replace(/:[A-Za-z]+/g, '[^/]+')
    .replace(/\*/g, '.*');
  return new RegExp(`^${source.replace(/\/$/, '')}/?$`);
}
