import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type ProofRecord, readRecords } from './board.ts';
import type { PlantedFault, PlantedTest } from './planted-faults.ts';

const repository = resolve(import.meta.dirname, '../..');

/** What became of some tests in the copy. */
export interface PlantedRun {
  readonly code: number | null;
  readonly records: readonly ProofRecord[];
  readonly output: string;
}

export interface PlantedCopy {
  /** Runs tests of one project, in their short form. */
  run(tests: readonly PlantedTest[]): Promise<PlantedRun>;
  /** Puts a fault into the copy, and tells how to take it out again. @throws when its place is not there once */
  plant(fault: PlantedFault): () => void;
  remove(): void;
}

/** A copy of what git knows of the repository, with the installed packages of the repository itself. */
export function copyRepository(): PlantedCopy {
  const root = mkdtempSync(join(tmpdir(), 'keyreeve-planted-'));
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: repository, encoding: 'utf8' });
  for (const file of listed.split('\0')) {
    const source = join(repository, file);
    if (file === '' || !existsSync(source)) continue;
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(source, join(root, file));
  }
  linkModules(root);
  return {
    run: (tests) => runTests(root, tests),
    plant: ({ file, find, replace }) => {
      const path = join(root, file);
      const whole = readFileSync(path, 'utf8');
      if (whole.split(find).length !== 2) throw new Error(`${file} does not hold this once: ${find}`);
      writeFileSync(
        path,
        whole.replace(find, () => replace),
      );
      return () => writeFileSync(path, whole);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Links each installed package, but not our own, which have to be those of the copy. */
function linkModules(root: string): void {
  const modules = join(repository, 'node_modules');
  mkdirSync(join(root, 'node_modules/@keyreeve'), { recursive: true });
  // Not what begins with a dot: a cache there would be shared with the repository.
  for (const name of readdirSync(modules).filter((each) => !each.startsWith('.'))) {
    if (name !== '@keyreeve') symlinkSync(join(modules, name), join(root, 'node_modules', name));
  }
  for (const name of readdirSync(join(modules, '@keyreeve'))) {
    const place = ['packages', '.'].find((folder) => existsSync(join(root, folder, name, 'package.json')));
    if (place === undefined) throw new Error(`There is no package ${name} in the copy.`);
    symlinkSync(join(root, place, name), join(root, 'node_modules/@keyreeve', name));
  }
  for (const folder of ['packages/cli', 'e2e']) {
    const own = join(folder, 'node_modules');
    if (existsSync(join(repository, own)) && lstatSync(join(repository, own)).isDirectory())
      symlinkSync(join(repository, own), join(root, own));
  }
}

function escapeForRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

async function runTests(root: string, tests: readonly PlantedTest[]): Promise<PlantedRun> {
  const [project = ''] = new Set(tests.map((test) => test.project));
  const recordsFile = join(root, 'planted-records.jsonl');
  rmSync(recordsFile, { force: true });
  // What fails here is no failure of the suite that asks, and counts in no total of it.
  const { PROOF_FULL: _, TEST_TOTALS_FILE: __, ...environment } = process.env;
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...(project.startsWith('proof') ? ['--config', 'e2e/vitest.config.ts'] : []),
    '--project',
    project,
    '--testNamePattern',
    [...new Set(tests.map(({ name }) => escapeForRegex(name)))].join('|'),
    ...new Set(tests.map(({ file }) => file)),
  ];
  const env = {
    ...environment,
    ...Object.assign({}, ...tests.map((test) => test.env ?? {})),
    NO_COLOR: '1',
    PROOF_RECORDS_FILE: recordsFile,
  };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-50_000);
    });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  const records = existsSync(recordsFile) ? readRecords(readFileSync(recordsFile, 'utf8')) : [];
  return { code, records, output };
}
