import { asciiLower } from '../../../lib/ascii.ts';

/** Longest version text that is accepted, after trimming. */
export const MAX_VERSION_CHARS = 64;
/** Longest dependency range: two versions of full length, brackets, a comma and some blanks. */
const MAX_RANGE_CHARS = 160;

const MAX_NUMBER_PART = 2_147_483_647;
const LABEL = /^[0-9A-Za-z-]+$/;
const DIGITS = /^[0-9]+$/;

/** One package version, read as NuGet clients read it. */
export interface NuGetVersion {
  /** `major.minor.patch[.revision][-labels]`, without metadata: with {@link versionKey} the identity of a version. */
  readonly normalized: string;
  /** {@link normalized} followed by `+metadata` where there is any. */
  readonly full: string;
  readonly isPrerelease: boolean;
  /** More than one prerelease label, or metadata: clients of NuGet 2.x cannot read such a version. */
  readonly isSemVer2: boolean;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly revision: number;
  readonly labels: readonly string[];
  /** The text after `+`; empty when there is none. */
  readonly metadata: string;
}

/** A dependency range. A missing bound is `null`; `isMinInclusive` and `isMaxInclusive` then mean nothing. */
export interface VersionRange {
  readonly min: NuGetVersion | null;
  readonly isMinInclusive: boolean;
  readonly max: NuGetVersion | null;
  readonly isMaxInclusive: boolean;
  /** `[1.0.0, )`, `[1.0.0, 2.0.0)`, `(, )`: the form of the V3 registration. */
  readonly normalized: string;
}

/** Reads a version; `null` when NuGet clients would not accept it. Metadata is kept in `full` only. */
export function parseNuGetVersion(text: string): NuGetVersion | null {
  const trimmed = trimBlanks(text);
  if (trimmed === '' || trimmed.length > MAX_VERSION_CHARS) return null;
  const { numbersText, labelsText, metadata } = splitSections(trimmed);
  const numbers = parseNumbers(numbersText);
  if (numbers === null) return null;
  const labels = labelsText === null ? [] : labelsText.split('.');
  if (!labels.every(isLabel)) return null;
  if (metadata !== null && !metadata.split('.').every((part) => LABEL.test(part))) return null;
  const [major, minor, patch, revision] = numbers;
  const core = `${major}.${minor}.${patch}${revision > 0 ? `.${revision}` : ''}`;
  const normalized = labels.length > 0 ? `${core}-${labels.join('.')}` : core;
  return {
    normalized,
    full: metadata === null ? normalized : `${normalized}+${metadata}`,
    isPrerelease: labels.length > 0,
    isSemVer2: labels.length > 1 || metadata !== null,
    major,
    minor,
    patch,
    revision,
    labels,
    metadata: metadata ?? '',
  };
}

/** The key under which a version is unique within its package: metadata and case do not make a new version. */
export function versionKey(version: NuGetVersion): string {
  return asciiLower(version.normalized);
}

/** Negative when `a` is older, positive when newer, 0 when NuGet holds both for the same version. */
export function compareNuGetVersions(a: NuGetVersion, b: NuGetVersion): number {
  const byNumbers = a.major - b.major || a.minor - b.minor || a.patch - b.patch || a.revision - b.revision;
  if (byNumbers !== 0) return byNumbers;
  // A release is newer than every prerelease of the same numbers.
  if (a.isPrerelease !== b.isPrerelease) return a.isPrerelease ? -1 : 1;
  const shared = Math.min(a.labels.length, b.labels.length);
  for (let index = 0; index < shared; index += 1) {
    const byLabel = compareLabels(a.labels[index] ?? '', b.labels[index] ?? '');
    if (byLabel !== 0) return byLabel;
  }
  return a.labels.length - b.labels.length;
}

/**
 * Reads the range of a dependency: `1.0` (this or newer), `[1.0]` (exactly), `[1.0, 2.0)`, `(, 1.0]`; blank text
 * means any version. `null` for everything else: floating versions, metadata, unreplaced `$tokens$`, wrong brackets,
 * and ranges that no version can satisfy.
 */
export function parseVersionRange(text: string): VersionRange | null {
  const trimmed = trimBlanks(text);
  if (trimmed.length > MAX_RANGE_CHARS) return null;
  if (trimmed === '') return makeRange(null, false, null, false);
  const opening = trimmed[0];
  if (opening !== '[' && opening !== '(') {
    const min = parseBound(trimmed);
    return min === null ? null : makeRange(min, true, null, false);
  }
  const closing = trimmed.at(-1);
  if (trimmed.length < 2 || (closing !== ']' && closing !== ')')) return null;
  const parts = trimmed.slice(1, -1).split(',');
  const isMinInclusive = opening === '[';
  const isMaxInclusive = closing === ']';
  if (parts.length > 2 || parts.every((part) => part === '')) return null;
  // One version between brackets means exactly that version, so `(1.0]` and `[1.0)` mean nothing.
  if (parts.length === 1 && !(isMinInclusive && isMaxInclusive)) return null;
  const minText = trimBlanks(parts[0] ?? '');
  const maxText = parts.length === 2 ? trimBlanks(parts[1] ?? '') : minText;
  const min = minText === '' ? null : parseBound(minText);
  const max = maxText === '' ? null : parseBound(maxText);
  if ((minText !== '' && min === null) || (maxText !== '' && max === null)) return null;
  if (parts.length === 1 && min === null) return null;
  if (min !== null && max !== null) {
    const order = compareNuGetVersions(min, max);
    if (order > 0 || (order === 0 && !(isMinInclusive && isMaxInclusive))) return null;
  }
  return makeRange(min, min !== null && isMinInclusive, max, max !== null && isMaxInclusive);
}

/** The short form of the V2 feed: `1.0.0` for this or newer, `[1.0.0]` for exactly this, nothing for any version. */
export function legacyRangeText(range: VersionRange): string {
  const { min, max } = range;
  if (min === null && max === null) return '';
  if (max === null && range.isMinInclusive) return min?.normalized ?? '';
  if (min !== null && max !== null && compareNuGetVersions(min, max) === 0) return `[${min.normalized}]`;
  return range.normalized;
}

/** Whether a range names a version that clients of NuGet 2.x cannot read, which makes its package SemVer 2 as well. */
export function isSemVer2Range(range: VersionRange): boolean {
  return (range.min?.isSemVer2 ?? false) || (range.max?.isSemVer2 ?? false);
}

function makeRange(
  min: NuGetVersion | null,
  isMinInclusive: boolean,
  max: NuGetVersion | null,
  isMaxInclusive: boolean,
): VersionRange {
  const low = `${isMinInclusive ? '[' : '('}${min?.normalized ?? ''}`;
  const high = `${max?.normalized ?? ''}${isMaxInclusive ? ']' : ')'}`;
  return { min, isMinInclusive, max, isMaxInclusive, normalized: `${low}, ${high}` };
}

function parseBound(text: string): NuGetVersion | null {
  const version = parseNuGetVersion(text);
  // Metadata does not take part in comparing, so in a range it could only mislead.
  return version === null || version.metadata !== '' ? null : version;
}

function splitSections(text: string): {
  numbersText: string;
  labelsText: string | null;
  metadata: string | null;
} {
  const plus = text.indexOf('+');
  const metadata = plus === -1 ? null : text.slice(plus + 1);
  const rest = plus === -1 ? text : text.slice(0, plus);
  const dash = rest.indexOf('-');
  if (dash === -1) return { numbersText: rest, labelsText: null, metadata };
  return { numbersText: rest.slice(0, dash), labelsText: rest.slice(dash + 1), metadata };
}

function parseNumbers(text: string): [number, number, number, number] | null {
  const parts = text.split('.');
  if (parts.length > 4) return null;
  const numbers: [number, number, number, number] = [0, 0, 0, 0];
  for (const [index, part] of parts.entries()) {
    // NuGet tolerates blanks around a number, though not inside it.
    const digits = trimBlanks(part);
    if (!DIGITS.test(digits)) return null;
    const value = Number(digits);
    if (value > MAX_NUMBER_PART) return null;
    numbers[index] = value;
  }
  return numbers;
}

function isLabel(label: string): boolean {
  if (!LABEL.test(label)) return false;
  return !(label.length > 1 && label.startsWith('0') && DIGITS.test(label));
}

function compareLabels(a: string, b: string): number {
  const numberA = labelNumber(a);
  const numberB = labelNumber(b);
  if (numberA !== null && numberB !== null) return numberA - numberB;
  if (numberA !== null) return -1;
  if (numberB !== null) return 1;
  const lowA = asciiLower(a);
  const lowB = asciiLower(b);
  if (lowA === lowB) return 0;
  return lowA < lowB ? -1 : 1;
}

/** The label as a number when it fits 32 bits: the clients compare longer digit strings as text, so we do too. */
function labelNumber(label: string): number | null {
  if (!DIGITS.test(label)) return null;
  const value = Number(label);
  return value > MAX_NUMBER_PART ? null : value;
}

function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
