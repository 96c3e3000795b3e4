import { describe, expect, it } from 'vitest';
import { isPermittedBy } from '../../packages/sdk/src/permissions.ts';
import {
  can,
  effectivePermissions,
  findExcess,
  grantsOf,
  isPermitted,
} from '../../packages/server/src/features/scopes/index.ts';
import { decidePermission } from '../../packages/server/src/features/verification/decide.ts';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { isMatch, isWithinHeld, mayByKey, mayBySession } from './policy-oracle.ts';
import { createNumbers, createPolicyCases, type PolicyCase } from './policy-worlds.ts';

const ITEM = 28;
const IS_LONG = process.env['PROOF_FULL'] === '1';
const POLICIES = IS_LONG ? 5_000_000 : 100_000;
const CONTROL_POLICIES = 100_000;
const CONTROL_DIFFERENCES = 5;
const SEED = Number(process.env['PROOF_SEED'] ?? 28_2026);
const MINUTES_MS = 60_000;

/** What the product answers to one case, by each of its ways to the answer. */
type Engine = (given: PolicyCase) => Answers;

interface Answers {
  readonly byKey: boolean;
  readonly byToken: boolean;
  readonly bySession: boolean;
  readonly byTokenText: boolean;
  readonly mayHave: boolean;
}

const TOKEN = { jti: 'j', issuedAt: 0, expiresAt: 1 };

const engine: Engine = ({ account, key, action, resource, wanted }) => {
  const name = resource ?? '*';
  return {
    byKey: decidePermission(account, key, { action, resource }).code === 'valid',
    byToken: can({ kind: 'token', account, key, token: TOKEN }, action, name),
    bySession: can({ kind: 'session', account, sessionId: 'ses_1', managedIds: [] }, action, name),
    // What a service reads in a token without asking: never more than the server says, by the same matcher.
    byTokenText: account.isActive && isPermittedBy(effectivePermissions(account, key), action, name),
    mayHave: findExcess(grantsOf(account), wanted) === null,
  };
};

/** The first way on which the answers differ from the oracle's, or null. */
function findDifference(
  { account, key, action, resource, wanted }: PolicyCase,
  found: Answers,
): string | null {
  const may = mayByKey(account, key, action, resource);
  if (found.byKey !== may) return `by key: ${found.byKey}`;
  if (found.byToken !== may) return `by token: ${found.byToken}`;
  if (found.bySession !== mayBySession(account, action, resource ?? '*'))
    return `by session: ${found.bySession}`;
  if (found.byTokenText && !may) return 'by the text of a token: true';
  const isHeld = wanted.every(({ actions, resources }) =>
    actions.every((one) =>
      resources.every(
        (pattern) =>
          isWithinHeld(account.grants, one, pattern) || (account.role === 'admin' && one.startsWith('iam:')),
      ),
    ),
  );
  return found.mayHave === isHeld ? null : `may have: ${found.mayHave}`;
}

interface Outcome {
  readonly differences: number;
  readonly first: string | null;
  readonly permitted: number;
  readonly policies: number;
}

/** Stops at `differencesMax` differences. */
function compare(subject: Engine, policies: number, differencesMax: number): Outcome {
  const next = createPolicyCases(createNumbers(SEED));
  let [differences, permitted, first] = [0, 0, null as string | null];
  let index = 0;
  for (; index < policies && differences < differencesMax; index += 1) {
    const given = next();
    const answers = subject(given);
    const difference = findDifference(given, answers);
    if (answers.byKey) permitted += 1;
    if (difference === null) continue;
    differences += 1;
    first ??= `policy ${index}: ${difference} ${JSON.stringify(given)}`;
  }
  return { differences, first, permitted, policies: index };
}

describe('the engine of rights', () => {
  it(
    `answers ${POLICIES.toLocaleString('en')} random policies as the oracle does`,
    () => {
      const { differences, first, permitted } = compare(engine, POLICIES, CONTROL_DIFFERENCES);
      const wanted = `0 of ${POLICIES.toLocaleString('en')}`;
      recordFigure(ITEM, {
        name: 'answers that differ from the oracle',
        reached: `${differences} of ${POLICIES.toLocaleString('en')} policies, ${Math.round((permitted / POLICIES) * 100)} % of them permitted`,
        wanted,
        isHeld: differences === 0,
        seed: SEED,
      });
      expect(first).toBeNull();
      // Otherwise both say no to everything.
      expect(permitted / POLICIES).toBeGreaterThan(0.15);
      expect(permitted / POLICIES).toBeLessThan(0.85);
    },
    60 * MINUTES_MS,
  );
});

const EVERYTHING = [{ actions: ['package:*', 'packages:*', 'orders:*', 'iam:*'], resources: ['*'] }];

function lowered({ account, key, resource, ...rest }: PolicyCase): PolicyCase {
  const lower = (permissions: PolicyCase['wanted']) =>
    permissions.map(({ actions, resources }) => ({
      actions,
      resources: resources.map((pattern) => pattern.toLowerCase()),
    }));
  return {
    ...rest,
    account: { ...account, grants: lower(account.grants) },
    key: { ...key, scopes: lower(key.scopes) },
    resource: resource?.toLowerCase() ?? null,
  };
}

function joined(permissions: PolicyCase['wanted']): PolicyCase['wanted'] {
  return [
    {
      actions: permissions.flatMap(({ actions }) => actions),
      resources: permissions.flatMap(({ resources }) => resources),
    },
  ];
}

/** Engines with one mistake each, as somebody might make it. */
const MISTAKES: readonly (readonly [string, Engine])[] = [
  [
    'the grants of the account are not looked at',
    (given) => engine({ ...given, account: { ...given.account, grants: EVERYTHING } }),
  ],
  [
    'the state of the account is not looked at',
    (given) => engine({ ...given, account: { ...given.account, isActive: true } }),
  ],
  [
    'action and resource may come from two permissions',
    (given) => engine({ ...given, key: { ...given.key, scopes: joined(given.key.scopes) } }),
  ],
  ['all resources compare without case', (given) => engine(lowered(given))],
  [
    'a key for the whole account may manage keys',
    (given) =>
      given.key.access === 'account'
        ? engine({ ...given, key: { ...given.key, access: 'scoped', scopes: grantsOf(given.account) } })
        : engine(given),
  ],
  [
    'an empty list of scopes means all',
    (given) =>
      given.key.scopes.length === 0 && given.key.access === 'scoped'
        ? engine({ ...given, key: { ...given.key, scopes: EVERYTHING } })
        : engine(given),
  ],
  [
    'pushing new versions contains pushing new packages',
    (given) => {
      const { account, key, action, resource } = given;
      const found = engine(given);
      const isNew = action === 'package:pushnew';
      return isNew
        ? {
            ...found,
            byKey:
              found.byKey ||
              decidePermission(account, key, { action: 'package:pushversion', resource }).code === 'valid',
          }
        : found;
    },
  ],
  [
    'a dot in a pattern stands for any character',
    (given) => {
      const { key, action, resource } = given;
      const found = engine(given);
      const dotted = key.scopes.map(({ actions, resources }) => ({
        actions,
        resources: resources.map((pattern) => pattern.replaceAll('.', '*')),
      }));
      return key.access === 'scoped' && found.bySession
        ? { ...found, byKey: isPermitted(dotted, action, resource ?? '*') && given.account.isActive }
        : found;
    },
  ],
  [
    'scopes may exceed the grants by a pattern that only begins alike',
    (given) => {
      const found = engine(given);
      const isAlike = given.wanted.every(({ actions, resources }) =>
        actions.every((action) =>
          resources.every((pattern) =>
            isPermitted(grantsOf(given.account), action, pattern.replaceAll('*', '')),
          ),
        ),
      );
      return { ...found, mayHave: found.mayHave || isAlike };
    },
  ],
];

describe('an engine with a mistake', () => {
  it.each(MISTAKES)('is told from the oracle: %s', (name, mistaken) => {
    const { differences, policies } = compare(mistaken, CONTROL_POLICIES, CONTROL_DIFFERENCES);
    recordControl(ITEM, {
      name: 'an engine with a mistake',
      shown: `${name}: ${differences} of the first ${policies.toLocaleString('en')} policies differ`,
      hasFailed: differences > 0,
    });
    expect(differences).toBeGreaterThan(0);
  });

  it('is no accident of the matcher of the oracle: it knows the examples of the design', () => {
    expect(isMatch('AzureRM.DataFactory*', 'AzureRm.DataFactoryV2.Netcore', true)).toBe(true);
    expect(isMatch('AzureRM.DataFactory*', 'AzureRm.DataFactoryV2.Netcore', false)).toBe(false);
    expect(isMatch('a*b', 'ab', false)).toBe(true);
    expect(isMatch('a.b', 'axb', true)).toBe(false);
    expect(isMatch('k*', '\u212Aa', true)).toBe(false);
  });
});
