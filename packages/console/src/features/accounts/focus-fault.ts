import { useEffect, useRef } from 'react';

/** Leads to the first faulty field of a form each time that the server has found faults in it. */
export function useFocusOnFault<Element extends HTMLElement>(error: unknown) {
  const form = useRef<Element>(null);
  useEffect(() => {
    if (error === null) return;
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-fault]')?.focus();
  }, [error]);
  return form;
}
