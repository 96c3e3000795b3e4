export {
  createOutbox,
  type Locale,
  type Notice,
  type NoticeKind,
  type NoticePayloads,
  type Outbox,
} from './outbox.ts';
export {
  type ClaimedMail,
  createOutboxQueue,
  type MailOutcome,
  type MailState,
  type OutboxQueue,
} from './outbox-queue.ts';
export { createJobRunner, type JobRunner } from './runner.ts';
