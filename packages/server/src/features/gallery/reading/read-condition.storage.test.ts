import { type Harness, startHarness } from '@keyreeve/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyIdentity, Principal, SessionPrincipal } from '../../../http/index.ts';
import type { Permission } from '../../../lib/permission.ts';
import { can, isPermitted } from '../../scopes/index.ts';
import { isReadable } from './read-condition.repo.ts';
import { allowsReading, toReadRights } from './read-rights.ts';

const WORKSPACE = 'wsp_reading';
const ME = 'acc_me';
const IDS = [
  'a',
  'A',
  'b',
  'aa',
  'ab',
  'a_b',
  'a.b',
  'axb',
  'a-b',
  'b_',
  '__',
  'Acme.Tools',
  'acme.tools',
  'Acme.Tools.Core',
  'AcmeXTools',
  'Other.Acme.Tools',
  'a.a.a.a.a.a.a.a.b',
  `x${'a'.repeat(99)}`,
];

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
  const { write } = harness.deps.storage;
  // Ids that differ in case alone are one package, so each has a workspace entry of its own only in lower case.
  for (const [index, idLower] of ids().entries()) {
    const id = `ver_${index}`;
    const rest = { is_prerelease: 0, is_semver2: 0, is_latest: 1, is_absolute_latest: 1 };
    await write
      .insertInto('feed_entries')
      .values({
        id,
        workspace_id: WORKSPACE,
        package_id: `pkg_${index}`,
        id_lower: idLower,
        version_full: '1.0.0',
        version_lower: '1.0.0',
        sort_key: '1',
        listed: 1,
        ...rest,
        is_latest_semver1: 1,
        is_absolute_latest_semver1: 1,
        pushed_at: 0,
        title: null,
        tags: '',
        package_types: '',
        authors: '',
      })
      .execute();
    await write
      .insertInto('package_owners')
      .values({ workspace_id: WORKSPACE, package_id: `pkg_${index}`, account_id: ownerOf(index) })
      .execute();
  }
});
afterAll(() => harness.close());

function ids(): string[] {
  return [...new Set(IDS.map((id) => id.toLowerCase()))];
}

/** Every third package is the caller's own. */
function ownerOf(index: number): string {
  return index % 3 === 0 ? ME : 'acc_somebody';
}

async function readable(principal: Principal, ownerIds: readonly string[]): Promise<string[]> {
  const { storage } = harness.deps;
  const rows = await storage.read
    .selectFrom('feed_entries')
    .select('id_lower')
    .where(isReadable(storage.engine, WORKSPACE, toReadRights(principal, ownerIds)))
    .where('workspace_id', '=', WORKSPACE)
    .orderBy('sort_key')
    .orderBy('package_id')
    .execute();
  return rows.map((row) => row.id_lower).toSorted();
}

const pattern = fc.string({
  unit: fc.constantFrom('a', 'b', 'A', '_', '.', '-', '*', '*'),
  minLength: 1,
  maxLength: 7,
});
const known = fc.constantFrom(
  ...IDS,
  'Acme.*',
  'acme.tools*',
  '*Tools',
  '*a*',
  '%',
  'a%',
  'a\\_b',
  '_*',
  '*',
);
const permission: fc.Arbitrary<Permission> = fc.record({
  actions: fc.uniqueArray(fc.constantFrom('package:read', 'package:*', 'package:push', 'iam:*'), {
    minLength: 1,
  }),
  resources: fc.array(fc.oneof(pattern, known), { minLength: 1, maxLength: 5 }),
});
const permissions = fc.array(permission, { maxLength: 3 });

function accountWith(grants: readonly Permission[]): SessionPrincipal['account'] {
  return {
    id: ME,
    workspaceId: WORKSPACE,
    kind: 'user',
    displayName: 'Me',
    login: 'me@example.com',
    role: 'member',
    isActive: true,
    grants,
    keyLimits: null,
    epoch: 1,
  };
}

function keyWith(access: KeyIdentity['access'], scopes: readonly Permission[]): KeyIdentity {
  return {
    id: 'kr_0123456789ABCDEF',
    ownerId: ME,
    comment: 'test',
    access,
    scopes,
    limits: null,
    generation: 1,
    expiresAt: null,
  };
}

describe('what may be read, as one condition of the database', () => {
  it('is what the matcher of the product allows, for a session by its grants', async () => {
    await fc.assert(
      fc.asyncProperty(permissions, async (grants) => {
        const principal: Principal = {
          kind: 'session',
          account: accountWith(grants),
          sessionId: 'ses_1',
          managedIds: [],
        };
        const allowed = ids().filter((id) => can(principal, 'package:read', id));
        expect(await readable(principal, [])).toEqual(allowed.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it('is the intersection of scopes and grants, for a key', async () => {
    await fc.assert(
      fc.asyncProperty(
        permissions,
        permissions,
        fc.constantFrom('scoped', 'account', 'full'),
        async (grants, scopes, access) => {
          const key = keyWith(access, scopes);
          const principal: Principal = { kind: 'key', account: accountWith(grants), key };
          const allowed = ids().filter((id) => can(principal, 'package:read', id));
          expect(await readable(principal, [])).toEqual(allowed.toSorted());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('lets ownership take the place of a grant, never of a scope, and says the same of one package', async () => {
    await fc.assert(
      fc.asyncProperty(permissions, permissions, fc.boolean(), async (grants, scopes, isScoped) => {
        const key = keyWith(isScoped ? 'scoped' : 'account', scopes);
        const principal: Principal = { kind: 'key', account: accountWith(grants), key };
        const allowed = ids().filter(
          (id, index) =>
            (!isScoped || isPermitted(scopes, 'package:read', id)) &&
            (isPermitted(grants, 'package:read', id) || ownerOf(index) === ME),
        );
        expect(await readable(principal, [ME])).toEqual(allowed.toSorted());
        const rights = toReadRights(principal, [ME]);
        expect(ids().filter((id, index) => allowsReading(rights, id, [ownerOf(index)]))).toEqual(allowed);
      }),
      { numRuns: 300 },
    );
  });

  it('is nothing for nobody and for a disabled account, and everything for an administrator', async () => {
    const grants = [{ actions: ['package:*'], resources: ['*'] }];
    const account = accountWith(grants);
    const session = { kind: 'session', sessionId: 'ses_1', managedIds: [] } as const;
    expect(await readable({ kind: 'anonymous' }, [ME])).toEqual([]);
    expect(await readable({ ...session, account: { ...account, isActive: false } }, [ME])).toEqual([]);
    const admin = { ...account, role: 'admin' as const, grants: [] };
    expect(await readable({ ...session, account: admin }, [])).toEqual(ids().toSorted());
  });

  it('finds ids by any number of beginnings', async () => {
    const beginning = fc.string({ unit: fc.constantFrom('a', 'b', '.', '_', 'c', 'm', 'e'), maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(beginning, { maxLength: 40 }), async (beginnings) => {
        const resources = beginnings.map((text) => `${text}*`);
        const principal: Principal = {
          kind: 'key',
          account: accountWith([{ actions: ['package:*'], resources: ['*'] }]),
          key: keyWith('scoped', [{ actions: ['package:read'], resources }]),
        };
        const allowed = ids().filter((id) => can(principal, 'package:read', id));
        expect(await readable(principal, [])).toEqual(allowed.toSorted());
      }),
      { numRuns: 200 },
    );
  });

  it('takes as many patterns as a key and its account can have, however they are made', async () => {
    const resources = Array.from({ length: 100 }, (_, n) => `${'*a'.repeat(60)}${n}*`);
    const wide = Array.from({ length: 99 }, (_, n) => `*${n}*b*`);
    const principal: Principal = {
      kind: 'key',
      account: accountWith([{ actions: ['package:*'], resources: [...wide, 'acme.tools'] }]),
      key: keyWith('scoped', [{ actions: ['package:read'], resources: [...resources.slice(1), 'ACME.*'] }]),
    };
    expect(await readable(principal, [])).toEqual(['acme.tools']);
  });
});
