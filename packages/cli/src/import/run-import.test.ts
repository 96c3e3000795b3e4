import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BodyOf, createClient } from '@keyreeve/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openImportFile } from './file.ts';
import { type ImportOptions, runImport } from './run-import.ts';

type Body = BodyOf<'importKeys'>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-import-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A server that remembers digests, as the real one does; `fail` may put something else in the place of an answer. */
function createServer(
  fail: (call: number, body: Body, store: () => void) => Response | Promise<Response> | null = () => null,
) {
  const stored = new Set<string>();
  const calls: Body[] = [];
  const answer = (body: Body): Response => {
    const errors = body.rows.flatMap(({ sha256, account }, index) => [
      ...(stored.has(sha256) ? [{ field: `rows[${index}].sha256`, message: 'is already imported' }] : []),
      ...(account === 'nobody'
        ? [{ field: `rows[${index}].account`, message: 'is not an account of this workspace' }]
        : []),
    ]);
    if (errors.length > 0) return problem(422, { code: 'key.import_faulty', errors });
    if (body.dryRun !== true) for (const { sha256 } of body.rows) stored.add(sha256);
    const keyIds = body.dryRun === true ? [] : body.rows.map(({ sha256 }) => `kr_${sha256.slice(0, 16)}`);
    return Response.json({ dryRun: body.dryRun === true, count: body.rows.length, keyIds });
  };
  const fetch: typeof globalThis.fetch = async (input) => {
    const body = (await (input as Request).json()) as Body;
    calls.push(body);
    const failure = await fail(calls.length, body, () => answer(body));
    return failure ?? answer(body);
  };
  return { client: createClient({ baseUrl: 'http://server.test', fetch }), stored, calls };
}

function problem(
  status: number,
  rest: { code: string; errors?: object[] },
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { type: 'x', title: 'x', status, detail: 'Refused.', instance: 'req', ...rest },
    { status, headers },
  );
}

function write(rows: number, account: (row: number) => string = () => 'ada@example.com') {
  const file = path.join(folder, 'keys.csv');
  const lines = Array.from({ length: rows }, (_, row) => {
    const sha256 = createHash('sha256').update(String(row)).digest('hex');
    return `${account(row)},key ${row},full,,${sha256}`;
  });
  writeFileSync(file, `account,comment,access,expiresAt,sha256\n${lines.join('\n')}\n`);
  return openImportFile(file, undefined);
}

function optionsOf(options: Partial<ImportOptions> = {}): ImportOptions {
  return {
    isDryRun: false,
    skipImported: false,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...options,
  };
}

describe('an import', () => {
  it('checks every batch before it imports the first', async () => {
    const { client, calls, stored } = createServer();
    const report = await runImport(client, write(450), optionsOf());
    expect(calls.map(({ dryRun, rows }) => [dryRun, rows.length])).toEqual([
      [true, 200],
      [true, 200],
      [true, 50],
      [false, 200],
      [false, 200],
      [false, 50],
    ]);
    expect(report).toMatchObject({
      rows: 450,
      imported: 450,
      skipped: 0,
      batchesDone: 3,
      faultCount: 0,
      stop: null,
    });
    expect(stored.size).toBe(450);
    expect(report.keys[0]?.line).toBe(2);
    expect(report.keys.at(-1)?.line).toBe(451);
  });

  it('stores nothing when a row of the last batch is faulty, and names its line', async () => {
    const { client, stored } = createServer();
    const report = await runImport(
      client,
      write(450, (row) => (row === 449 ? 'nobody' : 'ada@example.com')),
      optionsOf(),
    );
    expect(report.faults).toEqual([{ line: 451, message: 'account is not an account of this workspace' }]);
    expect(stored.size).toBe(0);
  });

  it('asks the server nothing when a row is malformed or a credential occurs twice', async () => {
    const { client, calls } = createServer();
    const file = path.join(folder, 'keys.jsonl');
    const row = { account: 'a', comment: 'b', access: 'full', credential: 'same' };
    writeFileSync(file, [row, { ...row, account: '' }, row].map((one) => JSON.stringify(one)).join('\n'));
    const report = await runImport(client, openImportFile(file, undefined), optionsOf());
    expect(report.faults.map(({ line }) => line)).toEqual([2, 3]);
    expect(report.faults[1]?.message).toBe('holds the same credential as line 1');
    expect(calls).toEqual([]);
  });

  it('only checked stores nothing', async () => {
    const { client, stored } = createServer();
    const report = await runImport(client, write(3), optionsOf({ isDryRun: true }));
    expect(report).toMatchObject({ rows: 3, imported: 0, faultCount: 0 });
    expect(stored.size).toBe(0);
  });

  it('of 1,000 faulty rows keeps the first hundred and counts all', async () => {
    const { client } = createServer();
    const report = await runImport(
      client,
      write(1_000, () => 'nobody'),
      optionsOf(),
    );
    expect(report.faultCount).toBe(1_000);
    expect(report.faults).toHaveLength(100);
  });
});

describe('an import that breaks off', () => {
  it('says which batches are done and which is unknown, and goes on with --skip-imported', async () => {
    // Calls 1 to 3 check; the second batch is stored, but its answer is lost.
    const broken = createServer((call, _body, store) => {
      if (call !== 5) return null;
      store();
      return Promise.reject(new TypeError('fetch failed'));
    });
    const report = await runImport(broken.client, write(450), optionsOf());
    expect(report).toMatchObject({
      imported: 200,
      batchesDone: 1,
      stop: { isUnknown: true, batch: { number: 2 } },
    });
    expect(broken.stored.size).toBe(400);

    const strict = await runImport(broken.client, write(450), optionsOf());
    expect(strict).toMatchObject({ faultCount: 400, imported: 0 });
    const again = await runImport(broken.client, write(450), optionsOf({ skipImported: true }));
    expect(again).toMatchObject({ imported: 50, skipped: 400, stop: null, faultCount: 0 });
    expect(broken.stored.size).toBe(450);
  });

  it('because the server refuses knows that the batch was not stored', async () => {
    const { client } = createServer((call) => (call === 3 ? problem(403, { code: 'auth.forbidden' }) : null));
    const report = await runImport(client, write(250), optionsOf());
    expect(report).toMatchObject({ imported: 0, stop: { isUnknown: false, batch: { number: 1 } } });
  });

  it('at Ctrl-C finishes the batch under way and begins no other', async () => {
    const interruption = new AbortController();
    const { client, stored } = createServer((call) => {
      if (call === 4) interruption.abort();
      return null;
    });
    const report = await runImport(client, write(450), optionsOf({ signal: interruption.signal }));
    expect(report).toMatchObject({
      imported: 200,
      batchesDone: 1,
      stop: { isUnknown: false, batch: { number: 2 } },
    });
    expect(report.stop?.error).toMatchObject({ exitCode: 130 });
    expect(stored.size).toBe(200);
  });

  it('at Ctrl-C before the first import stores nothing', async () => {
    const interruption = new AbortController();
    interruption.abort();
    const { client, stored } = createServer();
    const running = runImport(client, write(3), optionsOf({ signal: interruption.signal }));
    await expect(running).rejects.toMatchObject({ code: 'cli.interrupted' });
    expect(stored.size).toBe(0);
  });
});

describe('a busy server', () => {
  it('is asked again after the time that it names', async () => {
    const { client, stored } = createServer((call) =>
      call === 2 ? problem(503, { code: 'request.unavailable' }, { 'retry-after': '0' }) : null,
    );
    expect(await runImport(client, write(3), optionsOf())).toMatchObject({ imported: 3, stop: null });
    expect(stored.size).toBe(3);
  });

  it('that had stored the batch all the same is no fault', async () => {
    const { client } = createServer((call, _body, store) => {
      if (call !== 2) return null;
      store();
      return problem(503, { code: 'request.unavailable' }, { 'retry-after': '0' });
    });
    expect(await runImport(client, write(3), optionsOf())).toMatchObject({
      imported: 3,
      stop: null,
      faultCount: 0,
    });
  });
});

describe('a file', () => {
  it.each([
    ['in UTF-16', Buffer.from('account,comment', 'utf16le'), /UTF-8|must name the columns/],
    [
      'in Latin-1',
      Buffer.from('account,comment,access,expiresAt,sha256\nJosé,x,full,,x', 'latin1'),
      /not in UTF-8/,
    ],
    ['without rows', Buffer.from('account,comment,access,expiresAt,sha256\n'), /no rows/],
    ['that is empty', Buffer.from(''), /no rows/],
  ])('%s is refused with a reason', async (_name, bytes, message) => {
    const file = path.join(folder, 'keys.csv');
    writeFileSync(file, bytes);
    const { client, calls } = createServer();
    const outcome = await runImport(client, openImportFile(file, undefined), optionsOf()).then(
      ({ faults }) => faults.map((fault) => fault.message).join(),
      String,
    );
    expect(outcome).toMatch(message);
    expect(calls).toEqual([]);
  });

  it('with a byte order mark is read', async () => {
    const file = path.join(folder, 'keys.csv');
    writeFileSync(file, `\ufeffaccount,comment,access,credential\nada,x,full,secret\n`);
    expect(
      await runImport(createServer().client, openImportFile(file, undefined), optionsOf()),
    ).toMatchObject({ imported: 1 });
  });

  it('that changes between check and import is not imported', async () => {
    const file = write(3);
    const { client, stored } = createServer((call) => {
      if (call === 1) write(4);
      return null;
    });
    await expect(runImport(client, file, optionsOf())).rejects.toThrow('changed meanwhile');
    expect(stored.size).toBe(0);
  });

  it('that is missing or a folder is refused', () => {
    expect(() => openImportFile(path.join(folder, 'none'), undefined)).toThrow('no file');
    expect(() => openImportFile(folder, undefined)).toThrow('not a regular file');
  });
});
