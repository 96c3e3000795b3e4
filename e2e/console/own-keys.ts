import type { MintedKey } from '../../packages/sdk/src/index.ts';
import { buildNupkg } from '../../packages/testkit/src/nupkg-builder.ts';
import { mintKey, type Person } from '../console.ts';
import type { Site } from './site.ts';
import { TOWN_PASSWORD } from './town-people.ts';

/** A new colleague with packages and keys, whom no other test touches. */
export interface Owner extends Person {
  readonly email: string;
  /** Makes a key through the API: scoped to `resources`, or with all rights without any. */
  mint(comment: string, resources?: readonly string[], actions?: readonly string[]): Promise<MintedKey>;
  /** Pushes a package version; returns the status. */
  push(fullKey: string, id: string, version?: string): Promise<number>;
}

let ownerCount = 0;

/** `packages` are pushed and then owned. */
export async function settleOwner(site: Site, packages: readonly string[] = []): Promise<Owner> {
  ownerCount += 1;
  const email = `owner.${ownerCount}.${Date.now()}@hayama.example`;
  const admin = await site.signIn();
  const body = {
    email,
    displayName: `Owner ${ownerCount}`,
    role: 'member',
    password: TOWN_PASSWORD,
  } as const;
  await admin.api.POST('/v1/users', { body });
  const person = await site.signIn(email);
  const owner: Owner = {
    ...person,
    email,
    mint: (comment, resources, actions = ['package:push']) =>
      mintKey(
        person,
        person.accountId,
        resources === undefined
          ? { comment, access: 'account' }
          : { comment, access: 'scoped', scopes: [{ actions: [...actions], resources: [...resources] }] },
      ),
    push: async (fullKey, id, version = '1.0.0') => {
      const payload = Buffer.from(buildNupkg({ id, version, authors: 'Hayama', description: id }));
      const headers = { 'x-nuget-apikey': fullKey };
      return (await fetch(`${site.apiUrl}/api/v2/package`, { method: 'PUT', headers, body: payload })).status;
    },
  };
  if (packages.length > 0) {
    const { fullKey } = await owner.mint('First push', ['*']);
    for (const id of packages) await owner.push(fullKey, id);
  }
  return owner;
}

/** Whether a key works now. */
export async function works(site: Site, fullKey: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${fullKey}` };
  return (await fetch(`${site.apiUrl}/v1/keys/self`, { headers })).ok;
}
