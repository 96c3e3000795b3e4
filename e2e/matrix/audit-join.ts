import type { Credential } from './credential.ts';

/** What the log has to tell of an answer: that something was done, that somebody was turned away, or nothing. */
export type Owed = 'change' | 'refusal' | null;

export interface Heard {
  /** As it is called in messages. */
  readonly name: string;
  readonly requestId: string;
  readonly owed: Owed;
}

/** What joining the answers with the log has found. */
export interface JoinFindings {
  readonly changes: number;
  readonly refusals: number;
  /** Changes and refusals that no row tells of. */
  readonly untold: readonly string[];
  /** Rows that tell of what has not happened. */
  readonly causeless: readonly string[];
}

export type LoggedRow = Readonly<Record<string, unknown>>;

interface Exchange {
  readonly who: Credential;
  readonly method: string;
  /** Without the method: `/v1/users/:id`. */
  readonly path: string;
  readonly status: number;
  /** Rows of other tables than the log are not as before, or the look itself is to be recorded. */
  readonly isDone: boolean;
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
const REFUSED_ACTIONS = ['access.refused', 'session.refused'];
/** Here the client shows what he has in the body, or a token and nothing else: one that is refused is unknown. */
const OWN_DOORS = /^\/(iam|cam|oauth2)\//;
/** Reading by a link notes when that was, as sessions and keys do. */
const NOTED = /^\/feeds\//;
const GALLERY = /^\/(api\/v2|nuget|v3|v1\/gallery)(\/|$)/;

/**
 * What docs/operations/audit.md says of an answer, thought out once more as the oracle is. Refused callers whom nobody
 * knows are counted, not told; so are those whose cookie another site has sent along, which is not looked at. 404 is
 * no refusal, for it must not say that there is something.
 */
export function findOwed({ who, method, path, status, isDone }: Exchange): Owed {
  if (status < 300) return isDone && !NOTED.test(path) ? 'change' : null;
  if (status !== 401 && status !== 403) return null;
  const { kind } = who.facts;
  if (kind !== 'session' && kind !== 'key' && kind !== 'token') return null;
  if (OWN_DOORS.test(path)) return null;
  const isLookedAt = !who.isCrossSite || (SAFE_METHODS.includes(method) && !GALLERY.test(path));
  if (!isLookedAt) return null;
  // What a gateway is told about a good key is an answer, counted among the uses of the key.
  return path === '/v1/authorize' && status === 403 ? null : 'refusal';
}

/** Joins answers with the rows of the audit log by the ids of their requests. */
export class AuditJoin {
  readonly #heard = new Map<string, Heard>();
  readonly #actions = new Map<string, string[]>();
  readonly #foreign: string[] = [];

  hear(heard: Heard): void {
    this.#heard.set(heard.requestId, heard);
  }

  /** Rows that were added, whenever that was: refusals are written together, a while after their answers. */
  read(rows: readonly LoggedRow[]): void {
    for (const row of rows) {
      const action = String(row['action']);
      const requestId = row['request_id'];
      if (typeof requestId !== 'string') {
        if (row['actor_kind'] !== 'system') this.#foreign.push(`${action} names no request`);
        continue;
      }
      this.#actions.set(requestId, [...(this.#actions.get(requestId) ?? []), action]);
    }
  }

  find(): JoinFindings {
    const all = [...this.#heard.values()];
    const tells = ({ requestId, owed }: Heard): boolean =>
      this.#actions.get(requestId)?.some((action) => isOf(owed, action)) === true;
    return {
      changes: all.filter(({ owed }) => owed === 'change').length,
      refusals: all.filter(({ owed }) => owed === 'refusal').length,
      untold: all
        .filter((heard) => heard.owed !== null && !tells(heard))
        .map(({ name, owed }) => `${name}: no row of the audit log tells of the ${owed}`),
      causeless: [
        ...this.#foreign,
        ...[...this.#actions].flatMap(([requestId, actions]) => {
          const heard = this.#heard.get(requestId);
          return actions
            .filter((action) => !isOf(heard?.owed ?? null, action))
            .map(
              (action) => `${heard?.name ?? requestId}: a row tells of ${action}, and nothing has happened`,
            );
        }),
      ],
    };
  }
}

function isOf(owed: Owed, action: string): boolean {
  if (owed === null) return false;
  return REFUSED_ACTIONS.includes(action) === (owed === 'refusal');
}
