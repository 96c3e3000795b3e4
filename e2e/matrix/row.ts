import type { App } from '@keyreeve/testkit';
import type { Credential } from './credential.ts';
import type { Target, Verdict } from './oracle.ts';
import type { Headers } from './town.ts';

export interface Wire {
  readonly url: string;
  readonly headers?: Headers;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly bytes?: Uint8Array;
}

export type Answer = Awaited<ReturnType<App['inject']>>;

/** How a refusal is told: a problem, the error of `/iam`, OAuth or OData, a reason phrase with text, or a status alone. */
export type RefusalShape = 'problem' | 'iam' | 'oauth' | 'odata' | 'text' | 'bare';

/** One way of using one route, with what ought to come of it for each caller and each thing. */
export interface Row {
  /** As the server's own route table spells it: `PATCH /v1/users/:id`. */
  readonly route: string;
  /** What this row does with the route, where there are several. */
  readonly variant?: string;
  /** Not part of the published API. */
  readonly isHidden?: boolean;
  /** Left out, the route is about nothing in particular. */
  readonly targets?: readonly Target[];
  /** Left out, every credential is tried. */
  readonly isFor?: (who: Credential) => boolean;
  readonly send: (who: Credential, target: Target) => Wire;
  readonly expect: (who: Credential, target: Target) => Verdict;
  /** Statuses, beside 2xx, that are reached only behind the decision. */
  readonly reached?: readonly number[];
  readonly shape?: RefusalShape;
  /** What a refusal may say of others, because this caller knows it. */
  readonly mayTell?: (who: Credential) => readonly string[];
  /** Looking at it is itself recorded. */
  readonly isRecorded?: boolean;
  /** What is wrong with an answer that let the request through, or null. */
  readonly judge?: (answer: Answer, who: Credential, target: Target) => string | null;
}

export const NOTHING: Target = { name: '-', person: null, place: 'nowhere', id: () => '' };

export function methodOf(row: Row): string {
  return row.route.split(' ')[0] ?? '';
}

export function itemsOf(answer: Answer): readonly Record<string, unknown>[] {
  return answer.json<{ items: Record<string, unknown>[] }>().items;
}

/** Compares what a list shows with what it ought to show, both as names. */
export function compareNames(shown: readonly string[], wanted: readonly string[]): string | null {
  const extra = shown.filter((name) => !wanted.includes(name));
  const missing = wanted.filter((name) => !shown.includes(name));
  if (extra.length === 0 && missing.length === 0) return null;
  return `the list shows ${extra.join(', ') || 'nothing'} too many and lacks ${missing.join(', ') || 'nothing'}`;
}
