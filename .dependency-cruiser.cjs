/**
 * Who may import whom (docs/architecture.md), as rules. Run by `npm run check:imports`; every rule is seen to
 * fail by `npm run test:arch`, which refuses a rule without a planted violation.
 */

/** What each feature may import besides itself. `COMMON` comes on top for all but those that are part of it. */
const GRAPH = {
  verification: ['keys', 'scopes', 'tokens', 'accounts', 'limits'],
  tokens: ['keys', 'scopes', 'accounts', 'limits'],
  keys: ['scopes', 'accounts', 'limits'],
  gallery: ['accounts', 'scopes', 'keys', 'limits'],
  sessions: ['accounts'],
  accounts: ['scopes', 'limits'],
  scopes: [],
  limits: [],
  notices: [],
};
const COMMON = ['workspaces', 'audit', 'settings'];
const COMMON_GRAPH = {
  workspaces: ['audit', 'settings'],
  settings: ['workspaces', 'audit'],
  audit: ['workspaces'],
};
const ALLOWED = {
  ...Object.fromEntries(Object.entries(GRAPH).map(([feature, others]) => [feature, [...others, ...COMMON]])),
  ...COMMON_GRAPH,
};

const FEATURES = '^packages/server/src/features/';
const TEST = '\\.test\\.ts$';

const featureGraph = Object.entries(ALLOWED).map(([feature, others]) => ({
  name: `feature-graph-${feature}`,
  comment: `${feature} may import ${others.join(', ') || 'no other feature'}.`,
  severity: 'error',
  from: { path: `${FEATURES}${feature}/`, pathNot: TEST },
  to: { path: FEATURES, pathNot: `${FEATURES}(${[feature, ...others].join('|')})/` },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A circle has no lowest part to read, test or change first.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import that cannot be resolved escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'lib-is-a-leaf',
      comment: 'lib is pure and imports nothing of ours.',
      severity: 'error',
      from: { path: '^packages/server/src/lib/', pathNot: TEST },
      to: { path: '^packages/', pathNot: '^packages/server/src/lib/' },
    },
    {
      name: 'errors-and-config-import-lib-only',
      severity: 'error',
      from: { path: '^packages/server/src/(errors|config)/', pathNot: TEST },
      to: {
        path: '^packages/server/src/',
        pathNot: '^packages/server/src/(lib|$1|features)/|/src/(app|deps|main)\\.ts$',
      },
    },
    {
      name: 'platform-knows-no-feature',
      comment: 'Features stand on the platform, never the other way round.',
      severity: 'error',
      from: { path: '^packages/server/src/(storage|http|jobs|config|errors)/', pathNot: TEST },
      to: { path: `${FEATURES}|^packages/server/src/(app|deps|main)\\.ts$` },
    },
    {
      name: 'feature-is-known',
      comment: 'A feature that the graph above does not name would be checked by no graph rule.',
      severity: 'error',
      from: {},
      to: { path: `${FEATURES}(?!(${Object.keys(ALLOWED).join('|')})/)[^/]+/` },
    },
    {
      name: 'feature-face-only',
      comment: 'Another feature is reached through its index.ts only.',
      severity: 'error',
      from: { path: `${FEATURES}([^/]+)/` },
      to: { path: `${FEATURES}(?!$1/)[^/]+/`, pathNot: `${FEATURES}[^/]+/index\\.ts$` },
    },
    {
      name: 'repo-stays-home',
      comment: 'A repo belongs to its folder; the service is the way in.',
      severity: 'error',
      from: { path: '^(packages/.+)/[^/]+$', pathNot: `${FEATURES}|^packages/testkit/|${TEST}` },
      to: { path: '\\.repo\\.ts$', pathNot: '^$1/[^/]+$' },
    },
    {
      name: 'repo-stays-home',
      comment: 'The same from within a feature; a foreign feature is the matter of feature-face-only.',
      severity: 'error',
      from: { path: FEATURES, pathNot: TEST },
      to: { path: '^packages/server/src/(?!features/).*\\.repo\\.ts$' },
    },
    {
      name: 'sql-only-in-repos',
      comment:
        'Kysely and the database drivers, as values, only in *.repo.ts and storage/. Types may travel.',
      severity: 'error',
      from: {
        path: '^packages/(server|sdk|cli|console)/',
        pathNot: `\\.repo\\.ts$|^packages/server/src/storage/|${TEST}`,
      },
      to: {
        path: 'node_modules/(kysely|pg)/|^(node:)?sqlite$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'clients-use-the-sdk',
      comment: 'What the public API does not offer, our own clients cannot use either.',
      severity: 'error',
      from: { path: '^packages/(console|cli)/', pathNot: TEST },
      to: { path: '^packages/', pathNot: '^packages/(sdk|$1)/' },
    },
    {
      name: 'console-runs-in-browsers',
      comment: 'A browser has no modules of Node.js.',
      severity: 'error',
      from: { path: '^packages/console/src/', pathNot: TEST },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'console-parts-know-no-page',
      comment: 'What all pages share stands below them: parts, words, formats, the way to the server.',
      severity: 'error',
      from: { path: '^packages/console/src/(ui|i18n|format|errors|snippets|api|boot)/' },
      to: { path: '^packages/console/src/(features|app)/' },
    },
    {
      name: 'sdk-is-alone',
      severity: 'error',
      from: { path: '^packages/sdk/', pathNot: TEST },
      to: { path: '^packages/', pathNot: '^packages/sdk/' },
    },
    {
      name: 'server-ships-no-testkit',
      severity: 'error',
      from: { path: '^packages/server/src/', pathNot: `${TEST}|^packages/server/src/lib/` },
      to: { path: '^packages/testkit/' },
    },
    {
      name: 'no-dev-dependency-shipped',
      comment: 'Code that ships imports only what its own package.json lists under dependencies.',
      severity: 'error',
      from: { path: '^packages/(server|sdk|cli)/src/', pathNot: TEST },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^packages/',
      },
    },
    ...featureGraph,
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // Anchored: a bare "/dist/" would also hide every npm package that ships one, and with it Kysely.
    exclude: { path: '^packages/[^/]+/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
};
