import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { buildApp } from '../app.ts';
import { loadConfig } from '../config/index.ts';
import { createDeps } from '../deps.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';

/** The OpenAPI document, written from the routes of the real server. */
const target = path.resolve(import.meta.dirname, '../../../../docs/api/openapi.json');
const dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-openapi-'));
const deps = await createDeps({
  config: loadConfig({ KEYREEVE_DATA_DIR: dataDir }),
  clock: systemClock,
  random: systemRandom,
  logger: pino({ level: 'silent' }),
});
const app = await buildApp(deps);
await app.ready();
mkdirSync(path.dirname(target), { recursive: true });
writeFileSync(target, `${JSON.stringify(app.swagger(), null, 2)}\n`);
await app.close();
await deps.close();
rmSync(dataDir, { recursive: true, force: true });
