import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { run } from '../run.ts';
import { MAIN } from '../server-process.ts';

/** What each change leaves behind in one transaction; a row of the answer is one that has no counterpart. */
const INVARIANTS: Readonly<Record<string, string>> = {
  'a key without the audit row of its creation': `select id from api_keys k where not exists (select 1 from audit a
    where a.workspace_id = k.workspace_id and a.target_id = k.id and a.action in ('key.created', 'key.imported'))`,
  'an audit row of a key that is neither there nor deleted': `select target_id from audit a
    where action = 'key.created' and not exists (select 1 from api_keys k where k.id = a.target_id)
    and not exists (select 1 from audit d where d.target_id = a.target_id and d.action in ('key.deleted', 'key.revoked'))`,
  'a deleted key that is there': `select k.id from api_keys k join audit a on a.target_id = k.id
    where a.action = 'key.deleted'`,
  'a key whose generation its audit rows do not explain': `select k.id from api_keys k where k.generation - 1 <>
    (select count(*) from audit a where a.target_id = k.id and a.action = 'key.regenerated')`,
  'a disabled key without an audit row': `select k.id from api_keys k where k.state = 'disabled' and not exists
    (select 1 from audit a where a.target_id = k.id and a.action = 'key.disabled')`,
  'an audit row about a key without its event': `select a.target_id from audit a where a.action like 'key.%'
    and a.action in ('key.created', 'key.deleted', 'key.regenerated', 'key.disabled')
    group by a.action having count(*) <> (select count(*) from events e where e.type = a.action)`,
};

/**
 * Looks at the files of a deployment on SQLite, also while its server runs, and says what is wrong with them: damaged
 * pages, rows that refer to nothing, and changes of which one half is missing.
 */
export function inspectDatabase(dataDir: string): string[] {
  const faults: string[] = [];
  for (const name of ['keyreeve.db', 'usage.db']) {
    const file = path.join(dataDir, name);
    if (!existsSync(file)) continue;
    const database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
    try {
      for (const row of database.prepare('pragma integrity_check').all())
        if (row['integrity_check'] !== 'ok') faults.push(`${name}: ${String(row['integrity_check'])}`);
      for (const row of database.prepare('pragma foreign_key_check').all())
        faults.push(`${name}: ${JSON.stringify(row)} refers to nothing`);
      if (name !== 'keyreeve.db') continue;
      for (const [fault, sql] of Object.entries(INVARIANTS)) {
        const rows = database.prepare(sql).all();
        if (rows.length > 0) faults.push(`${fault}: ${rows.length}, such as ${JSON.stringify(rows[0])}`);
      }
    } finally {
      database.close();
    }
  }
  return faults;
}

/** What `keyreeve audit verify` says of a deployment; empty when its log is as it was written. */
export async function verifyAuditLog(dataDir: string): Promise<string[]> {
  const env = { KEYREEVE_DATA_DIR: dataDir };
  const verified = await run(process.execPath, [MAIN, 'audit', 'verify', '--json'], { cwd: dataDir, env });
  return verified.code === 0 ? [] : [`audit verify ended with ${verified.code}: ${verified.output.trim()}`];
}
