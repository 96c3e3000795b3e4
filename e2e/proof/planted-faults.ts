/** A test that brings a figure of the board. */
export interface PlantedTest {
  readonly project: 'unit' | 'sqlite' | 'proof' | 'proof-timed';
  /** Relative to the repository. */
  readonly file: string;
  /** A part of its name that no other test of the file has, so that its neighbours need not run. */
  readonly name: string;
  /** Where the short form looks at a random part: one in which the fault is seen. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A fault of the kind that a tired day brings: one edit of one file of the product. */
export interface PlantedFault {
  /** What it breaks, in the words of the domain. */
  readonly name: string;
  /** The item of the board that has to be red with it, and which of its figures. */
  readonly item: number;
  readonly figure: string;
  readonly test: PlantedTest;
  /** Relative to the repository. */
  readonly file: string;
  /** Stands in the file once. */
  readonly find: string;
  readonly replace: string;
}

const SERVER = 'packages/server/src';

/** Each of another kind, and each in a place that another figure watches. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    name: 'commits are acknowledged before they are on the disk',
    item: 3,
    figure: 'acknowledged without a sync between request and answer',
    test: {
      project: 'proof',
      file: 'e2e/proof/fsync.test.ts',
      name: 'comes after the disk was told to keep it',
    },
    file: `${SERVER}/storage/sqlite-adapter.ts`,
    find: "requirePragma(database, 'synchronous', 'FULL', 2);",
    replace: "requirePragma(database, 'synchronous', 'NORMAL', 1);",
  },
  {
    name: 'keys that are kept in memory are believed after their revocation',
    item: 14,
    figure: 'stale answers on the same node',
    test: {
      project: 'proof-timed',
      file: 'e2e/proof/load-revocation.test.ts',
      name: 'is never answered "valid"',
    },
    file: `${SERVER}/storage/epoch-guard.ts`,
    find: 'if (now !== version) {',
    replace: 'if (version === undefined) {',
  },
  {
    name: 'scopes of a key are not looked at',
    item: 28,
    figure: 'answers that differ from the oracle',
    test: { project: 'proof', file: 'e2e/proof/policy.test.ts', name: 'the engine of rights' },
    file: `${SERVER}/features/scopes/rights.ts`,
    find: 'return isPermitted(key.scopes, action, resource);',
    replace: 'return true;',
  },
  {
    name: 'a piece of a pattern matches before the piece that it follows',
    item: 28,
    figure: 'answers that differ from the oracle',
    test: { project: 'proof', file: 'e2e/proof/policy.test.ts', name: 'the engine of rights' },
    file: `${SERVER}/features/scopes/pattern.ts`,
    find: 'const found = name.indexOf(piece, from);',
    replace: 'const found = name.indexOf(piece);',
  },
  {
    name: 'an exchange forgets what the token before it permits',
    item: 29,
    figure: 'exchanges on which rights have grown',
    test: {
      project: 'sqlite',
      file: `${SERVER}/features/verification/derived-rights.http.test.ts`,
      name: 'never grow on any exchange',
    },
    file: `${SERVER}/features/tokens/tokens.service.ts`,
    find: 'const isNarrowed = claims.narrowed === true || wish.permissions !== undefined;',
    replace: 'const isNarrowed = wish.permissions !== undefined;',
  },
  {
    name: 'tokens for other services are taken',
    item: 30,
    figure: 'forged tokens that were taken',
    test: {
      project: 'sqlite',
      file: 'packages/testkit/src/token-attacks.http.test.ts',
      name: 'is refused by every verifier',
    },
    file: `${SERVER}/features/tokens/token-text.ts`,
    find: '...(expected.audiences === null ? {} : { audience: [...expected.audiences] }),',
    replace: '',
  },
  {
    name: 'an edit overwrites one that its writer has not seen',
    item: 31,
    figure: 'successes in a race for what works once',
    test: {
      project: 'sqlite',
      file: 'packages/testkit/src/one-time.http.test.ts',
      name: 'one version of a key that is edited',
    },
    file: `${SERVER}/features/keys/keys.service.ts`,
    find: 'if (ifMatch !== null && ifMatch !== before.version)',
    replace: 'if (ifMatch !== null && ifMatch > before.version)',
  },
  {
    name: 'two credentials in one request are not refused',
    item: 36,
    figure: 'rows of the table as wanted, asked directly',
    test: {
      project: 'proof',
      file: 'e2e/proof/raw.test.ts',
      name: 'get the answer that the table wants',
    },
    file: `${SERVER}/http/http-app.ts`,
    find: 'refuseRepeatedHeaders(request.raw.rawHeaders);',
    replace: '',
  },
  {
    name: 'names in a package lead out of it',
    item: 37,
    figure: 'hostile packages refused',
    test: {
      project: 'proof-timed',
      file: 'e2e/proof/zip.test.ts',
      name: 'are refused when they lie',
      env: { ZIP_SEED: '1' },
    },
    file: `${SERVER}/features/gallery/nupkg/entry-name.ts`,
    find: "if (segment === '' || segment.endsWith('.') || segment.endsWith(' ')) return false;",
    replace: "if (segment === '') return false;",
  },
  {
    name: 'webhooks reach programs of this machine',
    item: 38,
    figure: 'connections made',
    test: {
      project: 'unit',
      file: `${SERVER}/features/notices/webhooks/transport.test.ts`,
      name: 'make no connection',
    },
    file: `${SERVER}/features/notices/webhooks/address-rules.ts`,
    find: "'127.0.0.0/8',\n",
    replace: '',
  },
  {
    name: 'an expression takes quadratic time on a chosen text',
    item: 40,
    figure: 'patterns slower than 5 ms over 64 KiB, or over the longest text they meet',
    test: { project: 'proof', file: 'e2e/proof/redos.test.ts', name: 'take less than five milliseconds' },
    file: `${SERVER}/lib/text.ts`,
    find: "const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,186}[A-Za-z0-9])$/;",
    replace: 'const EMAIL = /\\S+@\\S+/;',
  },
  {
    name: 'the log holds the query of each request, in which secrets travel',
    item: 42,
    figure: 'secrets in: log',
    test: {
      project: 'sqlite',
      file: 'packages/testkit/src/secrets.http.test.ts',
      name: 'no place that is stored, sent or told holds one',
    },
    file: `${SERVER}/http/http-app.ts`,
    find: "route: request.routeOptions.url ?? '(none)',",
    replace: 'route: request.url,',
  },
  {
    name: 'edits of keys leave no row in the audit log',
    item: 43,
    figure: 'acknowledged changes without a row after kill -9, and broken chains',
    test: {
      project: 'proof',
      file: 'e2e/proof/audit.test.ts',
      name: 'tells of every acknowledged change',
    },
    file: `${SERVER}/features/keys/key-store.ts`,
    find: 'await this.record(tx, caller, saved, story, detail);',
    replace: "if (story.action !== 'key.changed') await this.record(tx, caller, saved, story, detail);",
  },
  {
    name: 'a key is good at the instant of its end',
    item: 47,
    figure: 'lives of keys that differ from the model',
    test: {
      project: 'sqlite',
      file: 'packages/testkit/src/key-life.http.test.ts',
      name: 'are what the model says',
    },
    file: `${SERVER}/features/keys/api-key.ts`,
    find: 'return expiresAt !== null && now >= expiresAt;',
    replace: 'return expiresAt !== null && now > expiresAt;',
  },
];
