import { systemCaller, type Workspace } from '../../http/index.ts';
import { type Clock, DAY_MS } from '../../lib/clock.ts';
import { nextTurn, restAfter } from '../../lib/turns.ts';
import { type Executor, inTransaction, type Keyring, type Storage, type Tx } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import type { SettingsService } from '../settings/index.ts';
import type { WorkspacesService } from '../workspaces/index.ts';
import type { ApiKey } from './api-key.ts';
import { EXPIRED_STEP, findDueStep } from './expiry-steps.ts';
import { type ExpiringRow, listExpiring, rememberTold } from './key-notices.repo.ts';
import { type KeyNotices, toToldKey } from './key-notices.ts';
import { findIntactKey } from './keys.repo.ts';
import type { UsageRecorder } from './usage.ts';

/** What stops with a key: the first of the packages or actions, and how many there are. */
export interface KeyStops {
  readonly stops: readonly string[];
  readonly count: number;
}

/** Told by the gallery, which knows the packages; this feature may not import it. */
export type FindKeyStops = (exec: Executor, key: ApiKey) => Promise<KeyStops>;

export interface ExpirySweep {
  /**
   * Tells of keys that are about to stop or have stopped: by mail and event, once for each key, expiry and step,
   * however often and from however many processes it is called. Catches up after a time in which nobody called.
   * Returns how many keys it told of.
   *
   * @throws Error at the end, when something kept it from telling of some keys; the others are told of
   */
  run(signal?: AbortSignal): Promise<number>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly settings: SettingsService;
  readonly accounts: AccountsService;
  readonly workspaces: WorkspacesService;
  readonly keyNotices: KeyNotices;
  readonly usage: UsageRecorder;
  readonly findStops: () => FindKeyStops;
}

/** Whoever was down longer than this is not told of what stopped before: nobody waits for that any more. */
const CATCH_UP_MS = 30 * DAY_MS;
const WORKSPACES_PER_PAGE = 100;
/** Some milliseconds of one turn among ten million keys. */
const PAGE_ROWS = 50;
/** Keys told of in one transaction. On SQLite nobody else has the event loop until it is over. */
const BATCH_KEYS = 10;

/** What went wrong on the way: one key or workspace must not keep the others from being told of. */
class Faults {
  #count = 0;
  #first: { readonly of: string; readonly error: unknown } | null = null;

  add(of: string, error: unknown): void {
    this.#count += 1;
    this.#first ??= { of, error };
  }

  throwIfAny(): void {
    if (this.#first === null) return;
    const { of, error } = this.#first;
    throw new Error(`${this.#count} could not be told of; the first of them is ${of}`, { cause: error });
  }
}

class Sweep implements ExpirySweep {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async run(signal?: AbortSignal): Promise<number> {
    const faults = new Faults();
    let count = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#deps.workspaces.list({ limit: WORKSPACES_PER_PAGE, cursor });
      for (const { workspace } of page.items) {
        if (signal?.aborted === true) break;
        try {
          count += await this.#sweepWorkspace(workspace, faults, signal);
        } catch (error) {
          faults.add(workspace.id, error);
        }
      }
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    faults.throwIfAny();
    return count;
  }

  async #sweepWorkspace(
    workspace: Workspace,
    faults: Faults,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { storage, clock, settings } = this.#deps;
    const { expiryNoticeDays } = await settings.get(workspace.id);
    const now = clock.now();
    const aheadMs = Math.max(0, ...expiryNoticeDays) * DAY_MS;
    const window = { workspaceId: workspace.id, after: now - CATCH_UP_MS, upTo: now + aheadMs };
    const isStopped = () => signal?.aborted === true;
    let from = { expiresAt: window.after, id: '' };
    let count = 0;
    for (;;) {
      const startedAtMs = performance.now();
      const rows = await listExpiring(storage.read, window, from, PAGE_ROWS);
      await restAfter(performance.now() - startedAtMs, signal);
      const due = rows.filter((row) => findDueStep(row, expiryNoticeDays, row.told, now) !== null);
      for (let start = 0; start < due.length && !isStopped(); start += BATCH_KEYS)
        count += await this.#tellSome(
          workspace,
          due.slice(start, start + BATCH_KEYS),
          expiryNoticeDays,
          faults,
        );
      from = rows.at(-1) ?? from;
      if (rows.length < PAGE_ROWS || isStopped()) return count;
    }
  }

  /** Together, or one by one when one of them is in the way. */
  async #tellSome(
    workspace: Workspace,
    rows: readonly ExpiringRow[],
    noticeDays: readonly number[],
    faults: Faults,
  ): Promise<number> {
    await nextTurn();
    try {
      return await this.#tell(workspace, rows, noticeDays);
    } catch (error) {
      if (rows.length === 1) {
        faults.add(rows.map(({ id }) => id).join(), error);
        return 0;
      }
    }
    let count = 0;
    for (const row of rows) count += await this.#tellSome(workspace, [row], noticeDays, faults);
    return count;
  }

  async #tell(
    workspace: Workspace,
    rows: readonly ExpiringRow[],
    noticeDays: readonly number[],
  ): Promise<number> {
    const { storage, usage } = this.#deps;
    const lastUses = await usage.findLastUses(
      workspace.id,
      rows.map((row) => row.id),
    );
    return await inTransaction(storage, async (tx) => {
      let count = 0;
      for (const row of rows)
        if (await this.#tellOne(tx, workspace, row, noticeDays, lastUses.get(row.id) ?? null)) count += 1;
      return count;
    });
  }

  async #tellOne(
    tx: Tx,
    workspace: Workspace,
    row: ExpiringRow,
    noticeDays: readonly number[],
    lastUse: { at: number; ip: string | null; userAgent: string | null } | null,
  ): Promise<boolean> {
    const { clock, keyring, accounts, keyNotices, findStops } = this.#deps;
    const now = clock.now();
    const step = findDueStep(row, noticeDays, row.told, now);
    const key = await findIntactKey(tx, keyring, workspace.id, row.id);
    // It may have been regenerated, disabled or deleted since the page was read.
    if (step === null || key === null || !key.isEnabled || key.current.expiresAt !== row.expiresAt)
      return false;
    const account = await accounts.find(tx, workspace.id, key.accountId);
    if (account === null || !account.isActive) return false;
    const told = { keyId: key.id, workspaceId: workspace.id, expiresAt: row.expiresAt, aheadMs: step };
    if (!(await rememberTold(tx, { ...told, toldAt: now }))) return false;
    const { stops, count } = await findStops()(tx, key);
    await keyNotices.tellStop(tx, systemCaller(workspace, 'expiry'), toToldKey(key), account, {
      action: step === EXPIRED_STEP ? 'key.expired' : 'key.expiring',
      stops,
      stopsCount: count,
      lastUse,
    });
    return true;
  }
}

/** @see ExpirySweep */
export function createExpirySweep(deps: Deps): ExpirySweep {
  return new Sweep(deps);
}
