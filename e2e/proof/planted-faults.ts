/** A fault of the kind that a tired day brings: one edit of one file of the product. */
export interface PlantedFault {
  /** What it breaks, in the words of the domain. */
  readonly name: string;
  /** The item of the board that has to be red with it. */
  readonly item: number;
  /** Relative to the repository. */
  readonly file: string;
  /** Stands in the file once. */
  readonly find: string;
  readonly replace: string;
}

const SERVER = 'packages/server/src';

/** Each of another kind, and each in a place that another item watches. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    name: 'commits are acknowledged before they are on the disk',
    item: 3,
    file: `${SERVER}/storage/sqlite-adapter.ts`,
    find: "requirePragma(database, 'synchronous', 'FULL', 2);",
    replace: "requirePragma(database, 'synchronous', 'NORMAL', 1);",
  },
  {
    name: 'keys that are kept in memory are believed after their revocation',
    item: 14,
    file: `${SERVER}/storage/epoch-guard.ts`,
    find: 'if (now !== version) {',
    replace: 'if (version === undefined) {',
  },
  {
    name: 'uses of a quota are given and not counted',
    item: 18,
    file: `${SERVER}/features/limits/quota.repo.ts`,
    find: 'used = ${used} + ${given},',
    replace: 'used = ${used},',
  },
  {
    name: 'slow clients keep their connections',
    item: 22,
    file: `${SERVER}/http/http-server.ts`,
    find: 'const CHECKING_INTERVAL_MS = 1_000;',
    replace: 'const CHECKING_INTERVAL_MS = 600_000;',
  },
  {
    name: 'a scope that reads keys changes them',
    item: 27,
    file: `${SERVER}/features/keys/keys.policy.ts`,
    find: "(intent === 'read' && can(principal, 'iam:keys:read', accountId))",
    replace: "can(principal, 'iam:keys:read', accountId)",
  },
  {
    name: 'a piece of a pattern matches before the piece that it follows',
    item: 28,
    file: `${SERVER}/features/scopes/pattern.ts`,
    find: 'const found = name.indexOf(piece, from);',
    replace: 'const found = name.indexOf(piece);',
  },
  {
    name: 'tokens for other services are taken',
    item: 30,
    file: `${SERVER}/features/tokens/token-text.ts`,
    find: '...(expected.audiences === null ? {} : { audience: [...expected.audiences] }),',
    replace: '',
  },
  {
    name: 'a link for one use is used twice',
    item: 31,
    file: `${SERVER}/storage/one-time-links.ts`,
    find: ".where('used_at', 'is', null)",
    replace: '',
  },
  {
    name: 'two credentials in one request are not refused',
    item: 36,
    file: `${SERVER}/http/http-app.ts`,
    find: 'refuseRepeatedHeaders(request.raw.rawHeaders);',
    replace: '',
  },
  {
    name: 'a package may unpack to any size',
    item: 37,
    file: `${SERVER}/features/gallery/nupkg/zip-directory.ts`,
    find: 'if (isBomb(totalBytes, end.fileBytes)) throw ratioFault();',
    replace: '',
  },
  {
    name: 'webhooks reach the metadata of the cloud',
    item: 38,
    file: `${SERVER}/features/notices/webhooks/address-rules.ts`,
    find: "'169.254.0.0/16', // link-local, and metadata of most clouds",
    replace: '',
  },
  {
    name: 'an expression takes exponential time on a chosen text',
    item: 40,
    file: `${SERVER}/features/scopes/pattern.ts`,
    find: 'const PACKAGE_PATTERN = /^[A-Za-z0-9_.*-]+$/;',
    replace: 'const PACKAGE_PATTERN = /^([A-Za-z0-9_.*-]+)+$/;',
  },
];
