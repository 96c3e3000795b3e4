import { Button } from '@mantine/core';
import { IconLockOpen, IconWifiOff } from '@tabler/icons-react';
import { useEffect } from 'react';
import { plainApi } from '../../api/client.ts';
import { noteAnswer, useConnection } from '../../api/connection.ts';
import { queryClient } from '../../api/query-client.ts';
import { formatTime } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './shell.module.css';
import { shellWords } from './shell.words.ts';

const POLL_MS = 3_000;

async function askServer(): Promise<void> {
  try {
    await plainApi.GET('/healthz');
  } catch {
    return; // Still silent; the next turn asks again.
  }
  noteAnswer();
  await queryClient.invalidateQueries();
}

/** Lines on top of every page: served without encryption; no answer from the server. */
export function Banners() {
  const { t, language } = useWords(shellWords);
  const { isOffline, answeredAt } = useConnection();
  useEffect(() => {
    if (!isOffline) return undefined;
    const timer = setInterval(() => void askServer(), POLL_MS);
    return () => clearInterval(timer);
  }, [isOffline]);
  return (
    <>
      {!globalThis.isSecureContext && (
        <div className={classes.banner} role="note">
          <IconLockOpen size={18} stroke={1.75} aria-hidden />
          <span className={classes.bannerText}>{t('plainHttp')}</span>
        </div>
      )}
      {isOffline && (
        <div className={classes.banner} role="status">
          <IconWifiOff size={18} stroke={1.75} aria-hidden />
          <span className={classes.bannerText}>
            <strong>{t('offline')}</strong>{' '}
            {answeredAt !== null &&
              t('offlineSince', { time: formatTime(new Date(answeredAt).toISOString(), language) })}
          </span>
          <Button size="xs" variant="default" onClick={() => void askServer()}>
            {t('tryNow')}
          </Button>
        </div>
      )}
    </>
  );
}
