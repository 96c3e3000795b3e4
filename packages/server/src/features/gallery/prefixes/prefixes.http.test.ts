import { call, type Harness, readAllPages, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';

interface Prefix {
  id: string;
  pattern: string;
  accounts: { id: string }[];
  version: number;
}

const RESERVED =
  'This package ID has been reserved (AzureRM.*). Ask the owner of the reserved prefix or an administrator for access to it, or push under a different ID.';

let harness: Harness;
let gallery: Gallery;
let memberKey: string;
let strangerKey: string;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  memberKey = await gallery.makeKey(gallery.memberCaller, gallery.member);
  strangerKey = await gallery.makeKey(gallery.strangerCaller, gallery.stranger);
});
afterAll(() => harness.close());

const send = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown, ifMatch?: string) =>
  call(harness, method, `/v1/package-prefixes${url}`, {
    key: gallery.adminKey,
    body,
    ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
  });

async function reserve(pattern: string, ...accountIds: string[]): Promise<Prefix> {
  const answer = await send('POST', '', { pattern, accountIds });
  expect([pattern, answer.statusCode]).toEqual([pattern, 201]);
  return answer.json<Prefix>();
}

const push = async (key: string, id: string, version = '1.0.0') => {
  const { statusCode, body } = await gallery.publish(key, id, version);
  return [statusCode, body];
};

describe('a reserved prefix', () => {
  it('[keys 124] is refused to others with 409, in the words of nuget.org, in the phrase and the body', async () => {
    await reserve('AzureRM.*', gallery.member.id);
    const answer = await gallery.publish(strangerKey, 'AzureRM.Storage');
    expect([answer.statusCode, answer.body, answer.raw.res.statusMessage]).toEqual([409, RESERVED, RESERVED]);
    expect(await push(strangerKey, 'azurerm.storage')).toEqual([409, RESERVED]);
    expect(await push(memberKey, 'AzureRM.Storage')).toEqual([201, '']);
    expect(await push(strangerKey, 'AzureRM')).toEqual([201, '']);
    expect(await push(strangerKey, 'AzureRMX.Tool')).toEqual([201, '']);
  });

  it('[keys 124] that is reserved for nobody has a text of its own', async () => {
    await reserve('Nobody.*');
    expect(await push(memberKey, 'Nobody.Tool')).toEqual([
      409,
      'This package ID has been reserved (Nobody.*). Ask an administrator for it, or push under a different ID.',
    ]);
  });

  it('does not touch packages that are there', async () => {
    expect(await push(strangerKey, 'Early.Tool')).toEqual([201, '']);
    await reserve('Early.*', gallery.member.id);
    expect(await push(strangerKey, 'Early.Tool', '2.0.0')).toEqual([201, '']);
    expect((await push(strangerKey, 'Early.Other'))[0]).toBe(409);
    expect((await push(memberKey, 'Early.Tool', '3.0.0'))[0]).toBe(403);
  });

  it('may be shared, and follows its changes at once', async () => {
    const prefix = await reserve('Shared.*', gallery.member.id, gallery.stranger.id);
    expect((await push(memberKey, 'Shared.A'))[0]).toBe(201);
    expect((await push(strangerKey, 'Shared.B'))[0]).toBe(201);
    const patched = await send('PATCH', `/${prefix.id}`, { accountIds: [gallery.member.id] }, '"1"');
    expect([patched.statusCode, patched.headers['etag']]).toEqual([200, '"2"']);
    expect((await push(strangerKey, 'Shared.C'))[0]).toBe(409);
    expect((await send('DELETE', `/${prefix.id}`)).statusCode).toBe(204);
    expect((await push(strangerKey, 'Shared.C'))[0]).toBe(201);
  });

  it('is the longest that matches; a whole id is longer than its beginning', async () => {
    await reserve('Long.*', gallery.member.id);
    await reserve('Long.Team.*', gallery.stranger.id);
    await reserve('Long.Team.One', gallery.member.id);
    expect((await push(strangerKey, 'Long.Tool'))[0]).toBe(409);
    expect((await push(strangerKey, 'Long.Team.Tool'))[0]).toBe(201);
    expect((await push(memberKey, 'Long.Team.Other'))[0]).toBe(409);
    expect((await push(strangerKey, 'Long.Team.One'))[0]).toBe(409);
    expect((await push(memberKey, 'long.team.ONE'))[0]).toBe(201);
    await reserve('Long.Team.Two*', gallery.stranger.id);
    await reserve('Long.Team.Two', gallery.member.id);
    expect((await push(strangerKey, 'Long.Team.Two'))[0]).toBe(409);
    expect((await push(strangerKey, 'Long.Team.Twofold'))[0]).toBe(201);
  });

  it('counts for the account that a key acts for, not for that of the key', async () => {
    await reserve('Robots.*', gallery.robot.id);
    const forRobot = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      ownerId: gallery.robot.id,
    });
    expect((await push(memberKey, 'Robots.Tool'))[0]).toBe(409);
    expect((await push(forRobot, 'Robots.Tool'))[0]).toBe(201);
  });

  it('is told only to keys that may push new packages of that name', async () => {
    const narrow = await gallery.makeKey(gallery.strangerCaller, gallery.stranger, {
      actions: ['package:push'],
      resources: ['Mine.*'],
    });
    expect(await push(narrow, 'AzureRM.Other')).toEqual([
      403,
      'This API key may push new packages that match Mine.*; AzureRM.Other does not match',
    ]);
  });

  it('and a push at the same time end as if one had come after the other', async () => {
    for (let round = 0; round < 8; round += 1) {
      const id = `Race${round}.Tool`;
      const [pushed, reserved] = await Promise.all([
        gallery.publish(strangerKey, id),
        send('POST', '', { pattern: `Race${round}.*`, accountIds: [gallery.member.id] }),
      ]);
      expect([pushed.statusCode, reserved.statusCode]).toEqual([expect.toBeOneOf([201, 409]), 201]);
      // From here on it is reserved: only the package that came before it takes versions.
      expect((await push(strangerKey, `Race${round}.Other`))[0]).toBe(409);
      expect((await push(strangerKey, id, '2.0.0'))[0]).toBe(pushed.statusCode === 201 ? 201 : 409);
    }
  });

  it('loses an account that is deleted, and stays', async () => {
    const account = await harness.createAccount({
      kind: 'service',
      technicalName: 'leaver',
      displayName: 'Leaver',
    });
    const prefix = await reserve('Leaver.*', account.id);
    await harness.deps.accounts.remove(gallery.adminCaller, 'service', account.id);
    expect((await send('GET', `/${prefix.id}`)).json<Prefix>().accounts).toEqual([]);
    expect((await push(memberKey, 'Leaver.Tool'))[0]).toBe(409);
  });
});

describe('reservations', () => {
  it('are listed by pattern, in pages', async () => {
    const read = (query: string) => send('GET', query);
    const all = (await read('?limit=200')).json<{ items: Prefix[] }>().items.map((item) => item.pattern);
    expect(all).toEqual(all.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
    const paged = await readAllPages<Prefix>(read, '?limit=2');
    expect(paged.map((item) => item.pattern)).toEqual(all);
  });

  it.each(['', '*', 'Acme.*.Tool', 'A*B', '*.Tool', 'Kelvin\u212A*', 'a b*', '.Acme*', 'a'.repeat(102)])(
    'are refused for the pattern %j',
    async (pattern) => {
      const answer = await send('POST', '', { pattern, accountIds: [] });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'request.invalid']);
    },
  );

  it('are made once, for accounts of the workspace, and changed with the version that was seen', async () => {
    const prefix = await reserve('Once.*');
    expect((await send('POST', '', { pattern: 'ONCE.*', accountIds: [] })).json()).toMatchObject({
      code: 'package.prefix_taken',
    });
    const unknown = await send('POST', '', { pattern: 'Two.*', accountIds: ['acc_nobody'] });
    expect(unknown.json()).toMatchObject({ code: 'request.invalid', errors: [{ field: 'accountIds' }] });
    const url = `/${prefix.id}`;
    expect((await send('PATCH', url, { accountIds: [] })).statusCode).toBe(428);
    expect((await send('PATCH', url, { accountIds: [] }, '"7"')).statusCode).toBe(412);
    expect((await send('GET', '/pfx_nothing')).statusCode).toBe(404);
  });

  it('are for administrators alone, and written down', async () => {
    const answer = await call(harness, 'GET', '/v1/package-prefixes', { key: memberKey });
    expect(answer.statusCode).toBe(403);
    const rows = await harness.deps.storage.read
      .selectFrom('audit')
      .select(['action', 'target_name'])
      .where('action', 'like', 'package_prefix.%')
      .where('target_name', '=', 'Shared.*')
      .orderBy('seq')
      .execute();
    expect(rows.map((row) => row.action)).toEqual([
      'package_prefix.created',
      'package_prefix.changed',
      'package_prefix.deleted',
    ]);
  });
});
