import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const BUILD = path.resolve(import.meta.dirname, '../../../tools/build-libraries.mjs');
const temporary = () => mkdtempSync(path.join(tmpdir(), 'keyreeve-libraries-'));

interface BuiltList {
  readonly madeOf: { readonly versions: Readonly<Record<string, string>> };
  readonly folder: string;
  /** Every file with its SHA-256 in hexadecimal. */
  readonly files: Readonly<Record<string, string>>;
  readonly entries: Readonly<Record<string, string>>;
}

describe('the libraries that are built into one file each', () => {
  let place: string;
  let list: BuiltList;
  const build = () => {
    const { status, stderr } = spawnSync(process.execPath, [BUILD, '--to', place], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    list = JSON.parse(readFileSync(path.join(place, 'list.json'), 'utf8')) as BuiltList;
  };
  const fileOf = (name: string) => path.join(place, list.folder, name);
  beforeAll(() => {
    place = path.join(temporary(), 'libraries');
    build();
  });
  afterAll(() => rmSync(path.dirname(place), { recursive: true, force: true }));

  it('give by name what the packages give', async () => {
    expect(Object.keys(list.entries).length).toBeGreaterThan(3);
    for (const [name, file] of Object.entries(list.entries)) {
      const built = (await import(pathToFileURL(fileOf(file)).href)) as object;
      const installed = (await import(name)) as object;
      expect(Object.keys(built).toSorted(), name).toEqual(Object.keys(installed).toSorted());
    }
  });

  it('are all that the sources import of these packages: nothing of one is loaded from two places', () => {
    const imported = new Set<string>();
    const wanted = Object.keys(list.madeOf.versions);
    for (const file of globSync('**/*.ts', { cwd: import.meta.dirname })) {
      const text = readFileSync(path.join(import.meta.dirname, file), 'utf8');
      for (const [, type, name = ''] of text.matchAll(/^(?:import|export|\}) (type )?.*from '([^'.]+)';$/gm))
        if (type === undefined && wanted.includes(name.split('/')[0] ?? '')) imported.add(name);
      for (const [, name = ''] of text.matchAll(/\bimport\('([^'.]+)'\)/g))
        if (wanted.includes(name.split('/')[0] ?? '')) imported.add(name);
    }
    expect([...imported].toSorted()).toEqual(Object.keys(list.entries).toSorted());
  });

  it('are left alone when they are whole and of what is installed', () => {
    const before = statSync(fileOf('jose.mjs')).mtimeMs;
    build();
    expect(statSync(fileOf('jose.mjs')).mtimeMs).toBe(before);
  });

  it('are built anew when another version was installed, or a file of them is damaged or gone', () => {
    const own = readFileSync(fileOf('jose.mjs'), 'utf8');
    const shared = Object.keys(list.files).find((name) => name.startsWith('shared-')) ?? '';
    for (const spoil of [
      () => writeFileSync(fileOf('jose.mjs'), own.slice(1)),
      () => rmSync(fileOf(shared)),
      () => writeFileSync(path.join(place, 'list.json'), '{"folder":'),
      () => {
        const versions = { ...list.madeOf.versions, jose: '0.0.1' };
        writeFileSync(
          path.join(place, 'list.json'),
          JSON.stringify({ ...list, madeOf: { ...list.madeOf, versions } }),
        );
      },
    ]) {
      spoil();
      build();
      expect(readFileSync(fileOf('jose.mjs'), 'utf8')).toBe(own);
      expect(existsSync(fileOf(shared))).toBe(true);
      expect(list.madeOf.versions['jose']).not.toBe('0.0.1');
    }
  });

  it('leave what was built before to a server that is starting, and no more than that', () => {
    const folders = () => readdirSync(place).filter((name) => name !== 'list.json');
    const [own] = folders();
    for (const older of ['1111', '2222']) {
      mkdirSync(path.join(place, older));
      writeFileSync(
        path.join(place, 'list.json'),
        JSON.stringify({ ...list, madeOf: {}, folder: older, files: {} }),
      );
      build();
      expect(folders().toSorted()).toEqual([older, own ?? ''].toSorted());
    }
  });

  it('are built by several at the same time as by one', async () => {
    rmSync(place, { recursive: true });
    const builds = await Promise.all(
      [1, 2, 3].map(async () => {
        const [code] = (await once(spawn(process.execPath, [BUILD, '--to', place]), 'exit')) as [
          number | null,
        ];
        return code;
      }),
    );
    expect(builds).toEqual([0, 0, 0]);
    expect(readdirSync(place).toSorted()).toEqual([list.folder, 'list.json'].toSorted());
  });

  it('are loaded from where they are built', () => {
    expect(spawnSync(process.execPath, [BUILD]).status).toBe(0);
    const script = [
      `import { useBuiltLibraries } from './libraries.mjs';`,
      `useBuiltLibraries();`,
      `process.stdout.write(import.meta.resolve('kysely/migration'));`,
    ];
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script.join('\n')], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/\/packages\/server\/dist\/libraries\/[0-9a-f]{16}\/kysely-migration\.mjs$/);
  });
});

describe('a start', () => {
  let folder: string;
  const built = (...names: string[]) => path.join(folder, 'server/dist/libraries', ...names);
  const SAMPLE = `export const from = 'what was built';\n`;
  const list = {
    madeOf: { versions: { sample: '2.0.0' } },
    folder: 'one',
    files: { 'sample.mjs': createHash('sha256').update(SAMPLE).digest('hex') },
    entries: { sample: 'sample.mjs' },
  };
  const writeVersions = (versions: Readonly<Record<string, string>>) =>
    writeFileSync(built('list.json'), JSON.stringify({ ...list, madeOf: { versions } }));

  beforeEach(() => {
    folder = temporary();
    for (const place of ['server/src', 'server/dist/libraries/one', 'node_modules/sample'])
      mkdirSync(path.join(folder, place), { recursive: true });
    for (const name of ['start.mjs', 'libraries.mjs', 'serving/compile-cache.mjs'])
      cpSync(path.join(import.meta.dirname, name), path.join(folder, 'server/src', name));
    writeFileSync(
      path.join(folder, 'server/src/main.ts'),
      `import { from } from 'sample';\nprocess.stdout.write(from as string);\n`,
    );
    writeFileSync(
      path.join(folder, 'node_modules/sample/package.json'),
      JSON.stringify({ name: 'sample', version: '2.0.0', type: 'module', exports: './index.js' }),
    );
    writeFileSync(path.join(folder, 'node_modules/sample/index.js'), `export const from = 'the package';\n`);
    writeFileSync(built('one', 'sample.mjs'), SAMPLE);
    writeFileSync(built('list.json'), JSON.stringify(list));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function start(): string {
    const { stdout, stderr } = spawnSync(process.execPath, [path.join(folder, 'server/src/start.mjs')], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
    return stdout === '' ? stderr : stdout;
  }

  it('loads what was built of the installed version', () => {
    expect(start()).toBe('what was built');
  });

  it.each<[string, () => void]>([
    ['another version is installed', () => writeVersions({ sample: '2.0.1' })],
    ['a package of it is not installed', () => writeVersions({ sample: '2.0.0', other: '1.0.0' })],
    ['a file of it is missing', () => rmSync(built('one', 'sample.mjs'))],
    ['a file of it is cut off', () => writeFileSync(built('one', 'sample.mjs'), SAMPLE.slice(0, 20))],
    ['its list is damaged', () => writeFileSync(built('list.json'), '{"madeOf":')],
    ['nothing was built', () => rmSync(built(), { recursive: true })],
  ])('loads the package when %s', (_when, prepare) => {
    prepare();
    expect(start()).toBe('the package');
  });
});
