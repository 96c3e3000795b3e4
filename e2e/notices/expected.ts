import { DAY_MS } from '@keyreeve/server';

/** A key as somebody with pencil and calendar keeps track of it. */
export interface WalkedKey {
  readonly id: string;
  startedAt: number;
  expiresAt: number;
  isEnabled: boolean;
  isGone: boolean;
  /** What was told of the present expiry: days before it, `half` or `end`. */
  told: Set<string>;
}

/** The notes on the calendar before the expiry of a key, the earliest first. */
function notesOf(key: WalkedKey, noticeDays: readonly number[]): { name: string; at: number }[] {
  const life = key.expiresAt - key.startedAt;
  const days = noticeDays.filter((day) => day * DAY_MS < life).toSorted((a, b) => b - a);
  const before = days.map((day) => ({ name: String(day), at: key.expiresAt - day * DAY_MS }));
  const half = { name: 'half', at: key.expiresAt - Math.floor(life / 2) };
  return [
    ...(before.length > 0 || noticeDays.length === 0 ? before : [half]),
    { name: 'end', at: key.expiresAt },
  ];
}

/**
 * What a look at the calendar at `now` brings for a key: the newest note that has come, if it was not told, and
 * nothing of keys that are off, gone, or over for a month.
 */
export function lookAt(
  key: WalkedKey,
  noticeDays: readonly number[],
  now: number,
): 'key.expiring' | 'key.expired' | null {
  if (key.isGone || !key.isEnabled || key.expiresAt <= now - 30 * DAY_MS) return null;
  const notes = notesOf(key, noticeDays);
  const come = notes.filter((note) => note.at <= now);
  const newest = come.at(-1);
  if (newest === undefined || key.told.has(newest.name)) return null;
  for (const note of come) key.told.add(note.name);
  return newest.name === 'end' ? 'key.expired' : 'key.expiring';
}
