import { type Clock, HOUR_MS } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import type { Keyring, Tx } from '../storage/index.ts';
import {
  aboutOf,
  type NoticeKind,
  type NoticePayloads,
  type NoticeRecipient,
  priorityOf,
} from './notices.ts';
import { insertOutbox, listTimesTo } from './outbox.repo.ts';
import { sealBody } from './outbox-body.ts';

export interface NoticeInput<Kind extends NoticeKind> {
  readonly workspaceId: string;
  readonly kind: Kind;
  readonly to: NoticeRecipient;
  /** The key that the notice tells of. */
  readonly keyId: string | null;
  readonly payload: NoticePayloads[Kind];
}

/** Puts a notice into the outbox, in the transaction of the change that it tells of. */
export interface Outbox {
  append<Kind extends NoticeKind>(tx: Tx, input: NoticeInput<Kind>): Promise<string>;
  /**
   * When an address may get one more notice of a kind, if that is at most `countMax` in any hour: an instant that is
   * over when it may at once.
   */
  findRoomFor(
    tx: Tx,
    to: { readonly workspaceId: string; readonly kind: NoticeKind; readonly address: string },
    countMax: number,
  ): Promise<number>;
}

export function createOutbox(deps: {
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly mailDomain: string;
}): Outbox {
  return {
    append: async (tx, input) => {
      const id = newId(deps.random, 'outbox');
      const now = deps.clock.now();
      await insertOutbox(tx, {
        id,
        workspace_id: input.workspaceId,
        kind: input.kind,
        account_id: input.to.accountId,
        key_id: input.keyId,
        to_name: input.to.name,
        to_address: input.to.address,
        locale: input.to.locale,
        time_zone: input.to.timeZone,
        about: aboutOf(input, input.to.name),
        // The same over all tries: a receiver that got a mail twice can tell.
        message_id: `<${id}@${deps.mailDomain}>`,
        ...sealBody(deps.keyring, deps.random, id, JSON.stringify(input.payload)),
        priority: priorityOf(input.kind),
        state: 'pending',
        attempts: 0,
        last_error: null,
        next_attempt_at: now,
        leased_until: 0,
        created_at: now,
        done_at: null,
      });
      return id;
    },
    findRoomFor: async (tx, to, countMax) => {
      const now = deps.clock.now();
      const [oldest, ...others] = await listTimesTo(tx, to, now - HOUR_MS, countMax);
      return oldest === undefined || others.length + 1 < countMax ? now : oldest + HOUR_MS;
    },
  };
}
