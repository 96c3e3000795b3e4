import type { Page } from '@playwright/test';

/**
 * Runs in the page. For each visible piece of text: is it cut by an ancestor that hides what overflows, does it
 * stick out of its own box, does it lie outside the page? Text that is cut on purpose stands in an element with
 * `data-truncate`, with a `title` on it or around it; of that, only what happens to the element as a whole counts.
 */
function findFaults(): string[] {
  const TOLERANCE = 1;
  const LAYOUT_UNIT = 1 / 64;
  const faults = new Set<string>();

  const describe = (element: Element) => {
    const names = [...element.classList].slice(0, 2).join('.');
    return `<${element.localName}${names === '' ? '' : `.${names}`}>`;
  };
  const isForReadersOnly = (element: Element) => {
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at);
      const isCut =
        style.clipPath === 'inset(50%)' || (style.clip !== 'auto' && style.position === 'absolute');
      if (isCut || at.hasAttribute('inert') || at.getAttribute('aria-hidden') === 'true') return true;
    }
    return false;
  };
  /** Links like "Skip to content" come into the page with the focus. */
  const isSkipLink = (element: Element) => element.closest('a[href^="#"]') !== null;
  const hasWholeText = (element: Element) =>
    (element.closest('[title]')?.getAttribute('title') ?? '').trim() !== '';
  /** Between which edges text is drawn: where an ellipsis would take its place, the smallest part too much counts. */
  const edgesOf = (element: Element, { left, right }: DOMRect) => {
    const style = getComputedStyle(element);
    if (style.textOverflow !== 'ellipsis') return [left - TOLERANCE, right + TOLERANCE] as const;
    const inset = (side: 'Left' | 'Right') =>
      Number.parseFloat(style[`padding${side}`]) + Number.parseFloat(style[`border${side}Width`]);
    return [left + inset('Left') - LAYOUT_UNIT, right - inset('Right') + LAYOUT_UNIT] as const;
  };

  const checkAncestors = (
    start: Element,
    rect: { left: number; right: number; top: number; bottom: number },
    text: string,
  ) => {
    let { left, right, top, bottom } = rect;
    // A line of text is as high as its font, which may be more than the line; ink hardly fills either.
    const slack = Number.parseFloat(getComputedStyle(start).fontSize) * 0.3;
    for (let at: Element | null = start; at !== null && at !== document.body; at = at.parentElement) {
      const { overflowX, overflowY, display } = getComputedStyle(at);
      if (display === 'inline' || display === 'contents') continue;
      const box = at.getBoundingClientRect();
      const isHidden = (overflow: string) => overflow === 'hidden' || overflow === 'clip';
      const [leftEdge, rightEdge] = edgesOf(at, box);
      if (isHidden(overflowX) && (left < leftEdge || right > rightEdge)) {
        faults.add(`cut at the side by ${describe(at)}: ${text}`);
        return;
      }
      if (isHidden(overflowY) && (top < box.top - slack || bottom > box.bottom + slack)) {
        faults.add(`cut above or below by ${describe(at)}: ${text}`);
        return;
      }
      // What scrolls can be brought into view; from there on its box counts.
      if (overflowX !== 'visible') [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      if (overflowY !== 'visible') [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
      if (left >= right || top >= bottom) return;
    }
    const width = document.documentElement.clientWidth;
    if (left + scrollX < -TOLERANCE || right + scrollX > width + TOLERANCE || top + scrollY < -TOLERANCE) {
      if (!isSkipLink(start)) faults.add(`outside the page: ${text}`);
    }
  };

  const checkOwnBox = (element: Element, rect: DOMRect, text: string) => {
    let box = element;
    while (/^(inline|contents)$/.test(getComputedStyle(box).display) && box.parentElement !== null)
      box = box.parentElement;
    if (box instanceof SVGElement || getComputedStyle(box).overflowX !== 'visible') return;
    const { left, right } = box.getBoundingClientRect();
    if (rect.left < left - TOLERANCE || rect.right > right + TOLERANCE)
      faults.add(`sticks out of ${describe(box)}: ${text}`);
  };

  const checkText = (node: Text) => {
    const element = node.parentElement;
    const content = node.data.trim();
    if (element === null || content === '' || element.closest('script, style, noscript') !== null) return;
    if (
      !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) ||
      isForReadersOnly(element)
    )
      return;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = JSON.stringify(content.length > 60 ? `${content.slice(0, 60)}…` : content);
    const cut = element.closest('[data-truncate]');
    if (cut !== null && cut.parentElement !== null && hasWholeText(cut)) {
      checkAncestors(cut.parentElement, cut.getBoundingClientRect(), text);
      return;
    }
    for (const rect of range.getClientRects()) {
      if (rect.width === 0 || rect.height === 0) continue;
      checkOwnBox(element, rect, text);
      checkAncestors(element, rect, text);
    }
  };

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (walker.currentNode instanceof Text) checkText(walker.currentNode);
  for (const field of document.querySelectorAll('input, select, textarea')) {
    // Typed text may be longer than its field; hints and choices of ours may not.
    const isPlaceholder = field instanceof HTMLInputElement && field.value === '' && field.placeholder !== '';
    if (
      (isPlaceholder || field instanceof HTMLSelectElement) &&
      field.scrollWidth > field.clientWidth + TOLERANCE
    )
      faults.add(
        `is too long for ${describe(field)}: ${field instanceof HTMLInputElement ? field.placeholder : field.value}`,
      );
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth + TOLERANCE)
    faults.add(`the page scrolls sideways by ${scrollWidth - clientWidth} px`);
  return [...faults];
}

/** Text of the page that people cannot read as a whole, one line each; empty on a good page. */
export async function findTextFaults(page: Page): Promise<readonly string[]> {
  return await page.evaluate(findFaults);
}
