import type { Overview } from '@keyreeve/sdk';
import { useElementSize } from '@mantine/hooks';
import { formatDate, formatDay, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import { layOutExpiry } from './expiry-layout.ts';
import classes from './overview.module.css';
import { overviewWords } from './overview.words.ts';

const HEIGHT = 250;
const WIDTH_MIN = 560;
const LABEL_ROOM = 240;
/** The server counts by days of UTC. */
const UTC = { timeZone: 'UTC' };

/** One square for each key on the day when it stops; the days of the notices are shaded. */
export function ExpiryPanel(props: { readonly value: Overview }) {
  const { value } = props;
  const { t, language } = useWords(overviewWords);
  const { ref, width } = useElementSize();
  const layout = layOutExpiry(value, Math.max(WIDTH_MIN, width), HEIGHT);
  const count = layout.total;
  const text =
    layout.perSquare === 1
      ? t('expiryText', { count })
      : t('expiryTextMany', { count: formatNumber(count, language), per: layout.perSquare });
  return (
    <Panel title={t('expiryTitle')} description={count === 0 ? t('noneExpiring') : text}>
      {/* A chart that is wider than a telephone scrolls; what scrolls must be reachable by keyboard. */}
      <div
        ref={ref}
        className={classes.chart}
        tabIndex={width < WIDTH_MIN ? 0 : -1}
        role="group"
        aria-label={t('expiryTitle')}
      >
        <svg width={layout.width} height={HEIGHT} aria-hidden focusable="false">
          <rect x={0} y={0} width={layout.noticeWidth} height={layout.floor} className={classes.notice} />
          <text x={8} y={16} className={classes.noticeLabel}>
            {t('ownersMailed')}
          </text>
          {layout.squares.map((square) => (
            <rect
              key={`${square.x}/${square.y}`}
              x={square.x}
              y={square.y}
              width={layout.side}
              height={layout.side}
              rx={2}
              className={square.isNoticed ? classes.squareAmber : classes.square}
            />
          ))}
          {layout.cliff !== null && (
            <text
              x={layout.cliff.x + (layout.cliff.x > layout.width - LABEL_ROOM ? -6 : layout.side + 6)}
              y={layout.cliff.y + 10}
              textAnchor={layout.cliff.x > layout.width - LABEL_ROOM ? 'end' : 'start'}
              className={classes.chartLabel}
            >
              <tspan className={classes.strong}>{formatDay(layout.cliff.day, language, UTC)}</tspan>{' '}
              {t('cliff', { count: layout.cliff.count })}
            </text>
          )}
          <line x1={0} x2={layout.width} y1={layout.floor} y2={layout.floor} className={classes.axis} />
          {layout.ticks.map((tick, index) => (
            <text
              key={tick.day}
              x={tick.x}
              y={layout.floor + 18}
              textAnchor={index === 0 ? 'start' : 'middle'}
              className={classes.chartLabel}
            >
              {index === 0 ? t('today') : formatDay(tick.day, language, UTC)}
            </text>
          ))}
        </svg>
      </div>
      <ExpiryTable value={value} />
    </Panel>
  );
}

/** What the chart shows, for those who do not see it. */
function ExpiryTable(props: { readonly value: Overview }) {
  const { t, language } = useWords(overviewWords);
  return (
    <div className="kr-visually-hidden">
      <table>
        <caption>{t('expiryTable')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('day')}</th>
            <th scope="col">{t('keys')}</th>
          </tr>
        </thead>
        <tbody>
          {props.value.expiringByDay.map(({ day, count }) => (
            <tr key={day}>
              <td>{formatDate(`${day}T00:00:00Z`, language, UTC)}</td>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
