import { requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, readCursor, type SessionPrincipal } from '../../http/index.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { sha256Hex } from '../../lib/mac.ts';
import { type Page, toPage } from '../../lib/page.ts';
import type { Random } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { type Executor, inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { type Account, type AccountsService, toIdentity } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { Passwords } from './passwords.ts';
import { countingRefusals } from './refusals.ts';
import { sessionErrors } from './sessions.errors.ts';
import type { LiveSince, Session } from './sessions.repo.ts';
import * as repo from './sessions.repo.ts';
import type { SignInPlaces } from './sign-in-places.ts';
import type { Reservation, Throttle } from './throttle.ts';

const SESSION_IDLE_MS = 12 * HOUR_MS;
export const SESSION_AGE_MAX_MS = 7 * DAY_MS;
const SEEN_EVERY_MS = 5 * MINUTE_MS;
const SEEN_PENDING_MAX = 10_000;
const COOKIE_BYTES = 32;
const COOKIE = /^[A-Za-z0-9_-]{43}$/;
const SESSIONS_PER_ACCOUNT_MAX = 100;
const SWEEP_ROWS = 500;

// The general challenge offers Basic, for which browsers open a window of their own over the sign-in page.
const CHALLENGE = { 'www-authenticate': 'Session realm="keyreeve"' };

/** A session with all that the console asks for at its start. */
export interface SessionView {
  readonly session: Session;
  readonly account: Account;
  /** The service accounts that the user manages. */
  readonly managedIds: readonly string[];
  /** When the session ends if it is not used again. */
  readonly expiresAt: number;
}

/** A new session and the value of its cookie, which is nowhere else. */
export interface StartedSession extends SessionView {
  readonly cookie: Secret;
  /** The caller from now on, for audit rows of what the same transaction does. */
  readonly caller: Caller & { readonly principal: SessionPrincipal };
}

export interface SignInInput {
  readonly email: string;
  readonly password: Secret;
  /** The session cookie that the browser already has; that session ends. */
  readonly oldCookie: Secret | null;
}

export interface SessionsService {
  /**
   * Signs a user in. Unknown address, wrong password, no password and (without the right one) a disabled
   * account give the same answer in the same time.
   *
   * @throws session.wrong_credentials, session.account_disabled, session.throttled, request.too_many
   */
  signIn(caller: Caller, input: SignInInput): Promise<StartedSession>;
  /**
   * Checks a password for a try that the throttle has counted, and takes the count back when the server was too
   * busy to check. @throws request.invalid, request.too_many
   */
  verifyReserved(reservation: Reservation, stored: string | null, password: Secret): Promise<boolean>;
  /** A session in the transaction that has made sure who it is for. `oldCookie`: the browser's session before. */
  start(tx: Tx, caller: Caller, account: Account, oldCookie: Secret | null): Promise<StartedSession>;
  /** Who stands behind a cookie. @throws auth.session_ended */
  authenticate(workspaceId: string, cookie: Secret): Promise<SessionPrincipal>;
  /** The caller's own session. @throws auth.session_ended */
  current(caller: Caller): Promise<SessionView>;
  signOut(caller: Caller): Promise<void>;
  /** The caller's live sessions, newest first. */
  list(caller: Caller, page: { limit: number; cursor?: string | undefined }): Promise<Page<Session>>;
  /** Ends one of the caller's sessions. @throws request.not_found also for a session of somebody else */
  end(caller: Caller, sessionId: string): Promise<void>;
  /** Ends all sessions of the caller but this one; says how many there were. */
  endOthers(caller: Caller): Promise<number>;
  /** Ends all sessions of an account: it was disabled or deleted, its role or its password has changed. */
  endAllOf(tx: Tx, caller: Caller, account: Account): Promise<void>;
  /** Writes when sessions were last used; called once a second by the process. */
  flush(): Promise<void>;
  /** Deletes sessions that have ended by themselves, and what the throttle no longer needs. */
  sweep(): Promise<void>;
}

export interface SessionsDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly signInPlaces: SignInPlaces;
}

/** @throws auth.required when the caller has no session of the console */
export function requireSession(caller: Caller): Caller & { readonly principal: SessionPrincipal } {
  const { principal } = caller;
  if (principal.kind !== 'session') throw authErrors.required();
  return { ...caller, principal };
}

/** The one spelling of a login, for looking it up and for counting its failures. */
export function normalizeLogin(email: string): string {
  return email.trim().toLowerCase();
}

class Sessions implements SessionsService {
  readonly #deps: SessionsDeps;
  #pendingSeen = new Map<string, Session & { readonly seenAt: number }>();

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  async signIn(caller: Caller, input: SignInInput): Promise<StartedSession> {
    const { storage, accounts, throttle } = this.#deps;
    const workspaceId = caller.workspace.id;
    const login = normalizeLogin(input.email);
    return await countingRefusals(this.#deps.audit, caller, '/v1/session', async (nameAccount) => {
      const reservation = await throttle.reserveSignIn(caller, login);
      const account = await accounts.findByLogin(storage.read, workspaceId, 'user', login);
      nameAccount(account);
      // Asked for unknown accounts as well, so that both do the same work.
      const stored = await accounts.findPasswordHash(storage.read, workspaceId, account?.id ?? 'acc_unknown');
      const isRight = await this.verifyReserved(reservation, stored, input.password);
      if (account === null || !isRight) throw sessionErrors.wrong_credentials({ headers: CHALLENGE });
      return await inTransaction(storage, (tx) =>
        this.#signInInside(tx, caller, account.id, { stored, reservation, oldCookie: input.oldCookie }),
      );
    });
  }

  async start(tx: Tx, caller: Caller, account: Account, oldCookie: Secret | null): Promise<StartedSession> {
    const { random, clock, accounts, audit } = this.#deps;
    const workspaceId = caller.workspace.id;
    if (oldCookie !== null) await this.#endByCookie(tx, caller, oldCookie);
    const cookie = new Secret(Buffer.from(random.bytes(COOKIE_BYTES)).toString('base64url'));
    const now = clock.now();
    const session: Session = {
      id: newId(random, 'session'),
      workspaceId,
      accountId: account.id,
      ip: caller.ip ?? 'unknown',
      userAgent: caller.userAgent,
      createdAt: now,
      lastSeenAt: now,
    };
    await repo.insertSession(tx, session, sha256Hex(cookie.reveal()));
    await repo.deleteSessions(
      tx,
      await repo.listSurplusIds(tx, workspaceId, account.id, SESSIONS_PER_ACCOUNT_MAX),
    );
    await accounts.saveLastSeen(tx, workspaceId, account.id);
    await this.#deps.signInPlaces.note(tx, caller, account);
    const managedIds = await accounts.listManagedIds(tx, workspaceId, account.id);
    const signedIn = {
      ...caller,
      principal: {
        kind: 'session',
        account: toIdentity(account),
        sessionId: session.id,
        managedIds,
      } as const,
    };
    await audit.record(tx, signedIn, {
      action: 'session.created',
      target: { kind: 'session', id: session.id, name: account.email },
      accountId: account.id,
    });
    return { cookie, caller: signedIn, ...this.#toView(session, account, managedIds) };
  }

  async authenticate(workspaceId: string, cookie: Secret): Promise<SessionPrincipal> {
    const { storage, accounts, clock } = this.#deps;
    const session = await this.#findByCookie(storage.read, workspaceId, cookie);
    if (session === null || !this.#isLive(session)) throw authErrors.session_ended({ headers: CHALLENGE });
    const account = await accounts.findIdentity(storage.read, workspaceId, session.accountId);
    if (account === null || !account.isActive) throw authErrors.session_ended({ headers: CHALLENGE });
    const managedIds = await accounts.listManagedIds(storage.read, workspaceId, account.id);
    const now = clock.now();
    if (now - session.lastSeenAt >= SEEN_EVERY_MS && this.#pendingSeen.size < SEEN_PENDING_MAX) {
      this.#pendingSeen.set(session.id, { ...session, seenAt: now });
    }
    return { kind: 'session', account, sessionId: session.id, managedIds };
  }

  async current(caller: Caller): Promise<SessionView> {
    const { storage, accounts } = this.#deps;
    const { principal, workspace } = requireSession(caller);
    const session = await repo.findSession(storage.read, workspace.id, principal.sessionId);
    const account = await accounts.find(storage.read, workspace.id, principal.account.id);
    if (session === null || account === null) throw authErrors.session_ended({ headers: CHALLENGE });
    return this.#toView(session, account, principal.managedIds);
  }

  async signOut(caller: Caller): Promise<void> {
    const { principal, workspace } = requireSession(caller);
    await inTransaction(this.#deps.storage, async (tx) => {
      const session = await repo.findSession(tx, workspace.id, principal.sessionId);
      if (session !== null) await this.#endOne(tx, caller, session);
    });
  }

  async list(caller: Caller, page: { limit: number; cursor?: string | undefined }): Promise<Page<Session>> {
    const { principal, workspace } = requireSession(caller);
    const after = readCursor(page.cursor, [0, '']);
    const account = { workspaceId: workspace.id, id: principal.account.id };
    const rows = await repo.listSessions(
      this.#deps.storage.read,
      account,
      this.#liveSince(),
      after,
      page.limit + 1,
    );
    return toPage(rows, page.limit, (session) => [session.createdAt, session.id]);
  }

  async end(caller: Caller, sessionId: string): Promise<void> {
    const { principal, workspace } = requireSession(caller);
    await inTransaction(this.#deps.storage, async (tx) => {
      const session = await repo.findSession(tx, workspace.id, sessionId);
      if (session === null || session.accountId !== principal.account.id) {
        throw requestErrors.not_found({
          detail: 'There is no such session of yours. It may have ended already.',
        });
      }
      await this.#endOne(tx, caller, session);
    });
  }

  async endOthers(caller: Caller): Promise<number> {
    const { principal, workspace } = requireSession(caller);
    return await inTransaction(this.#deps.storage, async (tx) => {
      const ended = await repo.deleteSessionsOfAccount(
        tx,
        workspace.id,
        principal.account.id,
        principal.sessionId,
      );
      if (ended > 0)
        await this.#recordEnded(tx, caller, principal.account.id, principal.account.login, ended);
      return ended;
    });
  }

  async endAllOf(tx: Tx, caller: Caller, account: Account): Promise<void> {
    const ended = await repo.deleteSessionsOfAccount(tx, account.workspaceId, account.id, null);
    if (ended > 0) await this.#recordEnded(tx, caller, account.id, toIdentity(account).login, ended);
  }

  async flush(): Promise<void> {
    const pending = [...this.#pendingSeen.values()];
    this.#pendingSeen = new Map();
    if (pending.length === 0) return;
    await inTransaction(this.#deps.storage, async (tx) => {
      for (const session of pending) await repo.saveSessionSeen(tx, session.id, session.seenAt);
      const accountIds = new Map(pending.map((session) => [session.accountId, session.workspaceId]));
      for (const [accountId, workspaceId] of accountIds)
        await this.#deps.accounts.saveLastSeen(tx, workspaceId, accountId);
    });
  }

  async sweep(): Promise<void> {
    const { storage, throttle } = this.#deps;
    for (;;) {
      const ids = await repo.listEndedIds(storage.read, this.#liveSince(), SWEEP_ROWS);
      await inTransaction(storage, (tx) => repo.deleteSessions(tx, ids));
      if (ids.length < SWEEP_ROWS) break;
    }
    await throttle.sweep();
  }

  async verifyReserved(reservation: Reservation, stored: string | null, password: Secret): Promise<boolean> {
    try {
      return await this.#deps.passwords.verify(stored, password);
    } catch (error) {
      // The server was busy: nothing was learnt about the password, so nothing counts.
      await this.#deps.throttle.release(reservation);
      throw error;
    }
  }

  async #signInInside(
    tx: Tx,
    caller: Caller,
    accountId: string,
    input: {
      readonly stored: string | null;
      readonly reservation: Reservation;
      readonly oldCookie: Secret | null;
    },
  ): Promise<StartedSession> {
    const { accounts, throttle } = this.#deps;
    const account = await accounts.find(tx, caller.workspace.id, accountId);
    const stored = await accounts.findPasswordHash(tx, caller.workspace.id, accountId);
    // While the password was checked, somebody may have changed it.
    if (account === null || stored !== input.stored)
      throw sessionErrors.wrong_credentials({ headers: CHALLENGE });
    if (!account.isActive) throw sessionErrors.account_disabled({ headers: CHALLENGE });
    await throttle.settle(tx, input.reservation);
    return await this.start(tx, caller, account, input.oldCookie);
  }

  async #findByCookie(exec: Executor, workspaceId: string, cookie: Secret): Promise<Session | null> {
    const value = cookie.reveal();
    return COOKIE.test(value) ? await repo.findSessionByDigest(exec, workspaceId, sha256Hex(value)) : null;
  }

  /** Rotation: whoever knew the cookie before the sign-in gains nothing from it. */
  async #endByCookie(tx: Tx, caller: Caller, cookie: Secret): Promise<void> {
    const session = await this.#findByCookie(tx, caller.workspace.id, cookie);
    if (session !== null) await this.#endOne(tx, caller, session);
  }

  async #endOne(tx: Tx, caller: Caller, session: Session): Promise<void> {
    if (!(await repo.deleteSession(tx, session.workspaceId, session.id))) return;
    await this.#deps.audit.record(tx, caller, {
      action: 'session.ended',
      target: { kind: 'session', id: session.id },
      accountId: session.accountId,
    });
  }

  async #recordEnded(tx: Tx, caller: Caller, accountId: string, login: string, count: number): Promise<void> {
    await this.#deps.audit.record(tx, caller, {
      action: 'session.ended',
      target: { kind: 'user', id: accountId, name: login },
      accountId,
      detail: { count },
    });
  }

  #liveSince(): LiveSince {
    const now = this.#deps.clock.now();
    return { createdAfter: now - SESSION_AGE_MAX_MS, seenAfter: now - SESSION_IDLE_MS };
  }

  #isLive(session: Session): boolean {
    const { createdAfter, seenAfter } = this.#liveSince();
    return session.createdAt > createdAfter && session.lastSeenAt > seenAfter;
  }

  #toView(session: Session, account: Account, managedIds: readonly string[]): SessionView {
    const expiresAt = Math.min(
      session.createdAt + SESSION_AGE_MAX_MS,
      this.#deps.clock.now() + SESSION_IDLE_MS,
    );
    return { session, account, managedIds, expiresAt };
  }
}

/** @see SessionsService */
export function createSessionsService(deps: SessionsDeps): SessionsService {
  return new Sessions(deps);
}
