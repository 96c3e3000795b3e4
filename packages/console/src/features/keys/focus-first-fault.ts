/** Leads to the first faulty field of a form, once its faults are drawn. */
export function focusFirstFault(formId: string): void {
  requestAnimationFrame(() => {
    const form = document.getElementById(formId);
    form?.querySelector<HTMLElement>('[aria-invalid="true"], [data-error] input')?.focus();
  });
}
