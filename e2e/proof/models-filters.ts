import fc from 'fast-check';

/** What a filter of the feed can look at, as far as these trees go. */
export interface Entry {
  readonly Id: string;
  readonly Tags: string;
  readonly IsLatestVersion: boolean;
  readonly IsPrerelease: boolean;
}

export type Tree =
  | {
      readonly kind: 'flag';
      readonly property: 'IsLatestVersion' | 'IsPrerelease';
      readonly isCompared: boolean;
    }
  | { readonly kind: 'equals' | 'differs'; readonly property: 'Id' | 'Tags'; readonly text: string }
  | { readonly kind: 'starts' | 'contains'; readonly property: 'Id' | 'Tags'; readonly text: string }
  | { readonly kind: 'not'; readonly part: Tree }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly [Tree, Tree] };

const text = fc.string({ unit: fc.constantFrom('a', 'A', 'b', "'", '.'), minLength: 1, maxLength: 3 });
const textProperty = fc.constantFrom('Id' as const, 'Tags' as const);

export const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    fc.record({
      kind: fc.constant('flag' as const),
      property: fc.constantFrom('IsLatestVersion' as const, 'IsPrerelease' as const),
      isCompared: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom('equals' as const, 'differs' as const), property: textProperty, text }),
    fc.record({
      kind: fc.constantFrom('starts' as const, 'contains' as const),
      property: textProperty,
      text,
    }),
    fc.record({ kind: fc.constant('not' as const), part: tie('tree') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.tuple(tie('tree'), tie('tree')),
    }),
  ),
})).tree;

export const entries: fc.Arbitrary<Entry> = fc.record({
  Id: text,
  Tags: text,
  IsLatestVersion: fc.boolean(),
  IsPrerelease: fc.boolean(),
});

const STRENGTH = { or: 0, and: 1, not: 2 } as const;

/** The tree as OData, with brackets only where `not` before `and` before `or` would say something else. */
export function print(tree: Tree, around = 0): string {
  const literal = (value: string) => `'${value.replaceAll("'", "''")}'`;
  switch (tree.kind) {
    case 'flag':
      return tree.isCompared ? `${tree.property} eq true` : tree.property;
    case 'equals':
      return `${tree.property} eq ${literal(tree.text)}`;
    case 'differs':
      return `${tree.property} ne ${literal(tree.text)}`;
    case 'starts':
      return `startswith(tolower(${tree.property}),${literal(tree.text)})`;
    case 'contains':
      return `substringof(${literal(tree.text)}, ${tree.property})`;
    case 'not':
      return `not (${print(tree.part)})`;
    default: {
      const strength = STRENGTH[tree.kind];
      const printed = tree.parts.map((part) => print(part, strength)).join(` ${tree.kind} `);
      return strength < around ? `(${printed})` : printed;
    }
  }
}

export function isTrueOf(tree: Tree, entry: Entry): boolean {
  const lower = (value: string) => value.toLowerCase();
  switch (tree.kind) {
    case 'flag':
      return entry[tree.property];
    case 'equals':
      return lower(entry[tree.property]) === lower(tree.text);
    case 'differs':
      return lower(entry[tree.property]) !== lower(tree.text);
    case 'starts':
      return lower(entry[tree.property]).startsWith(lower(tree.text));
    case 'contains':
      return lower(entry[tree.property]).includes(lower(tree.text));
    case 'not':
      return !isTrueOf(tree.part, entry);
    case 'and':
      return tree.parts.every((part) => isTrueOf(part, entry));
    default:
      return tree.parts.some((part) => isTrueOf(part, entry));
  }
}
