import type { Overview } from '@keyreeve/sdk';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import { overviewWords } from './overview.words.ts';
import { VerificationsChart } from './verifications-chart.tsx';
import { formatShare } from './verifications-layout.ts';

export function VerificationsPanel(props: { readonly value: Overview; readonly period: string }) {
  const { value, period } = props;
  const { t, language } = useWords(overviewWords);
  const accepted = value.verifications.reduce((sum, hour) => sum + hour.accepted, 0);
  const total = value.verifications.reduce((sum, hour) => sum + hour.refused, accepted);
  const zone = new Intl.DateTimeFormat(language, { timeZoneName: 'short' })
    .formatToParts()
    .find((part) => part.type === 'timeZoneName')?.value;
  return (
    <Panel
      title={t('verifications')}
      description={
        total === 0
          ? t('noVerifications')
          : t('verificationsText', {
              total: formatNumber(total, language),
              period,
              share: formatShare(accepted, total),
            })
      }
      actions={<span className="kr-dimmed kr-small">{t('perHour', { zone: zone ?? 'UTC' })}</span>}
    >
      <VerificationsChart value={value} label={t('verificationsTable')} />
    </Panel>
  );
}
