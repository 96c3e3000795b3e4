/**
 * What `npm run test:mutation` mutates, and the tests that have to notice it; paths are those in the server's sources.
 * Parts are as small as tests that run fast allow; `module` is the one on the board to whose score they count.
 *
 * `isStaticTested`: also what runs only while a file is loaded, such as regular expressions at its top. Each such
 * mutant needs all the tests of its part, so only parts with quick tests have it; the others count those mutants as
 * left out.
 *
 * @typedef {{ module: string | null, mutate: string[], tests: string[], isStaticTested: boolean }} Part
 * @type {Record<string, Part>}
 */
export const PARTS = {
  scopes: {
    module: 'scopes',
    mutate: ['features/scopes/{action,narrow,pattern,permission-rules,rights}.ts'],
    tests: ['features/scopes/{action,narrow,pattern,permission-rules,rights,scopes.edges}.test.ts'],
    isStaticTested: true,
  },
  'auth hook': {
    module: 'auth hook',
    mutate: ['authenticate.ts', 'http/{auth-hook,caller,credentials,secure-request}.ts'],
    tests: ['authenticate.test.ts', 'http/{auth-hook,credentials,auth-hook.edges}.test.ts'],
    isStaticTested: true,
  },
  'decisions of a verification': {
    module: 'verification',
    mutate: ['features/verification/{decide,question,freshness}.ts'],
    tests: ['features/verification/{decide,question,decide.edges}.test.ts'],
    isStaticTested: true,
  },
  'plain verifications': {
    module: 'verification',
    mutate: ['features/verification/plain-request.ts'],
    tests: ['features/verification/plain-request.edges.test.ts'],
    isStaticTested: true,
  },
  'answers of a verification': {
    module: 'verification',
    mutate: ['features/verification/{plain-routes,ready-texts,verification.present,verification.service}.ts'],
    tests: ['features/verification/{plain-routes,verification}.edges.test.ts'],
    isStaticTested: true,
  },
  'streams of revocations': {
    module: 'verification',
    mutate: ['features/verification/revocation-hub.ts'],
    tests: ['features/verification/revocation-hub.edges.test.ts'],
    isStaticTested: true,
  },
  'routes of verifications': {
    module: 'verification',
    mutate: ['features/verification/*.routes.ts'],
    tests: ['features/verification/{authorize,revocations,verification}.routes.edges.http.test.ts'],
    isStaticTested: false,
  },
  'claims and texts of tokens': {
    module: 'tokens',
    mutate: [
      'features/tokens/{checked-tokens,claims,key-refusal,login-body,token-text}.ts',
      'features/tokens/oauth/form.ts',
    ],
    tests: ['features/tokens/{checked-tokens,claims,login-body,token-text,tokens.edges}.test.ts'],
    isStaticTested: true,
  },
  'narrowing of tokens': {
    module: 'tokens',
    mutate: ['features/tokens/oauth/narrowing.ts'],
    tests: ['features/tokens/oauth/narrowing.test.ts'],
    isStaticTested: true,
  },
  tokens: {
    module: 'tokens',
    mutate: ['features/tokens/{prepared-token,tokens.repo,tokens.service}.ts'],
    tests: ['features/tokens/tokens.edges.storage.test.ts'],
    isStaticTested: false,
  },
  'first login': {
    module: 'tokens',
    mutate: ['features/tokens/iam.service.ts'],
    tests: ['features/tokens/iam.edges.test.ts'],
    isStaticTested: true,
  },
  'oauth endpoints': {
    module: 'tokens',
    mutate: [
      'features/tokens/oauth/{client-authentication,introspection,oauth,revocation,token-exchange,token-grants}.ts',
    ],
    tests: ['features/tokens/oauth/oauth.edges.test.ts'],
    isStaticTested: true,
  },
  'plain tokens': {
    module: 'tokens',
    mutate: ['features/tokens/oauth/plain-token.ts'],
    tests: ['features/tokens/oauth/plain-token.edges.test.ts'],
    isStaticTested: true,
  },
  'signing keys': {
    module: 'tokens',
    mutate: [
      'features/tokens/signing-keys/{key-changes,key-pair,signing-keys,signing-keys.repo,signing-keys.service}.ts',
    ],
    tests: ['features/tokens/signing-keys/*.edges{,.storage}.test.ts'],
    isStaticTested: false,
  },
  'keys that are shown': {
    module: 'keys',
    mutate: ['features/keys/key-auth.ts'],
    tests: ['features/keys/key-auth.edges.storage.test.ts'],
    isStaticTested: false,
  },
  'rules of keys': {
    module: 'keys',
    mutate: ['features/keys/{api-key,key-cache,key-digest,key-format,keys.policy,keys.rules,lifetimes}.ts'],
    tests: ['features/keys/{key-format,key-memory.edges,keys.rules.edges}.test.ts'],
    isStaticTested: true,
  },
  'life of keys': {
    module: 'keys',
    mutate: ['features/keys/{key-issue,key-store,keys.service}.ts'],
    tests: ['features/keys/{key-ends,key-issue,key-regenerate,key-store,keys.service}.edges.storage.test.ts'],
    isStaticTested: false,
  },
  'stored keys': {
    module: 'keys',
    mutate: ['features/keys/{key-check.repo,key-delivery,key-import,key-place.repo,keys.repo,live-keys}.ts'],
    tests: ['features/keys/{key-delivery,key-import,keys.repo,live-keys}.edges.storage.test.ts'],
    isStaticTested: false,
  },
  // The control: too few tests, whose score has to be too low.
  'rights with a weak set of tests': {
    module: null,
    mutate: ['features/scopes/rights.ts'],
    tests: ['features/scopes/narrow.test.ts'],
    isStaticTested: true,
  },
};

const KEYS = 'features/keys';
const TOKENS = 'features/tokens';

/**
 * Files of the modules that are not mutated, each with its reason. A file that is in none of the lists is a fault.
 *
 * @public
 */
export const LEFT_OUT = [
  { reason: 'names only', files: ['features/{keys,scopes,tokens,verification}/index.ts'] },
  { reason: 'examples that only tests use', files: ['features/{keys,tokens}/samples.ts'] },
  {
    reason: 'tables, which the OpenAPI document and the catalogue of errors repeat, and their tests compare',
    files: [
      'features/{keys,scopes,tokens,verification}/*.{schema,errors}.ts',
      `${TOKENS}/{oauth,signing-keys}/*.{schema,errors}.ts`,
      `${TOKENS}/signing-keys/index.ts`,
      `${KEYS}/feeds.words.ts`,
    ],
  },
  {
    reason: 'declarations of routes: what each demands is held by the authorization matrix over all routes',
    files: [`${KEYS}/*.routes.ts`, `${TOKENS}/*.routes.ts`, `${TOKENS}/*/*.routes.ts`],
  },
  {
    reason: 'what answers, feeds and overviews show of what somebody may see',
    files: [
      `${KEYS}/*.present.ts`,
      `${TOKENS}/*.present.ts`,
      `${TOKENS}/oauth/oauth.present.ts`,
      `${KEYS}/{account-keys,account-keys.repo,atom,calendar,expiry-feed,feeds.repo,feeds.service}.ts`,
      `${KEYS}/{key-list,key-order.repo,keys-list.repo,overview.repo,overview.service,plain-places}.ts`,
    ],
  },
  {
    reason: 'notices, statistics and sweeps, which let nobody in',
    files: [
      `${KEYS}/{expiry-hint,expiry-steps,expiry-sweep,key-notices,key-notices.repo,quota-sweep}.ts`,
      `${KEYS}/{refusal-notices,usage,usage-buffer,usage-flush,usage-history,usage-leftovers}.ts`,
      `${KEYS}/{usage-retention,usage-write.repo,usage.repo}.ts`,
    ],
  },
];
