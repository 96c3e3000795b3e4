import { formatDate, formatInstant, formatRelative } from '../format/dates.ts';
import { currentLanguage } from '../i18n/i18n.ts';
import { useNow } from './use-now.ts';

const RECENT_MS = 2 * 86_400_000;

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

/** Something that has happened: how long ago while that is a matter of hours, later the day. */
export function Recent(props: { readonly at: string; readonly className?: string }) {
  const isRecent = useNow() - Date.parse(props.at) < RECENT_MS;
  return isRecent ? <Ago {...props} /> : <Day {...props} />;
}
