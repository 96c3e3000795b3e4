import { oauthErrors } from './oauth.errors.ts';

/** The parameters of a request. Those with an empty value are left out: RFC 6749 3.2 takes them for absent. */
export type Form = ReadonlyMap<string, string>;

/** Credentials in an address end up in logs and histories (RFC 6749 2.3.1). */
const NEVER_IN_QUERY = [
  'client_id',
  'client_secret',
  'client_assertion',
  'token',
  'access_token',
  'subject_token',
  'actor_token',
];

const ESCAPES = /[%+]/;

/** One name or value as forms and Basic spell it, or null when its percent signs do not spell UTF-8. */
export function decodeFormText(text: string): string | null {
  // Stryker disable next-line ConditionalExpression: it spares the work below, which changes nothing then
  if (!ESCAPES.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

/**
 * Reads `application/x-www-form-urlencoded` strictly: each parameter once, since of two readers one would take the
 * first and one the last (RFC 6749 3.2).
 *
 * @throws oauth.invalid_request naming the parameter
 */
export function parseForm(bytes: Uint8Array): Form {
  const seen = new Set<string>();
  const form = new Map<string, string>();
  for (const part of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decodeFormText(equals < 0 ? part : part.slice(0, equals));
    const value = decodeFormText(equals < 0 ? '' : part.slice(equals + 1));
    if (name === null || value === null) {
      throw oauthErrors.invalid_request({
        detail: 'The body cannot be read: its percent signs do not spell UTF-8.',
      });
    }
    if (seen.has(name)) {
      throw oauthErrors.invalid_request({
        detail: `The parameter ${name.slice(0, 64)} is given twice. Send each parameter once.`,
      });
    }
    seen.add(name);
    if (value !== '') form.set(name, value);
  }
  return form;
}

/** @throws oauth.invalid_request naming the parameter */
export function requireParameter(form: Form, name: string): string {
  const value = form.get(name);
  if (value !== undefined) return value;
  throw oauthErrors.invalid_request({ detail: `The parameter ${name} is missing or empty.` });
}

/** @throws oauth.invalid_request when the address carries a credential */
export function refuseCredentialsInQuery(url: string): void {
  const start = url.indexOf('?');
  if (start < 0) return;
  for (const name of new URLSearchParams(url.slice(start + 1)).keys()) {
    if (NEVER_IN_QUERY.includes(name)) {
      throw oauthErrors.invalid_request({
        detail: `The parameter ${name} stands in the address, where logs keep it. Send it in the body, and renew the key.`,
      });
    }
  }
}
