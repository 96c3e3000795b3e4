import { Readable } from 'node:stream';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, systemCaller } from '../../../http/index.ts';
import { HOUR_MS } from '../../../lib/clock.ts';
import { inTransaction } from '../../../storage/index.ts';
import { readFoundRows } from './chain.repo.ts';
import type { ChainFault } from './chain-verifier.ts';
import { type VerifyOptions, verifyDatabase, verifyEnds } from './verify-database.ts';
import { verifyChainFile } from './verify-file.ts';

const LARGEST = '9223372036854775807';
/** More batches than there are. */
const LOOKS_MAX = 50;
const UNCHAINED = { number: null, form: null, previous_hash: null, hash: null, mac: null };

let harness: Harness;
let home: Caller;

beforeEach(async () => {
  harness = await startHarness();
  home = systemCaller(harness.deps.defaultWorkspace, 'test');
});
afterEach(() => harness.close());

async function record(by: Caller, count = 1): Promise<void> {
  const { audit, storage } = harness.deps;
  await inTransaction(storage, async (tx) => {
    for (let index = 0; index < count; index += 1)
      await audit.record(tx, by, { action: 'key.created', target: { kind: 'key', id: `kr_${index}` } });
  });
}

async function findFaults(options: Partial<VerifyOptions> = {}): Promise<ChainFault[]> {
  const { storage, keyring } = harness.deps;
  const reports = await verifyDatabase({
    exec: storage.read,
    keyring,
    now: harness.clock.now(),
    ...options,
  });
  return reports.flatMap(({ fault }) => (fault === null ? [] : [fault]));
}

async function createOther(): Promise<Caller> {
  const { workspace } = await harness.deps.workspaces.create(home, {
    name: 'Other',
    subdomain: 'other',
    aliases: [],
  });
  return systemCaller(workspace, 'test');
}

describe('a workspace that was deleted with its log', () => {
  const deleteAllOf = async (workspaceId: string, tables: readonly string[]) => {
    for (const table of tables)
      await sql`delete from ${sql.table(table)} where workspace_id = ${workspaceId}`.execute(
        harness.deps.storage.write,
      );
    await sql`delete from workspaces where id = ${workspaceId}`.execute(harness.deps.storage.write);
  };

  it('is told by the note of its end', async () => {
    const other = await createOther();
    await record(other, 3);
    await deleteAllOf(other.workspace.id, ['audit', 'setup_codes', 'workspace_hosts']);
    expect(await findFaults()).toMatchObject([{ workspaceId: other.workspace.id, kind: 'cut', number: 1 }]);
  });

  it('is told by its checkpoints', async () => {
    const other = await createOther();
    await record(other, 3);
    await harness.deps.audit.signCheckpoints();
    harness.clock.advance(HOUR_MS);
    await harness.deps.audit.signCheckpoints();
    await deleteAllOf(other.workspace.id, ['audit', 'audit_heads', 'setup_codes', 'workspace_hosts']);
    expect(await findFaults()).toMatchObject([{ workspaceId: other.workspace.id, kind: 'head' }]);
  });

  it('is told by a checkpoint that was kept elsewhere', async () => {
    const other = await createOther();
    await record(other, 3);
    harness.clock.advance(HOUR_MS);
    await harness.deps.audit.signCheckpoints();
    const witnesses = await harness.deps.storage.read
      .selectFrom('audit_checkpoints')
      .selectAll()
      .where('workspace_id', '=', other.workspace.id)
      .execute();
    expect(witnesses.length).toBe(1);
    const tables = ['audit', 'audit_heads', 'audit_checkpoints', 'setup_codes', 'workspace_hosts'];
    await deleteAllOf(other.workspace.id, tables);
    // Nothing in the database tells of it any more.
    expect(await findFaults()).toEqual([]);
    expect(await findFaults({ witnesses })).toMatchObject([
      { workspaceId: other.workspace.id, kind: 'cut', number: 1 },
    ]);
  });
});

describe('numbers that no server has written', () => {
  it.each(['version', 'number', 'seq', 'checkpoint', 'checkpoint_at', 'broken_at'])(
    'in the note of the end (%s) stop no change, and are told',
    async (column) => {
      const { write } = harness.deps.storage;
      await record(home, 3);
      // On PostgreSQL old heads may still lie beside it.
      await sql`update audit_heads set ${sql.ref(column)} = ${sql.raw(LARGEST)} where version = (select max(m.version)
        from audit_heads m where m.workspace_id = audit_heads.workspace_id)`.execute(write);
      expect(await findFaults()).toMatchObject([{ kind: 'head' }]);
      await record(home);
      await record(home);
      expect(await findFaults()).toMatchObject([{ kind: 'head' }]);
    },
  );

  it('in a checkpoint stop no change and no other log from being signed, and are told', async () => {
    const { audit, storage } = harness.deps;
    await record(home, 3);
    harness.clock.advance(HOUR_MS);
    await audit.signCheckpoints();
    await sql`update audit_checkpoints set at = ${sql.raw(LARGEST)}`.execute(storage.write);
    expect(await findFaults()).toMatchObject([{ kind: 'signature' }]);
    await storage.write.deleteFrom('audit_heads').execute();
    await record(home);
    harness.clock.advance(HOUR_MS);
    await audit.signCheckpoints();
    expect(await findFaults()).toMatchObject([{ kind: 'signature' }]);
  });
});

describe('a checkpoint that somebody has planted in the next place', () => {
  it('keeps no other log from being signed, and is shown whatever time it tells', async () => {
    const { audit, storage } = harness.deps;
    const other = await createOther();
    for (const by of [home, other]) await record(by, 3);
    harness.clock.advance(HOUR_MS);
    await audit.signCheckpoints();
    for (const by of [home, other]) await record(by, 3);
    // Whichever of the two comes first, the planted one must not hide the other.
    const first = [home.workspace.id, other.workspace.id].toSorted()[0] ?? '';
    await sql`insert into audit_checkpoints (workspace_id, number, previous, seq, hash, at, key_id, signature)
      select workspace_id, (select number from audit_heads where workspace_id = ${first} order by version desc limit 1),
        previous, seq, hash, ${sql.raw(LARGEST)}, key_id, signature
      from audit_checkpoints where workspace_id = ${first} order by number desc limit 1`.execute(
      storage.write,
    );
    const countSigned = async () =>
      (await storage.read.selectFrom('audit_checkpoints').select('number').execute()).length;
    const before = await countSigned();
    harness.clock.advance(HOUR_MS);
    await expect(audit.signCheckpoints()).rejects.toThrow();
    expect(await countSigned()).toBe(before + 1);
    expect((await findFaults()).map(({ workspaceId }) => workspaceId)).toContain(first);
    const shown = await audit.getChain(first === home.workspace.id ? home : other);
    expect(shown.checkpoints.map(({ at }) => at)).toContain('+275760-09-13T00:00:00.000Z');
  });
});

describe('rows in places that no server gives', () => {
  const insertAt = async (seq: string) => {
    const { write } = harness.deps.storage;
    await sql`insert into audit (seq, workspace_id, at, action, actor_kind, target_kind, target_id, detail)
      values (${sql.raw(seq)}, ${home.workspace.id}, 1, 'key.created', 'system', 'key', 'kr_forged', '{}')`.execute(
      write,
    );
  };

  it.each(['-5', '-9223372036854775808'])('before the first (%s) are told', async (seq) => {
    await record(home, 3);
    await insertAt(seq);
    expect(await findFaults()).toMatchObject([{ kind: 'inserted', number: 1 }]);
  });

  it('behind all others stop no change, and are told', async () => {
    await record(home, 3);
    await insertAt(LARGEST);
    await record(home);
    await record(home);
    expect(await findFaults()).toMatchObject([{ kind: 'inserted' }]);
    expect(await findFaults({ workspaceId: home.workspace.id })).toMatchObject([{ kind: 'inserted' }]);
  });
});

describe('the log of one workspace among others', () => {
  it('is read in pages that each look at few rows, however few of them are its own', async () => {
    const other = await createOther();
    await record(other);
    await record(home, 50);
    await record(other);
    const own: unknown[] = [];
    let pages = 0;
    for (let after: string | null = null; ; pages += 1) {
      const page = await readFoundRows(harness.deps.storage.read, {
        after,
        limit: 10,
        workspaceId: other.workspace.id,
      });
      own.push(...page.rows);
      if (page.last === null) break;
      after = page.last;
    }
    expect(own).toHaveLength(2);
    expect(pages).toBe(6);
  });

  it('is exported whole', async () => {
    const other = await createOther();
    await record(other);
    await record(home, 1_000);
    await record(other);
    const { pieces } = await harness.deps.audit.exportChain(other);
    let text = '';
    for await (const piece of pieces) text += piece;
    const { report } = await verifyChainFile(Readable.from(text.trimEnd().split('\n')), null);
    expect(report).toMatchObject({ rows: 3, fault: null });
  });
});

describe('a head that was lost', () => {
  it('is made anew behind the last row of the chain, also where the clock went back', async () => {
    await record(home, 3);
    harness.clock.advance(-1_000);
    await record(home, 2);
    await harness.deps.storage.write.deleteFrom('audit_heads').execute();
    await record(home);
    expect(await findFaults()).toMatchObject([{ kind: 'head', number: 6 }]);
  });
});

describe('the ends of the logs, without a key', () => {
  it('show a log of which all rows are gone', async () => {
    const { storage } = harness.deps;
    await record(home, 3);
    await storage.write.deleteFrom('audit').execute();
    const { faults } = await verifyEnds(storage.read, harness.clock.now());
    expect(faults).toMatchObject([{ kind: 'cut', workspaceId: home.workspace.id }]);
  });

  it('show a log whose last rows are gone, behind many rows of another one', async () => {
    const { storage } = harness.deps;
    const other = await createOther();
    await record(other, 3);
    await record(home, 1_000);
    await storage.write.deleteFrom('audit').where('workspace_id', '=', other.workspace.id).execute();
    const { faults } = await verifyEnds(storage.read, harness.clock.now());
    expect(faults).toMatchObject([{ kind: 'cut', workspaceId: other.workspace.id }]);
  });
});

describe('while nodes of the release before may still write', () => {
  let upgraded: Harness;
  beforeEach(async () => {
    await record(home, 2);
    const { write } = harness.deps.storage;
    await write.updateTable('audit').set(UNCHAINED).execute();
    for (const table of ['audit_heads', 'audit_checkpoints', 'audit_keys'] as const)
      await write.deleteFrom(table).execute();
    await write.deleteFrom('meta').where('name', 'in', ['audit_chain', 'audit_backlog']).execute();
    const { database, clock, masterKey } = harness;
    upgraded = await startHarness({ database, clock, masterKey });
  });
  afterEach(async () => {
    await upgraded.app.close();
    await upgraded.deps.close();
  });
  const writeStray = async (count = 1) => {
    const { write, read } = harness.deps.storage;
    const { seq: _seq, ...row } = (await read
      .selectFrom('audit')
      .selectAll()
      .limit(1)
      .executeTakeFirstOrThrow()) as { seq: number };
    for (let index = 0; index < count; index += 1)
      await write
        .insertInto('audit')
        .values({ ...row, ...UNCHAINED } as never)
        .execute();
  };
  const recordUpgraded = async (count: number) => {
    const { audit, storage } = upgraded.deps;
    await inTransaction(storage, async (tx) => {
      for (let index = 0; index < count; index += 1)
        await audit.record(tx, home, { action: 'key.created', target: { kind: 'key', id: 'kr' } });
    });
  };

  it('a row that waits beside checkpoints is no fault', async () => {
    const { audit } = upgraded.deps;
    await audit.chainBacklog();
    await recordUpgraded(600);
    harness.clock.advance(HOUR_MS);
    await audit.signCheckpoints();
    await recordUpgraded(600);
    await writeStray();
    await recordUpgraded(1);
    expect(await findFaults()).toEqual([]);
  });

  it('the job ends where a head was altered and many rows wait', async () => {
    const { audit } = upgraded.deps;
    await writeStray(450);
    await harness.deps.storage.write.updateTable('audit_heads').set({ mac: 'x' }).execute();
    let looks = 0;
    const signal = {
      get aborted() {
        looks += 1;
        return looks > LOOKS_MAX;
      },
    } as AbortSignal;
    await audit.chainBacklog(signal);
    expect(looks).toBeLessThan(LOOKS_MAX);
  });
});
