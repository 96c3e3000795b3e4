import { type KeyboardEvent, useId, useState } from 'react';
import { formatDays } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { FieldError } from '../../ui/field-error.tsx';
import { DaysChip, useDaysFault } from './days-chips.tsx';
import { NoticeTimeline } from './notice-timeline.tsx';
import { Section, Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { LIMITS } from './settings-draft.ts';
import type { SettingsForm } from './use-settings-form.ts';

const NOTICE_LIMITS = { ...LIMITS.noticeDays, entries: LIMITS.notices };

/** The list of days and the number that is typed into its field. */
function useNoticeDays(form: SettingsForm) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const daysFault = useDaysFault();
  const list = form.current.expiryNoticeDays.toSorted((a, b) => b - a);
  const remove = (count: number | undefined) =>
    form.set(
      'expiryNoticeDays',
      list.filter((each) => each !== count),
    );
  const add = () => {
    if (text === '') return;
    const count = Number(text);
    const found = daysFault(count, list, NOTICE_LIMITS);
    setFault(found);
    if (found !== null) return;
    form.set(
      'expiryNoticeDays',
      [...list, count].toSorted((a, b) => b - a),
    );
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' || event.key === ',') {
      event.preventDefault();
      add();
    }
    if (event.key === 'Backspace' && text === '') remove(list.at(-1));
  };
  const type = (typed: string) => {
    setText(typed.replaceAll(/\D/g, ''));
    setFault(null);
  };
  return { text, type, list, remove, add, onKeyDown, fault: fault ?? form.faultOf('expiryNoticeDays') };
}

function NoticeDays({ form }: { readonly form: SettingsForm }) {
  const { t, language } = useWords(settingsWords);
  const id = useId();
  const { text, type, list, remove, add, onKeyDown, fault } = useNoticeDays(form);
  const days = (count: number) => t('before', { days: formatDays(count, language) });
  const saved = form.saved.expiryNoticeDays;
  const isChanged = form.isChanged('expiryNoticeDays');
  return (
    <div role="group" aria-labelledby={`${id}-label`}>
      <label id={`${id}-label`} htmlFor={id} className={classes.label}>
        {t('noticeDays')}
      </label>
      <div id={`${id}-hint`} className={classes.hint}>
        {t('noticeDaysHint')}
      </div>
      <div
        className={classes.pills}
        data-changed={isChanged || undefined}
        data-invalid={fault !== null || undefined}
      >
        {list.map((count) => (
          <DaysChip
            key={count}
            label={days(count)}
            removeLabel={t('noticeRemove', { days: days(count) })}
            onRemove={() => remove(count)}
          />
        ))}
        <input
          id={id}
          className={classes.pillsInput}
          inputMode="numeric"
          autoComplete="off"
          maxLength={4}
          placeholder={t('noticeAdd')}
          aria-describedby={fault === null ? `${id}-hint` : `${id}-hint ${id}-fault`}
          aria-invalid={fault !== null}
          value={text}
          onChange={(event) => type(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={add}
        />
      </div>
      {fault !== null && (
        <div className={classes.fault} role="alert">
          <FieldError id={`${id}-fault`}>{fault}</FieldError>
        </div>
      )}
      <Was isChanged={isChanged} value={saved.length === 0 ? t('none') : saved.map(days).join(', ')} />
    </div>
  );
}

export function NoticesSection({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  return (
    <Section title={t('notices')} text={t('noticesText')}>
      <NoticeDays form={form} />
      <NoticeTimeline days={form.current.expiryNoticeDays} />
      <p className={classes.hint}>{t('noticeShort')}</p>
    </Section>
  );
}
