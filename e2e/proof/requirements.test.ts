import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { ASVS_LEVELS } from './asvs-ids.ts';

/** Keeps docs/security/asvs.md and standards.md true: what they name is there. */
const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'docs/security');
const TESTED = /^`([\w./-]+)`: (.+)$/;
const DOCUMENTED = /^documented: \[([^\]]+)\]\(([\w./-]+)\)$/;
const EXCUSED = /^(?:does not apply|waived): .{4,}$/;

interface Row {
  readonly name: string;
  readonly level: string | null;
  readonly held: string;
}

/** The rows of all tables of a page: name first, what holds it last. */
function readRows(page: string): Row[] {
  return readFileSync(path.join(FOLDER, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:requirement|row) \|/.test(line))
    .map((line) => line.slice(2, -2).split(' | '))
    .map((cells) => ({
      name: cells[0] ?? '',
      level: cells.length === 4 ? (cells[1] ?? null) : null,
      held: (cells.at(-1) ?? '').replaceAll('\\|', '|'),
    }));
}

const texts = new Map<string, string>();
function readText(file: string): string {
  const known = texts.get(file);
  if (known !== undefined) return known;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  texts.set(file, text);
  return text;
}

/** A name stands in quotes of its own, as `it` and `test` take it. */
function hasTest(file: string, name: string): boolean {
  const text = readText(path.join(ROOT, file));
  return (
    /\.(?:test|spec)\.ts$/.test(file) &&
    [`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => text.includes(quoted))
  );
}

/** Null when the row is right; else what is wrong with it. */
function findFault({ name, held }: Row): string | null {
  const [, file, test] = TESTED.exec(held) ?? [];
  if (file !== undefined && test !== undefined)
    return hasTest(file, test) ? null : `${name}: no test “${test}” in ${file}`;
  const [, heading, target] = DOCUMENTED.exec(held) ?? [];
  if (heading !== undefined && target !== undefined)
    return readText(path.join(FOLDER, target)).includes(`## ${heading}\n`)
      ? null
      : `${name}: no “${heading}” in ${target}`;
  return EXCUSED.test(held) ? null : `${name}: says nothing of what holds it`;
}

const asvs = readRows('asvs.md');
const standards = readRows('standards.md');
const count = (rows: readonly Row[], pattern: RegExp) => rows.filter(({ held }) => pattern.test(held)).length;

describe('the table of OWASP ASVS', () => {
  it('names each requirement of levels 1 and 2 exactly once, with its level', () => {
    const listed = asvs.map(({ name, level }) => `${name} ${level}`);
    const wanted = [...ASVS_LEVELS].map(([id, level]) => `${id} ${level}`);
    const missing = wanted.filter((each) => !listed.includes(each));
    recordFigure(45, {
      name: 'requirements of ASVS L1 and L2 that are listed',
      reached: `${listed.length} listed, ${missing.length} missing`,
      wanted: `${wanted.length} listed, 0 missing`,
      isHeld: listed.length === wanted.length && missing.length === 0,
    });
    expect(wanted).toHaveLength(253);
    expect(listed.toSorted()).toEqual(wanted.toSorted());
  });

  it('waives little of what applies', () => {
    const applicable = asvs.length - count(asvs, /^does not apply/);
    const waived = count(asvs, /^waived/);
    recordFigure(45, {
      name: 'applicable requirements of ASVS L1 and L2 held by a test or a page',
      reached: `${applicable - waived} of ${applicable}; ${waived} are waived in writing`,
      wanted: 'all but those that are waived in writing',
      isHeld: waived <= 5,
    });
    expect(waived).toBeLessThanOrEqual(5);
  });
});

describe('the tables', () => {
  it('name tests and pages that are there', () => {
    const faults = [...asvs, ...standards].map(findFault).filter((fault) => fault !== null);
    recordFigure(45, {
      name: 'rows whose test or page is not there',
      reached: `${faults.length} of ${asvs.length + standards.length}`,
      wanted: '0',
      isHeld: faults.length === 0,
    });
    expect(faults).toEqual([]);
  });

  it('have a test for 130 rows of the standards and more', () => {
    const automated = count(standards, TESTED);
    recordFigure(45, {
      name: 'rows of the standards with a test',
      reached: `${automated} of ${standards.length}`,
      wanted: 'at least 130',
      isHeld: automated >= 130,
    });
    expect(automated).toBeGreaterThanOrEqual(130);
    expect(new Set(standards.map(({ name, held }) => `${name} ${held}`)).size).toBe(standards.length);
  });

  it('would be told of a test that was renamed, a page that is gone and a row that says nothing', () => {
    const rows = [
      {
        name: 'renamed',
        level: null,
        held: '`e2e/proof/requirements.test.ts`: a test that nobody has written',
      },
      { name: 'gone', level: null, held: '`e2e/proof/no-such-file.test.ts`: the table of OWASP ASVS' },
      { name: 'unwritten', level: null, held: 'documented: [No such heading](threat-model.md)' },
      { name: 'silent', level: null, held: 'trust us' },
    ];
    const found = rows.map(findFault).filter((fault) => fault !== null);
    recordControl(45, {
      name: 'rows with a renamed test, a missing file, a missing heading and nothing',
      shown: `${found.length} of ${rows.length} found`,
      hasFailed: found.length === rows.length,
    });
    expect(found).toHaveLength(rows.length);
  });
});
