import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MintedKey } from '../packages/sdk/src/index.ts';
import { mintKey, signIn } from './console.ts';
import { createNugetClients, type NugetClient, type NugetClients } from './nuget.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

/** The V3 source as nuget.exe 5.8 uses it under mono. */
const place = openWorkplace();
let server: ServerProcess;
let clients: NugetClients;
let nuget: NugetClient;
let key: MintedKey;
let source: string;

const FOLDER = path.join(place.folder, 'packages');

async function publish(id: string, version: string, dependencies: { id: string; version?: string }[] = []) {
  const files = { [`lib/net45/${id}.txt`]: `${id} ${version}` };
  const { file } = clients.writePackage({ id, version, dependencies, files });
  const pushed = await nuget.push(file, key.fullKey, source);
  expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining('Your package was pushed.')]);
}

beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  source = `${server.url}/v3/index.json`;
  clients = createNugetClients(FOLDER);
  nuget = clients.modern;
  const admin = await signIn(server.url);
  key = await mintKey(admin, admin.accountId, { comment: 'Gallery', access: 'account' });
  await publish('My.Base', '1.0.0');
  await publish('My.Base', '11.0.0');
  await publish('My.App', '1.0.0', [{ id: 'My.Base', version: '[1.0.0]' }]);
});
afterAll(() => place.close());

describe('nuget.exe 5.8 on the V3 source', () => {
  it('[107] lists, which it does by the V2 feed that the index names', async () => {
    const ended = await nuget.list(source);
    expect(ended.output).toContain('My.Base 11.0.0');
    expect(ended.code).toBe(0);
  });

  it('lists all versions', async () => {
    const ended = await nuget.list(source, '-AllVersions');
    for (const name of ['My.App 1.0.0', 'My.Base 1.0.0', 'My.Base 11.0.0'])
      expect(ended.output).toContain(name);
    expect(ended.code).toBe(0);
  });

  it('searches', async () => {
    const ended = await nuget.search('My', source);
    expect(ended.output).toMatch(/My\.App[^\n]*1\.0\.0/);
    expect(ended.output).toMatch(/My\.Base[^\n]*11\.0\.0/);
    expect(ended.code).toBe(0);
  });

  it('installs with dependencies, and an exact version', async () => {
    const app = await nuget.install('My.App', source, path.join(FOLDER, 'app'));
    expect(app.code, app.output).toBe(0);
    expect(readdirSync(path.join(FOLDER, 'app')).toSorted()).toEqual(['My.App.1.0.0', 'My.Base.1.0.0']);
    const base = await nuget.install('my.base', source, path.join(FOLDER, 'base'), '-Version', '1.0');
    expect(base.code, base.output).toBe(0);
    expect(readdirSync(path.join(FOLDER, 'base'))).toEqual(['My.Base.1.0.0']);
  });

  it('[113] restores packages.config, without signatures of the repository', async () => {
    const lines = '<package id="My.Base" version="11.0.0" targetFramework="net45" />';
    writeFileSync(path.join(FOLDER, 'packages.config'), `<?xml version="1.0"?><packages>${lines}</packages>`);
    const ended = await nuget.restore('packages.config', source, path.join(FOLDER, 'restored'));
    expect(ended.code, ended.output).toBe(0);
    expect(existsSync(path.join(FOLDER, 'restored/My.Base.11.0.0/My.Base.11.0.0.nupkg'))).toBe(true);
  });

  it('[43] deletes: the version is listed no more, and still installed by its exact version', async () => {
    const ended = await nuget.delete('My.Base', '11.0.0', key.fullKey, source);
    expect(ended.output).toContain('My.Base 11.0.0 was deleted successfully.');
    expect(ended.code).toBe(0);
    expect((await nuget.list(source)).output).not.toContain('My.Base 11.0.0');
    const again = await nuget.install('My.Base', source, path.join(FOLDER, 'gone'), '-Version', '11.0.0');
    expect(again.code, again.output).toBe(0);
  });

  it('[50] installs the highest version without a number, be it listed or not', async () => {
    // As on a V2 source: nuget.exe 5.8 asks nobody whether a version is listed; others do, as the models of them.
    await publish('My.Two', '1.0.0');
    await publish('My.Two', '2.0.0');
    expect((await nuget.delete('My.Two', '2.0.0', key.fullKey, source)).code).toBe(0);
    const two = await nuget.install('My.Two', source, path.join(FOLDER, 'two'));
    expect([two.code, readdirSync(path.join(FOLDER, 'two'))]).toEqual([0, ['My.Two.2.0.0']]);
  });

  it('[46] cannot delete what is not there, nor with a key that does not work', async () => {
    const missing = await nuget.delete('My.Base', '9.9.9', key.fullKey, source);
    expect([missing.code, missing.output]).toEqual([1, expect.stringContaining('404')]);
    const refused = await nuget.delete('My.Base', '1.0.0', 'not-a-key', source);
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('403')]);
  });

  it('[4] is told that a version exists, and that another does not', async () => {
    const { file } = clients.writePackage({ id: 'My.Base', version: '11.0.0' });
    const pushed = await nuget.push(file, key.fullKey, source);
    expect([pushed.code, pushed.output]).toEqual([1, expect.stringContaining('already exists')]);
    const missing = await nuget.install('My.Base', source, path.join(FOLDER, 'none'), '-Version', '9.9.9');
    expect(missing.code).toBe(1);
  });
});

describe('nuget 2.8.7, which is older than V3,', () => {
  it('installs and deletes nothing by the V3 source, and everything by the V2 feed beside it', async () => {
    const installed = await clients.old.install('My.App', source, 'old-v3');
    expect([installed.code, installed.output]).toEqual([1, expect.stringContaining('(404) Not Found')]);
    const deleted = await clients.old.delete('My.App', '1.0.0', key.fullKey, source);
    expect([deleted.code, deleted.output]).toEqual([1, expect.stringContaining('404')]);
    const byV2 = await clients.old.install('My.App', `${server.url}/api/v2`, 'old-v2');
    expect(byV2.code, byV2.output).toBe(0);
  });
});
