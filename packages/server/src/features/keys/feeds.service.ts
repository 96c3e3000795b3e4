import { requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, readCursor, type SessionPrincipal } from '../../http/index.ts';
import type { Locale } from '../../jobs/index.ts';
import { randomBase62 } from '../../lib/base62.ts';
import { type Clock, HOUR_MS } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { sha256Hex } from '../../lib/mac.ts';
import { type Page, toPage } from '../../lib/page.ts';
import type { Random } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { nextTurn } from '../../lib/turns.ts';
import { inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { type Account, type AccountsService, toIdentity } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { type ExpiryFeed, FEED_AHEAD_MS, FEED_KEYS_MAX, toComingExpiry } from './expiry-feed.ts';
import { feedErrors } from './feeds.errors.ts';
import {
  deleteFeedLink,
  deleteFeedLinksOfAccount,
  type FeedLink,
  type FeedScope,
  findFeedLinkByDigest,
  insertFeedLink,
  listFeedLinks,
  saveFeedUse,
} from './feeds.repo.ts';
import type { KeyLister, KeyView } from './key-list.ts';

export interface FeedsService {
  /** The caller's own links, the newest first. @throws request.invalid for a cursor of another list */
  list(
    caller: Caller,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<FeedLink>>;
  /**
   * Makes a link for the caller, with its token, which is told only here. `own`: his keys and those of the service
   * accounts that he manages; `workspace`: all keys, for administrators.
   *
   * @throws auth.forbidden, feed.too_many_links
   */
  create(caller: Caller, scope: FeedScope): Promise<{ link: FeedLink; token: Secret }>;
  /** Administrators end the links of others too. @throws request.not_found also for a link of somebody else */
  remove(caller: Caller, id: string): Promise<void>;
  /**
   * The coming expiries behind a token, by the rights that its account has now.
   *
   * @throws request.not_found, the same for a token that never was one, a deleted link, a disabled account, and a
   *   link to the workspace of somebody who is no administrator any more
   */
  read(caller: Caller, token: Secret): Promise<ExpiryFeed>;
  /** The account goes, and its links with it. */
  removeAllOf(tx: Tx, account: Account): Promise<void>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  readonly accounts: AccountsService;
  readonly keyLister: KeyLister;
}

const LINKS_MAX = 10;
const KEYS_AT_ONCE = 50;
const TOKEN_CHARACTERS = 43;
const TOKEN = /^[0-9A-Za-z]{43}$/;
/** A calendar asks many times a day: a write for each would tell nobody more. */
const USE_NOTED_EVERY_MS = HOUR_MS;

function requireSession({ principal }: Caller): SessionPrincipal {
  if (principal.kind !== 'session') throw authErrors.required();
  return principal;
}

class Feeds implements FeedsService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(
    caller: Caller,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<FeedLink>> {
    const links = await listFeedLinks(
      this.#deps.storage.read,
      this.#ownerOf(caller),
      readCursor(cursor, [0, '']),
      limit + 1,
    );
    return toPage(links, limit, (link) => [link.createdAt, link.id]);
  }

  async create(caller: Caller, scope: FeedScope): Promise<{ link: FeedLink; token: Secret }> {
    const { account } = requireSession(caller);
    if (scope === 'workspace' && account.role !== 'admin') throw authErrors.forbidden();
    const { storage, clock, random, audit } = this.#deps;
    const token = randomBase62(random, TOKEN_CHARACTERS);
    const owner = this.#ownerOf(caller);
    const id = newId(random, 'feed');
    return await inTransaction(storage, async (tx) => {
      if ((await listFeedLinks(tx, owner, null, LINKS_MAX)).length >= LINKS_MAX)
        throw feedErrors.too_many_links();
      const link = { ...owner, id, scope, createdAt: clock.now(), lastUsedAt: null };
      await insertFeedLink(tx, link, sha256Hex(token));
      await audit.record(tx, caller, {
        action: 'feed_link.created',
        target: { kind: 'feed_link', id, name: scope },
        accountId: owner.accountId,
      });
      return { link, token: new Secret(token) };
    });
  }

  async remove(caller: Caller, id: string): Promise<void> {
    const { account } = requireSession(caller);
    const accountId = account.role === 'admin' ? null : account.id;
    await inTransaction(this.#deps.storage, async (tx) => {
      const link = await deleteFeedLink(tx, { workspaceId: caller.workspace.id, accountId }, id);
      if (link === null) throw requestErrors.not_found();
      await this.#deps.audit.record(tx, caller, {
        action: 'feed_link.deleted',
        target: { kind: 'feed_link', id, name: link.scope },
        accountId: link.accountId,
      });
    });
  }

  async read(caller: Caller, token: Secret): Promise<ExpiryFeed> {
    const { storage, clock, settings, accounts } = this.#deps;
    const { workspace } = caller;
    const text = token.reveal();
    const link = TOKEN.test(text)
      ? await findFeedLinkByDigest(storage.read, workspace.id, sha256Hex(text))
      : null;
    const account = link === null ? null : await accounts.find(storage.read, workspace.id, link.accountId);
    const isUsable = account?.isActive === true && (link?.scope === 'own' || account.role === 'admin');
    if (link === null || account === null || !isUsable) throw requestErrors.not_found();
    const now = clock.now();
    const { expiryNoticeDays: noticeDays } = await settings.get(workspace.id);
    const views = await this.#listExpiring(await this.#actAs(caller, link, account), now);
    await this.#noteUse(link, now);
    return {
      linkId: link.id,
      workspaceName: workspace.name,
      homeUrl: `${workspace.url}/`,
      locale: account.locale as Locale,
      createdAt: link.createdAt,
      expiries: views.flatMap((view) =>
        toComingExpiry(view, { workspaceUrl: workspace.url, noticeDays, now }),
      ),
    };
  }

  async removeAllOf(tx: Tx, account: Account): Promise<void> {
    await deleteFeedLinksOfAccount(tx, account.workspaceId, account.id);
  }

  #ownerOf(caller: Caller): { readonly workspaceId: string; readonly accountId: string } {
    return { workspaceId: caller.workspace.id, accountId: requireSession(caller).account.id };
  }

  /** Whoever holds the link sees what a session of its account would; an own link of an administrator what a member would. */
  async #actAs(caller: Caller, link: FeedLink, account: Account): Promise<Caller> {
    const { storage, accounts } = this.#deps;
    const identity = toIdentity(account);
    return {
      ...caller,
      principal: {
        kind: 'session',
        account: link.scope === 'own' ? { ...identity, role: 'member' } : identity,
        sessionId: link.id,
        managedIds: await accounts.listManagedIds(storage.read, link.workspaceId, account.id),
      },
    };
  }

  /** In small pages, between which others have the event loop: reading a key and checking its row takes its time. */
  async #listExpiring(caller: Caller, now: number): Promise<KeyView[]> {
    const views: KeyView[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#deps.keyLister.list(
        caller,
        { status: 'working', hasActiveAccount: true, expiresBefore: now + FEED_AHEAD_MS, sort: 'expiresAt' },
        { limit: Math.min(KEYS_AT_ONCE, FEED_KEYS_MAX - views.length), cursor },
      );
      views.push(...page.items);
      cursor = page.nextCursor ?? undefined;
      await nextTurn();
    } while (cursor !== undefined && views.length < FEED_KEYS_MAX);
    return views;
  }

  async #noteUse(link: FeedLink, now: number): Promise<void> {
    const noSoonerThan = now - USE_NOTED_EVERY_MS;
    if (link.lastUsedAt !== null && link.lastUsedAt > noSoonerThan) return;
    await inTransaction(this.#deps.storage, (tx) => saveFeedUse(tx, link, now, noSoonerThan));
  }
}

/** @see FeedsService */
export function createFeedsService(deps: Deps): FeedsService {
  return new Feeds(deps);
}
