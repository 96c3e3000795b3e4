/**
 * Fills a data folder with Hayama, the company of the pictures: `node e2e/console/town.ts FOLDER`. With `many`
 * behind the folder it adds ten thousand users to the town that is already there.
 *
 * The town lives through its year by the product's own services and routes, and a clock of its own, so every
 * state is a real one: keys that expired and are still called, that overlap, that were disabled. What tests need to
 * know is written to `town.json` in the folder.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type Account,
  buildApp,
  type Caller,
  createDeps,
  DAY_MS,
  type Deps,
  HOUR_MS,
  inTransaction,
  loadConfig,
  systemCaller,
  systemRandom,
} from '../../packages/server/src/index.ts';
import { systemClock } from '../../packages/server/src/lib/clock.ts';
import { Secret } from '../../packages/server/src/lib/secret.ts';
import { createLogger } from '../../packages/server/src/logger.ts';
import { buildNupkg, buildNuspec } from '../../packages/testkit/src/nupkg-builder.ts';
import { addManyUsers } from './many-users.ts';
import { fetchPackages } from './town-downloads.ts';
import { drawIcon } from './town-icons.ts';
import { IMPORTED, TOWN_KEYS, type TownKey } from './town-keys.ts';
import { TOWN_PACKAGES, type TownPackage } from './town-packages.ts';
import { ADMIN_EMAIL, TOWN_PASSWORD, TOWN_SERVICES, TOWN_USERS } from './town-people.ts';
import { planStrangers, planTraffic, secretOf } from './town-traffic.ts';

const MINUTE_MS = 60_000;
const MANY_USERS = 10_000;
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';

/** What tests know about a town beside its company. */
export interface TownFacts {
  readonly accounts: Readonly<Record<string, string>>;
  /** By comment. The secret of a key that was imported is its foreign credential. */
  readonly keys: Readonly<Record<string, { readonly id: string; readonly secret: string }>>;
}

export interface Town {
  readonly deps: Deps;
  readonly app: Awaited<ReturnType<typeof buildApp>>;
  /** Moves the clock of the town to so long before now. */
  readonly goTo: (agoMs: number) => void;
  readonly accounts: Map<string, Account>;
  readonly keys: Map<string, { id: string; secret: string }>;
}

/** Something that happens; sorted by time before anything does. */
export interface Happening {
  readonly agoMs: number;
  readonly run: () => Promise<unknown>;
}

async function openTown(folder: string): Promise<Town> {
  const config = loadConfig({ KEYREEVE_DATA_DIR: folder, KEYREEVE_LOG_LEVEL: 'error' });
  const startedAt = systemClock.now();
  let offsetMs = 0;
  const clock = { now: () => systemClock.now() + offsetMs };
  const logger = createLogger(config.logLevel);
  const deps = await createDeps({ config, clock, random: systemRandom, logger });
  return {
    deps,
    app: await buildApp(deps),
    goTo: (agoMs) => {
      offsetMs = startedAt - agoMs - systemClock.now();
    },
    accounts: new Map(),
    keys: new Map(),
  };
}

async function closeTown({ app, deps, goTo }: Town): Promise<void> {
  goTo(0);
  await app.close();
  await deps.close();
}

function accountOf(town: Town, login: string): Account {
  const account = town.accounts.get(login);
  if (account === undefined) throw new Error(`Hayama has no account ${login}.`);
  return account;
}

/** The caller that a console session of this user is. */
async function callerOf({ deps, ...town }: Town, email: string): Promise<Caller> {
  const { id } = accountOf({ deps, ...town }, email);
  const account = await deps.accounts.findIdentity(deps.storage.read, deps.defaultWorkspace.id, id);
  if (account === null) throw new Error(`The account of ${email} is gone.`);
  const managedIds = await deps.accounts.listManagedIds(deps.storage.read, deps.defaultWorkspace.id, id);
  const principal = { kind: 'session', account, sessionId: 'ses_town', managedIds } as const;
  return { ...browserCaller(deps, email), principal };
}

/** Everybody sits at an address of his own. */
function browserCaller(deps: Deps, email: string): Caller {
  const index = TOWN_USERS.findIndex((user) => user.email === email);
  return {
    ...systemCaller(deps.defaultWorkspace, 'town'),
    ip: `203.0.113.${24 + index}`,
    userAgent: BROWSER,
    requestId: null,
  };
}

async function settle(town: Town): Promise<void> {
  const { deps, goTo } = town;
  const passwordHash = await deps.passwords.hash(new Secret(TOWN_PASSWORD), []);
  for (const [index, { signedInAgo: _, hasPassword, ...user }] of TOWN_USERS.entries()) {
    goTo((400 - 3 * index) * DAY_MS);
    const input = { ...user, kind: 'user', grants: grantsOf(user.role) } as const;
    if (hasPassword) {
      const caller =
        index === 0 ? systemCaller(deps.defaultWorkspace, 'set-up') : await callerOf(town, ADMIN_EMAIL);
      const account = await inTransaction(deps.storage, (tx) =>
        deps.accounts.createInside(tx, caller, { ...input, passwordHash }),
      );
      town.accounts.set(user.email, account);
    } else {
      const { account } = await deps.accounts.create(await callerOf(town, ADMIN_EMAIL), input);
      town.accounts.set(user.email, account);
    }
  }
  const admin = await callerOf(town, ADMIN_EMAIL);
  for (const [index, { managers, grants = [], ...service }] of TOWN_SERVICES.entries()) {
    goTo((350 - 2 * index) * DAY_MS);
    const { account } = await deps.accounts.create(admin, {
      ...service,
      kind: 'service',
      managers: managers.map((email) => accountOf(town, email).id),
      grants: [...grantsOf('member'), ...grants],
    });
    town.accounts.set(service.technicalName, account);
  }
}

function grantsOf(role: 'admin' | 'member') {
  const packages = { actions: ['package:*'], resources: ['*'] };
  return role === 'admin' ? [packages, { actions: ['metrics:read'], resources: ['*'] }] : [packages];
}

function planKey(town: Town, key: TownKey): Happening[] {
  const { deps } = town;
  const { comment, lifetimeDays, scopes, owner, disabled, regenerated } = key;
  const admin = () => callerOf(town, ADMIN_EMAIL);
  const happenings: Happening[] = [
    {
      agoMs: key.createdDaysAgo * DAY_MS,
      run: async () => {
        const account = accountOf(town, key.account);
        const by = account.kind === 'user' ? await callerOf(town, key.account) : await admin();
        const minted = await deps.keys.create(by, account.id, {
          comment,
          lifetimeDays,
          access: scopes === null ? 'account' : 'scoped',
          scopes: scopes ?? undefined,
          ownerId: owner === undefined ? undefined : accountOf(town, owner).id,
          limits: key.limits,
        });
        town.keys.set(comment, { id: minted.key.id, secret: minted.fullKey.reveal() });
      },
    },
  ];
  const idOf = () => town.keys.get(comment)?.id ?? '';
  if (disabled !== undefined) {
    const run = async () => deps.keys.disable(await admin(), idOf(), disabled.reason);
    happenings.push({ agoMs: disabled.daysAgo * DAY_MS, run });
  }
  if (regenerated !== undefined) {
    // The programs go on with the old secret, as they do while an overlap lasts.
    const { hoursAgo, overlapHours } = regenerated;
    const run = async () => deps.keys.regenerate(await admin(), idOf(), { overlapHours });
    happenings.push({ agoMs: hoursAgo * HOUR_MS, run });
  }
  return happenings;
}

/** What a package has beside the bare manifest. */
function partsOf({ manifest = '', readme, icon }: Pick<TownPackage, 'manifest' | 'readme' | 'icon'>) {
  const readmeField = readme === undefined ? '' : '<readme>README.md</readme>';
  const iconField = icon === undefined ? '' : '<icon>icon.png</icon>';
  return {
    fields: `${manifest}${readmeField}${iconField}`,
    files: {
      ...(readme === undefined ? {} : { 'README.md': readme }),
      ...(icon === undefined ? {} : { 'icon.png': drawIcon(icon) }),
    },
  };
}

function planPackage(
  town: Town,
  { id, description, tags, by, versions, unlisted = [], secondOwner, ...rest }: TownPackage,
) {
  const from = () => ({
    remoteAddress: '198.51.100.7',
    headers: { 'x-nuget-apikey': secretOf(town, by), 'user-agent': 'NuGet/6.12.2' },
  });
  const happenings: Happening[] = versions.map(([version, daysAgo]) => ({
    agoMs: daysAgo * DAY_MS,
    run: async () => {
      const nuspec = { id, version, description, authors: 'Hayama', ...(tags === undefined ? {} : { tags }) };
      const { fields, files } = partsOf(rest);
      const nuspecXml = buildNuspec(nuspec).replace('</metadata>', () => `${fields}</metadata>`);
      const payload = Buffer.from(buildNupkg({ id, version, nuspecXml, files }));
      const answer = await town.app.inject({
        method: 'PUT',
        url: '/api/v2/package',
        ...from(),
        payload,
      });
      if (answer.statusCode !== 201) throw new Error(`${id} ${version}: ${answer.statusCode} ${answer.body}`);
    },
  }));
  const lastAgoMs = (versions.at(-1)?.[1] ?? 0) * DAY_MS;
  for (const version of unlisted) {
    const run = async () => {
      const url = `/api/v2/package/${id}/${version}`;
      const answer = await town.app.inject({ method: 'DELETE', url, ...from() });
      if (answer.statusCode >= 300) throw new Error(`${id} ${version}: ${answer.statusCode} ${answer.body}`);
    };
    happenings.push({ agoMs: lastAgoMs / 2, run });
  }
  if (secondOwner !== undefined) {
    const run = async () =>
      town.deps.packages.addOwner(await callerOf(town, ADMIN_EMAIL), id, accountOf(town, secondOwner).id);
    happenings.push({ agoMs: lastAgoMs / 2 - 1, run });
  }
  return happenings;
}

/** Sign-ins, changed settings, a contractor who leaves, and people at the door who may not come in. */
function planPeople(town: Town): Happening[] {
  const { deps, app } = town;
  const signIns = TOWN_USERS.filter((user) => user.signedInAgo !== null).map(({ email, signedInAgo }) => ({
    agoMs: (signedInAgo ?? 0) * MINUTE_MS,
    run: async () =>
      inTransaction(deps.storage, (tx) =>
        deps.sessions.start(tx, browserCaller(deps, email), accountOf(town, email), null),
      ),
  }));
  const settings = (daysAgo: number, patch: Parameters<Deps['settings']['update']>[1]): Happening => ({
    agoMs: daysAgo * DAY_MS,
    run: async () => deps.settings.update(await callerOf(town, 'amara.okafor@hayama.example'), patch, null),
  });
  const contractor = 'daniel.oshea@contract.example';
  const refuse = (agoMs: number, email: string): Happening => ({
    agoMs,
    run: () =>
      app.inject({
        method: 'POST',
        url: '/v1/session',
        remoteAddress: '192.0.2.133',
        headers: { 'user-agent': BROWSER },
        payload: { email, password: 'seagull lantern coffee' },
      }),
  });
  return [
    ...signIns,
    settings(33, { tokenLifetimeSeconds: 1800 }),
    settings(32.9, { tokenLifetimeSeconds: 3600 }),
    settings(3, { supportEmail: 'platform@hayama.example' }),
    {
      agoMs: 20 * DAY_MS,
      run: async () => {
        const patch = { state: 'disabled', disabledReason: 'Contract ended' } as const;
        const { id } = accountOf(town, contractor);
        await deps.accounts.update(
          await callerOf(town, 'amara.okafor@hayama.example'),
          'user',
          id,
          patch,
          null,
        );
      },
    },
    refuse(2 * DAY_MS, contractor),
    refuse(3 * HOUR_MS, contractor),
    refuse(3 * HOUR_MS - MINUTE_MS, 'root@hayama.example'),
    { agoMs: 380 * DAY_MS, run: () => importKey(town) },
  ];
}

async function importKey(town: Town): Promise<void> {
  const { comment, credential } = IMPORTED;
  const sha256 = createHash('sha256').update(credential).digest('hex');
  const row = { account: ADMIN_EMAIL, comment, access: 'full', expiresAt: null, sha256 } as const;
  const [id = ''] = await town.deps.keyImporter.importKeys(await callerOf(town, ADMIN_EMAIL), [row], false);
  town.keys.set(comment, { id, secret: credential });
}

/** Ids that only some accounts may give to new packages, or nobody. */
function planPrefixes(town: Town): Happening[] {
  const reserve = (daysAgo: number, pattern: string, logins: readonly string[]): Happening => ({
    agoMs: daysAgo * DAY_MS,
    run: async () => {
      const accountIds = logins.map((login) => accountOf(town, login).id);
      await town.deps.prefixes.create(await callerOf(town, ADMIN_EMAIL), { pattern, accountIds });
    },
  });
  return [
    reserve(210, 'Hayama.Edge*', ['release-bot']),
    reserve(209, 'Hayama.DataFactory*', ['team-data', ADMIN_EMAIL]),
    reserve(209, 'System.*', []),
  ];
}

async function live(town: Town): Promise<void> {
  const happenings = [
    ...planPeople(town),
    ...planStrangers(town),
    ...planPrefixes(town),
    ...TOWN_KEYS.flatMap((key) => [
      ...planKey(town, key),
      ...(key.traffic === undefined ? [] : planTraffic(town, key, key.traffic)),
    ]),
    ...TOWN_PACKAGES.flatMap((each) => planPackage(town, each)),
  ];
  let flushedAgoMs = Number.POSITIVE_INFINITY;
  for (const { agoMs, run } of happenings.toSorted((a, b) => b.agoMs - a.agoMs)) {
    town.goTo(agoMs);
    await run();
    // What the process does each second; counters know their own hour, so once a day is enough here.
    if (flushedAgoMs - agoMs > DAY_MS) {
      flushedAgoMs = agoMs;
      await town.deps.usage.flush();
      await town.deps.audit.flush();
    }
  }
}

function readFacts(folder: string): TownFacts {
  return JSON.parse(readFileSync(path.join(folder, 'town.json'), 'utf8')) as TownFacts;
}

async function main([folder, mode]: readonly string[]): Promise<void> {
  if (folder === undefined) throw new Error('Usage: node e2e/console/town.ts FOLDER [many]');
  mkdirSync(folder, { recursive: true });
  const town = await openTown(folder);
  try {
    if (mode === 'many') {
      const adminId = readFacts(folder).accounts[ADMIN_EMAIL] ?? '';
      await addManyUsers(town, adminId, MANY_USERS);
      return;
    }
    await settle(town);
    await live(town);
    town.goTo(0);
    await fetchPackages(town);
    const facts: TownFacts = {
      accounts: Object.fromEntries([...town.accounts].map(([login, { id }]) => [login, id])),
      keys: Object.fromEntries(town.keys),
    };
    writeFileSync(path.join(folder, 'town.json'), JSON.stringify(facts));
  } finally {
    await closeTown(town);
  }
}

await main(process.argv.slice(2));
