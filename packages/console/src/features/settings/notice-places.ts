/** Where the day of expiry stands, and how far left the first mail may stand, in percent of the line. */
export const EXPIRY_AT = 94;
const FIRST_AT = 4;
/** So that two labels beside each other can be read. */
const GAP = 9;

/**
 * Places the mails on the line, the earliest left. Days are drawn by their square root: a threshold of one day
 * keeps its distance from the expiry beside one of a year.
 *
 * @param days the latest last
 */
export function placeNotices(days: readonly number[]): readonly number[] {
  const longest = Math.max(...days, 1);
  const width = EXPIRY_AT - FIRST_AT;
  const wanted = days.map((count) => EXPIRY_AT - width * Math.sqrt(count / longest));
  let next = EXPIRY_AT;
  const spread = wanted.toReversed().map((place) => (next = Math.min(place, next - GAP)));
  // Many thresholds push the first ones out on the left; ten of them fill the line exactly.
  return spread.toReversed().map((place, index) => Math.max(place, FIRST_AT + index * GAP));
}
