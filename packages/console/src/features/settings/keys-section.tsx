import { Alert, Switch } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { formatDays, formatNumber } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { LifetimeChoices } from './lifetime-choices.tsx';
import { NumberField } from './number-field.tsx';
import { Section, Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { isWithin, LIMITS } from './settings-draft.ts';
import { longLivedKeysQuery } from './settings-queries.ts';
import type { SettingsForm } from './use-settings-form.ts';

const SETTLE_MS = 300;

/** Keys that the longest lifetime would not allow any more. They stay as they are; people should know of them. */
function LongLivedKeys(props: { readonly days: number }) {
  const { t, language } = useWords(settingsWords);
  const [settled] = useDebouncedValue(props.days, SETTLE_MS);
  const isAsked = isWithin(settled, LIMITS.lifetimeDays);
  const { data } = useQuery({ ...longLivedKeysQuery(settled), enabled: isAsked });
  const isShown = isAsked && data !== undefined && data.count > 0;
  const days = formatDays(settled, language);
  return (
    <div aria-live="polite">
      {isShown && (
        <Alert
          className={classes.alert ?? ''}
          color="amber"
          icon={<IconAlertTriangle size={18} stroke={1.75} aria-hidden />}
        >
          <Rich
            words={settingsWords}
            k={data.isOpen ? 'longerMany' : 'longer'}
            values={{ count: data.count, number: formatNumber(data.count, language), days }}
            parts={{ b: <strong /> }}
          />{' '}
          {t('longerText', { days })}{' '}
          <Link className={classes.alertLink} to="/keys" search={{ over: settled }}>
            {t('showKeys')}
          </Link>
        </Alert>
      )}
    </div>
  );
}

export function KeysSection({ form }: { readonly form: SettingsForm }) {
  const { t, language } = useWords(settingsWords);
  const { current, saved, set } = form;
  return (
    <Section title={t('keys')} text={t('keysText')}>
      <LifetimeChoices form={form} />
      <div>
        <Switch
          label={t('custom')}
          description={t('customHint')}
          checked={current.customLifetimes}
          onChange={(event) => set('customLifetimes', event.currentTarget.checked)}
        />
        <Was isChanged={form.isChanged('customLifetimes')} value={t(saved.customLifetimes ? 'on' : 'off')} />
      </div>
      <div>
        <NumberField
          label={t('longest')}
          hint={t('longestHint')}
          value={current.maxLifetimeDays}
          onChange={(value) => set('maxLifetimeDays', value)}
          unit={<span>{t('days')}</span>}
          isChanged={form.isChanged('maxLifetimeDays')}
          was={formatDays(saved.maxLifetimeDays, language)}
          fault={form.faultOf('maxLifetimeDays')}
        />
        <LongLivedKeys days={current.maxLifetimeDays} />
      </div>
      <NumberField
        label={t('perAccount')}
        hint={t('perAccountHint')}
        value={current.maxKeysPerAccount}
        onChange={(value) => set('maxKeysPerAccount', value)}
        unit={<span>{t('keysUnit')}</span>}
        isChanged={form.isChanged('maxKeysPerAccount')}
        was={formatNumber(saved.maxKeysPerAccount, language)}
        fault={form.faultOf('maxKeysPerAccount')}
      />
    </Section>
  );
}
