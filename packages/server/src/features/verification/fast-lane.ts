import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import {
  AnswerBatch,
  canAnswerInBatches,
  closeReadable,
  type DurationSeries,
  type FastLane,
  findRepeatedHeader,
  HTTPS_HEADERS,
  isLoopbackHost,
  newRequestId,
  type ReadyAnswer,
  type RequestDurations,
  type RequestFacts,
  readUserAgent,
  SECURITY_HEADERS,
  TRUSTWORTHY_HEADERS,
  takeWholeBody,
  type Workspace,
} from '../../http/index.ts';
import { type Clock, toIso } from '../../lib/clock.ts';
import type { EpochGuard } from '../../storage/index.ts';
import {
  EXPIRY_HEADER,
  type KeyAuthenticator,
  noticeMsOf,
  type RecognizedKey,
  type UsageRecorder,
} from '../keys/index.ts';
import { can, holdsAction } from '../scopes/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { decidePermission } from './decide.ts';
import { freshnessHeaders } from './freshness.ts';
import { readPlainBody, readPlainCredential, readPlainQuery } from './plain-request.ts';
import { AnswerTexts } from './ready-texts.ts';
import { VERIFY_ACTION } from './verification.service.ts';

export interface FastLaneDeps {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly settings: SettingsService;
  readonly epochGuard: EpochGuard;
  readonly clock: Clock;
  readonly peekWorkspace: (host: string) => Workspace | null;
  readonly facts: RequestFacts;
  readonly durations: RequestDurations;
  readonly logger: FastifyBaseLogger;
}

const AUTHORIZE = '/v1/authorize';
const VERIFY = '/v1/keys/verify';
const BODY_BYTES_MAX = 4_096;
const JSON_TYPES = ['application/json', 'application/json; charset=utf-8'];
const WORKSPACES_MAX = 1_000;

/** What of the settings of a workspace decides answers here, under the epoch that was told before they were read. */
interface KnownSettings {
  readonly epoch: number;
  readonly requiresAction: boolean;
  readonly noticeMs: number;
}

/** All that an answer needs to know about a request beside its credential. */
interface Place {
  readonly workspace: Workspace;
  readonly workspaceId: string;
  readonly epoch: number;
  readonly settings: KnownSettings;
  readonly ip: string | null;
  readonly baseLines: string;
}

function toLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

const PLAIN_LINES = toLines(SECURITY_HEADERS);
const TRUSTWORTHY_LINES = PLAIN_LINES + toLines(TRUSTWORTHY_HEADERS);
const HTTPS_LINES = TRUSTWORTHY_LINES + toLines(HTTPS_HEADERS);

/**
 * Answers the plain case of the two questions that stand before every request of somebody's service: a key of ours,
 * good, without limits, asked about in the ordinary way. It refuses nobody and knows no error: whatever is not plain
 * is left to the routes, which are the one place of the rules. See docs/decisions/0029-fast-lane.md.
 */
class VerificationLane implements FastLane {
  readonly #deps: FastLaneDeps;
  readonly #batch = new AnswerBatch();
  readonly #settings = new Map<string, KnownSettings>();
  readonly #texts = new AnswerTexts();
  readonly #authorized: DurationSeries;
  readonly #forbidden: DurationSeries;
  readonly #verified: DurationSeries;

  constructor(deps: FastLaneDeps) {
    this.#deps = deps;
    this.#authorized = deps.durations.series(AUTHORIZE, 'GET', 204);
    this.#forbidden = deps.durations.series(AUTHORIZE, 'GET', 403);
    this.#verified = deps.durations.series(VERIFY, 'POST', 200);
  }

  tryAnswer(request: IncomingMessage, response: ServerResponse, leave: () => void): boolean {
    const { method, url = '' } = request;
    if (method === 'GET')
      return url.startsWith(AUTHORIZE) && this.#attempt(() => this.#authorize(request, response, url));
    return method === 'POST' && url === VERIFY && this.#holdForBody(request, response, leave);
  }

  /**
   * A read that fails (a full disk, a lock, a file that is damaged) throws at once, where nobody but the process would
   * catch it. It is the fault of one request, which the routes then answer as they answer all faults.
   */
  #attempt(answer: () => boolean): boolean {
    try {
      return answer();
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'A verification was left to the routes after a fault.');
      return false;
    }
  }

  #authorize(request: IncomingMessage, response: ServerResponse, url: string): boolean {
    const { headers } = request;
    if (url.length > AUTHORIZE.length && url[AUTHORIZE.length] !== '?') return false;
    if (headers['content-length'] !== undefined || !isPlain(request)) return false;
    const question = readPlainQuery(url.slice(AUTHORIZE.length + 1));
    const presented = question === null ? null : readPlainCredential(headers);
    if (question === null || presented === null) return false;
    const place = this.#findPlace(request, headers.host ?? '');
    if (place === null || (question.action === null && place.settings.requiresAction)) return false;
    const { workspace, ip } = place;
    const found = this.#deps.keyAuthenticator.recognize(place, presented, ip);
    if (found === null) return false;
    const { code } = decidePermission(found.account, found.key, question);
    this.#count(workspace, found, question.action, code, ip, readUserAgent(request));
    const isLetIn = code === 'valid';
    const headerLines =
      this.#headLines(place, found) +
      this.#texts.subjectLines(workspace, found) +
      toLines(freshnessHeaders(this.#deps.epochGuard.freshness(workspace.id))) +
      (isLetIn ? '' : `x-keyreeve-reason: ${code}\r\n`);
    closeReadable(request);
    this.#answer(response, isLetIn ? this.#authorized : this.#forbidden, place, found, {
      status: isLetIn ? 204 : 403,
      headerLines,
      body: null,
    });
    return true;
  }

  /** Takes the request in any case: once its body is there, it is answered here or left to the routes. */
  #holdForBody(request: IncomingMessage, response: ServerResponse, leave: () => void): boolean {
    const { headers } = request;
    const bytes = Number(headers['content-length'] ?? Number.NaN);
    if (!(bytes > 0 && bytes <= BODY_BYTES_MAX) || !isPlain(request)) return false;
    if (!JSON_TYPES.includes(headers['content-type'] ?? '')) return false;
    const take = (body: Buffer) => this.#attempt(() => this.#verify(request, response, body));
    takeWholeBody(request, bytes, take, leave);
    return true;
  }

  #verify(request: IncomingMessage, response: ServerResponse, body: Buffer): boolean {
    const asked = readPlainBody(body.toString('latin1'));
    const presented = asked === null ? null : readPlainCredential(request.headers);
    const place = presented === null ? null : this.#findPlace(request, this.#deps.facts.host(request));
    if (asked === null || presented === null || place === null) return false;
    const { keyAuthenticator } = this.#deps;
    const { workspace, ip } = place;
    const caller = keyAuthenticator.recognize(place, presented, ip);
    if (caller === null) return false;
    const principal = { kind: 'key', account: caller.account, key: caller.key } as const;
    if (!holdsAction(principal, VERIFY_ACTION)) return false;
    const found = keyAuthenticator.recognize(place, asked.presented, asked.ip);
    if (found === null || !can(principal, VERIFY_ACTION, found.account.id)) return false;
    const { code, matched } = decidePermission(found.account, found.key, asked.question);
    this.#count(workspace, caller, VERIFY_ACTION, 'valid', ip, readUserAgent(request));
    this.#count(workspace, found, asked.question.action, code, asked.ip, null);
    closeReadable(request);
    this.#answer(response, this.#verified, place, caller, {
      status: 200,
      headerLines: `${this.#headLines(place, caller)}content-type: application/json; charset=utf-8\r\n`,
      body: this.#texts.verifyAnswer(found, code, matched, this.#deps.epochGuard.freshness(workspace.id)),
    });
    return true;
  }

  /** Null when the host is unknown here, or when the settings must be read first, which this begins. */
  #findPlace(request: IncomingMessage, host: string): Place | null {
    const { facts, peekWorkspace, epochGuard } = this.#deps;
    const workspace = peekWorkspace(host);
    if (workspace === null) return null;
    const epoch = epochGuard.peek(workspace.id);
    if (epoch === null) return null;
    const settings = this.#settings.get(workspace.id);
    if (settings === undefined || settings.epoch !== epoch) {
      this.#learnSettings(workspace.id, epoch);
      return null;
    }
    const isHttps = facts.isHttps(request);
    const isTrustworthy = workspace.url.startsWith('https:') || isLoopbackHost(facts.host(request));
    const baseLines = isHttps ? HTTPS_LINES : isTrustworthy ? TRUSTWORTHY_LINES : PLAIN_LINES;
    return { workspace, workspaceId: workspace.id, epoch, settings, ip: facts.ip(request), baseLines };
  }

  #learnSettings(workspaceId: string, epoch: number): void {
    const learn = async () => {
      const { requireAction, expiryNoticeDays } = await this.#deps.settings.get(workspaceId);
      if (this.#settings.size >= WORKSPACES_MAX) this.#settings.clear();
      const noticeMs = noticeMsOf(expiryNoticeDays);
      this.#settings.set(workspaceId, { epoch, requiresAction: requireAction, noticeMs });
    };
    // The routes ask the database as well, and say so when it does not answer.
    learn().catch(() => undefined);
  }

  #headLines({ baseLines, settings }: Place, { key }: RecognizedKey): string {
    const lines = `${baseLines}x-request-id: ${newRequestId()}\r\n`;
    const { expiresAt } = key;
    const isExpiring = expiresAt !== null && expiresAt - this.#deps.clock.now() <= settings.noticeMs;
    return isExpiring ? `${lines}${EXPIRY_HEADER}: ${toIso(expiresAt)}\r\n` : lines;
  }

  #count(
    workspace: Workspace,
    { key }: RecognizedKey,
    action: string | null,
    outcome: string,
    ip: string | null,
    userAgent: string | null,
  ): void {
    this.#deps.usage.record({ workspaceId: workspace.id, keyId: key.id, action, outcome, ip, userAgent });
  }

  #answer(
    response: ServerResponse,
    series: DurationSeries,
    { workspace, ip }: Place,
    { account }: RecognizedKey,
    answer: ReadyAnswer,
  ): void {
    const startedAt = performance.now();
    const { logger } = this.#deps;
    const route = series === this.#verified ? VERIFY : AUTHORIZE;
    const isLogged = logger.level === 'debug' || logger.level === 'trace';
    this.#batch.add(response, answer, () => {
      const ms = performance.now() - startedAt;
      series.observe(ms / 1_000);
      if (isLogged)
        logger.debug(
          { route, status: answer.status, ms, ip, workspace: workspace.id, actor: account.id },
          'request',
        );
    });
  }
}

/** Nothing in the head that another program could read differently, or that Node answers in a way of its own. */
function isPlain(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    request.httpVersionMinor === 1 &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined &&
    findRepeatedHeader(request.rawHeaders) === null &&
    canAnswerInBatches()
  );
}

/** @see VerificationLane */
export function createVerificationLane(deps: FastLaneDeps): FastLane {
  return new VerificationLane(deps);
}
