import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const BUILD = path.resolve(import.meta.dirname, '../../../tools/build-libraries.mjs');
const temporary = () => mkdtempSync(path.join(tmpdir(), 'keyreeve-libraries-'));

interface BuiltList {
  readonly versions: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

describe('the libraries that are built into one file each', () => {
  let folder: string;
  let list: BuiltList;
  beforeAll(() => {
    folder = path.join(temporary(), 'libraries');
    const { status, stderr } = spawnSync(process.execPath, [BUILD, '--to', folder], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    list = JSON.parse(readFileSync(path.join(folder, 'list.json'), 'utf8')) as BuiltList;
  });
  afterAll(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

  it('give what the packages give', async () => {
    expect(Object.keys(list.files).length).toBeGreaterThan(3);
    for (const [name, file] of Object.entries(list.files)) {
      const built = (await import(pathToFileURL(path.join(folder, file)).href)) as object;
      const installed = (await import(name)) as object;
      expect(Object.keys(built).toSorted(), name).toEqual(Object.keys(installed).toSorted());
    }
  });

  it('are all that the sources import of these packages: nothing of one is loaded from two places', () => {
    const imported = new Set<string>();
    for (const file of globSync('**/*.ts', { cwd: import.meta.dirname })) {
      const text = readFileSync(path.join(import.meta.dirname, file), 'utf8');
      for (const [, type, name = ''] of text.matchAll(/^(?:import|\}) (type )?.*from '([^'.]+)';$/gm))
        if (type === undefined && Object.keys(list.versions).includes(name.split('/')[0] ?? ''))
          imported.add(name);
    }
    expect([...imported].toSorted()).toEqual(Object.keys(list.files).toSorted());
  });

  it('are left alone when they are of the installed versions, and built anew when not', () => {
    const marked = path.join(folder, list.files['jose'] ?? '');
    const own = readFileSync(marked, 'utf8');
    writeFileSync(marked, `${own}// marked`);
    const build = () => spawnSync(process.execPath, [BUILD, '--to', folder]).status;
    expect(build()).toBe(0);
    expect(readFileSync(marked, 'utf8')).toBe(`${own}// marked`);

    const other = { ...list, versions: { ...list.versions, jose: '0.0.1' } };
    writeFileSync(path.join(folder, 'list.json'), JSON.stringify(other));
    expect(build()).toBe(0);
    expect(readFileSync(marked, 'utf8')).toBe(own);
  });
});

describe('a start', () => {
  let folder: string;
  const built = (...names: string[]) => path.join(folder, 'server/dist/libraries', ...names);
  const list = { versions: { sample: '2.0.0' }, files: { sample: 'sample.mjs' } };

  beforeEach(() => {
    folder = temporary();
    for (const place of ['server/src', 'server/dist/libraries', 'node_modules/sample'])
      mkdirSync(path.join(folder, place), { recursive: true });
    for (const name of ['start.mjs', 'libraries.mjs'])
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
    writeFileSync(built('sample.mjs'), `export const from = 'what was built';\n`);
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
    [
      'another version is installed',
      () => writeFileSync(built('list.json'), JSON.stringify({ ...list, versions: { sample: '2.0.1' } })),
    ],
    [
      'the package that it was made of is not there',
      () =>
        writeFileSync(
          built('list.json'),
          JSON.stringify({ ...list, versions: { sample: '2.0.0', other: '1.0.0' } }),
        ),
    ],
    ['a file of it is missing', () => rmSync(built('sample.mjs'))],
    ['its list is damaged', () => writeFileSync(built('list.json'), '{"versions":')],
    ['nothing was built', () => rmSync(built(), { recursive: true })],
  ])('loads the package when %s', (_when, prepare) => {
    prepare();
    expect(start()).toBe('the package');
  });
});
