import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { queryClient } from '../api/query-client.ts';
import { sessionQuery } from '../api/session.ts';
import { readListSearch } from '../ui/list-search.ts';
import { consoleQuery } from './console-info.ts';
import { CrashPage, NotFoundPage } from './fault-pages.tsx';
import { Shell } from './shell/shell.tsx';

const rootRoute = createRootRoute({ notFoundComponent: NotFoundPage, errorComponent: CrashPage });

/**
 * Only addresses of this console are gone back to after a sign-in. Any other is set to undefined: what a route
 * leaves out of its search, the router takes from the address as it is.
 */
export function readReturnTo({ to }: Record<string, unknown>): { to?: string | undefined } {
  const { origin } = globalThis.location;
  if (typeof to !== 'string' || !to.startsWith('/') || !URL.canParse(to, origin)) return { to: undefined };
  // Parsed as the browser will: it takes tabs out, turns \ into / and resolves dots.
  const url = new URL(to, origin);
  const isOurs = url.origin === origin && !url.pathname.startsWith('//');
  return { to: isOurs ? `${url.pathname}${url.search}${url.hash}` : undefined };
}

/** A person who is signed in has nothing to do on the pages for those who are not. */
async function refuseSignedIn({ search }: { search: { to?: string | undefined } }): Promise<void> {
  const signedIn = await queryClient.ensureQueryData(sessionQuery);
  if (signedIn !== null) redirect({ to: search.to ?? '/overview', throw: true });
}

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: readReturnTo,
  beforeLoad: async ({ search }) => {
    await refuseSignedIn({ search });
    const info = await queryClient.ensureQueryData(consoleQuery);
    if (info.isSetupOpen) redirect({ to: '/first-run', throw: true });
  },
  component: lazyRouteComponent(() => import('../features/session/sign-in-page.tsx'), 'SignInPage'),
});

const firstRunRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/first-run',
  beforeLoad: async () => {
    await refuseSignedIn({ search: {} });
    const info = await queryClient.ensureQueryData(consoleQuery);
    if (!info.isSetupOpen) redirect({ to: '/sign-in', search: {}, throw: true });
  },
  component: lazyRouteComponent(() => import('../features/session/first-run-page.tsx'), 'FirstRunPage'),
});

const forgotRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/forgot-password',
  component: lazyRouteComponent(
    () => import('../features/session/forgot-password-page.tsx'),
    'ForgotPasswordPage',
  ),
});

/** The pages of the gallery: where it is open to everybody, visitors see them too. */
function isGalleryAddress(pathname: string): boolean {
  return pathname === '/packages' || pathname.startsWith('/packages/');
}

/** Everything below is for signed-in people, but the gallery; others are led to the sign-in and back. */
const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  beforeLoad: async ({ location }) => {
    const signedIn = await queryClient.ensureQueryData(sessionQuery);
    if (signedIn !== null) return;
    if (isGalleryAddress(location.pathname)) {
      const { isGalleryOpen } = await queryClient.ensureQueryData(consoleQuery);
      if (isGalleryOpen) return;
    }
    redirect({ to: '/sign-in', search: location.pathname === '/' ? {} : { to: location.href }, throw: true });
  },
  component: Shell,
  notFoundComponent: NotFoundPage,
});

const homeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/overview', throw: true });
  },
});

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/overview',
  component: lazyRouteComponent(() => import('../features/overview/overview-page.tsx'), 'OverviewPage'),
});

const myKeysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/my-keys',
  component: lazyRouteComponent(() => import('../features/my-keys/my-keys-page.tsx'), 'MyKeysPage'),
});

const keysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/keys',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('../features/all-keys/all-keys-page.tsx'), 'AllKeysPage'),
});

const packagesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/packages',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('../features/packages/packages-page.tsx'), 'PackagesPage'),
});

const packageRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/packages/$id',
  component: lazyRouteComponent(() => import('../features/packages/package-page.tsx'), 'PackagePage'),
});

const packageVersionRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/packages/$id/$version',
  component: lazyRouteComponent(() => import('../features/packages/package-page.tsx'), 'PackagePage'),
});

const reservedIdsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/reserved-ids',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('../features/prefixes/prefixes-page.tsx'), 'PrefixesPage'),
});

const usersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/users',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('../features/accounts/users-page.tsx'), 'UsersPage'),
});

const userRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/users/$id',
  component: lazyRouteComponent(() => import('../features/accounts/user-page.tsx'), 'UserPage'),
});

const serviceAccountsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/service-accounts',
  validateSearch: readListSearch,
  component: lazyRouteComponent(
    () => import('../features/accounts/service-accounts-page.tsx'),
    'ServiceAccountsPage',
  ),
});

const serviceAccountRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/service-accounts/$id',
  component: lazyRouteComponent(
    () => import('../features/accounts/service-account-page.tsx'),
    'ServiceAccountPage',
  ),
});

const mailsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/mails',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('../features/mails/mails-page.tsx'), 'MailsPage'),
});

const webhooksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('../features/webhooks/webhooks-page.tsx'), 'WebhooksPage'),
});

const webhookRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/webhooks/$id',
  component: lazyRouteComponent(() => import('../features/webhooks/webhook-page.tsx'), 'WebhookPage'),
});

const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/audit',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('../features/audit/audit-page.tsx'), 'AuditPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('../features/settings/settings-page.tsx'), 'SettingsPage'),
});

const profileRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/profile',
  component: lazyRouteComponent(() => import('../features/profile/profile-page.tsx'), 'ProfilePage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    signInRoute,
    firstRunRoute,
    forgotRoute,
    shellRoute.addChildren([
      homeRoute,
      overviewRoute,
      myKeysRoute,
      keysRoute,
      packagesRoute,
      packageRoute,
      packageVersionRoute,
      reservedIdsRoute,
      usersRoute,
      userRoute,
      serviceAccountsRoute,
      serviceAccountRoute,
      mailsRoute,
      webhooksRoute,
      webhookRoute,
      auditRoute,
      settingsRoute,
      profileRoute,
    ]),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
