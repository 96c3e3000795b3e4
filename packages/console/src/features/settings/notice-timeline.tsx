import { formatDays, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { EXPIRY_AT, placeNotices } from './notice-places.ts';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';

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
