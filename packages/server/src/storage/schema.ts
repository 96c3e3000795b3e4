import type { Generated } from 'kysely';
import type {
  FeedEntriesTable,
  PackageDeprecationsTable,
  PackageOwnerRequestsTable,
  PackagePrefixesTable,
  PackageSearchTable,
  PackagesTable,
  PackageVersionsTable,
} from './schema-gallery.ts';

/**
 * The tables, the same on SQLite and PostgreSQL: text ids, integer milliseconds, booleans as 0/1, JSON as
 * text. This is the only place that names them for TypeScript; `migrations/` makes them.
 */
export interface Database {
  data_keys: DataKeysTable;
  meta: { name: string; value: string };
  workspaces: WorkspacesTable;
  workspace_hosts: { host: string; workspace_id: string };
  setup_codes: { workspace_id: string; code_digest: string; created_at: number };
  settings: { workspace_id: string; document: string; version: number; updated_at: number };
  audit: AuditTable;
  audit_heads: AuditHeadsTable;
  audit_checkpoints: AuditCheckpointsTable;
  audit_keys: { id: string; sealed: string; created_at: number };
  refusals: { workspace_id: string; minute: number; address: string; reason: string; count: number };
  accounts: AccountsTable;
  account_managers: { workspace_id: string; service_account_id: string; user_id: string };
  sessions: SessionsTable;
  attempts: { bucket: string; failures: number; last_failure_at: number };
  api_keys: ApiKeysTable;
  revocation_epochs: { workspace_id: string; part: number; epoch: number };
  ended_tokens: { jti: string; workspace_id: string; expires_at: number };
  signing_keys: SigningKeysTable;
  packages: PackagesTable;
  package_owners: { workspace_id: string; package_id: string; account_id: string };
  package_versions: PackageVersionsTable;
  feed_entries: FeedEntriesTable;
  package_search: PackageSearchTable;
  package_owner_requests: PackageOwnerRequestsTable;
  package_prefixes: PackagePrefixesTable;
  package_prefix_accounts: { workspace_id: string; prefix_id: string; account_id: string };
  package_deprecations: PackageDeprecationsTable;
  package_usage: { package_id: string; workspace_id: string; versions: number; bytes: number };
  account_usage: { account_id: string; workspace_id: string; packages: number; bytes: number };
  package_downloads: { id: string; workspace_id: string; downloads: number };
  outbox: OutboxTable;
  mail_rate: { id: number; minute: number; claimed: number };
  key_expiry_notices: KeyExpiryNoticesTable;
  key_refusal_notices: { key_id: string; workspace_id: string; told_at: number };
  sign_in_places: { account_id: string; place_digest: string; workspace_id: string; last_seen_at: number };
  events: EventsTable;
  webhooks: WebhooksTable;
  webhook_deliveries: WebhookDeliveriesTable;
  feed_links: FeedLinksTable;
  one_time_links: OneTimeLinksTable;
  key_last_uses: KeyLastUsesTable;
  key_quotas: KeyQuotasTable;
  /** Empty `action`: none was asked for. */
  key_hours: KeyCountsTable & { hour: number };
  key_days: KeyCountsTable & { day: number };
  key_last_refusals: KeyRefusalsTable;
  /** Of the time since the key was last changed, `since`. */
  key_first_refusals: KeyRefusalsTable & { since: number };
  /** The number of the last batch of counters that each process has stored. */
  usage_flushes: { recorder_id: string; sequence: number; at: number };
  workspace_hours: { workspace_id: string; hour: number; outcome: string; count: number };
  refusal_hours: { workspace_id: string; hour: number; reason: string; count: number };
}

export interface DataKeysTable {
  id: string;
  purpose: string;
  wrapped: string;
  created_at: number;
}

export interface WorkspacesTable {
  id: string;
  name: string;
  /** Null for the default workspace. */
  subdomain: string | null;
  is_default: number;
  created_at: number;
}

export interface AuditTable {
  seq: Generated<number>;
  workspace_id: string;
  at: number;
  action: string;
  actor_kind: string;
  actor_id: string | null;
  actor_name: string | null;
  actor_key_id: string | null;
  target_kind: string;
  target_id: string;
  target_name: string | null;
  account_id: string | null;
  key_id: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  detail: string;
  /** In its workspace, from 1 without gaps. This and what follows are null in rows of older releases, until a job chains them. */
  number: number | null;
  /** 1: chained as it was written; 2: chained later. */
  form: number | null;
  previous_hash: string | null;
  hash: string | null;
  mac: string | null;
}

/** Where the audit log of a workspace ends: the row of the highest version. Those before it are about to be deleted. */
export interface AuditHeadsTable {
  workspace_id: string;
  version: number;
  /** The number, place and hash of its last row. */
  number: number;
  seq: number;
  hash: string;
  /** 0 as long as a job still chains rows of older releases, and new ones wait for it. */
  is_live: number;
  /** The number of the first row that was written after this head had been lost or altered. */
  broken_at: number | null;
  /** The number of the row that was signed last, and when it was; 0 before the first. */
  checkpoint: number;
  checkpoint_at: number;
  mac: string;
}

/** A signed statement that a row had a hash at a time. */
export interface AuditCheckpointsTable {
  workspace_id: string;
  number: number;
  /** The number of the checkpoint before it; 0 for the first. */
  previous: number;
  seq: number;
  hash: string;
  at: number;
  key_id: string;
  signature: string;
}

export interface AccountsTable {
  id: string;
  workspace_id: string;
  kind: string;
  state: string;
  disabled_reason: string | null;
  role: string | null;
  email: string | null;
  email_lower: string | null;
  display_name: string;
  first_name: string | null;
  last_name: string | null;
  /** Users: their e-mail in lower case; service accounts: the technical name. Unique in a workspace. */
  login_lower: string;
  technical_name: string | null;
  description: string | null;
  locale: string;
  /** An IANA name; null for that of the workspace. */
  time_zone: string | null;
  /** Kinds of notices that the account does not want. */
  muted_notices: string;
  tags: string;
  grants: string;
  /** JSON: the limits of each of its keys; null for none. */
  key_limits: string | null;
  password_hash: string | null;
  password_changed_at: number | null;
  /** Raised by whatever must end the account's sessions and tokens: disabling, role, grants, password. */
  epoch: number;
  version: number;
  last_seen_at: number | null;
  created_at: number;
  created_by: string | null;
  updated_at: number;
}

export interface SessionsTable {
  /** SHA-256 of the cookie's value: a stolen table signs nobody in. */
  token_digest: string;
  id: string;
  workspace_id: string;
  account_id: string;
  ip: string;
  user_agent: string | null;
  created_at: number;
  last_seen_at: number;
}

export interface ApiKeysTable {
  id: string;
  workspace_id: string;
  account_id: string;
  owner_id: string;
  comment: string;
  comment_lower: string;
  access: string;
  scopes: string;
  lifetime_days: number | null;
  created_at: number;
  created_by: string | null;
  /** When it was last regenerated; null when it never was. */
  renewed_at: number | null;
  updated_at: number;
  expires_at: number | null;
  state: string;
  disabled_reason: string | null;
  disabled_at: number | null;
  generation: number;
  digest: string;
  pepper_id: string;
  old_generation: number | null;
  old_digest: string | null;
  old_pepper_id: string | null;
  old_expires_at: number | null;
  ip_ranges: string;
  /** JSON; null for none. */
  limits: string | null;
  /** HMAC of the SHA-256 of a foreign credential; null for keys that we minted. */
  foreign_digest: string | null;
  /** Raised by whatever must end the key's tokens: disabling, narrowing. */
  epoch: number;
  version: number;
  row_mac: string;
}

export interface SigningKeysTable {
  kid: string;
  workspace_id: string;
  algorithm: string;
  public_jwk: string;
  sealed_private_jwk: string;
  created_at: number;
  /** From here on it signs; until `retires_at` it verifies. */
  activates_at: number;
  retires_at: number | null;
}

export interface OutboxTable {
  id: string;
  workspace_id: string;
  kind: string;
  /** The account that the mail is for, when it is one; decides who may read it in the local mailbox. */
  account_id: string | null;
  to_name: string;
  to_address: string;
  locale: string;
  message_id: string;
  time_zone: string | null;
  /** What the subject names: a key by its comment, or a person. Null in rows of older releases. */
  about: string | null;
  /** The key that the notice tells of. */
  key_id: string | null;
  /** Encrypts the payload of this row alone; sealed itself, and null once sent: then no copy of the row opens. */
  row_key: string | null;
  /** What the template needs, as sealed JSON; it may hold a secret or a link. Null once sent. */
  sealed_payload: string | null;
  /** 0: somebody waits for it; 1: part of many, which may take their time. */
  priority: number;
  /** `pending`, `sent`, `failed` (given up) or `mailbox` (kept here: no SMTP server is set). */
  state: string;
  attempts: number;
  last_error: string | null;
  next_attempt_at: number;
  leased_until: number;
  created_at: number;
  done_at: number | null;
}

/** What was told of the expiry of a key: one row a key, of its present expiry. */
export interface KeyExpiryNoticesTable {
  key_id: string;
  workspace_id: string;
  expires_at: number;
  /** The shortest time before the expiry that was told; 0 once its end was told. */
  told_ahead_ms: number;
  told_at: number;
}

export interface EventsTable {
  id: string;
  workspace_id: string;
  type: string;
  /** The JSON that webhooks get, without any secret. */
  body: string;
  created_at: number;
  is_fanned_out: number;
}

export interface WebhooksTable {
  id: string;
  workspace_id: string;
  url: string;
  description: string;
  /** JSON; empty for all. */
  event_types: string;
  /** `active` or `disabled`. */
  state: string;
  /** `manual`, `gone` (the receiver said so) or `failures`. */
  disabled_reason: string | null;
  sealed_secret: string;
  sealed_old_secret: string | null;
  old_secret_until: number | null;
  created_at: number;
  created_by: string | null;
  updated_at: number;
  version: number;
}

export interface WebhookDeliveriesTable {
  id: string;
  workspace_id: string;
  webhook_id: string;
  event_id: string;
  event_type: string;
  /** `pending`, `sent` or `failed` (given up). */
  state: string;
  attempts: number;
  /** Those of `attempts` that were made before somebody had it sent anew; the pauses between tries begin again then. */
  attempts_before: number;
  last_attempt_at: number | null;
  last_status: number | null;
  /** A class, never a message. */
  last_error: string | null;
  next_attempt_at: number;
  leased_until: number;
  created_at: number;
  done_at: number | null;
}

export interface FeedLinksTable {
  id: string;
  workspace_id: string;
  account_id: string;
  /** `own` or `workspace`. */
  scope: string;
  token_digest: string;
  created_at: number;
  last_used_at: number | null;
}

export interface OneTimeLinksTable {
  id: string;
  workspace_id: string;
  purpose: string;
  token_digest: string;
  account_id: string | null;
  key_id: string | null;
  /** What the link hands out, sealed; null once opened. */
  sealed_payload: string | null;
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

export interface KeyQuotasTable {
  workspace_id: string;
  key_id: string;
  /** `key` or `account`: whose quota it is; each key counts for itself in both. */
  source: string;
  /** `hour`, `day`, `month` or `never`. */
  every: string;
  /** The number of the hour, day or month in which uses were last taken. */
  period: number;
  used: number;
  /** How many the last statement was given; it has no other way to tell. */
  given: number;
}

export interface KeyLastUsesTable {
  workspace_id: string;
  key_id: string;
  at: number;
  ip: string | null;
  user_agent: string | null;
}

export interface KeyRefusalsTable extends KeyLastUsesTable {
  reason: string;
  action: string | null;
}

export interface KeyCountsTable {
  workspace_id: string;
  key_id: string;
  action: string;
  outcome: string;
  count: number;
}
