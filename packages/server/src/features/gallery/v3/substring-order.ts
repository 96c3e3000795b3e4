/**
 * PSResourceGet takes the first address that contains the wanted version anywhere in it, so `1.0.0` also finds
 * `11.0.0` and `1.0.0-beta`. It reads from the highest version down when the first address contains the text `upper`
 * of the page, else from the last address back. A version with metadata is the same version and is contained
 * nowhere: so the spelling of `upper` says from which end to read. That is the highest, for the sake of the newest
 * versions, unless it misleads and the other end misleads about none. All other clients compare `upper` as a version.
 *
 * @param versions all versions of the page from the lowest to the highest; at most some hundred
 */
export function chooseUpper(versions: readonly string[]): string {
  const upper = versions.at(-1) ?? '';
  return findsEach(versions) && !findsEach(versions.toReversed()) ? `${upper}+0` : upper;
}

/** Whether the client would take each version for itself, reading in this order. */
function findsEach(order: readonly string[]): boolean {
  return order.every((wanted) => order.find((version) => version.includes(wanted)) === wanted);
}
