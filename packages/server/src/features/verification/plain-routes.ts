import {
  type PlainRequest,
  type PlainRoute,
  type ReadyAnswer,
  type RequestFacts,
  readUserAgent,
  type Workspace,
} from '../../http/index.ts';
import type { EpochGuard, Freshness } from '../../storage/index.ts';
import {
  type KeyAuthenticator,
  type PlainPlaces,
  type RecognizedKey,
  toHeaderLines,
  type UsageRecorder,
} from '../keys/index.ts';
import {
  cacheHeaders,
  isLimited,
  type LimitAnswer,
  type LimitsService,
  limitHeaders,
} from '../limits/index.ts';
import { can, holdsAction } from '../scopes/index.ts';
import { decidePermission } from './decide.ts';
import { freshnessHeaders } from './freshness.ts';
import {
  type PlainVerification,
  readPlainBody,
  readPlainCredential,
  readPlainQuery,
} from './plain-request.ts';
import { AnswerTexts } from './ready-texts.ts';
import { presentVerifyAnswer } from './verification.present.ts';
import { limitedCode, VERIFY_ACTION } from './verification.service.ts';

export interface PlainVerificationDeps {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
  readonly epochGuard: EpochGuard;
  readonly places: PlainPlaces;
  readonly facts: RequestFacts;
}

const NO_LIMITS: LimitAnswer = { code: 'within', states: [], spent: null, retryAfterSeconds: null };
const AUTHORIZE = '/v1/authorize';
const VERIFY = '/v1/keys/verify';

/**
 * The plain case of the two questions that stand before every request of somebody's service: a key of ours, good,
 * without quotas, asked about in the ordinary way; where keys are asked about, also one that does not exist.
 */
export function createPlainVerification(deps: PlainVerificationDeps): readonly PlainRoute[] {
  const texts = new AnswerTexts();
  return [
    {
      method: 'GET',
      path: AUTHORIZE,
      bodyTypes: [],
      answer: (request) => authorize(deps, texts, request),
    },
    {
      method: 'POST',
      path: VERIFY,
      bodyTypes: ['application/json', 'application/json; charset=utf-8'],
      answer: (request, body) => verify(deps, texts, request, body),
    },
  ];
}

function authorize(
  deps: PlainVerificationDeps,
  texts: AnswerTexts,
  request: PlainRequest,
): ReadyAnswer | null {
  const { headers, url = '' } = request;
  const question = readPlainQuery(url.slice(AUTHORIZE.length + 1));
  if (question === null) return null;
  const presented = readPlainCredential(headers);
  if (presented === null) return null;
  const place = deps.places.find(request, headers.host ?? '');
  if (place === null || (question.action === null && place.settings.requireAction)) return null;
  const { workspace, ip } = place;
  const found = deps.keyAuthenticator.recognizeOrMiss(place, presented, ip);
  if (found === null || typeof found === 'string') return null;
  const { code: permitted } = decidePermission(found.account, found.key, question);
  const held = isLimited(found) ? deps.keyLimiter.countNow(found) : NO_LIMITS;
  if (held === null) return null;
  const code = limitedCode(permitted, held);
  count(deps, workspace, found, question.action, code, ip, readUserAgent(request));
  const isLetIn = code === 'valid';
  const freshness = deps.epochGuard.freshness(workspace.id);
  return {
    status: isLetIn ? 204 : 403,
    headerLines:
      deps.places.headLines(place, found.key.expiresAt) +
      texts.subjectLines(workspace, found) +
      (freshness.source === 'database' ? '' : toHeaderLines(freshnessHeaders(freshness))) +
      (held.states.length === 0 ? '' : toHeaderLines({ ...limitHeaders(held), ...cacheHeaders(held) })) +
      (isLetIn ? '' : `x-keyreeve-reason: ${code}\r\n`),
    body: null,
    ip,
    workspaceId: workspace.id,
    actorId: found.account.id,
  };
}

function verify(
  deps: PlainVerificationDeps,
  texts: AnswerTexts,
  request: PlainRequest,
  body: string,
): ReadyAnswer | null {
  const asked = readPlainBody(body);
  if (asked === null) return null;
  const presented = readPlainCredential(request.headers);
  if (presented === null) return null;
  const place = deps.places.find(request, deps.facts.host(request));
  if (place === null) return null;
  const { keyAuthenticator, epochGuard, places } = deps;
  const { workspace, ip } = place;
  const caller = keyAuthenticator.recognize(place, presented, ip);
  if (caller === null) return null;
  const principal = { kind: 'key', account: caller.account, key: caller.key } as const;
  if (!holdsAction(principal, VERIFY_ACTION)) return null;
  const found = keyAuthenticator.recognizeOrMiss(place, asked.presented, asked.ip);
  if (found === null) return null;
  const isMiss = typeof found === 'string';
  if (!isMiss && !can(principal, VERIFY_ACTION, found.account.id)) return null;
  const held = !isMiss && isLimited(found) ? deps.keyLimiter.countNow(found) : NO_LIMITS;
  if (held === null) return null;
  count(deps, workspace, caller, VERIFY_ACTION, 'valid', ip, readUserAgent(request));
  const freshness = epochGuard.freshness(workspace.id);
  const answer = isMiss
    ? missAnswer(deps, workspace, found, freshness)
    : knownAnswer(deps, texts, workspace, found, asked, held, freshness);
  return {
    status: 200,
    headerLines: `${places.headLines(place, caller.key.expiresAt)}content-type: application/json; charset=utf-8\r\n${toHeaderLines(cacheHeaders(held))}`,
    body: answer,
    ip,
    workspaceId: workspace.id,
    actorId: caller.account.id,
  };
}

function knownAnswer(
  deps: PlainVerificationDeps,
  texts: AnswerTexts,
  workspace: Workspace,
  found: RecognizedKey,
  { question, ip }: PlainVerification,
  held: LimitAnswer,
  freshness: Freshness,
): string {
  const decision = decidePermission(found.account, found.key, question);
  const code = limitedCode(decision.code, held);
  count(deps, workspace, found, question.action, code, ip, null);
  return texts.verifyAnswer(found, { ...decision, code }, held, freshness);
}

function missAnswer(
  { usage }: PlainVerificationDeps,
  { id }: Workspace,
  code: 'malformed' | 'not_found',
  freshness: Freshness,
): string {
  usage.recordUnknown(id, code);
  return JSON.stringify(presentVerifyAnswer({ code, subject: null, matched: null, limits: null }, freshness));
}

function count(
  { usage }: PlainVerificationDeps,
  workspace: Workspace,
  { key }: RecognizedKey,
  action: string | null,
  outcome: string,
  ip: string | null,
  userAgent: string | null,
): void {
  usage.record({ workspaceId: workspace.id, keyId: key.id, action, outcome, ip, userAgent });
}
