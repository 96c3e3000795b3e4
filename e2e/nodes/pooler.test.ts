import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintKey } from '../console.ts';
import { run } from '../run.ts';
import { MAIN } from '../server-process.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startPgBouncer } from './pgbouncer.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { openAgent, send } from './wire.ts';

/**
 * More than the pooler has connections by far, so that those who wait would hold all of them. Fifty are as many as the
 * keys of an account; in the short form other suites may have most of the machine, and a change that waits for longer
 * than 1.8 seconds is refused for that.
 */
const CHANGES = process.env['NODES_FULL'] === '1' ? 50 : 12;
const MASTER_KEY = randomBytes(32).toString('base64');

const agent = openAgent(CHANGES);
const closing: { close(): Promise<void> }[] = [];
let database: PostgresServer;
let cluster: Cluster;
const keys: string[] = [];
/** Changes that were acknowledged. */
let made = 0;

beforeAll(async () => {
  database = await startPostgres();
  closing.unshift(database);
  const pooler = await startPgBouncer(database.port, 4);
  closing.unshift(pooler);
  const env = { KEYREEVE_DATABASE_URL: pooler.url, KEYREEVE_MASTER_KEY: MASTER_KEY };
  cluster = await startCluster({ nodeCount: 2, env });
  closing.unshift(cluster);
  const { admin } = cluster;
  while (keys.length < CHANGES)
    keys.push((await mintKey(admin, admin.accountId, { comment: 'made', access: 'account' })).apiKey);
});
afterAll(async () => {
  agent.destroy();
  for (const one of closing) await one.close();
});

async function change(url: string, key: string, comment: string): Promise<string> {
  const { status, body } = await send(agent, url, {
    method: 'PATCH',
    path: `/v1/keys/${key}`,
    headers: { 'content-type': 'application/json', cookie: cluster.admin.cookie, 'if-match': '*' },
    body: JSON.stringify({ comment }),
  });
  if (status === 200) made += 1;
  return status === 200 ? 'made' : `${status} ${body.slice(0, 200)}`;
}

/** Changes every key at once, each at one of the nodes. @returns the answers that refuse */
async function changeAll(comment: string, urls: readonly string[]): Promise<string[]> {
  // With its first change a node opens connections, which is slow and not what is asked here.
  for (const [index, url] of urls.entries()) await change(url, keys[0] ?? '', `${comment}, alone ${index}`);
  const at = (index: number) => urls[index % urls.length] ?? '';
  const answers = await Promise.all(keys.map((key, index) => change(at(index), key, comment)));
  return answers.filter((answer) => answer !== 'made');
}

// Each change waits for its place in the audit log with a connection in its hand, and whoever has the place needs one
// more: without an order among those of one process, the waiting hold all that there are.
describe('changes at once behind a pooler with hardly more connections than processes', () => {
  it('are all made by two nodes with four', async () => {
    expect(await changeAll('by two', cluster.urls)).toEqual([]);
  });

  it('are all made by one node with two', async () => {
    const pooler = await startPgBouncer(database.port, 2);
    closing.push(pooler);
    await cluster.restart(0, { KEYREEVE_DATABASE_URL: pooler.url });
    expect(await changeAll('by one', cluster.urls.slice(0, 1))).toEqual([]);
  });

  it('are each in the audit log, whose chain is whole', async () => {
    const [told] = await database.query<{ rows: string }>(
      "select count(*) as rows from audit where action = 'key.changed'",
    );
    expect(Number(told?.rows)).toBe(made);
    expect(made).toBeGreaterThan(2 * CHANGES);
    const env = { KEYREEVE_DATABASE_URL: database.url, KEYREEVE_MASTER_KEY: MASTER_KEY };
    const cwd = cluster.nodes[0]?.dataDir ?? '';
    const verified = await run(process.execPath, [MAIN, 'audit', 'verify', '--json'], { cwd, env });
    expect(verified).toMatchObject({ code: 0, output: expect.stringContaining('"isWhole": true') });
  });
});
