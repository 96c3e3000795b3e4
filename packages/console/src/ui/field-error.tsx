import { IconAlertCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './field-error.module.css';

/** What is wrong with a field, with the sign that says so to those who see no red. */
export function FieldError(props: { readonly id?: string; readonly children: ReactNode }) {
  return (
    <span id={props.id} className={classes.error}>
      <IconAlertCircle size={16} stroke={1.75} aria-hidden />
      <span>{props.children}</span>
    </span>
  );
}

/** For `error` of a field: nothing, or the message with its sign. */
export function asFieldError(message: string | null | undefined): ReactNode {
  return message === null || message === undefined ? null : <FieldError>{message}</FieldError>;
}
