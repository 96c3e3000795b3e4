/**
 * Puts a text on the clipboard. Over plain http browsers hide the clipboard interface; a selected field and the
 * old command still work there. The field lives for the length of this call, so that no secret stays in the page.
 *
 * @returns whether it worked
 */
export async function copyText(text: string): Promise<boolean> {
  if (globalThis.isSecureContext && navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyBySelection(text); // The permission was refused, or the page has lost the focus.
    }
  }
  return copyBySelection(text);
}

function copyBySelection(text: string): boolean {
  const opener = document.activeElement;
  const field = document.createElement('textarea');
  field.setAttribute('aria-hidden', 'true');
  field.tabIndex = -1;
  field.style.cssText = 'position:fixed;inset-block-start:0;opacity:0';
  field.value = text;
  // Inside the open dialog: its focus trap pulls the focus back from anywhere else before the copy.
  (opener?.closest('[role="dialog"]') ?? document.body).append(field);
  try {
    field.select();
    // Deprecated, and the only way that browsers leave open over plain http.
    return document.execCommand('copy');
  } finally {
    field.value = '';
    field.remove();
    if (opener instanceof HTMLElement) opener.focus();
  }
}
