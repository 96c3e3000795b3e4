import { createHash } from 'node:crypto';
import { inTransaction } from '@keyreeve/server';
import { type Company, describeOn, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../lib/secret.ts';
import { createKeyAuthenticator } from './key-auth.ts';
import { checksumOf } from './key-format.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let harness: Harness;
let company: Company;
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());

type CreateInput = Parameters<Harness['deps']['keys']['create']>[2];

async function mint(more: Partial<CreateInput> = {}, accountId = company.admin.id) {
  const input: CreateInput = { comment: 'x', access: 'account', ...more };
  const minted = await harness.deps.keys.create(company.adminCaller, accountId, input);
  return { id: minted.key.id, secretKey: minted.secretKey, fullKey: minted.fullKey };
}

/** A secret of the right shape that is not the one of the key. */
function wrongSecretOf(id: string): Secret {
  const secret = 'w'.repeat(43);
  return new Secret(`${secret}${checksumOf(id, secret)}`);
}

const workspaceId = () => harness.deps.defaultWorkspace.id;

async function judge(fullKey: Secret, ip: string | null = null, inWorkspace = workspaceId()) {
  return (await harness.deps.keyAuthenticator.authenticate(inWorkspace, { fullKey }, ip)).code;
}

async function importForeign(text: string): Promise<string> {
  const sha256 = createHash('sha256').update(text).digest('hex');
  const row = { account: company.admin.id, comment: 'old', access: 'full', expiresAt: null, sha256 } as const;
  const [id = ''] = await harness.deps.keyImporter.importKeys(company.adminCaller, [row], false);
  return id;
}

describe('a presented key', () => {
  it('is found in both spellings, with who it belongs to', async () => {
    const { id, secretKey, fullKey } = await mint();
    const { keyAuthenticator } = harness.deps;
    const whole = await keyAuthenticator.authenticate(workspaceId(), { fullKey }, null);
    expect(whole).toMatchObject({
      code: 'valid',
      keyEpoch: 1,
      key: { id, generation: 1, access: 'account' },
      account: { id: company.admin.id },
    });
    expect(await keyAuthenticator.authenticate(workspaceId(), { apiKey: id, secretKey }, null)).toEqual(
      whole,
    );
  });

  it('is not found with another secret, in another workspace, or when there is none', async () => {
    const { id, fullKey } = await mint();
    expect(await judge(new Secret(`${id}_${wrongSecretOf(id).reveal()}`))).toBe('not_found');
    expect(await judge(fullKey, null, 'wsp_other')).toBe('not_found');
    const unknown = 'kr_0123456789ABCDEF';
    expect(await judge(new Secret(`${unknown}_${wrongSecretOf(unknown).reveal()}`))).toBe('not_found');
    expect(await judge(new Secret('no key'))).toBe('malformed');
    const pair = { apiKey: id, secretKey: new Secret('no secret') };
    expect(await harness.deps.keyAuthenticator.authenticate(workspaceId(), pair, null)).toEqual({
      code: 'malformed',
    });
  });

  it('tells the first reason against it to the holder of its secret', async () => {
    const robot = await harness.createAccount({
      kind: 'service',
      technicalName: 'reasons',
      displayName: 'R',
    });
    const { keys, accounts } = harness.deps;
    const { id, fullKey } = await mint({ ipRanges: ['192.0.2.0/24'], lifetimeDays: 1 }, robot.id);
    expect(await judge(fullKey, '192.0.2.7')).toBe('valid');
    expect(await judge(fullKey, '198.51.100.1')).toBe('ip_not_allowed');
    expect(await judge(fullKey, null)).toBe('ip_not_allowed');
    harness.clock.advance(DAY_MS - 1);
    expect(await judge(fullKey, '192.0.2.7')).toBe('valid');
    harness.clock.advance(1);
    expect(await judge(fullKey, null)).toBe('expired');
    await keys.disable(company.adminCaller, id, null);
    expect(await judge(fullKey, null)).toBe('disabled');
    await accounts.update(company.adminCaller, 'service', robot.id, { state: 'disabled' }, null);
    expect(await judge(fullKey, null)).toBe('account_disabled');
  });

  it('has two secrets during an overlap, each with its own end', async () => {
    const first = await mint();
    const { keys, keyAuthenticator } = harness.deps;
    const second = await keys.regenerate(company.adminCaller, first.id, { overlapHours: 1 });
    const generationOf = async (fullKey: Secret) => {
      const outcome = await keyAuthenticator.authenticate(workspaceId(), { fullKey }, null);
      return 'key' in outcome ? [outcome.code, outcome.key.generation] : [outcome.code];
    };
    expect(await generationOf(first.fullKey)).toEqual(['valid', 1]);
    expect(await generationOf(second.fullKey)).toEqual(['valid', 2]);
    const reassess = async (generation: number) =>
      (await keyAuthenticator.reassess(workspaceId(), first.id, generation, null)).code;
    expect([await reassess(1), await reassess(2), await reassess(3)]).toEqual([
      'valid',
      'valid',
      'not_found',
    ]);
    harness.clock.advance(HOUR_MS);
    expect(await generationOf(first.fullKey)).toEqual(['expired', 1]);
    expect(await generationOf(second.fullKey)).toEqual(['valid', 2]);
    expect([await reassess(1), await reassess(2)]).toEqual(['expired', 'valid']);
    await keys.regenerate(company.adminCaller, first.id, {});
    expect(await generationOf(first.fullKey)).toEqual(['not_found']);
    expect(await reassess(1)).toBe('not_found');
  });

  it('that its holder has revoked is as unknown as any other', async () => {
    const { id, fullKey } = await mint();
    const { keys, keyAuthenticator } = harness.deps;
    const outcome = await keyAuthenticator.authenticate(workspaceId(), { fullKey }, null);
    if (!('key' in outcome)) throw new Error('The key is not known.');
    const { key, account } = outcome;
    await keys.revokeSelf({ ...company.adminCaller, principal: { kind: 'key', key, account } });
    await keys.enable(company.adminCaller, id);
    expect(await judge(fullKey)).toBe('not_found');
    for (const generation of [1, 2])
      expect(await keyAuthenticator.reassess(workspaceId(), id, generation, null)).toEqual({
        code: 'not_found',
      });
    expect(await keyAuthenticator.reassess(workspaceId(), 'kr_unknown', 1, null)).toEqual({
      code: 'not_found',
    });
  });

  it('is unknown once somebody has altered its row, and the log tells so', async () => {
    const { id, fullKey } = await mint();
    expect(await judge(fullKey)).toBe('valid');
    await sql`update api_keys set expires_at = expires_at + 1 where id = ${id}`.execute(
      harness.deps.storage.write,
    );
    await harness.deps.keys.create(company.adminCaller, company.admin.id, {
      comment: 'y',
      access: 'account',
    });
    const reports = () => harness.logLines.filter((line) => line.includes(id) && line.includes('altered'));
    const before = reports().length;
    const outcome = await inTransaction(harness.deps.storage, (tx) =>
      harness.deps.keyAuthenticator.authenticate(workspaceId(), { fullKey }, null, tx),
    );
    expect(outcome.code).toBe('not_found');
    expect(reports().length).toBeGreaterThan(before);
  });

  it('is read anew within a transaction, and a database that fails is no refusal', async () => {
    const { id, secretKey, fullKey } = await mint();
    const { storage, keyAuthenticator } = harness.deps;
    expect(await judge(fullKey)).toBe('valid');
    const epoch = storage.epochGuard.peek(workspaceId()) ?? (await storage.epochGuard.read(workspaceId()));
    const presented = { apiKey: id, secretKey: secretKey.reveal() };
    keyAuthenticator.recognizeOrMiss({ workspaceId: workspaceId(), epoch }, presented, null);
    const seen = await inTransaction(storage, async (tx) => {
      await sql`delete from api_keys where id = ${id}`.execute(tx);
      return await keyAuthenticator.authenticate(workspaceId(), { fullKey }, null, tx);
    });
    expect(seen.code).toBe('not_found');
    await expect(
      keyAuthenticator.authenticate(
        workspaceId(),
        { fullKey },
        null,
        {} as Harness['deps']['storage']['read'],
      ),
    ).rejects.toThrow(TypeError);
  });
});

describe('a foreign credential', () => {
  it('is known by what it is, and not by the id that it has here', async () => {
    const text = 'oy2-of-another-gallery';
    const id = await importForeign(text);
    expect(await judge(new Secret(` ${text}\n`))).toBe('valid');
    expect(await judge(new Secret(text), null, 'wsp_other')).toBe('malformed');
    expect(await judge(new Secret(`${id}_${wrongSecretOf(id).reveal()}`))).toBe('not_found');
  });

  it('has 8 to 512 characters and not the shape of a key of ours', async () => {
    const [short, shortest, longest, long] = ['s'.repeat(7), 's'.repeat(8), 's'.repeat(512), 's'.repeat(513)];
    const ours = `kr_${'a'.repeat(16)}_mistyped`;
    for (const text of [short, shortest, longest, long, ours]) await importForeign(text);
    const codes = [short, shortest, longest, long, ours].map((text) => judge(new Secret(text)));
    expect(await Promise.all(codes)).toEqual(['malformed', 'valid', 'valid', 'malformed', 'malformed']);
  });

  it('in the place of a secret key is none', async () => {
    const text = 'oy2-in-two-halves';
    await importForeign(text);
    const pair = { apiKey: '', secretKey: new Secret(text) };
    expect(await harness.deps.keyAuthenticator.authenticate(workspaceId(), pair, null)).toEqual({
      code: 'malformed',
    });
  });

  it('that its holder has revoked is as unknown as any other text', async () => {
    const text = 'oy2-revoked';
    await importForeign(text);
    const { keys, keyAuthenticator } = harness.deps;
    const outcome = await keyAuthenticator.authenticate(workspaceId(), { fullKey: new Secret(text) }, null);
    if (!('key' in outcome)) throw new Error('The credential is not known.');
    const { key, account } = outcome;
    await keys.revokeSelf({ ...company.adminCaller, principal: { kind: 'key', key, account } });
    expect(await judge(new Secret(text))).toBe('malformed');
  });
});

describe('texts that are no keys', () => {
  it('make a process look for new peppers once a second at most', async () => {
    const later = performance.now() + 5_000;
    const watch = vi.spyOn(performance, 'now').mockReturnValue(later);
    const refresh = vi.spyOn(harness.deps.keyring, 'refresh');
    for (const text of ['no-key-one', 'no-key-two', 'no-key-three'])
      expect(await judge(new Secret(text))).toBe('malformed');
    expect(refresh).toHaveBeenCalledTimes(1);
    watch.mockRestore();
    refresh.mockRestore();
  });
});

describe('a key whose account is not there any more', () => {
  it('is unknown', async () => {
    const { fullKey } = await mint();
    const find = vi.spyOn(harness.deps.accounts, 'findIdentity').mockResolvedValue(null);
    const outcome = await inTransaction(harness.deps.storage, (tx) =>
      harness.deps.keyAuthenticator.authenticate(workspaceId(), { fullKey }, null, tx),
    );
    await importForeign('oy2-without-account');
    expect(await judge(new Secret('oy2-without-account'))).toBe('not_found');
    find.mockRestore();
    expect(outcome).toEqual({ code: 'not_found' });
    expect(await judge(fullKey)).toBe('valid');
  });
});

describeOn('postgres', 'a key that would have to be waited for', () => {
  it('is recognized once it is in memory, and left to who can wait before', async () => {
    const { id, secretKey, fullKey } = await mint();
    const { storage, keyAuthenticator } = harness.deps;
    const epoch = await storage.epochGuard.read(workspaceId());
    const place = { workspaceId: workspaceId(), epoch };
    const presented = { apiKey: id, secretKey: secretKey.reveal() };
    expect(keyAuthenticator.recognizeOrMiss(place, presented, null)).toBeNull();
    expect(await judge(fullKey)).toBe('valid');
    expect(keyAuthenticator.recognizeOrMiss(place, presented, null)).toMatchObject({ key: { id } });
  });
});

describeOn('sqlite', 'a key that is recognized without waiting', () => {
  function place(inWorkspace = workspaceId()) {
    const epoch = harness.deps.storage.epochGuard.peek(inWorkspace);
    return { workspaceId: inWorkspace, epoch: epoch ?? -1 };
  }

  function ask(apiKey: string, secretKey: Secret | string, ip: string | null = null, at = place()) {
    const text = typeof secretKey === 'string' ? secretKey : secretKey.reveal();
    return harness.deps.keyAuthenticator.recognizeOrMiss(at, { apiKey, secretKey: text }, ip);
  }

  it('is the same each time, with its account and epoch', async () => {
    const { id, secretKey } = await mint();
    const found = ask(id, secretKey);
    expect(found).toMatchObject({
      key: { id, generation: 1 },
      keyEpoch: 1,
      account: { id: company.admin.id },
    });
    expect(ask(id, secretKey)).toBe(found);
  });

  it('is certainly none when it is mistyped or not there, also where the key is known', async () => {
    const { id, secretKey } = await mint();
    for (const round of ['unknown yet', 'known']) {
      expect(ask(id, 'mistyped'), round).toBe('malformed');
      expect(ask(id, wrongSecretOf(id)), round).toBe('not_found');
      expect(ask(id, secretKey, null, place('wsp_other')), round).toBe('not_found');
      if (round === 'unknown yet') ask(id, secretKey);
    }
    const unknown = 'kr_0123456789ABCDEF';
    expect(ask(unknown, wrongSecretOf(unknown))).toBe('not_found');
    expect(ask(unknown, 'mistyped')).toBe('malformed');
  });

  it('is left to who can tell the reason when it is no good', async () => {
    const { keys } = harness.deps;
    const bound = await mint({ ipRanges: ['192.0.2.7'] });
    expect(ask(bound.id, bound.secretKey)).toBeNull();
    expect(ask(bound.id, bound.secretKey, '192.0.2.7')).toMatchObject({ key: { id: bound.id } });
    const disabled = await mint();
    await keys.disable(company.adminCaller, disabled.id, null);
    expect(ask(disabled.id, disabled.secretKey)).toBeNull();
    const altered = await mint();
    await sql`update api_keys set expires_at = expires_at + 1 where id = ${altered.id}`.execute(
      harness.deps.storage.write,
    );
    expect(ask(altered.id, altered.secretKey)).toBeNull();
    const imported = await importForeign('oy2-recognized');
    expect(ask(imported, wrongSecretOf(imported))).toBe('not_found');
    const short = await mint({ lifetimeDays: 1 });
    expect(ask(short.id, short.secretKey)).not.toBeNull();
    harness.clock.advance(DAY_MS);
    expect(ask(short.id, short.secretKey)).toBeNull();
  });

  it('has two secrets during an overlap, in whatever order they come', async () => {
    for (const isOldFirst of [true, false]) {
      const first = await mint();
      const { secretKey } = await harness.deps.keys.regenerate(company.adminCaller, first.id, {
        overlapHours: 1,
      });
      const generationOf = (secret: Secret) => {
        const found = ask(first.id, secret);
        return found !== null && typeof found !== 'string' ? found.key.generation : found;
      };
      const secrets = isOldFirst ? [first.secretKey, secretKey] : [secretKey, first.secretKey];
      const expected = isOldFirst ? [1, 2] : [2, 1];
      expect([...secrets, ...secrets].map(generationOf)).toEqual([...expected, ...expected]);
      expect(ask(first.id, first.secretKey)).toBe(ask(first.id, first.secretKey));
      expect(ask(first.id, wrongSecretOf(first.id))).toBe('not_found');
      harness.clock.advance(HOUR_MS);
      expect(ask(first.id, first.secretKey)).toBeNull();
      expect(generationOf(secretKey)).toBe(2);
    }
  });

  it('is none without its account, left to who can wait where either must be waited for, and a fault is no answer', async () => {
    const { id, secretKey } = await mint();
    const { deps } = harness;
    const presented = { apiKey: id, secretKey: secretKey.reveal() };
    const recognizeWith = (changed: Partial<Parameters<typeof createKeyAuthenticator>[0]>) =>
      createKeyAuthenticator({ ...deps, onAlteredRow: () => undefined, ...changed }).recognizeOrMiss(
        place(),
        presented,
        null,
      );
    const accounts = Object.create(deps.accounts, {
      findIdentityNow: { value: () => null },
    }) as typeof deps.accounts;
    expect(recognizeWith({})).toMatchObject({ key: { id } });
    expect(recognizeWith({ accounts })).toBe('not_found');
    const slowAccounts = Object.create(deps.accounts, {
      findIdentityNow: { value: null },
    }) as typeof accounts;
    expect(recognizeWith({ accounts: slowAccounts })).toBeNull();
    const slowStorage = Object.create(deps.storage, {
      prepareRead: { value: undefined },
    }) as typeof deps.storage;
    expect(recognizeWith({ storage: slowStorage })).toBeNull();
    const fault = () => {
      throw new Error('The keys are locked away.');
    };
    const keyring = Object.create(deps.keyring, { find: { value: fault } }) as typeof deps.keyring;
    expect(() => recognizeWith({ keyring })).toThrow('locked away');
  });

  it('has no limits where nobody would count', async () => {
    const limits = { rate: { requests: 5, windowSeconds: 60 } };
    const { keyAuthenticator, accounts } = harness.deps;
    const recognize = (key: { id: string; secretKey: Secret }) =>
      keyAuthenticator.recognize(place(), { apiKey: key.id, secretKey: key.secretKey.reveal() }, null);
    const [plain, limited] = [await mint(), await mint({ limits })];
    expect(recognize(plain)).toMatchObject({ key: { id: plain.id } });
    expect(recognize(limited)).toBeNull();
    expect(ask(limited.id, limited.secretKey)).toMatchObject({ key: { id: limited.id } });
    expect(recognize({ id: plain.id, secretKey: wrongSecretOf(plain.id) })).toBeNull();
    const disabled = await mint();
    await harness.deps.keys.disable(company.adminCaller, disabled.id, null);
    expect(recognize(disabled)).toBeNull();
    const robot = await harness.createAccount({
      kind: 'service',
      technicalName: 'limited',
      displayName: 'L',
    });
    const own = await mint({}, robot.id);
    expect(recognize(own)).not.toBeNull();
    await accounts.update(company.adminCaller, 'service', robot.id, { keyLimits: limits }, null);
    expect(recognize(own)).toBeNull();
  });
});
