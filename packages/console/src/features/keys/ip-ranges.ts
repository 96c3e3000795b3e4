const SEPARATORS = /[\s,;\u3001\uff0c\uff1b]+/;

/** Addresses and ranges as they were typed: one a line, or between commas of either script. */
export function ipRangesOf(text: string): readonly string[] {
  return text.split(SEPARATORS).filter((range) => range !== '');
}
