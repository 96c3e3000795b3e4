import { hash } from 'node:crypto';
import { hasErrorCode } from '../../errors/index.ts';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { isIpInRanges } from '../../lib/ip-list.ts';
import { isSameDigest, sha256Hex } from '../../lib/mac.ts';
import { Secret } from '../../lib/secret.ts';
import type { Executor, Keyring, Storage } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import { type ApiKey, type Generation, isExpired, type KeyOutcome, toKeyIdentity } from './api-key.ts';
import {
  createKeyCache,
  type KeyCache,
  type KnownKey,
  type ProvenSecret,
  type RememberedAccount,
} from './key-cache.ts';
import { isSecretOf, lacksPepperOf, listForeignDigests } from './key-digest.ts';
import { hasFullKeyShape, type ParsedKey, parseFullKey, parsePair } from './key-format.ts';
import { findKey, findKeyByForeignDigests, prepareFindKey } from './keys.repo.ts';

const FOREIGN_CHARACTERS_MIN = 8;
const FOREIGN_CHARACTERS_MAX = 512;
const PEPPER_LOOK_PAUSE_MS = 1_000;

/** A key as it was presented: whole, or in two halves. */
export type PresentedKey =
  | { readonly fullKey: Secret }
  | { readonly apiKey: string; readonly secretKey: Secret };

export interface KeyAuthenticator {
  /**
   * Looks a presented key up and judges it: shape and checksum first (no database read), then one indexed
   * read by key id, then the secret in constant time. The precise reason is in the outcome only when the
   * secret was right; whoever hands it on decides who may see it.
   */
  authenticate(
    workspaceId: string,
    presented: PresentedKey,
    ip: string | null,
    exec?: Executor,
  ): Promise<KeyOutcome>;
  /** The same for a key whose secret was proven before: a token of one of its generations. */
  reassess(workspaceId: string, keyId: string, generation: number, ip: string | null): Promise<KeyOutcome>;
  /**
   * The plain case of `authenticate` without waiting: a key in our own form that is good and has no limits, from
   * memory or, where the storage can, by one read. Null for everything else, whatever it is: ask `authenticate`.
   *
   * @param epoch what the guard of the storage has told in this very turn
   */
  recognize(
    place: { readonly workspaceId: string; readonly epoch: number },
    presented: { readonly apiKey: string; readonly secretKey: string },
    ip: string | null,
  ): RecognizedKey | null;
  /**
   * As `recognize`, with or without limits, and tells what is certainly no key: whoever floods a service with made-up keys should cost it no
   * more than its clients do. A wrong secret is answered like an unknown key, on the same way.
   */
  recognizeOrMiss(
    place: { readonly workspaceId: string; readonly epoch: number },
    presented: { readonly apiKey: string; readonly secretKey: string },
    ip: string | null,
  ): RecognizedKey | 'malformed' | 'not_found' | null;
}

/** A key that is good. The objects stay the same as long as the key is kept in memory. */
export interface RecognizedKey {
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
  readonly keyEpoch: number;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly accounts: AccountsService;
  readonly onAlteredRow: (error: Error) => void;
}

const NOT_FOUND: KeyOutcome = { code: 'not_found' };

export function createKeyAuthenticator(deps: Deps): KeyAuthenticator {
  const { storage, clock, keyring, accounts } = deps;
  const cache = createKeyCache(storage.epochGuard);

  /** An altered row is refused like an unknown key; only the log and the operator learn of it. */
  const guard = async (find: () => Promise<ApiKey | null>): Promise<ApiKey | null> => {
    try {
      return await find();
    } catch (error) {
      if (!hasErrorCode(error, 'key.altered')) throw error;
      deps.onAlteredRow(error);
      return null;
    }
  };

  const withAccount = async (exec: Executor, key: ApiKey | null): Promise<KnownKey | null> => {
    if (key === null) return null;
    const account = await accounts.findIdentity(exec, key.workspaceId, key.accountId);
    return account === null ? null : toKnownKey(key, account);
  };

  /** Inside a transaction the key is always read: what the transaction has done itself is in no counter yet. */
  const findKnown = async (exec: Executor, workspaceId: string, keyId: string): Promise<KnownKey | null> => {
    const load = async () => withAccount(exec, await guard(() => findKey(exec, keyring, workspaceId, keyId)));
    // Stryker disable next-line ConditionalExpression: what is always read is as true, and later
    return await (exec === storage.read ? cache.find(workspaceId, keyId, load) : load());
  };

  const learnPeppers = createPepperLearner(keyring);
  const findForeign = (exec: Executor, workspaceId: string, credential: Secret): Promise<ApiKey | null> =>
    guard(async () => {
      const find = () => findForeignKey(exec, keyring, workspaceId, credential);
      const found = await find();
      // It may have been imported under a pepper that this process has not learned yet.
      // Stryker disable next-line ConditionalExpression, LogicalOperator: to look again finds the same
      return found === null && (await learnPeppers()) ? await find() : found;
    });

  return {
    authenticate: async (workspaceId, presented, ip, exec = storage.read) => {
      const parsed: ParsedKey | null =
        'fullKey' in presented
          ? parseFullKey(presented.fullKey)
          : parsePair(presented.apiKey, presented.secretKey);
      if (parsed === null) {
        const foreign =
          'fullKey' in presented ? await findForeign(exec, workspaceId, presented.fullKey) : null;
        // Without a digest it was revoked by its holder, and as unknown as any other text from then on. The index
        // keeps it, so that nobody imports it again.
        if (foreign === null || foreign.current.digest === '') return { code: 'malformed' };
        const known = await withAccount(exec, foreign);
        return known === null ? NOT_FOUND : judge(known, foreign.current, ip, clock.now());
      }
      const known = await findKnown(exec, workspaceId, parsed.apiKey);
      if (known === null) return NOT_FOUND;
      // Stryker disable next-line ConditionalExpression: no secret has the digest of a foreign credential either
      if (known.key.foreignDigest !== null) return NOT_FOUND;
      const { key } = known;
      // Stryker disable next-line ConditionalExpression: to learn peppers that are known changes nothing
      if (lacksPepperOf(keyring, key)) await keyring.refresh();
      const generation = [key.current, key.old].find(
        (one) => one !== null && isSecretOf(keyring, key, one, parsed.secretKey),
      );
      return generation == null ? NOT_FOUND : judge(known, generation, ip, clock.now());
    },
    reassess: async (workspaceId, keyId, generationNumber, ip) => {
      const known = await findKnown(storage.read, workspaceId, keyId);
      if (known === null) return NOT_FOUND;
      const generation = [known.key.current, known.key.old].find((one) => one?.number === generationNumber);
      if (generation == null || generation.digest === '') return NOT_FOUND;
      return judge(known, generation, ip, clock.now());
    },
    ...createRecognizer(deps, cache),
  };
}

/** Whoever floods a service with texts that are no keys makes it look once a second. */
function createPepperLearner(keyring: Keyring): () => Promise<boolean> {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    // Stryker disable next-line EqualityOperator, BooleanLiteral: an instant more; to look again finds the same
    if (performance.now() - lookedAtMs < PEPPER_LOOK_PAUSE_MS) return false;
    lookedAtMs = performance.now();
    return await keyring.refresh();
  };
}

async function findForeignKey(
  exec: Executor,
  keyring: Keyring,
  workspaceId: string,
  credential: Secret,
): Promise<ApiKey | null> {
  const text = credential.reveal().trim();
  const isTooOdd = text.length < FOREIGN_CHARACTERS_MIN || text.length > FOREIGN_CHARACTERS_MAX;
  if (isTooOdd || hasFullKeyShape(text)) return null;
  const digests = listForeignDigests(keyring, workspaceId, sha256Hex(text));
  return await findKeyByForeignDigests(exec, keyring, workspaceId, digests);
}

/** What is told of a key that was not found; nothing where the database must be asked, or the row was altered. */
const MISSES = { malformed: 'malformed', missing: 'not_found', altered: null, unasked: null } as const;

/** @see KeyAuthenticator.recognize */
function createRecognizer(
  deps: Deps,
  cache: KeyCache,
): Pick<KeyAuthenticator, 'recognize' | 'recognizeOrMiss'> {
  const { storage, clock, keyring, accounts } = deps;
  const findKeyNow = prepareFindKey(storage, keyring);
  const { findIdentityNow } = accounts;

  /** An altered row is left to `authenticate`, which reports it. */
  const loadNow =
    findKeyNow === null || findIdentityNow === null
      ? null
      : (workspaceId: string, keyId: string, rememberedAccount: RememberedAccount) => {
          const key = findIntact(() => findKeyNow(workspaceId, keyId));
          if (typeof key === 'string') return key;
          const account = rememberedAccount(key.accountId, () => findIdentityNow(workspaceId, key.accountId));
          return account === null ? 'missing' : toKnownKey(key, account);
        };

  const loadPresented = (
    workspaceId: string,
    epoch: number,
    apiKey: string,
    secretKey: string,
  ): KnownKey | keyof typeof MISSES => {
    if (isMalformed(apiKey, secretKey)) return 'malformed';
    // Stryker disable next-line ConditionalExpression, StringLiteral: only on PostgreSQL, where it is tested as well
    if (loadNow === null) return 'unasked';
    // Stryker disable next-line StringLiteral: whoever looks says what was missed
    let miss: keyof typeof MISSES = 'missing';
    const known = cache.findNow(workspaceId, epoch, apiKey, (rememberedAccount) => {
      const found = loadNow(workspaceId, apiKey, rememberedAccount);
      if (typeof found !== 'string') return found;
      miss = found;
      return null;
    });
    return known ?? miss;
  };

  const recognizeOrMiss: KeyAuthenticator['recognizeOrMiss'] = (
    { workspaceId, epoch },
    { apiKey, secretKey },
    ip,
  ) => {
    let known = cache.findNow(workspaceId, epoch, apiKey, null);
    // Stryker disable next-line ConditionalExpression: to look twice finds the same
    if (known === null) {
      const loaded = loadPresented(workspaceId, epoch, apiKey, secretKey);
      if (typeof loaded === 'string') return MISSES[loaded];
      known = loaded;
    }
    const { key, account } = known;
    // Stryker disable next-line ConditionalExpression: no secret has the digest of a foreign credential either
    const proven = key.foreignDigest === null ? proveSecret(keyring, known, secretKey) : null;
    if (proven === null) {
      if (isMalformed(apiKey, secretKey)) return 'malformed';
      return lacksPepperOf(keyring, key) ? null : 'not_found';
    }
    const presented = proven === known.provenCurrent ? key.current : key.old;
    // Stryker disable next-line ConditionalExpression: what was proven is there, which the compiler cannot know
    const isGood = presented !== null && codeOf(key, presented, account, ip, clock.now()) === 'valid';
    return isGood ? proven : null;
  };

  return {
    recognizeOrMiss,
    recognize: (place, presented, ip) => {
      const found = recognizeOrMiss(place, presented, ip);
      if (found === null || typeof found === 'string') return null;
      return found.key.limits === null && found.account.keyLimits === null ? found : null;
    },
  };
}

function isMalformed(apiKey: string, secretKey: string): boolean {
  return parsePair(apiKey, new Secret(secretKey)) === null;
}

function toKnownKey(key: ApiKey, account: AccountIdentity): KnownKey {
  return { key, account, provenCurrent: null, provenOld: null };
}

function findIntact(find: () => ApiKey | null): ApiKey | 'missing' | 'altered' {
  try {
    return find() ?? 'missing';
  } catch (error) {
    if (hasErrorCode(error, 'key.altered')) return 'altered';
    throw error;
  }
}

/**
 * The secret as one that was proven, by the HMAC when it comes for the first time. A wrong one is compared in a time
 * that does not depend on how wrong it is.
 */
function proveSecret(keyring: Keyring, known: KnownKey, secretKey: string): ProvenSecret | null {
  // As Latin-1, which `hash` knows by its older name: half the memory of a buffer, and none to make for comparing.
  // Stryker disable next-line StringLiteral: all spellings of a hash are the same for the same secret
  const sha256 = hash('sha256', secretKey, 'binary');
  const { key, provenCurrent, provenOld } = known;
  if (provenCurrent !== null && isSameDigest(sha256, provenCurrent.sha256)) return provenCurrent;
  if (provenOld !== null && isSameDigest(sha256, provenOld.sha256)) return provenOld;
  const prove = (generation: Generation): ProvenSecret | null =>
    isSecretOf(keyring, key, generation, new Secret(secretKey))
      ? {
          sha256,
          key: toKeyIdentity(key, generation),
          keyEpoch: key.epoch,
          account: known.account,
        }
      : null;
  // Stryker disable next-line ConditionalExpression: to prove once more gives the same, later
  if (provenCurrent === null) {
    known.provenCurrent = prove(key.current);
    if (known.provenCurrent !== null) return known.provenCurrent;
  }
  // Stryker disable next-line ConditionalExpression: to prove once more gives the same, later
  if (provenOld !== null || key.old === null) return null;
  known.provenOld = prove(key.old);
  return known.provenOld;
}

function judge(
  { key, account }: KnownKey,
  generation: Generation,
  ip: string | null,
  now: number,
): KeyOutcome {
  return {
    code: codeOf(key, generation, account, ip, now),
    key: toKeyIdentity(key, generation),
    keyEpoch: key.epoch,
    account,
  };
}

function codeOf(
  key: ApiKey,
  generation: Generation,
  account: AccountIdentity,
  ip: string | null,
  now: number,
): 'valid' | 'expired' | 'disabled' | 'account_disabled' | 'ip_not_allowed' {
  if (!account.isActive) return 'account_disabled';
  if (!key.isEnabled) return 'disabled';
  if (isExpired(generation.expiresAt, now)) return 'expired';
  // Without an address (a gateway that does not pass it on) a key with an allow list is refused: fail closed.
  // Stryker disable next-line ConditionalExpression: null is in no range either
  if (key.ipRanges.length > 0 && (ip === null || !isIpInRanges(ip, key.ipRanges))) return 'ip_not_allowed';
  return 'valid';
}
