import type { FastifyBaseLogger } from 'fastify';
import { type Config, publicUrlOf } from './config/index.ts';
import { createWebhookServices, type WebhookServices } from './deps-webhooks.ts';
import {
  type AccountHooks,
  type AccountNotices,
  type AccountsService,
  createAccountNotices,
  createAccountsService,
} from './features/accounts/index.ts';
import { type AuditService, createAuditService } from './features/audit/index.ts';
import {
  type BlobSweeper,
  type BrowseService,
  createBlobSweeper,
  createBrowseService,
  createDownloadCounter,
  createFeedService,
  createFindKeyStops,
  createGalleryReading,
  createGalleryService,
  createODataService,
  createPackagesService,
  createPrefixesService,
  createQuotas,
  type DownloadCounter,
  type FeedService,
  type GalleryReading,
  type GalleryService,
  type ODataService,
  type PackagesService,
  type PrefixesService,
  type Quotas,
  shareUploads,
} from './features/gallery/index.ts';
import {
  createAccountKeys,
  createExpiryHint,
  createExpirySweep,
  createFeedsService,
  createKeyAuthenticator,
  createKeyDelivery,
  createKeyImporter,
  createKeyLister,
  createKeyNotices,
  createKeysService,
  createOverviewService,
  createQuotaSweep,
  createRefusalNotices,
  createUsageReader,
  createUsageRecorder,
  createUsageRetention,
  type ExpiryHint,
  type ExpirySweep,
  type FeedsService,
  type FindKeyStops,
  type KeyAuthenticator,
  type KeyDelivery,
  type KeyImporter,
  type KeyLister,
  type KeysService,
  type OverviewService,
  type QuotaSweep,
  type RefusalNotices,
  type UsageReader,
  type UsageRecorder,
  type UsageRetention,
} from './features/keys/index.ts';
import {
  createLimitsService,
  type LimitsService,
  openRateCounter,
  type RateCounter,
} from './features/limits/index.ts';
import {
  createMailboxService,
  createMailTransport,
  createNoticeSender,
  type MailboxService,
  type NoticeSender,
} from './features/notices/index.ts';
import {
  createPasswordLinks,
  createPasswordService,
  createPasswords,
  createSessionsService,
  createSetupService,
  createSignInPlaces,
  createThrottle,
  type PasswordLinks,
  type PasswordService,
  type Passwords,
  type SessionsService,
  type SetupService,
  type SignInPlaces,
  type Throttle,
} from './features/sessions/index.ts';
import { createSettingsService, type SettingsService } from './features/settings/index.ts';
import {
  createIamService,
  createOAuth,
  createSigningKeys,
  createSigningKeysService,
  createTokensService,
  type IamService,
  type OAuth,
  type SigningKeysService,
  type TokensService,
} from './features/tokens/index.ts';
import {
  createRevocationHub,
  createVerificationService,
  type RevocationHub,
  type VerificationService,
} from './features/verification/index.ts';
import { createWorkspacesService, type WorkspacesService } from './features/workspaces/index.ts';
import type { Workspace } from './http/index.ts';
import {
  createEvents,
  createOutbox,
  createOutboxQueue,
  type Events,
  type Outbox,
  type OutboxQueue,
} from './jobs/index.ts';
import type { Clock } from './lib/clock.ts';
import type { Random } from './lib/random.ts';
import { openDatabase } from './open-database.ts';
import { type BlobHealth, type BlobStore, createBlobHealth, openBlobStore } from './storage/blobs/index.ts';
import type { Keyring, Storage } from './storage/index.ts';

/** What comes from outside the process; tests hand in a clock and randomness of their own. */
export interface Surroundings {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: FastifyBaseLogger;
}

/** What everything else stands on. */
interface Foundation {
  readonly storage: Storage;
  readonly blobs: BlobStore;
  readonly blobHealth: BlobHealth;
  readonly keyring: Keyring;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  readonly workspaces: WorkspacesService;
  readonly defaultWorkspace: Workspace;
  readonly outbox: Outbox;
  readonly events: Events;
  readonly queue: OutboxQueue;
  readonly usage: UsageRecorder;
  readonly rateCounter: RateCounter;
  readonly keyLimiter: LimitsService;
  readonly usageReader: UsageReader;
  readonly usageRetention: UsageRetention;
  readonly quotaSweep: QuotaSweep;
}

interface People {
  readonly accounts: AccountsService;
  readonly accountNotices: AccountNotices;
  readonly passwords: Passwords;
  readonly passwordLinks: PasswordLinks;
  readonly passwordService: PasswordService;
  readonly sessions: SessionsService;
  readonly signInPlaces: SignInPlaces;
  readonly setup: SetupService;
  readonly throttle: Throttle;
}

interface KeyServices {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly expiryHint: ExpiryHint;
  readonly expirySweep: ExpirySweep;
  readonly feeds: FeedsService;
  readonly keyDelivery: KeyDelivery;
  readonly keyImporter: KeyImporter;
  readonly keyLister: KeyLister;
  readonly keys: KeysService;
  readonly refusalNotices: RefusalNotices;
  readonly overview: OverviewService;
  readonly tokens: TokensService;
  readonly signingKeys: SigningKeysService;
  readonly iam: IamService;
  readonly oauth: OAuth;
}

interface GalleryServices {
  readonly downloads: DownloadCounter;
  readonly galleryReading: GalleryReading;
  readonly gallery: GalleryService;
  readonly packages: PackagesService;
  readonly prefixes: PrefixesService;
  readonly quotas: Quotas;
  /** What V2 and V3 of the NuGet protocol read. */
  readonly packageFeed: FeedService;
  readonly odata: ODataService;
  /** The gallery as people look at it. */
  readonly browse: BrowseService;
  readonly blobSweeper: BlobSweeper;
}

/** Every service of the server, made once. */
export interface Deps
  extends Surroundings,
    Foundation,
    People,
    KeyServices,
    GalleryServices,
    WebhookServices {
  readonly notices: NoticeSender;
  readonly mailbox: MailboxService;
  readonly verification: VerificationService;
  readonly revocations: RevocationHub;
  close(): Promise<void>;
}

async function createFoundation(surroundings: Surroundings): Promise<Foundation> {
  const { config, clock, random } = surroundings;
  const blobHealth = createBlobHealth(surroundings);
  // Before the database: a store that cannot be used is told before anything is made.
  const blobs = await openBlobStore({ ...surroundings, observer: blobHealth.observer });
  const { storage, keyring } = await openDatabase(surroundings);
  const audit = createAuditService({ ...surroundings, storage, keyring });
  await audit.open();
  const settings = createSettingsService({ storage, clock, audit, hasSmtp: config.smtpUrl !== null });
  const rateCounter = await openRateCounter(surroundings);
  const place = () => ({ publicUrl: publicUrlOf(config), baseDomain: config.baseDomain });
  const workspaces = createWorkspacesService({ storage, clock, random, audit, place });
  return {
    storage,
    blobs,
    blobHealth,
    keyring,
    audit,
    settings,
    workspaces,
    defaultWorkspace: await workspaces.open(),
    events: createEvents({ clock, random }),
    outbox: createOutbox({
      clock,
      random,
      keyring,
      mailDomain: config.mailFrom.split('@')[1] ?? 'localhost',
    }),
    queue: createOutboxQueue({ storage, clock, keyring, config }),
    rateCounter,
    keyLimiter: createLimitsService({ storage, clock, rateCounter }),
    usage: createUsageRecorder({ storage, clock, random }),
    usageReader: createUsageReader({ storage, clock, config }),
    usageRetention: createUsageRetention({ storage, clock, config }),
    quotaSweep: createQuotaSweep({ storage }),
  };
}

function createPeople(base: Surroundings & Foundation, hooks: () => AccountHooks): People {
  const accounts = createAccountsService({ ...base, hooks, accountKeys: createAccountKeys(base) });
  const passwords = createPasswords({ ...base, ...base.config });
  const throttle = createThrottle(base);
  const accountNotices = createAccountNotices(base);
  const signInPlaces = createSignInPlaces({ ...base, accountNotices });
  const sessions = createSessionsService({ ...base, accounts, passwords, throttle, signInPlaces });
  const passwordLinks = createPasswordLinks({ ...base, accounts });
  const passwordService = createPasswordService({
    ...base,
    accounts,
    sessions,
    passwords,
    throttle,
    links: passwordLinks,
  });
  const setup = createSetupService({ ...base, accounts, sessions, passwords, throttle });
  return {
    accounts,
    accountNotices,
    signInPlaces,
    passwords,
    passwordLinks,
    passwordService,
    sessions,
    setup,
    throttle,
  };
}

function createKeyServices(
  base: Surroundings & Foundation & People,
  findStops: () => FindKeyStops,
): KeyServices {
  const { config, logger } = base;
  const { keyPrefix } = config;
  const keyDelivery = createKeyDelivery({ ...base, hasSmtp: config.smtpUrl !== null });
  const keyNotices = createKeyNotices(base);
  const onAlteredRow = (error: Error) =>
    logger.error({ err: error }, 'a key row was altered outside Keyreeve');
  const keyAuthenticator = createKeyAuthenticator({ ...base, onAlteredRow });
  const signingKeys = createSigningKeys(base);
  const tokens = createTokensService({ ...base, keyAuthenticator, signingKeys });
  const keyLister = createKeyLister(base);
  return {
    keyDelivery,
    keyAuthenticator,
    keyImporter: createKeyImporter({ ...base, keyNotices, keyPrefix }),
    keyLister,
    refusalNotices: createRefusalNotices({ ...base, keyNotices }),
    expiryHint: createExpiryHint(base),
    expirySweep: createExpirySweep({ ...base, keyNotices, findStops }),
    feeds: createFeedsService({ ...base, keyLister }),
    overview: createOverviewService({ ...base, keyLister }),
    keys: createKeysService({ ...base, delivery: keyDelivery, keyNotices, keyPrefix }),
    tokens,
    signingKeys: createSigningKeysService({ ...base, signingKeys }),
    iam: createIamService({ ...base, keyAuthenticator, tokens }),
    oauth: createOAuth({ ...base, keyAuthenticator, tokens }),
  };
}

function createGalleryServices(base: Surroundings & Foundation & People & KeyServices): GalleryServices {
  const quotas = createQuotas(base);
  const downloads = createDownloadCounter(base);
  const galleryReading = createGalleryReading(base);
  const packageFeed = createFeedService({ ...base, galleryReading });
  const uploadsMax = shareUploads(base.config.workers);
  const gallery = createGalleryService({ ...base, quotas, galleryReading, downloads, uploadsMax });
  return {
    downloads,
    galleryReading,
    gallery,
    packages: createPackagesService({ ...base, quotas, galleryReading, uploadsMax }),
    prefixes: createPrefixesService(base),
    quotas,
    packageFeed,
    odata: createODataService({ ...base, packageFeed, gallery }),
    browse: createBrowseService({ ...base, packageFeed }),
    blobSweeper: createBlobSweeper(base),
  };
}

/**
 * The composition root: opens the database and makes every service.
 *
 * @throws MasterKeyError, BlobStoreRefused, or the error of a migration that failed
 */
export async function createDeps(surroundings: Surroundings): Promise<Deps> {
  const base = { ...surroundings, ...(await createFoundation(surroundings)) };
  const people = createPeople(base, () => hooks);
  const withPeople = { ...base, ...people };
  const keyServices = createKeyServices(withPeople, () => findKeyStops);
  const withKeys = { ...withPeople, ...keyServices };
  const galleryServices = createGalleryServices(withKeys);
  const findKeyStops = createFindKeyStops(people);
  const { keys, feeds } = keyServices;
  const { packages } = galleryServices;
  const hooks: AccountHooks = {
    onRightsEnded: (tx, caller, account) => people.sessions.endAllOf(tx, caller, account),
    onUserWithoutPassword: (tx, caller, account) => people.passwordService.invite(tx, caller, account),
    onDelete: async (tx, caller, account) => {
      await packages.refuseIfSoleOwner(tx, account);
      await packages.removeOwnership(tx, caller, account);
      await people.sessions.endAllOf(tx, caller, account);
      await people.signInPlaces.forget(tx, account);
      await feeds.removeAllOf(tx, account);
      await keys.removeAllOf(tx, caller, account);
    },
  };
  return {
    ...withKeys,
    ...galleryServices,
    ...createWebhookServices(withPeople),
    notices: createNoticeSender({ ...base, transport: createMailTransport(base.config) }),
    mailbox: createMailboxService(base),
    verification: createVerificationService(withKeys),
    revocations: createRevocationHub(base),
    close: async () => {
      await base.usage.flush();
      await galleryServices.downloads.flush();
      await people.sessions.flush();
      await base.audit.close();
      await base.rateCounter.close();
      await base.blobs.close();
      await base.storage.close();
    },
  };
}
