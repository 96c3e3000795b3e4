const LONGEST_TIMEOUT_MS = 2_147_483_647;

/**
 * The address without slashes at its end.
 *
 * @throws TypeError that names the option; its text is not repeated, since it may hold a password
 */
export function readAddress(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isUsable =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (!isUsable)
    throw new TypeError(
      `${name} must be an http or https address without user, password, query and fragment.`,
    );
  return url.href.replace(/\/+$/, '');
}

/** @throws TypeError when a timer could not be set to it */
export function readTimeout(timeoutMs: number): number {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= LONGEST_TIMEOUT_MS) return timeoutMs;
  throw new TypeError(`timeoutMs must be a whole number of milliseconds from 1 to ${LONGEST_TIMEOUT_MS}.`);
}
