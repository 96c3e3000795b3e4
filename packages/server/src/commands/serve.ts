import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { type Config, type Environment, loadConfig, publicUrlOf } from '../config/index.ts';
import { createLogger } from '../logger.ts';
import { makeCompileCache } from '../serving/compile-cache.mjs';
import { lockDataFolder } from '../storage/index.ts';
import { readArguments } from './arguments.ts';
import { CommandError, EXIT } from './command.ts';

/** For port 0 the system chooses. Links and tokens carry the address, so it must be known before all else. */
async function choosePort(config: Config): Promise<Config> {
  if (config.port !== 0) return config;
  const probe = createServer().listen(0, config.host);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return address === null || typeof address === 'string' ? config : { ...config, port: address.port };
}

function announce(config: Config, lines: readonly string[]): void {
  const text = [`Keyreeve listens on ${publicUrlOf(config)}`, ...lines].map((line) => `  ${line}`);
  process.stdout.write(`${['', ...text, ''].join('\n')}\n`);
}

/** Fills the empty database of `--demo`. @returns what the operator is to read */
async function prepareDemo(config: Config): Promise<readonly string[]> {
  const { fillDemo } = await import('../demo/fill-demo.ts');
  const lines = await fillDemo(config);
  return lines ?? ['The demo needs an empty database; this one has accounts and was left as it is.'];
}

/**
 * SIGHUP asks for a rolling restart, and also comes when a terminal is closed: then it means the end, as ever.
 */
async function awaitEnd(onHangUp: () => void): Promise<void> {
  const isAtTerminal = process.stdout.isTTY;
  if (!isAtTerminal) process.on('SIGHUP', onHangUp);
  const signals = isAtTerminal ? ['SIGTERM', 'SIGINT', 'SIGHUP'] : ['SIGTERM', 'SIGINT'];
  await Promise.race(signals.map((signal) => once(process, signal)));
}

async function serveAlone(config: Config, lines: readonly string[]): Promise<number> {
  const { prepareServer } = await import('../serving/server.ts');
  const server = await prepareServer(config, { isFirst: true });
  await server.listen();
  server.runJobs();
  announce(config, [...lines, ...server.firstRun]);
  await awaitEnd(() =>
    server.deps.logger.warn('SIGHUP replaces workers, and there is one process alone; set KEYREEVE_WORKERS'),
  );
  await server.stop();
  return EXIT.ok;
}

async function serveWithWorkers(config: Config, lines: readonly string[]): Promise<number> {
  const { Primary } = await import('../serving/primary.ts');
  const primary = new Primary({
    ...config,
    logger: createLogger(config.logLevel, config.workers),
    onReady: (firstRun) => announce(config, [...lines, ...firstRun]),
  });
  // Before the workers start: whoever stops the server then must not leave them behind.
  const end = awaitEnd(() => void primary.replaceAll());
  const fault = await Promise.race([primary.run(), end]);
  await primary.stop();
  if (fault === undefined) return EXIT.ok;
  if (fault.isExplained) return fault.exitCode;
  throw new CommandError('server.worker_ended', fault.message);
}

/** Serves until SIGTERM or SIGINT, then lets what is under way end. */
export async function runServe(args: readonly string[], environment: Environment): Promise<number> {
  const { values } = readArguments(args, { demo: { type: 'boolean' } }, 0);
  if (cluster.isWorker) {
    // A terminal, or an init system, tells all processes. When this one ends is for the primary to say.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
    const config = loadConfig(environment);
    makeCompileCache(config.dataDir);
    const { serveAsWorker } = await import('../serving/worker.ts');
    await serveAsWorker(config);
    return EXIT.ok;
  }
  // From the first moment: a reload that meets a server which is still starting must not end it.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => {});
  const config = await choosePort(loadConfig(environment));
  const lock = config.database.engine === 'sqlite' ? lockDataFolder(config.dataDir) : null;
  makeCompileCache(config.dataDir);
  const demo = values.demo === true ? await prepareDemo(config) : [];
  const exitCode = await (config.workers === 1 ? serveAlone(config, demo) : serveWithWorkers(config, demo));
  lock?.release();
  return exitCode;
}
