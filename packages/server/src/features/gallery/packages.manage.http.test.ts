import { type Account, inTransaction } from '@keyreeve/server';
import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { DAY_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';

const PASSWORD = 'velvet ladder orbit';

interface PackageKey {
  id: string;
  comment: string;
  account: { id: string; displayName: string };
  owner: { id: string; displayName: string };
  actions: string[];
  pattern: string;
  expiresAt: string | null;
}

let harness: Harness;
let gallery: Gallery;
const cookies: Record<string, string> = {};

async function signIn(account: Account): Promise<void> {
  const { passwords, accounts, storage } = harness.deps;
  const hash = await passwords.hash(new Secret(PASSWORD), []);
  await inTransaction(storage, (tx) => accounts.savePasswordHash(tx, gallery.adminCaller, account, hash));
  const answer = await call(harness, 'POST', '/v1/session', {
    body: { email: account.email, password: PASSWORD },
  });
  cookies[account.id] = String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  for (const account of [gallery.admin, gallery.member, gallery.stranger]) await signIn(account);
  await gallery.publish(gallery.keys.push, 'Acme.Tool');
  await gallery.publish(gallery.keys.push, 'Acme.Tool', '2.0.0-Beta');
  await gallery.publish(await gallery.makeKey(gallery.memberCaller, gallery.robot), 'Robot.Tool');
});
afterAll(() => harness.close());

async function as(
  account: Account,
  method: 'GET' | 'POST',
  url: string,
): Promise<Awaited<ReturnType<typeof call>>> {
  return await call(harness, method, url, { headers: { cookie: cookies[account.id] ?? '' } });
}

async function listedOf(id: string): Promise<Record<string, boolean>> {
  const { versions } = await harness.deps.packages.get(gallery.adminCaller, id, { limit: 50 });
  return Object.fromEntries(versions.items.map((item) => [item.version, item.isListed]));
}

async function auditOf(id: string) {
  const { items } = await harness.deps.audit.list(gallery.adminCaller, { q: id }, { limit: 200 });
  return items
    .filter((row) => row.action.endsWith('listed'))
    .map((row) => [row.action, row.target_name, row.actor_kind, row.actor_id, row.account_id, row.key_id]);
}

async function setGrants(account: Account, actions: readonly string[], resources = ['*']): Promise<void> {
  const grants = [{ actions, resources }];
  await harness.deps.accounts.update(gallery.adminCaller, 'user', account.id, { grants }, null);
}

describe('unlisting in the console', () => {
  it('hides a version and shows it again, as often as asked, and writes each change down once', async () => {
    for (const _ of [1, 2]) {
      const answer = await as(gallery.member, 'POST', '/v1/packages/ACME.Tool/versions/1.0.0.0/unlist');
      expect([answer.statusCode, answer.body]).toEqual([204, '']);
      expect(await listedOf('Acme.Tool')).toEqual({ '1.0.0': false, '2.0.0-Beta': true });
    }
    for (const _ of [1, 2]) {
      const answer = await as(gallery.member, 'POST', '/v1/packages/acme.tool/versions/1.0.0/relist');
      expect([answer.statusCode, answer.body]).toEqual([204, '']);
      expect(await listedOf('Acme.Tool')).toEqual({ '1.0.0': true, '2.0.0-Beta': true });
    }
    const { id } = gallery.member;
    expect(await auditOf('acme.tool')).toEqual([
      ['package.relisted', 'Acme.Tool 1.0.0', 'session', id, id, null],
      ['package.unlisted', 'Acme.Tool 1.0.0', 'session', id, id, null],
    ]);
  });

  it('is for managers of an owner and for administrators too, in the name of the owner', async () => {
    for (const [account, verb] of [
      [gallery.member, 'unlist'],
      [gallery.admin, 'relist'],
    ] as const) {
      const answer = await as(account, 'POST', `/v1/packages/robot.tool/versions/1.0.0/${verb}`);
      expect(answer.statusCode).toBe(204);
    }
    expect(await auditOf('robot.tool')).toEqual([
      ['package.relisted', 'Robot.Tool 1.0.0', 'session', gallery.admin.id, gallery.robot.id, null],
      ['package.unlisted', 'Robot.Tool 1.0.0', 'session', gallery.member.id, gallery.robot.id, null],
    ]);
  });

  it('does not tell others of a package from one that is not there', async () => {
    const bodies = await Promise.all(
      ['acme.tool', 'acme.nothing'].map(async (id) => {
        const answer = await as(gallery.stranger, 'POST', `/v1/packages/${id}/versions/1.0.0/unlist`);
        expect(answer.statusCode).toBe(404);
        return { ...answer.json<object>(), instance: '' };
      }),
    );
    expect(bodies[0]).toEqual(bodies[1]);
    expect(await listedOf('Acme.Tool')).toMatchObject({ '1.0.0': true });
  });

  it.each(['9.9.9', 'latest', '1.2.3.4.5'])('answers 404 for the version %s', async (version) => {
    const answer = await as(gallery.member, 'POST', `/v1/packages/acme.tool/versions/${version}/unlist`);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([404, 'package.not_found']);
  });

  it('takes the grant for unlisting on that package, of administrators as well', async () => {
    const refused = async (account: Account) => {
      const answer = await as(account, 'POST', '/v1/packages/acme.tool/versions/1.0.0/unlist');
      return [answer.statusCode, answer.json<{ code: string }>().code];
    };
    for (const account of [gallery.member, gallery.admin]) {
      await setGrants(account, ['package:push', 'package:read']);
      expect(await refused(account)).toEqual([403, 'package.not_permitted']);
      await setGrants(account, ['package:unlist'], ['Other.*']);
      expect(await refused(account)).toEqual([403, 'package.not_permitted']);
      await setGrants(account, ['package:*']);
    }
    expect(await listedOf('Acme.Tool')).toMatchObject({ '1.0.0': true });
  });

  it('is never done with a key', async () => {
    const answer = await call(harness, 'POST', '/v1/packages/acme.tool/versions/1.0.0/unlist', {
      key: gallery.adminKey,
    });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
      403,
      'auth.kind_not_accepted',
    ]);
  });
});

describe('the keys of a package', () => {
  const keysOf = async (id: string, account = gallery.member) =>
    (await as(account, 'GET', `/v1/packages/${id}/keys`)).json<{
      items: PackageKey[];
      isPartial: boolean;
    }>();
  const idOf = (fullKey: string) => fullKey.slice(0, -50);

  /** What the server does with a push is the truth that the list is held to. */
  async function canPush(fullKey: string, id: string): Promise<boolean> {
    const version = `9.${(pushes += 1)}.0`;
    const answer = await gallery.publish(fullKey, id, version);
    return answer.statusCode === 201;
  }
  let pushes = 0;

  it('are those that can push it, whoever’s they are, with the pattern that lets them', async () => {
    const { items, isPartial } = await keysOf('Acme.Tool');
    expect(isPartial).toBe(false);
    const [push, pushVersion] = [gallery.keys.push, gallery.keys.pushVersion].map((key) =>
      items.find((item) => item.id === idOf(key)),
    );
    expect(push).toMatchObject({
      comment: 'test',
      account: { id: gallery.member.id, displayName: '芽衣' },
      owner: { id: gallery.member.id, displayName: '芽衣' },
      actions: ['package:push'],
      pattern: 'Acme.*',
    });
    expect(push?.expiresAt).toMatch(/Z$/);
    expect(pushVersion?.actions).toEqual(['package:pushversion']);
    expect(items.map((item) => item.id)).not.toContain(idOf(gallery.keys.unlist));
  });

  it('are exactly those whose push the server would accept', async () => {
    const { deps, clock } = harness;
    const { memberCaller, member, robot, stranger, strangerCaller, adminCaller } = gallery;
    const scoped = (actions: string[], resources: string[], ownerId?: string) => ({
      actions,
      resources,
      ...(ownerId === undefined ? {} : { ownerId }),
    });
    const candidates = {
      account: await gallery.makeKey(memberCaller, member),
      exact: await gallery.makeKey(memberCaller, member, scoped(['package:push'], ['x', 'acme.TOOL'])),
      wildcard: await gallery.makeKey(memberCaller, member, scoped(['package:*'], ['*.t*l'])),
      otherName: await gallery.makeKey(memberCaller, member, scoped(['package:push'], ['Acme.Tools'])),
      onlyNew: await gallery.makeKey(memberCaller, member, scoped(['package:pushnew'], ['*'])),
      robots: await gallery.makeKey(memberCaller, robot),
      forRobot: await gallery.makeKey(memberCaller, member, { ownerId: robot.id }),
      strangers: await gallery.makeKey(strangerCaller, stranger),
      disabled: await gallery.makeKey(memberCaller, member),
      short: await gallery.makeKey(memberCaller, member, { lifetimeDays: 1 }),
      revoked: await gallery.makeKey(memberCaller, member),
    };
    await deps.keys.disable(memberCaller, idOf(candidates.disabled), null);
    await call(harness, 'POST', '/v1/keys/self/revoke', { key: candidates.revoked });
    await deps.keys.enable(memberCaller, idOf(candidates.revoked));
    const check = async (id: string) => {
      const { items } = await keysOf(id, gallery.admin);
      const listed = new Set(items.map((item) => item.id));
      for (const [name, fullKey] of Object.entries(candidates))
        expect([id, name, listed.has(idOf(fullKey))]).toEqual([id, name, await canPush(fullKey, id)]);
      return items.length;
    };
    expect(await check('Acme.Tool')).toBeGreaterThan(4);
    expect(await check('Robot.Tool')).toBeGreaterThan(1);
    clock.advance(DAY_MS);
    // Sessions do not last a day without use.
    for (const account of [gallery.admin, gallery.member, gallery.stranger]) await signIn(account);
    await check('Acme.Tool');
    await deps.packages.addOwner(adminCaller, 'Acme.Tool', robot.id);
    await check('Acme.Tool');
    await deps.accounts.update(adminCaller, 'service', robot.id, { managers: [] }, null);
    await check('Robot.Tool');
    await deps.accounts.update(adminCaller, 'service', robot.id, { managers: [member.id] }, null);
    await setGrants(member, ['package:*'], ['Other.*']);
    await check('Acme.Tool');
    await setGrants(member, ['package:*']);
    await deps.accounts.update(adminCaller, 'service', robot.id, { state: 'disabled' }, null);
    await check('Robot.Tool');
    await deps.accounts.update(adminCaller, 'service', robot.id, { state: 'active' }, null);
  });

  it('say what else they may do to the package, by the grants of today', async () => {
    const fullKey = await gallery.makeKey(gallery.memberCaller, gallery.member);
    const find = async () => (await keysOf('Acme.Tool')).items.find((item) => item.id === idOf(fullKey));
    expect(await find()).toMatchObject({
      actions: ['package:push', 'package:unlist', 'package:read'],
      pattern: '*',
    });
    const grants = [
      { actions: ['package:pushversion'], resources: ['Acme.*'] },
      { actions: ['package:read'], resources: ['*'] },
    ];
    await harness.deps.accounts.update(gallery.adminCaller, 'user', gallery.member.id, { grants }, null);
    expect(await find()).toMatchObject({
      actions: ['package:pushversion', 'package:read'],
      pattern: 'Acme.*',
    });
    await setGrants(gallery.member, ['package:*']);
  });

  it('are shown newest first', async () => {
    harness.clock.advance(1_000);
    const newest = await gallery.makeKey(gallery.memberCaller, gallery.member);
    expect((await keysOf('Acme.Tool')).items[0]?.id).toBe(idOf(newest));
  });

  it('are for those who manage the package; to others it is not there', async () => {
    const urls = ['/v1/packages/acme.tool/keys', '/v1/packages/acme.nothing/keys'];
    const bodies = await Promise.all(
      urls.map(async (url) => {
        const answer = await as(gallery.stranger, 'GET', url);
        expect(answer.statusCode).toBe(404);
        return { ...answer.json<object>(), instance: '' };
      }),
    );
    expect(bodies[0]).toEqual(bodies[1]);
    const byKey = await call(harness, 'GET', '/v1/packages/acme.tool/keys', { key: gallery.adminKey });
    expect(byKey.statusCode).toBe(403);
  });
});
