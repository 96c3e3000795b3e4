import type { App } from '@keyreeve/testkit';
import { methodOf, type Row } from './row.ts';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Every route of a running server, as `METHOD /path`, out of the tree that its router prints. */
export function listRoutes(app: Pick<App, 'printRoutes'>): string[] {
  const above: string[] = [];
  const routes: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^([ │]*)(?:├── |└── )(\S+)(?: \(([^)]+)\))?/.exec(line);
    if (match === null) continue;
    const [, indent = '', part = '', methods = ''] = match;
    const depth = indent.length / 4;
    const parent = above[depth - 1] ?? '';
    // The router prints `/a/*` as `*` below `/a`.
    const path = `${parent}${part === '*' && !parent.endsWith('/') ? '/' : ''}${part}`;
    above[depth] = path;
    for (const method of methods.split(', ').filter((name) => name !== '')) routes.push(`${method} ${path}`);
  }
  return routes;
}

/** GET routes answer HEAD too; unless the oracle says otherwise, by the same rules. */
export function isDerivedHead(route: string, rows: readonly Row[]): boolean {
  return (
    route.startsWith('HEAD ') &&
    !rows.some((row) => row.route === route) &&
    rows.some((row) => row.route === route.replace('HEAD ', 'GET '))
  );
}

/** Routes without a row, rows without a route, and where the published API differs from both. */
export function findInventoryFaults(
  routes: readonly string[],
  rows: readonly Row[],
  openApi: OpenApi,
): string[] {
  const ruled = new Set(rows.map((row) => row.route));
  const shown = new Set(
    rows.filter((row) => row.isHidden !== true && methodOf(row) !== 'HEAD').map((row) => row.route),
  );
  const published = Object.entries(openApi.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  return [
    ...routes
      .filter((route) => !ruled.has(route) && !isDerivedHead(route, rows))
      .map((route) => `${route} has no row in the oracle; write one in e2e/matrix/policy-*.ts`),
    ...[...ruled]
      .filter((route) => !routes.includes(route))
      .map((route) => `${route} has a row in the oracle but is no route`),
    ...published
      .filter((route) => !shown.has(route))
      .map((route) => `${route} is in the OpenAPI document; the oracle does not say so`),
    ...[...shown]
      .filter((route) => !published.includes(route))
      .map((route) => `${route} is missing in the OpenAPI document`),
  ];
}
