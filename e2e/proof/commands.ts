import type { ProofForm } from './board.ts';
import type { ProofItem, ProofSuite } from './item.ts';

export interface ProofCommand {
  readonly suite: ProofSuite;
  /** Arguments of Node. */
  readonly args: readonly string[];
  /** The group of system packages in tools/debian.mjs. */
  readonly needs?: 'e2e' | 'notices' | 'powercut' | 'nodes' | 'browser' | 'proof';
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
  matrix: { short: 'matrix', long: 'matrix' },
  proof: { short: 'proof', long: 'proof-full', needs: 'proof' },
};

const VITEST_PROJECTS = ['unit', 'sqlite', 'postgres'] as const;
const NEEDS_DATABASE = /\.(?:storage|http)\.test\.ts$/;

/** The runs that bring the evidence of these items: one for each suite, with the files that any item names. */
export function listCommands(items: readonly ProofItem[], form: ProofForm): ProofCommand[] {
  const sources = items.flatMap(({ suites }) => suites);
  const filesOf = (suite: ProofSuite) => [
    ...new Set(sources.filter(({ name }) => name === suite).flatMap(({ files }) => files)),
  ];
  const vitest = VITEST_PROJECTS.flatMap((project) => {
    const files = sources
      .filter(({ name, projects = VITEST_PROJECTS }) => name === 'vitest' && projects.includes(project))
      .flatMap((source) => source.files)
      .filter((file) => NEEDS_DATABASE.test(file) === (project !== 'unit'));
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...new Set(files)];
    return files.length === 0 ? [] : [{ suite: 'vitest' as const, args }];
  });
  const others = (Object.keys(E2E_PROJECTS) as (keyof typeof E2E_PROJECTS)[]).flatMap((suite) => {
    const files = filesOf(suite);
    const { needs, [form]: project } = E2E_PROJECTS[suite];
    const config = ['--config', 'e2e/vitest.config.ts', '--project', project];
    const args = ['node_modules/vitest/vitest.mjs', 'run', ...config, ...files];
    return files.length === 0 ? [] : [{ suite, args, ...(needs === undefined ? {} : { needs }) }];
  });
  const pages = filesOf('console');
  const config = ['--config', 'e2e/console/playwright.config.ts'];
  const browser = {
    suite: 'console' as const,
    args: ['node_modules/@playwright/test/cli.js', 'test', ...config, ...pages],
    needs: 'browser' as const,
  };
  return [...vitest, ...(pages.length === 0 ? [] : [browser]), ...others];
}
