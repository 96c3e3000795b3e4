import { randomBase62 } from './base62.ts';
import type { Random } from './random.ts';

/**
 * Each kind of row has its own prefix, and none of them is the prefix of a secret: a handle and a
 * credential that look alike are how the wrong one gets logged.
 */
export const ID_PREFIXES = {
  account: 'acc',
  workspace: 'wsp',
  session: 'ses',
  package: 'pkg',
  version: 'pkv',
  outbox: 'out',
  dataKey: 'dk',
  request: 'req',
  link: 'lnk',
  import: 'imp',
  event: 'evt',
  webhook: 'whk',
  delivery: 'whd',
  feed: 'fed',
  ownerRequest: 'oreq',
  prefix: 'pfx',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/** 20 base62 characters (119 bits): unguessable and free of collisions without asking the database. */
export function newId(random: Random, kind: IdKind): string {
  return `${ID_PREFIXES[kind]}_${randomBase62(random, 20)}`;
}
