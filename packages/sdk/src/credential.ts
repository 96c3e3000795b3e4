/**
 * Who the client is. A full key and a pair are the same credential in two spellings; a token was got for a key;
 * a cookie (`name=value`) is a signed-in session. In a browser leave the credential out: it sends its own cookie.
 */
export type Credential =
  | { readonly fullKey: string }
  | { readonly apiKey: string; readonly secretKey: string }
  | { readonly token: string }
  | { readonly cookie: string };

const VISIBLE_ASCII = /^[\x21-\x7e]{1,8192}$/;

/**
 * The platform repeats a header that it refuses in its error, and with it the secret; so what cannot be a
 * header is found here and only named.
 */
function requireVisible(name: string, value: unknown): string {
  if (typeof value === 'string' && VISIBLE_ASCII.test(value)) return value;
  throw new TypeError(
    `credential.${name} must be 1 to 8192 visible ASCII characters, without blanks and line ends.`,
  );
}

/**
 * @returns the one header that presents the credential, as name and value
 * @throws TypeError that names the faulty member and never repeats it
 */
export function toHeader(credential: Credential): readonly [name: string, value: string] {
  if ('fullKey' in credential)
    return ['authorization', `Bearer ${requireVisible('fullKey', credential.fullKey)}`];
  if ('token' in credential) return ['authorization', `Bearer ${requireVisible('token', credential.token)}`];
  if ('cookie' in credential) return ['cookie', requireVisible('cookie', credential.cookie)];
  const apiKey = requireVisible('apiKey', credential.apiKey);
  const secretKey = requireVisible('secretKey', credential.secretKey);
  return ['authorization', `Basic ${btoa(`${apiKey}:${secretKey}`)}`];
}
