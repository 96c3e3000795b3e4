import { createHash } from 'node:crypto';
import {
  ACCESS_TOKEN_TYPE,
  type Company,
  type Harness,
  recordControl,
  recordFigure,
  seedCompany,
  startHarness,
  TOKEN_EXCHANGE,
  testEngine,
} from '@keyreeve/testkit';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller, TokenPrincipal } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { Secret } from '../../lib/secret.ts';
import { can, findExcess, isKeyPermitted, isPermitted } from '../scopes/index.ts';
// The very code that gateways are answered by.
import { decidePermission } from './decide.ts';

const ITEM = 29;
const IS_LONG = process.env['PROOF_FULL'] === '1';
const EXCHANGES = { sqlite: IS_LONG ? 100_000 : 300, postgres: IS_LONG ? 1_000 : 100 }[testEngine()];
const SEED = Number(process.env['PROOF_SEED'] ?? 29_2026);
const MINUTES_MS = 60_000;

const ACTIONS = ['package:push', 'package:pushnew', 'package:read', 'stock:read', 'iam:keys:read'];
const PATTERNS = ['*', 'A*', 'a.*', 'A.B', 'B*', '*.B', 'C'];
const PROBES = ACTIONS.concat('package:pushversion', 'package:unlist', 'iam:keys:write').flatMap((action) =>
  ['A', 'A.B', 'B', 'B.B', 'C', 'D', '*'].map((resource) => [action, resource] as const),
);

const action = fc.constantFrom(...ACTIONS, 'package:*', 'stock:*', 'iam:*');
const some = <Item>(item: fc.Arbitrary<Item>, maxLength: number) =>
  fc.uniqueArray(item, { minLength: 1, maxLength });
const permission: fc.Arbitrary<Permission> = fc.record({
  actions: some(action, 3),
  resources: some(fc.constantFrom(...PATTERNS), 3),
});
const wide = fc.constant<Permission>({ actions: ['package:*', 'stock:*', 'iam:*'], resources: ['*'] });
/** Often everything: from little, hardly anything that is asked for can be had. */
const held = fc.array(fc.oneof({ weight: 3, arbitrary: wide }, { weight: 3, arbitrary: permission }), {
  minLength: 1,
  maxLength: 3,
});
const small = fc.record({ actions: some(action, 2), resources: some(fc.constantFrom(...PATTERNS), 2) });
/** What one step asks for: by action, by resource, both, or nothing. */
const scope = some(action, 1);
const details = fc.tuple(small);
const step: fc.Arbitrary<{ readonly scope?: string[]; readonly details?: readonly Permission[] }> = fc.oneof(
  { weight: 4, arbitrary: fc.record({}) },
  { weight: 2, arbitrary: fc.record({ scope }) },
  { weight: 3, arbitrary: fc.record({ details }) },
  { weight: 1, arbitrary: fc.record({ scope, details }) },
);
const world = fc.record({
  role: fc.constantFrom('admin' as const, 'member' as const),
  grants: held,
  access: fc.constantFrom('account' as const, 'full' as const, 'scoped' as const),
  scopes: held,
  steps: fc.array(step, { minLength: 6, maxLength: 9 }),
});

let harness: Harness;
let company: Company;
let caller: Caller;
let serial = 0;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  caller = { ...company.adminCaller, principal: { kind: 'anonymous' } };
});
afterAll(() => harness.close());

type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

/** A key of a new account with these grants, as a foreign credential, which any access may have. */
async function importKey({ role, grants, access, scopes }: World): Promise<Secret> {
  serial += 1;
  const email = `person-${serial}@example.com`;
  await harness.createAccount({ kind: 'user', email, displayName: 'Person', role, grants });
  const credential = `legacy-credential-${serial}`;
  const row = {
    account: email,
    comment: 'x',
    access,
    expiresAt: access === 'full' ? null : harness.clock.now() + 86_400_000,
    sha256: createHash('sha256').update(credential).digest('hex'),
  };
  // Scopes beyond the grants make no key.
  const own = findExcess(grants, scopes) === null ? scopes : grants;
  const rows = [{ ...row, ...(access === 'scoped' ? { scopes: own } : {}) }];
  await harness.deps.keyImporter.importKeys(company.adminCaller, rows, false);
  return new Secret(credential);
}

function toForm(grant: Record<string, string>, wanted: World['steps'][number]): ReadonlyMap<string, string> {
  const { scope: actionsAsked, details: detailsAsked } = wanted;
  const asked = detailsAsked?.map(({ actions, resources }) => ({
    type: 'keyreeve',
    actions,
    identifiers: resources,
  }));
  return new Map(
    Object.entries({
      ...grant,
      ...(actionsAsked === undefined ? {} : { scope: actionsAsked.join(' ') }),
      ...(asked === undefined ? {} : { authorization_details: JSON.stringify(asked) }),
    }),
  );
}

function isOAuthRefusal(error: unknown): boolean {
  return /^oauth\.invalid_(scope|authorization_details)/.test((error as Error).message);
}

/** The next token of the chain, or the same one when it was refused. */
type Exchange = (
  token: string | null,
  secret: Secret,
  asked: World['steps'][number],
) => Promise<string | null>;

const exchange: Exchange = async (token, secret, asked) => {
  const grant =
    token === null
      ? { grant_type: 'client_credentials' }
      : { grant_type: TOKEN_EXCHANGE, subject_token: token, subject_token_type: ACCESS_TOKEN_TYPE };
  const client = token === null ? ({ kind: 'client', clientId: '', secret, isBasic: false } as const) : null;
  try {
    const { issued } = await harness.deps.oauth.grants.grant(caller, toForm(grant, asked), client);
    return issued.token.reveal();
  } catch (error) {
    if (!isOAuthRefusal(error)) throw error;
    return token;
  }
};

/** An exchange that looks at who is behind the token, and forgets what the token itself permits. */
const forgetfulExchange: Exchange = async (_token, secret, asked) => await exchange(null, secret, asked);

function rightsOf(principal: TokenPrincipal): ReadonlySet<string> {
  const { account, key } = principal;
  const found = PROBES.filter(([wanted, resource]) => {
    const { code } = decidePermission(account, key, { action: wanted, resource });
    // An assertion for each of them would take longer than the exchange.
    if (can(principal, wanted, resource) !== (code === 'valid'))
      throw new Error(`The two ways differ on ${wanted} of ${resource}.`);
    return code === 'valid';
  });
  return new Set(found.map((probe) => probe.join(' ')));
}

function isAskedFor(asked: World['steps'][number], wanted: string, resource: string): boolean {
  const scopes = asked.scope === undefined ? null : [{ actions: asked.scope, resources: ['*'] }];
  return [scopes, asked.details ?? null].every(
    (permissions) => permissions === null || isPermitted(permissions, wanted, resource),
  );
}

interface Chain {
  readonly exchanges: number;
  /** The first right that came out of nothing, or null. */
  readonly grown: string | null;
}

/** Leads a key through its exchanges, and compares what each token permits with what the one before it did. */
async function leadChain(given: World, next: Exchange): Promise<Chain> {
  const none = { exchanges: 0, grown: null };
  const secret = await importKey(given).catch((error: unknown) => {
    // Two choices of pushing in one scope make no key.
    if (/import_faulty/.test((error as Error).message)) return null;
    throw error;
  });
  if (secret === null) return none;
  const { keyAuthenticator, tokens, defaultWorkspace } = harness.deps;
  const proven = await keyAuthenticator.authenticate(defaultWorkspace.id, { fullKey: secret }, null);
  if (!('key' in proven)) throw new Error(proven.code);
  let allowed: ReadonlySet<string> = new Set(
    PROBES.filter(([wanted, resource]) => isKeyPermitted(proven.account, proven.key, wanted, resource)).map(
      (probe) => probe.join(' '),
    ),
  );
  let [token, exp, exchanges] = [null as string | null, Number.POSITIVE_INFINITY, 0];
  for (const asked of given.steps) {
    const before = token;
    token = await next(token, secret, asked);
    if (token === null || token === before) continue;
    exchanges += before === null ? 0 : 1;
    const rights = rightsOf(await tokens.verify(defaultWorkspace, new Secret(token), null));
    const grown = [...rights].find((right) => !allowed.has(right));
    if (grown !== undefined) return { exchanges, grown };
    const unasked = PROBES.filter((probe) => rights.has(probe.join(' ')) && !isAskedFor(asked, ...probe));
    expect(unasked).toEqual([]);
    const claims = decodeJwt(token);
    expect(claims.exp).toBeLessThanOrEqual(exp);
    for (const told of (claims['scope'] as string | undefined)?.split(' ') ?? [])
      if (!told.endsWith(':*')) expect(rights).toContain(`${told} *`);
    [allowed, exp] = [rights, Number(claims.exp)];
  }
  return { exchanges, grown: null };
}

/** Chains, until there were so many exchanges or a right has grown. */
async function leadChains(exchangesMin: number, next: Exchange): Promise<Chain> {
  let exchanges = 0;
  for (let round = 0; exchanges < exchangesMin; round += 1) {
    for (const given of fc.sample(world, { numRuns: 100, seed: SEED + round })) {
      const chain = await leadChain(given, next);
      exchanges += chain.exchanges;
      if (chain.grown !== null) return { exchanges, grown: chain.grown };
    }
  }
  return { exchanges, grown: null };
}

describe('rights', () => {
  it(
    'never grow on any exchange, nor does the life of the token',
    async () => {
      const { exchanges, grown } = await leadChains(EXCHANGES, exchange);
      recordFigure(ITEM, {
        name: 'exchanges on which rights have grown',
        reached: `${grown === null ? 0 : 1} of ${exchanges.toLocaleString('en')}`,
        wanted: `0 of ${EXCHANGES.toLocaleString('en')}`,
        isHeld: grown === null,
        seed: SEED,
      });
      expect(grown).toBeNull();
    },
    60 * MINUTES_MS,
  );

  it('are seen to grow where an exchange forgets what the token permits', async () => {
    const { exchanges, grown } = await leadChains(EXCHANGES, forgetfulExchange);
    recordControl(ITEM, {
      name: 'an exchange that forgets what the token permits',
      shown: grown === null ? 'nothing grew' : `${grown} grew on exchange ${exchanges.toLocaleString('en')}`,
      hasFailed: grown !== null,
    });
    expect(grown).not.toBeNull();
  });
});
