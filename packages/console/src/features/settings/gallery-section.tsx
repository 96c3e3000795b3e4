import { SegmentedControl, Switch } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useId } from 'react';
import { formatBytes, formatNumber } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { NumberField } from './number-field.tsx';
import { Section, Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { MIB } from './settings-draft.ts';
import type { SettingsForm } from './use-settings-form.ts';

const QUOTAS = [
  {
    name: 'maxPackagesPerAccount',
    label: 'packagesPerAccount',
    hint: 'packagesPerAccountHint',
    unit: 'packagesUnit',
    unitSize: 1,
    first: 20_000,
  },
  {
    name: 'maxVersionsPerPackage',
    label: 'versionsPerPackage',
    hint: 'versionsPerPackageHint',
    unit: 'versionsUnit',
    unitSize: 1,
    first: 10_000,
  },
  {
    name: 'maxGalleryBytesPerAccount',
    label: 'bytesPerAccount',
    hint: 'bytesPerAccountHint',
    unit: null,
    unitSize: MIB,
    first: 10_240 * MIB,
  },
] as const;

function QuotaField(props: { readonly form: SettingsForm; readonly quota: (typeof QUOTAS)[number] }) {
  const { form, quota } = props;
  const { name, unitSize } = quota;
  const { t, language } = useWords(settingsWords);
  const { current, saved, set } = form;
  const value = current[name];
  const word = (stored: number | null) => {
    if (stored === null) return t('noLimit');
    return unitSize === 1 ? formatNumber(stored, language) : formatBytes(stored, language);
  };
  const isChanged = form.isChanged(name);
  return (
    <div>
      {value === null ? (
        <>
          <div className={classes.label}>{t(quota.label)}</div>
          <div className={classes.line}>
            <span className="kr-secondary">{t('noLimit')}</span>
            <Was isChanged={isChanged} value={word(saved[name])} />
          </div>
        </>
      ) : (
        <NumberField
          label={t(quota.label)}
          hint={t(quota.hint)}
          value={value / unitSize}
          onChange={(next) => set(name, next * unitSize)}
          unit={<span>{quota.unit === null ? 'MiB' : t(quota.unit)}</span>}
          isChanged={isChanged}
          was={word(saved[name])}
          fault={form.faultOf(name)}
        />
      )}
      <Switch
        mt="xs"
        label={t('limit')}
        aria-label={`${t(quota.label)}: ${t('limit')}`}
        checked={value !== null}
        onChange={(event) => set(name, event.currentTarget.checked ? (saved[name] ?? quota.first) : null)}
      />
    </div>
  );
}

export function GallerySection({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  const id = useId();
  const { current, saved } = form;
  const wordOf = (read: typeof current.galleryRead) => t(read === 'anonymous' ? 'anyone' : 'onlyWithKey');
  return (
    <Section title={t('gallery')} text={t('galleryText')}>
      <div>
        <div id={id} className={classes.label}>
          {t('galleryRead')}
        </div>
        <div className={classes.line}>
          <SegmentedControl
            aria-labelledby={id}
            value={current.galleryRead}
            onChange={(value) =>
              form.set('galleryRead', value === 'anonymous' ? 'anonymous' : 'authenticated')
            }
            data={(['anonymous', 'authenticated'] as const).map((value) => ({ value, label: wordOf(value) }))}
          />
          <Was isChanged={form.isChanged('galleryRead')} value={wordOf(saved.galleryRead)} />
        </div>
        <p className={classes.under}>{t('galleryReadHint')}</p>
      </div>
      {QUOTAS.map((quota) => (
        <QuotaField key={quota.name} form={form} quota={quota} />
      ))}
      <p className={classes.under}>
        <Rich
          words={settingsWords}
          k="reservedIds"
          parts={{ a: <Link to="/reserved-ids" className={classes.alertLink ?? ''} /> }}
        />
      </p>
    </Section>
  );
}
