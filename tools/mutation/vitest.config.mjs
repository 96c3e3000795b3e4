import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Stryker runs it in a copy of the repository, from whose root it starts. */
const root = process.cwd();

export default defineConfig({
  root,
  // node_modules is a link to that of the repository, whose own links lead to sources that are not mutated.
  resolve: {
    alias: ['server', 'sdk', 'cli', 'testkit'].map((name) => ({
      find: new RegExp(`^@keyreeve/${name}$`),
      replacement: join(root, 'packages', name, 'src/index.ts'),
    })),
  },
  test: {
    include: JSON.parse(process.env.MUTATION_TESTS ?? '[]').map((file) => `packages/server/src/${file}`),
    env: { TEST_DATABASE: 'sqlite' },
    // Between two mutants a new worker is started anyway; within one run the files share what they have loaded.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
