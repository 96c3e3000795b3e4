import { pino } from 'pino';
import { fillGallery } from '../packages/server/src/demo/fill-gallery.ts';
import type { Environment } from '../packages/server/src/index.ts';
import { createDeps, loadConfig, systemRandom } from '../packages/server/src/index.ts';
import { systemClock } from '../packages/server/src/lib/clock.ts';

/**
 * Fills the database that the environment names (`KEYREEVE_DATA_DIR`, `KEYREEVE_DATABASE_URL`, …) with packages,
 * ten versions each on average.
 */
export async function seedGallery(environment: Environment, packages: number): Promise<void> {
  const deps = await createDeps({
    config: loadConfig(environment),
    clock: systemClock,
    random: systemRandom,
    logger: pino({ level: 'silent' }),
  });
  const startedAt = performance.now();
  try {
    const versions = await fillGallery(deps, { packages });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(
      `${deps.storage.engine}: ${packages} packages with ${versions} versions in ${seconds} s\n`,
    );
  } finally {
    await deps.close();
  }
}

const PACKAGES_DEFAULT = 10_000;
if (import.meta.main) await seedGallery(process.env, Number(process.argv[2] ?? PACKAGES_DEFAULT));
