import type { Deps } from '@keyreeve/server';
import type { World } from './credential.ts';
import { asAdmin, type Caller, failing, replaced, type Sabotage } from './sabotage.ts';

/** Packages with one function that takes every caller for the administrator. */
function withPackages(
  world: World,
  change: (
    packages: Deps['packages'],
    admin: (caller: Caller) => Promise<Caller>,
  ) => Partial<Deps['packages']>,
): Partial<Deps> {
  const { packages } = world.harness.deps;
  return {
    packages: replaced(
      packages,
      change(packages, (caller) => asAdmin(world, caller)),
    ),
  };
}

/** Mistakes in the rules of the gallery. */
export const GALLERY_SABOTAGES: readonly Sabotage[] = [
  {
    name: 'whoever is signed in may make anybody an owner',
    route: 'PUT /v1/packages/:id/owners/:accountId',
    wanted: /\| session of .*: (204|404) instead of (403|404) /,
    change: (world) =>
      withPackages(world, (packages, admin) => ({
        addOwner: async (caller, ...wish) => packages.addOwner(await admin(caller), ...wish),
      })),
  },
  {
    name: 'whoever is signed in may hand over any package',
    route: 'POST /v1/packages/:id/transfer',
    wanted: /\| session of .*: 200 instead of (403|404) .*; rows were changed in /,
    change: (world) =>
      withPackages(world, (packages, admin) => ({
        transfer: async (caller, ...wish) => packages.transfer(await admin(caller), ...wish),
      })),
  },
  {
    name: 'a request to own a package can be accepted by those whom it is not about',
    route: 'POST /v1/owner-requests/:requestId/accept',
    wanted: /\| session of .*: 204 instead of 404 \(\); rows were changed in /,
    change: (world) =>
      withPackages(world, (packages, admin) => ({
        accept: async (caller, requestId) => packages.accept(await admin(caller), requestId),
      })),
  },
  {
    name: 'the requests of the administrator are shown to all',
    route: 'GET /v1/owner-requests',
    wanted: /\| session of .*: the list shows /,
    change: (world) =>
      withPackages(world, (packages, admin) => ({
        listRequests: async (caller, query) => packages.listRequests(await admin(caller), query),
      })),
  },
  {
    name: 'whoever is signed in may deprecate any package',
    route: 'PUT /v1/packages/:id/deprecations',
    wanted: /\| session of .*: 204 instead of (403|404) \(\); rows were changed in /,
    change: (world) =>
      withPackages(world, (packages, admin) => ({
        deprecate: async (caller, ...wish) => packages.deprecate(await admin(caller), ...wish),
      })),
  },
  {
    name: 'the dry run of the console answers for the key of anybody',
    route: 'POST /v1/packages/dry-run',
    wanted: /\| session of .*: 200 instead of 404 /,
    change: (world) =>
      withPackages(world, (packages, admin) => ({
        previewPush: async (caller, question) => packages.previewPush(await admin(caller), question),
      })),
  },
  {
    name: 'reserved ids are looked up in the other workspace',
    route: 'GET /v1/package-prefixes/:id',
    wanted:
      /200 instead of 404|the answer tells .* of the other workspace|refused with 404|differs from the refusal/,
    change: ({ harness, bolt }) => {
      const { prefixes, workspaces } = harness.deps;
      return {
        prefixes: replaced(prefixes, {
          get: async (caller, id) =>
            prefixes.get(
              { ...caller, workspace: (await workspaces.findByHost(bolt.host)) ?? caller.workspace },
              id,
            ),
        }),
      };
    },
  },
  {
    name: 'a key that may push is taken for one that may unlist',
    route: 'DELETE /api/v2/package/:id/:version',
    wanted: /key .*: 204 instead of (403|404) \(\); rows were changed in /,
    change: (world) => {
      const { gallery, packages } = world.harness.deps;
      return {
        gallery: replaced(gallery, {
          setListed: async ({ caller }, ...change) =>
            packages.setListed(await asAdmin(world, caller), ...change),
        }),
      };
    },
  },
];

/** Mistakes that only a private gallery shows. */
export const PRIVATE_SABOTAGES: readonly Sabotage[] = [
  {
    name: 'whoever is let in reads every feed',
    route: 'GET /v3/flat/:id/index.json',
    wanted: /: 200 instead of 404 /,
    change: (world) => {
      const { packageFeed } = world.harness.deps;
      return {
        packageFeed: replaced(packageFeed, {
          async *entries(caller, ...question) {
            yield* packageFeed.entries(await asAdmin(world, caller), ...question);
          },
        }),
      };
    },
  },
  {
    name: 'whoever is let in loads every package',
    route: 'GET /api/v2/package/:id/:version',
    wanted: /: 200 instead of 404 /,
    change: (world) => {
      const { gallery } = world.harness.deps;
      return {
        gallery: replaced(gallery, {
          openVersion: async (caller, ...wanted) =>
            gallery.openVersion(await asAdmin(world, caller), ...wanted),
        }),
      };
    },
  },
  {
    name: 'the door stands open all the same',
    route: 'GET /v3/index.json',
    wanted: /: 200 instead of 401 |: 200 instead of 400 /,
    change: ({ harness }) => ({
      galleryReading: replaced(harness.deps.galleryReading, { isOpen: async () => true }),
    }),
  },
  {
    name: 'unlisting tells that there is a package which the key may not read',
    route: 'DELETE /api/v2/package/:id/:version',
    wanted: /key .*: (differs from the refusal for|the refusal tells) /,
    change: (world) => {
      const { gallery, packages } = world.harness.deps;
      const tell = async (caller: Caller, id: string, error: object) => {
        const admin = await asAdmin(world, caller);
        const { items } = await packages.list(admin, { q: id }, { limit: 1 });
        if (items.length > 0) Object.assign(error, { detail: 'It is not yours.' });
      };
      return {
        gallery: replaced(gallery, {
          setListed: (by, id, ...change) =>
            failing(
              () => gallery.setListed(by, id, ...change),
              (error) => tell(by.caller, id, error),
            ),
        }),
      };
    },
  },
];
