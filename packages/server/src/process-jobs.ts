import type { Deps } from './deps.ts';
import { createJobRunner, type JobRunner } from './jobs/index.ts';
import { HOUR_MS, MINUTE_MS } from './lib/clock.ts';
import { withdrawOldPeppers } from './storage/index.ts';

const SECOND_MS = 1_000;

/**
 * What each process does for itself: it writes what it has gathered in memory, and tells of the keys that it has
 * refused.
 */
export function createProcessJobs(deps: Deps): JobRunner {
  const { usage, audit, sessions, downloads, refusalNotices, keyring } = deps;
  return createJobRunner({
    logger: deps.logger,
    jobs: [
      { name: 'write counters', everyMs: SECOND_MS, run: () => usage.flush() },
      { name: 'write downloads', everyMs: 10 * SECOND_MS, run: () => downloads.flush() },
      { name: 'write refusals', everyMs: SECOND_MS, run: () => audit.flush() },
      { name: 'write session times', everyMs: 5 * SECOND_MS, run: () => sessions.flush() },
      { name: 'tell of refusals', everyMs: 10 * SECOND_MS, run: () => refusalNotices.run() },
      { name: 'learn peppers', everyMs: 30 * SECOND_MS, run: () => learnPeppers(keyring) },
    ],
  });
}

/** Told in the log as a failed job, until it is mended. */
async function learnPeppers(keyring: Deps['keyring']): Promise<void> {
  await keyring.refresh();
  const unopened = keyring.unopened();
  if (unopened.length > 0)
    throw new Error(
      `Peppers that were handed on do not open, so somebody has altered them: ${unopened.join(', ')}.`,
    );
}

/**
 * What one process of a machine does for the whole deployment. Other machines do the same at the same time: what
 * must happen once is held by leases in the database.
 */
export function createDeploymentJobs(deps: Deps): JobRunner {
  const { audit, sessions, expirySweep, quotaSweep, notices, fanOut, webhookSender } = deps;
  const { tokens, signingKeys, passwordLinks, keyDelivery, blobSweeper, packages, usageRetention } = deps;
  return createJobRunner({
    logger: deps.logger,
    jobs: [
      { name: 'tell of expiries', everyMs: MINUTE_MS, run: (signal) => expirySweep.run(signal) },
      { name: 'send mails', everyMs: 2 * SECOND_MS, run: (signal) => notices.sendDue(signal) },
      { name: 'fan out events', everyMs: SECOND_MS, run: (signal) => fanOut.run(signal) },
      { name: 'send webhooks', everyMs: SECOND_MS, run: (signal) => webhookSender.sendDue(signal) },
      { name: 'sweep events', everyMs: HOUR_MS, run: (signal) => fanOut.sweep(signal) },
      { name: 'sweep mails', everyMs: HOUR_MS, run: (signal) => notices.sweepOldRows(signal) },
      { name: 'chain old audit rows', everyMs: MINUTE_MS, run: (signal) => audit.chainBacklog(signal) },
      { name: 'sign the audit log', everyMs: 10 * SECOND_MS, run: (signal) => audit.signCheckpoints(signal) },
      { name: 'sweep refusals', everyMs: HOUR_MS, run: () => audit.sweep() },
      { name: 'sweep sessions', everyMs: HOUR_MS, run: () => sessions.sweep() },
      { name: 'sweep links', everyMs: HOUR_MS, run: () => passwordLinks.sweep() },
      { name: 'sweep key links', everyMs: HOUR_MS, run: () => keyDelivery.sweep() },
      { name: 'rotate signing keys', everyMs: HOUR_MS, run: (signal) => signingKeys.rotateDue(signal) },
      { name: 'withdraw peppers', everyMs: HOUR_MS, run: () => withdrawOldPeppers(deps) },
      { name: 'sweep counters', everyMs: HOUR_MS, run: (signal) => usageRetention.sweep(signal) },
      { name: 'sweep quotas', everyMs: HOUR_MS, run: (signal) => quotaSweep.run(signal) },
      { name: 'sweep tokens', everyMs: HOUR_MS, run: () => tokens.sweep() },
      { name: 'sweep owner requests', everyMs: HOUR_MS, run: () => packages.sweepRequests() },
      { name: 'sweep package files', everyMs: HOUR_MS, run: () => blobSweeper.sweepOrphanBlobs(HOUR_MS) },
    ],
  });
}
