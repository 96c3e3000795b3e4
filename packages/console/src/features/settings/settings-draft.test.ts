import type { Settings } from '@keyreeve/sdk';
import { describe, expect, test } from 'vitest';
import { changedNames } from '../../ui/use-draft.ts';
import { EXPIRY_AT, placeNotices } from './notice-places.ts';
import { faultyNames, isWebAddress, toPatch } from './settings-draft.ts';

const SAVED: Settings = {
  lifetimeChoicesDays: [1, 90, 365],
  defaultLifetimeDays: 365,
  customLifetimes: false,
  maxLifetimeDays: 730,
  maxKeysPerAccount: 50,
  galleryRead: 'anonymous',
  maxPackagesPerAccount: 20_000,
  maxVersionsPerPackage: 10_000,
  maxGalleryBytesPerAccount: null,
  tokenLifetimeSeconds: 3_600,
  tokenResources: [],
  signingAlgorithm: 'ES256',
  signingKeyDays: 90,
  keyMail: 'link',
  expiryNoticeDays: [10],
  requireAction: false,
  defaultLocale: 'en',
  defaultTimeZone: 'UTC',
  mailTexts: [],
  supportEmail: null,
  supportUrl: null,
};

describe('a draft of the settings', () => {
  test('sends what differs from the saved ones and nothing else', () => {
    const draft = { requireAction: true, keyMail: 'link', lifetimeChoicesDays: [1, 90] } as const;
    const patch = toPatch(SAVED, { ...draft, lifetimeChoicesDays: [1, 90] });
    expect(patch).toEqual({ requireAction: true, lifetimeChoicesDays: [1, 90] });
  });

  test('is unchanged once a value is back at what it was', () => {
    expect(changedNames(SAVED, { expiryNoticeDays: [10], tokenLifetimeSeconds: 3_600 })).toEqual([]);
    expect(changedNames(SAVED, { tokenLifetimeSeconds: Number.NaN })).toEqual(['tokenLifetimeSeconds']);
  });

  test.each([
    ['tokenLifetimeSeconds', 59],
    ['tokenLifetimeSeconds', 86_401],
    ['tokenLifetimeSeconds', Number.NaN],
    ['maxLifetimeDays', 0],
    ['maxLifetimeDays', 3_651],
    ['maxKeysPerAccount', 1.5],
    ['maxPackagesPerAccount', 0],
    ['maxVersionsPerPackage', 1_000_001],
    ['maxGalleryBytesPerAccount', Number.NaN],
    ['supportEmail', 'helpdesk'],
    ['supportUrl', 'javascript:alert(1)'],
  ])('cannot be sent with %s %s', (name, value) => {
    expect(faultyNames({ ...SAVED, [name]: value })).toEqual([name]);
  });

  test('knows no fault in the bounds themselves', () => {
    expect(faultyNames(SAVED)).toEqual([]);
    expect(faultyNames({ ...SAVED, tokenLifetimeSeconds: 60, maxLifetimeDays: 3_650 })).toEqual([]);
    expect(isWebAddress('https://help.example.com/keys?x=1')).toBe(true);
  });
});

describe('the line of notices', () => {
  test('has the mails in their order before the expiry, readable beside each other', () => {
    for (const days of [
      [30, 10, 1],
      [365, 1],
      [3, 2, 1],
      [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
      [365, 364],
    ]) {
      const places = [...placeNotices(days), EXPIRY_AT];
      for (const [index, place] of places.slice(1).entries())
        expect(place - (places[index] ?? 0), days.join(', ')).toBeCloseTo(
          Math.max(9, place - (places[index] ?? 0)),
        );
      expect(places[0]).toBeGreaterThanOrEqual(4);
    }
    expect(placeNotices([])).toEqual([]);
  });
});
