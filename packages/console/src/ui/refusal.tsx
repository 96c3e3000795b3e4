import { Alert } from '@mantine/core';
import { IconCircleX } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** Why the server refused, where no field shows it; with nothing to say, nothing. It takes the focus of a form. */
export function Refusal(props: {
  readonly title?: ReactNode;
  readonly className?: string | undefined;
  readonly mt?: 'md';
  readonly mb?: 'sm';
  readonly children: ReactNode;
}) {
  const { title, className = '', mt, mb, children } = props;
  if (children === null) return null;
  return (
    <Alert
      color="red"
      role="alert"
      tabIndex={-1}
      data-fault="form"
      title={title}
      icon={<IconCircleX size={18} stroke={1.75} aria-hidden />}
      className={className}
      {...(mt === undefined ? {} : { mt })}
      {...(mb === undefined ? {} : { mb })}
    >
      {children}
    </Alert>
  );
}
