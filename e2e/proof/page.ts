import type { JudgedItem } from './board.ts';

export interface ProofRun {
  /** ISO 8601. */
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  readonly seconds: number;
}

/** `docs/proof.md`: what the last whole run of the board reached. */
export function toProofPage(judged: readonly JudgedItem[], run: ProofRun): string {
  const held = judged.filter(({ faults }) => faults.length === 0).length;
  return `# Proof

Each promise of Keyreeve that can be measured has a number here, and tests that measure it. Each has at least one control as well: the same measurement over something that was broken on purpose, which has to fail. \`npm run proof\` runs the board in its long form and writes this page; a short form runs in \`npm test\`.

${held} of ${judged.length} items held on ${run.at.slice(0, 10)}, at commit ${run.commit.slice(0, 7)}, in one run of ${Math.round(run.seconds / 60)} minutes on ${run.machine}.

| # | item | measured | reached | wanted | held |
|---|---|---|---|---|---|
${judged.map(toRows).join('\n')}

## Controls

What was broken on purpose, and what the measurement then showed.

| # | broken | shown | failed as it must |
|---|---|---|---|
${judged.map(toControlRows).join('\n')}

## Where the figures come from

| # | files |
|---|---|
${judged.map(toSourceRow).join('\n')}
`;
}

function toRows({ item, records, faults }: JudgedItem): string {
  const rows = records.flatMap((record) =>
    record.kind === 'figure'
      ? [
          [
            `${record.name}${record.on === undefined ? '' : `, ${record.on}`}`,
            `${record.reached}`,
            record.wanted,
            record.isHeld ? 'yes' : '**no**',
          ],
        ]
      : [],
  );
  const missing = faults.filter((fault) => fault.startsWith('no ')).map((fault) => [fault, '', '', '**no**']);
  return [...rows, ...missing]
    .map((cells, index) =>
      toRow([index === 0 ? `${item.number}` : '', index === 0 ? item.title : '', ...cells]),
    )
    .join('\n');
}

function toControlRows({ item, records }: JudgedItem): string {
  return records
    .flatMap((record) =>
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
    )
    .join('\n');
}

function toSourceRow({ item }: JudgedItem): string {
  const files = item.suites.flatMap(({ files }) => files.map((file) => `\`${file}\``));
  return toRow([`${item.number}`, files.join(', ')]);
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
