/** Up to half as much again, at random: those who were refused together do not come back together. */
export function withJitter(ms: number): number {
  const [word = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return ms * (1 + word / 2 ** 33);
}
