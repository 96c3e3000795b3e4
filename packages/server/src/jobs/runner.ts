/** Work that the server does on its own, again and again. */
export interface Job {
  readonly name: string;
  /** The pause between the end of one run and the start of the next. */
  readonly everyMs: number;
  /** Long work ends early, between two pieces of it, when the signal is aborted. */
  run(signal: AbortSignal): Promise<unknown>;
}

export interface JobRunner {
  /** Runs every job once now, and again after its pause. */
  start(): void;
  /** Starts nothing any more, and resolves when the jobs that are running have ended. */
  stop(): Promise<void>;
}

export interface JobLogger {
  error(details: object, message: string): void;
}

interface Deps {
  readonly logger: JobLogger;
  readonly jobs: readonly Job[];
}

/**
 * Runs periodic jobs. A job never overlaps with itself: its pause begins when a run has ended. A run that
 * fails is logged and tried again after the pause; it stops neither the process nor the other jobs. The
 * timers keep no process alive.
 */
export function createJobRunner({ logger, jobs }: Deps): JobRunner {
  const names = new Set(jobs.map((job) => job.name));
  if (names.size !== jobs.length)
    throw new Error('Two jobs have the same name; the log could not tell them apart.');
  const stopping = new AbortController();
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Map<string, Promise<void>>();

  const runOnce = async (job: Job): Promise<void> => {
    try {
      await job.run(stopping.signal);
    } catch (error) {
      logger.error({ err: error, job: job.name }, 'a job failed; it is tried again later');
    }
  };

  const schedule = (job: Job, pauseMs: number): void => {
    if (stopping.signal.aborted) return;
    const runAndRepeat = async (): Promise<void> => {
      await runOnce(job);
      running.delete(job.name);
      schedule(job, job.everyMs);
    };
    const timer = setTimeout(() => running.set(job.name, runAndRepeat()), pauseMs);
    timers.set(job.name, timer.unref());
  };

  return {
    start: () => {
      // A second start would give each job a second timer, and with it an overlap.
      if (timers.size > 0) return;
      for (const job of jobs) schedule(job, 0);
    },
    stop: async () => {
      stopping.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
