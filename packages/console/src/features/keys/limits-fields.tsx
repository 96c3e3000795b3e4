import { NativeSelect, TextInput } from '@mantine/core';
import { formatDuration, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import classes from './limits.module.css';
import { limitsWords } from './limits.words.ts';
import {
  findLimitsFaults,
  type LimitsDraft,
  type LimitsField,
  type Refill,
  WINDOWS_SECONDS,
} from './limits-draft.ts';

const REFILLS: readonly Refill[] = ['never', 'hour', 'day', 'month'];

/** How many requests in a time, how many uses in all, and when those come back. */
export function LimitsFields(props: {
  readonly value: LimitsDraft;
  readonly onChange: (value: LimitsDraft) => void;
  /** What the server says, by its names: `rate.requests`, `quota.uses`, `quota.refill.uses`. */
  readonly faultOf: (field: string) => string | null;
}) {
  const { value, faultOf } = props;
  const { t, language } = useWords(limitsWords);
  const change = (patch: Partial<LimitsDraft>) => props.onChange({ ...value, ...patch });
  const faults = findLimitsFaults(value);
  const wordOf = (field: LimitsField, name: string): string | null => {
    const max = faults.get(field);
    return max === undefined ? faultOf(name) : t('fault', { max: formatNumber(max, language) });
  };
  const windows = [...new Set([...WINDOWS_SECONDS, value.windowSeconds])].toSorted((a, b) => a - b);
  const isRefilled = value.refill !== 'never';
  return (
    <div className={classes.fields}>
      <NumberField
        label={t('requests')}
        value={value.requests}
        fault={wordOf('requests', 'rate.requests')}
        onChange={(requests) => change({ requests })}
      />
      <NativeSelect
        label={t('within')}
        value={value.windowSeconds}
        error={asFieldError(faultOf('rate.windowSeconds'))}
        onChange={(event) => change({ windowSeconds: Number(event.currentTarget.value) })}
        data={windows.map((seconds) => ({
          value: String(seconds),
          label: formatDuration(seconds, language),
        }))}
      />
      <NumberField
        label={isRefilled ? t('usesRefilled') : t('uses')}
        value={value.uses}
        fault={wordOf('uses', 'quota.uses')}
        onChange={(uses) => change({ uses })}
      />
      <NativeSelect
        label={t('refill')}
        value={value.refill}
        onChange={(event) =>
          change({ refill: REFILLS.find((refill) => refill === event.currentTarget.value) ?? 'never' })
        }
        data={REFILLS.map((refill) => ({ value: refill, label: t(`refill${refill}`) }))}
      />
      {isRefilled && (
        <NumberField
          label={t('refillUses')}
          placeholder={t('all')}
          value={value.refillUses}
          fault={wordOf('refillUses', 'quota.refill.uses')}
          onChange={(refillUses) => change({ refillUses })}
        />
      )}
    </div>
  );
}

function NumberField(props: {
  readonly label: string;
  readonly placeholder?: string;
  readonly value: string;
  readonly fault: string | null;
  readonly onChange: (value: string) => void;
}) {
  return (
    <TextInput
      inputMode="numeric"
      maxLength={10}
      autoComplete="off"
      label={props.label}
      placeholder={props.placeholder ?? ''}
      value={props.value}
      error={asFieldError(props.fault)}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}
