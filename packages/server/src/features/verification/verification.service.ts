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
import type { LimitAnswer, LimitsService } from '../limits/index.ts';
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
  /** The limits of the key as they stand after this; null when it has none, or was not let in. */
  readonly limits: LimitAnswer | null;
}

export interface AuthorizeAnswer extends Decision {
  readonly limits: LimitAnswer;
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
   * Decides for a gateway about the caller's own credential, which the auth hook has accepted, and counts the use
   * before it is answered.
   *
   * @throws request.invalid without an action when the workspace demands one
   */
  authorize(
    caller: Caller,
    principal: Exclude<AuthenticatedPrincipal, { kind: 'session' }>,
    question: Question,
  ): Promise<AuthorizeAnswer>;
}

interface Deps {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly settings: SettingsService;
  readonly keyLimiter: LimitsService;
}

export const VERIFY_ACTION = 'iam:keys:verify';

/** A key that is over its limits learns nothing else: a wrong question would otherwise be free. */
export function limitedCode(code: DecisionCode, held: LimitAnswer | null): DecisionCode {
  return held === null || held.code === 'within' ? code : held.code;
}

export function createVerificationService(deps: Deps): VerificationService {
  const { keyAuthenticator, usage, settings, keyLimiter } = deps;
  return {
    verify: async (caller, { presented, question, clientIp }) => {
      const { workspace, principal } = requireAuthenticated(caller);
      const outcome = await keyAuthenticator.authenticate(workspace.id, presented, clientIp);
      // A person who looks a key up is no use of it: the trace of its last real use would be gone.
      const isCounted = principal.kind !== 'session';
      if (!('key' in outcome)) {
        if (isCounted) usage.recordUnknown(workspace.id, outcome.code);
        return { code: outcome.code, subject: null, matched: null, limits: null };
      }
      // No use is counted either: nothing was verified, and the owner would wonder who did.
      if (!can(principal, VERIFY_ACTION, outcome.account.id))
        return { code: 'not_found', subject: null, matched: null, limits: null };
      const decision = decide(outcome, question);
      const isGood = outcome.code === 'valid';
      const isAccepted = decision.code === 'valid';
      // A person only looks; and of a key that is no good nothing is counted.
      const held = isGood
        ? await (isCounted ? keyLimiter.count(outcome, isAccepted) : keyLimiter.look(outcome))
        : null;
      const code = limitedCode(decision.code, held);
      const matched = code === 'valid' ? decision.matched : null;
      if (isCounted)
        usage.record({
          workspaceId: workspace.id,
          keyId: outcome.key.id,
          action: question.action,
          outcome: code,
          ip: clientIp,
          userAgent: null,
        });
      return { code, subject: { account: outcome.account, key: outcome.key }, matched, limits: held };
    },
    authorize: async (caller, principal, question) => {
      const { ip, userAgent, workspace } = caller;
      const { action } = question;
      const count = (outcome: DecisionCode): void =>
        usage.record({ workspaceId: workspace.id, keyId: principal.key.id, action, outcome, ip, userAgent });
      if (question.action === null && (await settings.get(workspace.id)).requireAction) {
        // Asked in a wrong way, the gateway learns that, whatever its limits; but it is no free question.
        await keyLimiter.count(principal, false);
        count('insufficient_scope');
        throw requestErrors.invalid({
          detail: 'action is required: the workspace setting requireAction is on.',
          fields: [{ field: 'action', message: 'is required' }],
        });
      }
      const decision = decidePermission(principal.account, principal.key, question);
      const held = await keyLimiter.count(principal, decision.code === 'valid');
      const code = limitedCode(decision.code, held);
      count(code);
      return { code, matched: code === 'valid' ? decision.matched : null, limits: held };
    },
  };
}
