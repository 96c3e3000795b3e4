import type { Server as TcpServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { buildApp, type ProcessFacts } from '../app.ts';
import type { Config } from '../config/index.ts';
import { createDeps, type Deps } from '../deps.ts';
import { prepareFirstRun } from '../first-run.ts';
import type { JobRunner } from '../jobs/index.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createLogger } from '../logger.ts';
import { createDeploymentJobs, createProcessJobs } from '../process-jobs.ts';
import { openOtherDoors } from './doors.ts';
import { CUT_AFTER_MS, createDrain } from './drain.ts';
import { boundHeapGrowth } from './heap-growth.ts';

/** The HTTP side of one process, and what it does beside it. */
export interface RunningServer {
  readonly deps: Deps;
  /** What a person needs to know at the first start; empty unless the process was the one to prepare it. */
  readonly firstRun: readonly string[];
  listen(): Promise<void>;
  /** Begins what one process does for the whole deployment. */
  runJobs(): void;
  stopJobs(): Promise<void>;
  /**
   * For a process whose place another has taken: answers what still comes on the connections that it has, and
   * resolves when the last of them has ended. See drain.ts.
   */
  retire(): Promise<void>;
  /**
   * For the end of the whole server, also of a process that retires: first tells load balancers for `drainSeconds`,
   * then lets what is under way end.
   */
  stop(): Promise<void>;
}

interface ServerOptions {
  /** Makes what a new installation needs. */
  readonly isFirst: boolean;
  readonly metrics?: Omit<ProcessFacts, 'isStopping'>;
  /** Called before the first request can come. */
  readonly beforeListening?: (deps: Deps) => void;
}

// The longest request, the upload of a package, may begin just before, and then its connection be kept.
const RETIRED_CUT_AFTER_MS = 15 * 60_000;
/** Streams never end by themselves. Whoever subscribes anew over a connection that he has kept comes here again. */
const END_STREAMS_EVERY_MS = 1_000;
const CLOSE_IDLE_EVERY_MS = 50;

/** Makes everything that a process needs to answer requests. It does not listen yet. */
export async function prepareServer(config: Config, options: ServerOptions): Promise<RunningServer> {
  const logger = createLogger(config.logLevel, config.workers);
  const deps = await createDeps({ config, clock: systemClock, random: systemRandom, logger });
  let isStopping = false;
  const app = await buildApp(deps, { process: { ...options.metrics, isStopping: () => isStopping } });
  const firstRun = options.isFirst ? await prepareFirstRun(deps) : [];
  const ownJobs = createProcessJobs(deps);
  let jobs: JobRunner | null = null;
  let otherDoors: readonly TcpServer[] = [];
  const drain = createDrain(app.server, () => otherDoors);

  const stopJobs = async (): Promise<void> => {
    const running = jobs;
    jobs = null;
    await running?.stop();
  };

  let closed: Promise<void> | null = null;

  /** Resolves when all connections have ended or are cut, and everything is closed. */
  const drainAndClose = (cutAfterMs: number): Promise<void> => {
    setTimeout(() => drain.cut(), cutAfterMs).unref();
    closed ??= (async () => {
      const streams = setInterval(() => deps.revocations.endAll(), END_STREAMS_EVERY_MS);
      await drain.stopListening();
      clearInterval(streams);
      await app.close();
      await stopJobs();
      await ownJobs.stop();
      await deps.close();
    })();
    return closed;
  };

  return {
    deps,
    firstRun,
    listen: async () => {
      options.beforeListening?.(deps);
      await app.listen({ host: config.host, port: config.port });
      otherDoors = await openOtherDoors(app.server, config.host);
      ownJobs.start();
      boundHeapGrowth();
    },
    runJobs: () => {
      jobs ??= createDeploymentJobs(deps);
      jobs.start();
    },
    stopJobs,
    retire: async () => {
      drain.endConnectionsWithAnswers();
      deps.revocations.endAll();
      await drainAndClose(RETIRED_CUT_AFTER_MS);
    },
    stop: async () => {
      isStopping = true;
      drain.endConnectionsWithAnswers();
      await delay(config.drainSeconds * 1_000);
      const ended = drainAndClose(CUT_AFTER_MS);
      deps.revocations.close();
      // Again and again: the answer to a request that came before all this leaves its connection open.
      const idle = setInterval(() => drain.closeIdle(), CLOSE_IDLE_EVERY_MS);
      drain.closeIdle();
      await ended;
      clearInterval(idle);
    },
  };
}
