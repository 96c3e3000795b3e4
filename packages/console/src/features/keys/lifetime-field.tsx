import type { Settings } from '@keyreeve/sdk';
import { SegmentedControl, Select, TextInput } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconCalendarTime } from '@tabler/icons-react';
import { type ReactNode, useId } from 'react';
import { DAY_MS, formatDays, formatInstant } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { useNow } from '../../ui/use-now.ts';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';
import { lifetimeOf } from './create-key-draft.ts';
import type { FieldProps } from './use-create-key.ts';

/** More do not fit beside one another. */
const SEGMENTS_MAX = 6;
const CUSTOM = 'custom';

/** How long the key lives: the choices of the settings, another number where they allow it, and the end of it. */
export function LifetimeField({ form, settings, wordOf }: FieldProps & { readonly settings: Settings }) {
  const { t, language } = useWords(createKeyWords);
  const now = useNow();
  const { draft, change } = form;
  const days = lifetimeOf(draft, settings.defaultLifetimeDays);
  return (
    <div>
      <LifetimeChoices form={form} settings={settings} wordOf={wordOf} />
      {draft.customDays !== null && (
        <TextInput
          className={classes.days ?? ''}
          inputMode="numeric"
          maxLength={6}
          label={t('customDays', { max: settings.maxLifetimeDays })}
          value={draft.customDays}
          error={asFieldError(wordOf('lifetimeDays'))}
          onChange={(event) => change({ customDays: event.currentTarget.value })}
        />
      )}
      {days !== null && days > 0 && (
        <p className={classes.below}>
          <IconCalendarTime size={16} stroke={1.75} aria-hidden />
          <span>
            <Rich
              words={createKeyWords}
              k="stops"
              values={{ instant: formatInstant(now + days * DAY_MS, language) }}
              parts={{ b: <b /> }}
            />
          </span>
        </p>
      )}
    </div>
  );
}

function LifetimeChoices({ form, settings, wordOf }: FieldProps & { readonly settings: Settings }) {
  const { t, language } = useWords(createKeyWords);
  const labelId = useId();
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const { draft, change } = form;
  const { lifetimeChoicesDays, defaultLifetimeDays, customLifetimes } = settings;
  const offered = lifetimeChoicesDays.includes(defaultLifetimeDays)
    ? lifetimeChoicesDays
    : [...lifetimeChoicesDays, defaultLifetimeDays];
  const choices = offered.toSorted((a, b) => a - b);
  const value = draft.customDays === null ? String(draft.lifetimeDays ?? defaultLifetimeDays) : CUSTOM;
  const choose = (chosen: string) =>
    change(
      chosen === CUSTOM
        ? { customDays: draft.customDays ?? '' }
        : { lifetimeDays: Number(chosen), customDays: null },
    );
  const labelOf = (days: number): ReactNode =>
    days === defaultLifetimeDays ? (
      <span className="kr-nowrap">
        {formatDays(days, language)} <span className="kr-dimmed">{t('default')}</span>
      </span>
    ) : (
      formatDays(days, language)
    );
  const custom = customLifetimes ? [{ value: CUSTOM, label: t('other') }] : [];
  if (isNarrow || choices.length + custom.length > SEGMENTS_MAX)
    return (
      <Select
        label={t('lifetime')}
        allowDeselect={false}
        value={value}
        error={draft.customDays === null ? asFieldError(wordOf('lifetimeDays')) : null}
        onChange={(chosen) => chosen !== null && choose(chosen)}
        data={[
          ...choices.map((days) => ({
            value: String(days),
            label:
              days === defaultLifetimeDays
                ? t('daysDefault', { days: formatDays(days, language) })
                : formatDays(days, language),
          })),
          ...custom,
        ]}
      />
    );
  return (
    <>
      <p id={labelId} className={classes.title}>
        {t('lifetime')}
      </p>
      <SegmentedControl
        fullWidth
        className={classes.lifetimes ?? ''}
        aria-labelledby={labelId}
        value={value}
        onChange={choose}
        data={[...choices.map((days) => ({ value: String(days), label: labelOf(days) })), ...custom]}
      />
      {draft.customDays === null && asFieldError(wordOf('lifetimeDays'))}
    </>
  );
}
