import { expect, it } from 'vitest';
import { isTimeZone } from './time-zone.ts';

it.each(['UTC', 'Asia/Tokyo', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
  'knows %s',
  (name) => {
    expect(isTimeZone(name)).toBe(true);
  },
);

it.each(['', 'Tokyo', '+09:00', 'Asia/Tokyo\n', '../etc', 'Asia/', `Asia/${'x'.repeat(80)}`])(
  'does not take %j for a time zone',
  (name) => {
    expect(isTimeZone(name)).toBe(false);
  },
);
