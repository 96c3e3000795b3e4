import { formatDate, formatInstant, formatRelative } from '../format/dates.ts';
import { currentLanguage } from '../i18n/i18n.ts';
import { useNow } from './use-now.ts';

/** "12 min ago"; the exact instant, with its zone, in the title. */
export function Ago(props: { readonly at: string; readonly className?: string }) {
  const now = useNow();
  const language = currentLanguage();
  return (
    <time dateTime={props.at} title={formatInstant(props.at, language)} className={props.className ?? ''}>
      {formatRelative(props.at, now, language)}
    </time>
  );
}

/** "28 Nov 2026"; the exact instant in the title. */
export function Day(props: { readonly at: string; readonly className?: string }) {
  const language = currentLanguage();
  return (
    <time dateTime={props.at} title={formatInstant(props.at, language)} className={props.className ?? ''}>
      {formatDate(props.at, language)}
    </time>
  );
}

/** True for today and yesterday: up to then people think in hours. */
function isRecent(at: string, now: number): boolean {
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  return Date.parse(at) >= yesterday.setHours(0, 0, 0, 0);
}

/** Something that has happened: how long ago if it was today or yesterday, otherwise the day. */
export function Recent(props: { readonly at: string; readonly className?: string }) {
  return isRecent(props.at, useNow()) ? <Ago {...props} /> : <Day {...props} />;
}
