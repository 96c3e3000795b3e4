/**
 * Which test executes the blocks of a page. `npm run docs:count` reads it: a page with a block that is not marked
 * `<!-- not executed here: … -->` must be here, the test must exist and name the page. Sorted by page.
 */
export const PAGES: Readonly<Record<string, string>> = {
  'README.ja.md': 'e2e/docs.e2e.test.ts',
  'README.md': 'e2e/docs.e2e.test.ts',
  'docs/clients/csharp.md': 'e2e/docs/clients.e2e.test.ts',
  'docs/clients/curl.md': 'e2e/docs/clients.e2e.test.ts',
  'docs/clients/javascript.md': 'e2e/docs/clients.e2e.test.ts',
  'docs/clients/python.md': 'e2e/docs/clients.e2e.test.ts',
  'docs/cli.md': 'e2e/docs.e2e.test.ts',
  'docs/gallery/private.md': 'e2e/docs.e2e.test.ts',
  'docs/gateways/README.md': 'e2e/gateways.e2e.test.ts',
  'docs/gateways/caddy.md': 'e2e/gateways.e2e.test.ts',
  'docs/gateways/haproxy.md': 'e2e/gateways.e2e.test.ts',
  'docs/gateways/nginx.md': 'e2e/gateways.e2e.test.ts',
  'docs/oauth.md': 'e2e/oauth.e2e.test.ts',
  'docs/operations/blobs.md': 'e2e/docs.e2e.test.ts',
  'docs/operations/webhooks.md': 'packages/server/src/features/notices/webhooks/webhooks-docs.test.ts',
  'docs/sdk/express.md': 'e2e/sdk-middlewares.e2e.test.ts',
  'docs/sdk/fastify.md': 'e2e/sdk-middlewares.e2e.test.ts',
  'docs/sdk/hono.md': 'e2e/sdk-middlewares.e2e.test.ts',
  'docs/sdk/next.md': 'e2e/sdk-middlewares.e2e.test.ts',
  'docs/sdk/tokens.md': 'e2e/sdk-middlewares.e2e.test.ts',
  'docs/tasks/ci-azure.md': 'e2e/tasks.e2e.test.ts',
  'docs/tasks/ci-github.md': 'e2e/tasks.e2e.test.ts',
  'docs/tasks/ci-gitlab.md': 'e2e/tasks.e2e.test.ts',
  'docs/tasks/migrate-from-kong.md': 'e2e/tasks.e2e.test.ts',
  'docs/tasks/migrate-from-unkey.md': 'e2e/tasks.e2e.test.ts',
  'docs/tasks/migrate-home-made-keys.md': 'e2e/tasks.e2e.test.ts',
  'docs/tasks/rotate-without-downtime.md': 'e2e/tasks.e2e.test.ts',
};
