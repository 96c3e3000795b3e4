import { accountAccessOf, IAM, PACKAGES, type Person, type Right, VERIFY } from './cast.ts';
import {
  BAD,
  bearer,
  type Credential,
  cookieOf,
  type Details,
  type Early,
  keyOf,
  type Make,
  SCOPED,
  spell,
} from './credential.ts';
import { importKey, type Minted, type Town, toMinted } from './town.ts';

export async function goodKeys(make: Make, town: Town): Promise<Credential[]> {
  const { client, accounts, name } = town;
  const by = cookieOf(town, 'admin');
  const scoped = (person: Person, scopes: readonly Right[], wish = {}) =>
    client.mint(by, accounts[person], { ...SCOPED, scopes, ...wish });
  const pusher: Right[] = [{ actions: ['package:push', 'package:unlist'], resources: [`${name}.*`] }];
  const updater: Right[] = [{ actions: ['package:pushversion'], resources: ['*'] }];
  const reader: Right[] = [{ actions: ['package:read'], resources: [`${name}.m*`] }];
  const readsOne: Right[] = [{ actions: ['iam:keys:read'], resources: [accounts.member] }];
  const mixed: Right[] = [
    { actions: ['iam:keys:write', 'iam:accounts:write'], resources: [accounts.member] },
    { actions: ['iam:keys:read', 'iam:accounts:read'], resources: [accounts.robot] },
  ];
  const office: Right[] = [
    { actions: ['iam:settings:read'], resources: ['settings'] },
    { actions: ['iam:audit:read'], resources: ['audit'] },
    { actions: ['iam:workspaces:read'], resources: ['workspaces'] },
  ];
  const accountKey = await client.mint(by, accounts.member);
  const everything = [...IAM, ...PACKAGES];
  return [
    make('key of member with account access', keyOf('member', accountAccessOf('member')), spell(accountKey)),
    make(
      'key of admin with account access',
      keyOf('admin', accountAccessOf('admin')),
      spell(await client.mint(by, accounts.admin), 'x-api-key'),
    ),
    make(
      'key of robot with account access',
      keyOf('robot', accountAccessOf('robot')),
      spell(await client.mint(by, accounts.robot), 'basic'),
    ),
    make('key of bare with account access', keyOf('bare', []), spell(await client.mint(by, accounts.bare))),
    make(
      'key of member, scoped to push and unlist',
      keyOf('member', pusher),
      spell(await scoped('member', pusher), 'x-nuget-apikey'),
    ),
    make(
      'key of member, scoped to new versions',
      keyOf('member', updater),
      spell(await scoped('member', updater), 'basic'),
    ),
    make(
      'key of member, scoped to read packages',
      keyOf('member', reader),
      spell(await scoped('member', reader)),
    ),
    make(
      'key of manager, acting for robot',
      keyOf('manager', PACKAGES, 'robot'),
      spell(await scoped('manager', PACKAGES, { ownerId: accounts.robot })),
    ),
    make('key of admin, scoped iam:*', keyOf('admin', IAM), spell(await scoped('admin', IAM), 'basic')),
    make(
      'key of admin, scoped everything',
      keyOf('admin', everything),
      spell(await scoped('admin', everything)),
    ),
    make(
      'key of admin, iam:keys:read on member',
      keyOf('admin', readsOne),
      spell(await scoped('admin', readsOne)),
    ),
    make(
      'key of admin, writing member and reading robot',
      keyOf('admin', mixed),
      spell(await scoped('admin', mixed)),
    ),
    make(
      'key of admin, reading settings, audit, workspaces',
      keyOf('admin', office),
      spell(await scoped('admin', office)),
    ),
    make(
      'key of robot, scoped iam:keys:verify',
      keyOf('robot', VERIFY),
      spell(await scoped('robot', VERIFY), 'x-api-key'),
    ),
    make('key of pruned, its grants taken away', keyOf('pruned', []), spell(await makePruned(town))),
    make('key of member beside the cookie of admin', keyOf('member', accountAccessOf('member')), {
      ...spell(accountKey),
      headers: { ...bearer(accountKey.fullKey), ...by },
    }),
    make(
      'two different keys',
      { kind: 'ambiguous' },
      {
        headers: { ...bearer(accountKey.fullKey), 'x-api-key': (await scoped('admin', IAM)).fullKey },
      },
    ),
  ];
}

/** A key whose scopes its account was granted when it was made, and no more. */
async function makePruned(town: Town): Promise<Minted> {
  const { client, accounts } = town;
  const by = cookieOf(town, 'admin');
  const url = `/v1/service-accounts/${accounts.pruned}`;
  const scopes = [{ actions: ['iam:accounts:read', 'iam:keys:read', 'iam:keys:write'], resources: ['*'] }];
  await client.send('PATCH', url, { ...by, 'if-match': '*' }, { grants: [...scopes, ...PACKAGES] });
  const key = await client.mint(by, accounts.pruned, { ...SCOPED, scopes });
  await client.send('PATCH', url, { ...by, 'if-match': '*' }, { grants: PACKAGES });
  return key;
}

/** Each could do everything, were it still good. */
export async function badKeys(make: Make, town: Town, early: Early): Promise<Credential[]> {
  const { client, accounts } = town;
  const by = cookieOf(town, 'admin');
  const everything = [...IAM, ...PACKAGES];
  const mint = (wish = {}) => client.mint(by, accounts.admin, { ...SCOPED, scopes: everything, ...wish });
  const off = await mint();
  await client.send('POST', `/v1/keys/${off.apiKey}/disable`, by, {});
  const deleted = await mint();
  await client.send('DELETE', `/v1/keys/${deleted.apiKey}`, by);
  const revoked = await mint();
  await client.send('POST', '/v1/keys/self/revoke', bearer(revoked.fullKey));
  const regenerated = await mint();
  await client.send('POST', `/v1/keys/${regenerated.apiKey}/regenerate`, by, {});
  const overlapped = await mint();
  const newer = await client.send('POST', `/v1/keys/${overlapped.apiKey}/regenerate`, by, {
    overlapHours: 24,
  });
  const cutShort = await mint();
  await client.send('POST', `/v1/keys/${cutShort.apiKey}/regenerate`, by, { overlapHours: 24 });
  await client.send('POST', `/v1/keys/${cutShort.apiKey}/end-overlap`, by);
  const wrong = {
    ...overlapped,
    secretKey: deleted.secretKey,
    fullKey: `${overlapped.apiKey}_${deleted.secretKey}`,
  };
  return [
    make('key that is disabled', BAD, spell(off)),
    make('key that has expired', BAD, spell(early.expiredKey)),
    make('key that was deleted', BAD, spell(deleted)),
    make('key that its holder revoked', BAD, spell(revoked)),
    make('key with the secret before a regenerate', BAD, spell(regenerated)),
    make('key with the secret of an ended overlap', BAD, spell(cutShort)),
    make('key with the secret of another', BAD, spell(wrong, 'basic')),
    make('key for other addresses', BAD, spell(await mint({ ipRanges: ['203.0.113.0/24'] }))),
    make('key with the old secret in its overlap', keyOf('admin', everything), spell(overlapped)),
    make('key with the new secret in its overlap', keyOf('admin', everything), spell(toMinted(newer.json))),
  ];
}

export async function importedKeys(make: Make, town: Town): Promise<Credential[]> {
  const { client, accounts, name } = town;
  const by = cookieOf(town, 'admin');
  const full = 'oy2legacy-full-access-of-the-member-000000000001';
  const foreign = 'oy2foreign-scoped-of-the-stranger-00000000000002';
  const scopes: Right[] = [{ actions: ['package:push'], resources: [`${name}.*`] }];
  const ids = [
    await importKey(client, by, { account: accounts.member, access: 'full', credential: full }),
    await importKey(client, by, {
      account: accounts.stranger,
      access: 'scoped',
      scopes,
      credential: foreign,
    }),
  ];
  const details = (credential: string, id = ''): Details => ({
    headers: bearer(credential),
    pair: { apiKey: id, secretKey: credential },
  });
  return [
    make('imported key of member with full access', keyOf('member', PACKAGES), details(full, ids[0])),
    make('imported key of stranger, scoped to push', keyOf('stranger', scopes), details(foreign, ids[1])),
  ];
}
