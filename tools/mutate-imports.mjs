/**
 * Tests the import rules (`npm run test:arch`): a rule that nobody has seen fail proves nothing.
 *
 * A copy of packages/ is cruised clean, then with planted files. Each planted file must turn exactly its own
 * rule red, or none when it is an allowed import; and each rule of the rule file needs a planted violation,
 * so a new rule without one fails here.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from './check-imports.mjs';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ruleFile = createRequire(import.meta.url)(join(repository, '.dependency-cruiser.cjs'));
const GREEN = 'green';
const SERVER = 'packages/server/src';

/** The graph of docs/architecture.md once more, on purpose not read from the rule file that is on trial. */
const COMMON = ['workspaces', 'audit', 'settings'];
const GRAPH = {
  verification: ['keys', 'scopes', 'tokens', 'accounts', 'limits', ...COMMON],
  tokens: ['keys', 'scopes', 'accounts', 'limits', ...COMMON],
  keys: ['scopes', 'accounts', 'limits', ...COMMON],
  gallery: ['accounts', 'scopes', 'keys', 'limits', ...COMMON],
  sessions: ['accounts', ...COMMON],
  accounts: ['scopes', 'limits', ...COMMON],
  scopes: COMMON,
  limits: COMMON,
  notices: COMMON,
  workspaces: ['audit', 'settings'],
  settings: ['workspaces', 'audit'],
  audit: ['workspaces'],
};
const FEATURES = Object.keys(GRAPH);

/** Expected rule (or `green`), the file to plant, its import. Paths are relative to the repository. */
const TRIALS = [
  ['no-circular', `${SERVER}/lib/planted-circle.ts`, './planted-circle-target.ts'],
  ['resolvable', `${SERVER}/lib/planted-missing.ts`, './planted-nowhere.ts'],
  ['resolvable', `${SERVER}/lib/planted-package.ts`, 'a-package-that-nobody-has'],
  ['lib-is-a-leaf', `${SERVER}/lib/planted-http.ts`, '../http/planted-target.ts'],
  ['lib-is-a-leaf', `${SERVER}/lib/planted-errors.ts`, '../errors/planted-target.ts'],
  ['lib-is-a-leaf', `${SERVER}/lib/planted-testkit.ts`, '@keyreeve/testkit'],
  [GREEN, `${SERVER}/lib/planted-lib.ts`, './planted-target.ts'],
  ['errors-and-config-import-lib-only', `${SERVER}/errors/planted-http.ts`, '../http/planted-target.ts'],
  ['errors-and-config-import-lib-only', `${SERVER}/errors/planted-config.ts`, '../config/planted-target.ts'],
  [
    'errors-and-config-import-lib-only',
    `${SERVER}/config/planted-storage.ts`,
    '../storage/planted-target.ts',
  ],
  [GREEN, `${SERVER}/errors/planted-lib.ts`, '../lib/planted-target.ts'],
  [GREEN, `${SERVER}/config/planted-own.ts`, './planted-target.ts'],
  ...['storage', 'http', 'jobs', 'config', 'errors'].flatMap((part) => [
    ['platform-knows-no-feature', `${SERVER}/${part}/planted-feature.ts`, '../features/keys/index.ts'],
    ['platform-knows-no-feature', `${SERVER}/${part}/planted-app.ts`, '../app.ts'],
  ]),
  ['feature-is-known', `${SERVER}/planted-stranger.ts`, './features/planted/index.ts'],
  ['feature-face-only', `${SERVER}/features/keys/planted-face.ts`, '../accounts/planted-target.ts'],
  ['feature-face-only', `${SERVER}/features/keys/planted-deep.ts`, '../accounts/planted-sub/index.ts'],
  ['feature-face-only', `${SERVER}/features/keys/planted-repo.ts`, '../accounts/planted-target.repo.ts'],
  [GREEN, `${SERVER}/features/keys/planted-own-repo.ts`, './planted-target.repo.ts'],
  ['repo-stays-home', `${SERVER}/planted-repo.ts`, './features/keys/planted-target.repo.ts'],
  ['repo-stays-home', `${SERVER}/http/planted-repo.ts`, '../jobs/planted-target.repo.ts'],
  ['repo-stays-home', `${SERVER}/features/keys/planted-jobs-repo.ts`, '../../jobs/planted-target.repo.ts'],
  [GREEN, `${SERVER}/jobs/planted-own-repo.ts`, './planted-target.repo.ts'],
  [GREEN, `${SERVER}/features/keys/planted-sub/deep.ts`, '../planted-target.repo.ts'],
  [GREEN, 'packages/testkit/src/planted-repo.ts', '../../server/src/features/keys/planted-target.repo.ts'],
  ['sql-only-in-repos', `${SERVER}/features/keys/planted-kysely.service.ts`, 'kysely'],
  ['sql-only-in-repos', `${SERVER}/jobs/planted-kysely.ts`, 'kysely'],
  ['sql-only-in-repos', `${SERVER}/planted-kysely.ts`, 'kysely'],
  ['sql-only-in-repos', `${SERVER}/features/keys/planted-pg.service.ts`, 'pg'],
  ['sql-only-in-repos', `${SERVER}/features/keys/planted-sqlite.service.ts`, 'node:sqlite'],
  [GREEN, `${SERVER}/features/keys/planted-kysely.repo.ts`, 'kysely'],
  [GREEN, `${SERVER}/storage/planted-kysely.ts`, 'kysely'],
  [GREEN, `${SERVER}/features/keys/planted-type.service.ts`, 'kysely', 'type'],
  ['clients-use-the-sdk', 'packages/cli/src/planted-server.ts', '@keyreeve/server'],
  ['clients-use-the-sdk', 'packages/cli/src/planted-testkit.ts', '../../testkit/src/planted-target.ts'],
  [GREEN, 'packages/cli/src/planted-sdk.ts', '@keyreeve/sdk'],
  ['console-runs-in-browsers', 'packages/console/src/ui/planted-core.ts', 'node:fs'],
  [GREEN, 'packages/console/src/ui/planted-core.test.ts', 'node:fs'],
  ['console-parts-know-no-page', 'packages/console/src/ui/planted-page.ts', '../features/planted-target.ts'],
  ['console-parts-know-no-page', 'packages/console/src/format/planted-app.ts', '../app/planted-target.ts'],
  [GREEN, 'packages/console/src/features/planted-part.ts', '../ui/planted-target.ts'],
  ['clients-use-the-sdk', 'packages/console/src/planted-server.ts', '@keyreeve/server'],
  [GREEN, 'packages/console/src/planted-sdk.ts', '@keyreeve/sdk'],
  ['sdk-is-alone', 'packages/sdk/src/planted-server.ts', '../../server/src/lib/planted-target.ts'],
  ['sdk-is-alone', 'packages/sdk/src/planted-cli.ts', '../../cli/src/planted-target.ts'],
  ['server-ships-no-testkit', `${SERVER}/planted-testkit.ts`, '@keyreeve/testkit'],
  [
    'server-ships-no-testkit',
    `${SERVER}/features/keys/planted-testkit.ts`,
    '../../../../testkit/src/planted-target.ts',
  ],
  [GREEN, `${SERVER}/features/keys/planted.test.ts`, '@keyreeve/testkit'],
  ['no-dev-dependency-shipped', `${SERVER}/features/keys/planted-vitest.ts`, 'vitest'],
  ['no-dev-dependency-shipped', 'packages/cli/src/planted-check.ts', 'fast-check'],
  [GREEN, `${SERVER}/lib/planted-vitest.test.ts`, 'vitest'],
  ...FEATURES.flatMap((from) =>
    FEATURES.filter((to) => to !== from).map((to) => [
      GRAPH[from].includes(to) ? GREEN : `feature-graph-${from}`,
      `${SERVER}/features/${from}/planted-${to}.ts`,
      `../${to}/index.ts`,
    ]),
  ),
];

/** Files the trials point at. Those that the repository has keep their content. */
const TARGETS = [
  ...['lib', 'http', 'errors', 'config', 'storage'].map((part) => `${SERVER}/${part}/planted-target.ts`),
  ...['accounts', 'keys'].map((feature) => `${SERVER}/features/${feature}/planted-target.repo.ts`),
  `${SERVER}/jobs/planted-target.repo.ts`,
  `${SERVER}/features/accounts/planted-target.ts`,
  `${SERVER}/features/accounts/planted-sub/index.ts`,
  `${SERVER}/features/planted/index.ts`,
  ...FEATURES.map((feature) => `${SERVER}/features/${feature}/index.ts`),
  `${SERVER}/app.ts`,
  `${SERVER}/index.ts`,
  'packages/cli/src/planted-target.ts',
  ...['ui', 'app', 'features'].map((part) => `packages/console/src/${part}/planted-target.ts`),
  'packages/sdk/src/index.ts',
  'packages/testkit/src/index.ts',
  'packages/testkit/src/planted-target.ts',
];

const results = runTrials();
for (const { ok, title, detail } of results) if (!ok) process.stdout.write(`FAILED ${title}: ${detail}\n`);
const failed = results.filter((result) => !result.ok).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function runTrials() {
  const copy = mkdtempSync(join(tmpdir(), 'keyreeve-imports-'));
  try {
    copyRepository(copy);
    const clean = cruise(copy);
    plantAll(copy);
    const planted = cruise(copy);
    return [
      verdict('the clean copy is green', describe(clean.violations), ''),
      verdict('every planted file was looked at', planted.unseen.join(', '), ''),
      ...ruleFile.forbidden.map(({ name }) =>
        verdict(
          `rule ${name} has a planted violation`,
          String(TRIALS.some(([rule]) => rule === name)),
          'true',
        ),
      ),
      ...TRIALS.map(([rule, file, specifier, kind]) => {
        const own = planted.violations.filter((each) => each.from === file || isCircleWith(each, file));
        const red = [...new Set(own.map((each) => each.rule))];
        return verdict(`${file} imports ${kind ?? 'value of'} ${specifier}`, red.join(' + ') || GREEN, rule);
      }),
    ];
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A circle is reported at one of its files only, whichever comes first. */
function isCircleWith({ rule, to }, file) {
  return rule === 'no-circular' && to === file;
}

function verdict(title, found, expected) {
  return { title, ok: found === expected, detail: `expected "${expected}", found "${found}"` };
}

function describe(violations) {
  return violations.map(({ rule, from, to }) => `${rule}: ${from} -> ${to}`).join('; ');
}

/** Sources and manifests; third-party packages are links, our own lead into the copy. */
function copyRepository(copy) {
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.base.json'])
    cpSync(join(repository, file), join(copy, file));
  // A test of the SDK builds the package with it.
  cpSync(join(repository, 'tools/build-sdk.mjs'), join(copy, 'tools/build-sdk.mjs'));
  const ours = join(copy, 'node_modules/@keyreeve');
  mkdirSync(ours, { recursive: true });
  for (const name of readdirSync(join(repository, 'node_modules'))) {
    if (name !== '@keyreeve' && !name.startsWith('.'))
      link(join(repository, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const name of readdirSync(join(repository, 'packages'))) {
    const from = join(repository, 'packages', name);
    const to = join(copy, 'packages', name);
    mkdirSync(join(to, 'src'), { recursive: true });
    cpSync(join(from, 'package.json'), join(to, 'package.json'));
    if (existsSync(join(from, 'src'))) cpSync(join(from, 'src'), join(to, 'src'), { recursive: true });
    if (existsSync(join(from, 'node_modules'))) link(join(from, 'node_modules'), join(to, 'node_modules'));
    link(to, join(ours, name));
  }
}

function link(target, path) {
  symlinkSync(target, path, 'junction');
}

function plantAll(copy) {
  write(join(copy, SERVER, 'lib/planted-circle-target.ts'), "export * from './planted-circle.ts';\n");
  for (const file of TARGETS) {
    if (!existsSync(join(copy, file))) write(join(copy, file), 'export const planted = 1;\n');
  }
  for (const [, file, specifier, kind] of TRIALS) {
    const body =
      kind === 'type'
        ? `import type * as target from '${specifier}';\nexport type Planted = typeof target;\n`
        : `import * as target from '${specifier}';\nexport const planted = target;\n`;
    write(join(copy, file), body);
  }
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
