import {
  type PlainRequest,
  type PlainRoute,
  type ReadyAnswer,
  type RequestFacts,
  readUserAgent,
  type Workspace,
} from '../../http/index.ts';
import type { EpochGuard } from '../../storage/index.ts';
import {
  type KeyAuthenticator,
  type PlainPlaces,
  type RecognizedKey,
  toHeaderLines,
  type UsageRecorder,
} from '../keys/index.ts';
import { can, holdsAction } from '../scopes/index.ts';
import { decidePermission } from './decide.ts';
import { freshnessHeaders } from './freshness.ts';
import { readPlainBody, readPlainCredential, readPlainQuery } from './plain-request.ts';
import { AnswerTexts } from './ready-texts.ts';
import { VERIFY_ACTION } from './verification.service.ts';

export interface PlainVerificationDeps {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly epochGuard: EpochGuard;
  readonly places: PlainPlaces;
  readonly facts: RequestFacts;
}

const AUTHORIZE = '/v1/authorize';
const VERIFY = '/v1/keys/verify';

/**
 * The plain case of the two questions that stand before every request of somebody's service: a key of ours, good,
 * without limits, asked about in the ordinary way.
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
  const presented = question === null ? null : readPlainCredential(headers);
  if (question === null || presented === null) return null;
  const place = deps.places.find(request, headers.host ?? '');
  if (place === null || (question.action === null && place.settings.requireAction)) return null;
  const { workspace, ip } = place;
  const found = deps.keyAuthenticator.recognize(place, presented, ip);
  if (found === null) return null;
  const { code } = decidePermission(found.account, found.key, question);
  count(deps, workspace, found, question.action, code, ip, readUserAgent(request));
  const isLetIn = code === 'valid';
  const freshness = deps.epochGuard.freshness(workspace.id);
  return {
    status: isLetIn ? 204 : 403,
    headerLines:
      deps.places.headLines(place, found.key.expiresAt) +
      texts.subjectLines(workspace, found) +
      (freshness.source === 'database' ? '' : toHeaderLines(freshnessHeaders(freshness))) +
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
  const presented = asked === null ? null : readPlainCredential(request.headers);
  const place = presented === null ? null : deps.places.find(request, deps.facts.host(request));
  if (asked === null || presented === null || place === null) return null;
  const { keyAuthenticator, epochGuard, places } = deps;
  const { workspace, ip } = place;
  const caller = keyAuthenticator.recognize(place, presented, ip);
  if (caller === null) return null;
  const principal = { kind: 'key', account: caller.account, key: caller.key } as const;
  if (!holdsAction(principal, VERIFY_ACTION)) return null;
  const found = keyAuthenticator.recognize(place, asked.presented, asked.ip);
  if (found === null || !can(principal, VERIFY_ACTION, found.account.id)) return null;
  const { code, matched } = decidePermission(found.account, found.key, asked.question);
  count(deps, workspace, caller, VERIFY_ACTION, 'valid', ip, readUserAgent(request));
  count(deps, workspace, found, asked.question.action, code, asked.ip, null);
  return {
    status: 200,
    headerLines: `${places.headLines(place, caller.key.expiresAt)}content-type: application/json; charset=utf-8\r\n`,
    body: texts.verifyAnswer(found, code, matched, epochGuard.freshness(workspace.id)),
    ip,
    workspaceId: workspace.id,
    actorId: caller.account.id,
  };
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
