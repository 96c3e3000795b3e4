import { systemCaller, type Workspace } from '../../http/index.ts';
import type { ClaimedMail, MailOutcome, MailState, Notice, OutboxQueue } from '../../jobs/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { isEmailAddress } from '../../lib/text.ts';
import { nextTurn } from '../../lib/turns.ts';
import { inTransaction, type Storage } from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { SettingsService } from '../settings/index.ts';
import type { WorkspacesService } from '../workspaces/index.ts';
import type { MailTransport } from './mail-transport.ts';
import { plainLine } from './templates/blocks.ts';
import { renderMail, toLocale } from './templates/render.ts';

export interface NoticeSender {
  /**
   * Sends what is due, some mails at a time, until nothing is left, the server is down or the signal is
   * aborted. Without an SMTP server, due mails go to the local mailbox. Returns how many mails it handled.
   *
   * Delivery is at least once: when the connection breaks after the whole mail has gone out, nobody can know
   * whether it was taken, and it is sent again under the same Message-ID.
   */
  sendDue(signal?: AbortSignal): Promise<number>;
  /** Deletes mails that were done with more than 30 days ago. Returns how many. */
  sweepOldRows(signal?: AbortSignal): Promise<number>;
}

export interface SenderLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly queue: OutboxQueue;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  readonly workspaces: WorkspacesService;
  /** Null without an SMTP server. */
  readonly transport: MailTransport | null;
  readonly logger: SenderLogger;
}

/** Mails that one process sends side by side. All of one batch are over before the next is claimed. */
const PARALLEL_MAX = 5;
/** A round ends here, so that stopping never waits for a long queue. */
const ROUND_MAX = 500;

type Attempt = { readonly outcome: MailOutcome; readonly isServerDown: boolean };

const attempt = (outcome: MailOutcome, isServerDown = false): Attempt => ({ outcome, isServerDown });

/** A link that has ended would only send its reader to a page that refuses him. */
function hasEndedLink(notice: Notice, now: number): boolean {
  return (
    'linkExpiresAt' in notice.payload &&
    notice.payload.linkExpiresAt !== null &&
    notice.payload.linkExpiresAt <= now
  );
}

class Sender implements NoticeSender {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async sendDue(signal?: AbortSignal): Promise<number> {
    let handled = 0;
    while (handled < ROUND_MAX) {
      if (signal?.aborted === true) break;
      // Without an SMTP server there is nothing to wait for, and others would wait for the whole round.
      await nextTurn();
      const batch = await this.#deps.queue.claimDue(PARALLEL_MAX);
      if (batch.length === 0) break;
      const results = await Promise.allSettled(batch.map((mail) => this.#deliver(mail)));
      handled += batch.length;
      const fault = results.find((result) => result.status === 'rejected');
      if (fault !== undefined) throw fault.reason;
      // The rest of the queue keeps its tries for when the server is back.
      if (results.some((result) => result.status === 'fulfilled' && result.value.isServerDown)) break;
    }
    return handled;
  }

  async sweepOldRows(signal?: AbortSignal): Promise<number> {
    return await this.#deps.queue.sweep(signal);
  }

  /** Tries one mail and writes how it ended. Throws only when that could not be written. */
  async #deliver(mail: ClaimedMail): Promise<Attempt> {
    const { storage, queue, audit, workspaces } = this.#deps;
    const workspace = await workspaces.findById(mail.workspace_id);
    const tried =
      workspace === null
        ? attempt({ kind: 'failed', reason: 'The workspace is gone.' })
        : await this.#try(mail, workspace);
    const state = await inTransaction(storage, async (tx) => {
      const settled = await queue.settle(tx, mail, tried.outcome);
      if (settled === 'failed' && workspace !== null) {
        await audit.record(tx, systemCaller(workspace, 'mail'), {
          action: 'mail.failed',
          target: { kind: 'mail', id: mail.id, name: mail.kind },
          accountId: mail.account_id,
          detail: {
            reason: 'reason' in tried.outcome ? tried.outcome.reason : null,
            attempts: mail.attempts,
          },
        });
      }
      return settled;
    });
    this.#log(mail, state, tried.outcome);
    return tried;
  }

  async #try(mail: ClaimedMail, workspace: Workspace): Promise<Attempt> {
    const { transport, queue, clock, settings, logger } = this.#deps;
    if (transport === null) return attempt({ kind: 'mailbox' });
    if (!isEmailAddress(mail.to_address))
      return attempt({ kind: 'failed', reason: 'The address is not one plain e-mail address.' });
    try {
      const notice = queue.open(mail);
      if (hasEndedLink(notice, clock.now()))
        return attempt({
          kind: 'failed',
          reason: 'The link in the mail ended before the mail could be sent.',
        });
      const { supportEmail, supportUrl, mailTexts } = await settings.get(workspace.id);
      const toName = plainLine(mail.to_name);
      const rendered = renderMail(notice, toLocale(mail.locale), {
        toName,
        about: mail.about ?? mail.to_name,
        timeZone: mail.time_zone,
        workspaceUrl: workspace.url,
        supportEmail,
        supportUrl,
        mailTexts,
      });
      const sent = await transport.send({
        ...rendered,
        messageId: mail.message_id,
        toName,
        toAddress: mail.to_address,
        sentAt: clock.now(),
      });
      if (sent.kind === 'sent') return attempt({ kind: 'sent' });
      if (sent.kind === 'refused') return attempt({ kind: 'failed', reason: sent.reason });
      return attempt({ kind: 'retry', reason: sent.reason }, sent.isServerDown);
    } catch (error) {
      // The stored reason stays general: the text of an unknown error may quote what it choked on.
      logger.error({ err: error, mail: mail.id, kind: mail.kind }, 'a mail could not be prepared');
      return attempt({
        kind: 'retry',
        reason: 'The mail could not be prepared; the log of the server says why.',
      });
    }
  }

  #log(mail: ClaimedMail, state: MailState, outcome: MailOutcome): void {
    const { logger } = this.#deps;
    const details = {
      mail: mail.id,
      kind: mail.kind,
      workspace: mail.workspace_id,
      attempt: mail.attempts,
      state,
    };
    if (state === 'sent' || state === 'mailbox')
      logger.info(details, state === 'sent' ? 'a mail was sent' : 'a mail was put into the local mailbox');
    else
      logger.warn({ ...details, reason: 'reason' in outcome ? outcome.reason : null }, 'a mail was not sent');
  }
}

export function createNoticeSender(deps: Deps): NoticeSender {
  return new Sender(deps);
}
