import { Buffer } from 'node:buffer';
import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../../testkit/src/nupkg-builder.ts';
import { DAY_MS } from '../../../lib/clock.ts';

type Headers = Record<string, string>;

let harness: Harness;
let gallery: Gallery;
/** Of `member`, scoped to `package:read` on `Acme.*`. */
let reader: string;
let token: string;

const ACME = ['Acme.Core', 'Acme.Tools'];
const OTHERS = ['Other.Secret', 'Acme'];
const UNKNOWN = 'No.Such.Package';

const basic = (user: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const asPassword = (key: string): Headers => basic('anything', key);

async function setRead(galleryRead: 'anonymous' | 'authenticated') {
  await harness.deps.settings.update(gallery.adminCaller, { galleryRead }, null);
}

function readingKey(resources: readonly string[], lifetimeDays = 90) {
  return gallery.makeKey(gallery.memberCaller, gallery.member, {
    actions: ['package:read'],
    resources,
    lifetimeDays,
  });
}

async function login(key: string): Promise<string> {
  const payload = { auth_mode: 'apikey', apikey: key.slice(0, 19), secretkey: key.slice(20) };
  const answer = await harness.app.inject({
    method: 'POST',
    url: '/iam/login',
    payload,
    headers: { host: 'localhost:8080' },
  });
  return answer.json<{ token: string }>().token;
}

function withReadme(id: string, version: string): Uint8Array {
  const nuspecXml = `<?xml version="1.0"?><package><metadata><id>${id}</id><version>${version}</version>
    <authors>Mei</authors><description>About ${id}</description><readme>README.md</readme></metadata></package>`;
  return buildNupkg({ id, version, nuspecXml, files: { 'README.md': '# Hello' } });
}

const get = (url: string, headers: Headers = {}) => gallery.send('GET', url, null, headers);
const status = async (url: string, headers: Headers = {}) => (await get(url, headers)).statusCode;

/** Every address that reads of one package. */
function addressesOf(id: string): string[] {
  const lower = id.toLowerCase();
  return [
    `/api/v2/package/${id}/1.0.0`,
    `/api/v2/package/${id}`,
    `/api/v2/Packages(Id='${id}',Version='1.0.0')`,
    `/api/v2/Packages(Id='${id}',Version='1.0.0')/Download`,
    `/nuget/Packages(Id='${id}',Version='1.0.0')/Title`,
    `/v3/flat/${lower}/index.json`,
    `/v3/flat/${lower}/1.0.0/${lower}.1.0.0.nupkg`,
    `/v3/flat/${lower}/1.0.0/${lower}.nuspec`,
    `/v3/flat/${lower}/1.0.0/readme`,
    `/v3/flat/${lower}/1.0.0/icon`,
    `/v3/registration/${lower}/index.json`,
    `/v3/registration-semver2/${lower}/index.json`,
    `/v3/registration-semver2/${lower}/1.0.0.json`,
    `/v3/registration-semver2/${lower}/page/1.0.0/1.1.0.json`,
  ];
}

/** Every address that reads of the gallery as a whole, or of whatever is asked for. */
const COMMON = [
  '/api/v2',
  '/api/v2/',
  '/nuget',
  '/api/v2/items/psscript',
  '/api/v2/$metadata',
  '/api/v2/Packages()',
  '/api/v2/Packages()/$count',
  "/api/v2/Search()?searchTerm=''",
  "/api/v2/Search()/$count?searchTerm=''",
  "/api/v2/FindPackagesById()?id='Acme.Tools'",
  "/api/v2/GetUpdates()?packageIds='Acme.Tools'&versions='1.0.0'",
  '/v3/index.json',
  '/v3/search',
  '/v3/autocomplete',
  '/v3/autocomplete?id=Acme.Tools',
];

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  const ofMember = await gallery.makeKey(gallery.memberCaller, gallery.member);
  const ofStranger = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
  for (const id of ACME) {
    for (const version of ['1.0.0', '1.1.0'])
      expect((await gallery.push(ofMember, withReadme(id, version))).statusCode).toBe(201);
  }
  for (const id of OTHERS) await gallery.publish(ofStranger, id);
  reader = await readingKey(['Acme.*']);
  token = await login(reader);
  await setRead('authenticated');
});
afterAll(() => harness.close());

describe('[106] without a good credential', () => {
  it.each([...COMMON, ...addressesOf('Acme.Tools'), ...addressesOf(UNKNOWN)])(
    'nothing is read at %s',
    async (url) => {
      for (const method of ['GET', 'HEAD'] as const) {
        for (const headers of [{}, basic('kr_0123456789ABCDEF', 'wrong')]) {
          const answer = await gallery.send(method, url, null, headers);
          expect([method, answer.statusCode, answer.headers['www-authenticate']]).toEqual([
            method,
            401,
            'Basic realm="localhost:8080"',
          ]);
          expect(answer.headers['cache-control']).toBe('no-store');
          expect(answer.body).not.toMatch(/acme/i);
        }
      }
    },
  );

  const bad: [string, () => Promise<Headers> | Headers][] = [
    ['a key that nobody has', () => asPassword(`kr_zzzzzzzzzzzzzzzz_${'0'.repeat(43)}4VVbKv`)],
    ['a key with another secret', () => basic(reader.slice(0, 19), '0'.repeat(49))],
    ['no key at all as the password', () => basic('user', 'secret')],
    ['Basic that cannot be read', () => ({ authorization: 'Basic ???' })],
    ['another scheme', () => ({ authorization: 'Digest username="x"' })],
    ['a token that was altered', () => ({ authorization: `Bearer ${token.slice(0, -8)}AAAAAAAA` })],
    ['a session that never was', () => ({ cookie: 'keyreeve_session=nothing' })],
    [
      'an expired key',
      async () => {
        const key = await readingKey(['*'], 1);
        harness.clock.advance(DAY_MS);
        return asPassword(key);
      },
    ],
    [
      'a disabled key',
      async () => {
        const key = await readingKey(['*']);
        expect(await status('/v3/index.json', asPassword(key))).toBe(200);
        await harness.deps.keys.disable(gallery.memberCaller, key.slice(0, 19), null);
        return asPassword(key);
      },
    ],
    [
      'the key of a disabled account',
      async () => {
        const { accounts } = harness.deps;
        const robot = await harness.createAccount({
          kind: 'service',
          technicalName: 'off',
          displayName: 'Off',
        });
        const key = await gallery.makeKey(gallery.adminCaller, robot);
        expect(await status('/v3/index.json', asPassword(key))).toBe(200);
        await accounts.update(gallery.adminCaller, 'service', robot.id, { state: 'disabled' }, null);
        return asPassword(key);
      },
    ],
    [
      'a deleted key',
      async () => {
        const key = await readingKey(['*']);
        await harness.deps.keys.remove(gallery.memberCaller, key.slice(0, 19));
        return asPassword(key);
      },
    ],
  ];
  it.each(bad)('%s is refused with the same challenge', async (_name, make) => {
    const headers = await make();
    for (const url of ['/v3/index.json', '/api/v2', '/api/v2/package/Acme.Tools/1.0.0']) {
      const answer = await get(url, headers);
      expect([url, answer.statusCode, answer.headers['www-authenticate']]).toEqual([
        url,
        401,
        'Basic realm="localhost:8080"',
      ]);
    }
  });

  it('a credential of another workspace is refused here, and one of here is refused there', async () => {
    const { workspaces } = harness.deps;
    await workspaces.create(gallery.adminCaller, { name: 'Bolt', subdomain: 'bolt', aliases: [] });
    const there = { host: 'bolt.keys.test' };
    expect(await status('/v3/index.json', there)).toBe(200);
    const bolt = await workspaces.findByHost('bolt.keys.test');
    await harness.deps.settings.update(
      { ...gallery.adminCaller, workspace: bolt ?? gallery.adminCaller.workspace },
      { galleryRead: 'authenticated' },
      null,
    );
    for (const url of ['/v3/index.json', '/api/v2/package/Acme.Tools/1.0.0']) {
      const answer = await get(url, { ...there, ...asPassword(reader) });
      expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([
        401,
        expect.stringMatching(/^Basic realm="bolt\.keys\.test/),
      ]);
    }
    expect(await status('/v3/index.json', asPassword(reader))).toBe(200);
  });

  it('the holder of the secret is told in the reason phrase why it does not work', async () => {
    const key = await readingKey(['*'], 1);
    harness.clock.advance(DAY_MS);
    const answer = await get('/v3/index.json', asPassword(key));
    expect(answer.statusMessage).toBe('Regenerate the key; its id, comment and scopes stay the same.');
  });

  it('whoever sends nothing is told how to set up his client, also where that sends an empty Basic', async () => {
    for (const headers of [{}, basic('', '')]) {
      const answer = await get('/v3/index.json', headers);
      expect([answer.statusCode, answer.statusMessage]).toEqual([
        401,
        'This gallery is private. Set up the source with an API key as the user name and its secret key as the password.',
      ]);
    }
  });

  it('scripts of a browser get no challenge that opens its window', async () => {
    const answer = await get('/v3/search', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' });
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="localhost:8080"',
    ]);
  });

  it('a first knock without a credential is no refusal to be counted, a wrong one is', async () => {
    const { audit, storage } = harness.deps;
    const count = async () => {
      await audit.flush();
      const rows = await storage.read.selectFrom('refusals').select('count').execute();
      return rows.reduce((sum, row) => sum + row.count, 0);
    };
    const before = await count();
    await get('/v3/index.json');
    expect(await count()).toBe(before);
    await get('/v3/index.json', basic('wrong', 'wrong'));
    expect(await count()).toBe(before + 1);
  });
});

describe('each spelling of a good credential opens', () => {
  // The clock has moved on since.
  beforeAll(async () => {
    token = await login(reader);
  });
  const spellings: [string, () => Headers][] = [
    ['Basic with API key and secret key', () => basic(reader.slice(0, 19), reader.slice(20))],
    ['Basic with the full key as the password of any name', () => basic('mei@example.com', reader)],
    ['Basic with the full key as the password of nobody', () => basic('', reader)],
    ['Basic with the full key as the password of "token"', () => basic('token', reader)],
    ['Basic with the full key as the password of its API key', () => basic(reader.slice(0, 19), reader)],
    ['Basic with a token as the password', () => basic('token', token)],
    ['Basic with a token as the password of nobody', () => basic('', token)],
    ['Bearer with the full key', () => ({ authorization: `Bearer ${reader}` })],
    ['Bearer with a token', () => ({ authorization: `Bearer ${token}` })],
    ['X-NuGet-ApiKey', () => ({ 'x-nuget-apikey': reader })],
    ['X-API-Key', () => ({ 'x-api-key': reader })],
    [
      'Basic and X-NuGet-ApiKey that say the same',
      () => ({ ...asPassword(reader), 'x-nuget-apikey': reader }),
    ],
  ];
  it.each(spellings)('by %s', async (_name, headers) => {
    for (const url of COMMON) expect([url, await status(url, headers())]).toEqual([url, 200]);
    for (const url of addressesOf('Acme.Tools').filter((one) => !/icon|page/.test(one)))
      expect([url, await status(url, headers())]).toEqual([url, 200]);
  });

  it('but two different ones are no credential', async () => {
    const answer = await get('/v3/index.json', {
      ...asPassword(reader),
      'x-nuget-apikey': gallery.adminKey,
    });
    expect(answer.statusCode).toBe(400);
  });

  it('by the session of a person, from the pages of the workspace alone', async () => {
    const body = {
      email: 'eve@example.com',
      displayName: 'Eve',
      role: 'member',
      password: 'Zaunkönig 4711!',
    };
    expect((await call(harness, 'POST', '/v1/users', { key: gallery.adminKey, body })).statusCode).toBe(201);
    const signedIn = await call(harness, 'POST', '/v1/session', {
      body: { email: body.email, password: body.password },
    });
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0] ?? '';
    expect(await status('/v3/flat/acme.tools/1.0.0/readme', { cookie })).toBe(200);
    expect(await status('/v3/search', { cookie, 'sec-fetch-site': 'same-origin' })).toBe(200);
    for (const site of ['cross-site', 'same-site'])
      expect(await status('/v3/search', { cookie, 'sec-fetch-site': site })).toBe(401);
    await call(harness, 'DELETE', '/v1/session', { headers: { cookie } });
    expect(await status('/v3/search', { cookie })).toBe(401);
  });
});

/** Ids in each kind of answer that names packages. */
async function namesIn(headers: Headers): Promise<Record<string, string[]>> {
  const ids = (body: string) => [...new Set([...body.matchAll(/<d:Id>([^<]*)/g)].map(([, id = '']) => id))];
  const v2 = async (address: string) => ids((await get(`/api/v2/${address}`, headers)).body).toSorted();
  const data = async (address: string) =>
    (await get(`/v3/${address}`, headers)).json<{ totalHits: number; data: unknown[] }>();
  const found = await data('search?take=100');
  const completed = await data('autocomplete?take=100');
  expect([found.totalHits, completed.totalHits]).toEqual([found.data.length, completed.data.length]);
  return {
    packages: await v2('Packages()'),
    search: await v2("Search()?searchTerm=''&$filter=IsLatestVersion"),
    filter: await v2("Packages()?$filter=Id eq 'Other.Secret' or startswith(Id,'Acme')"),
    updates: await v2(
      "GetUpdates()?packageIds='Acme.Tools|Other.Secret|Acme|Acme.Core'&versions='0.1|0.1|0.1|0.1'",
    ),
    v3: (found.data as { id: string }[]).map(({ id }) => id).toSorted(),
    completed: (completed.data as string[]).toSorted(),
  };
}

const everywhere = (ids: readonly string[]) =>
  Object.fromEntries(
    ['packages', 'search', 'filter', 'updates', 'v3', 'completed'].map((name) => [name, ids.toSorted()]),
  );

async function countIn(headers: Headers): Promise<number> {
  return Number((await get('/api/v2/Packages()/$count', headers)).body);
}

describe('a key scoped to Acme.*', () => {
  it('sees those packages in lists, searches, counts and completions, and no others', async () => {
    expect(await namesIn(asPassword(reader))).toEqual(everywhere(ACME));
    expect(await countIn(asPassword(reader))).toBe(4);
    expect(await namesIn(asPassword(gallery.adminKey))).toEqual(everywhere([...ACME, ...OTHERS]));
    expect(await countIn(asPassword(gallery.adminKey))).toBe(6);
  });

  it.each(OTHERS)('is told of %s what it is told of a package that is not there', async (id) => {
    const known = addressesOf(id);
    const unknown = addressesOf(UNKNOWN);
    for (const [index, url] of known.entries()) {
      const answer = await get(url, asPassword(reader));
      const other = await get(unknown[index] ?? '', asPassword(reader));
      const same = (text: string) =>
        text.replaceAll(id, UNKNOWN).replaceAll(id.toLowerCase(), UNKNOWN.toLowerCase());
      expect([url, answer.statusCode, same(answer.body)]).toEqual([url, 404, other.body]);
    }
    const feed = await get(`/api/v2/FindPackagesById()?id='${id}'`, asPassword(reader));
    expect([feed.statusCode, feed.body.includes('<entry>')]).toEqual([200, false]);
    const versions = await get(`/v3/autocomplete?id=${id}`, asPassword(reader));
    expect(versions.json()).toMatchObject({ data: [] });
  });

  it.each([
    '/api/v2/package/<id>/1.0.0',
    '/v3/flat/<id>/1.0.0/<id>.1.0.0.nupkg',
    '/v3/flat/<id>/1.0.0/<id>.nuspec',
    '/v3/registration/<id>/index.json',
    '/v1/gallery/packages/<id>',
    '/v1/packages/<id>',
  ])('is told nothing by the work that an answer takes: %s', async (address) => {
    const asked = vi.spyOn(harness.deps.storage.read.getExecutor(), 'executeQuery');
    const statementsFor = async (id: string) => {
      asked.mockClear();
      const answer = await get(address.replaceAll('<id>', id), { authorization: `Bearer ${reader}` });
      expect(answer.statusCode).toBe(404);
      return asked.mock.calls.map(([query]) => query.sql);
    };
    await statementsFor(UNKNOWN);
    const hidden = await statementsFor('Other.Secret');
    expect(hidden.length).toBeGreaterThan(1);
    expect(await statementsFor(UNKNOWN)).toEqual(hidden);
    asked.mockRestore();
  });

  it('is told neither by unlisting nor by relisting that there is another one', async () => {
    const unlister = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:unlist', 'package:read'],
      resources: ['Acme.*'],
    });
    for (const method of ['DELETE', 'POST'] as const) {
      const answers = await Promise.all(
        ['Other.Secret', UNKNOWN].map((id) => gallery.send(method, `/api/v2/package/${id}/1.0.0`, unlister)),
      );
      expect(answers.map((answer) => answer.statusCode)).toEqual([404, 404]);
      expect(answers[0]?.statusMessage.replace('Other.Secret', UNKNOWN)).toBe(answers[1]?.statusMessage);
    }
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['push packages of other names', ['package:push'], ['Acme.*']],
    ['push new packages of other names', ['package:pushnew'], ['Acme.*']],
    ['push new versions of other names', ['package:pushversion'], ['Acme.*']],
  ])(
    'is not told by a refused push that there is one, when it may %s alone',
    async (_what, actions, resources) => {
      const key = await gallery.makeKey(gallery.memberCaller, gallery.member, { actions, resources });
      for (const url of ['/api/v2/package/', '/api/v2/package/?dryRun=true']) {
        const [taken, free] = await Promise.all(
          ['other.SECRET', UNKNOWN].map((id) =>
            gallery.push(key, buildNupkg({ id, version: '1.0.0' }), { url }),
          ),
        );
        expect([taken?.statusCode, free?.statusCode]).toEqual([403, 403]);
        const same = (text = '') => text.replaceAll('other.SECRET', UNKNOWN);
        expect(same(taken?.statusMessage)).toBe(free?.statusMessage);
        expect(same(taken?.body)).toBe(free?.body);
      }
      const ask = async (id: string) =>
        await harness.deps.packages.previewPush(gallery.memberCaller, {
          keyId: key.slice(0, -50),
          id,
          version: '1.0.0',
        });
      const [taken, free] = [await ask('Other.Secret'), await ask(UNKNOWN)];
      expect(taken.refusal?.detail.replaceAll('Other.Secret', UNKNOWN)).toBe(free.refusal?.detail);
      await setRead('anonymous');
      const open = await gallery.publish(key, 'Other.Secret');
      await setRead('authenticated');
      expect([open.statusCode, open.body]).toEqual([403, expect.stringContaining('push new')]);
    },
  );

  it('is not told by a deprecation that there is one, or which versions it has', async () => {
    const owner = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:unlist', 'package:read'],
      resources: ['Acme.*'],
    });
    const deprecate = (alternatePackageId: string, alternatePackageVersion?: string) =>
      harness.app.inject({
        method: 'PUT',
        url: '/api/v2/package/Acme.Tools/deprecations',
        headers: { host: 'localhost:8080', 'x-nuget-apikey': owner },
        payload: JSON.stringify({
          versions: ['1.0.0'],
          isLegacy: true,
          alternatePackageId,
          alternatePackageVersion,
        }),
      });
    const free = await deprecate(UNKNOWN);
    for (const version of [undefined, '1.0.0', '9.9.9']) {
      const taken = await deprecate('Other.Secret', version);
      expect([taken.statusCode, taken.body]).toEqual([400, free.body]);
    }
    expect((await deprecate('Acme.Core', '1.0.0')).statusCode).toBe(200);
  });

  it('reads nothing without the action package:read, but may still push by the service index', async () => {
    const key = gallery.keys.push;
    expect(await namesIn(asPassword(key))).toEqual(everywhere([]));
    expect(await status('/v3/index.json', asPassword(key))).toBe(200);
    expect(await status('/api/v2/package/Acme.Tools/1.0.0', asPassword(key))).toBe(404);
    expect((await gallery.publish(key, 'Acme.Fresh')).statusCode).toBe(201);
  });
});

describe('the rights of an account', () => {
  const grant = async (grants: { actions: string[]; resources: string[] }[]) => {
    const { accounts } = harness.deps;
    await accounts.update(gallery.adminCaller, 'user', gallery.stranger.id, { grants }, null);
    return await harness.callerOf(gallery.stranger);
  };

  it('narrow its keys at once, and leave it its own packages', async () => {
    const all = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    const scoped = await gallery.makeKey(gallery.strangerCaller, gallery.stranger, {
      actions: ['package:read'],
      resources: ['Acme.*', 'Acme'],
    });
    const seen = async (key: string) => (await namesIn(asPassword(key)))['v3'];
    expect(await seen(all)).toEqual(expect.arrayContaining([...ACME, ...OTHERS]));
    await grant([{ actions: ['package:*'], resources: ['acme.core'] }]);
    expect(await seen(all)).toEqual(['Acme', 'Acme.Core', 'Other.Secret']);
    expect(await seen(scoped)).toEqual(['Acme', 'Acme.Core']);
    expect(await status('/api/v2/package/Other.Secret/1.0.0', asPassword(all))).toBe(200);
    expect(await status('/api/v2/package/Other.Secret/1.0.0', asPassword(scoped))).toBe(404);
    expect(await status('/api/v2/package/Acme.Tools/1.0.0', asPassword(all))).toBe(404);
    await grant([{ actions: ['package:push'], resources: ['*'] }]);
    expect(await seen(all)).toEqual(['Acme', 'Other.Secret']);
    expect(await seen(scoped)).toEqual(['Acme']);
    await grant([{ actions: ['package:*'], resources: ['*'] }]);
  });

  it('are those of a session too; administrators read everything', async () => {
    const { packageFeed } = harness.deps;
    const question = { level: 'semver2' as const, where: [] };
    const narrow = await grant([]);
    expect(await packageFeed.count(narrow, question)).toBe(2);
    expect(await packageFeed.count(gallery.adminCaller, question)).toBe(7);
    await grant([{ actions: ['package:*'], resources: ['*'] }]);
  });
});

describe('answers of a private gallery', () => {
  it.each([...COMMON, ...addressesOf('Acme.Tools').slice(0, 9)])(
    'are kept by no cache that others share: %s',
    async (url) => {
      const answer = await get(url, asPassword(reader));
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['cache-control']).toBe('private, no-cache');
      for (const name of ['authorization', 'cookie', 'x-nuget-apikey', 'x-api-key'])
        expect(String(answer.headers['vary']).toLowerCase()).toContain(name);
      if (answer.headers['etag'] === undefined) return;
      const ifNoneMatch = { 'if-none-match': answer.headers['etag'] };
      expect(await status(url, { ...asPassword(reader), ...ifNoneMatch })).toBe(304);
      expect(await status(url, ifNoneMatch)).toBe(401);
    },
  );
});

describe('the setting', () => {
  it('opens and closes the gallery at once', async () => {
    await setRead('anonymous');
    expect(await status('/api/v2/package/Other.Secret/1.0.0')).toBe(200);
    expect(await status('/v3/index.json', basic('wrong', 'wrong'))).toBe(200);
    expect((await namesIn(asPassword(reader)))['v3']).toEqual(expect.arrayContaining(OTHERS));
    await setRead('authenticated');
    expect(await status('/api/v2/package/Other.Secret/1.0.0')).toBe(401);
  });
});
