import type { ProofControl, ProofFigure } from '@keyreeve/testkit';
import { type ProofItem, VITEST_PROJECTS } from './item.ts';

export type ProofForm = 'short' | 'long';

/** A line of the file that `PROOF_RECORDS_FILE` names. `on` is the database engine, where a test runs on both. */
export type ProofRecord = { readonly item: number; readonly on?: string } & (
  | ({ readonly kind: 'figure' } & ProofFigure)
  | ({ readonly kind: 'control' } & ProofControl)
);

export interface JudgedItem {
  readonly item: ProofItem;
  readonly records: readonly ProofRecord[];
  /** Why it is not held; empty when it is. */
  readonly faults: readonly string[];
}

/** Reads the lines that tests have written. */
export function readRecords(text: string): ProofRecord[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ProofRecord);
}

/**
 * Judges each item by what came: held are those of which every figure came and was enough, and every control came
 * and failed. What came under a name that no item knows is a fault as well, so that a figure whose name was changed
 * does not fall off the board. The short form says nothing of items that have figures in the long form only.
 */
export function judgeItems(
  items: readonly ProofItem[],
  records: readonly ProofRecord[],
  form: ProofForm,
): JudgedItem[] {
  const known = new Set(items.map(({ number }) => number));
  const strays = records.filter(({ item }) => !known.has(item));
  if (strays.length > 0) {
    const numbers = [...new Set(strays.map(({ item }) => item))].join(', ');
    throw new Error(`records came for items that are not on the board: ${numbers}`);
  }
  return items
    .filter(({ figures }) => form === 'long' || figures.length > 0)
    .toSorted((one, other) => one.number - other.number)
    .map((item) => {
      const own = records.filter((record) => record.item === item.number);
      return { item, records: own, faults: findFaults(item, own, form) };
    });
}

function findFaults(item: ProofItem, records: readonly ProofRecord[], form: ProofForm): string[] {
  const isLong = form === 'long';
  const figures = [...item.figures, ...(isLong ? (item.longFigures ?? []) : [])];
  const controls = [...item.controls, ...(isLong ? (item.longControls ?? []) : [])];
  const ownNames = new Set([
    ...figures,
    ...controls,
    ...(item.longFigures ?? []),
    ...(item.longControls ?? []),
    ...(item.figuresWherePossible ?? []),
  ]);
  const engines = listEngines(item);
  return [
    ...(item.controls.length + (item.longControls ?? []).length === 0 ? ['it has no control'] : []),
    ...figures.flatMap((name) => faultsOfFigure(name, records, engines)),
    ...(item.figuresWherePossible ?? [])
      .filter((name) => records.some((record) => record.name === name))
      .flatMap((name) => faultsOfFigure(name, records, engines)),
    ...controls.flatMap((name) => faultsOfControl(name, records)),
    ...records.filter(({ name }) => !ownNames.has(name)).map(({ name }) => `"${name}" is not on the board`),
  ];
}

/** The engines on which the same tests of an item run; none when it names no such tests. */
function listEngines({ suites }: ProofItem): readonly string[] {
  const named = suites.flatMap(({ name, projects = VITEST_PROJECTS }) => (name === 'vitest' ? projects : []));
  return [...new Set(named)].filter((project) => project !== 'unit');
}

/** What is measured on an engine at all is measured on each of them: one that brings nothing proves nothing. */
function faultsOfFigure(name: string, records: readonly ProofRecord[], engines: readonly string[]): string[] {
  const own = records.flatMap((record) => (record.kind === 'figure' && record.name === name ? [record] : []));
  if (own.length === 0) return [`no figure came for "${name}"`];
  const missing = own.every(({ on }) => on === undefined)
    ? []
    : engines.filter((engine) => !own.some(({ on }) => on === engine));
  return [
    ...missing.map((engine) => `no figure came for "${name}" on ${engine}`),
    ...own
      .filter(({ isHeld }) => !isHeld)
      .map(({ reached, wanted, on }) => `${name}${place(on)}: ${reached}, wanted ${wanted}`),
  ];
}

function faultsOfControl(name: string, records: readonly ProofRecord[]): string[] {
  const own = records.flatMap((record) =>
    record.kind === 'control' && record.name === name ? [record] : [],
  );
  if (own.length === 0) return [`no control came for "${name}"`];
  return own
    .filter(({ hasFailed }) => !hasFailed)
    .map(({ shown, on }) => `the control "${name}"${place(on)} did not fail: ${shown}`);
}

function place(on: string | undefined): string {
  return on === undefined ? '' : ` on ${on}`;
}

/** What was reached, with what somebody needs to come to the same. */
export function tellReached({ reached, seed }: ProofFigure): string {
  return seed === undefined ? `${reached}` : `${reached} [seed ${seed}]`;
}

/** One line a number: item, what was reached, what was wanted, held or not. */
export function toLine({ item, records, faults }: JudgedItem): string {
  const figures = records.flatMap((record) => (record.kind === 'figure' ? [record] : []));
  const controls = records.filter(({ kind }) => kind === 'control').length;
  const reached = figures
    .map((figure) => `${figure.name}${place(figure.on)} ${tellReached(figure)} (${figure.wanted})`)
    .join('; ');
  const verdict = faults.length === 0 ? 'held    ' : 'NOT HELD';
  const count = controls === 1 ? '1 control failed as it must' : `${controls} controls failed as they must`;
  const number = String(item.number).padStart(2);
  return faults.length === 0
    ? `${verdict} ${number} ${item.title}: ${reached}; ${count}`
    : `${verdict} ${number} ${item.title}: ${faults.join('; ')}`;
}
