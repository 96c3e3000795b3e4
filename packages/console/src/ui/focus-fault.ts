import { type RefObject, useEffect, useRef } from 'react';

const FAULTY_FIELD = '[aria-invalid="true"], [data-error] input, [data-fault="field"] :is(button, input)';

/** To the first faulty field, or where there is none to what is said of the whole form. */
function focusFault(form: HTMLElement | null): void {
  const field = form?.querySelector<HTMLElement>(FAULTY_FIELD);
  (field ?? form?.querySelector<HTMLElement>('[data-fault="form"]'))?.focus();
}

/** Leads to the first faulty field of a form, once its faults are drawn. */
export function focusFirstFault(formId: string): void {
  requestAnimationFrame(() => focusFault(document.getElementById(formId)));
}

/**
 * Leads to the first faulty field of a form each time that the server has found faults in it, or that the page
 * itself has refused to send it (`tries`, counted).
 */
export function useFocusOnFault<Element extends HTMLElement>(
  error: unknown,
  tries = 0,
): RefObject<Element | null> {
  const form = useRef<Element>(null);
  useEffect(() => {
    if (error !== null || tries > 0) focusFault(form.current);
  }, [error, tries]);
  return form;
}
