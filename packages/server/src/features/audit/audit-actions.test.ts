import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AUDIT_ACTIONS, REFUSED_ACTIONS } from './audit-actions.ts';

const FEATURES = path.join(import.meta.dirname, '..');

/** The code of all features but the list itself and the tests. */
function readSources(): string[] {
  return readdirSync(FEATURES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .filter((name) => path.basename(name) !== 'audit-actions.ts')
    .map((name) => readFileSync(path.join(FEATURES, name), 'utf8'));
}

describe('the list of audit actions', () => {
  // That nothing else is recorded is the compiler's to say: an event takes no other name.
  it('names only what the code records', () => {
    const sources = readSources();
    expect(sources.length).toBeGreaterThan(100);
    const unused = AUDIT_ACTIONS.filter(
      (action) => !sources.some((source) => source.includes(`'${action}'`)),
    );
    expect(unused).toEqual([]);
  });

  it('is sorted, without repeats, in the form area.verb', () => {
    expect(AUDIT_ACTIONS).toEqual([...new Set(AUDIT_ACTIONS)].toSorted());
    for (const action of AUDIT_ACTIONS) expect(action).toMatch(/^[a-z_]+\.[a-z_]+$/);
  });

  it('is told on the page of the audit log, name by name', () => {
    const page = readFileSync(path.join(FEATURES, '../../../../docs/operations/audit.md'), 'utf8');
    expect(AUDIT_ACTIONS.filter((action) => !page.includes(`\`${action}\``))).toEqual([]);
  });

  it('contains all that counts as a refusal', () => {
    expect(REFUSED_ACTIONS).toEqual(AUDIT_ACTIONS.filter((action) => action.endsWith('.refused')));
  });
});
