import { useElementSize } from '@mantine/hooks';
import { formatDay, formatInstant, formatNumber, formatTime } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './overview.module.css';
import { overviewWords } from './overview.words.ts';
import { layOutVerifications, type Verifications } from './verifications-layout.ts';

const HEIGHT = 220;
const WIDTH_MIN = 280;
const ONE_DAY_HOURS = 24;

/** All uses as an area and refusals as a line, with a table behind it for those who do not see it. */
export function VerificationsChart(props: { readonly value: Verifications; readonly label: string }) {
  const { value, label } = props;
  const { language } = useWords(overviewWords);
  const { ref, width } = useElementSize();
  const layout = layOutVerifications(value, Math.max(WIDTH_MIN, width), HEIGHT);
  const labelOf = (at: string): string => {
    if (value.bucketHours === ONE_DAY_HOURS) return formatDay(at, language, { timeZone: 'UTC' });
    return value.hours === ONE_DAY_HOURS ? formatTime(at, language) : formatDay(at, language);
  };
  return (
    <>
      <div
        ref={ref}
        className={classes.chart}
        tabIndex={width < WIDTH_MIN ? 0 : -1}
        role="group"
        aria-label={label}
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
              {labelOf(tick.at)}
            </text>
          ))}
        </svg>
      </div>
      {layout.refusedCurve !== null && <Legend />}
      <ChartTable value={value} label={label} />
    </>
  );
}

/** Lines that differ in more than their colour. */
function Legend() {
  const { t } = useWords(overviewWords);
  const line = (className: string | undefined) => (
    <svg width={24} height={8} aria-hidden focusable="false">
      <path d="M0 4H24" className={className} />
    </svg>
  );
  return (
    <div className={classes.legend} aria-hidden>
      <span>
        {line(classes.curve)}
        {t('allUses')}
      </span>
      <span>
        {line(classes.refusedCurve)}
        {t('refused')}
      </span>
    </div>
  );
}

function ChartTable(props: { readonly value: Verifications; readonly label: string }) {
  const { t, language } = useWords(overviewWords);
  const isByDay = props.value.bucketHours === ONE_DAY_HOURS;
  return (
    <div className="kr-visually-hidden">
      <table>
        <caption>{props.label}</caption>
        <thead>
          <tr>
            <th scope="col">{isByDay ? t('day') : t('hour')}</th>
            <th scope="col">{t('accepted')}</th>
            <th scope="col">{t('refused')}</th>
          </tr>
        </thead>
        <tbody>
          {props.value.verifications.map((bucket) => (
            <tr key={bucket.hour}>
              <td>
                {isByDay
                  ? formatDay(bucket.hour, language, { timeZone: 'UTC' })
                  : formatInstant(bucket.hour, language)}
              </td>
              <td>{bucket.accepted}</td>
              <td>{bucket.refused}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
