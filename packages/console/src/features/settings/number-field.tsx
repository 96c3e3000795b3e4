import { NumberInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { asFieldError } from '../../ui/field-error.tsx';
import { Was } from './section.tsx';
import classes from './settings.module.css';

/** A whole number with its unit and, once it was changed, what it was. NaN is an empty field. */
export function NumberField(props: {
  readonly label: string;
  readonly hint: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
  /** A word, or a control that chooses it. */
  readonly unit: ReactNode;
  readonly isChanged: boolean;
  readonly was: string;
  readonly fault: string | null;
}) {
  const { value, isChanged } = props;
  return (
    <NumberInput
      label={props.label}
      description={props.hint}
      error={asFieldError(props.fault)}
      min={1}
      allowDecimal={false}
      allowNegative={false}
      // What was typed stays as it is; a silent correction would be saved unseen.
      clampBehavior="none"
      value={Number.isNaN(value) ? '' : value}
      onChange={(next) => props.onChange(next === '' ? Number.NaN : Number(next))}
      data-changed={isChanged || undefined}
      classNames={{ wrapper: classes.number ?? '' }}
      inputContainer={(input) => (
        <div className={classes.line}>
          {input}
          {props.unit}
          <Was isChanged={isChanged} value={props.was} />
        </div>
      )}
    />
  );
}
