import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';

let harness: Harness;
let gallery: Gallery;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
});
afterAll(() => harness.close());

async function isListed(id: string, version = '1.0.0'): Promise<boolean> {
  const page = await harness.deps.packages.get(gallery.adminCaller, id, { limit: 50 });
  const found = page.versions.items.find((item) => item.version === version);
  if (found === undefined) throw new Error(`${id} ${version} is not there.`);
  return found.isListed;
}

async function countAudit(action: string): Promise<number> {
  const rows = await harness.deps.storage.read
    .selectFrom('audit')
    .select('seq')
    .where('action', '=', action)
    .execute();
  return rows.length;
}

describe('unlisting and relisting', () => {
  const prefixes = ['/api/v2/package', '/api/v2', '/nuget', '/API/V2/PACKAGE', '//nuget'];

  it.each(prefixes)(
    '[43, 44] hides a version and shows it again at %s, as often as asked',
    async (prefix) => {
      const id = `Acme.List${hash('md5', prefix)}`;
      await gallery.publish(gallery.keys.push, id);
      const before = await countAudit('package.unlisted');
      for (const end of ['', '/']) {
        const answer = await gallery.send('DELETE', `${prefix}/${id}/1.0.0${end}`, gallery.keys.unlist);
        expect([answer.statusCode, answer.body]).toEqual([204, '']);
        expect(await isListed(id)).toBe(false);
      }
      expect(await countAudit('package.unlisted')).toBe(before + 1);
      for (const end of ['', '/']) {
        const answer = await gallery.send('POST', `${prefix}/${id}/1.0.0${end}`, gallery.keys.unlist);
        expect([answer.statusCode, answer.body]).toEqual([200, '']);
        expect(await isListed(id)).toBe(true);
      }
    },
  );

  it('is refused as a dry run, which only a push can be, and changes nothing', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.Tried');
    const url = '/api/v2/package/Acme.Tried/1.0.0?dryRun=true';
    const refused = [400, 'Only a push can be a dry run. Nothing was changed.'];
    for (const method of ['DELETE', 'POST'] as const) {
      const answer = await gallery.send(method, url, gallery.keys.unlist);
      expect([answer.statusCode, answer.body]).toEqual(refused);
    }
    const deprecated = await harness.app.inject({
      method: 'PUT',
      url: '/api/v2/package/Acme.Tried/deprecations?dryRun=true',
      headers: { host: 'localhost:8080', 'x-nuget-apikey': gallery.keys.unlist },
      payload: JSON.stringify({ versions: ['1.0.0'], isLegacy: true }),
    });
    expect([deprecated.statusCode, deprecated.body]).toEqual(refused);
    expect(await isListed('Acme.Tried')).toBe(true);
  });

  it('understands every spelling of id and version that clients type', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.Spelling', '1.0.0-Beta+meta');
    for (const spelling of [
      'Acme.Spelling/1.0.0-Beta',
      'ACME.SPELLING/1.0.0.0-beta+other',
      'acme.spelling/1.0-BETA',
      'Acme.Spelling/1.0.0-Beta%2Bmeta',
    ]) {
      expect([
        spelling,
        (await gallery.send('DELETE', `/api/v2/package/${spelling}`, gallery.keys.unlist)).statusCode,
      ]).toEqual([spelling, 204]);
      expect(
        (await gallery.send('POST', `/api/v2/package/${spelling}`, gallery.keys.unlist)).statusCode,
      ).toBe(200);
    }
  });

  it.each([
    'Acme.Nothing/1.0.0',
    'Acme.Known/9.9.9',
    'Acme.Known/latest',
    'Acme.Known/1.2.3.4.5',
    '$id$/1.0.0',
    '..%2f..%2fetc/1.0.0',
    '%E2%84%AA/1.0.0',
  ])('[46] answers 404 for %s, also to a key that may unlist nothing', async (place) => {
    await gallery.publish(gallery.keys.push, 'Acme.Known');
    for (const key of [gallery.keys.unlist, gallery.keys.push]) {
      for (const method of ['DELETE', 'POST'] as const) {
        expect((await gallery.send(method, `/api/v2/package/${place}`, key)).statusCode).toBe(404);
      }
    }
  });

  it('says what does not exist in the words of nuget.org', async () => {
    const answer = await gallery.send('DELETE', '/api/v2/package/Acme.Nothing/1.0', gallery.keys.unlist);
    expect(answer.body).toBe("A package with ID 'Acme.Nothing' and version '1.0.0' does not exist.");
    expect(answer.raw.res.statusMessage).toBe(answer.body);
  });

  it('[16, 17] lets push keys unlist nothing, and leaves the version listed', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.Stays');
    for (const [key, verb] of [
      [gallery.keys.push, 'push new packages that match Acme.*, and push new versions of packages'],
      [gallery.keys.pushVersion, 'push new versions of packages'],
    ] as const) {
      const answer = await gallery.send('DELETE', '/api/v2/package/Acme.Stays/1.0.0', key);
      expect([answer.statusCode, answer.body]).toEqual([
        403,
        `This API key may not unlist or relist packages; it may ${verb} that match Acme.*.`,
      ]);
    }
    expect((await gallery.send('DELETE', '/api/v2/package/Acme.Stays/1.0.0')).statusCode).toBe(401);
    expect((await gallery.send('DELETE', '/api/v2/package/Acme.Stays/1.0.0', 'nonsense')).statusCode).toBe(
      403,
    );
    expect(await isListed('Acme.Stays')).toBe(true);
  });

  it('refuses a key of somebody who is not an owner, and one whose patterns do not match', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.Owned');
    const foreign = await gallery.makeKey(gallery.strangerCaller, gallery.stranger, {
      actions: ['package:unlist'],
    });
    const elsewhere = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:unlist'],
      resources: ['Other.*'],
    });
    expect((await gallery.send('DELETE', '/api/v2/package/acme.owned/1.0.0', foreign)).body).toBe(
      'This API key acts for its own account, which is not an owner of Acme.Owned. Use a key that acts for one of its owners, or ask them to add this one',
    );
    expect((await gallery.send('DELETE', '/api/v2/package/acme.owned/1.0.0', elsewhere)).body).toBe(
      'This API key may unlist or relist packages that match Other.*; Acme.Owned does not match',
    );
    expect(await isListed('Acme.Owned')).toBe(true);
  });

  it('ignores a body, whatever its type', async () => {
    await gallery.publish(gallery.keys.push, 'Acme.Bodied');
    const answer = await harness.app.inject({
      method: 'DELETE',
      url: '/api/v2/package/Acme.Bodied/1.0.0',
      headers: {
        host: 'localhost:8080',
        'x-nuget-apikey': gallery.keys.unlist,
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: 'type=SoftDelete',
    });
    expect(answer.statusCode).toBe(204);
    expect(await isListed('Acme.Bodied')).toBe(false);
  });
});

describe('downloading by exact version', () => {
  const bytes = buildNupkg({
    id: 'Acme.File',
    version: '1.2.0',
    files: { 'lib/a.txt': 'some text in a file' },
  });
  const url = '/api/v2/package/acme.file/1.2';

  beforeAll(async () => {
    await gallery.push(gallery.keys.push, bytes);
  });

  it('needs no key and tells the client what it gets', async () => {
    const answer = await gallery.send('GET', url);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'content-disposition': 'attachment; filename="Acme.File.1.2.0.nupkg"',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      etag: `"${hash('sha512', bytes)}"`,
    });
  });

  it('[49] gives unlisted versions too', async () => {
    await gallery.send('DELETE', url, gallery.keys.unlist);
    expect((await gallery.send('GET', url)).statusCode).toBe(200);
    await gallery.send('POST', url, gallery.keys.unlist);
  });

  it.each([
    ['bytes=0-9', 206, 0, 10],
    ['bytes=10-', 206, 10, bytes.length],
    ['bytes=-5', 206, bytes.length - 5, bytes.length],
    ['bytes=0-99999999', 206, 0, bytes.length],
    ['bytes=0-1,4-5', 200, 0, bytes.length],
    ['lines=1-2', 200, 0, bytes.length],
    ['bytes=9-3', 200, 0, bytes.length],
  ])('answers the range %s with %d', async (range, status, start, end) => {
    const answer = await gallery.send('GET', url, null, { range });
    expect(answer.statusCode).toBe(status);
    expect(answer.rawPayload.equals(Buffer.from(bytes).subarray(start, end))).toBe(true);
    expect(answer.headers['content-range']).toBe(
      status === 206 ? `bytes ${start}-${end - 1}/${bytes.length}` : undefined,
    );
  });

  it('answers a range outside the file with 416 and the size', async () => {
    const answer = await gallery.send('GET', url, null, { range: `bytes=${bytes.length}-` });
    expect(answer.statusCode).toBe(416);
    expect(answer.headers['content-range']).toBe(`bytes */${bytes.length}`);
    expect(answer.headers['content-disposition']).toBeUndefined();
  });

  it('sends nothing again that the client has, and a whole file when its part is of another one', async () => {
    const etag = `"${hash('sha512', bytes)}"`;
    expect((await gallery.send('GET', url, null, { 'if-none-match': `"other", W/${etag}` })).statusCode).toBe(
      304,
    );
    // RFC 9110 13.2.2: whether the client has the file is asked before the range is looked at.
    const outside = { 'if-none-match': etag, range: `bytes=${bytes.length}-` };
    expect((await gallery.send('GET', url, null, outside)).statusCode).toBe(304);
    expect((await gallery.send('GET', url, null, { range: 'bytes=0-1', 'if-range': etag })).statusCode).toBe(
      206,
    );
    expect(
      (await gallery.send('GET', url, null, { range: 'bytes=0-1', 'if-range': '"other"' })).statusCode,
    ).toBe(200);
  });

  it('answers HEAD like GET, without the file', async () => {
    const answer = await gallery.send('HEAD', url);
    expect([answer.statusCode, answer.headers['content-length'], answer.body]).toEqual([
      200,
      String(bytes.length),
      '',
    ]);
    expect((await gallery.send('HEAD', '/api/v2/package/acme.file/9.9.9')).statusCode).toBe(404);
    // RFC 9110 14.2: a range is something of GET alone.
    for (const range of ['bytes=0-1', `bytes=${bytes.length}-`]) {
      const whole = await gallery.send('HEAD', url, null, { range });
      expect([whole.statusCode, whole.headers['content-length']]).toEqual([200, String(bytes.length)]);
    }
  });

  it('answers 404 as text for what is not there', async () => {
    const answer = await gallery.send('GET', '/api/v2/package/acme.file/9.9.9');
    expect([answer.statusCode, answer.body]).toEqual([
      404,
      "A package with ID 'acme.file' and version '9.9.9' does not exist.",
    ]);
  });
});
