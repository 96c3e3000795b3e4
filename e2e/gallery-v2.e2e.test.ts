import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MintedKey } from '../packages/sdk/src/index.ts';
import { curl } from './clients.ts';
import { mintKey, signIn } from './console.ts';
import { createNugetClients, type NugetClients } from './nuget.ts';
import { show } from './run.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

/** The V2 source as real clients use it: nuget.exe 5.8 and 2.8.7 under mono. */
const place = openWorkplace();
let server: ServerProcess;
let nuget: NugetClients;
let key: MintedKey;

const CLIENTS = ['modern', 'old'] as const;
const PACKAGES_FOLDER = path.join(place.folder, 'packages');

async function publish(id: string, version: string, dependencies: { id: string; version?: string }[] = []) {
  const files = { [`lib/net45/${id}.txt`]: `${id} ${version}` };
  const { file } = nuget.writePackage({ id, version, dependencies, files });
  const pushed = await nuget.modern.push(file, key.fullKey, `${server.url}/api/v2`);
  expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining('Your package was pushed.')]);
}

// What a client writes for the eyes of a terminal.
const ESCAPES = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** `Id 1.0.0` for each line that names a package of ours. */
function namesIn(output: string): string[] {
  return output
    .replace(ESCAPES, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^(My|Dep|Hidden)\.\S+ \d/.test(line));
}

beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  nuget = createNugetClients(PACKAGES_FOLDER);
  const admin = await signIn(server.url);
  key = await mintKey(admin, admin.accountId, { comment: 'Gallery', access: 'account' });
  await publish('My.Base', '1.0.0');
  await publish('My.Base', '1.5.0');
  await publish('Dep.App', '1.0.0', [{ id: 'My.Base', version: '[1.0.0, 2.0.0)' }]);
  await publish('Dep.App', '2.0.0', [{ id: 'My.Base', version: '1.5.0' }]);
  await publish('Dep.App', '3.0.0-beta', [{ id: 'My.Base' }]);
  await publish('Hidden.Tool', '1.0.0');
  await publish('Hidden.Tool', '2.0.0');
  const hidden = await nuget.modern.delete('Hidden.Tool', '2.0.0', key.fullKey, `${server.url}/api/v2`);
  expect(hidden.output).toContain('Hidden.Tool 2.0.0 was deleted successfully.');
});
afterAll(() => place.close());

describe.each(CLIENTS)('the %s nuget', (name) => {
  it.each(['/api/v2', '/api/v2/', '/nuget'])('lists the latest releases of %s', async (source) => {
    const listed = await nuget[name].list(server.url + source);
    show(`${nuget[name].name} lists ${source}:`, listed);
    expect([listed.code, namesIn(listed.output)]).toEqual([
      0,
      ['Dep.App 2.0.0', 'Hidden.Tool 1.0.0', 'My.Base 1.5.0'],
    ]);
  });

  it('lists what matches a word', async () => {
    const listed = await nuget[name].list(`${server.url}/api/v2`, 'base');
    expect([listed.code, namesIn(listed.output)]).toEqual([0, ['My.Base 1.5.0']]);
    const none = await nuget[name].list(`${server.url}/api/v2`, 'nothing-like-it');
    expect([none.code, namesIn(none.output)]).toEqual([0, []]);
    expect(none.output).toContain('No packages found.');
  });

  it('lists all versions', async () => {
    const listed = await nuget[name].list(`${server.url}/api/v2`, '-AllVersions');
    show(`${nuget[name].name} lists all versions:`, listed);
    expect([listed.code, namesIn(listed.output).toSorted()]).toEqual([
      0,
      ['Dep.App 1.0.0', 'Dep.App 2.0.0', 'Hidden.Tool 1.0.0', 'My.Base 1.0.0', 'My.Base 1.5.0'],
    ]);
  });

  it('lists prereleases', async () => {
    const listed = await nuget[name].list(`${server.url}/api/v2`, '-Prerelease');
    expect([listed.code, namesIn(listed.output)]).toEqual([
      0,
      ['Dep.App 3.0.0-beta', 'Hidden.Tool 1.0.0', 'My.Base 1.5.0'],
    ]);
  });

  it('installs the latest release with what it depends on', async () => {
    const into = `${name}-latest`;
    const installed = await nuget[name].install('Dep.App', `${server.url}/api/v2`, into);
    show(`${nuget[name].name} installs Dep.App:`, installed);
    expect(installed.code).toBe(0);
    expect(readdirSync(path.join(PACKAGES_FOLDER, into)).toSorted()).toEqual([
      'Dep.App.2.0.0',
      'My.Base.1.5.0',
    ]);
    const file = readFileSync(path.join(PACKAGES_FOLDER, into, 'Dep.App.2.0.0/Dep.App.2.0.0.nupkg'));
    expect(file.equals(readFileSync(path.join(PACKAGES_FOLDER, 'Dep.App.2.0.0.nupkg')))).toBe(true);
  });

  it('installs a version that it names, and a prerelease on demand', async () => {
    const source = `${server.url}/api/v2`;
    const exact = await nuget[name].install('dep.app', source, `${name}-exact`, '-Version', '1.0.0');
    expect(exact.code).toBe(0);
    expect(
      readdirSync(path.join(PACKAGES_FOLDER, `${name}-exact`)).map((one) => one.toLowerCase()),
    ).toContain('dep.app.1.0.0');
    const beta = await nuget[name].install('Dep.App', source, `${name}-beta`, '-Prerelease');
    expect(beta.code).toBe(0);
    expect(readdirSync(path.join(PACKAGES_FOLDER, `${name}-beta`))).toContain('Dep.App.3.0.0-beta');
  });

  it('[49, 50] installs an unlisted version that is named', async () => {
    const source = `${server.url}/api/v2`;
    const latest = await nuget[name].install('Hidden.Tool', source, `${name}-listed`);
    expect(latest.code).toBe(0);
    // nuget.exe 5.8 takes the highest version of a V2 source, whatever `Published` says; it was seen to do so with
    // every date that stands for unlisted.
    const taken = name === 'old' ? 'Hidden.Tool.1.0.0' : 'Hidden.Tool.2.0.0';
    expect(readdirSync(path.join(PACKAGES_FOLDER, `${name}-listed`))).toEqual([taken]);
    const exact = await nuget[name].install('Hidden.Tool', source, `${name}-hidden`, '-Version', '2.0.0');
    show(`${nuget[name].name} installs an unlisted version:`, exact);
    expect(exact.code).toBe(0);
    expect(readdirSync(path.join(PACKAGES_FOLDER, `${name}-hidden`))).toEqual(['Hidden.Tool.2.0.0']);
  });

  it('fails for a package that is not there', async () => {
    const missing = await nuget[name].install('Not.There', `${server.url}/api/v2`, `${name}-missing`);
    expect(missing.code).toBe(1);
    expect(missing.output).toMatch(/Unable to find package '?Not\.There'?/);
  });

  it('pushes and deletes by the V2 source', async () => {
    const source = `${server.url}/api/v2`;
    const id = `My.Pushed.${name}`;
    const { file } = nuget.writePackage({ id, version: '1.0.0' });
    const pushed = await nuget[name].push(file, key.fullKey, source);
    expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining('Your package was pushed.')]);
    expect(namesIn((await nuget[name].list(source, id)).output)).toEqual([`${id} 1.0.0`]);
    const deleted = await nuget[name].delete(id, '1.0.0', key.fullKey, source);
    expect([deleted.code, deleted.output]).toEqual([
      0,
      expect.stringContaining(`${id} 1.0.0 was deleted successfully.`),
    ]);
    const { output } = await nuget[name].list(source, id);
    expect(output).toContain('No packages found.');
  });
});

describe('versions of SemVer 2', () => {
  it('are listed and installed by the new client, and kept from the old one, which they would crash', async () => {
    await publish('My.Semantic', '1.0.0');
    await publish('My.Semantic', '2.0.0+build.7');
    const source = `${server.url}/api/v2`;
    expect(namesIn((await nuget.modern.list(source, 'semantic')).output)).toEqual([
      'My.Semantic 2.0.0+build.7',
    ]);
    expect(namesIn((await nuget.old.list(source, 'semantic')).output)).toEqual(['My.Semantic 1.0.0']);
    expect((await nuget.modern.install('My.Semantic', source, 'semantic')).code).toBe(0);
    expect(readdirSync(path.join(PACKAGES_FOLDER, 'semantic'))).toEqual(['My.Semantic.2.0.0']);
    const old = await nuget.old.install('My.Semantic', source, 'semantic-old');
    expect(old.code).toBe(0);
    expect(readdirSync(path.join(PACKAGES_FOLDER, 'semantic-old'))).toEqual(['My.Semantic.1.0.0']);
  });
});

describe('more than a page', () => {
  it('is listed to its end by both', async () => {
    for (let index = 0; index < 35; index += 1) {
      const id = `My.Many.${String(index).padStart(2, '0')}`;
      nuget.writePackage({ id, version: '1.0.0' });
      const body = `@${path.join(PACKAGES_FOLDER, `${id}.1.0.0.nupkg`)}`;
      const headers = ['--header', `X-NuGet-ApiKey: ${key.fullKey}`];
      const { status } = await curl(
        '--request',
        'PUT',
        ...headers,
        '--data-binary',
        body,
        `${server.url}/api/v2/package`,
      );
      expect(status).toBe(201);
    }
    for (const name of CLIENTS) {
      const listed = await nuget[name].list(`${server.url}/api/v2`, 'My.Many');
      expect(new Set(namesIn(listed.output)).size).toBe(35);
    }
  });
});
