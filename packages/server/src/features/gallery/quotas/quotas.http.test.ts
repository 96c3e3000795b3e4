import type { Account } from '@keyreeve/server';
import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../../testkit/src/nupkg-builder.ts';
import { findAccountUsage, findPackageUsage } from './gallery-usage.repo.ts';

let harness: Harness;
let gallery: Gallery;
/** For each test another one, so that what one holds is no matter to the next. */
let owner: Account;
let key: string;
let serial = 0;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
});
afterAll(() => harness.close());

beforeEach(async () => {
  await limit({ maxPackagesPerAccount: null, maxVersionsPerPackage: null, maxGalleryBytesPerAccount: null });
  owner = await addOwner();
  key = await gallery.makeKey(gallery.adminCaller, owner);
});

async function addOwner(): Promise<Account> {
  const technicalName = `owner-${(serial += 1)}`;
  return await harness.createAccount({ kind: 'service', technicalName, displayName: technicalName });
}

/** An id that is new in each test. */
const idOf = (name: string) => `Quota${serial}.${name}`;

type Patch = Parameters<Harness['deps']['settings']['update']>[1];
const limit = (patch: Patch) => harness.deps.settings.update(gallery.adminCaller, patch, null);

async function usageOf(accountId: string) {
  const answer = await call(harness, 'GET', `/v1/accounts/${accountId}/gallery-usage`, {
    key: gallery.adminKey,
  });
  return answer.json<{
    packages: { used: number; limit: number | null };
    bytes: { used: number; limit: number | null };
  }>();
}

/** What the rows say, without the counters. */
async function countRows(accountId: string): Promise<{ count: number; bytes: number }> {
  const { read } = harness.deps.storage;
  const owned = await read
    .selectFrom('package_owners')
    .select('package_id')
    .where('account_id', '=', accountId)
    .execute();
  const versions = await read.selectFrom('package_versions').select(['package_id', 'size_bytes']).execute();
  const ids = owned.map((row) => row.package_id);
  const own = versions.filter((version) => ids.includes(version.package_id));
  return { count: ids.length, bytes: own.reduce((sum, version) => sum + version.size_bytes, 0) };
}

async function countBlobs(): Promise<number> {
  let blobs = 0;
  for await (const blob of harness.deps.blobs.list()) if (blob.sizeBytes > 0) blobs += 1;
  return blobs;
}

describe('a quota reached', () => {
  it('of packages refuses new ids alone, and names the limit and what helps', async () => {
    await limit({ maxPackagesPerAccount: 2 });
    for (const id of [idOf('A'), idOf('B')]) expect((await gallery.publish(key, id)).statusCode).toBe(201);
    const blobs = await countBlobs();
    const answer = await gallery.publish(key, idOf('C'));
    const text =
      'The owner has 2 of 2 packages (maxPackagesPerAccount). Push new versions of its packages, use another owner, or have an administrator raise the limit.';
    expect([answer.statusCode, answer.body, answer.raw.res.statusMessage]).toEqual([403, text, text]);
    expect(await countBlobs()).toBe(blobs);
    expect((await gallery.publish(key, idOf('A'), '2.0.0')).statusCode).toBe(201);
    const forRobot = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      ownerId: gallery.robot.id,
    });
    expect((await gallery.publish(forRobot, idOf('C'))).statusCode).toBe(201);
    await limit({ maxPackagesPerAccount: null });
    expect((await gallery.publish(key, idOf('D'))).statusCode).toBe(201);
  });

  it('of versions refuses further ones, but a version that is there first', async () => {
    await limit({ maxVersionsPerPackage: 2 });
    for (const version of ['1.0.0', '2.0.0']) await gallery.publish(key, idOf('A'), version);
    const answer = await gallery.publish(key, idOf('A'), '3.0.0');
    expect([answer.statusCode, answer.body]).toEqual([
      403,
      'The package has 2 of 2 versions (maxVersionsPerPackage). Go on under a new id, or have an administrator raise the limit.',
    ]);
    expect((await gallery.publish(key, idOf('A'), '2.0.0')).statusCode).toBe(409);
    expect((await gallery.publish(key, idOf('B'))).statusCode).toBe(201);
  });

  it('of bytes refuses what would exceed it, to the byte', async () => {
    const first = buildNupkg({ id: idOf('A'), version: '1.0.0' });
    const second = buildNupkg({ id: idOf('A'), version: '2.0.0' });
    await limit({ maxGalleryBytesPerAccount: first.length + second.length - 1 });
    expect((await gallery.push(key, first)).statusCode).toBe(201);
    const answer = await gallery.push(key, second);
    expect([answer.statusCode, answer.body]).toEqual([
      403,
      `The packages of the owner have ${first.length} of ${(first.length + second.length - 1).toLocaleString('en-US')} bytes, and this needs ${second.length} (maxGalleryBytesPerAccount). Push smaller packages, use another owner, or have an administrator raise the limit.`,
    ]);
    await limit({ maxGalleryBytesPerAccount: first.length + second.length });
    expect((await gallery.push(key, second)).statusCode).toBe(201);
  });

  it('lets exactly as many of sixteen parallel pushes in as there is room for', async () => {
    await limit({ maxPackagesPerAccount: 5 });
    const ids = Array.from({ length: 16 }, (_, index) => idOf(`P${index}`));
    const answers = await Promise.all(ids.map((id) => gallery.publish(key, id)));
    const statuses = answers.map((answer) => answer.statusCode);
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    expect(statuses.filter((status) => status === 403)).toHaveLength(11);
    expect((await usageOf(owner.id)).packages).toEqual({ used: 5, limit: 5 });
    await limit({ maxVersionsPerPackage: 3 });
    const id = ids[statuses.indexOf(201)] ?? '';
    const versions = Array.from({ length: 8 }, (_, index) => `${index + 2}.0.0`);
    const more = await Promise.all(versions.map((version) => gallery.publish(key, id, version)));
    expect(more.filter((answer) => answer.statusCode === 201)).toHaveLength(2);
  });

  it('lets exactly as many bytes in, also when they come at the same time', async () => {
    const bytes = Array.from({ length: 12 }, (_, index) =>
      buildNupkg({ id: idOf(`P${index + 10}`), version: '1.0.0' }),
    );
    // Compressed, they differ by a few bytes: whichever four are first fit, and five never do.
    const room = 4 * Math.max(...bytes.map((one) => one.length));
    await limit({ maxGalleryBytesPerAccount: room });
    const answers = await Promise.all(bytes.map((one) => gallery.push(key, one)));
    const stored = bytes.filter((_, index) => answers[index]?.statusCode === 201);
    expect(stored).toHaveLength(4);
    const used = stored.reduce((sum, one) => sum + one.length, 0);
    expect((await usageOf(owner.id)).bytes).toEqual({ used, limit: room });
  });

  it('keeps an owner out who has no room for the package, and the package where it is', async () => {
    const { packages } = harness.deps;
    const strangerKey = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    const memberKey = await gallery.makeKey(gallery.memberCaller, gallery.member);
    await gallery.publish(strangerKey, idOf('Full'));
    await gallery.publish(memberKey, idOf('A'));
    const request = await packages.transfer(gallery.memberCaller, idOf('A'), {
      account: gallery.stranger.id,
    });
    await limit({ maxPackagesPerAccount: (await usageOf(gallery.stranger.id)).packages.used });
    await expect(packages.accept(gallery.strangerCaller, request?.id ?? '')).rejects.toMatchObject({
      code: 'package.quota_reached',
    });
    const { owners } = await packages.get(gallery.adminCaller, idOf('A'), { limit: 1 });
    expect(owners).toEqual([gallery.member.id]);
  });

  it('is no refusal of the key: nobody is warned of it', async () => {
    await limit({ maxPackagesPerAccount: 1 });
    await gallery.publish(key, idOf('A'));
    await gallery.publish(key, idOf('B'));
    await harness.deps.usage.flush();
    await harness.deps.audit.flush();
    const hours = await harness.deps.usage.listHours(harness.deps.defaultWorkspace.id, key.slice(0, -50), 0);
    expect(hours.map(({ outcome, count }) => [outcome, count])).toEqual([['valid', 2]]);
    const refused = await harness.deps.storage.read
      .selectFrom('audit')
      .select('seq')
      .where('action', '=', 'access.refused')
      .where('actor_key_id', '=', key.slice(0, -50))
      .execute();
    expect(refused).toEqual([]);
  });
});

describe('usage', () => {
  it('is what the rows say, after pushes, changes of owners and deletions', async () => {
    const { packages, accounts, storage } = harness.deps;
    const { adminCaller } = gallery;
    const [other, third] = [await addOwner(), await addOwner()];
    const ids = ['A', 'B', 'C'].map(idOf);
    const [first = '', second = ''] = ids;
    for (const id of ids) for (const version of ['1.0.0', '2.0.0']) await gallery.publish(key, id, version);
    for (const one of [other, third]) await packages.addOwner(adminCaller, first, one.id);
    await gallery.publish(key, first, '3.0.0');
    await packages.transfer(adminCaller, second, { account: other.id, fromId: owner.id });
    await packages.removeOwner(adminCaller, first, third.id);
    const check = async (...counts: number[]) => {
      const found: number[] = [];
      for (const { id, workspaceId } of [owner, other, third]) {
        const usage = await findAccountUsage(storage.read, workspaceId, id);
        expect(usage).toEqual(await countRows(id));
        found.push(usage.count);
      }
      expect(found).toEqual(counts);
    };
    await check(2, 2, 0);
    const { found } = await packages.get(adminCaller, first, { limit: 1 });
    expect((await findPackageUsage(storage.read, found.id)).count).toBe(3);
    await packages.transfer(adminCaller, second, { account: owner.id, fromId: other.id });
    await accounts.remove(adminCaller, 'service', other.id);
    await check(3, 0, 0);
  });

  it('is told to whoever may see the account', async () => {
    const ask = (fullKey: string) =>
      call(harness, 'GET', `/v1/accounts/${owner.id}/gallery-usage`, { key: fullKey });
    expect((await ask(key)).statusCode).toBe(200);
    const strangerKey = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    expect((await ask(strangerKey)).statusCode).toBe(404);
    expect((await ask(gallery.keys.push)).statusCode).toBe(403);
  });

  it('is told to a key of an owner that its account manages, and no more once it does not', async () => {
    const { accounts } = harness.deps;
    const manage = (managers: string[]) =>
      accounts.update(gallery.adminCaller, 'service', owner.id, { managers }, null);
    await manage([gallery.member.id]);
    const acting = await gallery.makeKey(await harness.callerOf(gallery.member), gallery.member, {
      actions: ['package:read'],
      resources: ['*'],
      ownerId: owner.id,
    });
    const ask = async () => [
      (await call(harness, 'GET', `/v1/accounts/${owner.id}/gallery-usage`, { key: acting })).statusCode,
      (
        await call(harness, 'POST', '/v1/packages/coverage', {
          key: acting,
          body: { ownerId: owner.id, patterns: ['*'] },
        })
      ).statusCode,
    ];
    expect(await ask()).toEqual([200, 200]);
    await manage([]);
    expect(await ask()).toEqual([404, 404]);
  });
});
