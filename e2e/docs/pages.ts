/**
 * Which test executes the blocks of a page. `npm run docs:count` reads it: a page with a block that is not marked
 * `<!-- not executed here: … -->` must be here, the test must exist and name the page. Sorted by page.
 */
export const PAGES: Readonly<Record<string, string>> = {
  'README.ja.md': 'e2e/docs.e2e.test.ts',
  'README.md': 'e2e/docs.e2e.test.ts',
  'docs/cli.md': 'e2e/docs.e2e.test.ts',
  'docs/gallery/private.md': 'e2e/docs.e2e.test.ts',
  'docs/oauth.md': 'e2e/oauth.e2e.test.ts',
  'docs/operations/blobs.md': 'e2e/docs.e2e.test.ts',
  'docs/operations/webhooks.md': 'packages/server/src/features/notices/webhooks/webhooks-docs.test.ts',
};
