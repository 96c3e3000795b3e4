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
    mutate: ['features/tokens/{claims,login-body,token-text}.ts'],
    tests: ['features/tokens/{claims,login-body,token-text,tokens.edges}.test.ts'],
    isStaticTested: true,
  },
};
