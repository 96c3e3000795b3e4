import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../packages/server/src/features/gallery/odata/filter.ts';
import {
  compareNuGetVersions,
  parseNuGetVersion,
} from '../../packages/server/src/features/gallery/version/nuget-version.ts';
import { parseFullKey } from '../../packages/server/src/features/keys/key-format.ts';
import { checkScopes } from '../../packages/server/src/features/keys/keys.rules.ts';
import { chooseLifetimeDays } from '../../packages/server/src/features/keys/lifetimes.ts';
import { matchesPattern } from '../../packages/server/src/features/scopes/pattern.ts';
import { parseLoginBody } from '../../packages/server/src/features/tokens/login-body.ts';
import { Secret } from '../../packages/server/src/lib/secret.ts';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { isMet } from './models-conditions.ts';
import { entries, isTrueOf, print, trees } from './models-filters.ts';
import { checksum, compareVersions, lifetimeOf, normalizeVersion, readApiKey } from './models-reference.ts';
import { isMatch, isWithinHeld } from './policy-oracle.ts';

const ITEM = 47;
const RUNS = process.env['PROOF_FULL'] === '1' ? 100_000 : 1_000;
const CONTROL_RUNS = 20_000;
const SEED = Number(process.env['PROOF_SEED'] ?? 47_1126);
const MINUTES_MS = 60_000;

type AllSettings = Parameters<typeof chooseLifetimeDays>[0];

/** The product and a reference answer the same question; and so does somebody who has one rule wrong. */
interface Rule<Given> {
  readonly name: string;
  readonly given: fc.Arbitrary<Given>;
  readonly product: (given: Given) => unknown;
  readonly reference: (given: Given) => unknown;
  readonly mistaken: (given: Given) => unknown;
}

type AnyRule = Pick<Rule<unknown>, 'name'> & {
  /** The first case in which the two differ, or null. */
  readonly find: (subject: 'product' | 'mistaken', numRuns: number) => string | null;
};

function rule<Given>(made: Rule<Given>): AnyRule {
  return {
    name: made.name,
    find: (subject, numRuns) => {
      const found = fc.check(
        fc.property(made.given, (given) => {
          const [said, wanted] = [made[subject](given), made.reference(given)];
          if (JSON.stringify(said) !== JSON.stringify(wanted))
            throw new Error(`${JSON.stringify(said)}, not ${JSON.stringify(wanted)}`);
        }),
        { numRuns, seed: SEED, endOnFailure: subject === 'mistaken' },
      );
      return found.failed ? `${JSON.stringify(found.counterexample)}: ${String(found.errorInstance)}` : null;
    },
  };
}

/** Null for a refusal, as long as it is one that the product has a code for. */
function orRefused<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    if ((error as { code?: unknown }).code === undefined) throw error;
    return null;
  }
}

const base62 = (length: number) =>
  fc.string({
    unit: fc.constantFrom('0', '9', 'A', 'Z', 'a', 'z', '5', 'K', 'k'),
    minLength: length,
    maxLength: length,
  });
const edit = fc.record({
  kind: fc.constantFrom('none', 'none', 'replace', 'drop', 'insert', 'swap'),
  at: fc.nat(80),
  letter: fc.constantFrom('a', 'B', '0', '_', ' ', '\n', '\u00E9', '-'),
});
/** A right key, to which one thing may have happened, with blanks around it. */
const keyTexts = fc
  .record({
    prefix: fc.constantFrom('kr', 'acme', 'k', 'KR', 'abcdefghi'),
    id: base62(16),
    secret: base62(43),
    edit,
  })
  .map(({ prefix, id, secret, edit: { kind, at, letter } }) => {
    const text = `${prefix}_${id}_${secret}${checksum(`${prefix}_${id}_${secret}`)}`;
    const place = at % text.length;
    const [before, own, after] = [text.slice(0, place), text[place] ?? '', text.slice(place + 1)];
    if (kind === 'replace') return `${before}${letter}${after}`;
    if (kind === 'drop') return `${before}${after}`;
    if (kind === 'insert') return `${before}${letter}${own}${after}`;
    return kind === 'swap' ? `${before}${after.slice(0, 1)}${own}${after.slice(1)}` : ` ${text}\r\n`;
  });

const versionPart = fc.oneof(
  fc.constantFrom('0', '1', '2', '10', '01', '2147483647', '2147483648', '', ' 1', '-1', '1a'),
  fc.nat(12).map(String),
);
const label = fc.constantFrom(
  'a',
  'A',
  'b',
  'rc',
  '0',
  '1',
  '9',
  '10',
  '01',
  '-',
  '9999999999',
  '8888888888',
  'a-1',
  '',
  '\u00E9',
  'K',
);
const versionTexts = fc
  .record({
    numbers: fc.array(versionPart, { minLength: 1, maxLength: 5 }),
    labels: fc.array(label, { maxLength: 3 }),
    metadata: fc.constantFrom('', '', '+b', '+b.1', '+', '+01', '+b+c'),
    around: fc.constantFrom('', '', ' ', '\t'),
  })
  .map(
    ({ numbers, labels, metadata, around }) =>
      `${around}${numbers.join('.')}${labels.length > 0 ? `-${labels.join('.')}` : ''}${metadata}${around}`,
  );

const letters = fc.constantFrom('a', 'A', 'b', '.', '-', 'k', 'K', '\u212A', 'ß');
const patternTexts = fc
  .array(fc.oneof({ weight: 2, arbitrary: letters }, { weight: 1, arbitrary: fc.constant('*') }), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''));
const patternCases = fc
  .record({
    pattern: patternTexts,
    fill: fc.array(letters, { maxLength: 3 }),
    other: fc.array(letters, { maxLength: 6 }),
    isOther: fc.boolean(),
    isForPackages: fc.boolean(),
  })
  .map(({ pattern, fill, other, isOther, isForPackages }) => ({
    pattern,
    isForPackages,
    name: isOther ? other.join('') : pattern.replaceAll('*', fill.join('')),
  }));

const heldAction = fc.constantFrom(
  'package:push',
  'package:pushnew',
  'package:unlist',
  'package:*',
  'stock:read',
  'stock:*',
  'iam:*',
  'Bad',
  '*',
);
const scope = fc.record({
  actions: fc.array(heldAction, { maxLength: 2 }),
  resources: fc.array(fc.constantFrom('*', 'A*', 'a.*', 'A.B', 'B', '', 'ü', 'a/b'), { maxLength: 2 }),
});
const scopeCases = fc.record({
  grants: fc.array(
    fc.record({
      actions: fc.array(heldAction, { minLength: 1, maxLength: 3 }),
      resources: fc.array(fc.constantFrom('*', 'A*', 'a*', 'B', 'a/*'), { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  isAdmin: fc.boolean(),
  scopes: fc.array(scope, { maxLength: 2 }),
});
type ScopeCase = typeof scopeCases extends fc.Arbitrary<infer Value> ? Value : never;

/** Rules 1 and 7 and the choices of the console: may a key have exactly these scopes? */
function mayHaveScopes({ grants, isAdmin, scopes }: ScopeCase): boolean {
  const pushes = ['package:push', 'package:pushnew', 'package:pushversion'];
  return (
    scopes.length > 0 &&
    scopes.every(
      ({ actions, resources }) =>
        actions.length > 0 &&
        resources.length > 0 &&
        !actions.includes('Bad') &&
        !actions.includes('*') &&
        new Set(actions.filter((action) => pushes.includes(action))).size < 2 &&
        resources.every((pattern) => pattern !== '' && pattern !== 'ü') &&
        (!actions.some((action) => action.startsWith('package:')) || !resources.includes('a/b')) &&
        actions.every((action) =>
          resources.every(
            (pattern) => isWithinHeld(grants, action, pattern) || (isAdmin && action.startsWith('iam:')),
          ),
        ),
    )
  );
}

function isGivenScopes({ grants, isAdmin, scopes }: ScopeCase): boolean {
  const account = {
    id: 'acc_1',
    workspaceId: 'wsp_1',
    kind: 'user',
    displayName: 'Ada',
    login: 'ada@example.com',
    role: isAdmin ? 'admin' : 'member',
    isActive: true,
    grants,
    keyLimits: null,
    epoch: 1,
  } as const;
  return orRefused(() => checkScopes(account, 'scoped', scopes)) !== null;
}

const fieldValue = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'Z', '&', '=', '+', '%', '"', '\u3042', '\\', '{'), maxLength: 6 }),
  fc.constant(undefined),
);
const loginCases = fc.record({
  apikey: fieldValue,
  secretkey: fieldValue,
  mode: fc.constantFrom('apikey', 'apikey', 'apikey', '', undefined, 'password'),
  blanks: fc.constantFrom('', ' ', '\t', '\r\n'),
  isJson: fc.boolean(),
  hasMark: fc.boolean(),
});
type LoginCase = typeof loginCases extends fc.Arbitrary<infer Value> ? Value : never;

function writeLogin({ apikey, secretkey, mode, blanks, isJson, hasMark }: LoginCase): Uint8Array {
  const around = (value: string | undefined) =>
    value === undefined ? undefined : `${blanks}${value}${blanks}`;
  const fields = Object.entries({
    auth_mode: mode,
    apikey: around(apikey),
    secretkey: around(secretkey),
  }).filter((field): field is [string, string] => field[1] !== undefined);
  const text = isJson
    ? `${blanks}${JSON.stringify(Object.fromEntries(fields))}`
    : new URLSearchParams(fields).toString();
  return Buffer.from(`${hasMark ? '\uFEFF' : ''}${text}`);
}

const rules: readonly AnyRule[] = [
  rule({
    name: 'key format',
    given: keyTexts,
    product: (text) => parseFullKey(new Secret(text))?.apiKey ?? null,
    reference: readApiKey,
    mistaken: (text) =>
      /^[a-z]{2,8}_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/.test(text.trim()) ? text.trim().slice(0, -50) : null,
  }),
  rule({
    name: 'patterns',
    given: patternCases,
    product: ({ pattern, name, isForPackages }) => matchesPattern(pattern, name, isForPackages),
    reference: ({ pattern, name, isForPackages }) => isMatch(pattern, name, isForPackages),
    mistaken: ({ pattern, name }) => isMatch(pattern.toLowerCase(), name.toLowerCase(), false),
  }),
  rule({
    name: 'lifetimes',
    given: fc.record({
      settings: fc.record({
        customLifetimes: fc.boolean(),
        lifetimeChoicesDays: fc.constantFrom<number[]>([1, 90, 180, 270, 365], [1, 30], [7]),
        defaultLifetimeDays: fc.constantFrom<number>(1, 7),
        maxLifetimeDays: fc.constantFrom(365, 730),
      }),
      wanted: fc.oneof(
        fc.constant(undefined),
        fc.integer({ min: -3, max: 800 }),
        fc.constantFrom(0, 1, 7, 30, 90, 365, 366, 730, 731),
      ),
    }),
    product: ({ settings, wanted }) =>
      orRefused(() => chooseLifetimeDays(settings as unknown as AllSettings, wanted)),
    reference: ({ settings, wanted }) =>
      wanted === undefined &&
      !settings.customLifetimes &&
      !settings.lifetimeChoicesDays.includes(settings.defaultLifetimeDays)
        ? null
        : lifetimeOf(settings, wanted),
    mistaken: ({ settings, wanted }) =>
      wanted !== undefined && wanted >= settings.maxLifetimeDays ? null : lifetimeOf(settings, wanted),
  }),
  rule({
    name: 'scopes',
    given: scopeCases,
    product: isGivenScopes,
    reference: mayHaveScopes,
    mistaken: (given) => isGivenScopes({ ...given, isAdmin: true }),
  }),
  rule({
    name: 'normalised versions',
    given: versionTexts,
    product: (text) => parseNuGetVersion(text)?.normalized ?? null,
    reference: normalizeVersion,
    mistaken: (text) => (parseNuGetVersion(text) === null ? null : text.trim()),
  }),
  rule({
    name: 'order of versions',
    given: fc.tuple(versionTexts, versionTexts),
    product: ([a, b]) => {
      const [one, other] = [parseNuGetVersion(a), parseNuGetVersion(b)];
      return one === null || other === null ? null : Math.sign(compareNuGetVersions(one, other));
    },
    reference: ([a, b]) => compareVersions(a, b),
    mistaken: ([a, b]) => {
      const [one, other] = [normalizeVersion(a), normalizeVersion(b)];
      return one === null || other === null ? null : Math.sign(one.localeCompare(other));
    },
  }),
  rule({
    name: 'filters of the feed',
    given: fc.record({ tree: trees, entry: entries }),
    product: ({ tree, entry }) => isMet(parseFilter(print(tree)).condition, entry),
    reference: ({ tree, entry }) => isTrueOf(tree, entry),
    // `or` read as `and`.
    mistaken: ({ tree, entry }) =>
      isMet(parseFilter(print(tree).replaceAll(' or ', ' and ')).condition, entry),
  }),
  rule({
    name: 'login bodies',
    given: loginCases,
    product: (given) => {
      const read = orRefused(() => parseLoginBody(writeLogin(given)));
      return read === null ? null : [read.apikey, read.secretkey];
    },
    reference: ({ apikey = '', secretkey = '', mode }) =>
      apikey === '' || secretkey === '' || mode !== 'apikey' ? null : [apikey, secretkey],
    mistaken: (given) => {
      const read = orRefused(() => parseLoginBody(writeLogin({ ...given, mode: 'apikey' })));
      return read === null ? null : [read.apikey, read.secretkey];
    },
  }),
];

describe('what the product says is what a reference says', () => {
  it.each(rules)(
    'of $name',
    ({ name, find }) => {
      const difference = find('product', RUNS);
      recordFigure(ITEM, {
        name: 'properties that differ from a reference',
        reached: `${name}: ${difference === null ? '0' : 'at least 1'} of ${RUNS.toLocaleString('en')}`,
        wanted: `0 of ${RUNS.toLocaleString('en')}`,
        isHeld: difference === null,
        seed: SEED,
      });
      expect(difference).toBeNull();
    },
    60 * MINUTES_MS,
  );

  it.each(rules)('and not what somebody says who has a rule of it wrong: $name', ({ name, find }) => {
    const difference = find('mistaken', CONTROL_RUNS);
    recordControl(ITEM, {
      name: 'a property with a rule told wrongly',
      shown: `${name}: ${difference === null ? 'no difference' : 'differs'}`,
      hasFailed: difference !== null,
    });
    expect(difference).not.toBeNull();
  });
});
