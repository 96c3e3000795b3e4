import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ifMatch, type MintedKey } from '../packages/sdk/src/index.ts';
import { curl } from './clients.ts';
import { addMember, mintKey, type Person, signIn } from './console.ts';
import { createNugetClients, type NugetClients } from './nuget.ts';
import { run, show } from './run.ts';
import { openWorkplace, type ServerProcess, sleep, WITH_ADMIN } from './server-process.ts';

const DAY_MS = 86_400_000;
const MEGABYTE = 1024 * 1024;
const ID = 'AzureRm.DataFactoryV2.Netcore';
const PATTERN = 'AzureRM.DataFactory*';
const INVALID_KEY =
  'The specified API key is invalid, has expired, or does not have permission to access the specified package.';

const place = openWorkplace();
let server: ServerProcess;
let nuget: NugetClients;
let admin: Person;
let mei: Person;
/** The key of the example: "push new packages or update packages" that match the pattern. */
let pushKey: MintedKey;
let unlistKey: MintedKey;

const keyFor = (comment: string, actions: string[], resources = [PATTERN]) =>
  mintKey(mei, mei.accountId, {
    comment,
    access: 'scoped',
    scopes: [{ actions, resources }],
    lifetimeDays: 365,
  });

const address = (id: string, version: string) => `${server.url}/api/v2/package/${id}/${version}`;

/** The versions as the owner sees them in the console. */
async function listedVersions(id: string): Promise<Record<string, boolean>> {
  const { data } = await mei.api.GET('/v1/packages/{id}', { params: { path: { id: id.toLowerCase() } } });
  return Object.fromEntries(data.versions.map((one) => [one.version, one.listed]));
}

beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  nuget = createNugetClients(path.join(place.folder, 'packages'));
  admin = await signIn(server.url);
  mei = await addMember(server.url, admin, 'mei@example.com', '芽衣');
  pushKey = await keyFor('AzureRMDataFactory', ['package:push']);
  unlistKey = await keyFor('Unlist', ['package:unlist']);
});
afterAll(() => place.close());

describe('the key AzureRMDataFactory', () => {
  it('is made as in the example: one pattern, push and update, valid for 365 days', () => {
    const { key } = pushKey;
    expect(key).toMatchObject({
      comment: 'AzureRMDataFactory',
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources: [PATTERN] }],
      lifetimeDays: 365,
      status: 'active',
    });
    expect(Date.parse(key.expiresAt ?? '') - Date.parse(key.createdAt)).toBe(365 * DAY_MS);
  });

  it('[1, 13] pushes a new package whose id differs from the pattern in case, and an update of it', async () => {
    for (const version of ['1.0.0', '1.1.0']) {
      const { file } = nuget.writePackage({ id: ID, version });
      const pushed = await nuget.modern.push(file, pushKey.fullKey, server.url);
      show(`nuget.exe 5.8 pushes ${ID} ${version}:`, pushed);
      expect(pushed.output).toContain('Your package was pushed.');
      expect(pushed.code).toBe(0);
    }
    expect(await listedVersions(ID)).toEqual({ '1.0.0': true, '1.1.0': true });
  });

  it('is refused for another id, with a reason that nuget.exe prints, and nothing is stored', async () => {
    const { file } = nuget.writePackage({ id: 'AzureRM.Storage', version: '1.0.0' });
    const refused = await nuget.modern.push(file, pushKey.fullKey, server.url);
    show('nuget.exe 5.8 pushes AzureRM.Storage:', refused);
    expect(refused.output).toContain(
      '403 (This API key may push new packages that match AzureRM.DataFactory*; AzureRM.Storage does not match)',
    );
    expect(refused.code).toBe(1);
    expect((await curl(address('AzureRM.Storage', '1.0.0'))).status).toBe(404);
  });

  it('[4, 5] cannot push a version twice; with -SkipDuplicate that is no failure', async () => {
    const { file } = nuget.writePackage({ id: ID, version: '1.1.0', description: 'Something else' });
    const again = await nuget.modern.push(file, pushKey.fullKey, server.url);
    expect(again.output).toContain(
      `409 (A package with ID '${ID}' and version '1.1.0' already exists and cannot be modified.)`,
    );
    expect(again.output).toContain('use the option -SkipDuplicate');
    expect(again.code).toBe(1);

    const skipped = await nuget.modern.push(file, pushKey.fullKey, server.url, '-SkipDuplicate');
    expect(skipped.output).toContain('already exists at feed');
    expect(skipped.code).toBe(0);
  });

  it('works when nuget.exe has it stored and finds it by the source', async () => {
    const stored = await nuget.modern.storeKey(pushKey.fullKey, `${server.url}/api/v2/package`);
    expect(stored.code).toBe(0);
    const { file } = nuget.writePackage({ id: ID, version: '1.2.0' });
    const pushed = await nuget.modern.push(file, null, `${server.url}/api/v2/package`);
    expect(pushed.output).toContain('Your package was pushed.');
  });

  it('may be given further packages and lose them again, but keeps its actions and its lifetime', async () => {
    const at = { path: { keyId: pushKey.apiKey } };
    const { file } = nuget.writePackage({ id: 'AzureRM.Storage', version: '1.0.0' });
    const edit = async (resources: string[]) => {
      const { response } = await mei.api.GET('/v1/keys/{keyId}', { params: at });
      const headers = ifMatch(response.headers.get('etag') ?? '');
      const scopes = [{ actions: ['package:push'], resources }];
      await mei.api.PATCH('/v1/keys/{keyId}', { params: at, headers, body: { scopes } });
      return headers;
    };
    await edit([PATTERN, 'AzureRM.Storage']);
    expect((await nuget.modern.push(file, pushKey.fullKey, server.url)).code).toBe(0);

    const stale = await edit([PATTERN]);
    const update = nuget.writePackage({ id: 'AzureRM.Storage', version: '1.0.1' });
    const refused = await nuget.modern.push(update.file, pushKey.fullKey, server.url);
    expect(refused.output).toContain('403 (This API key may push new versions of packages that match');

    const { response } = await mei.api.GET('/v1/keys/{keyId}', { params: at });
    const headers = ifMatch(response.headers.get('etag') ?? '');
    await expect(
      mei.api.PATCH('/v1/keys/{keyId}', { params: at, headers, body: { lifetimeDays: 1 } }),
    ).rejects.toMatchObject({
      code: 'key.field_immutable',
    });
    await expect(
      mei.api.PATCH('/v1/keys/{keyId}', { params: at, headers: stale, body: { comment: 'Late' } }),
    ).rejects.toMatchObject({ status: 412 });
  });
});

describe('unlisting', () => {
  it('[16, 49] is refused with the push key, works with an unlist key, and keeps the version installable', async () => {
    const { file, bytes } = nuget.writePackage({
      id: ID,
      version: '2.0.0',
      files: { 'lib/a.txt': 'contents' },
    });
    const pushed = await nuget.modern.push(file, pushKey.fullKey, server.url);
    expect(pushed.output).toContain('Your package was pushed.');

    const refused = await nuget.modern.delete(ID, '2.0.0', pushKey.fullKey, server.url);
    show('nuget.exe 5.8 deletes with the push key:', refused);
    expect(refused.output).toContain('403 (This API key may not unlist or relist packages; it may push new ');
    expect(refused.code).toBe(1);
    expect(await listedVersions(ID)).toMatchObject({ '2.0.0': true });

    const deleted = await nuget.modern.delete(ID, '2.0.0', unlistKey.fullKey, server.url);
    show('nuget.exe 5.8 deletes with an unlist key:', deleted);
    expect(deleted.output).toContain(`${ID} 2.0.0 was deleted successfully.`);
    expect(deleted.code).toBe(0);
    expect(await listedVersions(ID)).toMatchObject({ '2.0.0': false });

    const copy = path.join(place.folder, 'copy.nupkg');
    await run('/usr/bin/curl', ['--fail', '--silent', '--output', copy, address(ID, '2.0.0')]);
    const { stdout } = await run('/usr/bin/sha512sum', [copy]);
    expect(stdout.split(' ')[0]).toBe(createHash('sha512').update(bytes).digest('hex'));
  });

  it('is taken back by a POST to the same address', async () => {
    const key = (one: MintedKey) => ['--header', `X-NuGet-ApiKey: ${one.fullKey}`];
    expect((await curl('--request', 'POST', ...key(pushKey), address(ID, '2.0.0'))).status).toBe(403);
    expect((await curl('--request', 'POST', ...key(unlistKey), address(ID, '2.0.0'))).status).toBe(200);
    expect(await listedVersions(ID)).toMatchObject({ '2.0.0': true });
  });

  it('[11, 46] says 404 for a version that is not there, and the unlist key cannot push', async () => {
    const missing = await nuget.modern.delete(ID, '9.9.9', unlistKey.fullKey, server.url);
    expect(missing.output).toContain(`404 (A package with ID '${ID}' and version '9.9.9' does not exist.)`);
    expect(missing.code).toBe(1);
    const { file } = nuget.writePackage({ id: ID, version: '9.9.9' });
    const refused = await nuget.modern.push(file, unlistKey.fullKey, server.url);
    expect(refused.output).toContain(
      '403 (This API key may not push packages, neither new ones nor new versions; it may unlist ',
    );
    expect(refused.code).toBe(1);
  });
});

describe('every address that people configure as the source', () => {
  const sources = ['/', '/api/v2', '/api/v2/package', '/nuget'];
  const cases = (['modern', 'old'] as const).flatMap((client, n) =>
    sources.map((source, index) => ({ client, source, version: `3.${n}.${index}` })),
  );
  it.each(cases)('[1, 2, 44] works with the $client nuget: $source', async ({ client, source, version }) => {
    const { file, bytes } = nuget.writePackage({ id: ID, version });
    const pushed = await nuget[client].push(file, pushKey.fullKey, server.url + source);
    expect(pushed.output).toContain('Your package was pushed.');
    expect(pushed.code).toBe(0);
    const deleted = await nuget[client].delete(ID, version, unlistKey.fullKey, server.url + source);
    expect([deleted.code, deleted.output]).toEqual([
      0,
      expect.stringContaining(`${ID} ${version} was deleted successfully.`),
    ]);
    expect(await listedVersions(ID)).toMatchObject({ [version]: false });
    const download = await fetch(address(ID, version));
    expect(new Uint8Array(await download.arrayBuffer())).toEqual(new Uint8Array(bytes));
  });
});

describe("Debian's nuget 2.8.7", () => {
  it('prints the same reasons', async () => {
    const other = nuget.writePackage({ id: 'AzureRM.Compute', version: '1.0.0' });
    const refused = await nuget.old.push(other.file, pushKey.fullKey, server.url);
    show('nuget 2.8.7 pushes AzureRM.Compute:', refused);
    expect(refused.output).toContain(
      '(403) This API key may push new packages that match AzureRM.DataFactory*; AzureRM.Compute does not match',
    );
    expect(refused.code).toBe(1);

    const { file } = nuget.writePackage({ id: ID, version: '1.0.0' });
    const again = await nuget.old.push(file, pushKey.fullKey, server.url);
    expect(again.output).toContain(`(409) A package with ID '${ID}' and version '1.0.0' already exists`);
    expect(again.code).toBe(1);

    const kept = await nuget.old.delete(ID, '1.0.0', pushKey.fullKey, server.url);
    show('nuget 2.8.7 deletes with the push key:', kept);
    expect(kept.output).toContain('(403) This API key may not unlist or relist packages; it may push new ');
    expect(kept.code).toBe(1);
  });
});

describe('a key that is no good', () => {
  it('[8] is asked for when there is none', async () => {
    const { file } = nuget.writePackage({ id: ID, version: '4.0.0' });
    const refused = await nuget.modern.push(file, null, server.url);
    show('nuget.exe 5.8 without a key:', refused);
    expect(refused.output).toContain(
      "401 (An API key must be provided in the 'X-NuGet-ApiKey' header to use this service)",
    );
    expect(refused.code).toBe(1);
  });

  it('gets the one known text, whatever is wrong with it', async () => {
    const { file } = nuget.writePackage({ id: ID, version: '4.0.0' });
    const wrongSecret = `${pushKey.apiKey}_${unlistKey.secretKey}`;
    for (const key of ['not-a-key', wrongSecret]) {
      const refused = await nuget.modern.push(file, key, server.url);
      expect(refused.output).toContain(`403 (${INVALID_KEY})`);
      expect(refused.code).toBe(1);
    }
  });

  it('[29] is refused once, with the reason, though 60 MB are on their way', async () => {
    const data = randomBytes(60 * MEGABYTE);
    const big = {
      id: ID,
      version: '6.0.0',
      extraEntries: [{ name: 'lib/big.bin', data, options: { level: 0 } }],
    } as const;
    const { file } = nuget.writePackage(big);
    const countPuts = () => server.output().match(/"method":"PUT"/g)?.length ?? 0;
    const before = countPuts();
    const refused = await nuget.modern.push(file, 'not-a-key', server.url);
    show('nuget.exe 5.8 pushes 60 MB with a wrong key:', refused);
    expect(refused.output).toContain(`403 (${INVALID_KEY})`);
    expect(refused.code).toBe(1);
    await sleep(500);
    expect(countPuts() - before).toBe(1);

    const pushed = await nuget.modern.push(file, pushKey.fullKey, server.url);
    expect(pushed.output).toContain('Your package was pushed.');
  });

  it('has its reason printed when it was disabled, and works again when enabled', async () => {
    const key = await keyFor('On and off', ['package:push']);
    const params = { path: { keyId: key.apiKey } };
    const { file } = nuget.writePackage({ id: ID, version: '4.1.0' });
    await mei.api.POST('/v1/keys/{keyId}/disable', { params, body: { reason: 'seen in a chat' } });
    const refused = await nuget.modern.push(file, key.fullKey, server.url);
    show('nuget.exe 5.8 with a disabled key:', refused);
    expect(refused.output).toContain('403 (This API key is disabled. Enable it in the console first.)');
    expect(refused.output).not.toContain('chat');
    await mei.api.POST('/v1/keys/{keyId}/enable', { params });
    expect((await nuget.modern.push(file, key.fullKey, server.url)).code).toBe(0);
  });

  it('stops nothing but the package it came with: a file that is no package is refused as such', async () => {
    writeFileSync(path.join(place.folder, 'packages/broken.nupkg'), 'This is no package.');
    const refused = await nuget.modern.push('broken.nupkg', pushKey.fullKey, server.url);
    expect(refused.output).toContain('400 (Failed to read the package file.');
    expect(refused.code).toBe(1);
  });
});

describe('a year later', () => {
  const restartLater = async (days: number) => {
    const { port } = server;
    expect(await server.stop()).toBe(0);
    server = await place.start({ port, clockAheadMs: days * DAY_MS });
  };

  it('[31] nuget.exe warns in the last ten days of the key', async () => {
    await restartLater(356);
    const { file } = nuget.writePackage({ id: ID, version: '5.0.0' });
    const pushed = await nuget.modern.push(file, pushKey.fullKey, server.url);
    show('nuget.exe 5.8 nine days before the expiry:', pushed);
    expect(pushed.output).toContain(
      `WARNING: Your API key expires in 9 day(s). Regenerate it at ${server.url}`,
    );
    expect(pushed.code).toBe(0);
  });

  it('[10] the key has expired, which nuget.exe prints; regenerated, it pushes again', async () => {
    await restartLater(365);
    const { file } = nuget.writePackage({ id: ID, version: '5.1.0' });
    const expired = await nuget.modern.push(file, pushKey.fullKey, server.url);
    show('nuget.exe 5.8 with an expired key:', expired);
    const day = pushKey.key.expiresAt?.slice(0, 10);
    expect(expired.output).toMatch(
      new RegExp(`403 \\(This API key has expired \\(since ${day}T[^)]*\\)\\. Regenerate it`),
    );
    expect(expired.code).toBe(1);

    const owner = await signIn(server.url, {
      email: 'mei@example.com',
      password: 'lantern orchard seventeen',
    });
    const params = { path: { keyId: pushKey.apiKey } };
    const { data: renewed } = await owner.api.POST('/v1/keys/{keyId}/regenerate', { params, body: {} });
    expect(renewed.key).toMatchObject({
      comment: 'AzureRMDataFactory',
      scopes: pushKey.key.scopes,
      generation: 2,
    });
    expect(renewed.apiKey).toBe(pushKey.apiKey);
    expect((await nuget.modern.push(file, renewed.fullKey, server.url)).code).toBe(0);
  });
});
