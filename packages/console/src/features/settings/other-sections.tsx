import { SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useId } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { TimeZoneField, ZoneNow } from '../../ui/time-zone-field.tsx';
import { Section, Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import type { SettingsForm } from './use-settings-form.ts';

export function VerificationSection({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  return (
    <Section title={t('verification')} text={t('verificationText')}>
      <div>
        <Switch
          label={t('requireAction')}
          description={t('requireActionHint')}
          checked={form.current.requireAction}
          onChange={(event) => form.set('requireAction', event.currentTarget.checked)}
        />
        <Was isChanged={form.isChanged('requireAction')} value={t(form.saved.requireAction ? 'on' : 'off')} />
      </div>
    </Section>
  );
}

function SupportField(props: {
  readonly form: SettingsForm;
  readonly name: 'supportEmail' | 'supportUrl';
  readonly type: 'email' | 'url';
}) {
  const { form, name, type } = props;
  const { t } = useWords(settingsWords);
  const isChanged = form.isChanged(name);
  return (
    <div>
      <TextInput
        type={type}
        label={t(name)}
        description={t(`${name}Hint`)}
        error={asFieldError(form.faultOf(name))}
        data-changed={isChanged || undefined}
        maxLength={512}
        autoComplete="off"
        value={form.current[name] ?? ''}
        onChange={(event) => {
          const text = event.currentTarget.value;
          form.set(name, text.trim() === '' ? null : text.trim());
        }}
      />
      <Was isChanged={isChanged} value={form.saved[name] ?? t('none')} />
    </div>
  );
}

export function GeneralSection({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  const id = useId();
  return (
    <Section title={t('general')} text={t('generalText')}>
      <div>
        <div id={id} className={classes.label}>
          {t('locale')}
        </div>
        <div className={classes.line}>
          <SegmentedControl
            aria-labelledby={id}
            value={form.current.defaultLocale}
            onChange={(value) => form.set('defaultLocale', value === 'ja' ? 'ja' : 'en')}
            data={[
              { value: 'en', label: <span lang="en">English</span> },
              { value: 'ja', label: <span lang="ja">日本語</span> },
            ]}
          />
          <Was
            isChanged={form.isChanged('defaultLocale')}
            value={form.saved.defaultLocale === 'ja' ? '日本語' : 'English'}
          />
        </div>
      </div>
      <div>
        <TimeZoneField
          label={t('timeZone')}
          value={form.current.defaultTimeZone}
          error={form.faultOf('defaultTimeZone')}
          isChanged={form.isChanged('defaultTimeZone')}
          onChange={(zone) => form.set('defaultTimeZone', zone ?? form.saved.defaultTimeZone)}
        />
        <p className={classes.under}>
          {t('timeZoneHint')} <ZoneNow zone={form.current.defaultTimeZone} />
        </p>
        <Was isChanged={form.isChanged('defaultTimeZone')} value={form.saved.defaultTimeZone} />
      </div>
      <SupportField form={form} name="supportEmail" type="email" />
      <SupportField form={form} name="supportUrl" type="url" />
    </Section>
  );
}
