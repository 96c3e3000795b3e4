import type { ProofForm } from './board.ts';
import { type ProofItem, type ProofSource, type ProofSuite, VITEST_PROJECTS } from './item.ts';

export interface ProofCommand {
  readonly suite: ProofSuite;
  /** Arguments of Node. */
  readonly args: readonly string[];
  /** The group of system packages in tools/debian.mjs. */
  readonly needs?: 'e2e' | 'notices' | 'powercut' | 'nodes' | 'browser' | 'proof';
  /** Others wait until it has ended. */
  readonly isAlone: boolean;
}

const E2E_PROJECTS: Record<
  Exclude<ProofSuite, 'vitest' | 'console'>,
  { short: string; long: string; needs?: ProofCommand['needs'] }
> = {
  e2e: { short: 'e2e', long: 'e2e', needs: 'e2e' },
  'e2e gallery': { short: 'e2e-gallery', long: 'e2e-gallery', needs: 'e2e' },
  nodes: { short: 'nodes', long: 'nodes-full', needs: 'nodes' },
  'power cut': { short: 'powercut', long: 'powercut-full', needs: 'powercut' },
  notices: { short: 'notices', long: 'notices-full', needs: 'notices' },
  matrix: { short: 'matrix', long: 'matrix-full' },
  proof: { short: 'proof', long: 'proof-full', needs: 'proof' },
  'proof timed': { short: 'proof-timed', long: 'proof-timed-full', needs: 'proof' },
};

const VITEST = ['node_modules/vitest/vitest.mjs', 'run'];
const NEEDS_DATABASE = /\.(?:storage|http)\.test\.ts$/;

/** In the order of their length; what is not here takes minutes at most. */
const LONGEST = [
  'e2e/proof/fuzz.test.ts',
  'packages/testkit/src/key-life.http.test.ts',
  'e2e/powercut/powercut.test.ts',
  'e2e/nodes/two-nodes.test.ts',
  'e2e/notices/crash.test.ts',
  'e2e/proof/policy.test.ts',
  'e2e/proof/kill.test.ts',
];

/** The runs that bring the evidence of these items: one for each file that any of them names, the longest first. */
export function listCommands(items: readonly ProofItem[], form: ProofForm): ProofCommand[] {
  const sources = items.flatMap(({ suites }) => suites);
  const commands = sources.flatMap((source) =>
    source.files.flatMap((file) => listRuns(source, file, form).map((run) => ({ ...run, file }))),
  );
  // Several items may name the same file; what any of them measures in time runs alone.
  const timed = new Set(
    sources.flatMap(({ name, isTimed, files }) => (isTimed === true || name === 'proof timed' ? files : [])),
  );
  const known = new Map(commands.map((command) => [command.args.join(' '), command]));
  const rank = ({ file }: { file: string }) => (LONGEST.includes(file) ? LONGEST.indexOf(file) : Infinity);
  return [...known.values()]
    .toSorted((one, other) => (rank(one) === rank(other) ? 0 : rank(one) - rank(other)))
    .map(({ file, ...command }) => ({ ...command, isAlone: timed.has(file) }));
}

function listRuns({ name, projects = VITEST_PROJECTS }: ProofSource, file: string, form: ProofForm) {
  if (form === 'short' && file.endsWith('.full.test.ts')) return [];
  if (name === 'console') {
    const config = ['--config', 'e2e/console/playwright.config.ts'];
    return [
      {
        suite: name,
        args: ['node_modules/@playwright/test/cli.js', 'test', ...config, file],
        needs: 'browser' as const,
      },
    ];
  }
  if (name === 'vitest')
    return projects
      .filter((project) => NEEDS_DATABASE.test(file) === (project !== 'unit'))
      .map((project) => ({ suite: name, args: [...VITEST, '--project', project, file] }));
  const { needs, [form]: project } = E2E_PROJECTS[name];
  const args = [...VITEST, '--config', 'e2e/vitest.config.ts', '--project', project, file];
  return [{ suite: name, args, ...(needs === undefined ? {} : { needs }) }];
}
