import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Finding, formatPlace } from './findings.ts';

const RULE_ID = 'keyreeve-key';

/** Relative to where the program was started, as the forges want it; a file elsewhere as a whole address. */
function toUri(file: string): string {
  const relative = path.relative('.', file);
  if (relative.startsWith('..') || path.isAbsolute(relative)) return pathToFileURL(file).href;
  return relative.split(path.sep).map(encodeURIComponent).join('/');
}

function toResult(finding: Finding) {
  const { key, state, places } = finding;
  return places.map((place) => ({
    ruleId: RULE_ID,
    level: state === 'live' || state === 'not asked' ? 'error' : 'warning',
    message: { text: `${key.apiKey} (${state}) in ${formatPlace(place)}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: place.path === null ? place.kind : toUri(place.path) },
          region: { startLine: place.line, startColumn: Math.max(1, place.column) },
        },
      },
    ],
  }));
}

/** SARIF 2.1.0 (OASIS), as code scanning of GitHub and others takes it; no secret is in it. */
export function toSarif(findings: readonly Finding[]): object {
  const rule = {
    id: RULE_ID,
    shortDescription: { text: 'A Keyreeve key with its secret' },
    help: { text: 'Regenerate or delete the key; removing the text alone does not help.' },
  };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      { tool: { driver: { name: 'keyreeve scan', rules: [rule] } }, results: findings.flatMap(toResult) },
    ],
  };
}
