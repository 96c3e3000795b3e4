import type { EventsTable, Executor } from '../storage/index.ts';

export async function insertEvent(exec: Executor, row: EventsTable): Promise<void> {
  await exec.insertInto('events').values(row).execute();
}
