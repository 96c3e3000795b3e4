import {
  createClient,
  ifMatch,
  type Key,
  type KeyreeveClient,
  KeyreeveError,
  type MintedKey,
  paginate,
  verifyKey,
} from '@keyreeve/sdk';
import type { Account } from '@keyreeve/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './index.ts';

let harness: Harness;
let admin: Account;
let client: KeyreeveClient;
let baseUrl: string;

beforeAll(async () => {
  harness = await startHarness();
  baseUrl = await harness.app.listen({ port: 0, host: '127.0.0.1' });
  admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
  });
  const minted = await harness.deps.keys.create(await harness.callerOf(admin), admin.id, {
    comment: 'sdk',
    access: 'scoped',
    scopes: [{ actions: ['iam:*', 'package:*'], resources: ['*'] }],
  });
  client = createClient({ baseUrl, credential: { fullKey: minted.fullKey.reveal() } });
});
afterAll(() => harness.close());

async function createKey(comment: string): Promise<MintedKey> {
  const { data } = await client.POST('/v1/accounts/{id}/keys', {
    params: { path: { id: admin.id } },
    body: { comment, access: 'scoped', scopes: [{ actions: ['package:push'], resources: ['AzureRM.*'] }] },
  });
  return data;
}

describe('the client', () => {
  it('is the same caller with a full key and with the pair', async () => {
    const { apiKey, secretKey, fullKey } = await createKey('two spellings');
    for (const credential of [{ fullKey }, { apiKey, secretKey }]) {
      const { data } = await createClient({ baseUrl, credential }).GET('/v1/keys/self');
      expect(data.key.id).toBe(apiKey);
    }
  });

  it('walks a list from page to page', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1) made.push((await createKey(`walk ${index}`)).apiKey);
    const seen: Key[] = [];
    const query = { q: 'walk', limit: 2 };
    for await (const key of paginate((page) =>
      client.GET('/v1/keys', { params: { query: { ...query, ...page } } }),
    )) {
      seen.push(key);
    }
    expect(seen.map(({ id }) => id).toSorted()).toEqual(made.toSorted());
  });

  it('edits the version that it has seen, and is told when that is stale', async () => {
    const { key } = await createKey('edited');
    const edit = (comment: string) =>
      client.PATCH('/v1/keys/{keyId}', {
        params: { path: { keyId: key.id } },
        body: { comment },
        headers: ifMatch(key.version),
      });
    expect((await edit('first')).data.version).toBe(key.version + 1);
    await expect(edit('second')).rejects.toMatchObject({ name: 'KeyreeveError', status: 412 });
  });

  it('throws the refusals of the server with their codes and fields', async () => {
    const call = client.POST('/v1/service-accounts', {
      body: { technicalName: 'No Good', displayName: 'x' },
    });
    const error: unknown = await call.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KeyreeveError);
    expect(error).toMatchObject({
      code: 'request.invalid',
      status: 400,
      errors: [{ field: 'technicalName' }],
    });
    expect((error as KeyreeveError).requestId).toMatch(/\S/);
  });
});

describe('verifyKey', () => {
  it('says what a key may do, and answers for a bad one instead of throwing', async () => {
    const { apiKey, secretKey, fullKey } = await createKey('verified');
    const question = { action: 'package:push', resource: 'AzureRM.DataFactory' };
    expect(await verifyKey(client, { key: fullKey, ...question })).toMatchObject({
      valid: true,
      keyId: apiKey,
    });
    expect(await verifyKey(client, { apiKey, secretKey, ...question, resource: 'Other' })).toMatchObject({
      valid: false,
      code: 'insufficient_scope',
    });
    expect(await verifyKey(client, { key: 'nonsense' })).toMatchObject({ valid: false, keyId: null });
  });

  it('throws when the client itself may not ask', async () => {
    const { fullKey } = await createKey('may not ask');
    const other = createClient({ baseUrl, credential: { fullKey } });
    await expect(verifyKey(other, { key: fullKey })).rejects.toMatchObject({
      code: 'auth.insufficient_scope',
    });
  });
});
