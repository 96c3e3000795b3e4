import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let harness: Harness;
let company: Company;
let port = 0;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  const address = harness.app.server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});
afterAll(() => harness.close());

interface HeldRequest {
  /** Sends the last byte of the body and resolves with the whole answer. */
  finish(): Promise<string>;
}

/** Sends a request but for the last byte of its body, long enough ago for the server to have looked at its head. */
async function hold(path: string, fullKey: string, body: unknown): Promise<HeldRequest> {
  const text = JSON.stringify(body);
  const socket = connect(port, '127.0.0.1');
  const answered = new Promise<string>((resolve) => {
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
  socket.write(
    [
      `POST ${path} HTTP/1.1`,
      'Host: localhost:8080',
      'Connection: close',
      `Authorization: Bearer ${fullKey}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(text)}`,
      '',
      text.slice(0, -1),
    ].join('\r\n'),
  );
  await wait(100);
  return {
    finish: async () => {
      socket.write(text.slice(-1));
      return await answered;
    },
  };
}

const mint = (comment: string) =>
  harness.deps.keys.create(company.adminCaller, company.admin.id, {
    comment,
    access: 'scoped',
    scopes: [{ actions: ['iam:*', 'package:*'], resources: ['*'] }],
  });

async function countsOf(keyId: string): Promise<Record<string, number>> {
  const { usage, defaultWorkspace } = harness.deps;
  await usage.flush();
  const hours = await usage.listHours(defaultWorkspace.id, keyId, 0);
  return Object.fromEntries(hours.map(({ outcome, count }) => [outcome, count]));
}

describe('a request whose body is still on its way', () => {
  it('changes nothing once its key was revoked, however early its head came', async () => {
    const { key, fullKey } = await mint('stolen');
    const held = await hold('/v1/users', fullKey.reveal(), {
      email: 'eve@example.com',
      displayName: 'Eve',
      role: 'admin',
    });
    await harness.deps.keys.disable(company.adminCaller, key.id, 'stolen');
    const answer = await held.finish();
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain('auth.key_disabled');
    const found = await call(harness, 'GET', '/v1/users?q=eve', { key: company.adminKey });
    expect(found.json()).toMatchObject({ items: [] });
  });

  it('is held to the rights that are left when it is complete', async () => {
    const { key, fullKey } = await mint('narrowed');
    const held = await hold('/v1/users', fullKey.reveal(), { email: 'eve@example.com', displayName: 'Eve' });
    await harness.deps.keys.update(
      company.adminCaller,
      key.id,
      { scopes: [{ actions: ['iam:*', 'package:*'], resources: ['nothing'] }] },
      null,
    );
    expect(await held.finish()).toContain('auth.insufficient_scope');
  });

  it('is served when nothing has changed, and counts as one use', async () => {
    const { key, fullKey } = await mint('slow');
    const held = await hold('/v1/users', fullKey.reveal(), {
      email: 'slow@example.com',
      displayName: 'Slow',
    });
    expect(await held.finish()).toMatch(/^HTTP\/1\.1 201 /);
    expect(await countsOf(key.id)).toEqual({ valid: 1 });
  });

  it('counts at a gateway by what it comes to, once', async () => {
    const { key, fullKey } = await mint('at the gateway');
    const served = await hold('/v1/authorize', fullKey.reveal(), {});
    expect(await served.finish()).toMatch(/^HTTP\/1\.1 204 /);
    const held = await hold('/v1/authorize', fullKey.reveal(), {});
    await harness.deps.keys.disable(company.adminCaller, key.id, 'stolen');
    expect(await held.finish()).toMatch(/^HTTP\/1\.1 401 /);
    expect(await countsOf(key.id)).toEqual({ valid: 1, disabled: 1 });
  });
});
