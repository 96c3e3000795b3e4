export {
  createOutbox,
  type Locale,
  type Notice,
  type NoticeInput,
  type NoticeKind,
  type NoticePayloads,
  type Outbox,
} from './outbox.ts';
export {
  type ClaimedMail,
  createOutboxQueue,
  LEASE_MS,
  type MailOutcome,
  type MailState,
  type OutboxQueue,
} from './outbox-queue.ts';
export { createJobRunner, type Job, type JobLogger, type JobRunner } from './runner.ts';
