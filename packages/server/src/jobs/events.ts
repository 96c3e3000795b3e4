import { type Clock, toIso } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import type { Tx } from '../storage/index.ts';
import { insertEvent } from './events.repo.ts';

export const EVENT_TYPES = [
  'key.created',
  'key.imported',
  'key.changed',
  'key.regenerated',
  'key.overlap_ended',
  'key.disabled',
  'key.enabled',
  'key.revoked',
  'key.deleted',
  'key.expiring',
  'key.expired',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** What programs are told. It names the key and never holds a secret. */
export interface KeyEventData {
  readonly key: {
    readonly id: string;
    readonly comment: string;
    readonly access: string;
    readonly expiresAt: string | null;
    readonly account: { readonly id: string; readonly kind: string; readonly displayName: string };
  };
  /** Null when the server did it on its own. */
  readonly actor: { readonly id: string; readonly displayName: string } | null;
  /** What is special about this type, in JSON. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface EventInput {
  readonly workspaceId: string;
  readonly type: EventType;
  readonly data: KeyEventData;
}

/** Writes down what happened for webhooks, in the transaction of the change. */
export interface Events {
  emit(tx: Tx, input: EventInput): Promise<void>;
}

export function createEvents(deps: { readonly clock: Clock; readonly random: Random }): Events {
  return {
    emit: async (tx, { workspaceId, type, data }) => {
      const now = deps.clock.now();
      await insertEvent(tx, {
        id: newId(deps.random, 'event'),
        workspace_id: workspaceId,
        type,
        body: JSON.stringify({ type, timestamp: toIso(now), data }),
        created_at: now,
        is_fanned_out: 0,
      });
    },
  };
}
