import type { Condition } from '../../packages/server/src/features/gallery/odata/filter-types.ts';
import type { Entry } from './models-filters.ts';

/** What a condition that the product has read says of an entry: the part of it that these filters use. */
export function isMet(condition: Condition, entry: Entry): boolean {
  const valueOf = (property: string): string => String(entry[property as keyof Entry]).toLowerCase();
  switch (condition.kind) {
    case 'constant':
      return condition.value;
    case 'flag':
      return entry[condition.property as 'IsPrerelease'];
    case 'not':
      return !isMet(condition.part, entry);
    case 'all':
      return condition.parts.every((part) => isMet(part, entry));
    case 'any':
      return condition.parts.some((part) => isMet(part, entry));
    case 'text': {
      const { left, right, operator } = condition;
      const other = 'literal' in right ? right.literal.toLowerCase() : valueOf(right.property);
      return (valueOf(left.property) === other) === (operator === 'eq');
    }
    case 'starts':
      return valueOf(condition.property).startsWith(condition.text.toLowerCase());
    case 'contains':
      return valueOf(condition.property).includes(condition.text.toLowerCase());
    default:
      throw new Error(`No filter of this test has a condition of the kind ${condition.kind}.`);
  }
}
