import { type Clock, HOUR_MS } from '../../lib/clock.ts';

export interface Use {
  readonly workspaceId: string;
  readonly keyId: string;
  /** What was asked for: of the question, or of our own route. Null when a credential was only looked at. */
  readonly action: string | null;
  /** `valid`, or the reason of a refusal. */
  readonly outcome: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface LastUse {
  readonly at: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export type Refusal = LastUse & { readonly reason: string; readonly action: string | null };

/** How often one thing came out in one hour (hours since 1970). */
export interface Tally {
  readonly hour: number;
  /** Empty when no action was asked for. */
  readonly action: string;
  readonly outcome: string;
  count: number;
}

/** All that was gathered of one key since the last flush. */
export interface KeyUse {
  readonly workspaceId: string;
  readonly keyId: string;
  readonly tallies: Tally[];
  lastUse: LastUse | null;
  firstRefusal: Refusal | null;
  lastRefusal: Refusal | null;
}

export interface Gathered {
  readonly keys: ReadonlyMap<string, KeyUse>;
  /** What counts for a workspace, and for no key, by workspace. */
  readonly workspaces: ReadonlyMap<string, readonly Tally[]>;
  /** Uses that found no room at all. */
  readonly lost: number;
}

/** No action has this name: actions have a colon. */
export const OTHER_ACTION = 'other';

/** Room for what may pile up while the store does not answer; a flush a second empties it otherwise. */
export interface UsageBounds {
  readonly keysMax: number;
  readonly talliesMax: number;
  readonly actionsPerKeyMax: number;
  readonly actionsMax: number;
}

export const USAGE_BOUNDS: UsageBounds = {
  keysMax: 100_000,
  talliesMax: 200_000,
  actionsPerKeyMax: 50,
  actionsMax: 100_000,
};

const ACTION_CHARACTERS_MAX = 64;
const HOURS_A_DAY = 24;

const NO_TALLIES: Tally[] = [];

/**
 * As `KeyUse`, with what makes the next call cheap. Most keys are asked one thing a second, and there may be many of
 * them: what is only needed for more is only made then, since even an empty map takes more than all the rest.
 */
class Gathering implements KeyUse {
  readonly workspaceId: string;
  readonly keyId: string;
  tallies = NO_TALLIES;
  latest: Tally | null = null;
  latestAction = '';
  usedAt = 0;
  ip: string | null = null;
  userAgent: string | null = null;
  firstRefusal: Refusal | null = null;
  lastRefusal: Refusal | null = null;
  #byAction: Map<string, Tally[]> | null = null;

  constructor(workspaceId: string, keyId: string) {
    this.workspaceId = workspaceId;
    this.keyId = keyId;
  }

  /** By action as it counts; few outcomes and hours each. */
  findTallies(action: string): readonly Tally[] | undefined {
    if (this.#byAction !== null) return this.#byAction.get(action);
    return this.tallies[0]?.action === action ? this.tallies : undefined;
  }

  push(tally: Tally): void {
    const { tallies } = this;
    if (tallies.length === 0) {
      this.tallies = [tally];
      return;
    }
    this.#byAction ??= new Map([[tallies[0]?.action ?? '', [...tallies]]]);
    tallies.push(tally);
    const ofAction = this.#byAction.get(tally.action);
    if (ofAction === undefined) this.#byAction.set(tally.action, [tally]);
    else ofAction.push(tally);
  }

  /** The action that was counted last as its owner shall read it, also when it only counts as `other`. */
  nameOf(action: string): string {
    return this.latestAction === action ? this.latestAction : toCopy(action.slice(0, ACTION_CHARACTERS_MAX));
  }

  get lastUse(): LastUse | null {
    return this.usedAt === 0 ? null : { at: this.usedAt, ip: this.ip, userAgent: this.userAgent };
  }
}

/**
 * What was used since the last flush, in bounded memory. It stands in the way of every verification: the same key
 * asked the same thing again makes no object and no text. Who may call may choose any action, so each key has so
 * many names a day and the process so many in all; the others count as `other`. Keys beyond the bound count for
 * their workspace only.
 */
export class UsageBuffer {
  readonly #clock: Clock;
  readonly #bounds: UsageBounds;
  #keys = new Map<string, Gathering>();
  #workspaces = new Map<string, Tally[]>();
  #tallyCount = 0;
  #lost = 0;
  #names = new Map<string, Map<string, string>>();
  #nameCount = 0;
  #namesDay = 0;

  constructor(clock: Clock, bounds: UsageBounds = USAGE_BOUNDS) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  add(use: Use): void {
    const { keyId, outcome } = use;
    const now = this.#clock.now();
    const hour = Math.floor(now / HOUR_MS);
    const known = this.#keys.get(keyId) ?? this.#admit(use);
    if (known === null || !this.#count(known, hour, use.action ?? '', outcome)) {
      this.addUnknown(use.workspaceId, outcome);
      return;
    }
    if (outcome === 'valid') {
      known.usedAt = now;
      known.ip = use.ip;
      known.userAgent = use.userAgent;
      return;
    }
    const action = use.action === null ? null : known.nameOf(use.action);
    known.lastRefusal = { at: now, ip: use.ip, userAgent: use.userAgent, reason: outcome, action };
    known.firstRefusal ??= known.lastRefusal;
  }

  /** Of no key: only for the workspace. */
  addUnknown(workspaceId: string, outcome: string): void {
    const hour = Math.floor(this.#clock.now() / HOUR_MS);
    let tallies = this.#workspaces.get(workspaceId);
    if (tallies === undefined) {
      if (this.#workspaces.size >= this.#bounds.keysMax) {
        this.#lost += 1;
        return;
      }
      tallies = [];
      this.#workspaces.set(workspaceId, tallies);
    }
    const tally = findTally(tallies, hour, outcome);
    if (tally === undefined) tallies.push({ hour, action: '', outcome, count: 1 });
    else tally.count += 1;
  }

  get(keyId: string): KeyUse | undefined {
    return this.#keys.get(keyId);
  }

  take(): Gathered {
    const taken = { keys: this.#keys, workspaces: this.#workspaces, lost: this.#lost };
    this.#keys = new Map();
    this.#workspaces = new Map();
    this.#tallyCount = 0;
    this.#lost = 0;
    return taken;
  }

  #admit({ workspaceId, keyId }: Use): Gathering | null {
    if (this.#keys.size >= this.#bounds.keysMax) return null;
    const key = new Gathering(workspaceId, keyId);
    this.#keys.set(keyId, key);
    return key;
  }

  #count(key: Gathering, hour: number, action: string, outcome: string): boolean {
    const { latest } = key;
    if (
      latest !== null &&
      latest.hour === hour &&
      latest.outcome === outcome &&
      key.latestAction === action
    ) {
      latest.count += 1;
      return true;
    }
    let tallies = key.findTallies(action);
    const name = tallies?.[0]?.action ?? this.#nameOf(key.keyId, action, hour);
    tallies ??= key.findTallies(name);
    let tally = tallies === undefined ? undefined : findTally(tallies, hour, outcome);
    if (tally === undefined) {
      if (this.#tallyCount >= this.#bounds.talliesMax) return false;
      this.#tallyCount += 1;
      tally = { hour, action: name, outcome, count: 0 };
      key.push(tally);
    }
    tally.count += 1;
    key.latest = tally;
    key.latestAction = name;
    return true;
  }

  /** The name that an action counts under today: its own as long as there is room. */
  #nameOf(keyId: string, action: string, hour: number): string {
    if (action === '') return action;
    const day = Math.floor(hour / HOURS_A_DAY);
    if (day !== this.#namesDay) {
      this.#names.clear();
      this.#nameCount = 0;
      this.#namesDay = day;
    }
    const names = this.#names.get(keyId);
    const known = names?.get(action);
    if (known !== undefined) return known;
    const hasRoom =
      action.length <= ACTION_CHARACTERS_MAX &&
      this.#nameCount < this.#bounds.actionsMax &&
      (names?.size ?? 0) < this.#bounds.actionsPerKeyMax;
    if (!hasRoom) return OTHER_ACTION;
    const copy = toCopy(action);
    if (names === undefined) this.#names.set(keyId, new Map([[copy, copy]]));
    else names.set(copy, copy);
    this.#nameCount += 1;
    return copy;
  }
}

/** A part of a request's address keeps the whole address in memory; a copy does not. */
function toCopy(text: string): string {
  return Buffer.from(text).toString();
}

function findTally(tallies: readonly Tally[], hour: number, outcome: string): Tally | undefined {
  for (const tally of tallies) if (tally.hour === hour && tally.outcome === outcome) return tally;
  return undefined;
}
