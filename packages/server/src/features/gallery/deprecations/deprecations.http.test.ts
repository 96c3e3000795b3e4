import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { listDeprecations } from './deprecations.repo.ts';
import type { DeprecationWish } from './deprecations.ts';

let harness: Harness;
let gallery: Gallery;
let packages: Harness['deps']['packages'];

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  ({ packages } = harness.deps);
  for (const version of ['1.0.0', '2.0.0-Beta', '3.0.0'])
    await gallery.publish(gallery.keys.push, 'Acme.Old', version);
  await gallery.publish(gallery.keys.push, 'Acme.New', '1.0.0');
});
afterAll(() => harness.close());

async function read(): Promise<Record<string, unknown>> {
  const { versions, deprecations } = await packages.get(gallery.adminCaller, 'Acme.Old', { limit: 50 });
  return Object.fromEntries(
    versions.items.flatMap((version) => {
      const found = deprecations.get(version.id);
      if (found === undefined) return [];
      const { reasons, message, alternateId, alternateVersion } = found;
      return [[version.version, [reasons.join(), message, alternateId, alternateVersion]]];
    }),
  );
}

const deprecate = (wish: DeprecationWish, caller = gallery.memberCaller) =>
  packages.deprecate(caller, 'acme.OLD', wish);
const send = (key: string | null, body: unknown, id = 'Acme.Old') =>
  harness.app.inject({
    method: 'PUT',
    url: `/api/v2/package/${id}/deprecations`,
    headers: {
      host: 'localhost:8080',
      'content-type': 'application/json',
      ...(key === null ? {} : { 'x-nuget-apikey': key }),
    },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
const lift = () => deprecate({ versions: ['1.0.0', '2.0.0-beta', '3.0.0'], reasons: [] });

describe('a deprecation', () => {
  it('is set for versions in any spelling, changed and lifted, and written down each time', async () => {
    const alternatePackage = { id: 'acme.new', version: '1.0' };
    const wish = {
      versions: ['1.0', '2.0.0-BETA'],
      reasons: ['criticalBugs', 'legacy'],
      alternatePackage,
    } as const;
    await deprecate(wish);
    await deprecate(wish);
    const first = ['legacy,criticalBugs', null, 'Acme.New', '1.0.0'];
    expect(await read()).toEqual({ '1.0.0': first, '2.0.0-Beta': first });
    await deprecate({ versions: ['1.0.0'], reasons: ['other'], message: ' Use 3. ' });
    expect(await read()).toEqual({ '1.0.0': ['other', 'Use 3.', null, null], '2.0.0-Beta': first });
    await lift();
    expect(await read()).toEqual({});
    const { items } = await harness.deps.audit.list(gallery.adminCaller, { q: 'Acme.Old' }, { limit: 50 });
    expect(
      items.map((row) => `${row.action} ${row.target_name}`).filter((text) => text.includes('deprecated')),
    ).toEqual([
      'package.undeprecated Acme.Old 2.0.0-Beta',
      'package.undeprecated Acme.Old 1.0.0',
      'package.deprecated Acme.Old 1.0.0',
      'package.deprecated Acme.Old 2.0.0-Beta',
      'package.deprecated Acme.Old 1.0.0',
    ]);
  });

  it('is told to clients of V3 with the registration, and no more once it is lifted', async () => {
    const wish = { message: 'Use the new one.', alternatePackage: { id: 'acme.new', version: '1.0' } };
    await deprecate({ versions: ['3.0.0'], reasons: ['legacy', 'criticalBugs'], ...wish });
    await deprecate({ versions: ['1.0.0'], reasons: ['legacy'], alternatePackage: { id: 'Acme.New' } });
    const readTold = async () => {
      const answer = await gallery.send('GET', '/v3/registration-semver2/acme.old/index.json');
      const { items } = answer.json<{
        items: { items: { catalogEntry: { version: string; deprecation?: unknown } }[] }[];
      }>();
      return Object.fromEntries(
        items
          .flatMap((page) => page.items)
          .map(({ catalogEntry }) => [catalogEntry.version, catalogEntry.deprecation]),
      );
    };
    expect(await readTold()).toEqual({
      '1.0.0': { reasons: ['Legacy'], alternatePackage: { id: 'Acme.New', range: '*' } },
      '2.0.0-Beta': undefined,
      '3.0.0': {
        reasons: ['Legacy', 'CriticalBugs'],
        message: 'Use the new one.',
        alternatePackage: { id: 'Acme.New', range: '[1.0.0, )' },
      },
    });
    await lift();
    expect(Object.values(await readTold())).toEqual([undefined, undefined, undefined]);
  });

  it('is told with the version, and leaves it listed and installable', async () => {
    await deprecate({ versions: ['3.0.0'], reasons: ['legacy'], alternatePackage: { id: 'Acme.New' } });
    const answer = await call(harness, 'GET', '/v1/packages/acme.old', { key: gallery.adminKey });
    const { versions } = answer.json<{
      versions: { version: string; listed: boolean; deprecation: unknown }[];
    }>();
    expect(versions.find((version) => version.version === '3.0.0')).toMatchObject({
      listed: true,
      deprecation: {
        reasons: ['legacy'],
        message: null,
        alternatePackage: { id: 'Acme.New', version: null },
      },
    });
    expect(versions.find((version) => version.version === '1.0.0')?.deprecation).toBeNull();
    expect((await gallery.send('GET', '/api/v2/package/Acme.Old/3.0.0')).statusCode).toBe(200);
    await lift();
  });

  it.each<[string, DeprecationWish, string]>([
    ['no version', { versions: [], reasons: ['legacy'] }, 'versions'],
    ['other without a message', { versions: ['1.0.0'], reasons: ['other'], message: '  ' }, 'message'],
    ['a long message', { versions: ['1.0.0'], reasons: ['other'], message: 'x'.repeat(1_001) }, 'message'],
    ['hidden text', { versions: ['1.0.0'], reasons: ['other'], message: 'a\u202eb' }, 'message'],
    [
      'an unknown alternative',
      { versions: ['1.0.0'], reasons: ['legacy'], alternatePackage: { id: 'Acme.Nothing' } },
      'alternatePackage',
    ],
    [
      'an unknown version of it',
      { versions: ['1.0.0'], reasons: ['legacy'], alternatePackage: { id: 'Acme.New', version: '9.0.0' } },
      'alternatePackage',
    ],
    [
      'itself as the alternative',
      { versions: ['1.0.0'], reasons: ['legacy'], alternatePackage: { id: 'acme.old', version: '1.0' } },
      'alternatePackage',
    ],
    [
      'its own package in any version',
      { versions: ['1.0.0'], reasons: ['legacy'], alternatePackage: { id: 'Acme.Old' } },
      'alternatePackage',
    ],
  ])('[keys 143] is refused with 400 for %s', async (_name, wish, field) => {
    await expect(deprecate(wish)).rejects.toMatchObject({ code: 'request.invalid', fields: [{ field }] });
    expect(await read()).toEqual({});
  });

  it('[keys 143] is refused whole with 404 when one of the versions is not there', async () => {
    for (const version of ['9.0.0', 'latest']) {
      await expect(deprecate({ versions: ['1.0.0', version], reasons: ['legacy'] })).rejects.toMatchObject({
        code: 'package.not_found',
      });
    }
    expect(await read()).toEqual({});
  });

  it('may name another version of the same package', async () => {
    await deprecate({
      versions: ['1.0.0'],
      reasons: ['legacy'],
      alternatePackage: { id: 'Acme.Old', version: '3.0.0' },
    });
    expect(await read()).toEqual({ '1.0.0': ['legacy', null, 'Acme.Old', '3.0.0'] });
    await lift();
  });

  it('is for those who manage the package and may unlist it', async () => {
    const wish = { versions: ['1.0.0'], reasons: ['legacy'] } as const;
    await expect(deprecate(wish, gallery.strangerCaller)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'user',
      gallery.member.id,
      { grants: [{ actions: ['package:push'], resources: ['*'] }] },
      null,
    );
    await expect(deprecate(wish, await harness.callerOf(gallery.member))).rejects.toMatchObject({
      code: 'package.not_permitted',
    });
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'user',
      gallery.member.id,
      { grants: [{ actions: ['package:*'], resources: ['*'] }] },
      null,
    );
  });

  it('is read by many versions at once, for the registrations of V3', async () => {
    await deprecate({ versions: ['1.0.0'], reasons: ['legacy'] });
    const { versions, found } = await packages.get(gallery.adminCaller, 'Acme.Old', { limit: 50 });
    const ids = [
      ...versions.items.map((version) => version.id),
      ...Array.from({ length: 450 }, (_, n) => `pkv_${n}`),
    ];
    const deprecations = await listDeprecations(
      harness.deps.storage.read,
      found.workspaceId,
      ids.toReversed(),
    );
    expect([...deprecations.values()].map((one) => one.reasons)).toEqual([['legacy']]);
    await lift();
  });
});

describe('the deprecation of package clients', () => {
  const body = {
    versions: ['1.0.0'],
    hasCriticalBugs: true,
    message: 'Leaks.',
    alternatePackageId: 'Acme.New',
  };

  it('takes the JSON of nuget.org, with a key that may unlist', async () => {
    const answer = await send(gallery.keys.unlist, body);
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect(await read()).toEqual({ '1.0.0': ['criticalBugs', 'Leaks.', 'Acme.New', null] });
    expect((await send(gallery.keys.unlist, { versions: ['1.0.0'] })).statusCode).toBe(200);
    expect(await read()).toEqual({});
  });

  it('[keys 142] is refused with 403 to other keys, and with 404 for what is not there', async () => {
    for (const key of [gallery.keys.push, gallery.keys.pushVersion, 'nonsense'])
      expect((await send(key, body)).statusCode).toBe(403);
    const foreign = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    expect((await send(foreign, body)).body).toContain('which is not an owner of Acme.Old');
    expect((await send(null, body)).statusCode).toBe(401);
    expect((await send(gallery.keys.push, body, 'Acme.Nothing')).statusCode).toBe(404);
    expect(await read()).toEqual({});
  });

  it.each([
    ['no JSON', 'versions=1', 'The body is not valid JSON.'],
    ['a list', '[]', 'The body must be a JSON object.'],
    ['a wrong type', { versions: ['1.0.0'], isLegacy: 'yes' }, 'isLegacy must be a boolean.'],
    ['versions that are none', { versions: '1.0.0' }, 'versions must be a list of strings.'],
    ['no versions', {}, 'versions is empty; name at least one version'],
    [
      'other without a message',
      { versions: ['1.0.0'], isOther: true },
      'message is missing; the reason "other" needs one',
    ],
    [
      'an unknown alternative',
      { versions: ['1.0.0'], isLegacy: true, alternatePackageId: 'Acme.Nothing' },
      'alternatePackage does not exist in this gallery',
    ],
  ])('[keys 143] answers 400 and the reason as text for %s', async (_name, wish, text) => {
    const answer = await send(gallery.keys.unlist, wish);
    expect([answer.statusCode, answer.body, answer.raw.res.statusMessage]).toEqual([400, text, text]);
  });

  it('reads no more than a body may have', async () => {
    const answer = await send(gallery.keys.unlist, `{"message":"${'x'.repeat(300_000)}"}`);
    expect(answer.statusCode).toBe(413);
  });
});
