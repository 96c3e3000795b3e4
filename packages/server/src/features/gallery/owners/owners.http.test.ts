import type { Account, Caller } from '@keyreeve/server';
import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { DAY_MS } from '../../../lib/clock.ts';
import { inTransaction } from '../../../storage/index.ts';

let harness: Harness;
let gallery: Gallery;
let packages: Harness['deps']['packages'];
/** A package of the member, for each test another one. */
let tool = '';
let serial = 0;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  ({ packages } = harness.deps);
});
afterAll(() => harness.close());

beforeEach(async () => {
  tool = `Acme.Tool${(serial += 1)}`;
  await gallery.publish(gallery.keys.push, tool);
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
    await tx.deleteFrom('package_owner_requests').execute();
  });
});

const ownersOf = async (id: string) =>
  (await packages.get(gallery.adminCaller, id, { limit: 1 })).owners.toSorted();

async function mailsOf(kind: string): Promise<string[]> {
  const rows = await harness.deps.storage.read
    .selectFrom('outbox')
    .select(['to_address', 'about'])
    .where('kind', '=', kind)
    .orderBy('to_address')
    .execute();
  return rows.map((row) => `${row.to_address} ${row.about}`);
}

async function auditOf(): Promise<(string | null)[]> {
  const rows = await harness.deps.storage.read
    .selectFrom('audit')
    .select(['action', 'account_id', 'actor_id'])
    .where('target_id', '=', tool.toLowerCase())
    .where('action', '!=', 'package.pushed')
    .orderBy('seq')
    .execute();
  return rows.map((row) => `${row.action} ${nameOf(row.account_id)} by ${nameOf(row.actor_id)}`);
}

function nameOf(id: string | null): string {
  const found = [gallery.admin, gallery.member, gallery.stranger, gallery.robot].find((one) => one.id === id);
  return found?.displayName ?? String(id);
}

async function ask(by: Caller, account: string, id = tool): Promise<string> {
  const request = await packages.addOwner(by, id, account);
  if (request === null) throw new Error('It was added at once.');
  return request.id;
}

const incoming = async (caller: Caller) =>
  (await packages.listRequests(caller, { direction: 'incoming', limit: 50 })).items;

/** A user whom the stranger has nothing to do with, and a service account that he manages. */
async function addRobotOf(manager: Account): Promise<Account> {
  return await harness.createAccount({
    kind: 'service',
    technicalName: `other-robot-${(serial += 1)}`,
    displayName: 'Other robot',
    managers: [manager.id],
  });
}

describe('over HTTP, as the console asks', () => {
  interface Person {
    readonly id: string;
    readonly key: string;
    send(method: 'GET' | 'PUT' | 'POST', url: string, body?: unknown): ReturnType<typeof call>;
  }

  async function join(email: string): Promise<Person> {
    const password = 'Zaunkönig 4711!';
    const body = { email, displayName: email.split('@')[0], role: 'member', password };
    await call(harness, 'POST', '/v1/users', { key: gallery.adminKey, body });
    const signedIn = await call(harness, 'POST', '/v1/session', { body: { email, password } });
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0] ?? '';
    const send: Person['send'] = (method, url, content) =>
      call(harness, method, url, { headers: { cookie }, body: content });
    const { id } = (await send('GET', '/v1/session')).json<{ account: { id: string } }>().account;
    const minted = await send('POST', `/v1/accounts/${id}/keys`, { comment: 'push', access: 'account' });
    return { id, key: minted.json<{ fullKey: string }>().fullKey, send };
  }

  it('an account is asked to own a package, accepts, and pushes; a transfer takes that from the other', async () => {
    const [eve, lin] = [await join('eve@example.com'), await join('lin@example.com')];
    const id = `Team.Tool${serial}`;
    const push = async ({ key }: Person, version: string) =>
      (await gallery.publish(key, id, version)).statusCode;
    const requested = { state: 'requested', requestId: expect.stringMatching(/^/) as unknown };
    expect(await push(eve, '1.0.0')).toBe(201);
    expect(await push(lin, '1.1.0')).toBe(403);

    const asked = await eve.send('PUT', `/v1/packages/${id}/owners/${lin.id}`);
    expect([asked.statusCode, asked.json()]).toEqual([202, requested]);
    expect(await push(lin, '1.1.0')).toBe(403);
    const accept = (by: Person, requestId: string) =>
      by.send('POST', `/v1/owner-requests/${requestId}/accept`);
    const { requestId } = asked.json<{ requestId: string }>();
    expect((await accept(eve, requestId)).statusCode).toBe(404);
    expect((await accept(lin, requestId)).statusCode).toBe(204);
    expect((await accept(lin, requestId)).statusCode).toBe(404);
    expect(await push(lin, '1.1.0')).toBe(201);

    const mia = await join('mia@example.com');
    const handed = await eve.send('POST', `/v1/packages/${id}/transfer`, { account: 'mia@example.com' });
    expect([handed.statusCode, handed.json()]).toEqual([200, requested]);
    expect([await push(eve, '1.2.0'), await push(mia, '1.3.0')]).toEqual([201, 403]);
    expect((await accept(mia, handed.json<{ requestId: string }>().requestId)).statusCode).toBe(204);
    expect([await push(eve, '1.3.0'), await push(mia, '1.3.0'), await push(lin, '1.4.0')]).toEqual([
      403, 201, 201,
    ]);
  });
});

describe('an owner added by acceptance', () => {
  it('owns nothing before it accepts, and pushes from then on', async () => {
    const { stranger, strangerCaller, member, memberCaller } = gallery;
    const key = await gallery.makeKey(strangerCaller, stranger);
    const requestId = await ask(memberCaller, stranger.id);
    expect(await ownersOf(tool)).toEqual([member.id]);
    expect((await gallery.publish(key, tool, '2.0.0')).statusCode).toBe(403);
    expect(await mailsOf('package.owner_requested')).toEqual([`sam@example.com ${tool}`]);
    const [view] = await incoming(strangerCaller);
    expect(view).toMatchObject({
      request: { id: requestId, fromId: null },
      found: { displayId: tool },
      account: { id: stranger.id },
      requestedBy: { id: member.id },
      isForCaller: true,
    });
    await packages.accept(strangerCaller, requestId);
    expect(await ownersOf(tool)).toEqual([member.id, stranger.id].toSorted());
    expect((await gallery.publish(key, tool, '2.0.0')).statusCode).toBe(201);
    expect(await incoming(strangerCaller)).toEqual([]);
    expect(await auditOf()).toEqual([
      'package.owner_requested Sam by 芽衣',
      'package.owner_added Sam by Sam',
    ]);
    expect(await mailsOf('package.owners_changed')).toEqual([`mei@example.com ${tool}`]);
  });

  it('is found by its e-mail address or technical name as well', async () => {
    const other = await addRobotOf(gallery.stranger);
    await ask(gallery.memberCaller, 'Sam@example.com');
    await ask(gallery.memberCaller, other.technicalName ?? '');
    const { items } = await packages.listRequests(gallery.memberCaller, { packageId: tool, limit: 9 });
    expect(items.map((item) => item.account.id).toSorted()).toEqual(
      [gallery.stranger.id, other.id].toSorted(),
    );
    await expect(packages.addOwner(gallery.memberCaller, tool, 'nobody@example.com')).rejects.toMatchObject({
      code: 'request.not_found',
    });
  });

  it('is at once an account that the caller may act for, and anybody when an administrator adds it', async () => {
    expect(await packages.addOwner(gallery.memberCaller, tool, gallery.robot.id)).toBeNull();
    expect(await packages.addOwner(gallery.adminCaller, tool, gallery.stranger.id)).toBeNull();
    const { member, robot, stranger } = gallery;
    expect(await ownersOf(tool)).toEqual([member.id, robot.id, stranger.id].toSorted());
  });

  it('accepts as a service account through its managers, who are told', async () => {
    const { stranger, strangerCaller, memberCaller } = gallery;
    const other = await addRobotOf(stranger);
    const requestId = await ask(memberCaller, other.id);
    expect(await mailsOf('package.owner_requested')).toEqual([`sam@example.com ${tool}`]);
    await packages.accept(await harness.callerOf(stranger), requestId);
    expect(await ownersOf(tool)).toContain(other.id);
    expect(strangerCaller.principal).toMatchObject({ managedIds: [] });
  });

  it('may decline, and whoever asked is told', async () => {
    const requestId = await ask(gallery.memberCaller, gallery.stranger.id);
    await packages.decline(gallery.strangerCaller, requestId);
    expect(await ownersOf(tool)).toEqual([gallery.member.id]);
    expect(await mailsOf('package.owners_changed')).toEqual([`mei@example.com ${tool}`]);
    await expect(packages.accept(gallery.strangerCaller, requestId)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    expect(await auditOf()).toEqual([
      'package.owner_requested Sam by 芽衣',
      'package.owner_declined Sam by Sam',
    ]);
  });

  it('is asked once, however often it is asked', async () => {
    const first = await ask(gallery.memberCaller, gallery.stranger.id);
    expect(await ask(gallery.memberCaller, gallery.stranger.id)).toBe(first);
    expect(await mailsOf('package.owner_requested')).toHaveLength(1);
  });

  it('is asked once, and added once, when several do so at the same time', async () => {
    const { memberCaller, adminCaller, stranger } = gallery;
    const asked = await Promise.all(Array.from({ length: 6 }, () => ask(memberCaller, stranger.id)));
    expect(new Set(asked).size).toBe(1);
    await Promise.all(Array.from({ length: 6 }, () => packages.addOwner(adminCaller, tool, stranger.id)));
    expect(await ownersOf(tool)).toEqual([gallery.member.id, stranger.id].toSorted());
    expect((await auditOf()).filter((line) => line?.startsWith('package.owner_added'))).toHaveLength(1);
  });

  it('becomes one only once, when several of its managers accept at the same time', async () => {
    const requestId = await ask(gallery.memberCaller, gallery.stranger.id);
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map(() => packages.accept(gallery.strangerCaller, requestId)),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(await ownersOf(tool)).toHaveLength(2);
  });
});

describe('a request', () => {
  it.each(['accept', 'decline', 'withdraw'] as const)(
    'is not there for people whom it is not about: %s',
    async (verb) => {
      const requestId = await ask(gallery.memberCaller, gallery.stranger.id);
      const outsider = await harness.createAccount({
        kind: 'user',
        email: `${verb}@example.com`,
        displayName: 'Eve',
        role: 'member',
      });
      for (const id of [requestId, 'oreq_nothing']) {
        await expect(packages[verb](await harness.callerOf(outsider), id)).rejects.toMatchObject({
          code: 'request.not_found',
          detail: 'There is no such request, or it has run out, or it is not yours.',
        });
      }
      expect(await incoming(gallery.strangerCaller)).toHaveLength(1);
    },
  );

  it('cannot be accepted by whoever made it', async () => {
    const requestId = await ask(gallery.memberCaller, gallery.stranger.id);
    await expect(packages.accept(gallery.memberCaller, requestId)).rejects.toMatchObject({
      code: 'request.not_found',
    });
  });

  it('can be withdrawn by whoever manages the package', async () => {
    const requestId = await ask(gallery.memberCaller, gallery.stranger.id);
    await packages.withdraw(gallery.memberCaller, requestId);
    expect(await incoming(gallery.strangerCaller)).toEqual([]);
    expect((await auditOf()).at(-1)).toBe('package.owner_request_withdrawn Sam by 芽衣');
  });

  it('runs out after 30 days', async () => {
    const requestId = await ask(gallery.memberCaller, gallery.stranger.id);
    harness.clock.advance(30 * DAY_MS - 1);
    expect(await incoming(gallery.strangerCaller)).toHaveLength(1);
    harness.clock.advance(1);
    expect(await incoming(gallery.strangerCaller)).toEqual([]);
    await expect(packages.accept(gallery.strangerCaller, requestId)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    expect(await ask(gallery.memberCaller, gallery.stranger.id)).not.toBe(requestId);
  });

  it('is deleted once it has run out, and not before', async () => {
    await ask(gallery.memberCaller, gallery.stranger.id);
    const { storage } = harness.deps;
    const count = async () =>
      (await storage.read.selectFrom('package_owner_requests').select('id').execute()).length;
    harness.clock.advance(30 * DAY_MS - 1);
    await packages.sweepRequests();
    expect(await count()).toBe(1);
    harness.clock.advance(1);
    await packages.sweepRequests();
    expect(await count()).toBe(0);
  });

  it('is worth nothing once its maker may not hand out the ownership any more', async () => {
    const requestId = await ask(gallery.memberCaller, gallery.stranger.id);
    await packages.addOwner(gallery.adminCaller, tool, gallery.admin.id);
    await packages.removeOwner(gallery.adminCaller, tool, gallery.member.id);
    await expect(packages.accept(gallery.strangerCaller, requestId)).rejects.toMatchObject({
      code: 'package.request_void',
    });
    expect(await ownersOf(tool)).toEqual([gallery.admin.id]);
  });

  it('is worth nothing while its maker, or the account that is asked, is disabled', async () => {
    const { accounts } = harness.deps;
    const setState = (kind: 'user' | 'service', id: string, state: 'active' | 'disabled') =>
      accounts.update(gallery.adminCaller, kind, id, { state }, null);
    const robot = await addRobotOf(gallery.stranger);
    const manager = await harness.callerOf(gallery.stranger);
    const requestId = await ask(gallery.memberCaller, robot.id);
    for (const [kind, id] of [
      ['service', robot.id],
      ['user', gallery.member.id],
    ] as const) {
      await setState(kind, id, 'disabled');
      await expect(packages.accept(manager, requestId)).rejects.toMatchObject({
        code: 'package.request_void',
      });
      await setState(kind, id, 'active');
    }
    expect(await ownersOf(tool)).toEqual([gallery.member.id]);
    await packages.accept(manager, requestId);
    expect(await ownersOf(tool)).toEqual([gallery.member.id, robot.id].toSorted());
  });

  it('goes with each account that it is about', async () => {
    const other = await addRobotOf(gallery.stranger);
    await ask(gallery.memberCaller, other.id);
    await harness.deps.accounts.remove(gallery.adminCaller, 'service', other.id);
    const { items } = await packages.listRequests(gallery.memberCaller, { packageId: tool, limit: 9 });
    expect(items).toEqual([]);
  });

  it('is one of at most twenty of a package', async () => {
    for (let index = 0; index < 21; index += 1) {
      await harness.createAccount({
        kind: 'service',
        technicalName: `robot-${index}`,
        displayName: 'Robot',
        managers: [gallery.stranger.id],
      });
    }
    for (let index = 0; index < 20; index += 1) await ask(gallery.memberCaller, `robot-${index}`);
    await expect(packages.addOwner(gallery.memberCaller, tool, 'robot-20')).rejects.toMatchObject({
      code: 'package.too_many_requests',
    });
    const first = await packages.listRequests(gallery.memberCaller, { direction: 'outgoing', limit: 15 });
    const second = await packages.listRequests(gallery.memberCaller, {
      direction: 'outgoing',
      limit: 15,
      cursor: first.nextCursor ?? '',
    });
    const ids = [...first.items, ...second.items].map((item) => item.request.id);
    expect([ids.length, new Set(ids).size, second.nextCursor]).toEqual([20, 20, null]);
  });
});

describe('a transfer', () => {
  it('puts the other account in the place of the owner once it accepts, in one step', async () => {
    const { member, memberCaller, stranger, strangerCaller } = gallery;
    const key = await gallery.makeKey(strangerCaller, stranger);
    const request = await packages.transfer(memberCaller, tool, { account: stranger.id });
    expect(await ownersOf(tool)).toEqual([member.id]);
    expect((await incoming(strangerCaller))[0]).toMatchObject({ from: { id: member.id } });
    await packages.accept(strangerCaller, request?.id ?? '');
    expect(await ownersOf(tool)).toEqual([stranger.id]);
    expect((await gallery.publish(gallery.keys.push, tool, '2.0.0')).statusCode).toBe(403);
    expect((await gallery.publish(key, tool, '2.0.0')).statusCode).toBe(201);
    expect(await auditOf()).toEqual([
      'package.owner_requested Sam by 芽衣',
      'package.transferred Sam by Sam',
    ]);
    expect(await mailsOf('package.owners_changed')).toEqual([`mei@example.com ${tool}`]);
  });

  it('is done at once to an account that the caller may act for, and by administrators', async () => {
    const { member, memberCaller, robot, stranger, adminCaller } = gallery;
    expect(await packages.transfer(memberCaller, tool, { account: 'build-robot' })).toBeNull();
    expect(await ownersOf(tool)).toEqual([robot.id]);
    await packages.transfer(adminCaller, tool, { account: stranger.id });
    expect(await ownersOf(tool)).toEqual([stranger.id]);
    await expect(packages.transfer(memberCaller, tool, { account: member.id })).rejects.toMatchObject({
      code: 'auth.forbidden',
    });
  });

  it('leaves the other owners, and merges into an owner that is there', async () => {
    const { member, robot, stranger, memberCaller, adminCaller } = gallery;
    for (const one of [robot, stranger]) await packages.addOwner(adminCaller, tool, one.id);
    await expect(packages.transfer(memberCaller, tool, { account: stranger.id })).rejects.toMatchObject({
      code: 'request.invalid',
    });
    const wish = { account: stranger.id, fromId: robot.id };
    expect(await packages.transfer(memberCaller, tool, wish)).toBeNull();
    expect(await ownersOf(tool)).toEqual([member.id, stranger.id].toSorted());
  });

  it('hands over nobody else’s ownership', async () => {
    const { stranger, strangerCaller, memberCaller, member, robot } = gallery;
    await packages.addOwner(gallery.adminCaller, tool, stranger.id);
    await expect(
      packages.transfer(strangerCaller, tool, { account: stranger.id, fromId: member.id }),
    ).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(
      packages.transfer(memberCaller, tool, { account: stranger.id, fromId: robot.id }),
    ).rejects.toMatchObject({ code: 'request.not_found' });
    await expect(
      packages.transfer(memberCaller, tool, { account: member.id, fromId: member.id }),
    ).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('is void when the owner has lost the package in the meantime', async () => {
    const { stranger, strangerCaller, memberCaller, adminCaller, admin, member } = gallery;
    const request = await packages.transfer(memberCaller, tool, { account: stranger.id });
    await packages.transfer(adminCaller, tool, { account: admin.id, fromId: member.id });
    await expect(packages.accept(strangerCaller, request?.id ?? '')).rejects.toMatchObject({
      code: 'request.not_found',
    });
    expect(await ownersOf(tool)).toEqual([admin.id]);
  });

  it('and a removal at the same time never leave a package without an owner', async () => {
    const { stranger, strangerCaller, memberCaller, adminCaller, member } = gallery;
    const request = await packages.transfer(memberCaller, tool, { account: stranger.id });
    await packages.addOwner(adminCaller, tool, gallery.robot.id);
    await Promise.allSettled([
      packages.accept(strangerCaller, request?.id ?? ''),
      packages.removeOwner(adminCaller, tool, member.id),
      packages.removeOwner(adminCaller, tool, gallery.robot.id),
    ]);
    expect((await ownersOf(tool)).length).toBeGreaterThan(0);
  });
});
