const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/;

/** True for a name of the IANA time zone database that this machine knows, like `Asia/Tokyo`, and for `UTC`. */
export function isTimeZone(text: string): boolean {
  if (text.length > 64 || !NAME.test(text)) return false;
  try {
    return Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
