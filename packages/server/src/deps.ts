import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config/index.ts';
import { type AccountHooks, type AccountsService, createAccountsService } from './features/accounts/index.ts';
import { type AuditService, createAuditService } from './features/audit/index.ts';
import {
  createKeyAuthenticator,
  createKeyDelivery,
  createKeyImporter,
  createKeyLister,
  createKeysService,
  createUsageRecorder,
  type KeyAuthenticator,
  type KeyDelivery,
  type KeyImporter,
  type KeyLister,
  type KeysService,
  type UsageRecorder,
} from './features/keys/index.ts';
import { createSettingsService, type SettingsService } from './features/settings/index.ts';
import { createWorkspacesService, type WorkspacesService } from './features/workspaces/index.ts';
import type { Workspace } from './http/index.ts';
import { createOutbox, type Outbox } from './jobs/index.ts';
import type { Clock } from './lib/clock.ts';
import type { Random } from './lib/random.ts';
import { isNewSqliteDatabase, type Keyring, loadMasterKey, migrateStorage, openKeyring, openStorage, type Storage } from './storage/index.ts';

/** What comes from outside the process; tests hand in a clock and randomness of their own. */
export interface Surroundings {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: FastifyBaseLogger;
}

/** Every service of the server, made once. */
export interface Deps extends Surroundings {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  readonly workspaces: WorkspacesService;
  readonly defaultWorkspace: Workspace;
  readonly accounts: AccountsService;
  readonly outbox: Outbox;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly keyDelivery: KeyDelivery;
  readonly keyImporter: KeyImporter;
  readonly keyLister: KeyLister;
  readonly keys: KeysService;
  readonly usage: UsageRecorder;
  close(): Promise<void>;
}

/** The address of the default workspace; without one in the configuration, the machine itself. */
export function publicUrlOf(config: Config): string {
  const scheme = config.tls === null ? 'http' : 'https';
  return config.publicUrl ?? `${scheme}://localhost:${config.port}`;
}

async function openDatabase(surroundings: Surroundings): Promise<{ storage: Storage; keyring: Keyring }> {
  const { config, clock, random, logger } = surroundings;
  const isNew = config.database.engine === 'sqlite' && isNewSqliteDatabase(config.dataDir);
  // The key comes first: a database without its key could never be used, a key without a database can.
  const masterKey = loadMasterKey(config, isNew);
  const storage = openStorage(config, logger);
  try {
    await migrateStorage(storage);
    return { storage, keyring: await openKeyring({ storage, clock, random, masterKey }) };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/**
 * The composition root: opens the database and makes every service.
 *
 * @throws MasterKeyError, or the error of a migration that failed
 */
export async function createDeps(surroundings: Surroundings): Promise<Deps> {
  const { config, clock, random, logger } = surroundings;
  const { storage, keyring } = await openDatabase(surroundings);
  const hasSmtp = config.smtpUrl !== null;
  const audit = createAuditService({ storage, clock });
  const settings = createSettingsService({ storage, clock, audit, hasSmtp });
  const place = () => ({ publicUrl: publicUrlOf(config), baseDomain: config.baseDomain });
  const workspaces = createWorkspacesService({ storage, clock, random, audit, place });
  const defaultWorkspace = await workspaces.open();
  const accounts: AccountsService = createAccountsService({ storage, clock, random, audit, settings, hooks: () => hooks });
  const outbox = createOutbox({ clock, random, keyring, mailDomain: config.mailFrom.split('@')[1] ?? 'localhost' });
  const usage = createUsageRecorder({ storage, clock });
  const keyDelivery = createKeyDelivery({ storage, clock, random, keyring, outbox, audit, hasSmtp });
  const { keyPrefix } = config;
  const keys: KeysService = createKeysService({ storage, clock, random, keyring, audit, settings, accounts, delivery: keyDelivery, keyPrefix });
  const hooks: AccountHooks = {
    onRightsEnded: () => Promise.resolve(),
    onDelete: (tx, caller, account) => keys.removeAllOf(tx, caller, account),
  };
  return {
    ...surroundings,
    storage,
    keyring,
    audit,
    settings,
    workspaces,
    defaultWorkspace,
    accounts,
    outbox,
    usage,
    keyDelivery,
    keys,
    keyAuthenticator: createKeyAuthenticator({ storage, clock, keyring, accounts, onAlteredRow: (error) => logger.error({ err: error }, 'a key row was altered') }),
    keyImporter: createKeyImporter({ storage, clock, random, keyring, audit, accounts, keyPrefix }),
    keyLister: createKeyLister({ storage, clock, keyring, settings, usage, hasAccount: async (workspaceId, id) => (await accounts.find(storage.read, workspaceId, id)) !== null }),
    close: async () => {
      await usage.flush();
      await audit.flush();
      await storage.close();
    },
  };
}
