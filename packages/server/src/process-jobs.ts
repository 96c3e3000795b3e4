import type { Deps } from './deps.ts';

const FLUSH_MS = 1_000;

/** What runs beside the requests for as long as the process lives. */
export function startJobs(deps: Deps): { stop(): Promise<void> } {
  const timer = setInterval(() => {
    const onFault = (error: unknown) => deps.logger.error({ err: error }, 'counters could not be written');
    deps.usage.flush().catch(onFault);
    deps.audit.flush().catch(onFault);
  }, FLUSH_MS);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}
