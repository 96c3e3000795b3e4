import { toIso } from '../../lib/clock.ts';
import { CSV_BOM, toCsvLine } from '../../lib/csv.ts';
import type { StoredAuditRow } from './audit.repo.ts';

const HEADINGS = [
  'seq',
  'at',
  'action',
  'actorKind',
  'actorId',
  'actorName',
  'actorKeyId',
  'targetKind',
  'targetId',
  'targetName',
  'accountId',
  'keyId',
  'ip',
  'userAgent',
  'requestId',
  'detail',
];

function toLine(row: StoredAuditRow): string {
  return toCsvLine([
    row.seq,
    toIso(row.at),
    row.action,
    row.actor_kind,
    row.actor_id,
    row.actor_name,
    row.actor_key_id,
    row.target_kind,
    row.target_id,
    row.target_name,
    row.account_id,
    row.key_id,
    row.ip,
    row.user_agent,
    row.request_id,
    row.detail,
  ]);
}

/** The log as a CSV file, a batch of lines at a time. */
export async function* toCsvFile(batches: AsyncIterable<readonly StoredAuditRow[]>): AsyncGenerator<string> {
  yield CSV_BOM + toCsvLine(HEADINGS);
  for await (const rows of batches) yield rows.map(toLine).join('');
}
