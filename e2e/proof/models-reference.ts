/** The formats and rules of the product once more, from their descriptions: plain, slow, and without its code. */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** CRC-32 (IEEE), bit by bit. */
function crc32(text: string): bigint {
  let rest = 0xff_ff_ff_ffn;
  for (const byte of Buffer.from(text, 'latin1')) {
    rest ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1n ? (rest >> 1n) ^ 0xed_b8_83_20n : rest >> 1n;
  }
  return rest ^ 0xff_ff_ff_ffn;
}

/** "Base62, most significant digit first, left-padded with 0 to 6." */
export function checksum(text: string): string {
  const value = crc32(text);
  return [5n, 4n, 3n, 2n, 1n, 0n].map((place) => DIGITS[Number((value / 62n ** place) % 62n)] ?? '').join('');
}

function isAllOf(text: string, letters: string): boolean {
  return text !== '' && Array.from(text).every((letter) => letters.includes(letter));
}

/** The API key of a full key, or null when it is none. */
export function readApiKey(text: string): string | null {
  const parts = text.trim().split('_');
  const [prefix = '', id = '', secret = ''] = parts;
  const isShaped =
    parts.length === 3 &&
    prefix.length >= 2 &&
    prefix.length <= 8 &&
    isAllOf(prefix, 'abcdefghijklmnopqrstuvwxyz') &&
    id.length === 16 &&
    secret.length === 49 &&
    isAllOf(id + secret, DIGITS);
  if (!isShaped) return null;
  const wanted = checksum(`${prefix}_${id}_${secret.slice(0, 43)}`);
  return wanted === secret.slice(43) ? `${prefix}_${id}` : null;
}

export interface LifetimeSettings {
  readonly customLifetimes: boolean;
  readonly lifetimeChoicesDays: readonly number[];
  readonly defaultLifetimeDays: number;
  readonly maxLifetimeDays: number;
}

/** Rule 4 of the design: choices only, unless any number up to the maximum is allowed. Null: refused. */
export function lifetimeOf(settings: LifetimeSettings, wanted: number | undefined): number | null {
  const days = wanted === undefined ? settings.defaultLifetimeDays : wanted;
  for (let allowed = 1; allowed <= settings.maxLifetimeDays; allowed += 1) {
    if (allowed !== days) continue;
    if (settings.customLifetimes || settings.lifetimeChoicesDays.some((choice) => choice === days))
      return days;
  }
  return null;
}

interface ReferenceVersion {
  readonly numbers: readonly bigint[];
  readonly labels: readonly string[];
}

const BLANKS = ' \t\n\v\f\r';

function trimBlanks(text: string): string {
  const letters = Array.from(text);
  while (letters.length > 0 && BLANKS.includes(letters[0] ?? '')) letters.shift();
  while (letters.length > 0 && BLANKS.includes(letters.at(-1) ?? '')) letters.pop();
  return letters.join('');
}

/** A version as NuGet reads it: up to four numbers, labels of SemVer 2, metadata that counts for nothing. */
function readVersion(text: string): ReferenceVersion | null {
  const trimmed = trimBlanks(text);
  if (trimmed.length === 0 || trimmed.length > 64) return null;
  const [versionText = '', ...metadata] = trimmed.split('+');
  const [numbersText = '', ...labelParts] = versionText.split('-');
  const labels = labelParts.length === 0 ? [] : labelParts.join('-').split('.');
  const identifiers = [...labels, ...(metadata.length === 0 ? [] : metadata.join('+').split('.'))];
  if (!identifiers.every((one) => isAllOf(one, `${DIGITS}-`))) return null;
  if (labels.some((one) => one.length > 1 && one.startsWith('0') && isAllOf(one, '0123456789'))) return null;
  const numbers = numbersText.split('.').map(trimBlanks);
  if (numbers.length > 4 || !numbers.every((one) => isAllOf(one, '0123456789'))) return null;
  const values = numbers.map(BigInt);
  if (values.some((value) => value > 2_147_483_647n)) return null;
  return { numbers: [...values, 0n, 0n, 0n].slice(0, 4), labels };
}

export function normalizeVersion(text: string): string | null {
  const version = readVersion(text);
  if (version === null) return null;
  const shown = version.numbers[3] === 0n ? version.numbers.slice(0, 3) : version.numbers;
  return `${shown.join('.')}${version.labels.length > 0 ? `-${version.labels.join('.')}` : ''}`;
}

function compare<Value extends bigint | string>(a: Value, b: Value): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** SemVer 2, 11.4, but labels compare without case, and numbers beyond 32 bits as texts, as the clients do. */
function compareLabel(a: string, b: string): number {
  const isNumber = (text: string) => isAllOf(text, '0123456789') && BigInt(text) <= 2_147_483_647n;
  if (isNumber(a) && isNumber(b)) return compare(BigInt(a), BigInt(b));
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return compare(a.toLowerCase(), b.toLowerCase());
}

/** -1, 0 or 1; null when one of them is no version. */
export function compareVersions(a: string, b: string): number | null {
  const [one, other] = [readVersion(a), readVersion(b)];
  if (one === null || other === null) return null;
  for (const [index, number] of one.numbers.entries()) {
    const order = compare(number, other.numbers[index] ?? 0n);
    if (order !== 0) return order;
  }
  if (one.labels.length === 0 || other.labels.length === 0)
    return Math.sign(Number(one.labels.length === 0) - Number(other.labels.length === 0));
  for (const [index, label] of one.labels.entries()) {
    const rival = other.labels[index];
    if (rival === undefined) return 1;
    const order = compareLabel(label, rival);
    if (order !== 0) return order;
  }
  return one.labels.length < other.labels.length ? -1 : 0;
}
