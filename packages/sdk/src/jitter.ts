/** A number in between: those who were refused together do not come back together. */
export function atRandom(least: number, most: number): number {
  const [word = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return least + (most - least) * (word / 2 ** 32);
}
