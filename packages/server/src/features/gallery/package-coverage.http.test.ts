import { inTransaction } from '@keyreeve/server';
import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';

interface Group {
  pattern?: string;
  count: number;
  packages: { id: string; displayId: string; latestVersion: string | null }[];
}
interface Coverage {
  ownedCount: number;
  coveredCount: number;
  groups: Group[];
  notCovered: Group;
  isPartial: boolean;
}
interface Problem {
  code: string;
  detail: string;
  errors: { field: string; message: string }[];
}

let harness: Harness;
let gallery: Gallery;
let robotKey: string;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  robotKey = await gallery.makeKey(gallery.memberCaller, gallery.robot);
  for (const id of [
    'AzureRm.DataFactory',
    'AzureRm.DataFactoryV2.Netcore',
    'AzureRm.Storage',
    'Contoso.Core',
  ])
    await gallery.publish(robotKey, id);
  await gallery.publish(robotKey, 'AzureRm.Storage', '2.0.0');
  await gallery.publish(robotKey, 'Contoso.Core', '0.1.0-pre');
  await gallery.send('DELETE', '/api/v2/package/Contoso.Core/1.0.0', robotKey);
  await gallery.send('DELETE', '/api/v2/package/Contoso.Core/0.1.0-pre', robotKey);
  await gallery.publish(gallery.keys.push, 'Acme.Own');
});
afterAll(() => harness.close());

const ask = async (key: string, body: object) =>
  await call(harness, 'POST', '/v1/packages/coverage', { key, body });
const find = async (patterns: readonly string[], more: object = {}): Promise<Coverage> => {
  const answer = await ask(robotKey, { ownerId: gallery.robot.id, patterns, ...more });
  expect(answer.statusCode, answer.payload).toBe(200);
  return answer.json<Coverage>();
};

const idOf = (ownerId: string, name: string) => `pkg_${ownerId}_${name}`;

/** Owned packages straight in the database: thousands of pushes would take minutes. */
async function insertOwned(ownerId: string, names: readonly string[]): Promise<void> {
  const { workspaceId } = gallery.robot;
  const toPackage = (name: string) => ({
    id: idOf(ownerId, name),
    workspace_id: workspaceId,
    id_lower: name.toLowerCase(),
    display_id: name,
    created_at: 0,
    last_pushed_at: 0,
  });
  const toOwner = (name: string) => ({
    workspace_id: workspaceId,
    package_id: idOf(ownerId, name),
    account_id: ownerId,
  });
  await inTransaction(harness.deps.storage, async (tx) => {
    for (let start = 0; start < names.length; start += 1_000) {
      const stretch = names.slice(start, start + 1_000);
      await tx.insertInto('packages').values(stretch.map(toPackage)).execute();
      await tx.insertInto('package_owners').values(stretch.map(toOwner)).execute();
    }
  });
}

async function makeOwner(technicalName: string) {
  const input = { kind: 'service' as const, technicalName, displayName: technicalName };
  return await harness.createAccount(input);
}

describe('the preview of a scope', () => {
  it('puts each package into the first pattern that matches it, without minding case', async () => {
    expect(await find(['AzureRM.DataFactory*', 'azurerm.*', 'Nothing.*', '*.DataFactory'])).toEqual({
      ownedCount: 4,
      coveredCount: 3,
      groups: [
        {
          pattern: 'AzureRM.DataFactory*',
          count: 2,
          packages: [
            { id: 'azurerm.datafactory', displayId: 'AzureRm.DataFactory', latestVersion: '1.0.0' },
            {
              id: 'azurerm.datafactoryv2.netcore',
              displayId: 'AzureRm.DataFactoryV2.Netcore',
              latestVersion: '1.0.0',
            },
          ],
        },
        {
          pattern: 'azurerm.*',
          count: 1,
          packages: [{ id: 'azurerm.storage', displayId: 'AzureRm.Storage', latestVersion: '2.0.0' }],
        },
        { pattern: 'Nothing.*', count: 0, packages: [] },
        { pattern: '*.DataFactory', count: 0, packages: [] },
      ],
      notCovered: {
        count: 1,
        packages: [{ id: 'contoso.core', displayId: 'Contoso.Core', latestVersion: null }],
      },
      isPartial: false,
    });
  });

  it('is empty without patterns, and full with the one for everything', async () => {
    expect(await find([])).toMatchObject({ coveredCount: 0, groups: [], notCovered: { count: 4 } });
    expect(await find(['*', '*'])).toMatchObject({
      coveredCount: 4,
      groups: [{ count: 4 }, { count: 0 }],
      notCovered: { count: 0, packages: [] },
    });
  });

  it('narrows what is shown by a text, not what is counted', async () => {
    const { groups, notCovered, coveredCount } = await find(['azurerm.*'], { q: ' STORAGE ' });
    expect(groups[0]?.packages.map((item) => item.id)).toEqual(['azurerm.storage']);
    expect([groups[0]?.count, coveredCount, notCovered.count, notCovered.packages]).toEqual([3, 3, 1, []]);
  });

  it('matches as a key does that has these patterns', async () => {
    const patterns = ['AzureRM.*Netcore', 'contoso.CORE'];
    const key = await gallery.makeKey(gallery.memberCaller, gallery.robot, {
      actions: ['package:push'],
      resources: patterns,
    });
    const { groups } = await find(patterns);
    const covered = groups.flatMap((group) => group.packages.map((item) => item.displayId));
    for (const id of [
      'AzureRm.DataFactoryV2.Netcore',
      'Contoso.Core',
      'AzureRm.Storage',
      'AzureRm.DataFactory',
    ])
      expect([id, (await gallery.publish(key, id, '3.0.0')).statusCode === 201]).toEqual([
        id,
        covered.includes(id),
      ]);
  });

  it.each([
    ['', 'is empty'],
    ['Acme Tool', 'may contain only'],
    ['日本.*', 'may contain only'],
    ['x'.repeat(129), 'longer than 128'],
  ])('refuses the pattern %j and names it', async (pattern, message) => {
    const answer = await ask(robotKey, { ownerId: gallery.robot.id, patterns: ['fine.*', pattern] });
    const problem = answer.json<Problem>();
    expect([answer.statusCode, problem.code]).toEqual([400, 'request.invalid']);
    expect(problem.errors).toEqual([
      { field: 'patterns[1]', message: expect.stringContaining(message) as string },
    ]);
    expect(problem.errors[0]?.message).toContain(`"${pattern}"`);
    expect(problem.detail).toContain('patterns[1]');
  });

  it.each([
    [{ patterns: ['*'] }],
    [{ ownerId: 'acc_x' }],
    [{ ownerId: 'acc_x', patterns: Array.from({ length: 101 }, () => '*') }],
    [{ ownerId: 'acc_x', patterns: '*' }],
    [{ ownerId: 'acc_x', patterns: ['*'], limit: 5 }],
  ])('refuses the body %j', async (body) => {
    expect((await ask(robotKey, body)).statusCode).toBe(400);
  });
});

describe('the packages of an owner', () => {
  const count = async (caller: Gallery['memberCaller'], ownerId: string) =>
    (await harness.deps.packages.findCoverage(caller, { ownerId, patterns: ['*'] })).ownedCount;

  it('are previewed for the account itself, its managers and administrators', async () => {
    expect(await count(gallery.memberCaller, gallery.robot.id)).toBe(4);
    expect(await count(gallery.memberCaller, gallery.member.id)).toBe(1);
    expect(await count(gallery.adminCaller, gallery.robot.id)).toBe(4);
    expect(await count(gallery.strangerCaller, gallery.stranger.id)).toBe(0);
  });

  it('are not there for anybody else, like an account that does not exist', async () => {
    for (const ownerId of [gallery.robot.id, gallery.member.id, 'acc_nobody'])
      await expect(count(gallery.strangerCaller, ownerId)).rejects.toMatchObject({
        code: 'request.not_found',
      });
    await expect(count(gallery.adminCaller, 'acc_nobody')).rejects.toMatchObject({
      code: 'request.not_found',
    });
  });

  it('are shown to a key as far as it may read them', async () => {
    const reader = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:read'],
      resources: ['AzureRm.Storage', 'Acme.*'],
      ownerId: gallery.robot.id,
    });
    const answer = await ask(reader, { ownerId: gallery.robot.id, patterns: ['*'] });
    expect(answer.json<Coverage>()).toMatchObject({ ownedCount: 1, groups: [{ count: 1 }] });
    expect((await ask(reader, { ownerId: gallery.stranger.id, patterns: ['*'] })).statusCode).toBe(404);
    expect((await ask(gallery.keys.push, { ownerId: gallery.member.id, patterns: ['*'] })).statusCode).toBe(
      403,
    );
  });
});

describe('an owner of many packages', () => {
  it('has all of them counted and the first fifty of each group shown, by id', async () => {
    const owner = await makeOwner('hoarder');
    const ids = Array.from({ length: 700 }, (_, index) => `Hoard.${String(index).padStart(4, '0')}`);
    // In an order that is not the one they are shown in.
    await insertOwned(
      owner.id,
      ids.toSorted((a, b) => (a.at(-1) ?? '').localeCompare(b.at(-1) ?? '')),
    );
    const coverage = await harness.deps.packages.findCoverage(gallery.adminCaller, {
      ownerId: owner.id,
      patterns: ['*7', '*'],
    });
    expect(coverage).toMatchObject({ ownedCount: 700, coveredCount: 700, isPartial: false });
    const [sevens, others] = coverage.groups;
    expect([sevens?.count, others?.count]).toEqual([70, 630]);
    const shown = (wanted: (id: string) => boolean) =>
      ids
        .filter(wanted)
        .slice(0, 50)
        .map((id) => id.toLowerCase());
    expect(sevens?.packages.map((item) => item.idLower)).toEqual(shown((id) => id.endsWith('7')));
    expect(others?.packages.map((item) => item.idLower)).toEqual(shown((id) => !id.endsWith('7')));
  });

  it('has no more than ten thousand looked at, and the answer says so', async () => {
    const owner = await makeOwner('giant');
    await insertOwned(
      owner.id,
      Array.from({ length: 10_001 }, (_, index) => `Giant.${index}`),
    );
    const preview = async () =>
      await harness.deps.packages.findCoverage(gallery.adminCaller, {
        ownerId: owner.id,
        patterns: ['Giant.*'],
      });
    expect(await preview()).toMatchObject({ ownedCount: 10_000, coveredCount: 10_000, isPartial: true });
    await inTransaction(harness.deps.storage, (tx) =>
      tx.deleteFrom('package_owners').where('package_id', '=', idOf(owner.id, 'Giant.10000')).execute(),
    );
    expect(await preview()).toMatchObject({ ownedCount: 10_000, isPartial: false });
  });
});
