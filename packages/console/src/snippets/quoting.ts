const HARMLESS_IN_ADDRESS = /[^A-Za-z0-9\-._~:/[\]%]/gu;
const utf8 = new TextEncoder();

function percentEncode(character: string): string {
  const bytes = [...utf8.encode(character)];
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/**
 * An address without user, query, fragment and slash at its end, in which `$`, quotes, blanks and the like are spelled
 * with `%`: it means the same to a server, and nothing to shells and languages.
 */
export function toHarmlessAddress(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  const address = url === null ? baseUrl : `${url.protocol}//${url.host}${url.pathname}`;
  return address.replace(HARMLESS_IN_ADDRESS, percentEncode).replace(/\/+$/, '');
}

/**
 * A harmless address as one word of sh, PowerShell and cmd alike. The brackets of an IPv6 address are the only
 * characters that a shell would look at.
 */
export function shellAddress(address: string): string {
  return /[[\]]/.test(address) ? `"${address}"` : address;
}

/** A text as a JSON string within a text of sh that stands in single quotes. */
export function jsonInSingleQuotes(text: string): string {
  return JSON.stringify(text).replaceAll("'", `'\\''`);
}
