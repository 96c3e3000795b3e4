import { HOUR_MS } from '../../format/dates.ts';

interface Hours {
  readonly generatedAt: string;
  readonly hours: number;
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
const GRID_LINES = 4;

/** The next number of the row 1, 2, 5, 10, 20, … that is not smaller. */
export function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? 10 * power;
}

/** The curves of the chart in pixels. Hours without a count had none. */
export function layOutVerifications(value: Hours, width: number, height: number): VerificationsLayout {
  const last = Math.floor(Date.parse(value.generatedAt) / HOUR_MS);
  const first = last - value.hours + 1;
  const byHour = new Map(
    value.verifications.map((each) => [Math.floor(Date.parse(each.hour) / HOUR_MS), each]),
  );
  const points = Array.from({ length: value.hours }, (_, index) => {
    const { accepted = 0, refused = 0 } = byHour.get(first + index) ?? {};
    return { all: accepted + refused, refused };
  });
  const step = niceStep(Math.max(...points.map(({ all }) => all)) / GRID_LINES);
  const top = step * GRID_LINES;
  const floor = height - BOTTOM;
  const xOf = (index: number) => LEFT + (index / Math.max(1, points.length - 1)) * (width - LEFT - 4);
  const yOf = (count: number) => floor - (count / top) * (floor - TOP);
  const draw = (counts: readonly number[]) =>
    counts.map(
      (count, index) => `${index === 0 ? 'M' : 'L'}${xOf(index).toFixed(1)} ${yOf(count).toFixed(1)}`,
    );
  const curve = draw(points.map(({ all }) => all)).join('');
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
    ticks: findTicks(first, value.hours).map((hour) => ({
      x: xOf(hour - first),
      at: new Date(hour * HOUR_MS).toISOString(),
    })),
  };
}

/** Round hours of the person's own day: midnights, or every few hours of a single day. */
function findTicks(first: number, hours: number): number[] {
  const every = hours <= DAY_HOURS ? 4 : DAY_HOURS * Math.ceil(hours / DAY_HOURS / TICKS_MAX);
  const all = Array.from({ length: hours }, (_, index) => first + index);
  const localHour = (hour: number) => new Date(hour * HOUR_MS).getHours();
  if (hours <= DAY_HOURS) return all.filter((hour) => localHour(hour) % every === 0);
  const midnights = all.filter((hour) => localHour(hour) === 0);
  return midnights.filter((_hour, index) => index % (every / DAY_HOURS) === 0);
}
