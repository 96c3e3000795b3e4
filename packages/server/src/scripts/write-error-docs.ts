import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import '../app.ts';
import { listErrorEntries } from '../errors/index.ts';

/** One page for each error code, and an index of all of them. */
const folder = path.resolve(import.meta.dirname, '../../../../docs/errors');
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
const entries = listErrorEntries();
for (const entry of entries) {
  const page = [
    `# ${entry.code}`,
    '',
    `HTTP status ${entry.status}: ${entry.title}.`,
    '',
    '## What to do',
    '',
    entry.remedy,
    '',
  ];
  writeFileSync(path.join(folder, `${entry.code}.md`), page.join('\n'));
}
const rows = entries.map(
  (entry) => `| [${entry.code}](${entry.code}.md) | ${entry.status} | ${entry.title} |`,
);
writeFileSync(
  path.join(folder, 'README.md'),
  [
    '# Errors',
    '',
    'Generated from the catalogue. A code keeps its meaning for ever.',
    '',
    '| code | status | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n'),
);
