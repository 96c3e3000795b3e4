import { NativeSelect } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useState } from 'react';
import { formatDuration, formatTime } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { useNow } from '../../ui/use-now.ts';
import { NumberField } from './number-field.tsx';
import { ResourceList } from './resource-list.tsx';
import { Section, Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { isWithin, LIMITS } from './settings-draft.ts';
import type { SettingsForm } from './use-settings-form.ts';

const UNITS = [
  { name: 'hours', seconds: 3_600 },
  { name: 'minutes', seconds: 60 },
  { name: 'seconds', seconds: 1 },
] as const;
type Unit = (typeof UNITS)[number];

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;

function largestUnitOf(seconds: number): Unit {
  return UNITS.find((unit) => seconds % unit.seconds === 0) ?? UNITS[2];
}

/** When a token of this length that is issued now stops. */
function TokenEffect(props: { readonly seconds: number }) {
  const { t, language } = useWords(settingsWords);
  const now = useNow();
  const to = now + props.seconds * 1_000;
  const isTomorrow = new Date(now).toDateString() !== new Date(to).toDateString();
  return (
    <p className={classes.effect}>
      <IconArrowRight size={16} stroke={1.75} aria-hidden />
      {t(isTomorrow ? 'tokenEffectTomorrow' : 'tokenEffect', {
        from: formatTime(now, language),
        to: formatTime(to, language),
      })}
    </p>
  );
}

function TokenLifetime({ form }: { readonly form: SettingsForm }) {
  const { t, language } = useWords(settingsWords);
  const { tokenLifetimeSeconds: seconds } = form.current;
  const [chosen, setChosen] = useState<Unit | null>(null);
  // A discard may bring back a length that the chosen unit cannot say.
  const isSayable = chosen !== null && (Number.isNaN(seconds) || seconds % chosen.seconds === 0);
  const unit = isSayable ? chosen : largestUnitOf(seconds);
  const isChanged = form.isChanged('tokenLifetimeSeconds');
  const set = (amount: number, by: Unit) => {
    setChosen(by);
    form.set('tokenLifetimeSeconds', amount * by.seconds);
  };
  const changeUnit = (name: string) => {
    const next = UNITS.find((each) => each.name === name) ?? unit;
    setChosen(next);
    // 1 hour becomes 60 minutes; 30 minutes are no whole hours, so the number stays and the length changes.
    if (seconds % next.seconds !== 0) set(seconds / unit.seconds, next);
  };
  return (
    <div>
      <NumberField
        label={t('tokenLifetime')}
        hint={t('tokenLifetimeHint')}
        value={seconds / unit.seconds}
        onChange={(amount) => set(amount, unit)}
        isChanged={isChanged}
        was={formatDuration(form.saved.tokenLifetimeSeconds, language)}
        fault={form.faultOf('tokenLifetimeSeconds')}
        unit={
          <NativeSelect
            aria-label={t('unit')}
            className={classes.unit}
            data-changed={isChanged || undefined}
            value={unit.name}
            data={UNITS.map(({ name }) => ({ value: name, label: t(name) }))}
            onChange={(event) => changeUnit(event.currentTarget.value)}
          />
        }
      />
      {isWithin(seconds, LIMITS.tokenLifetimeSeconds) && <TokenEffect seconds={seconds} />}
    </div>
  );
}

export function TokensSection({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  const isChanged = form.isChanged('signingAlgorithm');
  return (
    <Section title={t('tokens')} text={t('tokensText')}>
      <TokenLifetime form={form} />
      <NativeSelect
        label={t('algorithm')}
        description={t('algorithmHint')}
        error={asFieldError(form.faultOf('signingAlgorithm'))}
        classNames={{ wrapper: classes.choice ?? '' }}
        data-changed={isChanged || undefined}
        value={form.current.signingAlgorithm}
        data={ALGORITHMS.map((name) => ({ value: name, label: t(`algorithm${name}`) }))}
        onChange={(event) => {
          const next = ALGORITHMS.find((name) => name === event.currentTarget.value);
          if (next !== undefined) form.set('signingAlgorithm', next);
        }}
        inputContainer={(input) => (
          <div className={classes.line}>
            {input}
            <Was isChanged={isChanged} value={form.saved.signingAlgorithm} />
          </div>
        )}
      />
      <ResourceList form={form} />
    </Section>
  );
}
