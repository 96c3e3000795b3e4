import type { Overview } from '@keyreeve/sdk';
import { Badge } from '@mantine/core';
import { IconHourglassLow } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { daysLeft, formatRelative } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { AccountMark } from '../../ui/account-mark.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { useNow } from '../../ui/use-now.ts';
import classes from './overview.module.css';
import { overviewWords } from './overview.words.ts';

export function NextPanel(props: { readonly value: Overview }) {
  const { keys, nextToStop, noticeDays } = props.value;
  const { t, language } = useWords(overviewWords);
  const now = useNow();
  return (
    <Panel
      title={t('nextTitle')}
      actions={
        keys.expiring > 0 && (
          <Link to="/keys" search={{ filter: 'expiring' }} className={classes.allLink}>
            {t('allShort', { count: keys.expiring })} <span className="kr-visually-hidden">{t('all')}</span>
          </Link>
        )
      }
    >
      {nextToStop.length === 0 && <p className="kr-secondary">{t('noNext')}</p>}
      <ul className={classes.next}>
        {nextToStop.map((key) => {
          const left = daysLeft(key.expiresAt, now);
          const used =
            key.lastUsedAt === null
              ? t('unusedKey')
              : t('used', { when: formatRelative(key.lastUsedAt, now, language) });
          return (
            <li key={key.id} className={classes.nextItem}>
              <AccountMark name={key.account.displayName} kind={key.account.kind} />
              <div className={classes.nextText}>
                <Link
                  to="/keys"
                  search={{ q: key.id }}
                  className={classes.nextLink}
                  title={key.comment}
                  data-truncate
                >
                  <bdi>{key.comment}</bdi>
                </Link>
                <Truncate text={`${key.account.displayName} · ${used}`} className="kr-dimmed kr-small" />
              </div>
              <Badge
                color={left <= noticeDays ? 'amber' : 'gray'}
                leftSection={<IconHourglassLow size={12} stroke={2} aria-hidden />}
              >
                {t('daysLeft', { count: left })}
              </Badge>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
