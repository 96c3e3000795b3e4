import type { Key } from '@keyreeve/sdk';
import { SegmentedControl } from '@mantine/core';
import { formatInstant, HOUR_MS } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { useNow } from '../../ui/use-now.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';
import { LastUse } from './last-use.tsx';

/** For how long the old secret stays, until when that is, and who would still need it. */
export function OverlapChoice(props: {
  readonly value: Key;
  readonly labelId: string;
  readonly hours: number;
  readonly onChange: (hours: number) => void;
}) {
  const { value, labelId, hours, onChange } = props;
  const { t, language } = useWords(keyDialogsWords);
  const now = useNow();
  const wantedEnd = now + hours * HOUR_MS;
  // The server ends it at its own expiry, if that comes first.
  const end = value.expiresAt === null ? wantedEnd : Math.min(wantedEnd, Date.parse(value.expiresAt));
  return (
    <>
      <div id={labelId} className={classes.label}>
        {t('overlap')}
      </div>
      <SegmentedControl
        fullWidth
        aria-labelledby={labelId}
        value={String(hours)}
        onChange={(next) => onChange(Number(next))}
        data={[
          { value: '0', label: t('stopsNow') },
          { value: '1', label: t('hours1') },
          { value: '24', label: t('hours24') },
          { value: '168', label: t('days7') },
        ]}
      />
      <p className={classes.hint} aria-live="polite">
        {hours === 0 ? (
          <Rich words={keyDialogsWords} k="overlapNone" parts={{ b: <b /> }} />
        ) : (
          <Rich
            words={keyDialogsWords}
            k="overlapUntil"
            values={{ instant: formatInstant(new Date(end).toISOString(), language) }}
            parts={{ b: <b /> }}
          />
        )}
        {language === 'en' && ' '}
        <LastUse value={value} />
      </p>
      {value.overlapEndsAt !== null && (
        <p className={classes.hint}>
          {t('overlapOlder', { instant: formatInstant(value.overlapEndsAt, language) })}
        </p>
      )}
    </>
  );
}
