import { NumberInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import { formatDays, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { isWithin } from './settings-draft.ts';

/** What keeps a typed number of days out of a list, or null. */
export function useDaysFault() {
  const { t, language } = useWords(settingsWords);
  return (
    days: number,
    list: readonly number[],
    limits: { readonly min: number; readonly max: number; readonly entries: number },
  ): string | null => {
    if (!isWithin(days, limits))
      return t('range', { min: formatNumber(limits.min, language), max: formatNumber(limits.max, language) });
    if (list.includes(days)) return t('daysTwice', { days: formatDays(days, language) });
    return list.length >= limits.entries ? t('tooMany', { max: limits.entries }) : null;
  };
}

/** One entry of a list of days. With `onPress` it is a button of its own, for instance to make it the default. */
export function DaysChip(props: {
  readonly label: string;
  readonly removeLabel: string;
  readonly press?: { readonly label: string; readonly isPressed: boolean; readonly onPress: () => void };
  readonly mark?: string;
  readonly isFaulty?: boolean;
  /** Null: it cannot be removed. */
  readonly onRemove: (() => void) | null;
}) {
  const { label, press, mark, onRemove } = props;
  return (
    <span
      className={classes.chip}
      data-pressed={press?.isPressed === true || undefined}
      data-fault={props.isFaulty === true ? 'field' : undefined}
    >
      {press === undefined ? (
        <span className={classes.chipText}>{label}</span>
      ) : (
        <button
          type="button"
          className={classes.chipText}
          aria-pressed={press.isPressed}
          aria-label={press.label}
          onClick={press.onPress}
        >
          {label} {mark !== undefined && <span className={classes.chipMark}>{mark}</span>}
        </button>
      )}
      {onRemove !== null && (
        <button
          type="button"
          className={classes.chipRemove}
          aria-label={props.removeLabel}
          onClick={onRemove}
        >
          <IconX size={14} stroke={1.75} aria-hidden />
        </button>
      )}
    </span>
  );
}

/** `+ Add`, which opens into a field: Enter adds, Escape closes. */
export function AddDays(props: {
  readonly label: string;
  readonly fieldLabel: string;
  readonly check: (days: number) => string | null;
  readonly onAdd: (days: number) => void;
}) {
  const { t } = useWords(settingsWords);
  const [isOpen, setOpen] = useState(false);
  const [days, setDays] = useState<number | string>('');
  const [fault, setFault] = useState<string | null>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    setDays('');
    setFault(null);
    requestAnimationFrame(() => opener.current?.focus());
  };
  const add = () => {
    const found = props.check(Number(days === '' ? Number.NaN : days));
    setFault(found);
    if (found !== null) return;
    props.onAdd(Number(days));
    close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close();
    if (event.key !== 'Enter') return;
    event.preventDefault();
    add();
  };
  if (!isOpen) {
    return (
      <button ref={opener} type="button" className={classes.chipAdd} onClick={() => setOpen(true)}>
        <IconPlus size={14} stroke={1.75} aria-hidden />
        {props.label}
      </button>
    );
  }
  return (
    <NumberInput
      className={classes.chipField}
      data-autofocus
      autoFocus
      hideControls
      allowDecimal={false}
      allowNegative={false}
      aria-label={props.fieldLabel}
      rightSectionWidth={48}
      rightSection={<span className="kr-dimmed kr-small">{t('days')}</span>}
      value={days}
      error={asFieldError(fault)}
      onChange={setDays}
      onKeyDown={onKeyDown}
      onBlur={() => (days === '' ? close() : add())}
    />
  );
}
