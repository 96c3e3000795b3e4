import { requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, readCursor, type SessionPrincipal } from '../../http/index.ts';
import type { OutboxQueue } from '../../jobs/index.ts';
import { type Page, toPage } from '../../lib/page.ts';
import { inTransaction, type Storage } from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { Settings, SettingsService } from '../settings/index.ts';
import { isAddressee, isVisibleTo, maskNotice } from './mailbox.policy.ts';
import { findMail, listMails, type MailSummaryRow } from './mailbox.repo.ts';
import { noticeErrors } from './notices.errors.ts';
import { plainLine } from './templates/blocks.ts';
import { type RenderedMail, renderMail, toLocale } from './templates/render.ts';

/** A mail as the mailbox lists it. */
export interface MailView {
  readonly mail: MailSummaryRow;
  /** Why it is not sent: for administrators, because servers name hosts and addresses in it. */
  readonly lastError: string | null;
  /** The words of the workspace, which may change the subject. */
  readonly mailTexts: Settings['mailTexts'];
}

export interface MailPageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Only mails in this state; null for those in any. */
  readonly state: string | null;
}

export interface OpenedMail extends MailView {
  readonly rendered: RenderedMail;
  /** Links and secrets are replaced by dots: the reader is not the addressee. */
  readonly isMasked: boolean;
}

export interface MailboxService {
  /** Mails of the last 30 days, newest first: for administrators all, for members their own. */
  list(caller: Caller, page: MailPageQuery): Promise<Page<MailView>>;
  /**
   * Reads a mail that is kept here because no SMTP server is set. Recorded in the audit log.
   *
   * @throws request.not_found also for a mail that the caller may not see; mailbox.not_kept when it was sent,
   *   given up, or is waiting to be sent
   */
  open(caller: Caller, id: string): Promise<OpenedMail>;
}

interface Deps {
  readonly storage: Storage;
  readonly queue: OutboxQueue;
  readonly audit: AuditService;
  readonly settings: SettingsService;
}

function requireSession(caller: Caller): SessionPrincipal {
  if (caller.principal.kind !== 'session') throw authErrors.required();
  return caller.principal;
}

function toView(
  principal: SessionPrincipal,
  mail: MailSummaryRow,
  mailTexts: Settings['mailTexts'],
): MailView {
  return { mail, mailTexts, lastError: principal.account.role === 'admin' ? mail.last_error : null };
}

export function createMailboxService(deps: Deps): MailboxService {
  const { storage, queue, audit, settings } = deps;
  return {
    list: async (caller, page) => {
      const principal = requireSession(caller);
      const after = readCursor(page.cursor, [0, '']);
      const accountId = principal.account.role === 'admin' ? null : principal.account.id;
      const rows = await listMails(
        storage.read,
        { workspaceId: caller.workspace.id, accountId, state: page.state },
        after,
        page.limit + 1,
      );
      const { items, nextCursor } = toPage(rows, page.limit, (row) => [row.created_at, row.id]);
      const { mailTexts } = await settings.get(caller.workspace.id);
      return { items: items.map((row) => toView(principal, row, mailTexts)), nextCursor };
    },
    open: async (caller, id) => {
      const principal = requireSession(caller);
      return await inTransaction(storage, async (tx) => {
        const mail = await findMail(tx, caller.workspace.id, id);
        if (mail === undefined || !isVisibleTo(principal, mail)) throw requestErrors.not_found();
        if (mail.state !== 'mailbox') throw noticeErrors.not_kept();
        const isMasked = !isAddressee(principal, mail);
        const notice = queue.open(mail);
        const { supportEmail, supportUrl, mailTexts } = await settings.get(caller.workspace.id, tx);
        const context = {
          toName: plainLine(mail.to_name),
          about: mail.about ?? mail.to_name,
          timeZone: mail.time_zone,
          workspaceUrl: caller.workspace.url,
          supportEmail,
          supportUrl,
          mailTexts,
        };
        const rendered = renderMail(isMasked ? maskNotice(notice) : notice, toLocale(mail.locale), context);
        await audit.record(tx, caller, {
          action: 'mail.opened',
          target: { kind: 'mail', id: mail.id, name: mail.kind },
          accountId: mail.account_id,
          keyId: mail.key_id,
          detail: { isMasked },
        });
        return { ...toView(principal, mail, mailTexts), rendered, isMasked };
      });
    },
  };
}
