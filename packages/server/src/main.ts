import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { buildApp } from './app.ts';
import { type Config, ConfigError, loadConfig } from './config/index.ts';
import { fillDemo } from './demo/fill-demo.ts';
import { createDeps, type Deps, publicUrlOf } from './deps.ts';
import { prepareFirstRun } from './first-run.ts';
import { systemClock } from './lib/clock.ts';
import { systemRandom } from './lib/random.ts';
import { createLogger } from './logger.ts';
import { createProcessJobs } from './process-jobs.ts';
import { rotateStoredMasterKey } from './rotate-master-key.ts';
import { BlobStoreRefused } from './storage/blobs/index.ts';
import { lockDataFolder, MasterKeyError } from './storage/index.ts';

const DRAIN_MS = 10_000;

/** A `.env` file in the working folder fills in what the environment does not say. */
function readConfig(): Config {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return loadConfig(process.env);
}

/** For port 0 the system chooses. Links and tokens carry the address, so it must be known before all else. */
async function choosePort(config: Config): Promise<Config> {
  if (config.port !== 0) return config;
  const probe = createServer().listen(0, config.host);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return address === null || typeof address === 'string' ? config : { ...config, port: address.port };
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Faults that an operator can mend are told in words; anything else keeps its stack. */
function explainFault(error: unknown): string {
  const isForOperators =
    error instanceof ConfigError || error instanceof MasterKeyError || error instanceof BlobStoreRefused;
  if (isForOperators) return error.message;
  if (error instanceof Error && Reflect.get(error, 'code') === 'EADDRINUSE') {
    return `The address is in use: ${error.message}. Stop the other program, or choose another KEYREEVE_PORT.`;
  }
  if (error instanceof Error && error.message.startsWith('The data folder')) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function serve(config: Config, isDemo: boolean): Promise<void> {
  const lock = config.database.engine === 'sqlite' ? lockDataFolder(config.dataDir) : null;
  const logger = createLogger(config.logLevel);
  const demo = isDemo
    ? ((await fillDemo(config)) ?? [
        'The demo needs an empty database; this one has accounts and was left as it is.',
      ])
    : [];
  const deps: Deps = await createDeps({ config, clock: systemClock, random: systemRandom, logger });
  const app = await buildApp(deps);
  const firstRun = [...demo, ...(await prepareFirstRun(deps))];
  const jobs = createProcessJobs(deps);
  jobs.start();
  await app.listen({ host: config.host, port: config.port });
  print(['', `  Keyreeve listens on ${publicUrlOf(config)}`, ...firstRun.map((line) => `  ${line}`), '']);

  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  // A connection that never ends must not keep the process: after the drain the rest is cut.
  const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS).unref();
  await app.close();
  clearTimeout(cut);
  await jobs.stop();
  await deps.close();
  lock?.release();
}

try {
  if (process.argv[2] === 'rotate-master-key') await rotateStoredMasterKey(process.env);
  else await serve(await choosePort(readConfig()), process.argv.includes('--demo'));
} catch (error) {
  process.stderr.write(`\nKeyreeve cannot start.\n${explainFault(error)}\n\n`);
  process.exitCode = 1;
  // Open handles of a half-started server would keep the process alive.
  setTimeout(() => process.exit(1), 500).unref();
}
