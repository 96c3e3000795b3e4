import { formatDays, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';

/** Where the day of expiry stands, and how far left the first mail may stand, in percent of the line. */
const EXPIRY_AT = 94;
const FIRST_AT = 4;
/** So that two labels beside each other can be read. */
const GAP = 9;

/**
 * Places the mails on the line, the earliest left. Days are drawn by their square root: a threshold of one day
 * keeps its distance from the expiry beside one of a year.
 *
 * @param days the latest last
 */
export function placeNotices(days: readonly number[]): readonly number[] {
  const longest = Math.max(...days, 1);
  const width = EXPIRY_AT - FIRST_AT;
  const wanted = days.map((count) => EXPIRY_AT - width * Math.sqrt(count / longest));
  let next = EXPIRY_AT;
  const spread = wanted.toReversed().map((place) => (next = Math.min(place, next - GAP)));
  // Many thresholds push the first ones out on the left; then all move together.
  const farthest = Math.min(...spread, EXPIRY_AT);
  const squeeze = farthest < FIRST_AT ? width / (EXPIRY_AT - farthest) : 1;
  return spread.toReversed().map((place) => EXPIRY_AT - (EXPIRY_AT - place) * squeeze);
}

/** The mails of a key's last days as points on a line. Those who do not see it hear one sentence. */
export function NoticeTimeline(props: { readonly days: readonly number[] }) {
  const { t, language } = useWords(settingsWords);
  const days = props.days.toSorted((a, b) => b - a);
  const places = placeNotices(days);
  const names = days.map((count) => t('before', { days: formatDays(count, language) }));
  const label = days.length === 0 ? t('noticeLineNone') : t('noticeLine', { list: names.join(', ') });
  return (
    <div role="img" aria-label={label} className={classes.timeline}>
      <span className={classes.timelineLine} />
      {days.map((count, index) => (
        <span key={count} className={classes.timelinePoint} style={{ insetInlineStart: `${places[index]}%` }}>
          <span className={classes.timelineDot} />
          <span className={classes.timelineWide}>{names[index]}</span>
          <span className={classes.timelineShort}>{formatNumber(count, language)}</span>
        </span>
      ))}
      <span className={classes.timelinePoint} style={{ insetInlineStart: `${EXPIRY_AT}%` }}>
        <span className={classes.timelineDot} data-expired />
        <span>{t('expired')}</span>
      </span>
    </div>
  );
}
