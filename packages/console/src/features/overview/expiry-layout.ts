import { DAY_MS } from '../../format/dates.ts';

interface Days {
  readonly generatedAt: string;
  readonly noticeDays: number;
  readonly expiringByDay: readonly { readonly day: string; readonly count: number }[];
}

export interface ExpiryLayout {
  readonly width: number;
  /** The y of the line on which the squares stand. */
  readonly floor: number;
  readonly side: number;
  readonly total: number;
  /** How many keys one square stands for: 1, unless a day has more keys than fit. */
  readonly perSquare: number;
  readonly noticeWidth: number;
  readonly squares: readonly { readonly x: number; readonly y: number; readonly isNoticed: boolean }[];
  readonly ticks: readonly { readonly x: number; readonly day: string }[];
  /** The day on which unusually many keys stop, or null. */
  readonly cliff: {
    readonly x: number;
    readonly y: number;
    readonly day: string;
    readonly count: number;
  } | null;
}

const DAYS = 60;
const AXIS_HEIGHT = 26;
const HEAD_HEIGHT = 24;
const TICK_DAYS = 7;
const SIDE_MAX = 10;
const GAP = 2;
const CLIFF_MIN = 5;

const dayNumber = (day: string): number => Math.floor(Date.parse(`${day.slice(0, 10)}T00:00:00Z`) / DAY_MS);

/** Where the squares of the chart stand, in pixels; days are those of UTC, as the server counts them. */
export function layOutExpiry(value: Days, width: number, height: number): ExpiryLayout {
  const first = dayNumber(value.generatedAt);
  const step = width / (DAYS + 1);
  const side = Math.min(SIDE_MAX, Math.floor(step) - GAP);
  const floor = height - AXIS_HEIGHT;
  const rows = Math.floor((floor - HEAD_HEIGHT) / (side + GAP));
  const highest = Math.max(0, ...value.expiringByDay.map(({ count }) => count));
  const perSquare = Math.max(1, Math.ceil(highest / rows));
  const xOf = (index: number) => Math.round(index * step);
  const columns = value.expiringByDay.map(({ day, count }) => ({
    day: `${day}T12:00:00Z`,
    count,
    index: dayNumber(day) - first,
    squares: Math.ceil(count / perSquare),
  }));
  const yOf = (row: number) => floor - (row + 1) * (side + GAP);
  const [top] = columns.toSorted((a, b) => b.count - a.count);
  return {
    width,
    floor,
    side,
    total: value.expiringByDay.reduce((sum, { count }) => sum + count, 0),
    perSquare,
    noticeWidth: xOf(Math.min(DAYS, value.noticeDays + 1)),
    squares: columns.flatMap(({ index, squares }) =>
      Array.from({ length: squares }, (_, row) => ({
        x: xOf(index),
        y: yOf(row),
        isNoticed: index <= value.noticeDays,
      })),
    ),
    ticks: Array.from({ length: Math.ceil(DAYS / TICK_DAYS) }, (_, tick) => ({
      x: xOf(tick * TICK_DAYS) + (tick === 0 ? 0 : side / 2),
      day: new Date((first + tick * TICK_DAYS) * DAY_MS + DAY_MS / 2).toISOString(),
    })),
    cliff:
      top === undefined || top.count < CLIFF_MIN
        ? null
        : { x: xOf(top.index), y: yOf(top.squares - 1), day: top.day, count: top.count },
  };
}
