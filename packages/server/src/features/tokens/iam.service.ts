import { AppError } from '../../errors/index.ts';
import { authErrors, type Caller } from '../../http/index.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Storage } from '../../storage/index.ts';
import type { Account, AccountsService } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { KeyAuthenticator, UsageRecorder } from '../keys/index.ts';
import { findOver, type LimitsService } from '../limits/index.ts';
import { toRefusal } from './key-refusal.ts';
import type { TokensService } from './tokens.service.ts';

/** A token with the account behind it: what the first seed calls a session. */
export interface IamSession {
  readonly account: Account;
  readonly token: Secret;
  /** Milliseconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** When the key itself stops; null when it never does. */
  readonly keyExpiresAt: number | null;
}

/** The login of the first seed: API key and secret key for a token. */
export interface IamService {
  /** @throws auth.invalid_credential, the same whatever is wrong; the counters get the real reason. limit.* for a good key */
  login(caller: Caller, apiKey: string, secretKey: Secret): Promise<IamSession>;
  /** @throws auth.invalid_credential */
  checkSession(caller: Caller, token: Secret | null): Promise<IamSession>;
  /** @throws auth.invalid_credential also at the second time */
  logout(caller: Caller, token: Secret | null): Promise<void>;
}

interface Deps {
  readonly storage: Storage;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
  readonly tokens: TokensService;
}

const SECOND_MS = 1_000;
const LOGIN = '/iam/login';
const CHECK = '/iam/v4/checkSession';
const LOGOUT = '/iam/logout';

export function createIamService(deps: Deps): IamService {
  const { storage, audit, accounts, keyAuthenticator, usage, keyLimiter, tokens } = deps;

  /** Counts the real reason and answers with the one that tells nothing. */
  const refuse = (caller: Caller, reason: AppError, route: string): never => {
    audit.countRefusal(caller, reason, route);
    throw authErrors.invalid_credential({ cause: reason });
  };

  const requireToken = (caller: Caller, token: Secret | null, route: string): Secret =>
    token ?? refuse(caller, authErrors.required(), route);

  const findAccount = async (caller: Caller, accountId: string, route: string): Promise<Account> => {
    const account = await accounts.find(storage.read, caller.workspace.id, accountId);
    return account ?? refuse(caller, authErrors.invalid_credential(), route);
  };

  /** These routes do the work of the auth hook themselves, so the refusals are counted here. */
  const counted = async <Result>(
    caller: Caller,
    route: string,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AppError && error.status === 401) return refuse(caller, error, route);
      throw error;
    }
  };

  return {
    login: async (caller, apiKey, secretKey) => {
      const { workspace, ip, userAgent } = caller;
      const outcome = await keyAuthenticator.authenticate(workspace.id, { apiKey, secretKey }, ip);
      if (outcome.code === 'malformed' || outcome.code === 'not_found')
        return refuse(caller, toRefusal(outcome.code), LOGIN);
      const over = findOver(outcome.code === 'valid' ? await keyLimiter.count(outcome, true) : null);
      usage.record({
        workspaceId: workspace.id,
        keyId: outcome.key.id,
        action: 'iam:tokens:issue',
        outcome: over?.code ?? outcome.code,
        ip,
        userAgent,
      });
      if (outcome.code !== 'valid') return refuse(caller, toRefusal(outcome.code), LOGIN);
      if (over !== null) throw over.error;
      const { token, claims } = await counted(caller, LOGIN, () => tokens.issue(workspace, outcome));
      const account = await findAccount(caller, outcome.account.id, LOGIN);
      return {
        account,
        token,
        issuedAt: claims.iat * SECOND_MS,
        expiresAt: claims.exp * SECOND_MS,
        keyExpiresAt: outcome.key.expiresAt,
      };
    },
    checkSession: async (caller, presented) => {
      const token = requireToken(caller, presented, CHECK);
      const principal = await counted(caller, CHECK, () => tokens.authenticate(token, caller));
      const account = await findAccount(caller, principal.account.id, CHECK);
      return {
        account,
        token,
        issuedAt: principal.token.issuedAt,
        expiresAt: principal.token.expiresAt,
        keyExpiresAt: principal.key.expiresAt,
      };
    },
    logout: async (caller, presented) => {
      const token = requireToken(caller, presented, LOGOUT);
      await counted(caller, LOGOUT, () => tokens.end(caller, token));
    },
  };
}
