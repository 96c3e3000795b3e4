import { afterEach, describe, expect, it } from 'vitest';
import { layOutExpiry } from './expiry-layout.ts';
import { layOutVerifications, niceStep } from './verifications-layout.ts';

const GENERATED = '2026-11-22T14:05:00Z';

describe('the chart of keys that expire', () => {
  const chart = (days: { day: string; count: number }[], noticeDays = 10) =>
    layOutExpiry({ generatedAt: GENERATED, noticeDays, expiringByDay: days }, 900, 250);

  it('draws one square for each key, on its day, those of the notice days apart', () => {
    const { squares, total, perSquare } = chart([
      { day: '2026-11-22', count: 1 },
      { day: '2026-12-02', count: 2 },
      { day: '2026-12-03', count: 1 },
    ]);
    expect(total).toBe(4);
    expect(perSquare).toBe(1);
    expect(squares.map(({ isNoticed }) => isNoticed)).toEqual([true, true, true, false]);
    expect(squares[0]?.x).toBe(0);
    expect(new Set(squares.map(({ x, y }) => `${x}/${y}`)).size).toBe(4);
  });

  it('lets a square stand for several keys when a day has more than fit, and leaves none out', () => {
    const { squares, perSquare, total } = chart([{ day: '2026-12-31', count: 1000 }]);
    expect(perSquare).toBeGreaterThan(1);
    expect(squares.length * perSquare).toBeGreaterThanOrEqual(total);
    expect(Math.min(...squares.map(({ y }) => y))).toBeGreaterThanOrEqual(20);
  });

  it('names the day on which many keys stop at once, and only such a day', () => {
    expect(chart([{ day: '2026-12-31', count: 14 }]).cliff).toMatchObject({ count: 14 });
    expect(chart([{ day: '2026-12-31', count: 4 }]).cliff).toBeNull();
  });

  it('stays within its width on the last of the 60 days', () => {
    const { squares, width, side } = chart([{ day: '2027-01-21', count: 1 }]);
    expect((squares[0]?.x ?? 0) + side).toBeLessThanOrEqual(width);
  });
});

describe('the chart of verifications', () => {
  const chart = (verifications: { hour: string; accepted: number; refused: number }[]) =>
    layOutVerifications({ generatedAt: GENERATED, hours: 24, verifications }, 900, 220);

  it('counts what was accepted and what was refused within the hours shown', () => {
    const layout = chart([
      { hour: '2026-11-22T14:00:00Z', accepted: 90, refused: 10 },
      { hour: '2026-11-22T03:00:00Z', accepted: 5, refused: 0 },
    ]);
    expect(layout.total).toBe(105);
    expect(layout.accepted).toBe(95);
    expect(layout.refusedCurve).not.toBeNull();
  });

  it('draws a flat line, and no line of refusals, when nothing happened', () => {
    const layout = chart([]);
    expect(layout.total).toBe(0);
    expect(layout.refusedCurve).toBeNull();
    expect(layout.curve).not.toContain('NaN');
  });

  it('has whole round numbers at its lines', () => {
    expect([0, 1, 3, 12, 60, 99, 1001].map(niceStep)).toEqual([1, 1, 5, 20, 100, 100, 2000]);
  });

  describe('names days', () => {
    const { TZ } = process.env;
    afterEach(() => {
      if (TZ === undefined) delete process.env['TZ'];
      else process.env['TZ'] = TZ;
    });
    const daysAt = (zone: string, generatedAt: string, width = 900): string[] => {
      process.env['TZ'] = zone;
      const { ticks } = layOutVerifications({ generatedAt, hours: 168, verifications: [] }, width, 220);
      return ticks.map(({ at }) => {
        const day = new Date(at);
        return `${day.getDate()} ${day.getHours()}:${String(day.getMinutes()).padStart(2, '0')}`;
      });
    };

    it.each([
      ['where midnight does not exist', 'America/Santiago', '2026-09-08T14:05:00Z', '6 1:00'],
      ['where it comes twice', 'America/Havana', '2026-11-03T14:05:00Z', '1 0:00'],
      ['half an hour beside the others', 'Asia/Kolkata', '2026-11-03T14:05:00Z', '1 0:30'],
    ])('once each, also %s', (_case, zone, generatedAt, special) => {
      const days = daysAt(zone, generatedAt);
      expect(days).toContain(special);
      expect(new Set(days.map((day) => day.split(' ')[0])).size).toBe(days.length);
      expect(days).toHaveLength(7);
    });

    it('as many as there is room for, and none across the edge', () => {
      expect(daysAt('UTC', GENERATED, 343)).toEqual(['16 0:00', '19 0:00', '22 0:00']);
      expect(daysAt('UTC', '2026-11-22T00:05:00Z')).not.toContain('22 0:00');
    });
  });
});
