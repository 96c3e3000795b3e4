import type { NoticeKind, NoticePayloads } from '../../../jobs/index.ts';
import type { Block } from './blocks.ts';

/** Where a mail comes from and whom its reader can ask. */
export interface MailContext {
  readonly toName: string;
  /** Address of the workspace, from the configuration. */
  readonly workspaceUrl: string;
  readonly supportEmail: string | null;
  readonly supportUrl: string | null;
}

/** All that the mails say in one language. A new kind of notice does not compile without its words. */
export interface MailWords {
  readonly subjects: { readonly [Kind in NoticeKind]: (name: string) => string };
  readonly bodies: {
    readonly [Kind in NoticeKind]: (payload: NoticePayloads[Kind], context: MailContext) => readonly Block[];
  };
  readonly footer: (context: MailContext) => readonly Block[];
}
