import type { Caller } from '../../http/index.ts';
import type { Events, EventType, KeyFacts, KeyUse, NoticePayloads } from '../../jobs/index.ts';
import { type Clock, toIsoOrNull } from '../../lib/clock.ts';
import type { KeyLimits } from '../../lib/key-limits.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Tx } from '../../storage/index.ts';
import { type Account, type AccountNotices, type AccountsService, toNoticeActor } from '../accounts/index.ts';
import type { ApiKey } from './api-key.ts';
import type { KeyPlace } from './key-place.repo.ts';

/** What is told of a key; also of one whose row cannot be trusted any more. */
export type ToldKey = KeyPlace;

/** A change with what is special about its kind. */
export type KeyChangeStory =
  | { readonly action: 'key.created'; readonly mailedTo: string | null }
  | {
      readonly action: 'key.regenerated';
      readonly oldWorksUntil: number | null;
      readonly mailedTo: string | null;
    }
  | { readonly action: 'key.changed'; readonly changes: KeyChanges }
  | { readonly action: 'key.disabled' | 'key.revoked'; readonly reason: string | null }
  | { readonly action: 'key.enabled' | 'key.deleted' | 'key.overlap_ended' | 'key.imported' };

export interface KeyStopStory {
  readonly action: 'key.expiring' | 'key.expired';
  /** The first of what stops with the key. */
  readonly stops: readonly string[];
  readonly stopsCount: number;
  readonly lastUse: KeyUse | null;
}

export interface KeyRefusalStory {
  readonly count: number;
  readonly reason: string;
  readonly lastRefusal: KeyUse | null;
}

export interface KeyChanges {
  readonly comment?: { readonly from: string; readonly to: string };
  readonly scopes?: { readonly from: readonly Permission[]; readonly to: readonly Permission[] };
  readonly ipRanges?: { readonly from: readonly string[]; readonly to: readonly string[] };
  readonly limits?: { readonly from: KeyLimits | null; readonly to: KeyLimits | null };
}

/** Tells people by mail and programs by event what became of a key, in the transaction of the change. */
export interface KeyNotices {
  tellChange(tx: Tx, caller: Caller, key: ToldKey, story: KeyChangeStory): Promise<void>;
  /** Tells of an expiry that comes or has come; the account is the one of the key. */
  tellStop(tx: Tx, caller: Caller, key: ToldKey, account: Account, story: KeyStopStory): Promise<void>;
  /** Tells of many refusals of a live key. */
  tellRefusals(tx: Tx, caller: Caller, key: ToldKey, account: Account, story: KeyRefusalStory): Promise<void>;
  /** Only the event: the keys of an account that goes are many, and its owner has no use for a mail for each. */
  emitChange(tx: Tx, caller: Caller, key: ToldKey, account: Account, story: KeyChangeStory): Promise<void>;
}

/** A mail is read by people: the rest of a long list stands in the console. */
const LISTED_CHARACTERS_MAX = 400;

interface Deps {
  readonly clock: Clock;
  readonly accounts: AccountsService;
  readonly accountNotices: AccountNotices;
  readonly events: Events;
}

export function toToldKey(key: ApiKey): ToldKey {
  return { ...key, expiresAt: key.current.expiresAt };
}

/** The page of the console where the reader of a notice finds the key. */
export function keyPageUrl(workspaceUrl: string, account: Pick<Account, 'id' | 'kind'>): string {
  return `${workspaceUrl}${account.kind === 'user' ? '/my-keys' : `/service-accounts/${account.id}`}`;
}

export function toKeyFacts(workspaceUrl: string, account: Account, key: ToldKey): KeyFacts {
  return {
    accountName: account.displayName,
    keyId: key.id,
    comment: key.comment,
    access: key.access,
    expiresAt: key.expiresAt,
    pageUrl: keyPageUrl(workspaceUrl, account),
  };
}

export function toEventKey(account: Account, key: ToldKey) {
  return {
    id: key.id,
    comment: key.comment,
    access: key.access,
    expiresAt: toIsoOrNull(key.expiresAt),
    account: { id: account.id, kind: account.kind, displayName: account.displayName },
  };
}

function listed(values: readonly string[]): string {
  const text = values.join(', ');
  return text.length <= LISTED_CHARACTERS_MAX ? text : `${text.slice(0, LISTED_CHARACTERS_MAX)}…`;
}

function patternsOf(scopes: readonly Permission[]): string {
  return listed([...new Set(scopes.flatMap((scope) => scope.resources))]);
}

/** Told in figures: `100 / 60 s` and `1000 / month`, the same in every language. */
function limitsText(limits: KeyLimits | null): string {
  const rate = limits?.rate ?? null;
  const quota = limits?.quota ?? null;
  return [
    ...(rate === null ? [] : [`${rate.requests} / ${rate.windowSeconds} s`]),
    ...(quota === null
      ? []
      : [quota.refill === null ? `${quota.uses}` : `${quota.uses} / ${quota.refill.every}`]),
  ].join(', ');
}

function toChangeLines({
  comment,
  scopes,
  ipRanges,
  limits,
}: KeyChanges): NoticePayloads['key.changed']['changes'] {
  return [
    ...(comment === undefined ? [] : [{ field: 'comment' as const, ...comment }]),
    ...(scopes === undefined
      ? []
      : [{ field: 'patterns' as const, from: patternsOf(scopes.from), to: patternsOf(scopes.to) }]),
    ...(ipRanges === undefined
      ? []
      : [{ field: 'ipRanges' as const, from: listed(ipRanges.from), to: listed(ipRanges.to) }]),
    ...(limits === undefined
      ? []
      : [{ field: 'limits' as const, from: limitsText(limits.from), to: limitsText(limits.to) }]),
  ];
}

function actorOf({ principal }: Caller): { id: string; displayName: string } | null {
  return 'account' in principal
    ? { id: principal.account.id, displayName: principal.account.displayName }
    : null;
}

function detailOf(story: KeyChangeStory): Readonly<Record<string, unknown>> {
  if (story.action === 'key.changed') return { changes: story.changes };
  if (story.action === 'key.regenerated') return { oldWorksUntil: toIsoOrNull(story.oldWorksUntil) };
  return 'reason' in story ? { reason: story.reason } : {};
}

class ChangeTeller implements KeyNotices {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async tellChange(tx: Tx, caller: Caller, key: ToldKey, story: KeyChangeStory): Promise<void> {
    const account = await this.#deps.accounts.find(tx, key.workspaceId, key.accountId);
    // Its row was altered by hand: there is nobody to tell.
    if (account === null) return;
    await this.emitChange(tx, caller, key, account, story);
    await this.#mail(tx, caller, key, account, story);
  }

  async tellStop(
    tx: Tx,
    caller: Caller,
    key: ToldKey,
    account: Account,
    { action, ...story }: KeyStopStory,
  ): Promise<void> {
    await this.#deps.events.emit(tx, {
      workspaceId: key.workspaceId,
      type: action,
      data: { key: toEventKey(account, key), actor: null, detail: {} },
    });
    const payload = { ...toKeyFacts(caller.workspace.url, account, key), ...story };
    await this.#deps.accountNotices.tell(tx, account, action, payload, { keyId: key.id });
  }

  async tellRefusals(
    tx: Tx,
    caller: Caller,
    key: ToldKey,
    account: Account,
    story: KeyRefusalStory,
  ): Promise<void> {
    const payload = { ...toKeyFacts(caller.workspace.url, account, key), ...story };
    await this.#deps.accountNotices.tell(tx, account, 'key.refused', payload, { keyId: key.id });
  }

  async emitChange(
    tx: Tx,
    caller: Caller,
    key: ToldKey,
    account: Account,
    story: KeyChangeStory,
  ): Promise<void> {
    await this.#deps.events.emit(tx, {
      workspaceId: key.workspaceId,
      type: story.action satisfies EventType,
      data: { key: toEventKey(account, key), actor: actorOf(caller), detail: detailOf(story) },
    });
  }

  async #mail(tx: Tx, caller: Caller, key: ToldKey, account: Account, story: KeyChangeStory): Promise<void> {
    const { accountNotices, clock } = this.#deps;
    const change = {
      ...toKeyFacts(caller.workspace.url, account, key),
      at: clock.now(),
      actor: toNoticeActor(caller),
    };
    const options = { keyId: key.id };
    switch (story.action) {
      case 'key.created':
        await accountNotices.tell(tx, account, story.action, change, {
          ...options,
          exceptAddress: story.mailedTo,
        });
        return;
      case 'key.regenerated': {
        const payload = { ...change, oldWorksUntil: story.oldWorksUntil };
        await accountNotices.tell(tx, account, story.action, payload, {
          ...options,
          exceptAddress: story.mailedTo,
        });
        return;
      }
      case 'key.changed': {
        const payload = { ...change, changes: toChangeLines(story.changes) };
        await accountNotices.tell(tx, account, story.action, payload, options);
        return;
      }
      case 'key.disabled':
      case 'key.revoked': {
        const payload = { ...change, reason: story.reason, isRevoked: story.action === 'key.revoked' };
        await accountNotices.tell(tx, account, 'key.disabled', payload, options);
        return;
      }
      case 'key.enabled':
      case 'key.deleted':
        await accountNotices.tell(tx, account, story.action, change, options);
        return;
      case 'key.overlap_ended':
      case 'key.imported':
        return;
    }
  }
}

/** @see KeyNotices */
export function createKeyNotices(deps: Deps): KeyNotices {
  return new ChangeTeller(deps);
}
