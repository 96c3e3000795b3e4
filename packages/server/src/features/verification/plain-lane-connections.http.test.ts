import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { buildApp } from '@keyreeve/server';
import {
  type App,
  type Company,
  describeOn,
  type Harness,
  misspell,
  seedCompany,
  startHarness,
} from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestCertificate } from '../../../../testkit/src/smtp-sink.ts';
import { openOtherDoors } from '../../serving/doors.ts';
import { createDrain } from '../../serving/drain.ts';

const DAY_MS = 86_400_000;

let harness: Harness;
let company: Company;
let port: number;
let key: string;

const mint = async (input: object = {}) =>
  await harness.deps.keys.create(company.adminCaller, company.member.id, {
    comment: 'x',
    access: 'account',
    ...input,
  });
const authorize = (fullKey: string, query = '', lines: readonly string[] = []) =>
  [`GET /v1/authorize${query} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${fullKey}`, ...lines]
    .join('\r\n')
    .concat('\r\n\r\n');
const verify = (body: string, fullKey: string) =>
  [
    'POST /v1/keys/verify HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${fullKey}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
const statusesIn = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code));
const portOf = (app: App) => (app.server.address() as AddressInfo).port;

/** What comes until there are so many answers, or until the server hangs up. */
async function read(socket: Socket, answers: number): Promise<string> {
  let text = '';
  await new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('data', (data: string) => {
      text += data;
      if (text.endsWith('\r\n\r\n') || text.endsWith('}')) {
        if (statusesIn(text).length >= answers) resolve();
      }
    });
  });
  return text;
}

async function ask(text: string, answers = 1): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const said = await read(socket, answers);
  socket.destroy();
  return said;
}

const statusOf = async (fullKey: string) => statusesIn(await ask(authorize(fullKey)))[0];
const countLane = (from: number) =>
  harness.logLines.slice(from).filter((line) => line.includes('"level":20') && line.includes('"request"'))
    .length;
/** The status, and that it was the lane which answered. */
const laneStatusOf = async (fullKey: string) => {
  const from = harness.logLines.length;
  const status = await statusOf(fullKey);
  return countLane(from) === 1 ? status : `routes: ${String(status)}`;
};

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  port = portOf(harness.app);
  key = (await mint()).fullKey.reveal();
  for (let requests = 0; requests < 3; requests += 1) await statusOf(key);
});
afterAll(() => harness.close());

/** The lane learns settings, and on PostgreSQL keys, from requests that it leaves to the routes. */
const warm = async (...fullKeys: string[]) => {
  for (const fullKey of [key, ...fullKeys])
    for (let requests = 0; requests < 2; requests += 1) await statusOf(fullKey);
};

/** The same for the lane of another server. */
async function teach(socket: Socket): Promise<void> {
  for (let requests = 0; requests < 3; requests += 1) {
    socket.write(authorize(key));
    await once(socket, 'data');
  }
}

describe('a connection to the lane', () => {
  it('whose client leaves in between harms nobody', async () => {
    await warm();
    for (const bytes of [
      authorize(key).repeat(50),
      verify(JSON.stringify({ key }), company.adminKey).repeat(50),
    ]) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      socket.write(bytes);
      socket.resetAndDestroy();
    }
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(await laneStatusOf(key)).toBe(204);
  });

  it('whose client never reads makes the server stop reading as well', async () => {
    await warm();
    const serverSide = once(harness.app.server, 'connection');
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const [peer] = (await serverSide) as [Socket];
    const requests = authorize(key).repeat(100);
    let isWritten = false;
    for (let sent = 0; sent < 1_000; sent += 1) socket.write(requests, () => (isWritten = sent === 999));
    let before = -1;
    while (before !== harness.logLines.length) {
      before = harness.logLines.length;
      for (let turns = 0; turns < 200; turns += 1) await turn();
    }
    expect(isWritten).toBe(false);
    expect(peer.writableLength).toBeLessThan(1024 * 1024);
    socket.destroy();
    expect(await laneStatusOf(key)).toBe(204);
  });

  it('ends where the client asks for it, and says so', async () => {
    await warm();
    const said = await ask(authorize(key, '', ['Connection: close']), 2);
    expect(statusesIn(said)).toEqual([204]);
    expect(said.toLowerCase()).toContain('connection: close');
  });

  it('that was given to Node is ended after a hundred plain answers, unless its client sends ahead', async () => {
    await warm();
    const countUntilEnd = async (...texts: string[]) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(authorize('nobody'));
      let said = await read(socket, 1);
      let answers = 0;
      while (answers < 300 && !said.toLowerCase().includes('connection: close')) {
        socket.write(texts.join(''));
        for (const name of ['data', 'close', 'error']) socket.removeAllListeners(name);
        said = await read(socket, texts.length);
        answers += statusesIn(said).length;
      }
      socket.destroy();
      return answers;
    };
    const [plain, other] = [authorize(key), authorize('nobody')];
    expect(await countUntilEnd(plain)).toBe(100);
    for (const texts of [
      [plain, plain],
      [plain, other],
      [other, plain],
    ])
      expect(await countUntilEnd(...texts)).toBe(300);
  });

  it('is told how long it is kept, and kept so long', async () => {
    const socket = connect(port, '127.0.0.1');
    const serverSide = once(harness.app.server, 'connection');
    socket.write(authorize(key));
    const [peer] = (await serverSide) as [Socket];
    expect((await read(socket, 1)).toLowerCase()).toContain('keep-alive: timeout=72\r\n');
    expect(peer.timeout).toBeGreaterThanOrEqual(72_000);
    socket.destroy();
  });
});

describe('the end of a server with the lane', () => {
  const start = async () => {
    const app = await buildApp(harness.deps);
    await app.listen({ host: '127.0.0.1', port: 0 });
    return app;
  };

  it('is told in each answer while it drains, and the connection ends with it', async () => {
    await warm();
    const app = await start();
    const socket = connect(portOf(app), '127.0.0.1');
    await teach(socket);
    const drain = createDrain(app.server);
    drain.endConnectionsWithAnswers();
    const isDrained = drain.stopListening();
    const from = harness.logLines.length;
    socket.write(authorize(key));
    const said = await read(socket, 2);
    expect(statusesIn(said)).toEqual([204]);
    expect(said.toLowerCase()).toContain('connection: close');
    expect(countLane(from)).toBe(1);
    await isDrained;
    await app.close();
  });

  it('waits for no client, and leaves no answer half written', async () => {
    await warm();
    const app = await start();
    const sockets = Array.from({ length: 5 }, () => connect(portOf(app), '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const answers = sockets.map((socket) => read(socket, 99));
    for (const socket of sockets) socket.write(authorize(key).repeat(4));
    await once(app.server, 'request');
    const drain = createDrain(app.server);
    drain.endConnectionsWithAnswers();
    const idle = setInterval(() => drain.closeIdle(), 1);
    await drain.stopListening();
    clearInterval(idle);
    await app.close();
    for (const text of await Promise.all(answers)) {
      expect(statusesIn(text).every((status) => status === 204)).toBe(true);
      expect(text === '' || text.endsWith('\r\n\r\n')).toBe(true);
    }
  });
});

describe('the lane', () => {
  it('lets a key pass until the instant at which it expires, and not at it', async () => {
    const { fullKey } = await mint({ lifetimeDays: 1 });
    await warm(fullKey.reveal());
    harness.clock.advance(DAY_MS - 1);
    expect(await laneStatusOf(fullKey.reveal())).toBe(204);
    harness.clock.advance(1);
    expect(await laneStatusOf(fullKey.reveal())).toBe('routes: 401');
  });

  it('lets the old secret pass until the overlap ends, however often it was proven, and the new one after it', async () => {
    const { keys } = harness.deps;
    const minted = await mint();
    const old = minted.fullKey.reveal();
    await warm(old);
    const renewed = await keys.regenerate(company.adminCaller, minted.key.id, { overlapHours: 24 });
    const fresh = renewed.fullKey.reveal();
    await warm(old, fresh);
    expect([await laneStatusOf(old), await laneStatusOf(fresh)]).toEqual([204, 204]);
    harness.clock.advance(DAY_MS);
    expect([await laneStatusOf(old), await laneStatusOf(fresh)]).toEqual(['routes: 401', 204]);
    await keys.regenerate(company.adminCaller, minted.key.id, {});
    expect(await laneStatusOf(fresh)).toBe('routes: 401');
  });

  it('lets no key of a disabled account pass, nor one asked about without an action once that is demanded', async () => {
    const { accounts, settings } = harness.deps;
    const robotKey = await harness.deps.keys.create(company.adminCaller, company.robot.id, {
      comment: 'x',
      access: 'account',
    });
    const text = robotKey.fullKey.reveal();
    await warm(text);
    expect(await laneStatusOf(text)).toBe(204);
    await accounts.update(company.adminCaller, 'service', company.robot.id, { state: 'disabled' }, null);
    expect(await laneStatusOf(text)).toBe('routes: 401');
    await warm();
    await settings.update(company.adminCaller, { requireAction: true }, null);
    expect(await laneStatusOf(key)).toBe('routes: 400');
    await settings.update(company.adminCaller, { requireAction: false }, null);
  });
});

describeOn('sqlite', 'the lane', () => {
  it('says over TLS what the routes say', async () => {
    await warm();
    const { cert, key: tlsKey } = createTestCertificate();
    const deps = { ...harness.deps, config: { ...harness.deps.config, tls: { cert, key: tlsKey } } };
    const apps = [await buildApp(deps), await buildApp(deps, { lane: 'none' })];
    const texts = [
      authorize(key),
      authorize(key, '?action=iam:settings:write'),
      verify(JSON.stringify({ key }), company.adminKey),
      authorize(misspell(key)),
    ];
    const said: string[] = [];
    let from = 0;
    for (const app of apps) {
      await app.listen({ host: '127.0.0.1', port: 0 });
      const socket = connectTls({
        port: portOf(app),
        host: '127.0.0.1',
        ca: cert,
        rejectUnauthorized: false,
      });
      await teach(socket);
      if (app === apps[0]) from = harness.logLines.length;
      socket.write(texts.join(''));
      const text = await read(socket, texts.length);
      said.push(
        text
          .replace(/^(?:date|x-request-id): .*\r\n/gim, '')
          .replace(/^[\w-]+:/gm, (name) => name.toLowerCase()),
      );
      socket.destroy();
      await app.close();
    }
    const sorted = said.map((text) => text.split('\r\n').toSorted());
    expect(sorted[0]).toEqual(sorted[1]);
    expect(statusesIn(said[0] ?? '')).toEqual(statusesIn(said[1] ?? ''));
    expect(said[0]).toContain('strict-transport-security');
    expect(countLane(from)).toBe(3);
  });

  it('knows at the very next request what another process has revoked', async () => {
    const minted = await mint();
    const text = minted.fullKey.reveal();
    await warm(text);
    const other = await startHarness({
      database: harness.database,
      clock: harness.clock,
      masterKey: harness.masterKey,
    });
    expect(await laneStatusOf(text)).toBe(204);
    await other.deps.keys.disable(company.adminCaller, minted.key.id, null);
    expect(await laneStatusOf(text)).toBe('routes: 401');
    await other.app.close();
    await other.deps.close();
  });

  it('leaves a fault of the database to the routes, and lives on', async () => {
    const unread = (await mint()).fullKey.reveal();
    await warm();
    const database = new DatabaseSync(path.join(harness.database.dataDir, 'keyreeve.db'));
    database.exec('alter table api_keys rename to away');
    const answers = [
      await statusOf(unread),
      statusesIn(await ask(verify(JSON.stringify({ key: unread }), company.adminKey)))[0],
    ];
    database.exec('alter table away rename to api_keys');
    database.close();
    expect(answers).toEqual([500, 500]);
    expect(await statusOf(unread)).toBe(204);
  });
});

describe('a server at localhost', () => {
  it('is found at each address of that name, until it drains', async () => {
    const app = await buildApp(harness.deps);
    await app.listen({ host: 'localhost', port: 0 });
    const addresses = ['127.0.0.1', '::1', '192.0.2.1'];
    const doors = await openOtherDoors(app.server, 'localhost', async () =>
      addresses.map((address) => ({ address })),
    );
    const listening = portOf(app);
    const statuses: (number | undefined)[] = [];
    for (const host of ['127.0.0.1', '::1']) {
      const socket = connect(listening, host);
      socket.write(authorize(key).repeat(2));
      statuses.push(...statusesIn(await read(socket, 2)));
      socket.destroy();
    }
    expect(statuses).toEqual([204, 204, 204, 204]);
    await createDrain(app.server, () => doors).stopListening();
    await expect(once(connect(listening, '::1'), 'connect')).rejects.toThrow('ECONNREFUSED');
    await app.close();
  });
});
