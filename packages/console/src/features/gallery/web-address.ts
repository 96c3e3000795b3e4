/** A text that an author wrote as an address, if a browser would go to the web with it: never `javascript:` and the like. */
export function webAddress(text: string | null | undefined): string | null {
  if (text == null) return null;
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : null;
}
