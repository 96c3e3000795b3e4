import { buildApp } from '@keyreeve/server';
import { type Harness, recordControl, recordFigure, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findInventoryFaults, isDerivedHead, listRoutes } from './inventory.ts';
import { openLedger } from './ledger.ts';
import { BROWSE_ROWS, README_ROW } from './policy-browse.ts';
import { FEED_ROWS } from './policy-feeds.ts';
import { GALLERY_ROWS } from './policy-gallery.ts';
import { KEY_ROWS } from './policy-keys.ts';
import { OAUTH_ROWS } from './policy-oauth.ts';
import { ODATA_ROWS } from './policy-odata.ts';
import { CONSOLE_ROWS } from './policy-packages.ts';
import { PEOPLE_ROWS } from './policy-people.ts';
import { PRIVATE_ROWS } from './policy-private.ts';
import { RULE_ROWS } from './policy-rules.ts';
import { V3_ROWS } from './policy-v3.ts';
import { WEBHOOK_ROWS } from './policy-webhooks.ts';
import { WORKSPACE_ROWS } from './policy-workspace.ts';
import type { Row } from './row.ts';
import { type Findings, runRow, type Stage } from './runner.ts';
import { buildRigged, SABOTAGES, type Sabotage } from './sabotage.ts';
import { GALLERY_SABOTAGES, PRIVATE_SABOTAGES } from './sabotage-gallery.ts';
import { LOG_SABOTAGES } from './sabotage-log.ts';
import { buildWorld } from './world.ts';

const ROWS: readonly Row[] = [
  // The metrics among them first: their text grows with each route that was asked, to megabytes in the end.
  ...WORKSPACE_ROWS,
  ...PEOPLE_ROWS,
  ...KEY_ROWS,
  ...FEED_ROWS,
  ...GALLERY_ROWS,
  ...ODATA_ROWS,
  ...V3_ROWS,
  ...BROWSE_ROWS,
  README_ROW,
  ...CONSOLE_ROWS,
  ...RULE_ROWS,
  ...WEBHOOK_ROWS,
  ...OAUTH_ROWS,
];
const ROUTES = [...new Set(ROWS.map((row) => row.route))];
const ITEM = 27;
const CELLS_MIN = 8_000;
const LOG_ITEM = 43;
/** Fewer changes and refusals would prove nothing; even the short form makes more. */
const CHANGES_MIN = 500;
const REFUSALS_MIN = 5_000;

let harness: Harness;
let stage: Stage;
let routes: readonly string[];
let differing = 0;
const found = { cells: 0, denied: 0, changes: 0, refusals: 0, untold: 0, causeless: 0 };

beforeAll(async () => {
  harness = await startHarness();
  const world = await buildWorld(harness);
  const ledger = await openLedger(harness);
  stage = { world, ledger, start: ledger.read() };
  routes = listRoutes(harness.app);
});
afterAll(async () => {
  stage.ledger.close();
  await harness.close();
});

/** Adds to the sums, and makes one text of what is wrong. */
function addUp({ cells, denied, faults, log }: Findings): string[] {
  found.cells += cells;
  found.denied += denied;
  found.changes += log.changes;
  found.refusals += log.refusals;
  found.untold += log.untold.length;
  found.causeless += log.causeless.length;
  differing += faults.length;
  return [...faults, ...log.untold, ...log.causeless];
}

type OpenApi = Parameters<typeof findInventoryFaults>[2];

describe('the inventory', () => {
  it('has a row in the oracle for each route, a route for each row, and publishes exactly those that are not hidden', async () => {
    const answer = await harness.app.inject({ url: '/openapi.json', headers: { host: 'localhost' } });
    expect(routes.length).toBeGreaterThan(80);
    expect(findInventoryFaults(routes, ROWS, answer.json<OpenApi>())).toEqual([]);
  });
});

describe('each credential at each thing of', () => {
  it.each(ROUTES)('%s gets what the oracle says', async (route) => {
    const faults: string[] = [];
    for (const row of ROWS.filter((each) => each.route === route)) {
      const head = route.replace('GET ', 'HEAD ');
      const methods = routes.includes(head) && isDerivedHead(head, ROWS) ? ['GET', 'HEAD'] : [undefined];
      for (const method of methods) {
        faults.push(...addUp(await runRow(stage, harness.app, row, method)));
      }
    }
    expect(faults.join('\n')).toBe('');
  });
});

describe('each credential at a private gallery', () => {
  let closed: Stage;
  beforeAll(async () => {
    const { acme, bolt } = stage.world;
    for (const { cookies, host } of [acme, bolt]) {
      const answer = await harness.app.inject({
        method: 'PATCH',
        url: '/v1/settings',
        headers: { host, cookie: cookies.admin ?? '', 'if-match': '*' },
        payload: { galleryRead: 'authenticated' },
      });
      expect([answer.statusCode, answer.body]).toEqual([200, expect.stringContaining('authenticated')]);
    }
    closed = { ...stage, start: stage.ledger.read() };
  });
  afterAll(() => stage.ledger.restore(stage.start));

  it.each([...new Set(PRIVATE_ROWS.map((row) => row.route))])(
    '%s gets what the oracle says',
    async (route) => {
      const faults: string[] = [];
      for (const row of PRIVATE_ROWS.filter((each) => each.route === route)) {
        for (const method of route.startsWith('GET ') ? ['GET', 'HEAD'] : [undefined]) {
          faults.push(...addUp(await runRow(closed, harness.app, row, method)));
        }
      }
      expect(faults.join('\n')).toBe('');
    },
  );

  it('and all of them together make thousands of cells', () => {
    const { credentials } = stage.world;
    const { cells, denied } = found;
    recordFigure(ITEM, {
      name: 'cells that are not as the oracle says',
      reached: `${differing} of ${cells.toLocaleString('en')} (${denied.toLocaleString('en')} of them refusals): ${ROUTES.length} routes, ${credentials.length} credentials`,
      wanted: `0 of at least ${CELLS_MIN.toLocaleString('en')}`,
      isHeld: differing === 0 && cells >= CELLS_MIN,
    });
    expect(cells).toBeGreaterThanOrEqual(CELLS_MIN);
  });

  it('and the audit log tells of each change and each refusal among them, and of nothing else', () => {
    const { changes, refusals, untold, causeless } = found;
    const isMuch = changes >= CHANGES_MIN && refusals >= REFUSALS_MIN;
    recordFigure(LOG_ITEM, {
      name: 'changes and denials of the matrix without a row',
      reached: `${untold} of ${changes.toLocaleString('en')} changes and ${refusals.toLocaleString('en')} denials; ${causeless} rows without a cause`,
      wanted: '0; 0',
      isHeld: untold + causeless === 0 && isMuch,
    });
    expect({ untold, causeless, isMuch }).toEqual({ untold: 0, causeless: 0, isMuch: true });
  });

  it.each(PRIVATE_SABOTAGES)('finds a mistake in the server: $name', (sabotage) =>
    expectCaught(closed, PRIVATE_ROWS, sabotage),
  );
});

async function expectCaught(at: Stage, rows: readonly Row[], { name, route, wanted, change }: Sabotage) {
  const app = await buildRigged(at.world, change(at.world));
  const faults: string[] = [];
  for (const row of rows.filter((each) => each.route === route))
    faults.push(...(await runRow(at, app, row)).faults);
  await app.close();
  const caught = faults.filter((fault) => wanted.test(fault));
  recordControl(ITEM, {
    name: 'a server with a mistake',
    shown: `${name}: ${caught.length} cells of ${route}`,
    hasFailed: caught.length > 0,
  });
  expect(caught).not.toEqual([]);
  expect(faults.filter((fault) => !wanted.test(fault))).toEqual([]);
}

describe('a mistake with the audit log', () => {
  it.each(LOG_SABOTAGES)('is caught: $name', async ({ name, route, wanted, change }) => {
    const app = await buildRigged(stage.world, change(stage.world));
    const faults: string[] = [];
    for (const row of ROWS.filter((each) => each.route === route)) {
      const { log } = await runRow(stage, app, row);
      faults.push(...log.untold, ...log.causeless);
    }
    await app.close();
    recordControl(LOG_ITEM, {
      name: 'a server whose log is silent, or tells what has not happened',
      shown: `${name}: ${faults.length} answers of ${route}`,
      hasFailed: faults.length > 0,
    });
    expect(faults).not.toEqual([]);
    expect(faults.filter((fault) => !wanted.test(fault))).toEqual([]);
  });
});

describe('a mistake in the server', () => {
  it.each([...SABOTAGES, ...GALLERY_SABOTAGES])('is caught: $name', (sabotage) =>
    expectCaught(stage, ROWS, sabotage),
  );

  it('is caught: a route without a setting who may call it keeps the server from starting', async () => {
    const app = await buildApp(harness.deps);
    const refusal = 'The route GET /v1/planted has no `auth` setting; every route must say who may call it.';
    let said = 'nothing';
    try {
      app.get('/v1/planted', () => 'anybody');
    } catch (error) {
      said = (error as Error).message;
    }
    recordControl(ITEM, {
      name: 'a new route without a policy',
      shown: `the server does not start: ${said}`,
      hasFailed: said === refusal,
    });
    expect(said).toBe(refusal);
    await app.close();
  });

  it('is caught: a route that nobody has thought about', async () => {
    const app = await buildApp(harness.deps);
    app.get(
      '/v1/users/:id/planted',
      { config: { auth: { kinds: ['session'], action: null } } },
      () => 'whoever',
    );
    await app.ready();
    const answer = await app.inject({ url: '/openapi.json', headers: { host: 'localhost' } });
    const faults = findInventoryFaults(listRoutes(app), ROWS, answer.json<OpenApi>());
    recordControl(ITEM, {
      name: 'a new route without a row in the oracle',
      shown: faults[0] ?? 'nothing',
      hasFailed: faults.length > 0,
    });
    expect(faults).toEqual([
      'GET /v1/users/:id/planted has no row in the oracle; write one in e2e/matrix/policy-*.ts',
      'HEAD /v1/users/:id/planted has no row in the oracle; write one in e2e/matrix/policy-*.ts',
      'GET /v1/users/:id/planted is in the OpenAPI document; the oracle does not say so',
    ]);
    await app.close();
  });

  it('is caught: a rule for a route that is gone', async () => {
    const rows: readonly Row[] = [
      ...ROWS,
      { route: 'GET /v1/gone', send: () => ({ url: '' }), expect: () => 'allow' },
    ];
    const answer = await harness.app.inject({ url: '/openapi.json', headers: { host: 'localhost' } });
    expect(findInventoryFaults(routes, rows, answer.json<OpenApi>())).toEqual([
      'GET /v1/gone has a row in the oracle but is no route',
      'GET /v1/gone is missing in the OpenAPI document',
    ]);
  });
});
