import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, type KeyWish, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg, buildNuspec } from '../../../../testkit/src/nupkg-builder.ts';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';

/**
 * Cases of the two references, one row each, with their number in the name: `[keys N]` is of gallery-keys.md 7.1 and
 * 7.5, a bare `[N]` of nuget-protocol.md; keys without the gallery are in features/keys. docs/gallery/conformance.md says which do not apply, and why.
 */
let harness: Harness;
let gallery: Gallery;
let serial = 0;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  await gallery.publish(gallery.keys.push, 'Acme.There');
});
afterAll(() => harness.close());

const scoped = (actions: string[], ...resources: string[]): KeyWish => ({ actions, resources });
const keyOf = (wish: KeyWish) => gallery.makeKey(gallery.memberCaller, gallery.member, wish);
const NEW_ID = () => `Acme.Fresh${(serial += 1)}`;
const send = async (method: 'PUT' | 'DELETE' | 'POST', key: string | null, place: string) =>
  method === 'PUT'
    ? (await gallery.publish(key ?? '', place)).statusCode
    : (await gallery.send(method, `/api/v2/package/${place}`, key)).statusCode;

describe('scopes', () => {
  it.each<[number, string, KeyWish, string, number]>([
    [1, 'a scope on the id itself', scoped(['package:push'], 'SomePackage'), 'SomePackage', 201],
    [2, 'the id in another case', scoped(['package:push'], 'otherpackage'), 'OtherPackage', 201],
    [
      4,
      'a star in the middle',
      scoped(['package:push'], 'Contoso.*.Abstract'),
      'Contoso.Config.Abstract',
      201,
    ],
    [
      5,
      'an id that ends before the pattern',
      scoped(['package:push'], 'Contoso.*.Abstract'),
      'Contoso.Config',
      403,
    ],
    [7, 'a pattern of dots and hyphens', scoped(['package:push'], '.-*-.'), 'Contoso.Config', 403],
    [10, 'all actions, as package:*', scoped(['package:*'], '*'), 'All.Actions', 201],
    [14, 'a subject that does not match', scoped(['package:push'], 'Acme.*'), 'Contoso.Other', 403],
    [16, 'no scopes: the access of the account', {}, 'Any.Thing', 201],
    [17, 'no scopes, another id', {}, 'Another.Thing', 201],
    [25, 'invalid scopes, all else well', scoped(['package:unlist'], '*'), 'Never.Pushed', 403],
    [29, 'pushversion for a new id', scoped(['package:pushversion'], '*'), 'Never.New', 403],
  ])('[keys %i] %s', async (_case, _name, wish, id, status) => {
    expect((await gallery.publish(await keyOf(wish), id)).statusCode).toBe(status);
  });

  it.each([
    ['$', '^a.b$'],
    ['(', '(a+)+'],
    ['[', '[a-z]*'],
    ['\\', 'a\\d*'],
    ['?', 'Acme.?'],
    ['empty', ''],
  ])('[keys 7] no key is made with a pattern that has special characters: %s', async (_name, pattern) => {
    await expect(keyOf(scoped(['package:push'], pattern))).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('[keys 8] an empty id is no package, whatever the key', async () => {
    const bytes = buildNupkg({
      id: 'x',
      version: '1.0.0',
      nuspecXml: buildNuspec({ id: '', version: '1.0.0' }),
    });
    expect((await gallery.push(await keyOf({}), bytes)).statusCode).toBe(400);
  });

  it('[keys 20, 31, 32, 34] a key acts for its owner: its account, or one that it manages at this moment', async () => {
    const { member, robot, adminCaller } = gallery;
    const { accounts, packages } = harness.deps;
    const own = await keyOf({ ownerId: member.id });
    const forRobot = await keyOf({ ownerId: robot.id });
    const ownersOf = async (id: string) => (await packages.get(adminCaller, id, { limit: 1 })).owners;
    expect((await gallery.publish(own, 'Own.Package')).statusCode).toBe(201);
    expect((await gallery.publish(forRobot, 'Robot.Package')).statusCode).toBe(201);
    expect(await ownersOf('Own.Package')).toEqual([member.id]);
    expect(await ownersOf('Robot.Package')).toEqual([robot.id]);
    expect((await gallery.publish(forRobot, 'Own.Package', '2.0.0')).statusCode).toBe(403);
    await accounts.update(adminCaller, 'service', robot.id, { managers: [] }, null);
    expect((await gallery.publish(forRobot, 'Robot.Package', '2.0.0')).statusCode).toBe(403);
    await accounts.update(adminCaller, 'service', robot.id, { managers: [member.id] }, null);
    await expect(
      gallery.makeKey(gallery.strangerCaller, gallery.stranger, { ownerId: robot.id }),
    ).rejects.toMatchObject({ code: 'key.owner_not_allowed' });
  });

  it.each<[number, string, () => Promise<[number, number]>]>([
    [19, 'an account without the grant', () => withGrants([])],
    [26, 'a grant on other packages', () => withGrants([{ actions: ['package:*'], resources: ['Other.*'] }])],
  ])('[keys %i] scopes alone are not enough: %s', async (_case, _name, attempt) => {
    expect(await attempt()).toEqual([403, 201]);
  });

  async function withGrants(grants: { actions: string[]; resources: string[] }[]): Promise<[number, number]> {
    const key = await gallery.makeKey(
      gallery.strangerCaller,
      gallery.stranger,
      scoped(['package:push'], '*'),
    );
    const set = (to: typeof grants) =>
      harness.deps.accounts.update(gallery.adminCaller, 'user', gallery.stranger.id, { grants: to }, null);
    const id = `Granted${(serial += 1)}`;
    await set(grants);
    const before = (await gallery.publish(key, id)).statusCode;
    await set([{ actions: ['package:*'], resources: ['*'] }]);
    return [before, (await gallery.publish(key, id)).statusCode];
  }
});

describe('answers', () => {
  it('[keys 113, 122] a success has no challenge, and no warning while the expiry is far', async () => {
    const answer = await gallery.publish(gallery.keys.push, NEW_ID());
    expect([
      answer.statusCode,
      answer.headers['www-authenticate'],
      answer.headers['x-nuget-warning'],
    ]).toEqual([201, undefined, undefined]);
  });

  it.each<[number, string, string | null, number, boolean]>([
    [115, 'a key that is no good', 'nonsense', 403, false],
    [
      116,
      'a well-formed key that nobody has',
      'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD',
      403,
      false,
    ],
    [119, 'no key', null, 401, true],
  ])('[keys %i] %s', async (_case, _name, key, status, isChallenged) => {
    for (const answer of [
      await gallery.push(key, buildNupkg({ id: 'Acme.X', version: '1.0.0' })),
      await gallery.send('DELETE', '/api/v2/package/Acme.There/1.0.0', key),
      await gallery.send('POST', '/api/v2/package/Acme.There/1.0.0', key),
    ]) {
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['www-authenticate'] === undefined).toBe(!isChallenged);
      expect(answer.raw.res.statusMessage).toBe(answer.body);
    }
  });

  it.each<[number, string, KeyWish, number, number, number]>([
    [152, 'unlist', scoped(['package:unlist'], '*'), 403, 403, 204],
    [154, 'push', scoped(['package:push'], '*'), 201, 201, 403],
    [154, 'pushnew', scoped(['package:pushnew'], '*'), 201, 403, 403],
    [154, 'pushversion', scoped(['package:pushversion'], '*'), 403, 201, 403],
    [155, 'unlist and push', scoped(['package:unlist', 'package:push'], '*'), 201, 201, 204],
  ])('[keys %i] a key with %s: new id %o', async (_case, _name, wish, onNew, onVersion, onUnlist) => {
    const key = await keyOf(wish);
    const existing = NEW_ID();
    await gallery.publish(gallery.keys.push, existing);
    expect([
      (await gallery.publish(key, NEW_ID())).statusCode,
      (await gallery.publish(key, existing, '2.0.0')).statusCode,
      await send('DELETE', key, `${existing}/1.0.0`),
    ]).toEqual([onNew, onVersion, onUnlist]);
  });

  it('[keys 118, 127, 136] a key of somebody else may change nothing, and the refusal is written down', async () => {
    const foreign = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    expect((await gallery.publish(foreign, 'Acme.There', '2.0.0')).statusCode).toBe(403);
    expect(await send('DELETE', foreign, 'Acme.There/1.0.0')).toBe(403);
    expect(await send('POST', foreign, 'Acme.There/1.0.0')).toBe(403);
    await harness.deps.audit.flush();
    const rows = await harness.deps.storage.read
      .selectFrom('audit')
      .select(['action', 'target_id'])
      .where('actor_key_id', '=', foreign.slice(0, -50))
      .orderBy('target_id')
      .execute();
    expect(rows.map((row) => `${row.action} ${row.target_id}`)).toEqual([
      'access.refused package.push',
      'access.refused package.relist',
      'access.refused package.unlist',
    ]);
  });

  it('[keys 125, 137] an owner who is disabled can have nothing pushed or unlisted', async () => {
    const { robot, adminCaller } = gallery;
    const key = await keyOf({ ownerId: robot.id });
    const id = NEW_ID();
    await gallery.publish(key, id);
    const setState = (state: 'active' | 'disabled') =>
      harness.deps.accounts.update(adminCaller, 'service', robot.id, { state }, null);
    await setState('disabled');
    expect((await gallery.publish(key, id, '2.0.0')).statusCode).toBe(403);
    expect((await gallery.publish(key, NEW_ID())).statusCode).toBe(403);
    expect(await send('DELETE', key, `${id}/1.0.0`)).toBe(403);
    await setState('active');
  });

  it.each(['', '{"type":"Unlist"}', '{"type":"SoftDelete"}', '<xml/>'])(
    '[keys 139] unlisting takes any body: %j',
    async (payload) => {
      const id = NEW_ID();
      await gallery.publish(gallery.keys.push, id);
      const answer = await harness.app.inject({
        method: 'DELETE',
        url: `/api/v2/package/${id}/1.0.0`,
        headers: { host: 'localhost:8080', 'x-nuget-apikey': gallery.keys.unlist },
        payload,
      });
      expect(answer.statusCode).toBe(204);
      expect((await gallery.send('GET', `/api/v2/package/${id}/1.0.0`)).statusCode).toBe(200);
    },
  );

  it('[7] [keys 130, 133] of 16 parallel pushes of one version one is created and fifteen are conflicts', async () => {
    const id = NEW_ID();
    for (const version of ['1.0.0', '2.0.0']) {
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          gallery.push(gallery.keys.push, buildNupkg({ id, version, description: `Push ${index}.` })),
        ),
      );
      const statuses = answers.map((answer) => answer.statusCode).toSorted((a, b) => a - b);
      expect(statuses).toEqual([201, ...Array.from({ length: 15 }, () => 409)]);
    }
  });

  it('[5] a version that is there is answered with 409 alone, which -SkipDuplicate takes for a success', async () => {
    const answer = await gallery.publish(gallery.keys.push, 'Acme.There');
    expect([answer.statusCode, answer.body]).toEqual([
      409,
      "A package with ID 'Acme.There' and version '1.0.0' already exists and cannot be modified.",
    ]);
  });

  it('[47] an unlisted version is in FindPackagesById as published in 1900 and never as the latest', async () => {
    const id = NEW_ID();
    await gallery.publish(gallery.keys.push, id);
    await gallery.send('DELETE', `/api/v2/package/${id}/1.0.0`, gallery.keys.unlist);
    const feed = await gallery.send('GET', `/api/v2/FindPackagesById()?id='${id}'`);
    expect(feed.body).toContain('1900-01-01T00:00:00');
    expect(feed.body).toMatch(/<d:IsLatestVersion[^>]*>false</);
    expect(feed.body).toMatch(/<d:IsAbsoluteLatestVersion[^>]*>false</);
  });
});

describe('ids that only look equal', () => {
  const LOOKALIKES = [
    ['the Kelvin sign', 'Acme.\u212Aey'],
    ['a dotless i', 'Acme.Th\u0131ng'],
    ['a dotted capital I', 'Acme.Th\u0130ng'],
    ['full-width letters', '\uFF21cme.Key'],
    ['a Cyrillic a', '\u0410cme.Key'],
    ['a soft hyphen', 'Ac\u00ADme.Key'],
    ['a joiner', 'Acme\u200D.Key'],
    ['a long s', 'Acme.Te\u017Ft'],
  ] as const;

  it.each(LOOKALIKES)(
    'with %s are no ids: nothing is pushed, found or changed by them',
    async (_name, id) => {
      for (const real of ['Acme.Key', 'Acme.Thing', 'Acme.Test'])
        await gallery.publish(gallery.keys.push, real);
      const bytes = buildNupkg({
        id: 'x',
        version: '1.0.0',
        nuspecXml: buildNuspec({ id, version: '9.0.0' }),
      });
      expect((await gallery.push(await keyOf({}), bytes)).statusCode).toBe(400);
      const place = `${encodeURIComponent(id)}/1.0.0`;
      expect(await send('DELETE', gallery.keys.unlist, place)).toBe(404);
      expect((await gallery.send('GET', `/api/v2/package/${place}`)).statusCode).toBe(404);
      await expect(keyOf(scoped(['package:push'], id))).rejects.toMatchObject({ code: 'request.invalid' });
      await expect(
        harness.deps.prefixes.create(gallery.adminCaller, { pattern: id, accountIds: [] }),
      ).rejects.toMatchObject({
        code: 'request.invalid',
      });
    },
  );

  it('in ASCII case alone are equal, everywhere', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.MiXed');
    for (const id of ['acme.mixed', 'ACME.MIXED', 'aCME.mIxED']) {
      expect((await gallery.publish(gallery.keys.push, id)).statusCode).toBe(409);
      expect((await gallery.send('GET', `/api/v2/package/${id}/1.0.0`)).statusCode).toBe(200);
    }
    await harness.deps.prefixes.create(gallery.adminCaller, { pattern: 'kIT.*', accountIds: [] });
    expect((await gallery.publish(await keyOf({}), 'Kit.Tool')).statusCode).toBe(409);
  });
});

describe('a key that ends soon', () => {
  it.each([
    [50, 2],
    [30, 1],
    [10, 0],
  ])('[keys 164] in %d hours warns of %d days, rounded, whatever is done with it', async (hours, days) => {
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member, { lifetimeDays: 90 });
    harness.clock.advance(90 * DAY_MS - hours * HOUR_MS);
    const id = NEW_ID();
    for (const answer of [
      await gallery.publish(key, id),
      await gallery.send('DELETE', `/api/v2/package/${id}/1.0.0`, key),
      await gallery.send('POST', `/api/v2/package/${id}/1.0.0`, key),
    ])
      expect(answer.headers['x-nuget-warning']).toBe(
        `Your API key expires in ${days} day(s). Regenerate it at http://localhost:8080`,
      );
  });
});
