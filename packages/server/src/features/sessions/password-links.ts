import type { Caller } from '../../http/index.ts';
import type { Outbox } from '../../jobs/index.ts';
import { randomBase62 } from '../../lib/base62.ts';
import { type Clock, DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { sha256Hex } from '../../lib/mac.ts';
import type { Random } from '../../lib/random.ts';
import type { Secret } from '../../lib/secret.ts';
import {
  type Executor,
  findOneTimeLink,
  insertOneTimeLink,
  inTransaction,
  type Keyring,
  type Storage,
  type Tx,
  useOneTimeLink,
} from '../../storage/index.ts';
import { type Account, type AccountsService, toNoticeActor, toRecipient } from '../accounts/index.ts';
import type { SettingsService } from '../settings/index.ts';
import {
  deleteLinks,
  dropPasswordLinks,
  listOldPasswordLinks,
  type PasswordLinkPurpose,
} from './password-links.repo.ts';
import { sessionErrors } from './sessions.errors.ts';

const TOKEN_CHARACTERS = 43;
const KEEP_MS = 7 * DAY_MS;
const SWEEP_ROWS = 500;

const KINDS = {
  password_reset: { lifetimeMs: HOUR_MS, notice: 'account.password_reset', path: 'password-reset' },
  invitation: { lifetimeMs: 7 * DAY_MS, notice: 'account.invitation', path: 'invitation' },
} as const;

/** A link that can be used, and whose password it sets. */
export interface UsableLink {
  readonly id: string;
  readonly account: Account;
}

/** One-time links with which a user sets a password, sent to the address of the account. */
export interface PasswordLinks {
  /** Puts a mail with a new link into the outbox. The account must be a user with an address. */
  send(tx: Tx, caller: Caller, purpose: PasswordLinkPurpose, account: Account): Promise<void>;
  /**
   * The account behind a token.
   *
   * @throws session.link_unusable for wrong, used and expired links, for disabled accounts, and when the account
   *   has got another address since: the mail then lies with somebody who is no longer meant
   */
  find(exec: Executor, caller: Caller, purpose: PasswordLinkPurpose, token: Secret): Promise<UsableLink>;
  /** Uses the link up, and with it all other such links of the account. @throws session.link_unusable */
  use(tx: Tx, caller: Caller, purpose: PasswordLinkPurpose, token: Secret): Promise<UsableLink>;
  /** The password was changed in another way: links that are under way stop working. */
  dropAll(tx: Tx, account: Account): Promise<void>;
  /** Deletes links that ended a week ago. */
  sweep(): Promise<void>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly outbox: Outbox;
  readonly accounts: AccountsService;
  readonly settings: SettingsService;
}

function payloadPlace(linkId: string): string {
  return `one_time_links/${linkId}/payload`;
}

export function createPasswordLinks(deps: Deps): PasswordLinks {
  const { storage, clock, random, keyring, outbox, accounts, settings } = deps;

  const find: PasswordLinks['find'] = async (exec, caller, purpose, token) => {
    const workspaceId = caller.workspace.id;
    const link = await findOneTimeLink(exec, workspaceId, purpose, sha256Hex(token.reveal().trim()));
    const isOpen = link !== undefined && link.used_at === null && link.expires_at > clock.now();
    if (!isOpen || link.account_id === null || link.sealed_payload === null)
      throw sessionErrors.link_unusable();
    const account = await accounts.find(exec, workspaceId, link.account_id);
    const { email } = JSON.parse(keyring.open(link.sealed_payload, payloadPlace(link.id))) as {
      email: string;
    };
    if (account === null || !account.isActive || account.email !== email) throw sessionErrors.link_unusable();
    return { id: link.id, account };
  };

  return {
    find,
    send: async (tx, caller, purpose, account) => {
      if (account.email === null) throw new Error(`The account ${account.id} has no address for a link.`);
      const id = newId(random, 'link');
      const token = randomBase62(random, TOKEN_CHARACTERS);
      const { lifetimeMs, notice, path } = KINDS[purpose];
      const now = clock.now();
      const expiresAt = now + lifetimeMs;
      await insertOneTimeLink(tx, {
        id,
        workspace_id: account.workspaceId,
        purpose,
        token_digest: sha256Hex(token),
        account_id: account.id,
        key_id: null,
        sealed_payload: keyring.seal(JSON.stringify({ email: account.email }), payloadPlace(id)),
        created_at: now,
        expires_at: expiresAt,
        used_at: null,
      });
      await outbox.append(tx, {
        workspaceId: account.workspaceId,
        kind: notice,
        to: toRecipient(account, account.email, await settings.get(account.workspaceId, tx)),
        keyId: null,
        // Browsers keep what stands behind `#` to themselves: neither logs nor proxies nor mail scanners that
        // fetch the page ever send it.
        payload: {
          accountName: account.displayName,
          linkUrl: `${caller.workspace.url}/${path}#${token}`,
          linkExpiresAt: expiresAt,
          request: { at: now, actor: toNoticeActor(caller) },
        },
      });
    },
    use: async (tx, caller, purpose, token) => {
      const link = await find(tx, caller, purpose, token);
      if (!(await useOneTimeLink(tx, link.id, clock.now()))) throw sessionErrors.link_unusable();
      await dropPasswordLinks(tx, link.account.workspaceId, link.account.id);
      return link;
    },
    dropAll: (tx, account) => dropPasswordLinks(tx, account.workspaceId, account.id),
    sweep: async () => {
      const before = clock.now() - KEEP_MS;
      for (;;) {
        const ids = await listOldPasswordLinks(storage.read, before, SWEEP_ROWS);
        await inTransaction(storage, (tx) => deleteLinks(tx, ids));
        if (ids.length < SWEEP_ROWS) return;
      }
    },
  };
}
