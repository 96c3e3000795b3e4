import { buildApp, type Deps, inTransaction } from '@keyreeve/server';
import type { App } from '@keyreeve/testkit';
import type { World } from './credential.ts';

/** The server with some of its services replaced. */
export async function buildRigged(world: World, changes: Partial<Deps>): Promise<App> {
  const app = await buildApp({ ...world.harness.deps, ...changes });
  await app.ready();
  return app;
}

/** The same service but for some of its functions. */
export function replaced<Service extends object>(service: Service, changes: Partial<Service>): Service {
  return new Proxy(service, {
    get: (target, name) => {
      const own: unknown = Reflect.get(name in changes ? changes : target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

export interface Sabotage {
  readonly name: string;
  /** A row that meets it. */
  readonly route: string;
  /** What the matrix must say of at least one cell, and nothing else of any. */
  readonly wanted: RegExp;
  readonly change: (world: World) => Partial<Deps>;
}

export type Caller = Parameters<Deps['accounts']['get']>[0];

/** The caller as if he were the administrator of his workspace. */
export async function asAdmin(world: World, caller: Caller): Promise<Caller> {
  const { sessions } = world.harness.deps;
  const { id } = caller.workspace;
  return { ...caller, principal: await sessions.authenticate(id, adminCookie(world, id)) };
}

type Secret = Parameters<Deps['sessions']['authenticate']>[1];

function asSecret(text: string): Secret {
  return { reveal: () => text } as Secret;
}

function adminCookie({ harness, acme, bolt }: World, workspaceId: string): Secret {
  const town = workspaceId === harness.deps.defaultWorkspace.id ? acme : bolt;
  return asSecret(town.cookies.admin?.split('=')[1] ?? '');
}

export async function failing<Result>(
  work: () => Promise<Result>,
  then: (error: object) => Promise<void>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await then(error as object);
    throw error;
  }
}

/** Mistakes that a server may have: none may pass the matrix. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'every cookie is the administrator',
    route: 'GET /v1/users/:id',
    wanted: /\| (session|a cookie) .*: (200|404) instead of (401|404) /,
    change: (world) => {
      const { sessions } = world.harness.deps;
      return {
        sessions: replaced(sessions, {
          authenticate: (id) => sessions.authenticate(id, adminCookie(world, id)),
        }),
      };
    },
  },
  {
    name: 'the state of a key is not looked at',
    route: 'GET /v1/keys/self',
    wanted:
      /key (that is disabled|that has expired|for other addresses|of a disabled administrator) \| -: 200 instead of 401/,
    change: ({ harness }) => {
      const { keyAuthenticator } = harness.deps;
      return {
        keyAuthenticator: replaced(keyAuthenticator, {
          authenticate: async (...question) => {
            const outcome = await keyAuthenticator.authenticate(...question);
            return 'key' in outcome ? { ...outcome, code: 'valid' } : outcome;
          },
        }),
      };
    },
  },
  {
    name: 'whoever is signed in may read any account',
    route: 'GET /v1/users/:id',
    wanted: /\| (session|key|token) of .*200 instead of 404/,
    change: (world) => {
      const { accounts } = world.harness.deps;
      return {
        accounts: replaced(accounts, {
          get: async (caller, kind, id) => accounts.get(await asAdmin(world, caller), kind, id),
        }),
      };
    },
  },
  {
    name: 'a list shows everybody',
    route: 'GET /v1/users',
    wanted: /the list shows .* too many/,
    change: (world) => {
      const { accounts } = world.harness.deps;
      return {
        accounts: replaced(accounts, {
          list: async (caller, kind, page) => accounts.list(await asAdmin(world, caller), kind, page),
        }),
      };
    },
  },
  {
    name: 'a summary counts everybody',
    route: 'GET /v1/users/summary',
    wanted: /it counts \d+ where/,
    change: (world) => {
      const { accounts } = world.harness.deps;
      return {
        accounts: replaced(accounts, {
          summarize: async (caller, kind, q) => accounts.summarize(await asAdmin(world, caller), kind, q),
        }),
      };
    },
  },
  {
    name: 'the overview is that of the whole workspace',
    route: 'GET /v1/overview',
    wanted: /it names keys of/,
    change: (world) => {
      const { overview } = world.harness.deps;
      return {
        overview: replaced(overview, {
          read: async (caller, hours) => overview.read(await asAdmin(world, caller), hours),
        }),
      };
    },
  },
  {
    name: 'keys are looked up in the other workspace',
    route: 'GET /v1/keys/:keyId',
    wanted:
      /in the other workspace: (200 instead of 404|the answer tells)|refused with 404|differs from the refusal for .* in the other workspace/,
    change: ({ harness, bolt }) => {
      const { keys, workspaces } = harness.deps;
      return {
        keys: replaced(keys, {
          get: async (caller, keyId) =>
            keys.get(
              { ...caller, workspace: (await workspaces.findByHost(bolt.host)) ?? caller.workspace },
              keyId,
            ),
        }),
      };
    },
  },
  {
    name: 'a refusal leaves a trace in the settings',
    route: 'GET /v1/keys/:keyId',
    wanted: /: rows were changed in (?=.*settings)(?=.*audit)/,
    change: (world) => {
      const { keys, settings } = world.harness.deps;
      const write = async (caller: Caller) => {
        const { settings: now } = await settings.getStored(caller);
        await settings.update(caller, { requireAction: !now.requireAction }, null);
      };
      return {
        keys: replaced(keys, {
          get: (caller, keyId) =>
            failing(
              () => keys.get(caller, keyId),
              () => write(caller),
            ),
        }),
      };
    },
  },
  {
    name: 'a refusal tells whether there is such an account',
    route: 'GET /v1/service-accounts/:id',
    wanted: /: differs from the refusal for /,
    change: ({ harness }) => {
      const { accounts, storage } = harness.deps;
      const tell = async (caller: Caller, id: string, error: object) => {
        if ((await accounts.find(storage.read, caller.workspace.id, id)) !== null)
          Object.assign(error, { detail: 'It is not yours.' });
      };
      return {
        accounts: replaced(accounts, {
          get: (caller, kind, id) =>
            failing(
              () => accounts.get(caller, kind, id),
              (error) => tell(caller, id, error),
            ),
        }),
      };
    },
  },
  {
    name: 'a refusal names whose key it is',
    route: 'GET /v1/keys/:keyId',
    wanted: /: the refusal tells |the answer tells|differs from/,
    change: ({ harness, acme }) => {
      const { keys } = harness.deps;
      const tell = async (error: object) => {
        Object.assign(error, { detail: `It is the key of ${acme.logins.stranger}.` });
      };
      return {
        keys: replaced(keys, { get: (caller, keyId) => failing(() => keys.get(caller, keyId), tell) }),
      };
    },
  },
  {
    name: 'a change reaches into the other workspace',
    route: 'POST /v1/sessions/end-others',
    wanted: /: rows were changed in sessions of the other workspace/,
    change: (world) => {
      const { sessions, storage } = world.harness.deps;
      return {
        sessions: replaced(sessions, {
          endOthers: async (caller) => {
            const ended = await sessions.endOthers(caller);
            await inTransaction(storage, (tx) => tx.deleteFrom('sessions').execute());
            return ended;
          },
        }),
      };
    },
  },
  {
    name: 'a key is disabled, and who keeps answers about it is not told',
    route: 'POST /v1/keys/:keyId/disable',
    wanted: /: api_keys was changed and the revocation epoch stands still$/,
    change: (world) => {
      const { keys, storage } = world.harness.deps;
      return {
        keys: replaced(keys, {
          disable: async (caller, keyId, reason) => {
            const epochs = await storage.read.selectFrom('revocation_epochs').selectAll().execute();
            const key = await keys.disable(caller, keyId, reason);
            await inTransaction(storage, async (tx) => {
              await tx.deleteFrom('revocation_epochs').execute();
              if (epochs.length > 0) await tx.insertInto('revocation_epochs').values(epochs).execute();
            });
            return key;
          },
        }),
      };
    },
  },
  {
    name: 'whoever is signed in may unlist any package',
    route: 'POST /v1/packages/:id/versions/:version/unlist',
    wanted: /\| session of .*: 204 instead of 404 \(\); rows were changed in /,
    change: (world) => {
      const { packages } = world.harness.deps;
      return {
        packages: replaced(packages, {
          setListed: async (caller, ...change) => packages.setListed(await asAdmin(world, caller), ...change),
        }),
      };
    },
  },
  {
    name: 'a preview of patterns matches the packages of anybody',
    route: 'POST /v1/packages/coverage',
    wanted: /: 200 instead of 404 |the list shows .* too many/,
    change: (world) => {
      const { packages } = world.harness.deps;
      return {
        packages: replaced(packages, {
          findCoverage: async (caller, question) =>
            packages.findCoverage(await asAdmin(world, caller), question),
        }),
      };
    },
  },
  {
    name: 'whoever reaches an account may delete it',
    route: 'DELETE /v1/service-accounts/:id',
    wanted:
      /(writing member and reading robot|session of manager) \| service account of robot: 204 instead of 403 \(\); rows were changed in /,
    change: (world) => {
      const { accounts } = world.harness.deps;
      return {
        accounts: replaced(accounts, {
          remove: async (caller, kind, id) => {
            await accounts.get(caller, kind, id);
            await accounts.remove(await asAdmin(world, caller), kind, id);
          },
        }),
      };
    },
  },
  {
    name: 'every link leads to the feed of the administrator',
    route: 'GET /feeds/:token/expiries.ics',
    wanted: /\| feed of .*: the list shows .* too many/,
    change: ({ harness, acme, bolt }) => {
      const { feeds, defaultWorkspace } = harness.deps;
      return {
        feeds: replaced(feeds, {
          read: async (caller, token) => {
            await feeds.read(caller, token);
            const town = caller.workspace.id === defaultWorkspace.id ? acme : bolt;
            return await feeds.read(caller, asSecret(town.feeds.admin?.token ?? ''));
          },
        }),
      };
    },
  },
  {
    name: 'whoever is signed in may end the feed link of anybody',
    route: 'DELETE /v1/feed-links/:id',
    wanted: /\| session of .*: 204 instead of 404 \(\); rows were changed in /,
    change: (world) => {
      const { feeds } = world.harness.deps;
      return {
        feeds: replaced(feeds, {
          remove: async (caller, id) => feeds.remove(await asAdmin(world, caller), id),
        }),
      };
    },
  },
];
