import process from 'node:process';
import type { Registry } from 'prom-client';
import type { Config } from '../config/index.ts';
import type { Deps } from '../deps.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import type { MetricObject } from './metrics.ts';
import { prepareServer, type RunningServer } from './server.ts';

/** One of the processes that answer requests; everything else it does when the primary says so. */
export async function serveAsWorker(config: Config): Promise<void> {
  const link = new PrimaryLink();
  const { port, isFirst } = await link.awaitStart();
  const server = await prepareServer(
    { ...config, port },
    {
      isFirst,
      metrics: {
        attachMetrics: (registry) => link.attachMetrics(registry),
        renderMetrics: () => link.askMetrics(),
      },
      beforeListening: (deps) => link.open(deps),
    },
  );
  await server.listen();
  link.serve(server);
}

type Answer = Extract<ToWorker, { readonly kind: 'told' | 'all metrics' }>;

class PrimaryLink {
  #deps: Deps | null = null;
  #registry: Registry | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  constructor() {
    process.on('message', (message: ToWorker) => void this.#receive(message));
  }

  async awaitStart(): Promise<Extract<ToWorker, { readonly kind: 'start' }>> {
    const started = new Promise<Extract<ToWorker, { readonly kind: 'start' }>>((resolve) => {
      const read = (message: ToWorker): void => {
        if (message.kind !== 'start') return;
        process.off('message', read);
        resolve(message);
      };
      process.on('message', read);
    });
    send({ kind: 'hello' });
    return await started;
  }

  attachMetrics(registry: Registry): void {
    this.#registry = registry;
  }

  async askMetrics(): Promise<string> {
    const answer = await this.#ask((id) => ({ kind: 'metrics wanted', id }));
    return answer.kind === 'all metrics' ? answer.text : '';
  }

  /** To be called before the first request can be answered. */
  open(deps: Deps): void {
    this.#deps = deps;
    send({ kind: 'opening' });
    // On SQLite every process sees each commit by itself.
    if (deps.storage.engine === 'sqlite') return;
    deps.storage.raiseListeners.add(async (workspaceIds) => {
      await this.#ask((id) => ({ kind: 'raised', id, workspaceIds: [...workspaceIds] }));
    });
  }

  /** Follows the primary from now on. */
  serve(server: RunningServer): void {
    process.on('message', (message: ToWorker) => {
      if (message.kind === 'run jobs') {
        server.deps.logger.info('this worker runs the jobs of the deployment');
        server.runJobs();
      } else if (message.kind === 'stop jobs')
        void server.stopJobs().then(() => send({ kind: 'jobs stopped' }));
      else if (message.kind === 'retire') void this.#end(server.deps.logger, server.retire());
      else if (message.kind === 'stop') void this.#end(server.deps.logger, server.stop());
    });
    send({ kind: 'ready', lines: server.firstRun });
  }

  async #ask(toMessage: (id: number) => ToPrimary): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    send(toMessage(id));
    return await answered;
  }

  async #receive(message: ToWorker): Promise<void> {
    if (message.kind === 'told' || message.kind === 'all metrics') {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    } else if (message.kind === 'drop epochs') {
      this.#deps?.storage.epochGuard.drop(message.workspaceIds);
      send({ kind: 'done', id: message.id });
    } else if (message.kind === 'ping') {
      send({ kind: 'done', id: message.id });
    } else if (message.kind === 'tell metrics') {
      send({ kind: 'done', id: message.id, metrics: await this.#readMetrics() });
    }
  }

  /** Nothing when one of them cannot be read: no reason for a process to end. */
  async #readMetrics(): Promise<readonly MetricObject[]> {
    try {
      return (await this.#registry?.getMetricsAsJSON()) ?? [];
    } catch {
      return [];
    }
  }

  async #end(logger: Deps['logger'], ended: Promise<void>): Promise<void> {
    let exitCode = 0;
    try {
      await ended;
    } catch (error) {
      logger.error({ err: error }, 'a worker did not end in order');
      exitCode = 1;
    }
    const metrics = await this.#readMetrics();
    await new Promise<void>((resolve) => {
      process.send?.({ kind: 'farewell', metrics } satisfies ToPrimary, () => resolve());
    });
    process.exit(exitCode);
  }
}

function send(message: ToPrimary): void {
  // Without its primary a worker ends anyway (`disconnect`); what it wanted to say is of no interest then.
  process.send?.(message, undefined, undefined, () => {});
}
