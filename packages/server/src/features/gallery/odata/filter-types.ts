import { asciiLower } from '../../../lib/ascii.ts';
import { odataErrors } from './odata.errors.ts';
import type { PropertyName } from './properties.ts';

export type Operator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';

export interface Literal<Value> {
  readonly literal: Value;
}
export interface PropertyValue {
  readonly property: PropertyName;
}
/** Where a text begins in another, counted from 0; -1 when it is not there. */
export interface Position {
  readonly of: string;
  readonly in: PropertyValue;
}
export type TextValue = Literal<string> | PropertyValue;
export type NumberValue = Literal<number> | PropertyValue | Position;
export type TimeValue = Literal<number> | PropertyValue;

/** What a filter demands of an entry. Every comparison has a property on its left. */
export type Condition =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'flag'; readonly property: PropertyName }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | {
      readonly kind: 'text';
      readonly operator: Operator;
      readonly left: PropertyValue;
      readonly right: TextValue;
    }
  | {
      readonly kind: 'number';
      readonly operator: Operator;
      readonly left: PropertyValue | Position;
      readonly right: NumberValue;
    }
  | {
      readonly kind: 'time';
      readonly operator: Operator;
      readonly left: PropertyValue;
      readonly right: TimeValue;
    }
  | {
      readonly kind: 'contains' | 'starts' | 'ends';
      readonly property: PropertyName;
      readonly text: string;
    };

export type Expression =
  | { readonly type: 'boolean'; readonly condition: Condition }
  | { readonly type: 'text'; readonly value: TextValue }
  | { readonly type: 'number'; readonly value: NumberValue }
  | { readonly type: 'time'; readonly value: TimeValue }
  | { readonly type: 'null' };

const MIRRORED: Readonly<Record<Operator, Operator>> = {
  eq: 'eq',
  ne: 'ne',
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
};

export function requireCondition(expression: Expression): Condition {
  if (expression.type === 'boolean') return expression.condition;
  throw odataErrors.filter_malformed({
    detail: '$filter: a value stands where a condition is wanted; compare it with something.',
  });
}

/** Compares two values, at once when both are known. @throws odata.filter_unsupported for two of different kinds */
export function compare(operator: Operator, left: Expression, right: Expression): Condition {
  if (left.type === 'null' || right.type === 'null') return compareWithNull(operator, left, right);
  if (left.type === 'boolean' && right.type === 'boolean')
    return compareConditions(operator, left.condition, right.condition);
  if (left.type === 'text' && right.type === 'text') {
    if ('literal' in left.value) {
      if ('literal' in right.value)
        return constant(operator, order(asciiLower(left.value.literal), asciiLower(right.value.literal)));
      return { kind: 'text', operator: MIRRORED[operator], left: right.value, right: left.value };
    }
    return { kind: 'text', operator, left: left.value, right: right.value };
  }
  if (left.type === 'number' && right.type === 'number') {
    if ('literal' in left.value) {
      if ('literal' in right.value) return constant(operator, left.value.literal - right.value.literal);
      return { kind: 'number', operator: MIRRORED[operator], left: right.value, right: left.value };
    }
    return { kind: 'number', operator, left: left.value, right: right.value };
  }
  if (left.type === 'time' && right.type === 'time') {
    if ('literal' in left.value) {
      if ('literal' in right.value) return constant(operator, left.value.literal - right.value.literal);
      return { kind: 'time', operator: MIRRORED[operator], left: right.value, right: left.value };
    }
    return { kind: 'time', operator, left: left.value, right: right.value };
  }
  throw odataErrors.filter_unsupported({
    detail: `$filter compares a ${left.type} with a ${right.type}; both sides must be of one kind.`,
  });
}

/** Where a package says nothing the feed has an empty text, so null is that; nothing else is ever null. */
function compareWithNull(operator: Operator, left: Expression, right: Expression): Condition {
  const other = left.type === 'null' ? right : left;
  if (operator !== 'eq' && operator !== 'ne') return { kind: 'constant', value: false };
  if (other.type === 'text' && 'property' in other.value)
    return { kind: 'text', operator, left: other.value, right: { literal: '' } };
  return { kind: 'constant', value: (other.type === 'null') === (operator === 'eq') };
}

function compareConditions(operator: Operator, left: Condition, right: Condition): Condition {
  const known = right.kind === 'constant' ? right : left.kind === 'constant' ? left : null;
  if (known === null || (operator !== 'eq' && operator !== 'ne'))
    throw odataErrors.filter_unsupported({
      detail: '$filter: a condition is compared with `eq` or `ne`, and with `true` or `false` only.',
    });
  const part = known === right ? left : right;
  const isSame = known.value === (operator === 'eq');
  if (part.kind === 'constant') return { kind: 'constant', value: part.value === isSame };
  return isSame ? part : { kind: 'not', part };
}

/** @throws odata.filter_unsupported unless a known text is looked for in a property */
export function toTextTest(
  name: 'substringof' | 'startswith' | 'endswith' | 'indexof',
  first: Expression,
  second: Expression,
): Expression {
  const [where, what] = name === 'substringof' ? [second, first] : [first, second];
  if (where.type !== 'text' || what.type !== 'text' || 'literal' in where.value || 'property' in what.value)
    throw odataErrors.filter_unsupported({
      detail: `$filter: ${name} looks for a text in quotes in a property that is a text.`,
    });
  const { property } = where.value;
  const text = what.value.literal;
  if (name === 'indexof') return { type: 'number', value: { of: text, in: { property } } };
  const kind = name === 'substringof' ? 'contains' : name === 'startswith' ? 'starts' : 'ends';
  return { type: 'boolean', condition: { kind, property, text } };
}

function constant(operator: Operator, difference: number): Condition {
  const holds: Readonly<Record<Operator, boolean>> = {
    eq: difference === 0,
    ne: difference !== 0,
    gt: difference > 0,
    ge: difference >= 0,
    lt: difference < 0,
    le: difference <= 0,
  };
  return { kind: 'constant', value: holds[operator] };
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
