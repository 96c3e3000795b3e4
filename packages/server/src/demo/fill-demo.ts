import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { buildApp } from '../app.ts';
import type { Config } from '../config/index.ts';
import { createDeps, type Deps } from '../deps.ts';
import type { Account } from '../features/accounts/index.ts';
import { type Caller, systemCaller } from '../http/index.ts';
import { randomBase62 } from '../lib/base62.ts';
import { type Clock, DAY_MS, systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { Secret } from '../lib/secret.ts';
import { inTransaction } from '../storage/index.ts';
import { DEMO_KEYS, DEMO_PACKAGES, DEMO_SERVICE_ACCOUNTS, DEMO_USERS } from './company.ts';
import { writeTinyNupkg } from './tiny-nupkg.ts';

type DemoKey = (typeof DEMO_KEYS)[number];
type DemoApp = Awaited<ReturnType<typeof buildApp>>;

interface Demo {
  readonly deps: Deps;
  readonly app: DemoApp;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly admin: Caller;
  /** Moves the clock of the demo to so many days before now. */
  readonly goTo: (daysAgo: number) => void;
}

/**
 * Fills an empty database with a company to look around in. It lives through its last year by the product's own
 * services and a clock of its own, so that every state is real: keys that have expired, that overlap, that were
 * disabled. Returns lines to print, or null when the database is not empty.
 */
export async function fillDemo(config: Config): Promise<readonly string[] | null> {
  const startedAt = systemClock.now();
  let offsetMs = 0;
  const clock: Clock = { now: () => systemClock.now() + offsetMs };
  const deps = await createDeps({ config, clock, random: systemRandom, logger: pino({ level: 'silent' }) });
  try {
    if ((await deps.accounts.countActiveAdmins(deps.storage.read, deps.defaultWorkspace.id)) > 0) return null;
    const goTo = (daysAgo: number) => {
      offsetMs = startedAt - daysAgo * DAY_MS - systemClock.now();
    };
    goTo(400);
    const password = `demo-${randomBase62(systemRandom, 16)}`;
    const app = await buildApp(deps);
    const accounts = await createAccounts(deps, password);
    const demo: Demo = {
      deps,
      app,
      accounts,
      admin: await callerOf(deps, accounts, DEMO_USERS[0].email),
      goTo,
    };
    await liveThroughTheYear(demo);
    goTo(0);
    await fetchPackages(demo);
    await app.close();
    return [`Demo: sign in as ${DEMO_USERS[0].email} with the password ${password}`];
  } finally {
    await deps.close();
  }
}

async function createAccounts(deps: Deps, password: string): Promise<Map<string, Account>> {
  const caller = systemCaller(deps.defaultWorkspace, 'demo');
  const passwordHash = await deps.passwords.hash(new Secret(password), []);
  const accounts = new Map<string, Account>();
  await inTransaction(deps.storage, async (tx) => {
    for (const user of DEMO_USERS) {
      accounts.set(
        user.email,
        await deps.accounts.createInside(tx, caller, { ...user, kind: 'user', passwordHash }),
      );
    }
    for (const { managers, ...service } of DEMO_SERVICE_ACCOUNTS) {
      const ids = managers.map((email) => accounts.get(email)?.id ?? '');
      const grants =
        service.technicalName === 'billing-gateway'
          ? [{ actions: ['package:*', 'iam:keys:verify'], resources: ['*'] }]
          : undefined;
      accounts.set(
        service.technicalName,
        await deps.accounts.createInside(tx, caller, { ...service, kind: 'service', managers: ids, grants }),
      );
    }
  });
  return accounts;
}

function accountOf(accounts: ReadonlyMap<string, Account>, name: string): Account {
  const account = accounts.get(name);
  if (account === undefined) throw new Error(`The demo has no account ${name}.`);
  return account;
}

async function callerOf(deps: Deps, accounts: ReadonlyMap<string, Account>, name: string): Promise<Caller> {
  const identity = await deps.accounts.findIdentity(
    deps.storage.read,
    deps.defaultWorkspace.id,
    accountOf(accounts, name).id,
  );
  if (identity === null) throw new Error(`The demo has no account ${name}.`);
  const principal = { kind: 'session', account: identity, sessionId: 'ses_demo', managedIds: [] } as const;
  return { ...systemCaller(deps.defaultWorkspace, 'demo'), principal };
}

/** Oldest first, each thing at its own time. */
async function liveThroughTheYear(demo: Demo): Promise<void> {
  const { deps, admin, accounts, goTo } = demo;
  const legacy = {
    account: 'kenji.sato@aozora.example',
    comment: 'Full access API key',
    access: 'full',
    expiresAt: null,
    sha256: createHash('sha256').update(randomBase62(systemRandom, 46)).digest('hex'),
  } as const;
  await deps.keyImporter.importKeys(admin, [legacy], false);
  for (const key of [...DEMO_KEYS].toSorted((a, b) => b.age - a.age)) await liveThroughKey(demo, key);
  goTo(5);
  const left = accountOf(accounts, 'kenji.sato@aozora.example');
  await deps.accounts.update(
    admin,
    'user',
    left.id,
    { state: 'disabled', disabledReason: 'Left the company' },
    null,
  );
}

async function liveThroughKey(demo: Demo, key: DemoKey): Promise<void> {
  const { deps, admin, accounts, goTo } = demo;
  goTo(key.age);
  const { comment, lifetimeDays, scopes, owner } = key;
  const minted = await deps.keys.create(admin, accountOf(accounts, key.account).id, {
    comment,
    lifetimeDays,
    access: scopes === null ? 'account' : 'scoped',
    scopes: scopes === null ? undefined : scopes,
    ownerId: owner === null ? undefined : accountOf(accounts, owner).id,
  });
  await pushPackages(demo, key, minted.fullKey);
  if (key.fate === 'used') await useKey(demo, key, minted.fullKey);
  if (key.fate === 'disabled') {
    goTo(key.age - 1);
    await deps.keys.disable(admin, minted.key.id, 'Pasted into a public channel');
  }
  if (key.fate === 'overlap') {
    goTo(1);
    await deps.keys.regenerate(admin, minted.key.id, { overlapHours: 168 });
  }
}

async function pushPackages({ app }: Demo, key: DemoKey, fullKey: Secret): Promise<void> {
  for (const { id, versions, description, key: comment } of DEMO_PACKAGES) {
    if (comment !== key.comment) continue;
    for (const version of versions) {
      const payload = Buffer.from(writeTinyNupkg(id, version, description));
      const answer = await app.inject({
        method: 'PUT',
        url: '/api/v2/package',
        headers: { 'x-nuget-apikey': fullKey.reveal() },
        payload,
      });
      if (answer.statusCode !== 201)
        throw new Error(`The demo could not push ${id} ${version}: ${answer.body}`);
    }
  }
}

/** Programs install what was published, by the address that package clients use. */
async function fetchPackages({ app, deps }: Demo): Promise<void> {
  for (const { id, versions, downloads } of DEMO_PACKAGES) {
    for (const version of versions) {
      for (let count = 0; count < downloads; count += 1)
        await app.inject({ url: `/api/v2/package/${id}/${version}` });
    }
  }
  await deps.downloads.flush();
}

const USES_PER_DAY = 3;

async function useKey({ app, deps, goTo }: Demo, key: DemoKey, fullKey: Secret): Promise<void> {
  for (let day = Math.min(key.age, 20); day >= 1; day -= 1) {
    goTo(day);
    for (let use = 0; use < USES_PER_DAY; use += 1) {
      await app.inject({
        url: '/v1/keys/self',
        headers: { authorization: `Bearer ${fullKey.reveal()}`, 'user-agent': 'demo/1.0' },
      });
    }
    await deps.usage.flush();
  }
}
