/** Whether two values of a form hold the same; of values that JSON can write. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
