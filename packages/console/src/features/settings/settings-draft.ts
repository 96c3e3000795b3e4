import type { Settings } from '@keyreeve/sdk';
import { changedNames } from '../../ui/use-draft.ts';

/** What a person has changed and not saved; a number that is no number yet is NaN. */
export type SettingsDraft = { readonly [Name in keyof Settings]?: Settings[Name] };

/** What an edit sends: the changed settings alone. */
export function toPatch(saved: Settings, draft: SettingsDraft): Partial<Settings> {
  return Object.fromEntries(changedNames(saved, draft).map((name) => [name, draft[name]]));
}

export const MIB = 2 ** 20;

export const LIMITS = {
  tokenLifetimeSeconds: { min: 60, max: 86_400 },
  signingKeyDays: { min: 1, max: 366 },
  lifetimeDays: { min: 1, max: 3_650 },
  maxKeysPerAccount: { min: 1, max: 10_000 },
  quota: { min: 1, max: 1_000_000 },
  /** In bytes; people type mebibytes. */
  galleryBytes: { min: 1, max: 2 ** 50 },
  noticeDays: { min: 1, max: 365 },
  choices: 20,
  notices: 10,
  resources: 50,
} as const;

export function isWithin(
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

/** Null is no limit. */
function isQuota(value: number | null, range: Parameters<typeof isWithin>[1]): boolean {
  return value === null || isWithin(value, range);
}

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export function isEmail(text: string): boolean {
  return text.length <= 254 && EMAIL.test(text);
}

export function isWebAddress(text: string): boolean {
  return text.length <= 512 && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The settings that cannot be sent as they stand; the server judges what contradicts what. */
export function faultyNames(settings: Settings): readonly (keyof Settings)[] {
  const { supportEmail, supportUrl } = settings;
  const checks: readonly (readonly [keyof Settings, boolean])[] = [
    ['tokenLifetimeSeconds', isWithin(settings.tokenLifetimeSeconds, LIMITS.tokenLifetimeSeconds)],
    ['signingKeyDays', isWithin(settings.signingKeyDays, LIMITS.signingKeyDays)],
    ['maxLifetimeDays', isWithin(settings.maxLifetimeDays, LIMITS.lifetimeDays)],
    ['maxKeysPerAccount', isWithin(settings.maxKeysPerAccount, LIMITS.maxKeysPerAccount)],
    ['maxPackagesPerAccount', isQuota(settings.maxPackagesPerAccount, LIMITS.quota)],
    ['maxVersionsPerPackage', isQuota(settings.maxVersionsPerPackage, LIMITS.quota)],
    ['maxGalleryBytesPerAccount', isQuota(settings.maxGalleryBytesPerAccount, LIMITS.galleryBytes)],
    ['supportEmail', supportEmail === null || isEmail(supportEmail)],
    ['supportUrl', supportUrl === null || isWebAddress(supportUrl)],
  ];
  return checks.filter(([, isSound]) => !isSound).map(([name]) => name);
}
