import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buildApp } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery, wrapMultipart } from '../../../../testkit/src/gallery.ts';
import { hostileZips } from '../../../../testkit/src/hostile-zips.ts';
import { buildNupkg, buildNuspec } from '../../../../testkit/src/nupkg-builder.ts';
import { realPackages } from '../../../../testkit/src/real-packages.ts';
import { createGalleryService } from './gallery.service.ts';

const DAY_MS = 86_400_000;
const JOINT_TEXT =
  'The specified API key is invalid, has expired, or does not have permission to access the specified package.';

let harness: Harness;
let gallery: Gallery;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
});
afterAll(() => harness.close());

async function countRows(): Promise<{ packages: number; versions: number; blobs: number }> {
  const { read } = harness.deps.storage;
  const [packages, versions] = await Promise.all([
    read.selectFrom('packages').select('id').execute(),
    read.selectFrom('package_versions').select('id').execute(),
  ]);
  let blobs = 0;
  for await (const blob of harness.deps.blobs.list()) if (blob.sizeBytes > 0) blobs += 1;
  return { packages: packages.length, versions: versions.length, blobs };
}

async function auditOf(
  action: string,
): Promise<{ target_name: string | null; account_id: string | null; key_id: string | null }[]> {
  return await harness.deps.storage.read
    .selectFrom('audit')
    .select(['target_name', 'account_id', 'key_id'])
    .where('action', '=', action)
    .orderBy('seq')
    .execute();
}

describe('where a push arrives', () => {
  const paths = [
    '/api/v2/package',
    '/api/v2/package/',
    '/api/v2',
    '/api/v2/',
    '/nuget',
    '/nuget/',
    '/API/V2/Package/',
    '/Nuget/',
    '//api/v2/',
  ];

  it.each(
    paths.flatMap(
      (url) =>
        [
          ['PUT', url],
          ['POST', url],
        ] as const,
    ),
  )('[1, 2] takes a package by %s %s', async (method, url) => {
    const id = `Acme.At${hash('md5', `${method}${url}`)}`;
    const answer = await gallery.push(gallery.keys.push, buildNupkg({ id, version: '1.0.0' }), {
      method,
      url,
    });
    expect([answer.statusCode, answer.body]).toEqual([201, '']);
    expect((await gallery.send('GET', `/api/v2/package/${id}/1.0.0`)).statusCode).toBe(200);
  });

  it('[1] takes PUT at the root, and leaves the other methods there to others', async () => {
    const bytes = buildNupkg({ id: 'Acme.Root', version: '1.0.0' });
    expect((await gallery.push(gallery.keys.push, bytes, { url: '/' })).statusCode).toBe(201);
    expect((await gallery.push(gallery.keys.push, bytes, { url: '/', method: 'POST' })).statusCode).not.toBe(
      201,
    );
  });
});

describe('what a body may look like', () => {
  const pushWrapped = (bytes: Uint8Array, second?: Uint8Array) => {
    const { body, contentType } = wrapMultipart(bytes, second);
    return gallery.push(gallery.keys.push, body, { headers: { 'content-type': contentType } });
  };

  it('[13] takes the form of nuget.exe, and stores exactly the bytes of the package', async () => {
    const bytes = buildNupkg({ id: 'Acme.Form', version: '1.0.0' });
    expect((await pushWrapped(bytes)).statusCode).toBe(201);
    const download = await gallery.send('GET', '/api/v2/package/Acme.Form/1.0.0');
    expect(download.rawPayload.equals(Buffer.from(bytes))).toBe(true);
  });

  it('[25] takes the first part as the package and ignores what follows', async () => {
    const second = buildNupkg({ id: 'Acme.Second', version: '1.0.0' });
    expect((await pushWrapped(buildNupkg({ id: 'Acme.First', version: '1.0.0' }), second)).statusCode).toBe(
      201,
    );
    expect((await gallery.send('GET', '/api/v2/package/Acme.First/1.0.0')).statusCode).toBe(200);
    expect((await gallery.send('GET', '/api/v2/package/Acme.Second/1.0.0')).statusCode).toBe(404);
  });

  it('[26] takes the body of nuget 2.8.7 on mono with its short closing boundary', async () => {
    const boundary = '---------------------------8df0123456789ab';
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="package"; filename="package"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const bytes = buildNupkg({ id: 'Acme.Mono', version: '1.0.0' });
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\n--${boundary}--`)]);
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    expect((await gallery.push(gallery.keys.push, body, { headers })).statusCode).toBe(201);
    const download = await gallery.send('GET', '/api/v2/package/Acme.Mono/1.0.0');
    expect(download.rawPayload.equals(Buffer.from(bytes))).toBe(true);
  });

  it.each([
    'application/octet-stream',
    'application/json',
    'text/plain; charset=utf-8',
    'nonsense',
    'a/b/c; ;;',
  ])('takes a raw package whatever its type says: %s', async (contentType) => {
    const bytes = buildNupkg({ id: `Acme.Type${hash('md5', contentType)}`, version: '1.0.0' });
    const answer = await gallery.push(gallery.keys.push, bytes, { headers: { 'content-type': contentType } });
    expect(answer.statusCode).toBe(201);
  });

  it('[41] keeps packages of other programs byte for byte, signed ones as well', async () => {
    const key = await gallery.makeKey(gallery.adminCaller, gallery.admin);
    const signed = buildNupkg({
      id: 'Signed.Pack',
      version: '1.0.0',
      files: { '.signature.p7s': new Uint8Array([1, 2, 3]) },
    });
    expect((await gallery.push(key, signed)).statusCode).toBe(201);
    const [first] = realPackages;
    expect((await gallery.push(key, first?.bytes ?? new Uint8Array())).statusCode).toBe(201);
    for (const [url, bytes] of [
      ['/api/v2/package/signed.pack/1.0', signed],
      ['/api/v2/package/Demo.Pack/1.2.0-BETA', first?.bytes ?? signed],
    ] as const) {
      const download = await gallery.send('GET', url);
      expect(hash('sha512', download.rawPayload)).toBe(hash('sha512', bytes));
      expect(download.headers['etag']).toBe(`"${hash('sha512', bytes)}"`);
    }
  });
});

describe('what is refused before any right is asked', () => {
  it('[32, 34, 35, 37, 38, 40] answers every hostile archive with 400 and stores nothing', async () => {
    const before = await countRows();
    for (const zip of hostileZips()) {
      const answer = await gallery.push(gallery.keys.push, zip.build());
      expect([zip.name, answer.statusCode]).toEqual([zip.name, 400]);
      expect([zip.name, answer.raw.res.statusMessage]).toEqual([zip.name, answer.body]);
    }
    expect(await countRows()).toEqual(before);
  }, 120_000);

  const ids = [
    '-StartWithSeparator',
    'EndWithSeparator.',
    'I_.Like.-Separators',
    'Continuous..Separators',
    '$id$',
    'páckage',
    '\u212Aelvin',
    'a'.repeat(101),
    '../../etc/passwd',
    'a#b',
    'a?b',
    'a%2fb',
    'a b',
  ];

  it.each(ids)('[32, 34] refuses the id %s', async (id) => {
    const answer = await gallery.push(
      gallery.keys.push,
      buildNupkg({ id: 'x', version: '1.0.0', nuspecXml: buildNuspec({ id, version: '1.0.0' }) }),
    );
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('"id"');
  });

  it.each(['1.0.0-10', '1.0.0--', '1.2.3.4.5', 'latest', ''])(
    '[35] refuses the version %s',
    async (version) => {
      expect((await gallery.publish(gallery.keys.push, 'Acme.Version', version)).statusCode).toBe(400);
    },
  );

  it.each(['*', '1.*', '1.0.0-beta*', '$version$', '(2.0.0, 1.0.0(', '1.0.0+meta'])(
    '[37] refuses the dependency range %s',
    async (version) => {
      const bytes = buildNupkg({
        id: 'Acme.Range',
        version: '1.0.0',
        dependencies: [{ id: 'Other', version }],
      });
      expect((await gallery.push(gallery.keys.push, bytes)).statusCode).toBe(400);
    },
  );

  it('says what nuget.org says about a file that is no package, also to a key without a right to it', async () => {
    for (const key of [gallery.keys.push, gallery.keys.pushVersion]) {
      const answer = await gallery.push(key, Buffer.from('this is not a zip'));
      expect([answer.statusCode, answer.body]).toEqual([
        400,
        'Failed to read the package file. Ensure it is a valid NuGet package with a valid manifest.',
      ]);
    }
    expect((await gallery.push(gallery.keys.push, new Uint8Array())).statusCode).toBe(400);
  });

  it('names what is wrong with a multipart form', async () => {
    const headers = { 'content-type': 'multipart/form-data' };
    const answer = await gallery.push(gallery.keys.push, Buffer.from('x'), { headers });
    expect([answer.statusCode, answer.body]).toEqual([
      400,
      'The Content-Type is multipart but names no boundary. Add it.',
    ]);
  });

  it('[28] answers 413 over the limit, by what arrives and by what is announced, and stores nothing', async () => {
    const small = await buildApp({
      ...harness.deps,
      gallery: createGalleryService({ ...harness.deps, packageBytesMax: 10_000 }),
    });
    const before = await countRows();
    const noise = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => (index * 7919) % 251));
    const body = buildNupkg({
      id: 'Acme.Big',
      version: '1.0.0',
      extraEntries: [{ name: 'a.bin', data: noise, options: { level: 0 } }],
    });
    for (const bytes of [body, body.slice(0, 50_000)]) {
      const answer = await gallery.push(gallery.keys.push, bytes, { app: small });
      expect([answer.statusCode, answer.body]).toEqual([
        413,
        'The package file exceeds the size limit. Please try again.',
      ]);
    }
    expect(
      (
        await gallery.push(gallery.keys.push, buildNupkg({ id: 'Acme.Small', version: '1.0.0' }), {
          app: small,
        })
      ).statusCode,
    ).toBe(201);
    const after = await countRows();
    expect(after).toEqual({
      packages: before.packages + 1,
      versions: before.versions + 1,
      blobs: before.blobs + 1,
    });
    await small.close();
  });
});

describe('which key may push what', () => {
  it('[8] answers 401 without a key, with the text that clients know and a challenge', async () => {
    const answer = await gallery.push(null, buildNupkg({ id: 'Acme.A', version: '1.0.0' }));
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('ApiKey realm="localhost:8080"');
    expect(answer.body).toBe(
      "An API key must be provided in the 'X-NuGet-ApiKey' header to use this service",
    );
    expect(answer.raw.res.statusMessage).toBe(answer.body);
    expect(answer.headers['content-type']).toContain('text/plain');
  });

  it('gives a browser with a cookie but no key the same answer', async () => {
    const answer = await gallery.push(null, Buffer.from('x'), {
      headers: { cookie: 'keyreeve_session=abc' },
    });
    expect(answer.statusCode).toBe(401);
    expect(answer.body).toContain('X-NuGet-ApiKey');
  });

  it('tells nobody without the secret more than the joint text', async () => {
    const wrongSecret = `${gallery.keys.push.slice(0, -49)}${gallery.keys.unlist.slice(-49)}`;
    for (const key of [
      'nonsense',
      'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD',
      wrongSecret,
    ]) {
      const answer = await gallery.push(key, buildNupkg({ id: 'Acme.A', version: '1.0.0' }));
      expect([answer.statusCode, answer.body]).toEqual([403, JOINT_TEXT]);
    }
    const scheme = await gallery.push(null, Buffer.from('x'), { headers: { authorization: 'Digest abc' } });
    expect([scheme.statusCode, scheme.body]).toEqual([403, JOINT_TEXT]);
  });

  it('takes the key as Bearer and as Basic password, but not two different ones', async () => {
    const bytes = (id: string) => buildNupkg({ id, version: '1.0.0' });
    const basic = Buffer.from(`any:${gallery.keys.push}`).toString('base64');
    expect(
      (
        await gallery.push(null, bytes('Acme.Bearer'), {
          headers: { authorization: `Bearer ${gallery.keys.push}` },
        })
      ).statusCode,
    ).toBe(201);
    expect(
      (await gallery.push(null, bytes('Acme.Basic'), { headers: { authorization: `Basic ${basic}` } }))
        .statusCode,
    ).toBe(201);
    expect(
      (
        await gallery.push(gallery.keys.unlist, bytes('Acme.Two'), {
          headers: { authorization: `Bearer ${gallery.keys.push}` },
        })
      ).statusCode,
    ).toBe(400);
  });

  it('[10] refuses an expired key and tells its holder since when', async () => {
    const own = await startHarness();
    const other = await seedGallery(own);
    const key = await other.makeKey(other.memberCaller, other.member, { lifetimeDays: 1 });
    own.clock.advance(DAY_MS);
    const answer = await other.publish(key, 'Acme.Late');
    expect(answer.statusCode).toBe(403);
    expect(answer.body).toBe(
      'This API key has expired (since 2027-03-02T09:00:00Z). Regenerate it; its id and scopes stay the same.',
    );
    await own.close();
  });

  it('tells the holder of a disabled key, or of one of a disabled account, just that', async () => {
    const robotKey = await gallery.makeKey(gallery.memberCaller, gallery.robot);
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member);
    await harness.deps.keys.disable(gallery.memberCaller, key.slice(0, -50), 'lost');
    expect((await gallery.publish(key, 'Acme.Off')).body).toBe(
      'This API key is disabled. Enable it in the console first.',
    );
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'service',
      gallery.robot.id,
      { state: 'disabled' },
      null,
    );
    const answer = await gallery.publish(robotKey, 'Acme.Off');
    expect([answer.statusCode, answer.body]).toEqual([
      403,
      'The account of this API key is disabled. Ask an administrator to enable it.',
    ]);
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'service',
      gallery.robot.id,
      { state: 'active' },
      null,
    );
  });

  it('[11, 16] lets an unlist key push nothing, and says so before it reads the package', async () => {
    const before = await countRows();
    const answer = await gallery.push(gallery.keys.unlist, Buffer.from('not a zip'));
    expect([answer.statusCode, answer.body]).toEqual([
      403,
      'This API key may not push packages, neither new ones nor new versions; it may unlist or relist packages that match Acme.*.',
    ]);
    expect(await countRows()).toEqual(before);
  });

  it('[13, 14] lets pushnew make ids but no versions, and pushversion versions but no ids', async () => {
    const pushNew = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:pushnew'],
      resources: ['Acme.*'],
    });
    expect((await gallery.publish(gallery.keys.pushVersion, 'Acme.Split')).statusCode).toBe(403);
    expect((await gallery.publish(pushNew, 'Acme.Split')).statusCode).toBe(201);
    const second = await gallery.publish(pushNew, 'Acme.Split', '2.0.0');
    expect([second.statusCode, second.body]).toEqual([
      403,
      'This API key may not push new versions of packages; it may push new packages that match Acme.*.',
    ]);
    expect((await gallery.publish(gallery.keys.pushVersion, 'Acme.Split', '2.0.0')).statusCode).toBe(201);
  });

  it.each([
    ['SomePackage', 'somepackage', 201],
    ['Microsoft.*.Abstract', 'Microsoft.Configuration.Abstract', 201],
    ['Microsoft.*.Abstract', 'Microsoft.Configuration', 403],
    ['SomePackage2', 'SomeOtherPackage', 403],
    ['AzureRM.DataFactory*', 'AzureRm.DataFactoryV2.Netcore', 201],
    ['AzureRM.DataFactory*', 'AzureRM.Data', 403],
  ])('[19, 20, 22] judges the pattern %s on %s: %d', async (pattern, id, status) => {
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:push'],
      resources: [pattern],
    });
    expect((await gallery.publish(key, id)).statusCode).toBe(status);
  });

  it('names patterns and id to the holder of a key that does not match', async () => {
    const answer = await gallery.publish(gallery.keys.push, 'Other.Package');
    expect(answer.body).toBe(
      'This API key may push new packages that match Acme.*; Other.Package does not match',
    );
    expect(answer.raw.res.statusMessage).toBe(answer.body);
    const misleading = await gallery.publish(gallery.keys.push, 'Other400.Package');
    expect(misleading.body).toContain('Other400.Package');
    expect(misleading.raw.res.statusMessage).toBe('The API key does not permit this');
  });

  it('follows the grants of the account at once', async () => {
    const key = await gallery.makeKey(gallery.strangerCaller, gallery.stranger, {
      actions: ['package:push'],
      resources: ['Narrow.*'],
    });
    const grants = [{ actions: ['package:push'], resources: ['Elsewhere.*'] }];
    await harness.deps.accounts.update(gallery.adminCaller, 'user', gallery.stranger.id, { grants }, null);
    const answer = await gallery.publish(key, 'Narrow.A');
    expect([answer.statusCode, answer.body]).toEqual([
      403,
      'The account of this API key is granted package:pushnew on Elsewhere.*; Narrow.A does not match. Ask an administrator to grant it',
    ]);
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'user',
      gallery.stranger.id,
      { grants: [{ actions: ['package:*'], resources: ['*'] }] },
      null,
    );
  });

  it('[23] answers 403, not 409, to a key without a right to the existing version', async () => {
    expect((await gallery.publish(gallery.keys.push, 'Acme.Taken')).statusCode).toBe(201);
    const foreign = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    const answer = await gallery.publish(foreign, 'acme.taken');
    expect([answer.statusCode, answer.body]).toEqual([
      403,
      'This API key acts for its own account, which is not an owner of Acme.Taken. Use a key that acts for one of its owners, or ask them to add this one',
    ]);
    expect((await gallery.publish(foreign, 'Acme.Taken', '2.0.0')).statusCode).toBe(403);
  });

  it('lets two members of a team push one package through a service account that both manage', async () => {
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'service',
      gallery.robot.id,
      { managers: [gallery.member.id, gallery.stranger.id] },
      null,
    );
    const strangerCaller = await harness.callerOf(gallery.stranger);
    const mine = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:push'],
      ownerId: gallery.robot.id,
    });
    const theirs = await gallery.makeKey(strangerCaller, gallery.stranger, {
      actions: ['package:push'],
      resources: ['Team.Shared'],
      ownerId: gallery.robot.id,
    });
    expect((await gallery.publish(mine, 'Team.Shared', '1.0.0')).statusCode).toBe(201);
    expect((await gallery.publish(theirs, 'Team.Shared', '2.0.0')).statusCode).toBe(201);
    expect((await gallery.publish(theirs, 'Team.Other', '1.0.0')).statusCode).toBe(403);
    // The key acts for the robot alone: what its own account owns stays out of reach.
    await gallery.publish(gallery.keys.push, 'Acme.Mine');
    expect((await gallery.publish(mine, 'Acme.Mine', '2.0.0')).statusCode).toBe(403);
    await harness.deps.accounts.update(
      gallery.adminCaller,
      'service',
      gallery.robot.id,
      { managers: [gallery.member.id] },
      null,
    );
    const answer = await gallery.publish(theirs, 'Team.Shared', '3.0.0');
    expect([answer.statusCode, answer.body]).toEqual([
      403,
      'The owner was deleted or disabled, or the account of the key no longer manages it. Create a key for another owner.',
    ]);
    expect((await gallery.publish(mine, 'Team.Shared', '3.0.0')).statusCode).toBe(201);
    const entry = (await auditOf('package.pushed')).at(-1);
    expect(entry).toEqual({
      target_name: 'Team.Shared 3.0.0',
      account_id: gallery.robot.id,
      key_id: mine.slice(0, -50),
    });
  });

  it('refuses a key that was revoked while the package was still arriving, and stores nothing', async () => {
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member);
    const bytes = buildNupkg({ id: 'Acme.Revoked', version: '1.0.0' });
    const before = await countRows();
    async function* upload() {
      yield bytes.subarray(0, 100);
      await harness.deps.keys.remove(gallery.memberCaller, key.slice(0, -50));
      yield bytes.subarray(100);
    }
    const answer = await harness.app.inject({
      method: 'PUT',
      url: '/api/v2/package',
      headers: { host: 'localhost:8080', 'x-nuget-apikey': key },
      payload: Readable.from(upload()),
    });
    expect([answer.statusCode, answer.body]).toEqual([403, JOINT_TEXT]);
    expect(await countRows()).toEqual(before);
  });

  it('has an account wait with more than so many uploads at once, and nobody else', async () => {
    const few = await buildApp({
      ...harness.deps,
      gallery: createGalleryService({ ...harness.deps, uploadsMax: 1 }),
    });
    const bytes = buildNupkg({ id: 'Acme.Waiting', version: '1.0.0' });
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    async function* upload() {
      yield bytes.subarray(0, 100);
      begun.resolve();
      await goOn.promise;
      yield bytes.subarray(100);
    }
    const slow = few.inject({
      method: 'PUT',
      url: '/api/v2/package',
      headers: { host: 'localhost:8080', 'x-nuget-apikey': gallery.keys.push },
      payload: Readable.from(upload()),
    });
    await begun.promise;
    const other = buildNupkg({ id: 'Acme.Other', version: '1.0.0' });
    const options = { app: few };
    const refused = await gallery.push(gallery.keys.push, other, options);
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '10']);
    expect(refused.body).toContain('uploads at the same time');
    const stranger = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    const free = buildNupkg({ id: 'Stranger.Free', version: '1.0.0' });
    expect((await gallery.push(stranger, free, options)).statusCode).toBe(201);
    goOn.resolve();
    expect((await slow).statusCode).toBe(201);
    expect((await gallery.push(gallery.keys.push, Buffer.from('no package'), options)).statusCode).toBe(400);
    expect((await gallery.push(gallery.keys.push, other, options)).statusCode).toBe(201);
    await few.close();
  });

  it('records refusals of known keys in the audit log', async () => {
    await gallery.publish(gallery.keys.push, 'Refused.Package');
    await harness.deps.audit.flush();
    const refused = await harness.deps.storage.read
      .selectFrom('audit')
      .select('target_id')
      .where('action', '=', 'access.refused')
      .where('actor_key_id', '=', gallery.keys.push.slice(0, -50))
      .execute();
    expect(refused.map((row) => row.target_id)).toContain('package.push');
  });

  it('counts each push once, by whether the key was let in', async () => {
    const { usage, defaultWorkspace } = harness.deps;
    const key = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:push'],
      resources: ['Counted.*'],
    });
    const keyId = key.slice(0, -50);
    const publish = async (id: string) => (await gallery.publish(key, id)).statusCode;
    const answers: number[] = [];
    for (const id of ['Refused.Package', 'Counted.Package']) answers.push(await publish(id));
    const usedAt = harness.clock.now();
    // Refused for what is there already, not for what the key may do.
    answers.push(await publish('Counted.Package'));
    harness.clock.advance(1_000);
    answers.push(await publish('Refused.Package'));
    expect(answers).toEqual([403, 201, 409, 403]);
    await usage.flush();
    const hours = await usage.listHours(defaultWorkspace.id, keyId, usedAt);
    expect(Object.fromEntries(hours.map(({ outcome, count }) => [outcome, count]))).toEqual({
      valid: 2,
      insufficient_scope: 2,
    });
    expect((await usage.findLastUses(defaultWorkspace.id, [keyId])).get(keyId)?.at).toBe(usedAt);
  });
});

describe('one version is published once', () => {
  it('[4] answers 409 in the words of nuget.org, whatever the spelling', async () => {
    expect((await gallery.publish(gallery.keys.push, 'Acme.Once', '1.0.0-Beta+one')).statusCode).toBe(201);
    for (const [id, version] of [
      ['Acme.Once', '1.0.0-Beta+one'],
      ['acme.ONCE', '1.0-beta'],
      ['Acme.Once', '1.0.0.0-BETA+two'],
      ['Acme.Once', '01.0.0-beta'],
    ] as const) {
      const answer = await gallery.publish(gallery.keys.push, id, version);
      expect([version, answer.statusCode]).toEqual([version, 409]);
    }
    const answer = await gallery.publish(gallery.keys.push, 'Acme.Once', '1.0.0-Beta');
    expect(answer.body).toBe(
      "A package with ID 'Acme.Once' and version '1.0.0-Beta' already exists and cannot be modified.",
    );
    expect(answer.raw.res.statusMessage).toBe(answer.body);
  });

  it('[52] answers 409 for an unlisted version as well', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.Hidden');
    expect(
      (await gallery.send('DELETE', '/api/v2/package/Acme.Hidden/1.0.0', gallery.keys.unlist)).statusCode,
    ).toBe(204);
    expect((await gallery.publish(gallery.keys.push, 'Acme.Hidden')).statusCode).toBe(409);
  });

  it.each([1, 2, 3])('[7] lets exactly one of sixteen parallel pushes win (round %d)', async (round) => {
    const bytes = (index: number) =>
      buildNupkg({ id: 'Acme.Race', version: `${round}.0.0`, description: `Push ${index}.` });
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => gallery.push(gallery.keys.push, bytes(index))),
    );
    const statuses = answers.map((answer) => answer.statusCode);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 15 }, () => 409)]);
    const winner = bytes(statuses.indexOf(201));
    const download = await gallery.send('GET', `/api/v2/package/Acme.Race/${round}.0.0`);
    expect(download.rawPayload.equals(Buffer.from(winner))).toBe(true);
  });

  it('lets different versions of a new id all in, and two owners never', async () => {
    const own = await gallery.makeKey(gallery.memberCaller, gallery.member);
    const foreign = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        gallery.publish(index % 2 === 0 ? own : foreign, 'Fresh.Id', `${index}.0.0`),
      ),
    );
    const statuses = answers.map((answer) => answer.statusCode);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 201, 201, 201, 403, 403, 403, 403]);
    const owners = await harness.deps.storage.read
      .selectFrom('packages')
      .innerJoin('package_owners', 'package_owners.package_id', 'packages.id')
      .select('account_id')
      .where('id_lower', '=', 'fresh.id')
      .execute();
    expect(owners).toHaveLength(1);
  });

  it('[31] warns on success when the key expires soon, and only then', async () => {
    const soon = await gallery.makeKey(gallery.memberCaller, gallery.member, { lifetimeDays: 1 });
    const answer = await gallery.publish(soon, 'Acme.Soon');
    expect([answer.statusCode, answer.headers['x-nuget-warning']]).toEqual([
      201,
      'Your API key expires in 1 day(s). Regenerate it at http://localhost:8080',
    ]);
    const warning = answer.headers['x-nuget-warning'];
    const unlisted = await gallery.send('DELETE', '/api/v2/package/Acme.Soon/1.0.0', soon);
    expect([unlisted.statusCode, unlisted.headers['x-nuget-warning']]).toEqual([204, warning]);
    // Clients print no warning beside an error; programs hear of the expiry all the same.
    const refused = await gallery.publish(soon, 'Acme.Soon');
    expect([refused.statusCode, refused.headers['x-nuget-warning']]).toEqual([409, undefined]);
    expect(refused.headers['keyreeve-key-expires']).toBe(unlisted.headers['keyreeve-key-expires']);
    expect(refused.headers['keyreeve-key-expires']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(
      (await gallery.publish(gallery.keys.push, 'Acme.NotSoon')).headers['x-nuget-warning'],
    ).toBeUndefined();
  });

  it('keeps workspaces apart: the same id is free in another one, and invisible', async () => {
    const { workspaces } = harness.deps;
    await workspaces.create(gallery.adminCaller, { name: 'Other', subdomain: 'other', aliases: [] });
    await gallery.publish(gallery.keys.push, 'Acme.Local');
    expect(
      (await gallery.send('GET', '/api/v2/package/Acme.Local/1.0.0', null, { host: 'other.keys.test' }))
        .statusCode,
    ).toBe(404);
    const foreign = await gallery.push(
      gallery.keys.push,
      buildNupkg({ id: 'Acme.Local', version: '1.0.0' }),
      { headers: { host: 'other.keys.test' } },
    );
    expect([foreign.statusCode, foreign.body]).toEqual([403, JOINT_TEXT]);
  });
});
