import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { createAuthenticate } from './authenticate.ts';
import { createCountUse } from './count-use.ts';
import type { Deps } from './deps.ts';
import { AppError } from './errors/index.ts';
import { registerAccountRoutes } from './features/accounts/index.ts';
import { registerAuditRoutes } from './features/audit/index.ts';
import {
  type GalleryRouteOptions,
  isQuotaReached,
  normalizeGalleryUrl,
  registerBrowseRoutes,
  registerGalleryRoutes,
  registerODataRoutes,
  registerPackageRoutes,
  registerPrefixRoutes,
  registerV3Routes,
} from './features/gallery/index.ts';
import {
  createPlainPlaces,
  EXPIRY_HEADER,
  findKey,
  registerFeedRoutes,
  registerKeyRoutes,
  registerOverviewRoutes,
  registerSelfRoutes,
  registerUsageRoutes,
} from './features/keys/index.ts';
import { registerRateCounterMetrics } from './features/limits/index.ts';
import {
  registerMailboxRoutes,
  registerPageRoutes,
  registerWebhookRoutes,
} from './features/notices/index.ts';
import { can, holdsAction, PermissionSchema } from './features/scopes/index.ts';
import {
  registerConsoleInfoRoutes,
  registerPasswordRoutes,
  registerSessionRoutes,
  registerSetupRoutes,
} from './features/sessions/index.ts';
import { registerSettingsRoutes } from './features/settings/index.ts';
import {
  createPlainToken,
  registerIamRoutes,
  registerJwksRoutes,
  registerOAuthRoutes,
  registerSigningKeyRoutes,
} from './features/tokens/index.ts';
import {
  createPlainVerification,
  registerRevocationRoutes,
  registerVerificationRoutes,
} from './features/verification/index.ts';
import { registerWorkspaceRoutes } from './features/workspaces/index.ts';
import {
  createHttpApp,
  createRequestFacts,
  PlainLane,
  RequestDurations,
  readConsoleFiles,
  registerConsoleRoutes,
  registerDocsRoutes,
  registerOperationsRoutes,
  registerSecurityTxtRoute,
} from './http/index.ts';
import { pingStorage } from './storage/index.ts';

/** What the process knows and the app does not: that it is about to end, and that there are others beside it. */
export interface ProcessFacts {
  readonly isStopping: () => boolean;
  /** Given the metrics of this process, to hand them to whoever asks for those of all. */
  readonly attachMetrics?: (registry: Registry) => void;
  /** The metrics of all processes, in the text format of Prometheus. Without it, those of this one are shown. */
  readonly renderMetrics?: () => Promise<string>;
}

export interface AppOptions {
  readonly gallery?: GalleryRouteOptions;
  readonly process?: ProcessFacts;
  /** Less than all only where a test compares the lane with what it stands for. */
  readonly lane?: 'all' | 'requests' | 'none';
}

/** The whole server without its process: tests and `main.ts` build it in the same way. */
export async function buildApp(deps: Deps, options: AppOptions = {}): Promise<FastifyInstance> {
  const { config, workspaces, defaultWorkspace, audit, usage, sessions, tokens } = deps;
  const durations = new RequestDurations();
  const app = await createHttpApp({
    logger: deps.logger,
    trustProxy: config.trustProxy,
    tls: config.tls,
    rewriteUrl: normalizeGalleryUrl,
    lane: options.lane === 'none' ? undefined : createLane(deps, durations),
    hasSocketLane: options.lane !== 'requests',
    findWorkspace: (host) => workspaces.findByHost(host),
    defaultWorkspace: () => defaultWorkspace,
    isPermitted: (principal, action, resource) =>
      resource === undefined ? holdsAction(principal, action) : can(principal, action, resource),
    onUse: createCountUse(deps),
    onRefusal: (caller, error, route) => audit.countRefusal(caller, error, route),
    isOpen: ({ id }) => deps.galleryReading.isOpen(id),
    authenticate: createAuthenticate({
      keys: deps.keyAuthenticator,
      usage,
      authenticateSession: (cookie, facts) => sessions.authenticate(facts.workspace.id, cookie),
      authenticateToken: (token, facts) => tokens.verify(facts.workspace, token, facts.ip),
    }),
  });
  app.addHook('onError', async (request, _reply, error) => {
    if (error instanceof AppError && !isQuotaReached(error))
      audit.countLateRefusal(request.caller, error, request.routeOptions.url ?? '');
  });
  registerExpiryHint(app, deps);
  registerOperationsRoutes(app, {
    ping: () => pingStorage(deps.storage),
    hasPackageFiles: () => deps.blobHealth.isUp(deps.blobs),
    durations,
    registerMetrics: (registry) => {
      deps.blobHealth.registerMetrics(registry, deps.blobs);
      registerRateCounterMetrics(registry, deps.rateCounter);
      options.process?.attachMetrics?.(registry);
    },
    renderMetrics: options.process?.renderMetrics,
    isStopping: options.process?.isStopping ?? (() => false),
    metricsToken: config.metricsToken,
  });
  registerDocsRoutes(app);
  registerSecurityTxtRoute(app, { contact: config.securityContact, clock: deps.clock });
  registerConsoleRoutes(app, { files: readConsoleFiles(), random: deps.random });
  registerPeople(app, deps);
  registerKeys(app, deps);
  registerGalleryRoutes(app, deps.gallery, options.gallery);
  registerODataRoutes(app, deps.odata);
  registerPackageRoutes(app, deps.packages);
  registerV3Routes(app, deps);
  registerBrowseRoutes(app, deps.browse);
  registerPrefixRoutes(app, deps.prefixes);
  return app;
}

function createLane(deps: Deps, durations: RequestDurations): PlainLane {
  const { epochGuard } = deps.storage;
  const facts = createRequestFacts(deps.config.trustProxy);
  const peekWorkspace = (host: string) => deps.workspaces.peekByHost(host);
  const places = createPlainPlaces({ ...deps, epochGuard, facts, peekWorkspace });
  const verification = createPlainVerification({ ...deps, epochGuard, facts, places });
  const token = createPlainToken({ ...deps, facts, places });
  return new PlainLane([...verification, token], { ...deps, durations });
}

/** Whoever comes with a key that is about to expire hears of it with each answer. */
function registerExpiryHint(app: FastifyInstance, { expiryHint }: Deps): void {
  app.addHook('onSend', async (request, reply) => {
    const { principal, workspace } = request.caller;
    if (principal.kind !== 'key' && principal.kind !== 'token') return;
    const expires = await expiryHint.find(workspace.id, principal.key.expiresAt);
    if (expires !== null) reply.header(EXPIRY_HEADER, expires);
  });
}

function registerPeople(app: FastifyInstance, deps: Deps): void {
  app.addSchema(PermissionSchema);
  registerWorkspaceRoutes(app, deps.workspaces);
  registerSettingsRoutes(app, deps.settings);
  registerAuditRoutes(app, deps.audit);
  registerAccountRoutes(app, deps.accounts, {
    hash: (password, contextWords) => deps.passwords.hash(password, contextWords),
  });
  registerSessionRoutes(app, deps.sessions);
  registerSetupRoutes(app, deps.setup);
  registerConsoleInfoRoutes(app, {
    setup: deps.setup,
    settings: deps.settings,
    hasSmtp: deps.config.smtpUrl !== null,
  });
  registerPasswordRoutes(app, deps.passwordService);
  registerMailboxRoutes(app, deps.mailbox);
  registerWebhookRoutes(app, deps.webhooks);
  registerPageRoutes(app);
}

function registerKeys(app: FastifyInstance, deps: Deps): void {
  const {
    keys,
    keyLister: lister,
    keyDelivery: delivery,
    keyImporter: importer,
    clock,
    storage,
    keyring,
  } = deps;
  registerKeyRoutes(app, { keys, lister, delivery, importer });
  registerUsageRoutes(app, deps);
  registerSelfRoutes(app, {
    keys,
    lister,
    findKey: (workspaceId, keyId) => findKey(storage.read, keyring, workspaceId, keyId),
  });
  registerOverviewRoutes(app, deps.overview);
  registerFeedRoutes(app, deps.feeds);
  registerIamRoutes(app, { iam: deps.iam, now: () => clock.now(), expiryHint: deps.expiryHint });
  registerJwksRoutes(app, deps.tokens);
  registerSigningKeyRoutes(app, deps.signingKeys);
  registerOAuthRoutes(app, {
    ...deps.oauth,
    tokens: deps.tokens,
    keyAuthenticator: deps.keyAuthenticator,
    expiryHint: deps.expiryHint,
  });
  registerVerificationRoutes(app, deps.verification, deps.storage.epochGuard);
  registerRevocationRoutes(app, deps.revocations);
}
