import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { recordControl, recordFigure } from '@keyreeve/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { signIn } from '../console.ts';
import { createSeeded } from '../notices/seeded.ts';
import { run } from '../run.ts';
import { MAIN, openWorkplace, type ServerProcess, sleep, WITH_ADMIN } from '../server-process.ts';
import { type Desk, writeChanges } from './audited-changes.ts';

const ITEM = 43;
const KILLS = process.env['PROOF_FULL'] === '1' ? 30 : 3;
const WRITERS = 4;
/** At least so many before each kill, however slow the machine is. */
const CHANGES = 25;
const SEED = Number(process.env['PROOF_SEED'] ?? '20261127');
const DATA = 'audited';

const place = openWorkplace();
afterAll(() => place.close());

const ENVIRONMENT = { ...WITH_ADMIN, KEYREEVE_LOG_LEVEL: 'error' };

/** `keyreeve audit verify` beside whatever runs there. */
async function verifyLog(dataDir: string, ...words: readonly string[]) {
  const env = { KEYREEVE_DATA_DIR: dataDir };
  const { code, output } = await run(process.execPath, [MAIN, 'audit', 'verify', '--json', ...words], {
    cwd: dataDir,
    env,
  });
  return { code, output };
}

/** Of these requests, those that no row of the log tells of. */
function findUntold(server: ServerProcess, requestIds: readonly string[]): string[] {
  const database = new DatabaseSync(path.join(server.dataDir, 'keyreeve.db'), { readOnly: true });
  try {
    const told = database.prepare('select 1 from audit where request_id = ?');
    return requestIds.filter((id) => told.get(id) === undefined);
  } finally {
    database.close();
  }
}

describe('the audit log of a server that is killed again and again', () => {
  let server: ServerProcess;

  it('tells of every acknowledged change, by its request id, and its chain is whole', async () => {
    server = await place.start({ data: DATA, env: ENVIRONMENT });
    const { cookie, accountId, api } = await signIn(server.url);
    const { response } = await api.GET('/v1/settings');
    const etag = response.headers.get('etag') ?? '';
    await api.PATCH('/v1/settings', { headers: { 'If-Match': etag }, body: { maxKeysPerAccount: 10_000 } });
    const random = createSeeded(SEED).next;
    const acknowledged: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const desk: Desk = { url: server.url, cookie, accountId };
      let isOver = false;
      const writers = Array.from({ length: WRITERS }, () => writeChanges(desk, acknowledged, () => isOver));
      const wanted = acknowledged.length + CHANGES;
      while (acknowledged.length < wanted) await sleep(10);
      await sleep(random() * 100);
      isOver = true;
      await server.kill();
      await Promise.all(writers);
      server = await place.start({ data: DATA, env: ENVIRONMENT });
    }
    const untold = findUntold(server, acknowledged);
    const verified = await verifyLog(server.dataDir);
    recordFigure(ITEM, {
      name: 'acknowledged changes without a row after kill -9, and broken chains',
      reached: `${untold.length} of ${acknowledged.length.toLocaleString('en')}, ${verified.code === 0 ? 0 : 1} chains broken, after ${KILLS} kills`,
      wanted: '0 and 0',
      isHeld: untold.length === 0 && verified.code === 0,
      seed: SEED,
    });
    expect(acknowledged.length).toBeGreaterThanOrEqual(CHANGES * KILLS);
    expect(untold).toEqual([]);
    expect(verified).toMatchObject({ code: 0, output: expect.stringContaining('"isWhole": true') });
  }, 240_000);

  it('verifies as an export without the server, and is told where a row of a copy is another', async () => {
    const { cookie } = await signIn(server.url);
    const answer = await fetch(`${server.url}/v1/audit/chain/export`, { headers: { cookie } });
    expect(answer.status).toBe(200);
    const file = path.join(place.folder, 'audit-chain.jsonl');
    writeFileSync(file, await answer.text());
    await server.stop();
    expect(await verifyLog(place.folder, '--file', file)).toMatchObject({ code: 0 });
    const lines = readFileSync(file, 'utf8').split('\n');
    const row = lines.findIndex((line) => line.includes('"key.created"'));
    writeFileSync(
      file,
      lines.with(row, (lines[row] ?? '').replace('"key.created"', '"key.deleted"')).join('\n'),
    );
    expect(await verifyLog(place.folder, '--file', file)).toMatchObject({
      code: 1,
      output: expect.stringContaining('"kind": "changed"'),
    });

    const copy = path.join(place.folder, 'copy');
    cpSync(server.dataDir, copy, { recursive: true });
    const database = new DatabaseSync(path.join(copy, 'keyreeve.db'));
    const chosen = database.prepare('select seq, number from audit order by seq limit 1 offset 30').get();
    database.prepare("update audit set actor_name = 'nobody' where seq = ?").run(Number(chosen?.['seq']));
    database.close();
    const verified = await verifyLog(copy);
    const isNamed = verified.output.includes(`"seq": ${String(chosen?.['seq'])},`);
    recordControl(ITEM, {
      name: 'a copy with one row changed',
      shown: `audit verify ended with ${verified.code}${isNamed ? ` and named row ${String(chosen?.['number'])}` : ''}`,
      hasFailed: verified.code === 1 && isNamed,
    });
    expect(verified.code).toBe(1);
    expect(isNamed).toBe(true);
    expect(await verifyLog(place.folder)).toMatchObject({ code: 3 });
  }, 120_000);
});
