export type Locale = 'en' | 'ja';

/** Who did something, as a reader knows him: the name, and the address it came from. */
export interface NoticeActor {
  /** Null when the server did it on its own. */
  readonly name: string | null;
  readonly ip: string | null;
}

/** Who asked for something or did it, and when. */
export interface NoticeRequest {
  readonly at: number;
  readonly actor: NoticeActor;
}

/** What a mail about a key says of it. Never its secret. */
export interface KeyFacts {
  readonly accountName: string;
  readonly keyId: string;
  readonly comment: string;
  readonly access: 'account' | 'scoped' | 'full';
  readonly expiresAt: number | null;
  /** Where the reader sees the key and acts on it. */
  readonly pageUrl: string;
}

export interface KeyChange extends KeyFacts, NoticeRequest {}

export interface KeyUse {
  readonly at: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface KeyStop extends KeyFacts {
  /** What stops with the key: packages, or actions of a key without any. At most 20 of `stopsCount`. */
  readonly stops: readonly string[];
  readonly stopsCount: number;
  readonly lastUse: KeyUse | null;
}

interface MailedLink {
  readonly accountName: string;
  readonly linkUrl: string;
  readonly linkExpiresAt: number;
  /** Mails that an older release wrote have none. */
  readonly request?: NoticeRequest;
}

interface PackageChange extends NoticeRequest {
  /** In the casing of its first push. */
  readonly packageId: string;
  readonly pageUrl: string;
}

/** What each kind of notice needs. Links and secrets stand in the sealed payload only. */
export interface NoticePayloads {
  /** With exactly one of `linkUrl` and `secretKey`, by the workspace's setting `keyMail`. */
  'key.delivery': {
    readonly accountName: string;
    readonly keyId: string;
    readonly comment: string;
    readonly expiresAt: number | null;
    readonly linkUrl: string | null;
    readonly linkExpiresAt: number | null;
    readonly secretKey: string | null;
    /**
     * What brought the mail about: its reader is told of it in no other mail. `oldWorksUntil` as in
     * `key.regenerated`. Mails that an older release wrote have none.
     */
    readonly change?: NoticeRequest & {
      readonly kind: 'created' | 'regenerated';
      readonly oldWorksUntil: number | null;
    };
  };
  'key.created': KeyChange;
  /** `oldWorksUntil`: the end of the overlap; null when the old secret stopped at once. */
  'key.regenerated': KeyChange & { readonly oldWorksUntil: number | null };
  'key.changed': KeyChange & {
    readonly changes: readonly {
      readonly field: 'comment' | 'patterns' | 'ipRanges' | 'limits';
      readonly from: string;
      readonly to: string;
    }[];
  };
  /** `isRevoked`: by whoever held it; its secret never works again. */
  'key.disabled': KeyChange & { readonly reason: string | null; readonly isRevoked?: boolean };
  'key.enabled': KeyChange;
  'key.deleted': KeyChange;
  'key.expiring': KeyStop;
  'key.expired': KeyStop;
  /** Many refusals of a key that is alive: somebody has a wrong configuration, or somebody else the key. */
  'key.refused': KeyFacts & {
    readonly count: number;
    readonly reason: string;
    readonly lastRefusal: KeyUse | null;
  };
  'account.invitation': MailedLink;
  'account.password_reset': MailedLink;
  'session.new_place': {
    readonly accountName: string;
    readonly at: number;
    readonly ip: string;
    readonly userAgent: string | null;
    readonly pageUrl: string;
  };
  /** An account is asked to own a package, beside the others or (`fromName`) in the place of one. */
  'package.owner_requested': PackageChange & {
    readonly accountName: string;
    readonly fromName: string | null;
    readonly expiresAt: number;
  };
  /** `accountName` has become an owner, is one no more, or has declined. */
  'package.owners_changed': PackageChange & {
    readonly change: 'added' | 'removed' | 'transferred' | 'declined';
    readonly accountName: string;
    /** Who has handed it over. */
    readonly fromName: string | null;
  };
  /** Programs that rely on the events of a webhook hear nothing any more, and cannot notice it themselves. */
  'webhook.disabled': {
    /** Never the whole address: paths and queries of webhooks are often secrets. */
    readonly host: string;
    readonly description: string;
    readonly reason: 'gone' | 'failures';
    readonly at: number;
    /** Of the last try; null when there was no answer. */
    readonly lastStatus: number | null;
    readonly pageUrl: string;
  };
}

export type NoticeKind = keyof NoticePayloads;

/** A notice as it is read back: its kind and what that kind says. */
export type Notice = {
  [Kind in NoticeKind]: { readonly kind: Kind; readonly payload: NoticePayloads[Kind] };
}[NoticeKind];

/**
 * What a subject names. The mail with a key is for whom the key is for; the others are about the key, the receiver
 * of a webhook, a package, or a person.
 */
export function aboutOf(
  { kind, payload }: { readonly kind: NoticeKind; readonly payload: Notice['payload'] },
  toName: string,
): string {
  if ('host' in payload) return payload.host;
  if ('packageId' in payload) return payload.packageId;
  return kind !== 'key.delivery' && 'comment' in payload ? payload.comment : toName;
}

/** What an account may do without. The rest is about security: who could switch it off could act unseen. */
export const MUTABLE_NOTICES = ['key.expiring', 'key.expired'] as const satisfies readonly NoticeKind[];

/**
 * `urgent`: somebody waits for it; `bulk`: goes out by the thousand on one day, and behind the others; `alarm`: before
 * what is bulk and at the same rate, for one gateway that is set up wrongly may refuse every key there is.
 */
const PACES: Readonly<Record<NoticeKind, 'urgent' | 'alarm' | 'bulk'>> = {
  'key.delivery': 'urgent',
  'key.created': 'urgent',
  'key.regenerated': 'urgent',
  'key.changed': 'urgent',
  'key.disabled': 'urgent',
  'key.enabled': 'urgent',
  'key.deleted': 'urgent',
  'key.expiring': 'bulk',
  'key.expired': 'bulk',
  'key.refused': 'alarm',
  'account.invitation': 'urgent',
  'account.password_reset': 'urgent',
  'session.new_place': 'urgent',
  'package.owner_requested': 'urgent',
  'package.owners_changed': 'urgent',
  'webhook.disabled': 'urgent',
};

export const NOTICE_KINDS = Object.keys(PACES) as NoticeKind[];

/** As the outbox stores a pace; the numbers stand in rows and mean no order. */
export const PRIORITIES = { urgent: 0, bulk: 1, alarm: 2 } as const;

export function priorityOf(kind: NoticeKind): number {
  return PRIORITIES[PACES[kind]];
}

/** Where a notice goes, in whose words and whose time. */
export interface NoticeRecipient {
  /** The account whose mail it is; null when the address belongs to none. */
  readonly accountId: string | null;
  readonly name: string;
  readonly address: string;
  readonly locale: Locale;
  /** An IANA name; null for UTC alone. */
  readonly timeZone: string | null;
}
