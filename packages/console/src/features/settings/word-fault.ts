import type { Settings } from '@keyreeve/sdk';
import { formatDuration, formatNumber } from '../../format/dates.ts';
import type { Language } from '../../i18n/i18n.ts';
import { say } from '../../i18n/words.tsx';
import { settingsWords } from './settings.words.ts';
import { LIMITS, MIB } from './settings-draft.ts';

/** What is wrong with a setting that cannot be sent. */
export function wordFault(name: keyof Settings, current: Settings, language: Language): string {
  const range = ({ min, max }: { readonly min: number; readonly max: number }) =>
    say(settingsWords, 'range', { min: formatNumber(min, language), max: formatNumber(max, language) });
  switch (name) {
    case 'tokenLifetimeSeconds': {
      const { min, max } = LIMITS.tokenLifetimeSeconds;
      const values = { min: formatDuration(min, language), max: formatDuration(max, language) };
      return say(settingsWords, 'rangeDuration', values);
    }
    case 'signingKeyDays':
      return range(LIMITS.signingKeyDays);
    case 'maxKeysPerAccount':
      return range(LIMITS.maxKeysPerAccount);
    case 'maxPackagesPerAccount':
    case 'maxVersionsPerPackage':
      return range(LIMITS.quota);
    case 'maxGalleryBytesPerAccount': {
      const { min, max } = LIMITS.galleryBytes;
      return range({ min, max: max / MIB });
    }
    case 'supportEmail':
      return say(settingsWords, 'emailInvalid', { value: current.supportEmail ?? '' });
    case 'supportUrl':
      return say(settingsWords, 'urlInvalid', { value: current.supportUrl ?? '' });
    default:
      return range(LIMITS.lifetimeDays);
  }
}
