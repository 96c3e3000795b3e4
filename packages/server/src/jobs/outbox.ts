import type { Clock } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import type { Keyring, Tx } from '../storage/index.ts';
import { insertOutbox } from './outbox.repo.ts';

export type Locale = 'en' | 'ja';

/** What each kind of mail needs. Texts of links and secrets are in the sealed payload only. */
export interface NoticePayloads {
  /** With exactly one of `linkUrl` and `secretKey`, by the workspace's setting `keyMail`. */
  'key.delivery': {
    accountName: string;
    keyId: string;
    comment: string;
    expiresAt: number | null;
    linkUrl: string | null;
    linkExpiresAt: number | null;
    secretKey: string | null;
  };
  'account.invitation': { accountName: string; linkUrl: string; linkExpiresAt: number };
  'account.password_reset': { accountName: string; linkUrl: string; linkExpiresAt: number };
}

export type NoticeKind = keyof NoticePayloads;

/** A notice as it is read back: its kind and what that kind says. */
export type Notice = {
  [Kind in NoticeKind]: { readonly kind: Kind; readonly payload: NoticePayloads[Kind] };
}[NoticeKind];

export interface NoticeInput<Kind extends NoticeKind> {
  readonly workspaceId: string;
  readonly kind: Kind;
  /** The account whose mail it is; null when the address belongs to none. */
  readonly accountId: string | null;
  readonly toName: string;
  readonly toAddress: string;
  readonly locale: Locale;
  readonly payload: NoticePayloads[Kind];
}

/** Puts a notice into the outbox, in the transaction of the change that it tells of. */
export interface Outbox {
  append<Kind extends NoticeKind>(tx: Tx, input: NoticeInput<Kind>): Promise<string>;
}

export function sealedPayloadPlace(outboxId: string): string {
  return `outbox/${outboxId}/payload`;
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
        account_id: input.accountId,
        to_name: input.toName,
        to_address: input.toAddress,
        locale: input.locale,
        // The same over all tries: a receiver that got a mail twice can tell.
        message_id: `<${id}@${deps.mailDomain}>`,
        sealed_payload: deps.keyring.seal(JSON.stringify(input.payload), sealedPayloadPlace(id)),
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
  };
}
