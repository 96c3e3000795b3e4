/**
 * What `npm run test:mutation` mutates, and the tests that have to notice it; all relative to the server's sources.
 *
 * Left out everywhere: `index.ts` (names only), `*.schema.ts` and `*.errors.ts` (tables of words and limits that the
 * OpenAPI document and the catalogue of errors repeat, and their tests compare), and all routes but their bodies
 * (what a route demands is held by the authorization matrix over all routes).
 *
 * `isStaticTested`: also what runs only while a file is loaded, such as regular expressions at its top. Each such
 * mutant needs all the tests of its module, so only modules with quick tests have it; the others count those
 * mutants as left out.
 *
 * @typedef {{ mutate: string[], tests: string[], isStaticTested: boolean }} MutatedModule
 * @type {Record<string, MutatedModule>}
 */
export const MODULES = {
  scopes: {
    mutate: ['features/scopes/{action,narrow,pattern,permission-rules,rights}.ts'],
    tests: ['features/scopes/{action,narrow,pattern,permission-rules,rights,scopes.edges}.test.ts'],
    isStaticTested: true,
  },
  'auth hook': {
    mutate: ['http/{auth-hook,caller,credentials,secure-request}.ts'],
    tests: ['http/{auth-hook,credentials,auth-hook.edges}.test.ts'],
    isStaticTested: true,
  },
  'decisions of a verification': {
    mutate: ['features/verification/{decide,question,freshness}.ts'],
    tests: ['features/verification/{decide,question,decide.edges}.test.ts'],
    isStaticTested: true,
  },
  verification: {
    mutate: [
      'features/verification/{plain-request,plain-routes,ready-texts,revocation-hub,verification.present,verification.service}.ts',
      'features/verification/*.routes.ts',
      'authenticate.ts',
    ],
    tests: [
      'features/verification/{authorize,derived-rights,plain-lane,revocations,verify,verification.edges}.http.test.ts',
    ],
    isStaticTested: false,
  },
  'claims and texts of tokens': {
    mutate: [
      'features/tokens/{claims,key-refusal,login-body,token-text}.ts',
      'features/tokens/oauth/form.ts',
    ],
    tests: ['features/tokens/{claims,login-body,token-text,tokens.edges}.test.ts'],
    isStaticTested: true,
  },
  tokens: {
    mutate: ['features/tokens/{checked-tokens,prepared-token,tokens.repo,tokens.service}.ts'],
    tests: [
      'features/tokens/{login,session}.http.test.ts',
      'features/tokens/oauth/{exchange,introspection,token}.http.test.ts',
    ],
    isStaticTested: false,
  },
  'oauth endpoints': {
    mutate: [
      'features/tokens/oauth/{client-authentication,introspection,narrowing,oauth,revocation,token-exchange,token-grants}.ts',
    ],
    tests: ['features/tokens/oauth/{exchange,introspection,token}.http.test.ts'],
    isStaticTested: false,
  },
  'keys that are shown': {
    mutate: ['features/keys/{key-auth,key-cache,key-digest,live-keys}.ts'],
    tests: [
      'features/keys/key-format.test.ts',
      'features/keys/key-cache.storage.test.ts',
      'features/keys/{keys.edges,keys.lifecycle,keys.list-import}.http.test.ts',
      'features/verification/{authorize,verify}.http.test.ts',
    ],
    isStaticTested: false,
  },
  'rules of keys': {
    mutate: ['features/keys/{api-key,key-format,keys.policy,keys.rules,lifetimes}.ts'],
    tests: ['features/keys/{key-format,keys.rules.edges}.test.ts'],
    isStaticTested: true,
  },
  'life of keys': {
    mutate: ['features/keys/{key-issue,key-store,keys.service}.ts'],
    tests: ['features/keys/{keys.create,keys.edges,keys.facts,keys.lifecycle,keys.list-import}.http.test.ts'],
    isStaticTested: false,
  },
};
