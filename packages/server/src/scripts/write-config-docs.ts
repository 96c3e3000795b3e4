import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { VARIABLES } from '../config/index.ts';

/** The table of environment variables. */
const folder = path.resolve(import.meta.dirname, '../../../../docs/operations');
mkdirSync(folder, { recursive: true });
const rows = VARIABLES.map(
  (variable) =>
    `| \`${variable.name}\` | ${variable.default === '' ? '' : `\`${variable.default}\``} | ${variable.description} |`,
);
const page = [
  '# Configuration',
  '',
  'Environment variables, or lines of a file `.env` in the working folder. All faults are reported at once; unsafe states and unknown `KEYREEVE_` names refuse to start.',
  '',
  '| variable | default | meaning |',
  '|---|---|---|',
  ...rows,
  '',
];
writeFileSync(path.join(folder, 'configuration.md'), page.join('\n'));
