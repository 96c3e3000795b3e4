import { Buffer } from 'node:buffer';
import { call, type Harness, readAllPages, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';

interface Item {
  id: string;
  description: string | null;
  kind: string;
  owners: string[];
  ownerAccounts: { id: string; kind: string; displayName: string }[];
  versionCount: number;
  listedVersionCount: number;
  latestVersion: string | null;
  lastPushedAt: string;
  createdAt: string;
}
interface Page {
  items: Item[];
  nextCursor: string | null;
}

let harness: Harness;
let gallery: Gallery;
const pushedAt: Record<string, string> = {};

async function push(id: string, version: string, more: { description?: string; tags?: string } = {}) {
  harness.clock.advance(1_000);
  const answer = await gallery.push(gallery.keys.push, buildNupkg({ id, version, ...more }));
  expect(answer.statusCode).toBe(201);
  pushedAt[`${id} ${version}`] = new Date(harness.clock.now()).toISOString();
}

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  await push('Acme.Module', '1.0.0', { description: 'Old words', tags: 'tools' });
  await push('Acme.Plain', '1.0.0', { description: 'A library', tags: 'PSModuleish nuget' });
  await push('Acme.Script', '1.0.0', { tags: 'demo psscript' });
  await push('Acme.Gone', '1.0.0');
  await push('Acme.Module', '0.9.0', { description: 'New words', tags: 'tools PSModule' });
  await gallery.send('DELETE', '/api/v2/package/Acme.Gone/1.0.0', gallery.keys.unlist);
  await gallery.send('DELETE', '/api/v2/package/Acme.Module/0.9.0', gallery.keys.unlist);
  await harness.deps.packages.addOwner(gallery.memberCaller, 'Acme.Script', gallery.robot.id);
});
afterAll(() => harness.close());

const get = async (query: string, key = gallery.adminKey) =>
  await call(harness, 'GET', `/v1/packages${query}`, { key });
const idsOf = async (query: string) => (await get(query)).json<Page>().items.map((item) => item.id);

describe('a package in the list', () => {
  it('is described by its newest version, even by one that is unlisted', async () => {
    const { items } = (await get('?q=module')).json<Page>();
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      id: 'acme.module',
      description: 'New words',
      kind: 'module',
      versionCount: 2,
      listedVersionCount: 1,
      latestVersion: '1.0.0',
      lastPushedAt: pushedAt['Acme.Module 0.9.0'],
      createdAt: pushedAt['Acme.Module 1.0.0'],
    });
  });

  it('is a module by the tags of PowerShell, as whole words in any case', async () => {
    const { items } = (await get('')).json<Page>();
    expect(items.map((item) => [item.id, item.kind])).toEqual([
      ['acme.gone', 'package'],
      ['acme.module', 'module'],
      ['acme.plain', 'package'],
      ['acme.script', 'module'],
    ]);
  });

  it('names its owners', async () => {
    const [item] = (await get('?q=script')).json<Page>().items;
    expect(item?.owners.toSorted()).toEqual([gallery.member.id, gallery.robot.id].toSorted());
    expect(item?.ownerAccounts.toSorted((a, b) => a.kind.localeCompare(b.kind))).toEqual([
      { id: gallery.robot.id, kind: 'service', displayName: 'Build robot' },
      { id: gallery.member.id, kind: 'user', displayName: '芽衣' },
    ]);
  });
});

describe('the list of packages', () => {
  it('can be had last pushed first, page by page', async () => {
    const all = ['acme.module', 'acme.gone', 'acme.script', 'acme.plain'];
    expect(await idsOf('?sort=pushedAt')).toEqual(all);
    const items = await readAllPages<Item>((query) => get(query), '?sort=pushedAt&limit=1');
    expect(items.map((item) => item.id)).toEqual(all);
  });

  it('refuses a cursor of the other order', async () => {
    const { nextCursor } = (await get('?sort=pushedAt&limit=1')).json<Page>();
    expect((await get(`?sort=name&limit=1&cursor=${nextCursor}`)).statusCode).toBe(400);
    expect((await get(`?limit=1&cursor=${nextCursor}`)).statusCode).toBe(400);
  });

  it('shows only packages with, or without, a listed version when asked so', async () => {
    expect(await idsOf('?listed=listed')).toEqual(['acme.module', 'acme.plain', 'acme.script']);
    expect(await idsOf('?listed=unlisted')).toEqual(['acme.gone']);
    expect(await idsOf('?listed=any')).toEqual(['acme.gone', 'acme.module', 'acme.plain', 'acme.script']);
    expect(await idsOf('?listed=listed&limit=1')).toEqual(['acme.module']);
    expect((await get('?listed=some')).statusCode).toBe(400);
    expect((await get('?sort=size')).statusCode).toBe(400);
  });

  it('shows what is the caller’s own, through the accounts that he acts for', async () => {
    const idsFor = async (query: { mine: boolean; ownerId?: string }) =>
      (await harness.deps.packages.list(gallery.memberCaller, query, { limit: 50 })).items.map(
        ({ found }) => found.idLower,
      );
    expect(await idsFor({ mine: true })).toHaveLength(4);
    expect(await idsFor({ mine: true, ownerId: gallery.robot.id })).toEqual(['acme.script']);
    expect(await idsFor({ mine: true, ownerId: gallery.stranger.id })).toEqual([]);
    const { items } = await harness.deps.packages.list(gallery.strangerCaller, { mine: true }, { limit: 50 });
    expect(items).toEqual([]);
  });
});

describe('the versions of a package', () => {
  it('say who pushed them, with which key, and whether they are prereleases', async () => {
    await push('Acme.Script', '2.0.0-beta');
    const detail = (await get('/acme.script?limit=1')).json<{
      versions: Record<string, unknown>[];
      lastPushedAt: string;
    }>();
    expect(detail.lastPushedAt).toBe(pushedAt['Acme.Script 2.0.0-beta']);
    expect(detail.versions[0]).toMatchObject({
      version: '2.0.0-beta',
      isPrerelease: true,
      pushedBy: gallery.member.id,
      pushedByName: '芽衣',
      pushedKeyId: gallery.keys.push.slice(0, -50),
    });
  });

  it('keep the id of an account that is gone, without a name', async () => {
    const leaver = await harness.createAccount({
      kind: 'service',
      technicalName: 'leaver',
      displayName: 'Leaver',
    });
    await gallery.publish(await gallery.makeKey(gallery.adminCaller, leaver), 'Leaver.Tool');
    await harness.deps.packages.addOwner(gallery.adminCaller, 'Leaver.Tool', gallery.admin.id);
    await harness.deps.accounts.remove(gallery.adminCaller, 'service', leaver.id);
    const detail = (await get('/leaver.tool')).json<Item & { versions: Record<string, unknown>[] }>();
    expect(detail.versions[0]).toMatchObject({ pushedBy: leaver.id, pushedByName: null });
    expect(detail.ownerAccounts.map((account) => account.displayName)).toEqual(['Ada']);
  });
});

describe('the summary', () => {
  const summarize = async (key: string, q = '') =>
    (await call(harness, 'GET', `/v1/package-summary${q}`, { key })).json<object>();

  it('counts what is the caller’s own, and all that he may see', async () => {
    const robotKey = await gallery.makeKey(gallery.memberCaller, gallery.robot);
    await gallery.publish(robotKey, 'Robot.Tool');
    const { packages } = harness.deps;
    expect(await packages.summarize(gallery.memberCaller, undefined)).toEqual({
      mine: 5,
      all: 6,
      isPartial: false,
    });
    expect(await packages.summarize(gallery.memberCaller, 'ROBOT')).toMatchObject({ mine: 1, all: 1 });
    expect(await packages.summarize(gallery.strangerCaller, undefined)).toMatchObject({ mine: 0, all: 6 });
    expect(await packages.summarize(gallery.adminCaller, undefined)).toMatchObject({ mine: 1, all: 6 });
    expect(await summarize(robotKey)).toEqual({ mine: 2, all: 6, isPartial: false });
    expect(await summarize(robotKey, '?q=nothing')).toEqual({ mine: 0, all: 0, isPartial: false });
  });

  it('counts for a key only what its patterns let it read', async () => {
    const reader = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:read'],
      resources: ['*.Script', 'Robot.*'],
    });
    expect(await summarize(reader)).toEqual({ mine: 1, all: 2, isPartial: false });
    expect((await call(harness, 'GET', '/v1/package-summary', {})).statusCode).toBe(401);
  });

  it('counts for a member without the right to read what he owns', async () => {
    const { accounts, packages } = harness.deps;
    const grant = async (action: string) =>
      await accounts.update(
        gallery.adminCaller,
        'user',
        gallery.member.id,
        { grants: [{ actions: [action], resources: ['*'] }] },
        null,
      );
    await grant('package:push');
    const caller = await harness.callerOf(gallery.member);
    expect(await packages.summarize(caller, undefined)).toMatchObject({ mine: 5, all: 5 });
    await grant('package:*');
  });
});

describe('a page that ends among packages that the caller may not see', () => {
  const HIDDEN = 5_100;

  it('names none of them, and leads on to those that he may see', async () => {
    const { storage, defaultWorkspace } = harness.deps;
    const rows = Array.from({ length: HIDDEN }, (_, index) => ({
      id: `hidden_${index}`,
      workspace_id: defaultWorkspace.id,
      id_lower: `hidden.plan${index}`,
      display_id: `Hidden.Plan${index}`,
      created_at: 1,
      last_pushed_at: 1,
      description: null,
      tags: null,
    }));
    for (let start = 0; start < HIDDEN; start += 500)
      await storage.write
        .insertInto('packages')
        .values(rows.slice(start, start + 500))
        .execute();
    await gallery.publish(gallery.adminKey, 'Visible.Tool');
    const reader = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:read'],
      resources: ['Visible.*'],
    });
    const shown: string[] = [];
    const cursors: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page = (await get(cursor === '' ? '' : `?cursor=${cursor}`, reader)).json<Page>();
      shown.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor;
      if (cursor !== null) cursors.push(Buffer.from(cursor, 'base64url').toString());
    }
    await storage.write.deleteFrom('packages').where('id', 'like', 'hidden%').execute();
    expect(shown).toEqual(['visible.tool']);
    expect(cursors).toEqual([expect.not.stringContaining('plan')]);
  });
});
