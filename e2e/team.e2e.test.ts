import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ifMatch, type ServiceAccount } from '../packages/sdk/src/index.ts';
import { addMember, addServiceAccount, mintKey, type Person, signIn } from './console.ts';
import { createNugetClients, type NugetClients } from './nuget.ts';
import { show } from './run.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

/** Two people of one team, each with a key for the packages that he works on; the team owns them all. */
const place = openWorkplace();
let server: ServerProcess;
let nuget: NugetClients;
let admin: Person;
let mei: Person;
let ken: Person;
let team: ServiceAccount;
let meiKey: string;
let kenKey: string;

const teamKey = async (person: Person, resources: string[]) => {
  const scopes = [{ actions: ['package:push'], resources }];
  const body = {
    comment: 'My part of the team',
    access: 'scoped' as const,
    scopes,
    ownerId: team.id,
    lifetimeDays: 365,
  };
  return (await mintKey(person, person.accountId, body)).fullKey;
};

const push = async (key: string, id: string, version: string) =>
  await nuget.modern.push(nuget.writePackage({ id, version }).file, key, `${server.url}/api/v2/package`);

beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  nuget = createNugetClients(path.join(place.folder, 'packages'));
  admin = await signIn(server.url);
  mei = await addMember(server.url, admin, 'mei@example.com', '芽衣');
  ken = await addMember(server.url, admin, 'ken@example.com', '健');
  team = await addServiceAccount(admin, 'azure-team', [mei, ken]);
  meiKey = await teamKey(mei, ['AzureRM.DataFactory*']);
  kenKey = await teamKey(ken, ['AzureRM.Storage*', 'AzureRM.DataFactory.Tools']);
});
afterAll(() => place.close());

it('each member publishes his part of the names, and all of it belongs to the team', async () => {
  for (const [key, id] of [
    [meiKey, 'AzureRm.DataFactoryV2.Netcore'],
    [meiKey, 'AzureRM.DataFactory.Tools'],
    [kenKey, 'AzureRM.Storage'],
  ] as const) {
    expect((await push(key, id, '1.0.0')).output).toContain('Your package was pushed.');
  }
  const { data } = await admin.api.GET('/v1/packages', { params: { query: { owner: team.id } } });
  expect(data.items.map((one) => one.displayId).toSorted()).toEqual([
    'AzureRM.DataFactory.Tools',
    'AzureRM.Storage',
    'AzureRm.DataFactoryV2.Netcore',
  ]);
  for (const one of data.items) expect(one.owners).toEqual([team.id]);
});

it("is refused in the other's part, though the team owns it", async () => {
  const refused = await push(meiKey, 'AzureRM.Storage', '1.1.0');
  show("Mei pushes Ken's package:", refused);
  expect(refused.output).toContain(
    '403 (This API key may push new versions of packages that match AzureRM.DataFactory*; AzureRM.Storage does not match)',
  );
  expect((await push(kenKey, 'AzureRM.DataFactoryV2', '1.0.0')).output).toContain(
    '; AzureRM.DataFactoryV2 does not match)',
  );
});

it('lets a member update what another member published, where both have the name', async () => {
  expect((await push(kenKey, 'AzureRM.DataFactory.Tools', '1.1.0')).output).toContain(
    'Your package was pushed.',
  );
});

it('keeps out a key of the same person that does not act for the team', async () => {
  const scopes = [{ actions: ['package:push'], resources: ['AzureRM.*'] }];
  const own = await mintKey(mei, mei.accountId, { comment: 'My own', access: 'scoped', scopes });
  const refused = await push(own.fullKey, 'AzureRM.DataFactory.Tools', '1.2.0');
  show('Mei pushes with a key of her own:', refused);
  expect(refused.output).toContain(
    '403 (This API key acts for its own account, which is not an owner of AzureRM.DataFactory.Tools.',
  );
});

it('lets nobody make a key for a team that is not his', async () => {
  const eve = await addMember(server.url, admin, 'eve@example.com', 'Eve');
  await expect(teamKey(eve, ['*'])).rejects.toMatchObject({
    status: expect.toSatisfy((s) => s === 400 || s === 403 || s === 404),
  });
});

it('ends with the membership: whoever leaves the team cannot push for it any more', async () => {
  const params = { path: { id: team.id } };
  const { response } = await admin.api.GET('/v1/service-accounts/{id}', { params });
  const headers = ifMatch(response.headers.get('etag') ?? '');
  await admin.api.PATCH('/v1/service-accounts/{id}', {
    params,
    headers,
    body: { managers: [ken.accountId] },
  });
  const refused = await push(meiKey, 'AzureRM.DataFactory.Tools', '1.3.0');
  show('Mei pushes after she has left the team:', refused);
  expect(refused.output).toContain(
    '403 (The owner was deleted or disabled, or the account of the key no longer manages it.',
  );
  expect((await push(kenKey, 'AzureRM.DataFactory.Tools', '1.3.0')).output).toContain(
    'Your package was pushed.',
  );
});
