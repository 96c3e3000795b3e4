import type { Caller } from '../../http/index.ts';
import type { Outbox } from '../../jobs/index.ts';
import { randomBase62 } from '../../lib/base62.ts';
import { type Clock, DAY_MS } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { sha256Hex } from '../../lib/mac.ts';
import type { Random } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { isEmailAddress } from '../../lib/text.ts';
import {
  deleteEndedOneTimeLinks,
  findOneTimeLink,
  insertOneTimeLink,
  inTransaction,
  type Keyring,
  type Storage,
  type Tx,
  useOneTimeLink,
} from '../../storage/index.ts';
import { type Account, toNoticeActor, toRecipient } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { Settings } from '../settings/index.ts';
import type { ApiKey } from './api-key.ts';
import { toFullKey } from './key-format.ts';
import { keyErrors } from './keys.errors.ts';

const LINK_LIFETIME_MS = 7 * DAY_MS;
const LINK_TOKEN_CHARACTERS = 43;
/** Of mails with a key, to one address. */
const MAILS_PER_HOUR_MAX = 20;
const PURPOSE = 'key';
const SWEEP_ROWS = 500;

export interface DeliveryTarget {
  readonly address: string;
  readonly accountId: string | null;
}

/** What the holder of a one-time link gets, once. */
export interface OpenedKey {
  readonly keyId: string;
  readonly comment: string;
  readonly expiresAt: number | null;
  readonly secretKey: Secret;
  readonly fullKey: Secret;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly outbox: Outbox;
  readonly audit: AuditService;
  readonly hasSmtp: boolean;
}

/** A fresh key and whom it goes to. */
export interface KeyMail {
  readonly key: ApiKey;
  readonly secretKey: Secret;
  readonly account: Account;
  readonly settings: Settings;
  readonly target: DeliveryTarget;
  /** For a new secret of a known key: until when the old one works, null when it stopped at once. */
  readonly change:
    | { readonly kind: 'created' }
    | { readonly kind: 'regenerated'; readonly oldWorksUntil: number | null };
}

export interface KeyDelivery {
  /**
   * Where the key mail goes. Asked before anything is minted.
   *
   * @throws key.mail_address_missing, key.mail_address_not_allowed, key.mail_value_needs_smtp, key.mail_limit
   */
  findTarget(
    tx: Tx,
    account: Account,
    settings: Settings,
    mailTo: string | undefined,
  ): Promise<DeliveryTarget>;
  /** Puts the key mail into the outbox: with a one-time link, or with the secret itself by setting `keyMail`. */
  send(tx: Tx, caller: Caller, mail: KeyMail): Promise<void>;
  /** Opens a link: the key once, then never again. @throws key.link_unusable for wrong, used and expired links alike */
  open(caller: Caller, token: Secret): Promise<OpenedKey>;
  /** Deletes links that have ended: the secret in one that nobody opened is of no use to anybody honest. */
  sweep(): Promise<void>;
}

function payloadPlace(linkId: string): string {
  return `one_time_links/${linkId}/payload`;
}

class KeyMails implements KeyDelivery {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async findTarget(
    tx: Tx,
    account: Account,
    settings: Settings,
    mailTo: string | undefined,
  ): Promise<DeliveryTarget> {
    if (settings.keyMail === 'value' && !this.#deps.hasSmtp) throw keyErrors.mail_value_needs_smtp();
    if (mailTo !== undefined && !isEmailAddress(mailTo)) {
      throw keyErrors.mail_address_missing({
        detail: 'mailTo must be one plain address like ops@example.com. No key was made.',
        fields: [{ field: 'mailTo', message: 'must be one plain e-mail address' }],
      });
    }
    if (
      account.kind === 'user' &&
      mailTo !== undefined &&
      mailTo.toLowerCase() !== account.email?.toLowerCase()
    )
      throw keyErrors.mail_address_not_allowed();
    const address = mailTo ?? account.email;
    if (address === null)
      throw keyErrors.mail_address_missing({
        fields: [{ field: 'mailTo', message: 'is required: the service account has no address' }],
      });
    await this.#requireRoom(tx, account.workspaceId, address);
    return { address, accountId: address === account.email ? account.id : null };
  }

  /** Whoever manages a service account names any address: nobody's mailbox may be filled with keys that way. */
  async #requireRoom(tx: Tx, workspaceId: string, address: string): Promise<void> {
    const { outbox, clock } = this.#deps;
    const to = { workspaceId, kind: 'key.delivery', address } as const;
    const waitMs = (await outbox.findRoomFor(tx, to, MAILS_PER_HOUR_MAX)) - clock.now();
    if (waitMs > 0)
      throw keyErrors.mail_limit({ headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) } });
  }

  async send(tx: Tx, caller: Caller, mail: KeyMail): Promise<void> {
    const { key, secretKey, account, settings, target, change } = mail;
    const link = settings.keyMail === 'link' ? await this.#createLink(tx, caller, key, secretKey) : null;
    await this.#deps.outbox.append(tx, {
      workspaceId: key.workspaceId,
      kind: 'key.delivery',
      to: { ...toRecipient(account, target.address, settings), accountId: target.accountId },
      keyId: key.id,
      payload: {
        accountName: account.displayName,
        keyId: key.id,
        comment: key.comment,
        expiresAt: key.current.expiresAt,
        linkUrl: link?.url ?? null,
        linkExpiresAt: link?.expiresAt ?? null,
        secretKey: link === null ? secretKey.reveal() : null,
        change: {
          oldWorksUntil: null,
          ...change,
          at: this.#deps.clock.now(),
          actor: toNoticeActor(caller),
        },
      },
    });
  }

  async open(caller: Caller, token: Secret): Promise<OpenedKey> {
    const { storage, clock, keyring, audit } = this.#deps;
    return await inTransaction(storage, async (tx) => {
      const link = await findOneTimeLink(tx, caller.workspace.id, PURPOSE, sha256Hex(token.reveal().trim()));
      const now = clock.now();
      if (
        link === undefined ||
        link.key_id === null ||
        link.sealed_payload === null ||
        !(await useOneTimeLink(tx, link.id, now))
      )
        throw keyErrors.link_unusable();
      const payload = JSON.parse(keyring.open(link.sealed_payload, payloadPlace(link.id))) as {
        comment: string;
        expiresAt: number | null;
        secretKey: string;
      };
      await audit.record(tx, caller, {
        action: 'key.link_opened',
        target: { kind: 'key', id: link.key_id, name: payload.comment },
        accountId: link.account_id,
        keyId: link.key_id,
      });
      const secretKey = new Secret(payload.secretKey);
      return {
        keyId: link.key_id,
        comment: payload.comment,
        expiresAt: payload.expiresAt,
        secretKey,
        fullKey: toFullKey(link.key_id, secretKey),
      };
    });
  }

  async sweep(): Promise<void> {
    const { storage, clock } = this.#deps;
    const sweepSome = () =>
      inTransaction(storage, (tx) => deleteEndedOneTimeLinks(tx, PURPOSE, clock.now(), SWEEP_ROWS));
    while ((await sweepSome()) === SWEEP_ROWS) {
      // In small pieces: one large delete would keep other writers waiting.
    }
  }

  async #createLink(
    tx: Tx,
    caller: Caller,
    key: ApiKey,
    secretKey: Secret,
  ): Promise<{ url: string; expiresAt: number }> {
    const { random, clock, keyring } = this.#deps;
    const id = newId(random, 'link');
    const token = randomBase62(random, LINK_TOKEN_CHARACTERS);
    const now = clock.now();
    await insertOneTimeLink(tx, {
      id,
      workspace_id: key.workspaceId,
      purpose: PURPOSE,
      token_digest: sha256Hex(token),
      account_id: key.accountId,
      key_id: key.id,
      sealed_payload: keyring.seal(
        JSON.stringify({
          comment: key.comment,
          expiresAt: key.current.expiresAt,
          secretKey: secretKey.reveal(),
        }),
        payloadPlace(id),
      ),
      created_at: now,
      expires_at: now + LINK_LIFETIME_MS,
      used_at: null,
    });
    // The token stands behind `#`, which browsers keep to themselves: neither logs nor proxies nor mail
    // scanners that fetch the page ever send it.
    return { url: `${caller.workspace.url}/key-link#${token}`, expiresAt: now + LINK_LIFETIME_MS };
  }
}

/** @see KeyDelivery */
export function createKeyDelivery(deps: Deps): KeyDelivery {
  return new KeyMails(deps);
}
