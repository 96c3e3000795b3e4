import type { Key, Settings } from '@keyreeve/sdk';
import { useQuery } from '@tanstack/react-query';
import { DAY_MS, formatDate, formatDays } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useNow } from '../../ui/use-now.ts';
import { settingsQuery } from '../settings/settings-queries.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';

/** The longest lifetime that a key could be given today. */
function longestDays(settings: Settings): number {
  return settings.customLifetimes ? settings.maxLifetimeDays : Math.max(...settings.lifetimeChoicesDays);
}

/** Until when the key lives now, and until when then: its own lifetime again, or the longest allowed today. */
export function RegenerateExpiry(props: { readonly value: Key }) {
  const { expiresAt, lifetimeDays, status } = props.value;
  const { t, language } = useWords(keyDialogsWords);
  const ui = useWords(uiWords);
  const now = useNow();
  const { data } = useQuery(settingsQuery);
  if (lifetimeDays === null) return null;
  const days = data === undefined ? lifetimeDays : Math.min(lifetimeDays, longestDays(data.settings));
  const tone = status === 'expired' ? 'kr-red' : status === 'expiring' ? 'kr-amber' : '';
  const isCapped = days < lifetimeDays;
  return (
    <dl className={classes.facts}>
      <dt>{t('expiresNow')}</dt>
      <dd className={tone}>{expiresAt === null ? ui.t('never') : formatDate(expiresAt, language)}</dd>
      <dt>{t('newExpiry')}</dt>
      <dd>
        {formatDate(new Date(now + days * DAY_MS).toISOString(), language)}{' '}
        <span className="kr-dimmed">
          {isCapped
            ? t('capped', { days: formatDays(days, language), before: formatDays(lifetimeDays, language) })
            : formatDays(days, language)}
        </span>
      </dd>
    </dl>
  );
}
