import { createHash } from 'node:crypto';
import { createDenialFinder } from './denying.mjs';

const UNNOTICED = new Set(['Survived', 'NoCoverage']);

/** By which it is seen that a file has changed since. */
export function hashOf(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/**
 * What is kept of one of Stryker's reports: its figures, and each mutant on a condition that denies which no test has
 * noticed.
 *
 * @param report as Stryker's JSON reporter writes it (mutation-testing-report-schema)
 */
export function summarize(report) {
  const files = Object.entries(report.files);
  const mutants = files.flatMap(([file, { source, mutants: own }]) => {
    const isDenying = createDenialFinder(file, source);
    return own.map((mutant) => ({ ...mutant, file, isDenying: isDenying(mutant) }));
  });
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const tested = mutants.filter(
    ({ status }) => !['Ignored', 'CompileError', 'RuntimeError'].includes(status),
  );
  return {
    killed: count('Killed'),
    timeout: count('Timeout'),
    survived: count('Survived'),
    noCoverage: count('NoCoverage'),
    invalid: count('CompileError', 'RuntimeError'),
    leftOut: countBy(mutants.filter(({ status }) => status === 'Ignored').map(toReason)),
    denying: tested.filter(({ isDenying }) => isDenying).length,
    denyingUnnoticed: tested
      .filter(({ isDenying, status }) => isDenying && UNNOTICED.has(status))
      .map(
        ({ file, location: { start }, mutatorName, replacement = '' }) =>
          `${file}:${start.line}:${start.column} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 100)}`,
      ),
    files: Object.fromEntries(files.map(([file, { source }]) => [file, hashOf(source)])),
  };
}

function toReason({ statusReason = '' }) {
  return statusReason.startsWith('Static mutant') ? 'runs only while the file is loaded' : statusReason;
}

function countBy(names) {
  const counts = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
