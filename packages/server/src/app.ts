import type { FastifyInstance } from 'fastify';
import { createAuthenticate } from './authenticate.ts';
import type { Deps } from './deps.ts';
import { registerAccountRoutes } from './features/accounts/index.ts';
import { registerAuditRoutes } from './features/audit/index.ts';
import { findKey, registerKeyRoutes, registerSelfRoutes } from './features/keys/index.ts';
import { can, holdsAction, PermissionSchema } from './features/scopes/index.ts';
import { registerSettingsRoutes } from './features/settings/index.ts';
import { registerWorkspaceRoutes } from './features/workspaces/index.ts';
import { authErrors, createHttpApp, registerDocsRoutes, registerOperationsRoutes } from './http/index.ts';
import { pingStorage } from './storage/index.ts';

/** The whole server without its process: tests and `main.ts` build it in the same way. */
export async function buildApp(deps: Deps): Promise<FastifyInstance> {
  const { config, workspaces, defaultWorkspace, audit, usage } = deps;
  const app = await createHttpApp({
    logger: deps.logger,
    trustProxy: config.trustProxy,
    tls: config.tls,
    rewriteUrl: (url) => url,
    findWorkspace: (host) => workspaces.findByHost(host),
    defaultWorkspace: () => defaultWorkspace,
    isPermitted: (principal, action, resource) => (resource === undefined ? holdsAction(principal, action) : can(principal, action, resource)),
    onRefusal: (caller, error, route) => audit.countRefusal(caller, error, route),
    authenticate: createAuthenticate({
      keys: deps.keyAuthenticator,
      usage,
      authenticateSession: () => Promise.reject(authErrors.session_ended()),
      authenticateToken: () => Promise.reject(authErrors.invalid_credential()),
    }),
  });
  app.addSchema(PermissionSchema);
  registerOperationsRoutes(app, { ping: () => pingStorage(deps.storage), metricsToken: config.metricsToken });
  registerDocsRoutes(app);
  registerWorkspaceRoutes(app, workspaces);
  registerSettingsRoutes(app, deps.settings);
  registerAuditRoutes(app, audit);
  registerAccountRoutes(app, deps.accounts, { hash: () => Promise.resolve(''), invite: () => Promise.resolve() });
  registerKeyRoutes(app, { keys: deps.keys, lister: deps.keyLister, delivery: deps.keyDelivery, importer: deps.keyImporter, usage, now: () => deps.clock.now() });
  registerSelfRoutes(app, { keys: deps.keys, lister: deps.keyLister, findKey: (workspaceId, keyId) => findKey(deps.storage.read, deps.keyring, workspaceId, keyId) });
  return app;
}
