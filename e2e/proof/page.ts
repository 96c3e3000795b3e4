import { type JudgedItem, tellReached } from './board.ts';

export interface ProofRun {
  /** ISO 8601. */
  readonly at: string;
  readonly commit: string;
  /** The tree held what is in no commit. */
  readonly isChanged: boolean;
  readonly machine: string;
  /** One, unless it was broken off and went on. */
  readonly sittings: number;
  /** Runs of files that ended badly and, in a later sitting, were run again. */
  readonly endedBadly: number;
  /** Of all sittings, each until the last of its runs that ended. */
  readonly seconds: number;
}

/** A commit that says which items have found what it mends. */
export interface MendedDefect {
  readonly items: readonly number[];
  readonly commit: string;
  readonly subject: string;
}

/** Commits as `git log --format=%h%x00%s%x00%b%x01` prints them: those found by an item, the oldest first. */
export function readDefects(log: string): MendedDefect[] {
  return log
    .split('\u0001')
    .flatMap((entry) => {
      const [commit = '', subject = '', body = ''] = entry.trim().split('\u0000');
      const found = [...body.replaceAll('\n', ' ').matchAll(/found by items? ([\d, and]+)/gi)];
      const items = found.flatMap(([, numbers = '']) => numbers.match(/\d+/g) ?? []).map(Number);
      return items.length === 0 ? [] : [{ items, commit, subject }];
    })
    .toReversed();
}

/** `docs/proof.md`: what the last whole run of the board reached. */
export function toProofPage(
  judged: readonly JudgedItem[],
  defects: readonly MendedDefect[],
  run: ProofRun,
): string {
  const held = judged.filter(({ faults }) => faults.length === 0).length;
  return `# Proof

Each promise of Keyreeve that can be measured has a number here, and tests that measure it. Each has at least one control as well: the same measurement over something that was broken on purpose, which has to fail. \`npm run proof\` runs the board in its long form and writes this page; a short form runs in \`npm test\`.

${held} of ${judged.length} items held on ${run.at.slice(0, 10)}, at commit ${run.commit.slice(0, 7)}${run.isChanged ? ' with changes that are in no commit' : ''}, in ${tellEffort(run)} on ${run.machine}.

| # | item | measured | reached | wanted | held |
|---|---|---|---|---|---|
${judged.flatMap(toRows).join('\n')}

## Controls

What was broken on purpose, and what the measurement then showed.

| # | broken | shown | failed as it must |
|---|---|---|---|
${judged.flatMap(toControlRows).join('\n')}

## Defects that the board has found

Each was mended with a test that had been red.

| # | mended by | commit |
|---|---|---|
${defects.map(({ items, commit, subject }) => toRow([items.join(', '), subject, commit])).join('\n')}

## Where the figures come from

| # | files |
|---|---|
${judged.map(toSourceRow).join('\n')}
`;
}

function tellEffort({ sittings, endedBadly, seconds }: ProofRun): string {
  const minutes = Math.round(seconds / 60);
  if (sittings === 1) return `one run of ${minutes} minutes`;
  return `${sittings} sittings of ${minutes} minutes in all (${endedBadly} runs ended badly and were run again)`;
}

function toRows({ item, records, faults }: JudgedItem): string[] {
  const rows = records.flatMap((record) =>
    record.kind === 'figure'
      ? [
          [
            `${record.name}${record.on === undefined ? '' : `, ${record.on}`}`,
            tellReached(record),
            record.wanted,
            record.isHeld ? 'yes' : '**no**',
          ],
        ]
      : [],
  );
  // The others are told by the rows of what came.
  const isOfNoRow = (fault: string) => /^(?:no |it has no |")/.test(fault);
  const missing = faults.filter(isOfNoRow).map((fault) => [fault, '', '', '**no**']);
  return [...rows, ...missing].map((cells, index) =>
    toRow([index === 0 ? `${item.number}` : '', index === 0 ? item.title : '', ...cells]),
  );
}

function toControlRows({ item, records }: JudgedItem): string[] {
  return records.flatMap((record) =>
    record.kind === 'control'
      ? [
          toRow([
            `${item.number}`,
            `${record.name}${record.on === undefined ? '' : `, ${record.on}`}`,
            record.shown,
            record.hasFailed ? 'yes' : '**no**',
          ]),
        ]
      : [],
  );
}

function toSourceRow({ item }: JudgedItem): string {
  const files = new Set(item.suites.flatMap((suite) => suite.files));
  return toRow([`${item.number}`, [...files].map((file) => `\`${file}\``).join(', ')]);
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
