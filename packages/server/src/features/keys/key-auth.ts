import { hasErrorCode } from '../../errors/index.ts';
import type { AccountIdentity } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { isIpInRanges } from '../../lib/ip-list.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Executor, Keyring, Storage } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import { type ApiKey, type Generation, isExpired, type KeyOutcome, toKeyIdentity } from './api-key.ts';
import { digestForeignCredential, isSecretOf } from './key-digest.ts';
import { hasFullKeyShape, type ParsedKey, parseFullKey, parsePair } from './key-format.ts';
import { findKey, findKeyByForeignDigest } from './keys.repo.ts';

const FOREIGN_CHARACTERS_MIN = 8;
const FOREIGN_CHARACTERS_MAX = 512;

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

  const judge = async (
    exec: Executor,
    key: ApiKey,
    generation: Generation,
    ip: string | null,
  ): Promise<KeyOutcome> => {
    const account = await accounts.findIdentity(exec, key.workspaceId, key.accountId);
    if (account === null) return NOT_FOUND;
    return {
      code: codeOf(key, generation, account, ip, clock.now()),
      key: toKeyIdentity(key, generation),
      keyEpoch: key.epoch,
      account,
    };
  };

  const findForeign = async (
    exec: Executor,
    workspaceId: string,
    credential: Secret,
  ): Promise<ApiKey | null> => {
    const text = credential.reveal().trim();
    if (text.length < FOREIGN_CHARACTERS_MIN || text.length > FOREIGN_CHARACTERS_MAX || hasFullKeyShape(text))
      return null;
    return await guard(() =>
      findKeyByForeignDigest(
        exec,
        keyring,
        workspaceId,
        digestForeignCredential(keyring, workspaceId, credential),
      ),
    );
  };

  return {
    authenticate: async (workspaceId, presented, ip, exec = storage.read) => {
      const parsed: ParsedKey | null =
        'fullKey' in presented
          ? parseFullKey(presented.fullKey)
          : parsePair(presented.apiKey, presented.secretKey);
      if (parsed === null) {
        const foreign =
          'fullKey' in presented ? await findForeign(exec, workspaceId, presented.fullKey) : null;
        return foreign === null ? { code: 'malformed' } : await judge(exec, foreign, foreign.current, ip);
      }
      const key = await guard(() => findKey(exec, keyring, workspaceId, parsed.apiKey));
      if (key === null || key.foreignDigest !== null) return NOT_FOUND;
      const generation = [key.current, key.old].find(
        (one) => one !== null && isSecretOf(keyring, key, one, parsed.secretKey),
      );
      return generation == null ? NOT_FOUND : await judge(exec, key, generation, ip);
    },
    reassess: async (workspaceId, keyId, generationNumber, ip) => {
      const key = await guard(() => findKey(storage.read, keyring, workspaceId, keyId));
      const generation = [key?.current, key?.old].find((one) => one?.number === generationNumber);
      if (key === null || generation == null || generation.digest === '') return NOT_FOUND;
      return await judge(storage.read, key, generation, ip);
    },
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
  if (key.ipRanges.length > 0 && (ip === null || !isIpInRanges(ip, key.ipRanges))) return 'ip_not_allowed';
  return 'valid';
}
