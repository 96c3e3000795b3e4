import type { Caller } from '../../http/index.ts';
import {
  type Locale,
  MUTABLE_NOTICES,
  type NoticeActor,
  type NoticeKind,
  type NoticePayloads,
  type NoticeRecipient,
  type Outbox,
} from '../../jobs/index.ts';
import type { Executor, Tx } from '../../storage/index.ts';
import type { Settings, SettingsService } from '../settings/index.ts';
import type { Account } from './accounts.repo.ts';
import { listActiveAdmins } from './accounts-list.repo.ts';

export interface NoticeOptions {
  readonly keyId?: string | null;
  /** An address that has been told in another way. */
  readonly exceptAddress?: string | null;
}

/** Tells the right people of what happened to an account or to one of its keys. */
export interface AccountNotices {
  /**
   * Puts a mail to each recipient into the outbox: a user himself; for a service account its contact address, or
   * the administrators where it has none. Who has muted the kind gets none. Returns how many mails it was.
   */
  tell<Kind extends NoticeKind>(
    tx: Tx,
    account: Account,
    kind: Kind,
    payload: NoticePayloads[Kind],
    options?: NoticeOptions,
  ): Promise<number>;
  /** Puts a mail to each administrator of a workspace into the outbox. Returns how many mails it was. */
  tellAdmins<Kind extends NoticeKind>(
    tx: Tx,
    workspaceId: string,
    kind: Kind,
    payload: NoticePayloads[Kind],
  ): Promise<number>;
}

/** More administrators than this need a contact address, not more mails. */
const ADMINS_MAX = 20;

function isMuted(account: Account, kind: NoticeKind): boolean {
  return MUTABLE_NOTICES.some((each) => each === kind) && account.mutedNotices.includes(kind);
}

/** Who did something, as a mail names him. */
export function toNoticeActor({ principal, ip }: Caller): NoticeActor {
  return { name: 'account' in principal ? principal.account.displayName : null, ip };
}

/** An account as the addressee of its own mails. */
export function toRecipient(account: Account, address: string, settings: Settings): NoticeRecipient {
  return {
    accountId: account.id,
    name: account.displayName,
    address,
    locale: account.locale as Locale,
    timeZone: account.timeZone ?? settings.defaultTimeZone,
  };
}

export function createAccountNotices(deps: {
  readonly outbox: Outbox;
  readonly settings: SettingsService;
}): AccountNotices {
  const listAdmins = (exec: Executor, workspaceId: string) => listActiveAdmins(exec, workspaceId, ADMINS_MAX);

  const toRecipients = async (
    exec: Executor,
    workspaceId: string,
    readers: readonly Account[],
    kind: NoticeKind,
  ): Promise<NoticeRecipient[]> => {
    const settings = await deps.settings.get(workspaceId, exec);
    return readers.flatMap((reader) =>
      reader.email === null || isMuted(reader, kind) ? [] : [toRecipient(reader, reader.email, settings)],
    );
  };

  return {
    tell: async (tx, account, kind, payload, { keyId = null, exceptAddress = null } = {}) => {
      const { workspaceId } = account;
      const readers = account.email === null ? await listAdmins(tx, workspaceId) : [account];
      const recipients = (await toRecipients(tx, workspaceId, readers, kind)).filter(
        ({ address }) => address.toLowerCase() !== exceptAddress?.toLowerCase(),
      );
      for (const to of recipients) await deps.outbox.append(tx, { workspaceId, kind, to, keyId, payload });
      return recipients.length;
    },
    tellAdmins: async (tx, workspaceId, kind, payload) => {
      const recipients = await toRecipients(tx, workspaceId, await listAdmins(tx, workspaceId), kind);
      for (const to of recipients)
        await deps.outbox.append(tx, { workspaceId, kind, to, keyId: null, payload });
      return recipients.length;
    },
  };
}
