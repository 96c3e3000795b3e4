import { type FieldFault, hasErrorCode, requestErrors } from '../../errors/index.ts';
import { type Caller, systemCaller, type Workspace } from '../../http/index.ts';
import type { Secret } from '../../lib/secret.ts';
import { hasHiddenText, isEmailAddress } from '../../lib/text.ts';
import {
  type Executor,
  inTransaction,
  isUniqueViolation,
  type Storage,
  type Tx,
} from '../../storage/index.ts';
import { type Account, type AccountsService, accountErrors } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { WorkspacesService } from '../workspaces/index.ts';
import type { Passwords } from './passwords.ts';
import { countingRefusals } from './refusals.ts';
import { setupErrors } from './sessions.errors.ts';
import type { SessionsService, StartedSession } from './sessions.service.ts';
import type { Reservation, Throttle } from './throttle.ts';

export interface FirstAdmin {
  readonly email: string;
  readonly password: Secret;
  readonly displayName: string;
}

export interface SetupService {
  /** The one-time code of the workspace still waits to be used. */
  isOpen(workspaceId: string): Promise<boolean>;
  /**
   * Makes the first administrator of the caller's workspace and signs him in. The code is used up by it.
   *
   * @throws setup.already_done, setup.wrong_code, session.throttled, account.password_weak, request.invalid
   */
  complete(
    caller: Caller,
    input: FirstAdmin & { readonly code: Secret; readonly oldCookie: Secret | null },
  ): Promise<StartedSession>;
  /**
   * The same from the configuration, without a code and a session. Does nothing and says false when there is an
   * administrator already, so that it can be asked at every start.
   *
   * @throws account.password_weak, request.invalid
   */
  createFirstAdmin(workspace: Workspace, admin: FirstAdmin): Promise<boolean>;
}

interface Deps {
  readonly storage: Storage;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
  readonly workspaces: WorkspacesService;
  readonly sessions: SessionsService;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
}

const DISPLAY_NAME_CHARACTERS_MAX = 256;

/** @throws request.invalid naming each field that cannot be taken as it is */
function checkAdmin(admin: FirstAdmin): void {
  const faults: FieldFault[] = [];
  if (!isEmailAddress(admin.email)) {
    faults.push({
      field: 'email',
      message: 'must be one plain address like ada@example.com, at most 254 characters',
    });
  }
  const name = admin.displayName.trim();
  if (name === '' || name.length > DISPLAY_NAME_CHARACTERS_MAX || hasHiddenText(name)) {
    faults.push({
      field: 'displayName',
      message: `must be a name of 1 to ${DISPLAY_NAME_CHARACTERS_MAX} visible characters`,
    });
  }
  if (faults.length > 0) {
    throw requestErrors.invalid({
      fields: faults,
      detail: faults.map((fault) => `${fault.field} ${fault.message}`).join('; '),
    });
  }
}

function trimmed(admin: FirstAdmin): FirstAdmin {
  return {
    email: admin.email.trim(),
    password: admin.password,
    displayName: admin.displayName.trim(),
  };
}

class Setup implements SetupService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async complete(
    caller: Caller,
    input: FirstAdmin & { readonly code: Secret; readonly oldCookie: Secret | null },
  ): Promise<StartedSession> {
    const { storage, audit, workspaces, sessions, throttle } = this.#deps;
    const workspaceId = caller.workspace.id;
    return await countingRefusals(audit, caller, '/v1/setup', async () => {
      if (await this.#hasAdmin(storage.read, workspaceId)) throw setupErrors.already_done();
      const admin = trimmed(input);
      checkAdmin(admin);
      const reservation = await throttle.reserveSetup(caller);
      const passwordHash = await this.#hashReserved(reservation, admin);
      return await inTransaction(storage, async (tx) => {
        if (await this.#hasAdmin(tx, workspaceId)) throw setupErrors.already_done();
        if (!(await workspaces.consumeSetupCode(tx, workspaceId, input.code))) throw setupErrors.wrong_code();
        await throttle.settle(tx, reservation);
        // Nobody is signed in yet; the holder of the code acts for the installation.
        const asSetup: Caller = { ...caller, principal: { kind: 'system', name: 'setup' } };
        const account = await this.#createAdmin(tx, asSetup, admin, passwordHash);
        return await sessions.start(tx, caller, account, input.oldCookie);
      });
    });
  }

  async isOpen(workspaceId: string): Promise<boolean> {
    const { workspaces, storage } = this.#deps;
    if (!(await workspaces.hasSetupCode(workspaceId))) return false;
    // A code may outlive its use: the first administrator can also come from the configuration.
    return !(await this.#hasAdmin(storage.read, workspaceId));
  }

  async createFirstAdmin(workspace: Workspace, input: FirstAdmin): Promise<boolean> {
    const { storage } = this.#deps;
    if (await this.#hasAdmin(storage.read, workspace.id)) return false;
    const admin = trimmed(input);
    checkAdmin(admin);
    const passwordHash = await this.#hash(admin);
    try {
      return await inTransaction(storage, async (tx) => {
        if (await this.#hasAdmin(tx, workspace.id)) return false;
        await this.#createAdmin(tx, systemCaller(workspace, 'setup'), admin, passwordHash);
        return true;
      });
    } catch (error) {
      // Another process that starts at the same time was first; PostgreSQL may say so by the unique name alone.
      const wasOutrun = hasErrorCode(error, 'account.login_taken');
      if (wasOutrun && (await this.#hasAdmin(storage.read, workspace.id))) return false;
      throw error;
    }
  }

  async #hasAdmin(exec: Executor, workspaceId: string): Promise<boolean> {
    return (await this.#deps.accounts.countActiveAdmins(exec, workspaceId)) > 0;
  }

  async #hash(admin: FirstAdmin): Promise<string> {
    return await this.#deps.passwords.hash(admin.password, [admin.email, admin.displayName]);
  }

  /** A password that is refused says nothing about the code, so the try does not count. */
  async #hashReserved(reservation: Reservation, admin: FirstAdmin): Promise<string> {
    try {
      return await this.#hash(admin);
    } catch (error) {
      await this.#deps.throttle.release(reservation);
      throw error;
    }
  }

  async #createAdmin(tx: Tx, caller: Caller, admin: FirstAdmin, passwordHash: string): Promise<Account> {
    const { accounts, audit } = this.#deps;
    const { email, displayName } = admin;
    try {
      const account = await accounts.createInside(tx, caller, {
        kind: 'user',
        role: 'admin',
        email,
        displayName,
        passwordHash,
      });
      await audit.record(tx, caller, {
        action: 'setup.completed',
        target: { kind: 'user', id: account.id, name: email },
        accountId: account.id,
      });
      return account;
    } catch (error) {
      if (isUniqueViolation(error)) throw accountErrors.login_taken({ cause: error });
      throw error;
    }
  }
}

/** @see SetupService */
export function createSetupService(deps: Deps): SetupService {
  return new Setup(deps);
}
