import { asciiLower } from './ascii.ts';

const NUMBER_DIGITS = 10;
const NUMBER_MAX = 2_147_483_647;
// Each mark is lower than everything that may stand in its place: a shorter list of labels comes before a longer
// one, a number before a text, and every prerelease before its release.
const LABEL_END = '!';
const NUMBER_MARK = '0';
const TEXT_MARK = '1';
const RELEASE = '~';

/**
 * A text that sorts by its bytes as NuGet sorts versions (NuGet.Versioning, VersionComparer): so that a database can
 * tell the latest version and page through them in order.
 *
 * @param normalized `major.minor.patch[.revision][-labels]` without metadata, as a parsed version gives it
 */
export function versionSortKey(normalized: string): string {
  const dash = normalized.indexOf('-');
  const numbers = (dash === -1 ? normalized : normalized.slice(0, dash)).split('.');
  const core = [0, 1, 2, 3].map((index) => pad(numbers[index] ?? '0')).join('.');
  if (dash === -1) return `${core}${RELEASE}`;
  const labels = normalized.slice(dash + 1).split('.');
  return `${core}${labels.map((label) => `${labelKey(label)}${LABEL_END}`).join('')}`;
}

function labelKey(label: string): string {
  // The clients compare digits beyond 32 bits as text.
  if (/^[0-9]+$/.test(label) && Number(label) <= NUMBER_MAX) return `${NUMBER_MARK}${pad(label)}`;
  return `${TEXT_MARK}${asciiLower(label)}`;
}

function pad(digits: string): string {
  return digits.padStart(NUMBER_DIGITS, '0');
}
