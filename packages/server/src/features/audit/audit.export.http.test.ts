import { once } from 'node:events';
import { createConnection } from 'node:net';
import { type Account, buildApp, type Caller, inTransaction } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toIso } from '../../lib/clock.ts';
import { toCsvFile } from './audit-export.ts';
import { createAuditReader } from './audit-reader.ts';

const HEADINGS =
  'seq,at,action,actorKind,actorId,actorName,actorKeyId,targetKind,targetId,targetName,accountId,keyId,ip,userAgent,requestId,detail';

let harness: Harness;
let admin: Account;
let caller: Caller;
let key: string;
let keyId: string;

beforeAll(async () => {
  harness = await startHarness();
  admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
  });
  caller = await harness.callerOf(admin);
  const minted = await harness.deps.keys.create(caller, admin.id, {
    comment: 'Exporter',
    access: 'scoped',
    scopes: [{ actions: ['iam:audit:read'], resources: ['*'] }],
  });
  key = minted.fullKey.reveal();
  keyId = minted.key.id;
});
afterAll(() => harness.close());

const get = (url: string) => harness.app.inject({ url, headers: { 'x-api-key': key } });

async function record(name: string, count = 1): Promise<void> {
  await inTransaction(harness.deps.storage, async (tx) => {
    for (let index = 0; index < count; index += 1)
      await harness.deps.audit.record(tx, caller, {
        action: 'package.pushed',
        target: { kind: 'package', id: 'x', name },
        detail: { index },
      });
  });
}

describe('the export of the audit log', () => {
  it('is a CSV file for spreadsheets: named by the day, with a byte order mark, one line an entry', async () => {
    await record('Nightly');
    const answer = await get('/v1/audit/export?q=nightly');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    const day = toIso(harness.clock.now()).slice(0, 10);
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="keyreeve-audit-${day}.csv"`);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.rawPayload.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
    const [headings, line, end, ...rest] = answer.payload.slice(1).split('\r\n');
    expect([headings, end, rest]).toEqual([HEADINGS, '', []]);
    const at = toIso(harness.clock.now());
    expect(line).toMatch(/^\d+,/);
    expect(line?.replace(/^\d+/, 'SEQ')).toBe(
      `SEQ,${at},package.pushed,session,${admin.id},"ada@example.com",,package,x,Nightly,,,127.0.0.1,test,req_test,"{""index"":0}"`,
    );
  });

  it('computes nothing in a spreadsheet, whatever people call their things', async () => {
    const hostile = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '＝cmd', '=HYPERLINK("https://evil.example")'];
    for (const name of hostile) await record(`${name} hostile`);
    const { payload } = await get('/v1/audit/export?q=hostile');
    for (const name of hostile) expect(payload).toContain(`,"'${name.replaceAll('"', '""')} hostile",`);
    expect(payload).not.toMatch(/(^|[\r\n,;"])[=+@\t＝-]/m);
  });

  it('takes the filters of the list, newest first', async () => {
    await record('entry-older');
    await record('entry-newer');
    const names = async (query: string) =>
      (await get(`/v1/audit/export?${query}`)).payload
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.split(',')[9]);
    expect(await names(`q=entry-&action=package.&actor=${admin.id}`)).toEqual(['entry-newer', 'entry-older']);
    expect(await names('q=older&outcome=done')).toEqual(['entry-older']);
    expect(await names('q=older&outcome=refused')).toEqual([]);
    expect(await names('key=kr_none')).toEqual([]);
    expect((await get('/v1/audit/export?limit=10')).statusCode).toBe(400);
    expect((await get('/v1/audit/export?since=yesterday')).statusCode).toBe(400);
  });

  it('is itself written down, with what was asked for', async () => {
    await get('/v1/audit/export?action=key.&since=2026-01-01T09:00:00%2B09:00');
    const page = await harness.deps.audit.list(caller, { action: 'audit.exported' }, { limit: 1 });
    expect(page.items[0]).toMatchObject({
      actor_kind: 'key',
      actor_id: admin.id,
      actor_key_id: keyId,
      target_kind: 'audit',
      target_id: caller.workspace.id,
    });
    expect(JSON.parse(page.items[0]?.detail ?? '')).toEqual({
      action: 'key.',
      since: '2026-01-01T00:00:00.000Z',
    });
    const refused = await harness.app.inject({ url: '/v1/audit/export' });
    expect(refused.statusCode).toBe(401);
    const after = await harness.deps.audit.list(caller, { action: 'audit.exported' }, { limit: 200 });
    expect(after.items[0]?.seq).toBe(page.items[0]?.seq);
  });

  it('keeps no secret that was pasted into the search', async () => {
    const secretKey = key.slice(-49);
    for (const pasted of [key, `leaked: ${key}!`, secretKey, key.slice(0, -10)])
      await get(`/v1/audit/export?q=${encodeURIComponent(pasted)}`);
    await get(`/v1/audit/export?q=${admin.id}`);
    await get(`/v1/audit/export?q=${keyId}`);
    const { items } = await harness.deps.audit.list(caller, { action: 'audit.exported' }, { limit: 6 });
    const searched = items.map((row) => (JSON.parse(row.detail) as { q: string }).q);
    expect(searched).toEqual([keyId, admin.id, '[masked]', '[masked]', 'leaked: [masked]!', '[masked]']);
  });

  it('breaks off when the caller loses the right to it in the middle', async () => {
    await record('broken off', 300);
    const { audit, keys } = harness.deps;
    const stolen = await keys.create(caller, admin.id, {
      comment: 'Stolen',
      access: 'scoped',
      scopes: [{ actions: ['iam:audit:read'], resources: ['*'] }],
    });
    let read = 0;
    async function* disabling(pieces: AsyncIterable<string>) {
      for await (const piece of pieces) {
        read += 1;
        if (read === 3) await keys.disable(caller, stolen.key.id, 'stolen');
        yield piece;
      }
    }
    const app = await buildApp({
      ...harness.deps,
      audit: {
        ...audit,
        exportCsv: async (...question) => {
          const { at, pieces } = await audit.exportCsv(...question);
          return { at, pieces: disabling(pieces) };
        },
      },
    });
    const answer = await app.inject({
      url: '/v1/audit/export?q=broken',
      headers: { 'x-api-key': stolen.fullKey.reveal() },
      payloadAsStream: true,
    });
    expect(answer.statusCode).toBe(200);
    await expect(answer.stream().toArray()).rejects.toThrow();
    expect(read).toBe(3);
    await app.close();
  });

  it('answers HEAD as a method that it does not have, and writes nothing down', async () => {
    const before = await harness.deps.audit.list(caller, { action: 'audit.exported' }, { limit: 1 });
    const answer = await harness.app.inject({
      method: 'HEAD',
      url: '/v1/audit/export',
      headers: { 'x-api-key': key },
    });
    expect(answer.statusCode).toBe(405);
    const after = await harness.deps.audit.list(caller, { action: 'audit.exported' }, { limit: 1 });
    expect(after.items[0]?.seq).toBe(before.items[0]?.seq);
  });

  it('holds every entry once, over many reads of the database', async () => {
    await record('counted', 1_234);
    const { payload } = await get('/v1/audit/export?q=counted');
    const lines = payload.split('\r\n').slice(1, -1);
    expect(lines).toHaveLength(1_234);
    expect(new Set(lines.map((line) => line.split(',')[0])).size).toBe(1_234);
  });

  it('ends at its bound', async () => {
    await record('bounded', 300);
    const reader = createAuditReader(harness.deps.storage);
    const read = async (rowsMax: number) => {
      let count = 0;
      for await (const rows of reader.readAll(caller, { q: 'bounded' }, rowsMax)) count += rows.length;
      return count;
    };
    expect([await read(250), await read(100), await read(1), await read(0), await read(1_000)]).toEqual([
      250, 100, 1, 0, 300,
    ]);
  });

  it('reads on only as fast as it is read, and stops when nobody reads any more', async () => {
    await record('slow', 1_000);
    const reader = createAuditReader(harness.deps.storage);
    let batches = 0;
    async function* counting() {
      for await (const rows of reader.readAll(caller, { q: 'slow' }, 1_000)) {
        batches += 1;
        yield rows;
      }
    }
    const pieces = toCsvFile(counting());
    await pieces.next();
    expect(batches).toBe(0);
    await pieces.next();
    expect(batches).toBe(1);
    await pieces.return(undefined);
    expect(batches).toBe(1);
  });

  it('leaves the server whole when the reader goes away in the middle', async () => {
    await record('x'.repeat(20_000), 300);
    const address = await harness.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = new URL(address);
    const socket = createConnection(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`GET /v1/audit/export HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${key}\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
    const answer = await fetch(`${address}/v1/audit/actions`, { headers: { 'x-api-key': key } });
    expect(answer.status).toBe(200);
    expect(harness.logLines.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});
