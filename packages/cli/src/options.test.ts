import { describe, expect, it } from 'vitest';
import {
  given,
  instant,
  parsePermission,
  permissions,
  repeated,
  toIsoInstant,
  wholeNumber,
} from './options.ts';

describe('a permission', () => {
  it('divides at its first equals sign', () => {
    expect(parsePermission('a:b, a:c = X.*,y=z')).toEqual({
      actions: ['a:b', 'a:c'],
      resources: ['X.*', 'y=z'],
    });
  });

  it.each(['', 'a:b', '=x', 'a:b=', 'a:b,=x', 'a:b=x,'])(
    '%j is none, so that nothing widens by being empty',
    (text) => {
      expect(parsePermission(text)).toBeNull();
      expect(() => permissions(text)).toThrow('ACTION');
    },
  );

  it('may be repeated', () => {
    expect(permissions('c:d=y', permissions('a:b=x'))).toHaveLength(2);
    expect(repeated('y', repeated('x'))).toEqual(['x', 'y']);
  });
});

describe('an option', () => {
  it.each(['0', '8', '1.5', '-1', '', 'x', '1e1'])('of 1 to 7 does not take %j', (text) => {
    expect(() => wholeNumber(1, 7)(text)).toThrow('from 1 to 7');
    expect(wholeNumber(1, 7)('7')).toBe(7);
  });

  it('takes a day as its midnight in UTC', () => {
    expect(instant('2027-03-01')).toBe('2027-03-01T00:00:00.000Z');
    expect(() => instant('tomorrow')).toThrow('Give a day');
  });

  it.each(['2027-02-29T00:00:00Z', '2027-13-01T00:00:00Z', '2027-03-01T00:00:00', '2027-03-01T24:01:00Z'])(
    '%s is no instant',
    (text) => expect(toIsoInstant(text)).toBeNull(),
  );

  it('that was not given leaves no trace in a request', () => {
    expect(given({ a: undefined, b: null, c: 0 })).toEqual({ b: null, c: 0 });
  });
});
