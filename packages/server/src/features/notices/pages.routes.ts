import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { matchesEtag } from '../../http/index.ts';
import type { Locale } from '../../jobs/index.ts';
import { preferredLocale } from '../../lib/accept-language.ts';
import { sha256Hex } from '../../lib/mac.ts';

interface Page {
  readonly url: string;
  readonly main: string;
  readonly script: string;
  readonly titles: Readonly<Record<Locale, string>>;
}

const PAGES: readonly Page[] = [
  {
    url: '/key-link',
    main: 'key-link.html',
    script: 'key-link.mjs',
    titles: { en: 'Your API key · Keyreeve', ja: 'APIキーの受け取り · Keyreeve' },
  },
  {
    url: '/invitation',
    main: 'invitation.html',
    script: 'password.mjs',
    titles: { en: 'Welcome to Keyreeve', ja: 'Keyreeveへようこそ' },
  },
  {
    url: '/password-reset',
    main: 'password-reset.html',
    script: 'password.mjs',
    titles: { en: 'Set a new password · Keyreeve', ja: 'パスワードの再設定 · Keyreeve' },
  },
];

const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
/** Each file that is served has its own route: no text of a request ever becomes a path. */
const ASSETS: readonly { readonly name: string; readonly type: string }[] = [
  { name: 'page.css', type: CSS },
  { name: 'page.mjs', type: SCRIPT },
  { name: 'key-link.mjs', type: SCRIPT },
  { name: 'password.mjs', type: SCRIPT },
];

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const ROUTE = { config: { auth: { kinds: ['anonymous'], action: null } }, schema: { hide: true } } as const;

interface StaticFile {
  readonly type: string;
  readonly body: string;
  readonly etag: string;
}

function readPageFile(name: string): string {
  return readFileSync(path.join(import.meta.dirname, 'pages', name), 'utf8');
}

function toStaticFile(type: string, body: string): StaticFile {
  return { type, body, etag: `"${sha256Hex(body).slice(0, 32)}"` };
}

/**
 * `no-cache` means: keep it, but ask each time. A page of one release never meets the script of another, and
 * asking costs an empty 304.
 */
function sendFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile): FastifyReply {
  reply.header('cache-control', 'no-cache').header('etag', file.etag);
  if (matchesEtag(request.headers['if-none-match'], file.etag)) return reply.code(304).send();
  return reply.type(file.type).send(file.body);
}

function composePage(shell: string, page: Page, locale: Locale): StaticFile {
  const parts: Readonly<Record<string, string>> = {
    LANG: locale,
    TITLE: page.titles[locale],
    SCRIPT: page.script,
    MAIN: readPageFile(page.main).trim(),
  };
  return toStaticFile(
    'text/html; charset=utf-8',
    shell.replace(/%([A-Z]+)%/g, (_all, name: string) => parts[name] ?? ''),
  );
}

/**
 * The pages that links in mails lead to. They are static and hold nothing: a mail
 * scanner that fetches one uses nothing up. What a link is good for stands behind `#`, and only pressing the
 * button sends it.
 */
export function registerPageRoutes(app: FastifyInstance): void {
  const shell = readPageFile('shell.html');
  for (const page of PAGES) {
    const files: Readonly<Record<Locale, StaticFile>> = {
      en: composePage(shell, page, 'en'),
      ja: composePage(shell, page, 'ja'),
    };
    app.get(page.url, ROUTE, (request, reply) => {
      reply.header('content-security-policy', CONTENT_SECURITY_POLICY).header('vary', 'accept-language');
      return sendFile(request, reply, files[preferredLocale(request.headers['accept-language'])]);
    });
  }
  for (const { name, type } of ASSETS) {
    const file = toStaticFile(type, readPageFile(name));
    app.get(`/assets/pages/${name}`, ROUTE, (request, reply) => sendFile(request, reply, file));
  }
}
