import type { Credential } from './credential.ts';
import { ALL, anybody, type Demand, gate, type Target, type Verdict } from './oracle.ts';
import { type Row } from './row.ts';
import { emailOf, PASSWORD } from './town.ts';

const settingsDemand = (verb: 'read' | 'write'): Demand => ({
  kinds: ALL,
  action: `iam:settings:${verb}`,
  resource: 'settings',
  isAdminOnly: verb === 'write',
});
const AUDIT: Demand = { kinds: ALL, action: 'iam:audit:read', resource: 'audit', isAdminOnly: true };
const signingKeysDemand = (verb: 'read' | 'write'): Demand => ({
  kinds: ALL,
  action: `iam:signing-keys:${verb}`,
  resource: 'signing-keys',
  isAdminOnly: true,
});
const workspacesDemand = (verb: 'read' | 'write'): Demand => ({
  kinds: ALL,
  action: `iam:workspaces:${verb}`,
  resource: 'workspaces',
  isSystemOnly: true,
});

const workspace: readonly Row[] = [
  {
    route: 'GET /v1/settings',
    send: () => ({ url: '/v1/settings' }),
    expect: (who) => gate(who, 'GET', settingsDemand('read')) ?? 'allow',
  },
  {
    route: 'PATCH /v1/settings',
    send: () => ({
      url: '/v1/settings',
      headers: { 'if-match': '*' },
      body: { supportUrl: 'https://help.example/' },
    }),
    expect: (who) => gate(who, 'PATCH', settingsDemand('write')) ?? 'allow',
  },
  {
    route: 'GET /v1/signing-keys',
    send: () => ({ url: '/v1/signing-keys' }),
    expect: (who) => gate(who, 'GET', signingKeysDemand('read')) ?? 'allow',
  },
  {
    route: 'POST /v1/signing-keys/rotate',
    send: () => ({ url: '/v1/signing-keys/rotate' }),
    expect: (who) => gate(who, 'POST', signingKeysDemand('write')) ?? 'allow',
    // A successor waits since the caller before.
    reached: [409],
  },
  {
    // Not one that exists: with it, the tokens of all the other callers would end.
    route: 'POST /v1/signing-keys/:kid/retire',
    send: () => ({ url: `/v1/signing-keys/${'A'.repeat(43)}/retire` }),
    expect: (who) => gate(who, 'POST', signingKeysDemand('write')) ?? 404,
  },
  {
    route: 'GET /v1/audit',
    send: () => ({ url: '/v1/audit?limit=200' }),
    expect: (who) => gate(who, 'GET', AUDIT) ?? 'allow',
  },
  {
    route: 'GET /v1/audit',
    variant: 'of an account of the other workspace',
    send: (who) => ({ url: `/v1/audit?account=${who.away.accounts.member}` }),
    expect: (who) => gate(who, 'GET', AUDIT) ?? 'allow',
    judge: (answer) =>
      answer.json<{ items: unknown[] }>().items.length === 0 ? null : 'rows of the other workspace are shown',
  },
  {
    route: 'GET /v1/workspaces',
    send: () => ({ url: '/v1/workspaces' }),
    expect: (who) => gate(who, 'GET', workspacesDemand('read')) ?? 'allow',
  },
  {
    route: 'POST /v1/workspaces',
    send: () => ({ url: '/v1/workspaces', body: { name: 'Third', subdomain: 'third' } }),
    expect: (who) => gate(who, 'POST', workspacesDemand('write')) ?? 'allow',
  },
];

/** Routes that ask for no credential: none opens them and none closes them. */
function openRow(route: string, rest: Partial<Row> & { readonly url?: string } = {}): Row {
  const [, path = ''] = route.split(' ');
  const { url = path, ...row } = rest;
  return { route, send: () => ({ url }), expect: (who) => anybody(who), ...row };
}

/** They set a cookie or send a mail: another site may not have its visitors do it. */
function signInRow(
  path: string,
  body: (who: Credential) => unknown,
  outcome: Verdict,
  reached: readonly number[] = [],
): Row {
  return {
    route: `POST ${path}`,
    send: (who) => ({ url: path, body: body(who) }),
    reached,
    expect: (who) => {
      const verdict = anybody(who, true);
      return verdict === 'allow' ? outcome : verdict;
    },
  };
}

const LINK = { token: 'a'.repeat(43), password: `${PASSWORD}-Nj3v` };

const PAGE_FILES = ['page.css', 'page.mjs', 'key-link.mjs', 'password.mjs'];
const CONSOLE_PAGES = [
  '/',
  '/sign-in',
  '/first-run',
  '/forgot-password',
  '/overview',
  '/my-keys',
  '/keys',
  '/packages',
  '/packages/:id',
  '/packages/:id/:version',
  '/reserved-ids',
  '/users',
  '/users/:id',
  '/service-accounts',
  '/service-accounts/:id',
  '/audit',
  '/mails',
  '/webhooks',
  '/webhooks/:id',
  '/settings',
  '/profile',
];
const PAGES = [
  ...CONSOLE_PAGES,
  '/key-link',
  '/invitation',
  '/password-reset',
  ...PAGE_FILES.map((name) => `/assets/pages/${name}`),
];

const open: readonly Row[] = [
  openRow('GET /healthz'),
  openRow('GET /readyz'),
  openRow('GET /metrics', { isHidden: true }),
  openRow('GET /openapi.json', { isHidden: true }),
  openRow('GET /docs', { isHidden: true }),
  openRow('GET /docs/endpoints', { isHidden: true }),
  openRow('GET /docs/assets/:name', {
    isHidden: true,
    url: '/docs/assets/swagger-ui-bundle.js.LICENSE.txt',
  }),
  openRow('GET /docs/errors', { isHidden: true }),
  openRow('GET /docs/errors/:code', { isHidden: true, url: '/docs/errors/auth.required' }),
  openRow('GET /docs/style.css', { isHidden: true }),
  ...PAGES.map((path) => openRow(`GET ${path}`, { isHidden: true })),
  openRow('GET /assets/console/:name', { isHidden: true, url: '/assets/console/icon.svg' }),
  openRow('GET /.well-known/jwks.json'),
  // No contact is set where the matrix runs.
  openRow('GET /.well-known/security.txt', { reached: [404] }),
  openRow('GET /v1/console'),
  signInRow(
    '/v1/session',
    (who) => ({ email: emailOf(who.home.name, 'stranger'), password: PASSWORD }),
    'allow',
  ),
  // There is an administrator: the code is not even looked at.
  signInRow(
    '/v1/setup',
    () => ({ code: 'x', email: 'evil@matrix.example', password: PASSWORD, displayName: 'Evil' }),
    'allow',
    [410],
  ),
  signInRow('/v1/password/request', () => ({}), 'allow', [400]),
  signInRow('/v1/password/reset', () => LINK, 404),
  signInRow('/v1/invitations/accept', () => LINK, 404),
  openRow('POST /v1/key-links/open', {
    send: () => ({ url: '/v1/key-links/open', body: { token: 'a'.repeat(43) } }),
    expect: (who) => (who.facts.kind === 'astray' ? 421 : 404),
  }),
];

/** 49 characters of base62: a credential from elsewhere cannot be spelled as a pair. */
const SECRET_KEY = /^[0-9A-Za-z]{49}$/;

function loginRow(path: string): Row {
  return {
    route: `POST ${path}`,
    shape: 'iam',
    send: ({ pair }) => ({
      url: path,
      body:
        pair === null
          ? { auth_mode: 'apikey' }
          : { auth_mode: 'apikey', apikey: pair.apiKey, secretkey: pair.secretKey },
    }),
    expect: ({ facts, pair }) => {
      if (facts.kind === 'astray') return 421;
      if (pair === null) return 400;
      return facts.kind === 'key' && SECRET_KEY.test(pair.secretKey) ? 'allow' : 401;
    },
  };
}

/** The only credential of these routes is a token, wherever else one is. */
function onToken({ facts }: Credential, _target: Target): Verdict {
  if (facts.kind === 'astray') return 421;
  return facts.kind === 'token' ? 'allow' : 401;
}

function tokenRows(route: string): Row[] {
  const [, path = ''] = route.split(' ');
  return [
    { route, shape: 'iam', send: () => ({ url: path }), expect: onToken },
    {
      route,
      variant: 'with the token in the query',
      shape: 'iam',
      isFor: (who) => who.token !== null,
      send: (who) => ({ url: `${path}?token=${who.token ?? ''}`, headers: { authorization: '' } }),
      expect: onToken,
    },
  ];
}

const iam: readonly Row[] = [
  ...['/iam/login', '/iam/v4/login', '/cam/login', '/cam/v4/login'].map(loginRow),
  ...['/iam/checkSession', '/iam/v4/checkSession', '/cam/v4/checkSession'].flatMap((path) =>
    tokenRows(`GET ${path}`),
  ),
  ...['/iam/logout', '/iam/v4/logout', '/cam/logout'].flatMap((path) => tokenRows(`DELETE ${path}`)),
];

export const WORKSPACE_ROWS: readonly Row[] = [...workspace, ...open, ...iam];
