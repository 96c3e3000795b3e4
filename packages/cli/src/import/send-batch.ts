import { setTimeout as sleep } from 'node:timers/promises';
import { type KeyreeveClient, KeyreeveError } from '@keyreeve/sdk';
import type { Batch } from './batches.ts';

export interface RowFault {
  readonly line: number;
  readonly message: string;
}

/** What became of a batch: imported (or found good), or refused because of single rows. */
export type BatchResult =
  | { readonly keyIds: readonly string[] }
  | {
      readonly faults: readonly RowFault[];
      /** Lines whose credential the workspace knows already. */
      readonly imported: readonly number[];
    };

const ROW_FIELD = /^rows\[(\d+)\]\.?(.*)$/;
const ALREADY_IMPORTED = 'is already imported';
const ATTEMPTS = 5;
const WAIT_SECONDS = 5;
const WAIT_SECONDS_MAX = 60;

function isBusy(error: unknown): error is KeyreeveError {
  return error instanceof KeyreeveError && (error.status === 429 || error.status === 503);
}

/** The rows that a refusal is about; null when it is about something else. */
function toBatchResult(error: unknown, batch: Batch): BatchResult | null {
  if (!(error instanceof KeyreeveError) || error.errors.length === 0) return null;
  const faults: RowFault[] = [];
  const imported: number[] = [];
  for (const { field, message } of error.errors) {
    const match = ROW_FIELD.exec(field);
    const line = match === null ? undefined : batch.rows[Number(match[1])]?.line;
    if (line === undefined) return null;
    if (message === ALREADY_IMPORTED) imported.push(line);
    else faults.push({ line, message: `${match?.[2] ?? ''} ${message}`.trim() });
  }
  return { faults, imported };
}

/**
 * Sends one batch, and sends it again while the server says that it is busy.
 *
 * A busy answer does not prove that nothing was stored. A second try that finds every row imported has
 * therefore been preceded by a first that succeeded, and counts as imported.
 *
 * @throws KeyreeveError when the refusal is not about rows, KeyreeveTransportError, AbortError
 */
export async function sendBatch(
  client: KeyreeveClient,
  batch: Batch,
  options: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<BatchResult> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const body = { dryRun: options.dryRun, rows: batch.rows.map(({ row }) => row) };
      const { data } = await client.POST('/v1/key-imports', { body });
      return { keyIds: data.keyIds };
    } catch (error) {
      if (isBusy(error) && attempt < ATTEMPTS) {
        const seconds = Math.min(error.retryAfterSeconds ?? WAIT_SECONDS, WAIT_SECONDS_MAX);
        await sleep(seconds * 1_000, undefined, { signal: options.signal });
        continue;
      }
      const result = toBatchResult(error, batch);
      if (result === null) throw error;
      const isOwnDoing = attempt > 1 && 'imported' in result && result.imported.length === batch.rows.length;
      return isOwnDoing ? { keyIds: [] } : result;
    }
  }
}
