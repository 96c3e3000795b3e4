import { hash } from 'node:crypto';
import type { ApiKey } from '../packages/server/src/features/keys/api-key.ts';
import { digestForeign, digestSecret } from '../packages/server/src/features/keys/key-digest.ts';
import { checksumOf, toFullKey } from '../packages/server/src/features/keys/key-format.ts';
import { toKeyRow } from '../packages/server/src/features/keys/keys.repo.ts';
import { BASE62_DIGITS } from '../packages/server/src/lib/base62.ts';
import { DAY_MS } from '../packages/server/src/lib/clock.ts';
import { Secret } from '../packages/server/src/lib/secret.ts';
import type {
  AccountsTable,
  ApiKeysTable,
  AuditTable,
  Keyring,
} from '../packages/server/src/storage/index.ts';

/** What decides every row: the same plan always gives the same rows, keys and secrets. */
export interface SeedPlan {
  readonly seed: string;
  readonly workspaceId: string;
  readonly keys: number;
  readonly accounts: number;
  /** The moment that all times are reckoned from, in milliseconds. */
  readonly now: number;
}

/** A key as its holder knows it. */
export interface SeededKey {
  readonly id: string;
  readonly accountId: string;
  readonly fullKey: string;
  /** Enabled, not expired, and of an enabled account. */
  readonly works: boolean;
}

export type Row = Readonly<Record<string, string | number | null>>;

const POSITION_CHARACTERS = 6;
const POSITIONS = 62 ** POSITION_CHARACTERS;
const ID_TAIL_CHARACTERS = 10;
const SECRET_CHARACTERS = 43;
const ACCOUNT_TAIL_CHARACTERS = 14;
const SCOPES = [
  [{ actions: ['package:push'], resources: ['Acme.*'] }],
  [{ actions: ['package:push', 'package:unlist'], resources: ['Acme.Billing.*', 'Acme.Data.*'] }],
  [{ actions: ['report:read'], resources: ['report/*'] }],
  [
    { actions: ['order:read', 'order:write'], resources: ['eu/*', 'jp/*'] },
    { actions: ['report:read'], resources: ['*'] },
  ],
];
const PURPOSES = ['build server', 'nightly import', 'mobile app', 'partner', 'reports', 'laptop'];
const LIFETIMES_DAYS = [90, 180, 365, 365, 365, 365, 365, 365, 730, 730];
const AGE_DAYS = 300;
const DISABLED_PERCENT = 3;
const SCOPED_PERCENT = 60;
/** Of a thousand keys: those that were imported from elsewhere, and those of them that never stop. */
const FOREIGN_PER_MILLE = 20;
const ENDLESS_PER_MILLE = 5;
const ACCOUNT_DISABLED_PERCENT = 2;
const SERVICE_ACCOUNT_EVERY = 10;

// URL-safe base64 has two signs that keys have not.
function hashCharacters(text: string): string {
  return hash('sha512', text, 'base64url').replaceAll('-', '7').replaceAll('_', 'q');
}

/** A number from 0 up to `below`, out of four characters of a hash. */
function numberAt(characters: string, at: number, below: number): number {
  return Number.parseInt(hash('md5', characters.slice(at, at + 12), 'hex').slice(0, 8), 16) % below;
}

/** Ids grow with the index: rows that come in the order of their ids are stored many times faster. */
function orderedId(prefix: string, index: number, count: number, tail: string): string {
  let rest = Math.floor((index * POSITIONS) / count);
  let position = '';
  while (position.length < POSITION_CHARACTERS) {
    position = `${BASE62_DIGITS[rest % 62] ?? ''}${position}`;
    rest = Math.floor(rest / 62);
  }
  return `${prefix}_${position}${tail}`;
}

export function accountIdAt({ seed, accounts }: SeedPlan, index: number): string {
  const tail = hashCharacters(`${seed}/account/${index}`).slice(0, ACCOUNT_TAIL_CHARACTERS);
  return orderedId('acc', index, accounts, tail);
}

function isAccountActive(index: number): boolean {
  // The first one signs in as a member.
  return index === 0 || (index * 7_919) % 100 >= ACCOUNT_DISABLED_PERCENT;
}

export function isServiceAccount(index: number): boolean {
  return index % SERVICE_ACCOUNT_EVERY === SERVICE_ACCOUNT_EVERY - 1;
}

/** Account 0 is a user who may sign in with the password behind `passwordHash`. */
export function accountRowAt(plan: SeedPlan, index: number, passwordHash: string): AccountsTable {
  const isService = isServiceAccount(index);
  const login = isService ? `program-${index}` : `user-${index}@example.com`;
  const createdAt = plan.now - AGE_DAYS * DAY_MS - ((index * 104_729) % (AGE_DAYS * 1_000)) * 1_000;
  return {
    id: accountIdAt(plan, index),
    workspace_id: plan.workspaceId,
    kind: isService ? 'service' : 'user',
    state: isAccountActive(index) ? 'active' : 'disabled',
    disabled_reason: null,
    role: isService ? null : 'member',
    email: isService ? null : login,
    email_lower: isService ? null : login,
    display_name: `${isService ? 'Program' : 'Person'} ${(index * 7_919) % plan.accounts}`,
    first_name: null,
    last_name: null,
    login_lower: login,
    technical_name: isService ? login : null,
    description: null,
    locale: 'en',
    time_zone: null,
    muted_notices: '[]',
    tags: '[]',
    grants: JSON.stringify([{ actions: ['package:*', 'report:*', 'order:*'], resources: ['*'] }]),
    key_limits: null,
    password_hash: index === 0 ? passwordHash : null,
    password_changed_at: index === 0 ? createdAt : null,
    epoch: 1,
    version: 1,
    last_seen_at: null,
    created_at: createdAt,
    created_by: null,
    updated_at: createdAt,
  };
}

/** The characters that all of a key is made of: its id, its secret, and by chance its age, rights and state. */
function charactersOf({ seed }: SeedPlan, index: number): string {
  return hashCharacters(`${seed}/key/${index}`);
}

interface Life {
  readonly id: string;
  readonly accountIndex: number;
  readonly createdAt: number;
  readonly lifetimeDays: number | null;
  readonly expiresAt: number | null;
  readonly isEnabled: boolean;
  readonly isForeign: boolean;
}

function lifeAt(plan: SeedPlan, index: number, characters: string): Life {
  const lot = numberAt(characters, 0, 1_000);
  const isForeign = lot < FOREIGN_PER_MILLE;
  const createdAt = plan.now - 1 - numberAt(characters, 12, AGE_DAYS * 86_400) * 1_000;
  const days = LIFETIMES_DAYS[numberAt(characters, 24, LIFETIMES_DAYS.length)] ?? 365;
  return {
    id: orderedId('kr', index, plan.keys, characters.slice(0, ID_TAIL_CHARACTERS)),
    // Keys that follow each other belong to different accounts, as in life.
    accountIndex: index % plan.accounts,
    createdAt,
    lifetimeDays: isForeign ? null : days,
    expiresAt: lot < ENDLESS_PER_MILLE ? null : createdAt + days * DAY_MS,
    isEnabled: numberAt(characters, 36, 100) >= DISABLED_PERCENT,
    isForeign,
  };
}

function secretOf(id: string, characters: string): Secret {
  const secret43 = characters.slice(-SECRET_CHARACTERS);
  return new Secret(`${secret43}${checksumOf(id, secret43)}`);
}

/**
 * The full key of any index. Foreign credentials have none of their own: their key is `imported-<id>`.
 *
 * @param at The moment, in milliseconds, at which it works or not; default that of the seeding
 */
export function seededKeyAt(plan: SeedPlan, index: number, at: number = plan.now): SeededKey {
  const characters = charactersOf(plan, index);
  const life = lifeAt(plan, index, characters);
  const { id, accountIndex, expiresAt } = life;
  return {
    id,
    accountId: accountIdAt(plan, accountIndex),
    fullKey: life.isForeign ? `imported-${id}` : toFullKey(id, secretOf(id, characters)).reveal(),
    works: life.isEnabled && (expiresAt ?? at + 1) > at && isAccountActive(accountIndex),
  };
}

export interface KeyRows {
  readonly key: ApiKeysTable;
  readonly lastUse: Row | null;
  readonly hours: readonly Row[];
  /** Present when the expiry sweep would have something to tell of it. */
  readonly told: Row | null;
}

const NOTICE_MS = 10 * DAY_MS;
const CATCH_UP_MS = 31 * DAY_MS;
const USED_PERCENT = 50;
const COUNTED_PERCENT = 2;
const HOUR_MS = 3_600_000;

/** All rows that a key leaves in the database, with real digests and a real MAC. */
export function keyRowsAt(plan: SeedPlan, keyring: Keyring, index: number): KeyRows {
  const { now, workspaceId } = plan;
  const characters = charactersOf(plan, index);
  const { id, accountIndex, ...life } = lifeAt(plan, index, characters);
  const accountId = accountIdAt(plan, accountIndex);
  const place = { workspaceId, keyId: id, generation: 1 };
  const foreign = life.isForeign
    ? digestForeign(keyring, workspaceId, hash('sha256', `imported-${id}`, 'hex'))
    : null;
  const stored = foreign ?? digestSecret(keyring, place, secretOf(id, characters));
  const lot = numberAt(characters, 48, 100);
  const isScoped = lot < SCOPED_PERCENT && !life.isForeign;
  const key: ApiKey = {
    id,
    workspaceId,
    accountId,
    ownerId: accountId,
    comment: `${PURPOSES[index % PURPOSES.length] ?? ''} ${index}`,
    access: life.isForeign ? 'full' : isScoped ? 'scoped' : 'account',
    scopes: isScoped ? (SCOPES[index % SCOPES.length] ?? []) : [],
    lifetimeDays: life.lifetimeDays,
    createdAt: life.createdAt,
    createdBy: accountId,
    renewedAt: null,
    updatedAt: life.createdAt,
    isEnabled: life.isEnabled,
    disabledReason: null,
    disabledAt: life.isEnabled ? null : life.createdAt,
    current: { number: 1, ...stored, expiresAt: life.expiresAt },
    old: null,
    ipRanges: [],
    limits: null,
    foreignDigest: foreign?.digest ?? null,
    epoch: 1,
    version: 1,
  };
  const usedAt = lot < USED_PERCENT ? now - numberAt(characters, 60, 200 * 86_400) * 1_000 : 0;
  const { expiresAt } = life;
  const isNews =
    life.isEnabled && expiresAt !== null && expiresAt > now - CATCH_UP_MS && expiresAt <= now + NOTICE_MS;
  return {
    key: toKeyRow(keyring, key),
    lastUse:
      usedAt > life.createdAt
        ? { workspace_id: workspaceId, key_id: id, at: usedAt, ip: '192.0.2.7', user_agent: 'bench/1.0' }
        : null,
    hours:
      lot < COUNTED_PERCENT
        ? [0, 1, 2].map((ago) => ({
            workspace_id: workspaceId,
            key_id: id,
            hour: Math.floor(now / HOUR_MS) - ago,
            action: 'report:read',
            outcome: ago === 2 ? 'ip_not_allowed' : 'valid',
            count: 100 + lot,
          }))
        : [],
    told: isNews
      ? { key_id: id, workspace_id: workspaceId, expires_at: expiresAt, told_ahead_ms: 0, told_at: now }
      : null,
  };
}

const AUDIT_ACTIONS = ['key.created', 'key.updated', 'key.regenerated', 'key.disabled', 'session.started'];

/** What happened to the keys, one event after the other. */
export function auditRowAt(
  plan: SeedPlan,
  index: number,
  count: number,
): Omit<AuditTable, 'seq' | 'number' | 'form' | 'previous_hash' | 'hash' | 'mac'> {
  const keyIndex = (index * 104_729) % plan.keys;
  const { id } = lifeAt(plan, keyIndex, charactersOf(plan, keyIndex));
  const accountId = accountIdAt(plan, keyIndex % plan.accounts);
  return {
    workspace_id: plan.workspaceId,
    at: plan.now - Math.floor(((count - index) / count) * AGE_DAYS * DAY_MS),
    action: AUDIT_ACTIONS[index % AUDIT_ACTIONS.length] ?? '',
    actor_kind: 'session',
    actor_id: accountId,
    actor_name: `user-${keyIndex % plan.accounts}@example.com`,
    actor_key_id: null,
    target_kind: 'key',
    target_id: id,
    target_name: null,
    account_id: accountId,
    key_id: id,
    ip: '192.0.2.7',
    user_agent: 'bench/1.0',
    request_id: null,
    detail: '{}',
  };
}
