import type { Caller } from '../../http/index.ts';
import { onTheBeat } from '../../lib/beat.ts';
import type { Secret } from '../../lib/secret.ts';
import { inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { type Account, type AccountsService, toIdentity } from '../accounts/index.ts';
import type { AuditAction, AuditService } from '../audit/index.ts';
import type { PasswordLinkPurpose } from './password-links.repo.ts';
import type { PasswordLinks } from './password-links.ts';
import type { Passwords } from './passwords.ts';
import { countingRefusals } from './refusals.ts';
import { sessionErrors } from './sessions.errors.ts';
import {
  normalizeLogin,
  requireSession,
  type SessionsService,
  type StartedSession,
} from './sessions.service.ts';
import type { Throttle } from './throttle.ts';

/** Answers to a request for a link come on this beat, so that their time does not tell whether a mail was written. */
const BEAT_MS = 400;
/** To find a link takes much less than this: whether one ever was does not show in the time of a refusal. */
const LINK_BEAT_MS = 10;

export interface PasswordService {
  /**
   * Changes the caller's own password. All sessions and tokens of the account end; this browser gets a new session.
   *
   * @throws session.wrong_current_password, session.throttled, account.password_weak, request.too_many
   */
  change(
    caller: Caller,
    input: { readonly currentPassword: Secret; readonly newPassword: Secret },
  ): Promise<StartedSession>;
  /**
   * Mails a link to set a new password, when the address is that of an active user. The caller does not learn
   * whether it is, neither from the answer nor from its time.
   *
   * @throws session.throttled when the caller asks for too many, to whomever
   */
  requestReset(caller: Caller, email: string): Promise<void>;
  /** Sets a password by a mailed link and signs in. @throws session.link_unusable, account.password_weak, request.too_many */
  reset(caller: Caller, input: LinkInput): Promise<StartedSession>;
  /** Mails a new user a link to set the first password. */
  invite(tx: Tx, caller: Caller, account: Account): Promise<void>;
  /** The same as `reset` for the link of an invitation. */
  acceptInvitation(caller: Caller, input: LinkInput): Promise<StartedSession>;
}

export interface LinkInput {
  readonly token: Secret;
  readonly password: Secret;
  readonly oldCookie: Secret | null;
}

interface Deps {
  readonly storage: Storage;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
  readonly sessions: SessionsService;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly links: PasswordLinks;
}

function contextOf(account: Account): readonly string[] {
  return [account.email ?? '', account.displayName, account.firstName ?? '', account.lastName ?? ''];
}

function targetOf(account: Account) {
  return {
    target: { kind: account.kind, id: account.id, name: toIdentity(account).login },
    accountId: account.id,
  };
}

class PasswordsOfUsers implements PasswordService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async change(
    caller: Caller,
    input: { readonly currentPassword: Secret; readonly newPassword: Secret },
  ): Promise<StartedSession> {
    const { storage, accounts, sessions, passwords, throttle, links, audit } = this.#deps;
    const { principal, workspace } = requireSession(caller);
    const { id: accountId, login } = principal.account;
    return await countingRefusals(audit, caller, '/v1/password/change', async () => {
      const reservation = await throttle.reserveSignIn(caller, normalizeLogin(login));
      const stored = await accounts.findPasswordHash(storage.read, workspace.id, accountId);
      if (!(await sessions.verifyReserved(reservation, stored, input.currentPassword)))
        throw sessionErrors.wrong_current_password();
      // The current password was right: what may be wrong from here on is no guess.
      await inTransaction(storage, (tx) => throttle.settle(tx, reservation));
      const account = await accounts.find(storage.read, workspace.id, accountId);
      const passwordHash = await passwords.hash(
        input.newPassword,
        account === null ? [] : contextOf(account),
      );
      return await inTransaction(storage, async (tx) => {
        const current = await accounts.find(tx, workspace.id, accountId);
        const isUnchanged = (await accounts.findPasswordHash(tx, workspace.id, accountId)) === stored;
        if (current === null || !current.isActive || !isUnchanged)
          throw sessionErrors.wrong_current_password();
        await links.dropAll(tx, current);
        return await this.#setPassword(tx, caller, current, {
          passwordHash,
          action: 'password.changed',
          oldCookie: null,
        });
      });
    });
  }

  async requestReset(caller: Caller, email: string): Promise<void> {
    const { storage, accounts, throttle, links, audit } = this.#deps;
    const login = normalizeLogin(email);
    await onTheBeat(BEAT_MS, () =>
      countingRefusals(audit, caller, '/v1/password/request', async () => {
        const hasRoom = await throttle.takeMail(caller, login);
        const account = await accounts.findByLogin(storage.read, caller.workspace.id, 'user', login);
        if (!hasRoom || account === null || !account.isActive) return;
        await inTransaction(storage, async (tx) => {
          await links.send(tx, caller, 'password_reset', account);
          await audit.record(tx, caller, { action: 'password.reset_requested', ...targetOf(account) });
        });
      }),
    );
  }

  async reset(caller: Caller, input: LinkInput): Promise<StartedSession> {
    return await countingRefusals(this.#deps.audit, caller, '/v1/password/reset', () =>
      this.#setByLink(caller, input, 'password_reset', 'password.reset'),
    );
  }

  async invite(tx: Tx, caller: Caller, account: Account): Promise<void> {
    const { links, audit } = this.#deps;
    if (account.email === null) return;
    await links.send(tx, caller, 'invitation', account);
    await audit.record(tx, caller, { action: 'invitation.sent', ...targetOf(account) });
  }

  async acceptInvitation(caller: Caller, input: LinkInput): Promise<StartedSession> {
    return await countingRefusals(this.#deps.audit, caller, '/v1/invitations/accept', () =>
      this.#setByLink(caller, input, 'invitation', 'invitation.accepted'),
    );
  }

  async #setByLink(
    caller: Caller,
    input: LinkInput,
    purpose: PasswordLinkPurpose,
    action: AuditAction,
  ): Promise<StartedSession> {
    const { storage, passwords, links } = this.#deps;
    // Looked at first and used up last: a password that is refused does not cost the link.
    const { account } = await onTheBeat(LINK_BEAT_MS, () =>
      links.find(storage.read, caller, purpose, input.token),
    );
    const passwordHash = await passwords.hash(input.password, contextOf(account));
    return await inTransaction(storage, async (tx) => {
      const used = await links.use(tx, caller, purpose, input.token);
      return await this.#setPassword(tx, caller, used.account, {
        passwordHash,
        action,
        oldCookie: input.oldCookie,
      });
    });
  }

  async #setPassword(
    tx: Tx,
    caller: Caller,
    account: Account,
    input: { readonly passwordHash: string; readonly action: AuditAction; readonly oldCookie: Secret | null },
  ): Promise<StartedSession> {
    const { accounts, sessions, audit } = this.#deps;
    await accounts.savePasswordHash(tx, caller, account, input.passwordHash);
    // A new password signs out everywhere, whatever else hangs on the hooks of the accounts.
    await sessions.endAllOf(tx, caller, account);
    const started = await sessions.start(tx, caller, account, input.oldCookie);
    await audit.record(tx, started.caller, { action: input.action, ...targetOf(account) });
    return started;
  }
}

/** @see PasswordService */
export function createPasswordService(deps: Deps): PasswordService {
  return new PasswordsOfUsers(deps);
}
