import { asciiLower } from '../../../lib/ascii.ts';
import { requireProperty } from './feed-options.ts';
import { type FilterToken, malformed, tokenizeFilter } from './filter-tokens.ts';
import type { Condition } from './filter-types.ts';
import { compare, type Expression, type Operator, requireCondition, toTextTest } from './filter-types.ts';
import { odataErrors } from './odata.errors.ts';
import { EMPTY_PROPERTIES, FEED_PROPERTIES, MANIFEST_PROPERTIES, type PropertyName } from './properties.ts';

export interface FeedFilter {
  readonly condition: Condition;
  /** What the filter looks at. */
  readonly properties: ReadonlySet<PropertyName>;
  /** It looks for texts in texts. */
  readonly hasTextTests: boolean;
}

/**
 * Which of its packages' versions a filter leaves at most: the latest release of each, or the latest of all; null when
 * it does not say.
 */
export function findLatest({ condition }: FeedFilter): { readonly withPrereleases: boolean } | null {
  const parts = condition.kind === 'all' ? condition.parts : [condition];
  const flags = parts.flatMap((part) => (part.kind === 'flag' ? [part.property] : []));
  if (flags.includes('IsLatestVersion')) return { withPrereleases: false };
  return flags.includes('IsAbsoluteLatestVersion') ? { withPrereleases: true } : null;
}

/** Whether much has to be read of many entries: texts of all versions, or manifests. */
export function isSlowFilter(filter: FeedFilter): boolean {
  if ([...filter.properties].some((name) => MANIFEST_PROPERTIES.has(name))) return true;
  return filter.hasTextTests && findLatest(filter) === null;
}

const DEPTH_MAX = 40;
const NODES_MAX = 200;
// Each of them reads a whole text of each entry.
const TEXT_TESTS_MAX = 24;
const OPERATORS: readonly string[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] satisfies readonly Operator[];
const TEXT_FUNCTIONS = ['substringof', 'startswith', 'endswith', 'indexof'] as const;
const SAME_TEXT_FUNCTIONS = ['tolower', 'toupper', 'trim'];

/**
 * Reads `$filter`, the part of OData that package clients use. Texts compare without case, as on nuget.org, whose
 * database does; `tolower` and `toupper` therefore change nothing.
 *
 * @throws odata.filter_malformed, filter_unsupported, filter_too_complex, unknown_property; nothing else
 */
export function parseFilter(text: string): FeedFilter {
  const parser = new FilterParser(tokenizeFilter(text));
  const condition = parser.parse();
  return { condition, properties: parser.properties, hasTextTests: parser.hasTextTests };
}

class FilterParser {
  readonly properties = new Set<PropertyName>();
  readonly #tokens: readonly FilterToken[];
  #next = 0;
  #depth = 0;
  #nodes = 0;
  #textTests = 0;

  constructor(tokens: readonly FilterToken[]) {
    this.#tokens = tokens;
  }

  get hasTextTests(): boolean {
    return this.#textTests > 0;
  }

  parse(): Condition {
    const condition = requireCondition(this.#readEither());
    this.#take('end');
    return condition;
  }

  #readEither(): Expression {
    return this.#readJoined('or', 'any', () => this.#readJoined('and', 'all', () => this.#readUnary()));
  }

  #readJoined(word: string, kind: 'all' | 'any', readPart: () => Expression): Expression {
    const first = readPart();
    if (!this.#isWord(word)) return first;
    const parts = [requireCondition(first)];
    while (this.#isWord(word)) {
      this.#next += 1;
      this.#countNode();
      parts.push(requireCondition(readPart()));
    }
    return { type: 'boolean', condition: { kind, parts } };
  }

  #readUnary(): Expression {
    if (!this.#isWord('not')) return this.#readComparison();
    this.#next += 1;
    const part = this.#deeper(() => requireCondition(this.#readUnary()));
    return { type: 'boolean', condition: { kind: 'not', part } };
  }

  #readComparison(): Expression {
    const left = this.#readPrimary();
    const token = this.#peek();
    const operator = token.kind === 'word' ? asciiLower(token.text) : '';
    if (!OPERATORS.includes(operator)) return left;
    this.#next += 1;
    this.#countNode();
    return { type: 'boolean', condition: compare(operator as Operator, left, this.#readPrimary()) };
  }

  #readPrimary(): Expression {
    this.#countNode();
    const token = this.#peek();
    this.#next += 1;
    if (token.kind === 'string') return { type: 'text', value: { literal: token.text } };
    if (token.kind === 'number') return { type: 'number', value: { literal: token.value } };
    if (token.kind === 'time') return { type: 'time', value: { literal: token.value } };
    if (token.kind === 'word') return this.#readNamed(token);
    if (token.text !== '(')
      throw malformed(token.at, token.text === 'end' ? 'nothing, where a value is missing' : 'no value');
    const inner = this.#deeper(() => this.#readEither());
    this.#take(')');
    return inner;
  }

  #readNamed({ text, at }: FilterToken & { kind: 'word' }): Expression {
    const name = asciiLower(text);
    const isCall = this.#isMark('(');
    if (isCall) return this.#deeper(() => this.#readCall(name, at));
    if (name === 'null') return { type: 'null' };
    if (name === 'true' || name === 'false')
      return { type: 'boolean', condition: { kind: 'constant', value: name === 'true' } };
    const property = requireProperty(text, '$filter');
    this.properties.add(property);
    return toProperty(property);
  }

  #readCall(name: string, at: number): Expression {
    this.#take('(');
    const values = [this.#readEither()];
    while (this.#isMark(',')) {
      this.#next += 1;
      this.#countNode();
      values.push(this.#readEither());
    }
    this.#take(')');
    const [first, second] = values;
    const textFunction = TEXT_FUNCTIONS.find((known) => known === name);
    if (textFunction !== undefined && first !== undefined && second !== undefined && values.length === 2) {
      this.#textTests += 1;
      if (this.#textTests > TEXT_TESTS_MAX)
        throw odataErrors.filter_too_complex({
          detail: `$filter may look into texts at most ${TEXT_TESTS_MAX} times.`,
        });
      return toTextTest(textFunction, first, second);
    }
    if (SAME_TEXT_FUNCTIONS.includes(name) && first?.type === 'text' && values.length === 1) return first;
    throw odataErrors.filter_unsupported({
      detail: `$filter: at character ${at + 1} there is a function that the feed does not know, or one with the wrong values. It knows substringof, startswith, endswith, indexof, tolower, toupper and trim.`,
    });
  }

  #deeper<Result>(read: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX)
      throw odataErrors.filter_too_complex({ detail: `$filter may be nested at most ${DEPTH_MAX} deep.` });
    const result = read();
    this.#depth -= 1;
    return result;
  }

  #countNode(): void {
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX)
      throw odataErrors.filter_too_complex({
        detail: `$filter may have at most ${NODES_MAX} values and operators.`,
      });
  }

  #peek(): FilterToken {
    const token = this.#tokens[this.#next] ?? this.#tokens.at(-1);
    if (token === undefined) throw malformed(0, 'nothing');
    return token;
  }

  #isWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === 'word' && asciiLower(token.text) === word;
  }

  #isMark(mark: string): boolean {
    const token = this.#peek();
    return token.kind === 'mark' && token.text === mark;
  }

  #take(mark: '(' | ')' | 'end'): void {
    if (!this.#isMark(mark))
      throw malformed(
        this.#peek().at,
        mark === 'end' ? 'something, where the filter is complete' : `no "${mark}", which is missing`,
      );
    this.#next += 1;
  }
}

function toProperty(property: PropertyName): Expression {
  if (EMPTY_PROPERTIES.has(property)) return { type: 'null' };
  const { type } = FEED_PROPERTIES[property];
  if (type === 'Boolean') return { type: 'boolean', condition: { kind: 'flag', property } };
  if (type === 'String') return { type: 'text', value: { property } };
  if (type === 'DateTime') return { type: 'time', value: { property } };
  return { type: 'number', value: { property } };
}
