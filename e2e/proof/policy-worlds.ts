import type { AccountIdentity, KeyIdentity } from '../../packages/server/src/http/index.ts';
import type { Permission } from '../../packages/server/src/lib/permission.ts';

/** One random policy with a question. */
export interface PolicyCase {
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
  readonly action: string;
  /** Null: nothing in particular. */
  readonly resource: string | null;
  /** What a key of the account might be given. */
  readonly wanted: readonly Permission[];
}

const ACTIONS = [
  'package:push',
  'package:pushnew',
  'package:pushversion',
  'package:unlist',
  'package:read',
  'packages:push',
  'orders:read',
  'orders:page:read',
  'iam:keys:write',
  'iam:accounts:read',
];
const WILDCARDS = ['package:*', 'orders:*', 'iam:*', 'packages:*'];
// Each letter in both cases, and what has a meaning in other languages of patterns.
const LETTERS = ['a', 'A', 'b', 'B', '.', '-', '_'];

/** A generator of numbers from 0 up to but not 1 (mulberry32): the same for the same seed, on every machine. */
export function createNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Makes policies in a little world, where names and patterns meet often enough for half of the answers to be yes. */
export function createPolicyCases(next: () => number): () => PolicyCase {
  const upTo = (max: number) => Math.floor(next() * (max + 1));
  const oneOf = <Item>(items: readonly Item[]): Item => items[upTo(items.length - 1)] as Item;
  const listOf = <Item>(min: number, max: number, make: () => Item): Item[] =>
    Array.from({ length: min + upTo(max - min) }, make);
  const text = (min: number, max: number): string => listOf(min, max, () => oneOf(LETTERS)).join('');
  const pattern = (): string => {
    if (next() < 0.25) return '*';
    return listOf(1, 4, () => (next() < 0.35 ? '*' : oneOf(LETTERS))).join('');
  };
  const actionPattern = (): string => (next() < 0.35 ? oneOf(WILDCARDS) : oneOf(ACTIONS));
  const permission = (): Permission => ({
    actions: listOf(next() < 0.05 ? 0 : 1, 3, actionPattern),
    resources: listOf(next() < 0.05 ? 0 : 1, 3, pattern),
  });
  const permissions = (): Permission[] => listOf(next() < 0.05 ? 0 : 1, 3, permission);
  /** A name that the pattern matches, if nothing else is done to it. */
  const nameOf = (from: string): string => from.replaceAll('*', () => text(0, 2));
  const swapCase = (name: string): string =>
    name.replace(/[abAB]/, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
  const nameFor = (known: readonly Permission[]): string => {
    const patterns = known.flatMap(({ resources }) => resources);
    if (patterns.length === 0 || next() < 0.2) return text(1, 5);
    const name = nameOf(oneOf(patterns)) || 'a';
    return next() < 0.25 ? swapCase(name) : name;
  };
  return () => {
    const grants = permissions();
    const access = oneOf(['scoped', 'scoped', 'account', 'full'] as const);
    const scopes = access === 'scoped' ? permissions() : [];
    const role = oneOf(['admin', 'member', 'member', null] as const);
    const account: AccountIdentity = {
      id: 'acc_1',
      workspaceId: 'wsp_1',
      kind: role === null ? 'service' : 'user',
      displayName: 'Ada',
      login: 'ada@example.com',
      role,
      isActive: next() < 0.95,
      grants,
      keyLimits: null,
      epoch: 1,
    };
    const key: KeyIdentity = {
      id: 'kr_0123456789ABCDEF',
      ownerId: 'acc_1',
      comment: 'CI',
      access,
      scopes,
      limits: null,
      generation: 1,
      expiresAt: null,
    };
    const action = oneOf(ACTIONS);
    const resource = next() < 0.1 ? null : nameFor([...grants, ...scopes]);
    return { account, key, action, resource, wanted: access === 'scoped' ? scopes : permissions() };
  };
}
