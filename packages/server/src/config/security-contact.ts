import { isEmailAddress } from '../lib/text.ts';

export interface SecurityContact {
  /** `mailto:` and `https:` addresses, the preferred one first; empty: `/.well-known/security.txt` does not exist. */
  readonly addresses: readonly string[];
  /** How reports are handled, as a page. */
  readonly policyUrl: string | null;
}

const ADDRESSES_MAX = 5;
const URL_CHARACTERS_MAX = 2_000;

/**
 * Whom to tell of a weakness in this installation (RFC 9116, 2.5.3 and 2.5.7). The values become lines of a file, so
 * they are written anew by the parser of URLs, which leaves no line break in them.
 */
export function readSecurityContact(
  contacts: readonly string[],
  policy: string | null,
): SecurityContact & { readonly contactFaults: readonly string[]; readonly policyFaults: readonly string[] } {
  const addresses = contacts.map(toContactAddress);
  const policyUrl = policy === null ? null : toHttpsUrl(policy);
  const contactFaults = [
    ...(addresses.includes(null)
      ? ['must hold e-mail addresses or https addresses, like security@example.com']
      : []),
    ...(contacts.length > ADDRESSES_MAX ? [`holds more than ${ADDRESSES_MAX} addresses`] : []),
  ];
  const policyFaults = [
    ...(policy !== null && policyUrl === null
      ? ['must be an address like https://example.com/security-policy']
      : []),
    ...(policy !== null && contacts.length === 0 ? ['needs KEYREEVE_SECURITY_CONTACT'] : []),
  ];
  return { addresses: addresses.filter((text) => text !== null), policyUrl, contactFaults, policyFaults };
}

function toContactAddress(text: string): string | null {
  const address = text.replace(/^mailto:/i, '');
  return isEmailAddress(address) ? `mailto:${address}` : toHttpsUrl(text);
}

function toHttpsUrl(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '';
  return isPlain && url.href.length <= URL_CHARACTERS_MAX ? url.href : null;
}
