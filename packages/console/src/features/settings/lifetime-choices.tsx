import { useId } from 'react';
import { formatDays } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { FieldError } from '../../ui/field-error.tsx';
import { AddDays, DaysChip, useDaysFault } from './days-chips.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { LIMITS } from './settings-draft.ts';
import type { SettingsForm } from './use-settings-form.ts';

const CHOICE_LIMITS = { ...LIMITS.lifetimeDays, entries: LIMITS.choices };

function LifetimeChip(props: {
  readonly form: SettingsForm;
  readonly choice: number;
  readonly isFaulty: boolean;
}) {
  const { form, choice } = props;
  const { t, language } = useWords(settingsWords);
  const { lifetimeChoicesDays: choices, defaultLifetimeDays } = form.current;
  const isDefault = choice === defaultLifetimeDays;
  const days = formatDays(choice, language);
  const remove = () =>
    form.set(
      'lifetimeChoicesDays',
      choices.filter((each) => each !== choice),
    );
  return (
    <DaysChip
      label={days}
      removeLabel={t('choiceRemove', { days })}
      isFaulty={props.isFaulty || (isDefault && form.faultOf('defaultLifetimeDays') !== null)}
      {...(isDefault ? { mark: t('default') } : {})}
      press={{
        label: t(isDefault ? 'choiceIsDefault' : 'choiceMakeDefault', { days }),
        isPressed: isDefault,
        onPress: () => form.set('defaultLifetimeDays', choice),
      }}
      onRemove={isDefault || choices.length === 1 ? null : remove}
    />
  );
}

/** The lifetimes that people may choose, one of them the default. */
export function LifetimeChoices({ form }: { readonly form: SettingsForm }) {
  const { t, language } = useWords(settingsWords);
  const id = useId();
  const daysFault = useDaysFault();
  const { current, saved } = form;
  const choices = current.lifetimeChoicesDays;
  const days = (count: number) => formatDays(count, language);
  const faulty = choices[form.faultyEntryOf('lifetimeChoicesDays') ?? -1];
  const fault = form.faultOf('lifetimeChoicesDays') ?? form.faultOf('defaultLifetimeDays');
  const add = (count: number) =>
    form.set(
      'lifetimeChoicesDays',
      [...choices, count].toSorted((a, b) => a - b),
    );
  return (
    <div role="group" aria-labelledby={id}>
      <div id={id} className={classes.label}>
        {t('choices')}
      </div>
      <div className={classes.hint}>{t('choicesHint')}</div>
      <div className={classes.chips}>
        {choices.map((choice) => (
          <LifetimeChip key={choice} form={form} choice={choice} isFaulty={choice === faulty} />
        ))}
        <AddDays
          label={t('choiceAdd')}
          fieldLabel={t('choiceNew')}
          check={(count) => daysFault(count, choices, CHOICE_LIMITS)}
          onAdd={add}
        />
      </div>
      {!choices.includes(current.defaultLifetimeDays) && (
        <p className={classes.hint}>{t('defaultNotOffered', { days: days(current.defaultLifetimeDays) })}</p>
      )}
      {fault !== null && (
        <div className={classes.fault} role="alert">
          <FieldError>
            {faulty === undefined ? fault : t('choiceFault', { days: days(faulty), fault })}
          </FieldError>
        </div>
      )}
      {(form.isChanged('lifetimeChoicesDays') || form.isChanged('defaultLifetimeDays')) && (
        <span className={classes.was}>
          {t('choicesWere', {
            list: saved.lifetimeChoicesDays.map(days).join(', '),
            default: days(saved.defaultLifetimeDays),
          })}
        </span>
      )}
    </div>
  );
}
