import { requestErrors } from '../../errors/index.ts';
import {
  type AccountIdentity,
  type AuthenticatedPrincipal,
  type Caller,
  type KeyIdentity,
  requireAuthenticated,
} from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import type { KeyAuthenticator, PresentedKey, UsageRecorder } from '../keys/index.ts';
import { can } from '../scopes/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { type Decision, type DecisionCode, decide, decidePermission, type Question } from './decide.ts';

export interface VerifyInput {
  readonly presented: PresentedKey;
  readonly question: Question;
  /** Address of the end client; null when the caller does not know it: allow lists then refuse. */
  readonly clientIp: string | null;
}

/** `subject` is null unless the secret was right and the caller may verify the keys of that account. */
export interface VerifyAnswer {
  readonly code: DecisionCode;
  readonly subject: { readonly account: AccountIdentity; readonly key: KeyIdentity } | null;
  readonly matched: Permission | null;
}

export interface VerificationService {
  /**
   * Answers a service that was handed a key. The caller must hold `iam:keys:verify` on the account of that key;
   * for others the key does not exist.
   *
   * @throws auth.required
   */
  verify(caller: Caller, input: VerifyInput): Promise<VerifyAnswer>;
  /**
   * Decides for a gateway about the caller's own credential, which the auth hook has accepted, and counts the use.
   *
   * @throws request.invalid without an action when the workspace demands one
   */
  authorize(
    caller: Caller,
    principal: Exclude<AuthenticatedPrincipal, { kind: 'session' }>,
    question: Question,
  ): Promise<Decision>;
}

interface Deps {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly settings: SettingsService;
}

const VERIFY_ACTION = 'iam:keys:verify';

export function createVerificationService(deps: Deps): VerificationService {
  const { keyAuthenticator, usage, settings } = deps;
  return {
    verify: async (caller, { presented, question, clientIp }) => {
      const { workspace, principal } = requireAuthenticated(caller);
      const outcome = await keyAuthenticator.authenticate(workspace.id, presented, clientIp);
      // A person who looks a key up is no use of it: the trace of its last real use would be gone.
      const isCounted = principal.kind !== 'session';
      if (!('key' in outcome)) {
        if (isCounted) usage.recordUnknown(workspace.id, outcome.code);
        return { code: outcome.code, subject: null, matched: null };
      }
      // No use is counted either: nothing was verified, and the owner would wonder who did.
      if (!can(principal, VERIFY_ACTION, outcome.account.id))
        return { code: 'not_found', subject: null, matched: null };
      const { code, matched } = decide(outcome, question);
      if (isCounted)
        usage.record({
          workspaceId: workspace.id,
          keyId: outcome.key.id,
          action: question.action,
          outcome: code,
          ip: clientIp,
          userAgent: null,
        });
      return { code, subject: { account: outcome.account, key: outcome.key }, matched };
    },
    authorize: async (caller, principal, question) => {
      const { ip, userAgent, workspace } = caller;
      const { action } = question;
      const count = (outcome: DecisionCode): void =>
        usage.record({ workspaceId: workspace.id, keyId: principal.key.id, action, outcome, ip, userAgent });
      if (question.action === null && (await settings.get(workspace.id)).requireAction) {
        count('insufficient_scope');
        throw requestErrors.invalid({
          detail: 'action is required: the workspace setting requireAction is on.',
          fields: [{ field: 'action', message: 'is required' }],
        });
      }
      const decision = decidePermission(principal.account, principal.key, question);
      count(decision.code);
      return decision;
    },
  };
}
