import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';
import { latestFlag } from './feed-entries.repo.ts';

/** What many do at the same time ends as if one had done it after the other. */
let harness: Harness;
let gallery: Gallery;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
});
afterAll(() => harness.close());

describe('sixteen pushes at the same time', () => {
  it('of one version in as many spellings publish it once', async () => {
    const versions = ['1.0', '1.0.0', '1.0.0.0', '1.0.0+meta', '1.0.0+META2', '01.0', '1.00.0', '1'];
    const ids = ['Acme.Spelled', 'acme.spelled', 'ACME.SPELLED', 'Acme.sPELLED'];
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        gallery.push(
          gallery.keys.push,
          buildNupkg({
            id: ids[index % ids.length] ?? '',
            version: versions[index % versions.length] ?? '',
            files: { 'content/number.bin': new Uint8Array([index]) },
          }),
        ),
      ),
    );
    const having = (status: number) => answers.filter((answer) => answer.statusCode === status).length;
    expect([having(201), having(409)]).toEqual([1, 15]);
    const { storage, blobs } = harness.deps;
    const rows = await storage.read
      .selectFrom('package_usage')
      .innerJoin('packages', 'packages.id', 'package_usage.package_id')
      .select('versions')
      .where('packages.id_lower', '=', 'acme.spelled')
      .execute();
    expect(rows).toEqual([{ versions: 1 }]);
    expect(await blobs.sweepStaging(-1)).toBe(0);
  });
});

describe('several answers to one request at the same time', () => {
  it.each([1, 2, 3])('are one answer, and the others find no request any more (round %d)', async (round) => {
    const { packages } = harness.deps;
    const { memberCaller, strangerCaller, adminCaller, stranger } = gallery;
    const id = `Acme.Answered${round}`;
    await gallery.publish(gallery.keys.push, id);
    const requestId = (await packages.addOwner(memberCaller, id, stranger.id))?.id ?? '';
    const answers = await Promise.allSettled([
      packages.accept(strangerCaller, requestId),
      packages.decline(strangerCaller, requestId),
      packages.withdraw(memberCaller, requestId),
      packages.accept(adminCaller, requestId),
    ]);
    const codes = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [(answer.reason as { code: string }).code] : [],
    );
    expect(codes).toEqual(['request.not_found', 'request.not_found', 'request.not_found']);
  });
});

/** Pushes, unlistings and changes of owners by a fixed list of numbers, many at the same time. */
async function doManyThings(rounds: number): Promise<Set<string>> {
  const { packages } = harness.deps;
  const { member, stranger, robot, admin, adminCaller, memberCaller, strangerCaller } = gallery;
  const people = [member, stranger, robot, admin];
  const keys = [
    gallery.keys.push,
    gallery.keys.unlist,
    await gallery.makeKey(strangerCaller, stranger),
    await gallery.makeKey(memberCaller, robot),
  ];
  let seed = 7;
  const next = (count: number) => (seed = (seed * 48_271) % 2_147_483_647) % count;
  const pick = <Item>(items: readonly Item[]) => items[next(items.length)] as Item;
  const seen = new Set<string>();
  const doOne = async () => {
    const id = `Acme.Busy${next(4)}`;
    const version = `${next(3)}.${next(3)}.0${pick(['', '-beta', '-rc.1'])}`;
    const [key, who, from, what] = [pick(keys), pick(people), pick(people), next(6)];
    if (what < 3) {
      const files = { 'content/data.bin': new Uint8Array(next(500)) };
      return (await gallery.push(key, buildNupkg({ id, version, files }))).statusCode;
    }
    if (what === 3)
      return (await gallery.send(pick(['DELETE', 'POST']), `/api/v2/package/${id}/${version}`, key))
        .statusCode;
    if (what === 4) await packages.addOwner(adminCaller, id, who.id);
    else if (next(2) === 0) await packages.removeOwner(adminCaller, id, who.id);
    else await packages.transfer(adminCaller, id, { account: who.id, fromId: from.id });
    return 'changed';
  };
  const note = async () => {
    const outcome = await doOne().catch((error: unknown) => (error as { code?: string }).code ?? error);
    seen.add(String(outcome));
  };
  for (let round = 0; round < rounds; round += 1) await Promise.all(Array.from({ length: 16 }, note));
  return seen;
}

async function readRows() {
  const { read } = harness.deps.storage;
  return {
    packages: await read.selectFrom('packages').select(['id', 'id_lower']).execute(),
    versions: await read.selectFrom('package_versions').selectAll().execute(),
    entries: await read.selectFrom('feed_entries').selectAll().orderBy('sort_key', 'desc').execute(),
    owners: await read.selectFrom('package_owners').selectAll().execute(),
    ofPackages: await read.selectFrom('package_usage').selectAll().execute(),
    ofAccounts: await read.selectFrom('account_usage').selectAll().execute(),
  };
}

describe('many pushes, unlistings and changes of owners at the same time', () => {
  let seen: Set<string>;
  let rows: Awaited<ReturnType<typeof readRows>>;
  beforeAll(async () => {
    seen = await doManyThings(10);
    rows = await readRows();
  });
  const sum = (sizes: readonly { size_bytes: number }[]) =>
    sizes.reduce((bytes, { size_bytes }) => bytes + size_bytes, 0);

  it('are each done or refused for a reason', () => {
    const reasons = ['201', '403', '404', '409', 'changed'];
    expect([...seen]).toEqual(expect.arrayContaining(reasons));
    expect([...seen].filter((outcome) => /^5|^23|Error/.test(outcome))).toEqual([]);
  });

  it('leave each package an owner', () => {
    for (const { id, id_lower } of rows.packages) {
      const owners = rows.owners.filter((owner) => owner.package_id === id);
      expect([id_lower, owners.length > 0]).toEqual([id_lower, true]);
    }
  });

  it('leave the usage that the rows add up to', () => {
    for (const { id } of rows.packages) {
      const versions = rows.versions.filter((version) => version.package_id === id);
      const usage = rows.ofPackages.find((one) => one.package_id === id);
      expect(usage).toMatchObject({ versions: versions.length, bytes: sum(versions) });
    }
    for (const usage of rows.ofAccounts) {
      const owned = rows.owners.filter((owner) => owner.account_id === usage.account_id);
      const isOwned = (packageId: string) => owned.some((owner) => owner.package_id === packageId);
      const bytes = sum(rows.versions.filter((version) => isOwned(version.package_id)));
      expect(usage).toMatchObject({ packages: owned.length, bytes });
    }
  });

  it.each([
    ['semver1', false],
    ['semver1', true],
    ['semver2', false],
    ['semver2', true],
  ] as const)(
    'leave one latest version of each package that has one (%s, prereleases: %s)',
    (level, withPrereleases) => {
      const flag = latestFlag(level, { withPrereleases });
      for (const { id, id_lower } of rows.packages) {
        const entries = rows.entries.filter((entry) => entry.package_id === id);
        const shown = entries.filter(
          (entry) =>
            entry.listed === 1 &&
            (withPrereleases || entry.is_prerelease === 0) &&
            (level === 'semver2' || entry.is_semver2 === 0),
        );
        const flagged = entries.filter((entry) => entry[flag] === 1).map((entry) => entry.id);
        expect([id_lower, flagged]).toEqual([id_lower, shown.slice(0, 1).map((entry) => entry.id)]);
      }
    },
  );
});

describe('what changes between the checks of a push and its end', () => {
  async function pushWhile(key: string, id: string, change: () => Promise<unknown>) {
    const { blobs } = harness.deps;
    const stage = blobs.stage.bind(blobs);
    const changeFirst: typeof blobs.stage = async () => {
      const staged = await stage();
      const promote = staged.promote.bind(staged);
      return Object.assign(staged, {
        promote: async () => {
          await change();
          await promote();
        },
      });
    };
    Object.assign(blobs, { stage: changeFirst });
    const answer = await gallery.publish(key, id, '2.0.0');
    Object.assign(blobs, { stage });
    return [answer.statusCode, answer.body] as const;
  }

  const robotKey = () =>
    gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:push'],
      resources: ['*'],
      ownerId: gallery.robot.id,
    });
  const changeRobot = (patch: { state?: 'active' | 'disabled'; managers?: string[] }) =>
    harness.deps.accounts.update(gallery.adminCaller, 'service', gallery.robot.id, patch, null);
  const limitPackages = (maxPackagesPerAccount: number | null) =>
    harness.deps.settings.update(gallery.adminCaller, { maxPackagesPerAccount }, null);

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>, number, string]>([
    [
      'the owner that the key acts for is disabled',
      () => changeRobot({ state: 'disabled' }),
      () => changeRobot({ state: 'active' }),
      403,
      'The owner was deleted or disabled',
    ],
    [
      'the account of the key manages its owner no more',
      () => changeRobot({ managers: [] }),
      () => changeRobot({ managers: [gallery.member.id] }),
      403,
      'no longer manages it',
    ],
    [
      'the id is reserved for others',
      () => harness.deps.prefixes.create(gallery.adminCaller, { pattern: 'Meanwhile.*', accountIds: [] }),
      async () => {
        const { items } = await harness.deps.prefixes.list(gallery.adminCaller, { limit: 9 });
        for (const { prefix } of items) await harness.deps.prefixes.remove(gallery.adminCaller, prefix.id);
      },
      409,
      'This package ID has been reserved (Meanwhile.*)',
    ],
    [
      'the quota is lowered',
      () => limitPackages(0),
      () => limitPackages(null),
      403,
      '(maxPackagesPerAccount)',
    ],
  ])('counts: %s', async (_what, change, restore, status, text) => {
    const key = await robotKey();
    const answer = await pushWhile(key, 'Meanwhile.Tool', change);
    await restore();
    expect(answer).toEqual([status, expect.stringContaining(text)]);
    expect((await gallery.send('GET', '/api/v2/package/Meanwhile.Tool/2.0.0')).statusCode).toBe(404);
  });

  it('counts: the owner is removed, and then it is no owner of a version that was on its way', async () => {
    const { packages } = harness.deps;
    await gallery.publish(gallery.keys.push, 'Acme.Meanwhile');
    await packages.addOwner(gallery.adminCaller, 'Acme.Meanwhile', gallery.admin.id);
    const answer = await pushWhile(gallery.keys.push, 'Acme.Meanwhile', () =>
      packages.removeOwner(gallery.adminCaller, 'Acme.Meanwhile', gallery.member.id),
    );
    expect(answer).toEqual([403, expect.stringContaining('is not an owner of Acme.Meanwhile')]);
    expect((await gallery.send('GET', '/api/v2/package/Acme.Meanwhile/2.0.0')).statusCode).toBe(404);
  });
});
