import fc from 'fast-check';
import { ALL_PATTERNS, NAMES, type Name, type Pattern } from './model.ts';

/** What somebody does, or what time does, to one of the keys; `key` counts round when there are fewer. */
export type Command = { readonly key: number; readonly name: Name } & (
  | { readonly kind: 'create'; readonly patterns: readonly Pattern[]; readonly lifetimeDays: number }
  | { readonly kind: 'edit'; readonly patterns: readonly Pattern[] }
  | { readonly kind: 'regenerate'; readonly overlapHours: number }
  | { readonly kind: 'grants'; readonly patterns: readonly Pattern[] }
  | { readonly kind: 'wait'; readonly until: 'before the next end' | 'the next end' | 'an hour' | 'a month' }
  | {
      readonly kind:
        | 'comment'
        | 'end overlap'
        | 'disable'
        | 'enable'
        | 'delete'
        | 'revoke'
        | 'disable account'
        | 'enable account'
        | 'get token';
    }
);

const patterns = fc.uniqueArray(fc.constantFrom(...ALL_PATTERNS), { minLength: 1, maxLength: 2 });
const common = { key: fc.nat(2), name: fc.constantFrom(...NAMES) };
const simple = <Kind extends string>(kind: Kind) => fc.record({ ...common, kind: fc.constant(kind) });

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      ...common,
      kind: fc.constant('create' as const),
      patterns,
      lifetimeDays: fc.constantFrom(1, 90, 365),
    }),
  },
  { weight: 4, arbitrary: fc.record({ ...common, kind: fc.constant('edit' as const), patterns }) },
  {
    weight: 6,
    arbitrary: fc.record({
      ...common,
      kind: fc.constant('regenerate' as const),
      overlapHours: fc.constantFrom(0, 0, 1, 24, 168),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...common, kind: fc.constant('grants' as const), patterns }) },
  {
    weight: 7,
    arbitrary: fc.record({
      ...common,
      kind: fc.constant('wait' as const),
      until: fc.constantFrom('before the next end', 'the next end', 'an hour', 'a month'),
    }),
  },
  { weight: 1, arbitrary: simple('comment') },
  { weight: 3, arbitrary: simple('end overlap') },
  { weight: 3, arbitrary: simple('disable') },
  { weight: 4, arbitrary: simple('enable') },
  { weight: 1, arbitrary: simple('delete') },
  { weight: 1, arbitrary: simple('revoke') },
  { weight: 1, arbitrary: simple('disable account') },
  { weight: 2, arbitrary: simple('enable account') },
  { weight: 5, arbitrary: simple('get token') },
);

/** Eight to twelve of them. The first makes a key, whatever it is. */
export const lives: fc.Arbitrary<readonly Command[]> = fc.array(command, { minLength: 8, maxLength: 12 });
