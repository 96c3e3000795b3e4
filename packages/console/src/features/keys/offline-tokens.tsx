import { useQuery } from '@tanstack/react-query';
import { useWords } from '../../i18n/words.tsx';
import { settingsQuery } from '../settings/settings-queries.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3_600;

/** How long tokens of the key may be accepted by services that do not ask this server. */
export function OfflineTokens() {
  const { t } = useWords(keyDialogsWords);
  const { data } = useQuery(settingsQuery);
  if (data === undefined) return null;
  const { tokenLifetimeSeconds: seconds } = data.settings;
  return (
    <p className={classes.hint}>
      {seconds % HOUR_SECONDS === 0
        ? t('offlineHours', { count: seconds / HOUR_SECONDS })
        : t('offlineMinutes', { count: Math.ceil(seconds / MINUTE_SECONDS) })}
    </p>
  );
}
