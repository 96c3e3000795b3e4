export { createOutbox, type Locale, type NoticeInput, type NoticeKind, type NoticePayloads, type Outbox, sealedPayloadPlace } from './outbox.ts';
