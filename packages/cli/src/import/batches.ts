import type { ImportRow, ReadRow } from './rows.ts';

export interface NumberedRow {
  readonly line: number;
  readonly row: ImportRow;
}

/** Rows that go to the server together: all of them are imported, or none. */
export interface Batch {
  /** Counts from 1. */
  readonly number: number;
  readonly rows: readonly NumberedRow[];
}

const BATCH_ROWS = 200;
/** Half of what the server takes, so that no spelling of a row makes a batch too large. */
const BATCH_BYTES = 1_048_576;

/** Good rows in batches, always the same for the same file; faulty rows are left out. */
export async function* toBatches(rows: AsyncIterable<ReadRow>): AsyncGenerator<Batch> {
  let number = 0;
  let gathered: NumberedRow[] = [];
  let bytes = 0;
  const take = (): Batch => {
    number += 1;
    const batch = { number, rows: gathered };
    gathered = [];
    bytes = 0;
    return batch;
  };
  for await (const read of rows) {
    if ('fault' in read) continue;
    const size = Buffer.byteLength(JSON.stringify(read.row));
    if (gathered.length > 0 && bytes + size > BATCH_BYTES) yield take();
    gathered.push(read);
    bytes += size;
    if (gathered.length >= BATCH_ROWS) yield take();
  }
  if (gathered.length > 0) yield take();
}

export function linesOf({ rows }: Batch): string {
  const first = rows[0]?.line ?? 0;
  const last = rows.at(-1)?.line ?? 0;
  return first === last ? `line ${first}` : `lines ${first} to ${last}`;
}
