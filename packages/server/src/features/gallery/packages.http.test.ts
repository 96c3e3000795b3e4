import { call, type Harness, readAllPages, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg, buildNuspec } from '../../../../testkit/src/nupkg-builder.ts';
import { inTransaction } from '../../storage/index.ts';

interface Item {
  id: string;
  displayId: string;
  owners: string[];
  versionCount: number;
  listedVersionCount: number;
  latestVersion: string | null;
}

let harness: Harness;
let gallery: Gallery;
let packages: Harness['deps']['packages'];

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  ({ packages } = harness.deps);
  for (const version of ['1.0.0', '2.0.0', '10.0.0', '11.0.0-beta'])
    await gallery.publish(gallery.keys.push, 'Acme.Alpha', version);
  await gallery.publish(gallery.keys.push, 'Acme.Beta', '0.1.0-pre');
  await gallery.publish(gallery.keys.push, 'Acme.Hidden');
  await gallery.send('DELETE', '/api/v2/package/Acme.Hidden/1.0.0', gallery.keys.unlist);
  await gallery.publish(await gallery.makeKey(gallery.strangerCaller, gallery.stranger), 'Stranger.Things');
});
afterAll(() => harness.close());

const list = async (key: string | undefined, query = '') =>
  await call(harness, 'GET', `/v1/packages${query}`, { key });

describe('the list of packages', () => {
  it('shows ids, owners, counts and the latest version by the rules of NuGet', async () => {
    const answer = await list(gallery.adminKey);
    expect(answer.statusCode).toBe(200);
    const { items } = answer.json<{ items: Item[] }>();
    expect(
      items.map((item) => [item.id, item.versionCount, item.listedVersionCount, item.latestVersion]),
    ).toEqual([
      ['acme.alpha', 4, 4, '10.0.0'],
      ['acme.beta', 1, 1, '0.1.0-pre'],
      ['acme.hidden', 1, 0, null],
      ['stranger.things', 1, 1, '1.0.0'],
    ]);
    expect(items[0]).toMatchObject({ displayId: 'Acme.Alpha', owners: [gallery.member.id] });
  });

  it('pages, searches and filters by owner', async () => {
    const items = await readAllPages<Item>((query) => list(gallery.adminKey, query), '?limit=1');
    expect(items.map((item) => item.id)).toEqual([
      'acme.alpha',
      'acme.beta',
      'acme.hidden',
      'stranger.things',
    ]);
    const idsOf = async (query: string) =>
      (await list(gallery.adminKey, query)).json<{ items: Item[] }>().items.map((item) => item.id);
    expect(await idsOf('?q=BETA')).toEqual(['acme.beta']);
    expect(await idsOf('?q=%25')).toEqual([]);
    expect(await idsOf(`?owner=${gallery.stranger.id}`)).toEqual(['stranger.things']);
    expect((await list(gallery.adminKey, '?cursor=nonsense')).statusCode).toBe(400);
    expect((await list(gallery.adminKey, '?limit=201')).statusCode).toBe(400);
    expect((await list(gallery.adminKey, '?owners=x')).statusCode).toBe(400);
  });

  it('shows a key what its patterns allow it to read, and nothing to others', async () => {
    const reader = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:read'],
      resources: ['*.Beta', 'Stranger*'],
    });
    expect((await list(reader)).json<{ items: Item[] }>().items.map((item) => item.id)).toEqual([
      'acme.beta',
      'stranger.things',
    ]);
    expect((await call(harness, 'GET', '/v1/packages/acme.alpha', { key: reader })).statusCode).toBe(404);
    expect((await list(gallery.keys.push)).statusCode).toBe(403);
    expect((await list(undefined)).statusCode).toBe(401);
  });

  it('shows a member whose grants were narrowed still what it owns itself or through a service account', async () => {
    const grants = [{ actions: ['package:push'], resources: ['*'] }];
    await harness.deps.accounts.update(gallery.adminCaller, 'user', gallery.member.id, { grants }, null);
    const page = await packages.list(await harness.callerOf(gallery.member), {}, { limit: 50 });
    expect(page.items.map((item) => item.found.idLower)).toEqual(['acme.alpha', 'acme.beta', 'acme.hidden']);
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'user',
      gallery.member.id,
      { grants: [{ actions: ['package:*'], resources: ['*'] }] },
      null,
    );
  });
});

describe('one package', () => {
  it('has its versions, last pushed first, in pages', async () => {
    const first = (
      await call(harness, 'GET', '/v1/packages/ACME.Alpha?limit=3', { key: gallery.adminKey })
    ).json<
      Item & {
        versions: { version: string; listed: boolean; sha512: string; pushedBy: string }[];
        nextCursor: string;
      }
    >();
    const second = (
      await call(harness, 'GET', `/v1/packages/acme.alpha?cursor=${first.nextCursor}`, {
        key: gallery.adminKey,
      })
    ).json<typeof first>();
    const versions = [...first.versions, ...second.versions];
    expect(versions.map((version) => version.version).toSorted()).toEqual([
      '1.0.0',
      '10.0.0',
      '11.0.0-beta',
      '2.0.0',
    ]);
    expect(second.nextCursor).toBeNull();
    expect(versions[0]).toMatchObject({ listed: true, pushedBy: gallery.member.id });
    expect(versions[0]?.sha512).toMatch(/^[0-9a-f]{128}$/);
    expect((await call(harness, 'GET', '/v1/packages/nothing', { key: gallery.adminKey })).statusCode).toBe(
      404,
    );
  });
});

describe('owners', () => {
  it('are managed with a console session, never with a key', async () => {
    const answer = await call(harness, 'PUT', `/v1/packages/acme.alpha/owners/${gallery.stranger.id}`, {
      key: gallery.adminKey,
    });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
      403,
      'auth.kind_not_accepted',
    ]);
  });

  it('are added and removed by owners, managers of owners, and administrators', async () => {
    const robotCaller = gallery.memberCaller;
    await packages.addOwner(robotCaller, 'Acme.Beta', gallery.robot.id);
    await packages.addOwner(robotCaller, 'Acme.Beta', gallery.robot.id);
    await packages.removeOwner(robotCaller, 'Acme.Beta', gallery.member.id);
    // The member is no owner any more, but manages one.
    const request = await packages.addOwner(robotCaller, 'Acme.Beta', gallery.stranger.id);
    await packages.accept(gallery.strangerCaller, request?.id ?? '');
    await packages.removeOwner(gallery.strangerCaller, 'Acme.Beta', gallery.robot.id);
    await expect(
      packages.addOwner(gallery.memberCaller, 'Acme.Beta', gallery.member.id),
    ).rejects.toMatchObject({ code: 'auth.forbidden' });
    await packages.addOwner(gallery.adminCaller, 'Acme.Beta', gallery.member.id);
    const detail = await packages.get(gallery.adminCaller, 'acme.beta', { limit: 1 });
    expect(detail.owners.toSorted()).toEqual([gallery.member.id, gallery.stranger.id].toSorted());
    const rows = await harness.deps.storage.read
      .selectFrom('audit')
      .select(['action', 'account_id'])
      .where('target_id', '=', 'acme.beta')
      .where('action', 'like', 'package.owner%')
      .orderBy('seq')
      .execute();
    expect(rows.map((row) => `${row.action} ${row.account_id}`)).toEqual([
      `package.owner_added ${gallery.robot.id}`,
      `package.owner_removed ${gallery.member.id}`,
      `package.owner_requested ${gallery.stranger.id}`,
      `package.owner_added ${gallery.stranger.id}`,
      `package.owner_removed ${gallery.robot.id}`,
      `package.owner_added ${gallery.member.id}`,
    ]);
  });

  it('lose their right to push with the ownership, at once', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.Leave');
    await packages.addOwner(gallery.adminCaller, 'Acme.Leave', gallery.stranger.id);
    await packages.removeOwner(gallery.adminCaller, 'Acme.Leave', gallery.member.id);
    expect((await gallery.publish(gallery.keys.push, 'Acme.Leave', '2.0.0')).statusCode).toBe(403);
  });

  it('are never all removed, and never strangers to the workspace', async () => {
    await expect(
      packages.removeOwner(gallery.adminCaller, 'Stranger.Things', gallery.stranger.id),
    ).rejects.toMatchObject({ code: 'package.last_owner' });
    await expect(
      packages.removeOwner(gallery.adminCaller, 'Stranger.Things', gallery.member.id),
    ).rejects.toMatchObject({ code: 'request.not_found' });
    await expect(
      packages.addOwner(gallery.adminCaller, 'Stranger.Things', 'acc_nobody'),
    ).rejects.toMatchObject({ code: 'request.not_found' });
    await packages.addOwner(gallery.adminCaller, 'Stranger.Things', gallery.member.id);
    const results = await Promise.allSettled(
      [gallery.stranger.id, gallery.member.id].map((id) =>
        packages.removeOwner(gallery.adminCaller, 'Stranger.Things', id),
      ),
    );
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('deleting an account', () => {
  it('is refused while it is the sole owner of packages, which are named', async () => {
    const robotKey = await gallery.makeKey(gallery.memberCaller, gallery.robot);
    await gallery.publish(robotKey, 'Robot.Only');
    await gallery.publish(robotKey, 'Robot.Shared');
    await packages.addOwner(gallery.adminCaller, 'Robot.Shared', gallery.member.id);
    const refused = await call(harness, 'DELETE', `/v1/service-accounts/${gallery.robot.id}`, {
      key: gallery.adminKey,
    });
    expect(refused.statusCode).toBe(409);
    expect(refused.json()).toMatchObject({ code: 'account.owns_packages', packages: ['Robot.Only'] });
    await packages.addOwner(gallery.adminCaller, 'Robot.Only', gallery.admin.id);
    expect(
      (await call(harness, 'DELETE', `/v1/service-accounts/${gallery.robot.id}`, { key: gallery.adminKey }))
        .statusCode,
    ).toBe(204);
    for (const [id, owner] of [
      ['Robot.Only', gallery.admin.id],
      ['Robot.Shared', gallery.member.id],
    ] as const) {
      expect((await packages.get(gallery.adminCaller, id, { limit: 1 })).owners).toEqual([owner]);
    }
  });

  it('names at most a hundred packages', async () => {
    const { storage } = harness.deps;
    const owner = await harness.createAccount({
      kind: 'service',
      technicalName: 'hoarder',
      displayName: 'Hoarder',
    });
    await inTransaction(storage, async (tx) => {
      for (let index = 0; index < 120; index += 1) {
        const id = `pkg_${index}`;
        await tx
          .insertInto('packages')
          .values({
            id,
            workspace_id: owner.workspaceId,
            id_lower: `hoard.${index}`,
            display_id: `Hoard.${index}`,
            created_at: 0,
            last_pushed_at: 0,
          })
          .execute();
        await tx
          .insertInto('package_owners')
          .values({ workspace_id: owner.workspaceId, package_id: id, account_id: owner.id })
          .execute();
      }
    });
    const refused = await call(harness, 'DELETE', `/v1/service-accounts/${owner.id}`, {
      key: gallery.adminKey,
    });
    expect(refused.json<{ packages: string[] }>().packages).toHaveLength(100);
    expect(refused.json<{ detail: string }>().detail).toContain('more than 100');
  });
});

describe('the icon of a package', () => {
  it('is told of as the latest version has one, in the lists of managers and of visitors', async () => {
    const push = async (version: string, icon: string) => {
      const spec = { id: 'Acme.Pictured', version };
      const nuspecXml = buildNuspec(spec).replace('</metadata>', `${icon}</metadata>`);
      const bytes = buildNupkg({ ...spec, nuspecXml, files: { 'icon.png': 'png' } });
      expect((await gallery.push(gallery.keys.push, bytes)).statusCode).toBe(201);
    };
    const told = async () => {
      const managed = (await list(gallery.adminKey, '?q=pictured')).json<{ items: { hasIcon: boolean }[] }>();
      const visited = (await call(harness, 'GET', '/v1/gallery/packages/acme.pictured')).json<{
        hasIcon: boolean;
      }>();
      return [managed.items[0]?.hasIcon, visited.hasIcon];
    };
    await push('1.0.0', '');
    expect(await told()).toEqual([false, false]);
    await push('2.0.0', '<icon>icon.png</icon>');
    expect(await told()).toEqual([true, true]);
    await push('3.0.0', '');
    expect(await told()).toEqual([false, false]);
    await push('4.0.0-beta', '<icon>icon.png</icon>');
    expect(await told()).toEqual([false, false]);
  });
});
