import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import { serveRateCounters } from '../features/limits/index.ts';
import { CUT_AFTER_MS } from './drain.ts';
import { watchForHangs } from './hang-watch.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import { createAllMetrics, type MetricObject } from './metrics.ts';
import { createRounds } from './rounds.ts';

/** A worker as the primary knows it. */
interface Member {
  readonly worker: Worker;
  state: 'starting' | 'serving' | 'retiring';
  /** It may have answered requests, and keep what it has read. */
  isOpen: boolean;
  /** As it was last heard of. */
  metrics: readonly MetricObject[];
}

export interface PrimaryOptions {
  readonly logger: FastifyBaseLogger;
  readonly workers: number;
  readonly port: number;
  readonly drainSeconds: number;
  /** How often the workers are asked whether they still answer. */
  readonly pingEveryMs?: number;
  /** Called once, when all workers listen, with what the operator is to read. */
  readonly onReady: (lines: readonly string[]) => void;
}

/** A worker ended before it could serve. Where it could say why, it has done so. */
export class WorkerStartFault extends Error {
  readonly exitCode: number;
  readonly isExplained: boolean;

  constructor(code: number | null, signal: string | null, cause?: Error) {
    const end =
      cause === undefined ? `was ended by ${signal ?? `code ${code}`}` : `failed (${cause.message})`;
    super(`A worker process ${end} before it could serve.`, { cause });
    this.exitCode = code ?? 1;
    this.isExplained = code !== null;
  }
}

// A worker that does not answer has lost its lease by then; see docs/decisions/0031.
const DROP_WAIT_MS = 2_000;
const METRICS_WAIT_MS = 1_000;
/** A job that does not end in this time goes on beside those of the successor: leases keep them apart. */
const JOBS_STOP_WAIT_MS = 30_000;
const KILL_AFTER_MS = CUT_AFTER_MS + 5_000;
const FAILED_STARTS_MAX = 3;
const BACKOFF_MS_MAX = 10_000;
const CRASHES_COUNTED_MS = 60_000;

/**
 * The process that holds the port and the workers behind it: it replaces those that crash, all of them one by one
 * on demand, and carries what they have to tell each other. It answers no request and opens no database, so that
 * nothing of what it runs grows old while workers are replaced by those of a new release.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #members = new Set<Member>();
  readonly #rounds = createRounds<Member>();
  readonly #metrics = createAllMetrics();
  readonly #failed = Promise.withResolvers<WorkerStartFault>();
  #jobHolder: Member | null = null;
  #onJobsStopped: () => void = () => {};
  #crashedAt: readonly number[] = [];
  #failedStarts = 0;
  #isStarted = false;
  #isRefilling = false;
  #isReplacing = false;
  #isReplacementWanted = false;
  #isStopping = false;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // The other one writes null for the numbers that JSON does not know, and metrics have such.
    cluster.setupPrimary({ serialization: 'advanced' });
    serveRateCounters(cluster);
  }

  /**
   * Starts the workers and keeps them until `stop`.
   *
   * @returns what ended them: one that cannot start, at the beginning or when none is left to serve
   */
  async run(): Promise<WorkerStartFault> {
    try {
      // Alone at first: it may have to bring the database up to date, and explains for all what is wrong.
      const lines = await this.#launch(true);
      await Promise.all(Array.from({ length: this.#options.workers - 1 }, () => this.#launch(false)));
      this.#giveJobs();
      this.#watch();
      this.#options.onReady(lines);
      this.#isStarted = true;
      if (this.#isReplacementWanted) void this.replaceAll();
    } catch (error) {
      if (error instanceof WorkerStartFault) return error;
      throw error;
    }
    return await this.#failed.promise;
  }

  /**
   * Replaces all workers one by one, each by one that already listens. Asked again meanwhile, it begins anew; asked
   * while the first ones start, it waits for them, as the first of all prepares the database for the others.
   */
  async replaceAll(): Promise<void> {
    this.#isReplacementWanted = true;
    if (this.#isReplacing || !this.#isStarted) return;
    this.#isReplacing = true;
    while (this.#isReplacementWanted && !this.#isStopping) {
      this.#isReplacementWanted = false;
      await this.#replaceEach();
    }
    this.#isReplacing = false;
    void this.#refill();
  }

  /** Lets all workers end in order, and resolves when the last one has. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const member of this.#members) this.#send(member, { kind: 'stop' });
    const kill = setTimeout(
      () => {
        for (const { worker } of this.#members) worker.process.kill('SIGKILL');
      },
      this.#options.drainSeconds * 1_000 + KILL_AFTER_MS,
    );
    await Promise.all([...this.#members].map(({ worker }) => exitOf(worker)));
    clearTimeout(kill);
  }

  async #replaceEach(): Promise<void> {
    const { logger } = this.#options;
    // Those of the last times may have connections left. Whoever asks again and again does not fill the memory.
    while (this.#list('retiring').length > this.#options.workers)
      await Promise.race(this.#list('retiring').map(({ worker }) => exitOf(worker)));
    for (const member of this.#list('serving')) {
      try {
        await this.#launch(false);
      } catch (error) {
        logger.error({ err: error }, 'a new worker did not start; the present ones go on');
        return;
      }
      if (this.#isStopping) return;
      if (this.#members.has(member)) await this.#retire(member);
    }
    // Those that crashed meanwhile have got successors of their own.
    for (const member of this.#list('serving').slice(0, -this.#options.workers)) await this.#retire(member);
    logger.info({ workers: this.#list('serving').length }, 'the workers are replaced');
  }

  /** @returns its lines for the operator, once it listens. @throws WorkerStartFault */
  async #launch(isFirst: boolean): Promise<readonly string[]> {
    const worker = cluster.fork();
    const member: Member = { worker, state: 'starting', isOpen: false, metrics: [] };
    this.#members.add(member);
    return await new Promise((resolve, reject) => {
      worker.on('error', (error) => {
        this.#options.logger.error({ err: error }, 'a worker cannot be reached');
        if (worker.process.pid !== undefined) return;
        // It never was a process, so no exit will be told: the program is gone, or the system is full.
        reject(new WorkerStartFault(null, null, error));
        this.#onExit(member, null, null);
      });
      worker.on('message', (message: ToPrimary) => {
        if (message.kind === 'hello')
          this.#send(member, { kind: 'start', port: this.#options.port, isFirst });
        else if (message.kind === 'ready') {
          member.state = 'serving';
          if (this.#isStopping) this.#send(member, { kind: 'stop' });
          resolve(message.lines);
        } else void this.#receive(member, message);
      });
      worker.once('exit', (code: number | null, signal: string | null) => {
        reject(new WorkerStartFault(code, signal));
        this.#onExit(member, code, signal);
      });
    });
  }

  async #retire(member: Member): Promise<void> {
    if (this.#jobHolder === member) {
      const stopped = new Promise<void>((resolve) => (this.#onJobsStopped = resolve));
      this.#send(member, { kind: 'stop jobs' });
      await Promise.race([
        stopped,
        exitOf(member.worker),
        delay(JOBS_STOP_WAIT_MS, undefined, { ref: false }),
      ]);
      this.#jobHolder = null;
    }
    member.state = 'retiring';
    this.#send(member, { kind: 'retire' });
    this.#giveJobs();
  }

  #onExit(member: Member, code: number | null, signal: string | null): void {
    const { logger } = this.#options;
    this.#members.delete(member);
    this.#rounds.leave(member);
    this.#metrics.keepCounters(member.metrics);
    if (this.#jobHolder === member) this.#jobHolder = null;
    if (this.#isStopping) return;
    this.#giveJobs();
    if (member.state === 'retiring')
      logger.info({ worker: member.worker.process.pid }, 'a worker has retired');
    if (member.state !== 'serving') return;
    logger.error({ worker: member.worker.process.pid, code, signal }, 'a worker crashed; it is replaced');
    this.#metrics.countCrash();
    const now = performance.now();
    this.#crashedAt = [...this.#crashedAt.filter((at) => now - at < CRASHES_COUNTED_MS), now];
    void this.#refill();
  }

  /** Starts workers until there are enough, with growing pauses when they do not stay. */
  async #refill(): Promise<void> {
    if (this.#isRefilling) return;
    this.#isRefilling = true;
    while (!this.#isStopping && this.#list('starting', 'serving').length < this.#options.workers) {
      const troubles = this.#crashedAt.length - 1 + this.#failedStarts;
      await delay(troubles <= 0 ? 0 : Math.min(BACKOFF_MS_MAX, 100 * 2 ** troubles));
      if (this.#isStopping) break;
      try {
        await this.#launch(false);
        this.#failedStarts = 0;
        this.#giveJobs();
      } catch (error) {
        this.#failedStarts += 1;
        this.#options.logger.error({ err: error }, 'a worker did not start');
        const isNobodyLeft = this.#list('serving').length === 0;
        if (error instanceof WorkerStartFault && isNobodyLeft && this.#failedStarts >= FAILED_STARTS_MAX)
          this.#failed.resolve(error);
      }
    }
    this.#isRefilling = false;
  }

  /** The newest of those that serve: in a rolling restart it is the last to be replaced again. */
  #giveJobs(): void {
    const newest = this.#list('serving').at(-1);
    if (this.#jobHolder !== null || this.#isStopping || newest === undefined) return;
    this.#jobHolder = newest;
    this.#send(newest, { kind: 'run jobs' });
  }

  async #receive(member: Member, message: ToPrimary): Promise<void> {
    if (message.kind === 'opening') member.isOpen = true;
    else if (message.kind === 'jobs stopped') {
      // Not of one for which nobody has waited any longer.
      if (member === this.#jobHolder) this.#onJobsStopped();
    } else if (message.kind === 'farewell') member.metrics = message.metrics;
    else if (message.kind === 'done') {
      member.metrics = message.metrics ?? member.metrics;
      this.#rounds.answer(member, message.id);
    } else if (message.kind === 'raised') {
      const { workspaceIds } = message;
      const others = [...this.#members].filter((other) => other !== member && other.isOpen);
      const drop = (other: Member, id: number) =>
        this.#send(other, { kind: 'drop epochs', id, workspaceIds });
      await this.#rounds.ask(others, drop, DROP_WAIT_MS);
      this.#send(member, { kind: 'told', id: message.id });
    } else if (message.kind === 'metrics wanted')
      this.#send(member, { kind: 'all metrics', id: message.id, text: await this.#renderMetrics() });
  }

  /** Those that hang are killed, and thereby replaced: nobody else would take their connections from them. */
  #watch(): void {
    const ping = (member: Member, id: number) => this.#send(member, { kind: 'ping', id });
    watchForHangs({
      everyMs: this.#options.pingEveryMs,
      ask: async (timeoutMs) => await this.#rounds.ask(this.#list('serving', 'retiring'), ping, timeoutMs),
      onHang: ({ worker }, silentMs) => {
        this.#options.logger.error({ worker: worker.process.pid, silentMs }, 'a worker hangs; it is killed');
        worker.process.kill('SIGKILL');
      },
    });
  }

  /** Empty when they do not go together, as those of two releases may. */
  async #renderMetrics(): Promise<string> {
    const asked = this.#list('serving', 'retiring');
    const tell = (member: Member, id: number) => this.#send(member, { kind: 'tell metrics', id });
    const silent = await this.#rounds.ask(asked, tell, METRICS_WAIT_MS);
    const heard = asked.filter((member) => this.#members.has(member) && !silent.includes(member));
    const rendered = this.#metrics.render(
      heard.map(({ metrics }) => metrics),
      silent.map(({ metrics }) => metrics),
      {
        serving: heard.filter(({ state }) => state === 'serving').length,
        retiring: heard.filter(({ state }) => state === 'retiring').length,
        silent: silent.length,
      },
    );
    return await rendered.catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'the metrics of the workers cannot be added up');
      return '';
    });
  }

  #list(...states: readonly Member['state'][]): Member[] {
    return [...this.#members].filter(({ state }) => states.includes(state));
  }

  #send({ worker }: Member, message: ToWorker): void {
    // One that is gone needs no message; that it is gone is told by its exit.
    if (worker.isConnected()) worker.send(message, undefined, undefined, () => {});
  }
}

async function exitOf(worker: Worker): Promise<void> {
  if (worker.isDead()) return;
  await new Promise<void>((resolve) => worker.once('exit', () => resolve()));
}
