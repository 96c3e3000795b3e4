import { HOUR_MS } from '../../format/dates.ts';

export interface Verifications {
  readonly generatedAt: string;
  readonly hours: number;
  /** How long a point of the chart is; one hour without it, and days are those of UTC. */
  readonly bucketHours?: 24;
  readonly verifications: readonly {
    readonly hour: string;
    readonly accepted: number;
    readonly refused: number;
  }[];
}

export interface VerificationsLayout {
  readonly width: number;
  readonly left: number;
  readonly total: number;
  readonly accepted: number;
  readonly area: string;
  readonly curve: string;
  /** Null when nothing was refused. */
  readonly refusedCurve: string | null;
  readonly lines: readonly { readonly y: number; readonly count: number }[];
  readonly ticks: readonly { readonly x: number; readonly at: string }[];
}

const DAY_HOURS = 24;
const LEFT = 56;
const TOP = 8;
const BOTTOM = 28;
const TICKS_MAX = 8;
/** Room for the name of a day, with some air around it. */
const TICK_WIDTH = 76;
const HALF_NAME_WIDTH = 26;
const GRID_LINES = 4;

/** The next number of the row 1, 2, 5, 10, 20, … that is not smaller. */
export function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? 10 * power;
}

export function formatShare(accepted: number, total: number): string {
  // Rounded down: one refusal among a million shall not read as 100 %.
  return (Math.floor((accepted / total) * 10_000) / 100).toFixed(2).replace(/\.?0+$/, '');
}

/** The curves of the chart in pixels. Hours, or days, without a count had none. */
export function layOutVerifications(
  value: Verifications,
  width: number,
  height: number,
): VerificationsLayout {
  const { bucketHours = 1 } = value;
  const bucketMs = bucketHours * HOUR_MS;
  const count = value.hours / bucketHours;
  const last = Math.floor(Date.parse(value.generatedAt) / bucketMs);
  const first = last - count + 1;
  const byHour = new Map(
    value.verifications.map((each) => [Math.floor(Date.parse(each.hour) / bucketMs), each]),
  );
  const points = Array.from({ length: count }, (_, index) => {
    const { accepted = 0, refused = 0 } = byHour.get(first + index) ?? {};
    return { all: accepted + refused, refused };
  });
  const step = niceStep(Math.max(...points.map(({ all }) => all)) / GRID_LINES);
  const top = step * GRID_LINES;
  const floor = height - BOTTOM;
  const xOf = (index: number) => LEFT + (index / Math.max(1, points.length - 1)) * (width - LEFT - 4);
  const yOf = (each: number) => floor - (each / top) * (floor - TOP);
  const draw = (counts: readonly number[]) =>
    counts.map((each, index) => `${index === 0 ? 'M' : 'L'}${xOf(index).toFixed(1)} ${yOf(each).toFixed(1)}`);
  const curve = draw(points.map(({ all }) => all)).join('');
  const ticksMax = Math.min(TICKS_MAX, Math.max(1, Math.floor((width - LEFT) / TICK_WIDTH)));
  const hasRefusals = points.some(({ refused }) => refused > 0);
  return {
    width,
    left: LEFT,
    total: points.reduce((sum, { all }) => sum + all, 0),
    accepted: points.reduce((sum, { all, refused }) => sum + all - refused, 0),
    curve,
    area: `${curve}L${xOf(points.length - 1).toFixed(1)} ${floor}L${LEFT} ${floor}Z`,
    refusedCurve: hasRefusals ? draw(points.map(({ refused }) => refused)).join('') : null,
    lines: Array.from({ length: GRID_LINES + 1 }, (_, line) => ({ y: yOf(line * step), count: line * step })),
    ticks: (bucketHours === 1 ? findTicks(first, count, ticksMax) : findDayTicks(first, count, ticksMax))
      .map((bucket) => ({ x: xOf(bucket - first), at: new Date(bucket * bucketMs).toISOString() }))
      .filter(({ x }) => x <= width - HALF_NAME_WIDTH),
  };
}

/** Round hours of the person's own day: midnights, or every few hours of a single day. */
function findTicks(first: number, hours: number, ticksMax: number): number[] {
  const all = Array.from({ length: hours }, (_, index) => first + index);
  const localTime = (hour: number) => new Date(hour * HOUR_MS);
  if (hours <= DAY_HOURS) {
    const every = ticksMax * 4 >= hours ? 4 : 12;
    return all.filter((hour) => localTime(hour).getHours() % every === 0);
  }
  // Where summer time begins or ends at midnight, a day begins at one o'clock, or has the hour of midnight twice.
  const days = all.filter((hour) => localTime(hour).getDate() !== localTime(hour - 1).getDate());
  const every = Math.ceil(days.length / ticksMax);
  return days.filter((_hour, index) => index % every === 0);
}

/** Some days at equal distances; those at the edges would be cut off. */
function findDayTicks(first: number, days: number, ticksMax: number): number[] {
  const every = Math.ceil(days / ticksMax);
  return Array.from({ length: Math.floor(days / every) }, (_, index) => first + every * index + (every >> 1));
}
