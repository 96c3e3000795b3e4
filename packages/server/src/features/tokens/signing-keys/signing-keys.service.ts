import { type Caller, readCursor, systemCaller, type Workspace } from '../../../http/index.ts';
import { type Clock, DAY_MS } from '../../../lib/clock.ts';
import { type Page, toPage } from '../../../lib/page.ts';
import type { SigningKeysTable, Storage } from '../../../storage/index.ts';
import type { SettingsService } from '../../settings/index.ts';
import type { SigningAlgorithm } from '../token-text.ts';
import { findSigningRow, isRetired } from './key-changes.ts';
import { signingKeyErrors } from './signing-keys.errors.ts';
import {
  findSigningKey,
  listLiveSigningKeys,
  listNewestActivations,
  listSigningKeys,
} from './signing-keys.repo.ts';
import type { SigningKeys } from './signing-keys.ts';

/** A signing key as its administrators see it. Times in milliseconds. */
export interface SigningKeyView {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly state: 'signing' | 'waiting' | 'verifying' | 'retired';
  readonly createdAt: number;
  readonly activatesAt: number;
  /** When its successor is published; null for a key that has one or signs no more. */
  readonly rotatesAt: number | null;
  readonly retiresAt: number | null;
}

export interface SigningKeysService {
  /** The signing keys of the workspace, those retired in the last 30 days too; newest first. */
  list(caller: Caller, page: { limit: number; cursor?: string | undefined }): Promise<Page<SigningKeyView>>;
  /** Publishes a successor, which signs after 20 minutes. @throws signing_key.successor_waiting */
  rotate(caller: Caller): Promise<SigningKeyView>;
  /**
   * Ends a key and its tokens at once; a successor signs at once.
   *
   * @throws request.not_found, signing_key.already_retired
   */
  retire(
    caller: Caller,
    kid: string,
  ): Promise<{ readonly retired: SigningKeyView; readonly signing: SigningKeyView }>;
  /** Publishes a successor of each key that has signed for the days that its workspace allows. For a job. */
  rotateDue(signal: AbortSignal): Promise<void>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly settings: SettingsService;
  readonly signingKeys: SigningKeys;
  readonly workspaces: { findById(id: string): Promise<Workspace | null> };
}

function toView(
  row: SigningKeysTable,
  signerKid: string | undefined,
  now: number,
  periodDays: number,
): SigningKeyView {
  const stateOf = (): SigningKeyView['state'] => {
    if (isRetired(row, now)) return 'retired';
    if (row.kid === signerKid) return 'signing';
    return row.activates_at > now ? 'waiting' : 'verifying';
  };
  return {
    kid: row.kid,
    algorithm: row.algorithm as SigningAlgorithm,
    state: stateOf(),
    createdAt: row.created_at,
    activatesAt: row.activates_at,
    rotatesAt: row.retires_at === null ? row.activates_at + periodDays * DAY_MS : null,
    retiresAt: row.retires_at,
  };
}

/** @see SigningKeysService */
export function createSigningKeysService(deps: Deps): SigningKeysService {
  const { storage, clock, settings, signingKeys, workspaces } = deps;

  const presenter = async (workspaceId: string) => {
    const now = clock.now();
    const { signingKeyDays } = await settings.get(workspaceId);
    const signer = findSigningRow(await listLiveSigningKeys(storage.read, workspaceId, now), now);
    return (row: SigningKeysTable) => toView(row, signer?.kid, now, signingKeyDays);
  };

  const view = async (workspaceId: string, kid: string): Promise<SigningKeyView> => {
    const row = await findSigningKey(storage.read, workspaceId, kid);
    if (row === undefined) throw new Error(`The signing key ${kid} was just there.`);
    return (await presenter(workspaceId))(row);
  };

  return {
    list: async ({ workspace }, { limit, cursor }) => {
      const rows = await listSigningKeys(storage.read, workspace.id, readCursor(cursor, [0, '']), limit + 1);
      const page = toPage(rows, limit, (row) => [row.activates_at, row.kid]);
      const present = await presenter(workspace.id);
      return { items: page.items.map(present), nextCursor: page.nextCursor };
    },
    rotate: async (caller) => {
      const { signingAlgorithm } = await settings.get(caller.workspace.id);
      const kid = await signingKeys.rotate(caller, signingAlgorithm);
      if (kid === null) throw signingKeyErrors.successor_waiting();
      return await view(caller.workspace.id, kid);
    },
    retire: async (caller, kid) => {
      const { signingAlgorithm } = await settings.get(caller.workspace.id);
      const signer = await signingKeys.retireAtOnce(caller, kid, signingAlgorithm);
      return {
        retired: await view(caller.workspace.id, kid),
        signing: await view(caller.workspace.id, signer),
      };
    },
    rotateDue: async (signal) => {
      for (const { workspaceId, activatesAt } of await listNewestActivations(storage.read)) {
        if (signal.aborted) return;
        const { signingKeyDays, signingAlgorithm } = await settings.get(workspaceId);
        if (activatesAt + signingKeyDays * DAY_MS > clock.now()) continue;
        const workspace = await workspaces.findById(workspaceId);
        if (workspace !== null)
          await signingKeys.rotate(systemCaller(workspace, 'signing keys'), signingAlgorithm);
      }
    },
  };
}
