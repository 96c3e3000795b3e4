import {
  HTTPS_HEADERS,
  isLoopbackHost,
  newRequestId,
  type PlainRequest,
  type RequestFacts,
  SECURITY_HEADERS,
  TRUSTWORTHY_HEADERS,
  type Workspace,
} from '../../http/index.ts';
import { type Clock, toIso } from '../../lib/clock.ts';
import type { EpochGuard } from '../../storage/index.ts';
import type { Settings, SettingsService } from '../settings/index.ts';
import { noticeMsOf } from './api-key.ts';
import { EXPIRY_HEADER } from './expiry-hint.ts';

/** Where a plain request arrived, and all that its answer needs to know beside the credential. */
export interface PlainPlace {
  readonly workspace: Workspace;
  readonly workspaceId: string;
  /** What the guard of the storage told just now; `settings` are those under it. */
  readonly epoch: number;
  readonly settings: Settings;
  readonly noticeMs: number;
  readonly ip: string | null;
  /** Security headers, as each answer here carries them. */
  readonly baseLines: string;
}

export interface PlainPlaces {
  /**
   * Null when the host is unknown here, or when the settings must be read first, which this begins: the routes then
   * answer.
   *
   * @param host as the route finds it: not each of them takes the word of a proxy for it
   */
  find(request: PlainRequest, host: string): PlainPlace | null;
  /** All lines that do not belong to the route: security, request id, and the hint at an expiry that is near. */
  headLines(place: PlainPlace, expiresAt: number | null): string;
}

interface Deps {
  readonly settings: SettingsService;
  readonly epochGuard: EpochGuard;
  readonly clock: Clock;
  readonly peekWorkspace: (host: string) => Workspace | null;
  readonly facts: RequestFacts;
}

const WORKSPACES_MAX = 1_000;

interface KnownSettings {
  readonly epoch: number;
  readonly settings: Settings;
  readonly noticeMs: number;
}

export function toHeaderLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

const PLAIN_LINES = toHeaderLines(SECURITY_HEADERS);
const TRUSTWORTHY_LINES = PLAIN_LINES + toHeaderLines(TRUSTWORTHY_HEADERS);
const HTTPS_LINES = TRUSTWORTHY_LINES + toHeaderLines(HTTPS_HEADERS);

/** @see PlainPlaces */
export function createPlainPlaces(deps: Deps): PlainPlaces {
  const { settings, epochGuard, clock, peekWorkspace, facts } = deps;
  const known = new Map<string, KnownSettings>();

  const learn = async (workspaceId: string, epoch: number): Promise<void> => {
    const read = await settings.get(workspaceId);
    if (known.size >= WORKSPACES_MAX) known.clear();
    known.set(workspaceId, { epoch, settings: read, noticeMs: noticeMsOf(read.expiryNoticeDays) });
  };

  return {
    find: (request, host) => {
      // Refused even where a proxy names the host (RFC 9112, 3.2).
      if (request.headers.host === undefined) return null;
      const workspace = peekWorkspace(host);
      if (workspace === null) return null;
      const epoch = request.isAlone ? epochGuard.peekInTurn(workspace.id) : epochGuard.peek(workspace.id);
      if (epoch === null) return null;
      const found = known.get(workspace.id);
      if (found === undefined || found.epoch !== epoch) {
        // The routes ask the database as well, and say so when it does not answer.
        learn(workspace.id, epoch).catch(() => undefined);
        return null;
      }
      const isHttps = facts.isHttps(request);
      const isTrustworthy = workspace.url.startsWith('https:') || isLoopbackHost(facts.host(request));
      return {
        workspace,
        workspaceId: workspace.id,
        epoch,
        settings: found.settings,
        noticeMs: found.noticeMs,
        ip: facts.ip(request),
        baseLines: isHttps ? HTTPS_LINES : isTrustworthy ? TRUSTWORTHY_LINES : PLAIN_LINES,
      };
    },
    headLines: ({ baseLines, noticeMs }, expiresAt) => {
      const lines = `${baseLines}x-request-id: ${newRequestId()}\r\n`;
      const isExpiring = expiresAt !== null && expiresAt - clock.now() <= noticeMs;
      return isExpiring ? `${lines}${EXPIRY_HEADER}: ${toIso(expiresAt)}\r\n` : lines;
    },
  };
}
