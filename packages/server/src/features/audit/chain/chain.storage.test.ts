import { type Harness, recordFigure, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, systemCaller } from '../../../http/index.ts';
import { DAY_MS } from '../../../lib/clock.ts';
import { inTransaction } from '../../../storage/index.ts';
import { hashRow } from './chain-row.ts';
import type { ChainFault, ChainReport } from './chain-verifier.ts';
import { verifyDatabase, verifyEnds } from './verify-database.ts';
import { verifyChainFile } from './verify-file.ts';

const ITEM = 43;
const WRITERS = 8;
const EACH = process.env['PROOF_FULL'] === '1' ? 100 : 12;

let harness: Harness;
/** Another process, as far as the database can tell: connections of its own. */
let second: Harness;
let caller: Caller;

beforeAll(async () => {
  harness = await startHarness();
  const { database, clock, masterKey } = harness;
  second = await startHarness({ database, clock, masterKey });
  caller = systemCaller(harness.deps.defaultWorkspace, 'test');
});
afterAll(async () => {
  await second.app.close();
  await second.deps.close();
  await harness.close();
});

async function verify({ deps, clock }: Harness): Promise<readonly ChainReport[]> {
  return await verifyDatabase({ exec: deps.storage.read, keyring: deps.keyring, now: clock.now() });
}

function faultsOf(reports: readonly ChainReport[]) {
  return reports.flatMap(({ fault }) => (fault === null ? [] : [fault]));
}

async function record({ deps }: Harness, id: string, by = caller): Promise<void> {
  await inTransaction(deps.storage, (tx) =>
    deps.audit.record(tx, by, { action: 'key.created', target: { kind: 'key', id } }),
  );
}

async function listRows({ deps }: Harness) {
  return await deps.storage.read.selectFrom('audit').selectAll().orderBy('seq').execute();
}

describe('the chain of an audit log', () => {
  it('is hashed over the version and every column, each with its length', () => {
    const row = {
      workspace_id: 'wsp_1',
      number: 1,
      seq: 7,
      form: 1,
      previous_hash: '',
      at: 1_700_000_000_000,
      action: 'key.created',
      actor_kind: 'system',
      actor_id: null,
      actor_name: 'test',
      actor_key_id: null,
      target_kind: 'key',
      target_id: 'kr_1',
      target_name: '名前',
      account_id: null,
      key_id: null,
      ip: null,
      user_agent: null,
      request_id: null,
      detail: '{}',
    };
    // As a script in Python makes it from docs/operations/audit.md.
    expect(hashRow(row)).toBe('8_jk-C1U5op8tx3hX-5B7RwbCJ_Yb95xbiBCqgu_1y8');
    expect(hashRow({ ...row, target_name: null })).not.toBe(hashRow({ ...row, target_name: '-' }));
    expect(hashRow({ ...row, action: 'key.created6:system', actor_kind: '' })).not.toBe(hashRow(row));
  });

  it('has no fork, no gap and no row that is told twice when processes write at the same time', async () => {
    const processes = [harness, second];
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        const process = processes[writer % 2] as Harness;
        for (let index = 0; index < EACH; index += 1) await record(process, `${writer}-${index}`);
      }),
    );
    const rows = await listRows(harness);
    expect(rows.length).toBe(WRITERS * EACH);
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
    const faults = faultsOf(await verify(harness));
    recordFigure(ITEM, {
      name: 'forks and gaps when processes write at the same time',
      reached: `${faults.length} in ${rows.length} rows by ${WRITERS} writers of 2 processes`,
      wanted: '0',
      isHeld: faults.length === 0,
    });
    expect(faults).toEqual([]);
  });

  it('is as it was when a change fails at its end', async () => {
    const before = await listRows(harness);
    const failing = inTransaction(harness.deps.storage, async (tx) => {
      await harness.deps.audit.record(tx, caller, {
        action: 'key.created',
        target: { kind: 'key', id: 'lost' },
      });
      throw new Error('too late');
    });
    await expect(failing).rejects.toThrow('too late');
    await record(harness, 'after');
    const rows = await listRows(harness);
    expect(rows.slice(0, -1)).toEqual(before);
    expect(faultsOf(await verify(harness))).toEqual([]);
  });

  it('refuses to record outside of a transaction of inTransaction', async () => {
    const { storage, audit } = harness.deps;
    const elsewhere = storage.write
      .transaction()
      .execute((tx) => audit.record(tx, caller, { action: 'key.created', target: { kind: 'key', id: 'x' } }));
    await expect(elsewhere).rejects.toThrow('inTransaction');
  });

  it('goes on in a log whose end was tampered with, and never forgets it', async () => {
    const { deps } = harness;
    const other = await deps.workspaces.create(caller, { name: 'Third', subdomain: 'third', aliases: [] });
    const there = systemCaller(other.workspace, 'test');
    await record(harness, 'first', there);
    await deps.storage.write
      .deleteFrom('audit_heads')
      .where('workspace_id', '=', other.workspace.id)
      .execute();
    await record(harness, 'second', there);
    await record(harness, 'third', there);
    expect(faultsOf(await verify(harness))).toMatchObject([
      { kind: 'head', workspaceId: other.workspace.id, number: 2 },
    ]);
    expect(harness.logLines.some((line) => line.includes('keyreeve audit verify'))).toBe(true);
  });
});

describe('checkpoints', () => {
  it('are signed once an hour and every thousand rows, and go to the log of the server', async () => {
    const { deps, clock } = harness;
    const place = deps.defaultWorkspace.id;
    const count = async () =>
      (
        await deps.storage.read
          .selectFrom('audit_checkpoints')
          .selectAll()
          .where('workspace_id', '=', place)
          .execute()
      ).length;
    await deps.audit.signCheckpoints();
    const first = await count();
    expect(first).toBeGreaterThan(0);
    await record(harness, 'one');
    await deps.audit.signCheckpoints();
    expect(await count()).toBe(first);
    clock.advance(3_600_000);
    await deps.audit.signCheckpoints();
    expect(await count()).toBe(first + 1);
    await inTransaction(deps.storage, async (tx) => {
      for (let index = 0; index < 1_000; index += 1)
        await deps.audit.record(tx, caller, {
          action: 'key.created',
          target: { kind: 'key', id: `many-${index}` },
        });
    });
    await deps.audit.signCheckpoints();
    expect(await count()).toBe(first + 2);
    expect(harness.logLines.filter((line) => line.includes('"auditCheckpoint"')).length).toBeGreaterThan(2);
  });

  it('that were kept elsewhere find what was replaced together with the note of the end', async () => {
    const { deps } = harness;
    const place = deps.defaultWorkspace.id;
    const [kept] = await deps.storage.read
      .selectFrom('audit_checkpoints')
      .selectAll()
      .where('workspace_id', '=', place)
      .orderBy('number', 'desc')
      .execute();
    if (kept === undefined) throw new Error('Nothing was signed.');
    const options = {
      exec: deps.storage.read,
      keyring: deps.keyring,
      now: harness.clock.now(),
      workspaceId: place,
    };
    expect(faultsOf(await verifyDatabase({ ...options, witnesses: [kept] }))).toEqual([]);
    const forged = { ...kept, hash: 'x' };
    expect(faultsOf(await verifyDatabase({ ...options, witnesses: [forged] }))).toMatchObject([
      { kind: 'signature' },
    ]);
    const later = { ...kept, number: 1_000_000 };
    expect(faultsOf(await verifyDatabase({ ...options, witnesses: [later] }))).toMatchObject([
      { kind: 'cut' },
    ]);
  });
});

describe('the ends of the logs, without a key', () => {
  it('show a row that was changed, and logs that nobody signs', async () => {
    const { deps, clock } = harness;
    await record(harness, 'last');
    expect(await verifyEnds(deps.storage.read, clock.now())).toMatchObject({ unsigned: [] });
    const [last] = (await listRows(harness)).slice(-1);
    await deps.storage.write
      .updateTable('audit')
      .set({ detail: '{}x' })
      .where('seq', '=', last?.seq ?? 0)
      .execute();
    const late = await verifyEnds(deps.storage.read, clock.now() + 3 * 3_600_000);
    expect(late.unsigned).toContain(deps.defaultWorkspace.id);
    const isHome = ({ workspaceId }: ChainFault) => workspaceId === deps.defaultWorkspace.id;
    expect(late.faults.filter(isHome)).toMatchObject([{ kind: 'changed', seq: last?.seq }]);
    // The log whose end was tampered with above, although none of the newest thousand rows is of it.
    expect(late.faults.filter((fault) => !isHome(fault))).toMatchObject([{ kind: 'head', number: 2 }]);
    await deps.storage.write
      .updateTable('audit')
      .set({ detail: '{}' })
      .where('seq', '=', last?.seq ?? 0)
      .execute();
  });
});

describe('the export of the chain', () => {
  const readLines = async (): Promise<string[]> => {
    const { pieces } = await harness.deps.audit.exportChain(caller);
    let text = '';
    for await (const piece of pieces) text += piece;
    return text.trimEnd().split('\n');
  };
  const check = async (lines: readonly string[], pinned: string | null = null) =>
    await verifyChainFile(
      (async function* each() {
        yield* lines;
      })(),
      pinned,
    );

  it('verifies without a database, under the key that was noted down', async () => {
    const lines = await readLines();
    const { report, fingerprints } = await check(lines);
    expect(report).toMatchObject({
      fault: null,
      rows: lines.filter((line) => line.startsWith('{"row"')).length,
    });
    const [pinned = ''] = fingerprints;
    expect((await check(lines, pinned)).report.fault).toBeNull();
    await expect(check(lines, 'SHA256:another')).rejects.toThrow('SHA256:another');
  });

  it('is told from one that was changed, cut or made of other rows', async () => {
    const lines = await readLines();
    const at = 20;
    const number = (JSON.parse(lines[at] ?? '') as { row: { number: number } }).row.number;
    const changed = lines.with(at, (lines[at] ?? '').replace('"key.created"', '"key.deleted"'));
    expect((await check(changed)).report.fault).toMatchObject({ kind: 'changed', number });
    expect((await check(lines.toSpliced(at, 1))).report.fault).toMatchObject({ kind: 'missing', number });
    expect((await check(lines.slice(0, -1))).report.fault).toMatchObject({ kind: 'cut' });
    expect((await check(lines.toSpliced(-3, 2))).report.fault).not.toBeNull();
    const swapped = lines.with(at, lines[at + 1] ?? '').with(at + 1, lines[at] ?? '');
    expect((await check(swapped)).report.fault).toMatchObject({ number });
    await expect(check(['seq,at,action'])).rejects.toThrow('no JSON object');
    await expect(check(['{"seq":1}'])).rejects.toThrow('with filters');
  });
});

describe('a log of an older release', () => {
  it('is chained in batches, in its order, before new rows are, and is whole afterwards', async () => {
    const fresh = await startHarness();
    const { deps, clock } = fresh;
    try {
      // As the release before has left it: rows, and nothing of the chain.
      for (let index = 0; index < 450; index += 1)
        await record(fresh, `old-${index}`, systemCaller(deps.defaultWorkspace, 'test'));
      const { write } = deps.storage;
      const none = { number: null, form: null, previous_hash: null, hash: null, mac: null };
      await write.updateTable('audit').set(none).execute();
      for (const table of ['audit_heads', 'audit_checkpoints', 'audit_keys'] as const)
        await write.deleteFrom(table).execute();
      await write.deleteFrom('meta').where('name', '=', 'audit_chain').execute();

      const { database, masterKey } = fresh;
      const nodes = [
        await startHarness({ database, clock, masterKey }),
        await startHarness({ database, clock, masterKey }),
      ] as const;
      const by = systemCaller(deps.defaultWorkspace, 'test');
      await record(nodes[0], 'meanwhile', by);
      expect(faultsOf(await verify(nodes[0]))).toEqual([]);
      await expect(nodes[0].deps.audit.exportChain(by)).rejects.toMatchObject({ code: 'audit.not_chained' });
      await Promise.all([
        ...nodes.map(({ deps: { audit } }) => audit.chainBacklog()),
        ...Array.from({ length: 20 }, (_, index) =>
          record(nodes[index % 2] as Harness, `beside-${index}`, by),
        ),
      ]);
      await nodes[1].deps.audit.chainBacklog();
      await record(nodes[1], 'new', by);
      const reports = await verify(nodes[0]);
      expect(faultsOf(reports)).toEqual([]);
      const own = reports.find(({ workspaceId }) => workspaceId === by.workspace.id);
      expect(own?.waiting).toBe(0);
      expect(own?.rows).toBe((await listRows(fresh)).length);
      expect(own?.adopted).toBeGreaterThanOrEqual(451);

      // A day later nobody takes a row for an old one any more.
      await write
        .insertInto('audit')
        .values({ ...(await listRows(fresh))[0], ...none, seq: 1_000_000 } as never)
        .execute();
      clock.advance(2 * DAY_MS);
      await nodes[0].deps.audit.chainBacklog();
      expect(faultsOf(await verify(nodes[0]))).toMatchObject([{ kind: 'inserted', seq: 1_000_000 }]);
      for (const node of nodes) {
        await node.app.close();
        await node.deps.close();
      }
    } finally {
      await fresh.close();
    }
  });
});
