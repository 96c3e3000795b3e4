import type { Overview } from '@keyreeve/sdk';
import { useElementSize } from '@mantine/hooks';
import { formatDay, formatInstant, formatNumber, formatTime } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import classes from './overview.module.css';
import { overviewWords } from './overview.words.ts';
import { layOutVerifications } from './verifications-layout.ts';

const HEIGHT = 220;
const WIDTH_MIN = 560;
const ONE_DAY_HOURS = 24;

function formatShare(accepted: number, total: number): string {
  // Rounded down: one refusal among a million shall not read as 100 %.
  return (Math.floor((accepted / total) * 10_000) / 100).toFixed(2).replace(/\.?0+$/, '');
}

export function VerificationsPanel(props: { readonly value: Overview; readonly period: string }) {
  const { value, period } = props;
  const { t, language } = useWords(overviewWords);
  const { ref, width } = useElementSize();
  const layout = layOutVerifications(value, Math.max(WIDTH_MIN, width), HEIGHT);
  const { total, accepted } = layout;
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
      <div
        ref={ref}
        className={classes.chart}
        tabIndex={width < WIDTH_MIN ? 0 : -1}
        role="group"
        aria-label={t('verificationsTable')}
      >
        <svg width={layout.width} height={HEIGHT} aria-hidden focusable="false">
          {layout.lines.map((line) => (
            <g key={line.count}>
              <line x1={layout.left} x2={layout.width} y1={line.y} y2={line.y} className={classes.gridLine} />
              <text x={layout.left - 8} y={line.y + 4} textAnchor="end" className={classes.chartLabel}>
                {formatNumber(line.count, language)}
              </text>
            </g>
          ))}
          <path d={layout.area} className={classes.area} />
          <path d={layout.curve} className={classes.curve} />
          {layout.refusedCurve !== null && <path d={layout.refusedCurve} className={classes.refusedCurve} />}
          {layout.ticks.map((tick) => (
            <text key={tick.at} x={tick.x} y={HEIGHT - 6} textAnchor="middle" className={classes.chartLabel}>
              {value.hours === ONE_DAY_HOURS ? formatTime(tick.at, language) : formatDay(tick.at, language)}
            </text>
          ))}
        </svg>
      </div>
      <VerificationsTable value={value} />
    </Panel>
  );
}

/** What the chart shows, for those who do not see it. */
function VerificationsTable(props: { readonly value: Overview }) {
  const { t, language } = useWords(overviewWords);
  return (
    <div className="kr-visually-hidden">
      <table>
        <caption>{t('verificationsTable')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('hour')}</th>
            <th scope="col">{t('accepted')}</th>
            <th scope="col">{t('refused')}</th>
          </tr>
        </thead>
        <tbody>
          {props.value.verifications.map((hour) => (
            <tr key={hour.hour}>
              <td>{formatInstant(hour.hour, language)}</td>
              <td>{hour.accepted}</td>
              <td>{hour.refused}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
