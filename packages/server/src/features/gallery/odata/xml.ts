// XML 1.0 has no way to write these, not even escaped; one of them, and no client reads the feed any more.
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
const SPECIAL = /[&<>"\r]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A reader would make a line feed of it.
  '\r': '&#xD;',
};

// Most texts have nothing to escape, and finding that out by one simple pattern is all that they cost.
const PLAIN = /^[^\u0000-\u0008\u000b\u000c-\u001f\ud800-\udfff\ufffe\uffff&<>"]*$/;

/** A text for the content of an element or for an attribute in double quotes. The one way of all texts into XML. */
export function escapeXml(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(ILLEGAL, '').replace(SPECIAL, (character) => ESCAPES[character] ?? '');
}
