import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpApp } from './http-app.ts';

let app: FastifyInstance;
afterEach(() => app.close());

async function start(workspaceUrl: string): Promise<FastifyInstance> {
  const workspace = { id: 'wsp_1', name: 'Default', subdomain: null, isDefault: true, url: workspaceUrl };
  app = await createHttpApp({
    logger: pino({ level: 'silent' }),
    trustProxy: ['127.0.0.1'],
    rewriteUrl: (url) => url,
    tls: null,
    findWorkspace: (host) => Promise.resolve(host.startsWith('unknown') ? null : workspace),
    defaultWorkspace: () => workspace,
    authenticate: () => Promise.reject(new Error('Nobody comes with a credential here.')),
    isPermitted: () => false,
    onUse: () => null,
    onRefusal: () => undefined,
  });
  app.get('/here', { config: { auth: { kinds: ['anonymous'], action: null } } }, () => Promise.resolve({}));
  return app;
}

describe('Cross-Origin-Opener-Policy', () => {
  it.each<[string, Record<string, string>, string]>([
    ['localhost', { host: 'localhost:8080' }, 'http://localhost:8080'],
    ['a name below localhost', { host: 'acme.LOCALHOST' }, 'http://localhost:8080'],
    ['an address of this machine', { host: '127.1.2.3:8080' }, 'http://localhost:8080'],
    ['the same in IPv6', { host: '[::1]:8080' }, 'http://localhost:8080'],
    ['a workspace with an https address', { host: 'keys.example' }, 'https://keys.example'],
    [
      'a proxy that has come over https',
      { host: 'keys.example', 'x-forwarded-proto': 'https' },
      'http://k.example',
    ],
  ])('is sent where browsers heed it: %s', async (_name, headers, workspaceUrl) => {
    const answer = await (await start(workspaceUrl)).inject({ url: '/here', headers });
    expect(answer.headers['cross-origin-opener-policy']).toBe('same-origin');
  });

  it.each([
    'keys.example',
    'localhost.example',
    'notlocalhost',
    '128.0.0.1:8080',
    '127.0.0.1.example',
    'unknown',
  ])('is not sent over plain http to %s, where they only complain about it', async (host) => {
    const server = await start('http://localhost:8080');
    for (const url of ['/here', '/nowhere', '/%']) {
      const { headers } = await server.inject({ url, headers: { host } });
      expect(headers).not.toHaveProperty('cross-origin-opener-policy');
      expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' });
    }
  });
});
