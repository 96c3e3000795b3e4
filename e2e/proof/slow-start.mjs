// A negative control: a server that checks a MAC of every key before it serves, as one without an index of what has
// changed would.
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const file = path.join(process.env.KEYREEVE_DATA_DIR, 'keyreeve.db');
if (existsSync(file)) {
  const database = new DatabaseSync(file, { readOnly: true });
  for (let round = 0; round < 3; round += 1)
    for (const row of database.prepare('select * from api_keys').iterate())
      createHmac('sha256', 'key').update(JSON.stringify(row)).digest();
  database.close();
}
