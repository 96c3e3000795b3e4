import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
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
import type { PlantedFault } from './planted-faults.ts';

const repository = resolve(import.meta.dirname, '../..');
/** Built from the repository and not kept by git, but served by it. */
const BUILT = 'packages/console/dist';

export interface PlantedCopy {
  /** Runs the board over the copy, in its short form. */
  judge(items: readonly number[]): Promise<{ readonly held: readonly number[]; readonly output: string }>;
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
  cpSync(join(repository, BUILT), join(root, BUILT), { recursive: true });
  linkModules(root);
  // The page that the board writes asks for a commit; so do tests that list the files of the repository.
  symlinkSync(join(repository, '.git'), join(root, '.git'));
  return {
    judge: async (items) => await judge(root, items),
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
  for (const name of readdirSync(modules)) {
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

async function judge(root: string, items: readonly number[]): Promise<{ held: number[]; output: string }> {
  const { PROOF_RECORDS_FILE: _, PROOF_FULL: __, ...environment } = process.env;
  const child = spawn(process.execPath, ['tools/proof.mjs', '--short', '--only', items.join()], {
    cwd: root,
    env: { ...environment, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-50_000);
    });
  await new Promise((done) => child.on('close', done));
  const held = [...output.matchAll(/^held +(\d+) /gm)].map(([, number]) => Number(number));
  return { held, output };
}
