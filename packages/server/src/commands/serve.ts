import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { buildApp } from '../app.ts';
import { type Config, type Environment, loadConfig, publicUrlOf } from '../config/index.ts';
import { fillDemo } from '../demo/fill-demo.ts';
import { createDeps, type Deps } from '../deps.ts';
import { prepareFirstRun } from '../first-run.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createLogger } from '../logger.ts';
import { createProcessJobs } from '../process-jobs.ts';
import { lockDataFolder } from '../storage/index.ts';
import { readArguments } from './arguments.ts';
import { EXIT } from './command.ts';

const DRAIN_MS = 10_000;

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

/** Serves until SIGTERM or SIGINT, then lets what is under way end. */
export async function runServe(args: readonly string[], environment: Environment): Promise<number> {
  const { values } = readArguments(args, { demo: { type: 'boolean' } }, 0);
  await serve(await choosePort(loadConfig(environment)), values.demo === true);
  return EXIT.ok;
}
