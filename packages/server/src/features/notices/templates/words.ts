import type { Locale, NoticeKind, NoticePayloads } from '../../../jobs/index.ts';
import type { Block } from './blocks.ts';

/** Words of a workspace in place of the usual ones. */
export interface MailText {
  readonly kind: string;
  readonly locale: Locale;
  readonly subject: string | null;
  readonly intro: string | null;
}

/** For whom a mail is, where it comes from, and whom its reader can ask. */
export interface MailContext {
  readonly toName: string;
  /** What the subject names: a key by its comment, or a person. */
  readonly about: string;
  /** IANA name of the reader's time zone; null for UTC alone. */
  readonly timeZone: string | null;
  /** Address of the workspace, from the configuration. */
  readonly workspaceUrl: string;
  readonly supportEmail: string | null;
  readonly supportUrl: string | null;
  readonly mailTexts: readonly MailText[];
}

/** The context with its times in words. */
export type Telling = MailContext & {
  /** In the reader's time zone, and in UTC besides. */
  readonly at: (ms: number) => string;
};

/** The opening can be replaced by a workspace; the details say what the reader must know. */
export interface MailBody {
  readonly opening: readonly Block[];
  readonly details: readonly Block[];
}

export type BodyWords<Kinds extends NoticeKind> = {
  readonly [Kind in Kinds]: (payload: NoticePayloads[Kind], telling: Telling) => MailBody;
};

/** All that the mails say in one language. A new kind of notice does not compile without its words. */
export interface MailWords {
  readonly subjects: { readonly [Kind in NoticeKind]: (about: string) => string };
  readonly bodies: BodyWords<NoticeKind>;
  readonly footer: (context: MailContext) => readonly Block[];
}
