import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery, wrapMultipart } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';
import { AppError } from '../../errors/index.ts';
import { UPLOADS_MAX } from './upload/upload-places.ts';

let harness: Harness;
let gallery: Gallery;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  await gallery.publish(gallery.keys.push, 'Acme.Known');
});
afterAll(() => harness.close());

const TABLES = [
  'packages',
  'package_versions',
  'package_owners',
  'feed_entries',
  'package_search',
  'package_usage',
  'account_usage',
  'events',
  'outbox',
] as const;

/** Everything that a push leaves behind: rows with what they say, and files. */
async function snapshot(): Promise<unknown> {
  const { read } = harness.deps.storage;
  await harness.deps.audit.flush();
  const rows: Record<string, unknown> = {};
  for (const table of TABLES) rows[table] = await read.selectFrom(table).selectAll().execute();
  const audit = await read
    .selectFrom('audit')
    .select('action')
    .where('action', 'like', 'package.%')
    .execute();
  return { rows, audit, files: filesUnder(path.join(harness.database.dataDir, 'blobs')) };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .toSorted();
}

const dryRun = (
  key: string | null,
  bytes: Uint8Array,
  options: { url?: string; method?: 'PUT' | 'POST' } = {},
) => gallery.push(key, bytes, { url: '/api/v2/package?dryRun=true', ...options });

describe('a dry run', () => {
  it('stores nothing: no row, no file, no entry in the audit log, no use of a quota', async () => {
    const before = await snapshot();
    for (const [id, version] of [
      ['Acme.New', '1.0.0'],
      ['acme.known', '2.0.0'],
    ] as const) {
      const answer = await dryRun(gallery.keys.push, buildNupkg({ id, version }));
      expect([id, answer.statusCode]).toEqual([id, 200]);
    }
    expect(await snapshot()).toEqual(before);
    expect((await gallery.publish(gallery.keys.push, 'Acme.New')).statusCode).toBe(201);
  });

  it('says what would happen, in the body and as the warning that clients print', async () => {
    const bytes = buildNupkg({ id: 'Acme.Told', version: '1.0-beta' });
    const answer = await dryRun(gallery.keys.push, bytes);
    const message =
      'Dry run: a push would publish Acme.Told 1.0.0-beta as a new package. Nothing was stored.';
    expect(answer.json()).toEqual({
      dryRun: true,
      id: 'Acme.Told',
      version: '1.0.0-beta',
      isNew: true,
      ownerId: gallery.member.id,
      sizeBytes: bytes.length,
      sha512: hash('sha512', bytes),
      message,
    });
    expect(answer.headers['x-nuget-warning']).toBe(message);
    const known = await dryRun(gallery.keys.push, buildNupkg({ id: 'ACME.known', version: '2.0.0' }));
    expect(known.json()).toMatchObject({
      id: 'Acme.Known',
      isNew: false,
      message: 'Dry run: a push would add 2.0.0 to Acme.Known. Nothing was stored.',
    });
  });

  it.each([
    ['PUT', '/api/v2/package/?dryRun=true'],
    ['POST', '/api/v2/package?dryrun=TRUE'],
    ['PUT', '/api/v2?dryRun=1'],
    ['PUT', '/nuget/?dryRun'],
    ['PUT', '/api/v2/package/?dry-run=true'],
    ['PUT', '/api/v2/package/?dry_run=true'],
    ['PUT', '/API/V2/Package?other=x&dryRun=true'],
    ['PUT', '/?dryRun=true'],
  ] as const)('is understood at %s %s', async (method, url) => {
    const answer = await dryRun(gallery.keys.push, buildNupkg({ id: 'Acme.Where', version: '1.0.0' }), {
      method,
      url,
    });
    expect([answer.statusCode, answer.json<{ dryRun: boolean }>().dryRun]).toEqual([200, true]);
    expect((await gallery.send('GET', '/api/v2/package/Acme.Where/1.0.0')).statusCode).toBe(404);
  });

  it.each(['dryRun=yes', 'dryRun=true&dryRun=false', 'dryRun=%20', 'DRYRUN=no'])(
    'is never taken for a push when it is mistyped: %s',
    async (query) => {
      const bytes = buildNupkg({ id: 'Acme.Typo', version: '1.0.0' });
      const answer = await dryRun(gallery.keys.push, bytes, { url: `/api/v2/package?${query}` });
      expect([answer.statusCode, answer.body]).toEqual([
        400,
        'dryRun must be true or false. Nothing was stored.',
      ]);
      expect((await gallery.send('GET', '/api/v2/package/Acme.Typo/1.0.0')).statusCode).toBe(404);
    },
  );

  it('is a push when it is said to be none', async () => {
    const bytes = buildNupkg({ id: 'Acme.Really', version: '1.0.0' });
    const answer = await dryRun(gallery.keys.push, bytes, { url: '/api/v2/package?dryRun=false' });
    expect(answer.statusCode).toBe(201);
  });

  it('fails exactly as the push would, for every cause', async () => {
    const { adminCaller, memberCaller, member, robot, strangerCaller, stranger } = gallery;
    const { prefixes, settings, keys, accounts } = harness.deps;
    await prefixes.create(adminCaller, { pattern: 'Taken.*', accountIds: [robot.id] });
    const full = await gallery.makeKey(memberCaller, member);
    const off = await gallery.makeKey(memberCaller, member);
    await keys.disable(memberCaller, off.slice(0, -50), null);
    const forRobot = await gallery.makeKey(memberCaller, member, { ownerId: robot.id });
    const foreign = await gallery.makeKey(strangerCaller, stranger);
    const bytes = (id: string, version = '1.0.0') => buildNupkg({ id, version });
    const form = wrapMultipart(bytes('Acme.Form'));
    const cases: readonly (readonly [string, string | null, Uint8Array])[] = [
      ['no key', null, bytes('Acme.X')],
      ['a bad key', 'nonsense', bytes('Acme.X')],
      ['a disabled key', off, bytes('Acme.X')],
      ['an action that is missing', gallery.keys.pushVersion, bytes('Acme.X')],
      ['an unlist key', gallery.keys.unlist, bytes('Acme.X')],
      ['a pattern', gallery.keys.push, bytes('Other.X')],
      ['another owner', foreign, bytes('Acme.Known', '3.0.0')],
      ['a reserved prefix', full, bytes('Taken.X')],
      ['a version that exists', gallery.keys.push, bytes('Acme.Known')],
      ['no package', gallery.keys.push, Buffer.from('nothing')],
      ['a form without its type', gallery.keys.push, form.body],
    ];
    const compare = async (
      name: string,
      key: string | null,
      body: Uint8Array,
      status: number | null = null,
    ) => {
      const dry = await dryRun(key, body);
      const real = await gallery.push(key, body, { url: '/api/v2/package' });
      const told = (answer: typeof dry) => [
        name,
        answer.statusCode,
        answer.body,
        answer.raw.res.statusMessage,
      ];
      expect(told(dry)).toEqual(told(real));
      if (status !== null) expect([name, real.statusCode]).toEqual([name, status]);
      expect(real.statusCode).toBeGreaterThanOrEqual(400);
    };
    for (const [name, key, body] of cases) await compare(name, key, body);
    await settings.update(adminCaller, { maxPackagesPerAccount: 1 }, null);
    await compare('a quota', full, bytes('Full.X'), 403);
    await settings.update(adminCaller, { maxPackagesPerAccount: null }, null);
    await accounts.update(adminCaller, 'service', robot.id, { managers: [] }, null);
    await compare('an owner that the key acts for no more', forRobot, bytes('Taken.Y'), 403);
    await accounts.update(adminCaller, 'service', robot.id, { managers: [member.id] }, null);
  });

  it('is a use of the key, and counts as one', async () => {
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:push'],
      resources: ['Counted.*'],
    });
    for (const id of ['Counted.A', 'Other.A']) await dryRun(key, buildNupkg({ id, version: '1.0.0' }));
    const { usage, defaultWorkspace } = harness.deps;
    await usage.flush();
    const hours = await usage.listHours(defaultWorkspace.id, key.slice(0, -50), 0);
    expect(Object.fromEntries(hours.map(({ outcome, count }) => [outcome, count]))).toEqual({
      valid: 1,
      insufficient_scope: 1,
    });
  });
});

describe('the preview of a push in the console', () => {
  const idOf = (fullKey: string) => fullKey.slice(0, -50);
  const preview = (fullKey: string, id: string, version = '1.0.0') =>
    harness.deps.packages.previewPush(gallery.memberCaller, { keyId: idOf(fullKey), id, version });

  it('says what a push with the key would get, in the words of the push', async () => {
    for (const [key, id, version] of [
      [gallery.keys.push, 'Acme.Fresh', '1.0.0'],
      [gallery.keys.push, 'acme.known', '5.0.0'],
      [gallery.keys.push, 'Acme.Known', '1.0'],
      [gallery.keys.push, 'Other.Fresh', '1.0.0'],
      [gallery.keys.pushVersion, 'Acme.Fresh', '1.0.0'],
      [gallery.keys.unlist, 'Acme.Known', '5.0.0'],
    ] as const) {
      const told = await preview(key, id, version);
      const dry = await dryRun(key, buildNupkg({ id, version }));
      const name = `${id} ${version}`;
      if (dry.statusCode === 200) {
        expect([name, told.refusal, told.isNew]).toEqual([name, null, dry.json<{ isNew: boolean }>().isNew]);
      } else if (told.refusal?.code !== 'package.exists') {
        expect([name, told.refusal?.status, told.refusal?.detail]).toEqual([name, dry.statusCode, dry.body]);
      } else {
        expect(dry.statusCode).toBe(409);
      }
    }
  });

  it('is for whoever may see the key, and never a use of it', async () => {
    const question = { keyId: idOf(gallery.keys.push), id: 'Acme.Fresh', version: '1.0.0' };
    await expect(harness.deps.packages.previewPush(gallery.strangerCaller, question)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member);
    await preview(key, 'Acme.Fresh');
    const { usage, defaultWorkspace } = harness.deps;
    await usage.flush();
    expect(await usage.listHours(defaultWorkspace.id, idOf(key), 0)).toEqual([]);
    await harness.deps.keys.disable(gallery.memberCaller, idOf(key), null);
    expect((await preview(key, 'Acme.Fresh')).refusal?.detail).toBe(
      'This API key is disabled. Enable it in the console first.',
    );
    await expect(preview(key, 'no id!')).rejects.toMatchObject({ code: 'request.invalid' });
    await expect(preview(key, 'Acme.Fresh', 'latest')).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('takes a session, and no key', async () => {
    const answer = await call(harness, 'POST', '/v1/packages/dry-run', {
      key: gallery.adminKey,
      body: { keyId: idOf(gallery.keys.push), id: 'Acme.Fresh', version: '1.0.0' },
    });
    expect(answer.statusCode).toBe(403);
  });
});

describe('the dry run of a package in the console', () => {
  const idOf = (fullKey: string) => fullKey.slice(0, -50);
  const check = async (fullKey: string, bytes: Uint8Array, by = gallery.memberCaller) =>
    await harness.deps.packages.previewPackage(by, idOf(fullKey), {
      contentType: 'application/octet-stream',
      declaredBytes: bytes.length,
      source: Readable.from([Buffer.from(bytes)]),
    });

  it('says what a push of it with the key would get, in the words of the push', async () => {
    const { adminCaller, memberCaller, member, robot } = gallery;
    await harness.deps.prefixes.create(adminCaller, { pattern: 'Kept.*', accountIds: [robot.id] });
    const full = await gallery.makeKey(memberCaller, member);
    const bytes = (id: string, version = '1.0.0') => buildNupkg({ id, version });
    for (const [key, body, code] of [
      [gallery.keys.push, bytes('Acme.Checked'), null],
      [gallery.keys.push, bytes('acme.known', '5.0.0'), null],
      [gallery.keys.push, bytes('Acme.Known'), 'package.exists'],
      [gallery.keys.push, bytes('Other.Checked'), 'package.not_permitted'],
      [gallery.keys.pushVersion, bytes('Acme.Checked'), 'package.not_permitted'],
      [gallery.keys.unlist, bytes('Acme.Checked'), 'package.not_permitted'],
      [gallery.keys.push, Buffer.from('nothing'), 'package.unreadable'],
      [full, bytes('Kept.Checked'), 'package.id_reserved'],
    ] as const) {
      const told = await check(key, body);
      expect(told.refusal?.code ?? null).toBe(code);
      const dry = await dryRun(key, body);
      expect(dry.statusCode).toBe(told.refusal?.status ?? 200);
      if (told.refusal !== null) expect(dry.body).toBe(told.refusal.detail);
    }
  });

  it('tells what would be stored, and the pattern by which the key may push it', async () => {
    const bytes = buildNupkg({ id: 'Acme.Parts', version: '1.0-beta', tags: 'a b', description: 'Parts.' });
    const told = await check(gallery.keys.push, bytes);
    expect(told).toMatchObject({ isNew: true, action: 'package:pushnew', pattern: 'Acme.*', refusal: null });
    expect(told.package).toMatchObject({
      contents: { id: 'Acme.Parts', description: 'Parts.', tags: 'a b', sizeBytes: bytes.length },
      sha512: hash('sha512', bytes),
    });
    const known = await check(gallery.keys.push, buildNupkg({ id: 'Acme.Known', version: '1.0.0' }));
    expect(known).toMatchObject({ isNew: false, action: 'package:pushversion', pattern: 'Acme.*' });
    const other = await check(gallery.keys.push, buildNupkg({ id: 'Other.Parts', version: '1.0.0' }));
    expect([other.package?.contents.id, other.pattern, other.isNew]).toEqual(['Other.Parts', null, null]);
  });

  it('stores nothing, and is no use of the key', async () => {
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member);
    const before = await snapshot();
    await check(key, buildNupkg({ id: 'Acme.Unseen', version: '1.0.0' }));
    await check(key, Buffer.from('nothing'));
    expect(await snapshot()).toEqual(before);
    const { usage, defaultWorkspace } = harness.deps;
    await usage.flush();
    expect(await usage.listHours(defaultWorkspace.id, idOf(key), 0)).toEqual([]);
  });

  it('refuses a file over the limit before it is read, as a push does', async () => {
    const told = await harness.deps.packages.previewPackage(gallery.memberCaller, idOf(gallery.keys.push), {
      contentType: undefined,
      declaredBytes: 300 * 2 ** 20,
      source: Readable.from([]),
    });
    expect([told.refusal?.code, told.package]).toEqual(['package.too_large', null]);
  });

  it('says that the server is busy in the place of an answer, once too many come at the same time', async () => {
    const bytes = buildNupkg({ id: 'Acme.Waiting', version: '1.0.0' });
    const goOn = Promise.withResolvers<void>();
    async function* upload() {
      await goOn.promise;
      yield bytes;
    }
    const send = async () => {
      const body = { contentType: undefined, declaredBytes: null, source: upload() };
      try {
        await harness.deps.packages.previewPackage(gallery.memberCaller, idOf(gallery.keys.push), body);
        return 'answered';
      } catch (error) {
        return error instanceof AppError ? error.code : 'fault';
      }
    };
    const sent = Array.from({ length: UPLOADS_MAX + 1 }, send);
    // All others wait for the rest of what is sent.
    expect(await Promise.race(sent)).toBe('request.too_many');
    goOn.resolve();
    expect((await Promise.all(sent)).filter((outcome) => outcome === 'answered')).toHaveLength(UPLOADS_MAX);
    expect(await send()).toBe('answered');
  });

  it('is for whoever may see the key', async () => {
    const bytes = buildNupkg({ id: 'Acme.Foreign', version: '1.0.0' });
    await expect(check(gallery.keys.push, bytes, gallery.strangerCaller)).rejects.toMatchObject({
      code: 'request.not_found',
    });
  });

  it('takes a session with the package as the body, and no key', async () => {
    const person = {
      email: 'eve@example.com',
      displayName: 'Eve',
      role: 'member',
      password: 'Zaunkönig 4711!',
    };
    const created = await call(harness, 'POST', '/v1/users', { key: gallery.adminKey, body: person });
    const signedIn = await call(harness, 'POST', '/v1/session', {
      body: { email: person.email, password: person.password },
    });
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0] ?? '';
    const { id: eveId } = created.json<{ id: string }>();
    const { key } = await harness.deps.keys.create(gallery.adminCaller, eveId, {
      comment: 'checks',
      access: 'account',
    });
    const send = (headers: Record<string, string>) =>
      harness.app.inject({
        method: 'POST',
        url: `/v1/packages/dry-run/package?keyId=${key.id}`,
        headers: { host: 'localhost:8080', 'content-type': 'application/octet-stream', ...headers },
        payload: Buffer.from(buildNupkg({ id: 'Eve.Sent', version: '1.0.0' })),
      });
    const answer = await send({ cookie });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      expect.objectContaining({ wouldSucceed: true, ownerId: eveId, pattern: '*' }),
    ]);
    expect((await send({ authorization: `Bearer ${gallery.keys.push}` })).statusCode).toBe(403);
    expect((await send({ cookie, 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
  });
});
