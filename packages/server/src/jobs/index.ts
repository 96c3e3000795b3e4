export {
  createEvents,
  EVENT_TYPES,
  type Events,
  type EventType,
  type KeyEventData,
} from './events.ts';
export {
  aboutOf,
  type KeyChange,
  type KeyFacts,
  type KeyStop,
  type KeyUse,
  type Locale,
  MUTABLE_NOTICES,
  NOTICE_KINDS,
  type Notice,
  type NoticeActor,
  type NoticeKind,
  type NoticePayloads,
  type NoticeRecipient,
  type NoticeRequest,
} from './notices.ts';
export { createOutbox, type Outbox } from './outbox.ts';
export {
  type ClaimedMail,
  createOutboxQueue,
  type MailOutcome,
  type MailState,
  type OutboxQueue,
} from './outbox-queue.ts';
export { createJobRunner, type JobRunner } from './runner.ts';
